"""Questions outside a test: answered under leased slots, never more at once than the endpoint allows."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest

from ensemble import asking
from ensemble.asking import ask
from ensemble.backends.base import Completion, CompletionRequest, EndpointConfig
from ensemble.backends.scripted import ScriptedBackend
from ensemble.errors import EndpointError
from ensemble.models import Slot
from ensemble.protocol import Message, Sampling
from ensemble.slots import lease_slots
from tests.ensemble.experiments import add_scripted_endpoint

pytestmark = pytest.mark.django_db

busy: list[int] = []
most_at_once: list[int] = []
lock = threading.Lock()


def answer_slowly(seed: int, _request: CompletionRequest) -> str:
    with lock:
        busy.append(seed)
        most_at_once.append(len(busy))
    time.sleep(0.02)
    with lock:
        busy.remove(seed)
    return f"answer {seed}"


def questions(count: int) -> dict[int, CompletionRequest]:
    sampling = Sampling(temperature=Decimal(1))
    return {
        number: CompletionRequest(
            messages=(Message(role="user", content="?"),), sampling=sampling, seed=number
        )
        for number in range(count)
    }


def collect(kept: dict[int, str], number: int, answer: Completion) -> None:
    kept[number] = answer.text


def test_every_question_is_answered_and_no_slot_stays_leased(monkeypatch: pytest.MonkeyPatch) -> None:
    most_at_once.clear()
    kept: dict[int, str] = {}
    endpoint = add_scripted_endpoint(concurrency=2)
    slow = EndpointConfig(name="slow", backend="scripted", options={"callable": answer_slowly})
    monkeypatch.setattr(asking, "open_backend", lambda config: ScriptedBackend(slow))
    failure = ask(endpoint, questions(7), "me", keep=lambda n, a: collect(kept, n, a), renew=lambda: None)
    assert failure is None
    assert kept == {number: f"answer {number}" for number in range(7)}
    assert max(most_at_once) == 2
    assert len(lease_slots(endpoint, "another", 2)) == 2


def test_the_first_failure_is_returned_and_what_arrived_is_kept() -> None:
    kept: dict[int, str] = {}
    endpoint = add_scripted_endpoint(concurrency=1, script=["a", "b", "c"])
    failure = ask(endpoint, questions(6), "me", keep=lambda n, a: collect(kept, n, a), renew=lambda: None)
    assert failure is not None
    assert "holds fewer answers" in str(failure)
    assert kept == {0: "a", 1: "b", 2: "c"}
    assert not Slot.objects.exclude(owner="").exists()


def test_an_endpoint_that_others_hold_is_waited_for_and_then_called_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "SLOT_WAIT_SECONDS", 0.3)
    endpoint = add_scripted_endpoint(concurrency=1)
    lease_slots(endpoint, "another", 1)
    renewed: list[int] = []
    with pytest.raises(EndpointError, match="busy with other runs"):
        ask(endpoint, questions(1), "me", keep=lambda n, a: None, renew=lambda: renewed.append(1))
    assert renewed
