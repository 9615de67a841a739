"""The slots of a loaded model: who generates in which, and the processed prompt each of them starts from.

A prompt is processed once, while nothing else runs; its state is saved and given to every slot that needs it. This
is what makes a seed give the same answer in every slot, however busy the model: what llama.cpp computes for a long
prompt depends, in the last bits, on what is processed beside it. Measured on two cores, 32 seeds asked twice, eight at
once: a prompt of 892 tokens gave 20 of 32 answers again when each slot processed it for itself, and 32 of 32 this way,
eleven times faster (the state is 23 kB per token and copied within milliseconds).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Condition
from typing import Any, NamedTuple

from ensemble.errors import EndpointError

CHAT = "/v1/chat/completions"
DIRECTORY_PREFIX = "casebook-prompts-"
SAVED_PROMPTS = 4  # a prompt of 2,048 tokens takes 47 MB with the model that ships
LEFT_BEHIND_SECONDS = 86_400


class Reply(NamedTuple):
    """A reply of the model's listener; `seconds` counts neither the wait for a slot nor the prompt's processing."""

    status: int
    raw: bytes
    seconds: float


class PromptSlots:
    """Lends the slots of one model. `post(path, body, timeout)` asks its listener."""

    def __init__(
        self, count: int, post: Callable[[str, Mapping[str, Any], float], tuple[int, bytes]]
    ) -> None:
        remove_left_behind()
        self.directory = Path(tempfile.mkdtemp(prefix=DIRECTORY_PREFIX))
        self._post = post
        self._count = count
        self._changed = Condition()
        self._free = list(range(count))
        self._prompts = [""] * count  # the prompt whose state each slot holds
        self._saved: list[str] = []  # prompts whose state is in `directory`, the latest last
        self._processing: int | None = None  # the slot in which a prompt is, or is about to be, processed

    def ask(self, body: Mapping[str, Any], timeout: float) -> Reply:
        """The reply to a chat request; with `cache_prompt` false its prompt is neither taken from a slot nor kept."""
        prompt = hash_messages(body) if body["cache_prompt"] else ""
        slot, first = self._take(prompt, time.monotonic() + timeout)
        try:
            if first:
                refusal = self._process(slot, prompt, body, timeout)
                if refusal:
                    return refusal
            elif self._prompts[slot] != prompt:
                self._restore(slot, prompt, timeout)
            started = time.perf_counter()
            status, raw = self._post(CHAT, {**body, "id_slot": slot}, timeout)
            return Reply(status, raw, time.perf_counter() - started)
        except EndpointError:
            self._prompts[slot] = ""  # nobody knows what it holds
            raise
        finally:
            self._give_back(slot)

    def close(self) -> None:
        """Remove the saved states."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _take(self, prompt: str, deadline: float) -> tuple[int, bool]:
        """A slot, and whether the prompt is to be processed in it; then all other slots are silent."""
        with self._changed:
            self._wait(lambda: bool(self._free) and self._processing is None, deadline)
            slot = next((slot for slot in self._free if self._prompts[slot] == prompt), self._free[0])
            self._free.remove(slot)
            if not prompt or self._prompts[slot] == prompt or prompt in self._saved:
                return slot, False
            self._processing = slot
            try:
                self._wait(lambda: len(self._free) == self._count - 1, deadline)
            except EndpointError:
                self._give_back(slot)
                raise
            return slot, True

    def _wait(self, ready: Callable[[], bool], deadline: float) -> None:
        if not self._changed.wait_for(ready, deadline - time.monotonic()):
            raise EndpointError("The embedded model was busy with other calls all the time.", transient=True)

    def _give_back(self, slot: int) -> None:
        with self._changed:
            self._free.append(slot)
            self._end_silence(slot)

    def _end_silence(self, slot: int) -> None:
        with self._changed:
            if self._processing == slot:
                self._processing = None
            self._changed.notify_all()

    def _process(self, slot: int, prompt: str, body: Mapping[str, Any], timeout: float) -> Reply | None:
        """Process the prompt from nothing and save its state; a reply other than 200 is returned."""
        alone = {**body, "max_tokens": 1, "cache_prompt": False, "id_slot": slot}
        status, raw = self._post(CHAT, alone, timeout)
        if status != 200:
            self._prompts[slot] = ""
            return Reply(status, raw, 0.0)
        self._prompts[slot] = prompt
        if self._count > 1:
            status, _ = self._post(f"/slots/{slot}?action=save", {"filename": prompt}, timeout)
            if status == 200:  # otherwise (a full disk) every slot processes the prompt for itself
                self._saved.append(prompt)
        while len(self._saved) > SAVED_PROMPTS:
            (self.directory / self._saved.pop(0)).unlink(missing_ok=True)
        self._end_silence(slot)
        return None

    def _restore(self, slot: int, prompt: str, timeout: float) -> None:
        if prompt:
            status, _ = self._post(f"/slots/{slot}?action=restore", {"filename": prompt}, timeout)
            if status != 200:
                with self._changed:
                    self._saved = [saved for saved in self._saved if saved != prompt]
                raise EndpointError("The embedded model lost the state of the prompt.", transient=True)
        self._prompts[slot] = prompt


def hash_messages(body: Mapping[str, Any]) -> str:
    """Names the prompt of a chat request, whatever its sampling: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(body["messages"]).encode("ascii")).hexdigest()


def remove_left_behind() -> None:
    """Remove the states that a process which was killed could not remove itself."""
    limit = time.time() - LEFT_BEHIND_SECONDS
    for path in Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*"):
        if path.lstat().st_mtime < limit:
            shutil.rmtree(path, ignore_errors=True)
