"""The kinds of endpoint. Adding one touches its file, its line here, its test and its heading in the docs."""

from __future__ import annotations

from importlib import import_module

from ensemble.backends.base import Backend, EndpointConfig
from ensemble.errors import EndpointError

BACKENDS = {
    "embedded": "ensemble.backends.embedded:EmbeddedBackend",
    "ollama": "ensemble.backends.ollama:OllamaBackend",
    "scripted": "ensemble.backends.scripted:ScriptedBackend",
}


def open_backend(config: EndpointConfig) -> Backend:
    """The backend of `config`. Its module, and with it any vendor library, is imported only now."""
    if config.backend not in BACKENDS:
        raise EndpointError(f"There is no backend of the kind “{config.backend}”.", transient=False)
    module_name, class_name = BACKENDS[config.backend].split(":")
    backend: Backend = getattr(import_module(module_name), class_name)(config)
    return backend
