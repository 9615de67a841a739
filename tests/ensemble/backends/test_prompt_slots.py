"""Slots and prompts, with a listener that records what it was asked and what ran beside it."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ensemble.backends.prompt_slots import SAVED_PROMPTS, PromptSlots
from ensemble.errors import EndpointError


class Listener:
    """Holds a prompt per slot, as llama.cpp does, and answers with it; `status` by the kind of a call."""

    def __init__(self, count: int) -> None:
        self.slots = PromptSlots(count, self.post)
        self.held: dict[int, str] = {}
        self.calls: list[str] = []
        self.status: dict[str, int] = {}
        self.delay = 0.0
        self.active = 0
        self.most_active = 0
        self.beside_processing = 0
        self._lock = threading.Lock()

    def post(self, path: str, body: Mapping[str, Any], timeout: float) -> tuple[int, bytes]:
        kind = path.partition("action=")[2] or ("answer" if body["cache_prompt"] else "process")
        with self._lock:
            self.calls.append(kind)
            self.active += 1
            self.most_active = max(self.most_active, self.active)
        if self.status.get(kind) == 0:
            self.active -= 1
            raise EndpointError("Too late.", transient=True)
        time.sleep(self.delay)
        status = self.status.get(kind, 200)
        held = self._do(kind, path, body) if status == 200 else ""
        with self._lock:
            if kind == "process":
                self.beside_processing = max(self.beside_processing, self.active - 1)
            self.active -= 1
        return status, held.encode()

    def _do(self, kind: str, path: str, body: Mapping[str, Any]) -> str:
        if kind in {"save", "restore"}:
            slot, file = (
                int(path.split("/")[2].split("?", maxsplit=1)[0]),
                self.slots.directory / body["filename"],
            )
            if kind == "save":
                file.write_text(self.held[slot])
            else:
                self.held[slot] = file.read_text()
        elif kind == "process":
            self.held[body["id_slot"]] = body["messages"]
        return self.held[body["id_slot"]] if kind == "answer" else ""

    def ask(self, prompt: str, timeout: float = 10) -> str:
        reply = self.slots.ask({"messages": prompt, "max_tokens": 5, "cache_prompt": True}, timeout)
        assert reply.status == 200
        return reply.raw.decode()


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    listener = Listener(3)
    yield listener
    listener.slots.close()
    assert not list(tmp_path.glob("casebook-prompts-*"))


def test_a_prompt_is_processed_once_alone_and_given_to_every_slot(listener: Listener) -> None:
    listener.delay = 0.02
    prompts = ["one", "two"] * 15
    with ThreadPoolExecutor(9) as pool:
        assert list(pool.map(listener.ask, prompts)) == prompts
    assert listener.calls.count("process") == listener.calls.count("save") == 2
    assert listener.calls.count("answer") == len(prompts)
    assert listener.beside_processing == 0
    assert listener.most_active == 3


def test_a_slot_that_holds_the_prompt_is_preferred(listener: Listener) -> None:
    for prompt in ("one", "two", "one", "two", "one"):
        listener.ask(prompt)
    assert listener.calls.count("process") == 2
    assert "restore" not in listener.calls


def test_few_prompts_are_kept(listener: Listener) -> None:
    for number in range(SAVED_PROMPTS + 3):
        assert listener.ask(f"prompt {number}") == f"prompt {number}"
    assert len(list(listener.slots.directory.iterdir())) == SAVED_PROMPTS
    assert listener.ask("prompt 0") == "prompt 0"


def test_a_prompt_that_cannot_be_saved_is_processed_in_each_slot(listener: Listener) -> None:
    listener.status["save"] = 500
    listener.delay = 0.02
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(listener.ask, ["one"] * 9)) == {"one"}
    assert 1 <= listener.calls.count("process") <= 3
    assert "restore" not in listener.calls


def test_a_lost_state_is_a_transient_error_and_then_made_again(listener: Listener) -> None:
    listener.ask("one")
    listener.slots._prompts[:] = [""] * 3
    listener.status["restore"] = 404
    with pytest.raises(EndpointError, match="lost the state") as caught:
        listener.ask("one")
    assert caught.value.transient
    assert listener.ask("one") == "one"
    assert listener.calls.count("process") == 2


def test_a_refused_prompt_is_told_and_leaves_the_slots_free(listener: Listener) -> None:
    listener.status["process"] = 400
    body = {"messages": "long", "max_tokens": 5, "cache_prompt": True}
    assert [listener.slots.ask(body, 1).status for _ in range(5)] == [400] * 5
    assert listener.calls == ["process"] * 5
    del listener.status["process"]
    assert listener.ask("one") == "one"


def test_a_call_out_of_time_gives_its_slot_back_as_unknown(listener: Listener) -> None:
    for kind in ("process", "answer"):
        listener.status[kind] = 0
        for _ in range(4):
            with pytest.raises(EndpointError, match="Too late"):
                listener.ask("one")
        del listener.status[kind]
    assert listener.ask("one") == "one"
    assert listener.calls.count("restore") >= 1


def test_waiting_for_a_slot_ends_with_the_time(listener: Listener) -> None:
    listener.ask("one")
    listener.delay = 0.6
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(listener.ask, "one") for _ in range(3)]
        time.sleep(0.2)
        with pytest.raises(EndpointError, match="busy") as caught:
            listener.ask("two", 0.1)
        assert caught.value.transient
        assert [answer.result() for answer in answers] == ["one"] * 3
    assert listener.ask("two") == "two"


def test_silence_that_does_not_come_in_time_is_given_up(listener: Listener) -> None:
    listener.ask("one")
    listener.delay = 0.6
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(listener.ask, "one")
        time.sleep(0.2)
        with pytest.raises(EndpointError, match="busy"):
            listener.ask("two", 0.1)
        assert answer.result() == "one"
    assert listener.ask("two") == "two"


def test_without_a_cache_nothing_is_kept(listener: Listener) -> None:
    for _ in range(2):
        listener.slots.ask({"messages": "one", "max_tokens": 5, "cache_prompt": False}, 1)
    assert listener.calls == ["process", "process"]


def test_what_killed_processes_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, new = tmp_path / "casebook-prompts-old", tmp_path / "casebook-prompts-new"
    for path in (old, new):
        path.mkdir()
        (path / "state").write_text("")
    os.utime(old, (0, 0))
    slots = PromptSlots(1, Listener(1).post)
    assert not old.exists()
    assert new.exists()
    slots.close()
