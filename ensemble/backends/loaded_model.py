"""llama.cpp (`xllamacpp`) in this process: loading a model once, asking it, releasing it at the end.

llama.cpp runs in threads of this process and is asked through its own listener on 127.0.0.1, which is always on:
it costs nothing measurable beside the model, a time-out is a closed connection (on which the native side gives the
slot back), and no Python thread is ever inside native code when the process ends.
"""

from __future__ import annotations

import atexit
import http.client
import json
import os
import secrets
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ensemble.backends.model_file import INSTALL_HINT
from ensemble.backends.prompt_slots import PromptSlots
from ensemble.errors import EndpointError

ENDING = "This process is ending."


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What distinguishes one loaded model from another."""

    path: Path
    slots: int
    context_length: int
    bit_exact: bool


def count_cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# The loaded models of this process


class LoadedModel:
    """A model in memory and its listener on 127.0.0.1; only this process knows the listener's key."""

    def __init__(self, settings: ServerSettings) -> None:
        self._key = secrets.token_hex(32)
        self.slots = PromptSlots(settings.slots, self.post)
        try:
            self._native = start_server(settings, self._key, self.slots.directory)
        except EndpointError:
            self.slots.close()
            raise
        self._address = urlsplit(self._native.listening_address)
        self._calls: set[http.client.HTTPConnection] = set()

    def post(self, path: str, body: Mapping[str, Any], timeout: float) -> tuple[int, bytes]:
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
            connection.request("POST", path, json.dumps(body).encode("ascii"), headers)
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
        self.slots.close()


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


def load_model(settings: ServerSettings) -> LoadedModel:
    """The model with these settings, one per process. Raises a permanent EndpointError when it cannot be loaded."""
    return _models.load(settings)


def start_server(settings: ServerSettings, api_key: str, states: Path) -> Any:
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
        return xllamacpp.Server(_build_params(xllamacpp, settings, api_key, states))
    except RuntimeError as error:
        raise EndpointError(
            f"llama.cpp could not load the model file {settings.path.name}: damaged, of an unknown kind, or too "
            "large for this machine's memory.",
            transient=False,
        ) from error


def _build_params(xllamacpp: Any, settings: ServerSettings, api_key: str, states: Path) -> Any:
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
    params.slot_save_path = f"{states}{os.sep}"
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = count_cores()
    params.use_jinja = True  # the model's own chat template
    params.force_pure_content_parser = True  # the answer as generated: nothing is parsed out of it
    params.ui = params.endpoint_slots = False
    params.verbosity = -1
    return params
