"""Whatever an endpoint does, the test ends with a clear reason or gets its answers, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ensemble import calls, states
from ensemble.endpoint_checks import check_endpoint
from ensemble.ledger import export_lines, find_break
from ensemble.models import Endpoint, Experiment
from ensemble.protocol import Message, Sampling
from tests.ensemble.backends.ollama_server import OllamaServer
from tests.ensemble.experiments import (
    DETECTOR,
    add_scripted_endpoint,
    lock_new,
    make_arm,
    make_protocol,
    run_to_seal,
    work_until_idle,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BACKOFF_SECONDS", (0.0,))
    monkeypatch.setattr(calls, "LONGEST_WAIT_SECONDS", 0.0)


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer(answers=["That is wrong.", "That is right."]) as running:
        yield running


def add_ollama(server: OllamaServer, **changes: Any) -> Endpoint:
    values = {"name": "ollama", "backend": "ollama", "model": "llama3.2", "url": server.url, "concurrency": 2}
    return Endpoint.objects.create(**{**values, "timeout_seconds": 3, **changes})


def test_a_test_on_an_ollama_server_records_its_answers_and_identity(server: OllamaServer) -> None:
    experiment = run_to_seal(make_protocol(add_ollama(server), runs=12))
    arm = experiment.latest_result().document["arms"][0]
    assert (experiment.ended_as, arm["runs"]) == ("completed", 12)
    assert arm["identity"]["first"]["digest"] == server.models[0].digest
    assert server.complaints == []
    assert server.busiest <= 2
    seeds = sorted(request["options"]["seed"] for request in server.requests)
    recorded = experiment.runs.exclude(zone="exploratory").values_list("seed", flat=True)
    assert seeds == sorted(recorded)


@pytest.mark.parametrize("fault", ["failed", "garbage", "html", "cut", "queue full", "load"])
def test_a_passing_fault_is_retried_and_costs_nothing(server: OllamaServer, fault: str) -> None:
    server.fault, server.fault_calls = fault, 2
    experiment = run_to_seal(make_protocol(add_ollama(server), runs=6))
    assert (experiment.ended_as, experiment.arms.get().runs) == ("completed", 6)
    assert experiment.runs.filter(outcome="failed").count() == 2
    assert find_break(export_lines(experiment)) is None


@pytest.mark.parametrize("fault", ["failed", "garbage", "slow"])
def test_a_lasting_fault_ends_the_arm_with_its_reason(server: OllamaServer, fault: str) -> None:
    server.fault = fault
    experiment = run_to_seal(make_protocol(add_ollama(server, timeout_seconds=1), runs=6, max_attempts=2))
    arm = experiment.latest_result().document["arms"][0]
    assert (experiment.ended_as, arm["stop"]["kind"], arm["runs"]) == ("failed", "failed", 0)
    assert arm["stop"]["reason"] == experiment.reason != ""
    assert arm["interval_kind"] == "confidence sequence"


def test_a_wrong_model_name_is_said_before_the_first_run(server: OllamaServer) -> None:
    experiment = work_until_idle(lock_new(make_protocol(add_ollama(server, model="nope"), runs=6)))
    assert "nope" in experiment.reason
    assert not experiment.runs.exists()


def test_a_paused_test_goes_on_when_its_server_is_back(server: OllamaServer) -> None:
    endpoint = add_ollama(server, url="http://127.0.0.1:9")
    experiment = work_until_idle(lock_new(make_protocol(endpoint, runs=4)))
    assert experiment.state == Experiment.State.PAUSED
    Endpoint.objects.filter(pk=endpoint.pk).update(url=server.url)
    states.resume(experiment, by="owner")
    assert work_until_idle(experiment).ended_as == "completed"


def test_a_prompt_longer_than_the_context_is_a_clear_end(server: OllamaServer) -> None:
    endpoint = add_ollama(server)
    long = make_arm(
        endpoint,
        messages=(Message(role="user", content="word " * 400),),
        sampling=Sampling(context_length=128),
    )
    experiment = run_to_seal(make_protocol(endpoint, arms=(long,), runs=4))
    assert experiment.ended_as == "failed"
    assert "context" in experiment.reason


@pytest.mark.parametrize("kind", ["huge", "nul", "surrogate", "empty"])
def test_odd_answers_are_kept_whole_and_labelled(kind: str) -> None:
    endpoint = add_scripted_endpoint(
        distribution=[{"text": "That is wrong.", "share": "1"}], faults=[{"share": "0.5", "kind": kind}]
    )
    experiment = run_to_seal(make_protocol(endpoint, runs=20))
    assert experiment.ended_as == "completed"
    assert find_break(export_lines(experiment)) is None
    for run in experiment.runs.finished():
        assert "\0" not in run.text
        run.text.encode("utf-8")
        assert run.raw
    if kind == "empty":
        assert set(experiment.runs.counted().filter(text="").values_list("label", flat=True)) == {"unclear"}
    if kind == "huge":
        assert max(len(text) for text in experiment.runs.values_list("text", flat=True)) >= 1_000_000


def test_checking_an_endpoint_reports_what_it_is_or_what_is_wrong(server: OllamaServer) -> None:
    endpoint = add_ollama(server)
    check_endpoint(endpoint)
    endpoint.refresh_from_db()
    assert endpoint.check_state == "ok"
    assert endpoint.check_report["identity"]["digest"] == server.models[0].digest
    server.fault = "failed"
    check_endpoint(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.check_state, endpoint.check_message != "") == ("failed", True)


def test_keys_never_enter_a_recorded_reason(server: OllamaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEBOOK_KEY_TEST", "very-secret-key")
    server.fault = "unauthorised"
    endpoint = add_ollama(server, key_variable="CASEBOOK_KEY_TEST")
    experiment = run_to_seal(make_protocol(endpoint, runs=2, max_attempts=1))
    assert "very-secret-key" not in "".join(export_lines(experiment)) + experiment.reason


def test_detectors_of_a_protocol_are_those_of_the_draft() -> None:
    experiment = lock_new(make_protocol(add_scripted_endpoint(), runs=2))
    assert experiment.protocol.detector == DETECTOR
