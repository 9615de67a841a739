"""Arms of another day on the page of a running test: when they begin, starting them, giving them up, the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casebook import experiments
from casebook.models import Case, CaseTest
from casebook.progress import measure_progress
from casebook.report_numbers import number_writer
from ensemble import tasks
from ensemble.ledger import format_time
from ensemble.models import ArmProgress, Experiment
from ensemble.protocol import BY_HAND
from ensemble.tasks import sweep, work_on_experiment
from tests.casebook.cases_for_tests import add_draft_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The messages in the queue: a worker takes them by `work`."""
    waiting: list[int] = []
    monkeypatch.setattr(tasks.work_on_experiment, "delay", waiting.append)
    monkeypatch.setattr(
        tasks.work_on_experiment, "apply_async", lambda args, countdown=0: waiting.append(*args)
    )
    return waiting


def work(queue: list[int]) -> None:
    while queue:
        work_on_experiment(queue.pop(0))


@pytest.fixture
def waiting(case: Case, queue: list[int]) -> CaseTest:
    """A test whose primary arm is done; one day waits for tomorrow, one for a person."""
    test = add_draft_test(case, runs=12)
    tomorrow = format_time(timezone.now() + timedelta(days=1))
    arms = [
        {"key": key, "purpose": "day", "begins": begins, "zone": "UTC", "runs": 6}
        for key, begins in (("0a0a0a0a", tomorrow), ("0b0b0b0b", BY_HAND))
    ]
    seen = experiments.draft_sha256(test.experiment.draft)
    assert experiments.save_draft(test, {**test.experiment.draft, "arms": arms}, seen_sha256=seen)
    experiments.lock_and_run(test, by="owner")
    sweep()
    work(queue)
    return CaseTest.objects.get(pk=test.pk)


def url(name: str, test: CaseTest, *more: Any) -> str:
    return reverse(f"casebook:{name}", args=[test.case.public_id, test.number, *more])


def stored(test: CaseTest) -> Experiment:
    return Experiment.objects.get(pk=test.experiment_id)


def read(client: Client, address: str) -> str:
    return str(client.get(address).content.decode())


def test_the_page_says_when_each_arm_begins_and_that_the_test_only_waits(
    as_owner: Client, waiting: CaseTest
) -> None:
    page = read(as_owner, url("test-detail", waiting))
    assert "waits for the arms of another day" in page
    assert number_writer("en").write_minute(stored(waiting).arms.get(position=1).opens_at) in page
    assert "waits until somebody starts it" in page
    assert "every 30s" in page
    assert "left</span>" not in page
    for position in (1, 2):
        assert url("arm-start", waiting, position) in page
        assert url("arm-give-up", waiting, position) in page


def test_waiting_arms_are_no_part_of_the_progress(waiting: CaseTest) -> None:
    progress = measure_progress(stored(waiting), number_writer("en"))
    assert (progress.labelled, progress.target, progress.left) == (12, 12, 0)
    ArmProgress.objects.filter(position=1).update(opens_at=timezone.now())
    progress = measure_progress(stored(waiting), number_writer("en"))
    assert (progress.target, progress.left) == (18, 6 + 6)  # its own runs, and their audit


def test_the_sweep_starts_an_arm_when_its_time_has_come(waiting: CaseTest, queue: list[int]) -> None:
    sweep()
    assert queue == []
    ArmProgress.objects.filter(position=1).update(opens_at=timezone.now() - timedelta(seconds=1))
    sweep()
    assert queue == [waiting.experiment_id]
    work(queue)
    assert [arm.runs for arm in stored(waiting).arms.all()] == [12, 6, 0]
    sweep()
    assert queue == []
    assert stored(waiting).state == "running"


def test_starting_an_arm_asks_first_and_then_runs_it(
    as_teammate: Client, waiting: CaseTest, queue: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    page = read(as_teammate, url("arm-start", waiting, 2))
    assert "Start this arm now?" in page
    assert "Started now, this arm says nothing about another day" in page  # the first day is today
    assert stored(waiting).arms.get(position=2).opens_at is None
    with django_capture_on_commit_callbacks(execute=True):
        assert as_teammate.post(url("arm-start", waiting, 2)).status_code == 302
    assert queue == [waiting.experiment_id]
    work(queue)
    assert [arm.runs for arm in stored(waiting).arms.all()] == [12, 0, 6]
    assert "teammate" in stored(waiting).ledger.get(kind="arm_opened").line


def test_giving_up_every_waiting_arm_completes_the_test(
    as_owner: Client, waiting: CaseTest, queue: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    assert "Give up this arm?" in read(as_owner, url("arm-give-up", waiting, 1))
    for position, reason in ((1, "The endpoint closes."), (2, "")):
        with django_capture_on_commit_callbacks(execute=True):
            as_owner.post(url("arm-give-up", waiting, position), {"reason": reason})
    work(queue)
    experiment = stored(waiting)
    assert (experiment.state, experiment.ended_as) == ("sealed", "completed")
    result = experiment.latest_result()
    assert result is not None
    stops = [arm["stop"] for arm in result.document["arms"]]
    assert [(stop["kind"], stop["reason"]) for stop in stops[1:]] == [
        ("skipped", "The endpoint closes."),
        ("skipped", ""),
    ]
    page = read(as_owner, url("test-detail", waiting))
    assert "The arm was given up before its first run." in page


def test_an_arm_that_has_moved_on_is_told(as_owner: Client, waiting: CaseTest) -> None:
    as_owner.post(url("arm-give-up", waiting, 2), {"reason": ""})
    for name in ("arm-start", "arm-give-up"):
        response = as_owner.post(url(name, waiting, 2), follow=True)
        assert "had moved on already" in response.content.decode()
    assert "had moved on already" in as_owner.get(url("arm-start", waiting, 0), follow=True).content.decode()
    assert stored(waiting).ledger.filter(kind="arm_skipped").count() == 1


def test_a_reason_that_cannot_be_stored_gives_nothing_up(as_owner: Client, waiting: CaseTest) -> None:
    response = as_owner.post(url("arm-give-up", waiting, 2), {"reason": "a\0b"})
    assert "reason" in response.context["form"].errors
    assert stored(waiting).arms.get(position=2).stop_kind == ""


def test_strangers_neither_see_nor_steer_waiting_arms(
    as_stranger: Client, client: Client, waiting: CaseTest, stranger: User
) -> None:
    for name in ("arm-start", "arm-give-up"):
        assert as_stranger.get(url(name, waiting, 1)).status_code == 404
        assert as_stranger.post(url(name, waiting, 1)).status_code == 404
        assert client.post(url(name, waiting, 1)).status_code == 302
    assert stored(waiting).arms.get(position=1).is_waiting


def test_what_was_locked_of_an_arm_is_on_the_page(as_owner: Client, waiting: CaseTest) -> None:
    page = read(as_owner, url("test-detail", waiting))
    assert "that of arm 1, word for word" in page
    assert "stop at 6 labelled runs" in page
    assert "when somebody starts it" in page
    assert "All other arms: the values of arm 1." in page
