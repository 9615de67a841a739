"""Arms of another day: they wait for their time or for a person, and a test goes on without those given up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import NoReturn

import pytest
from django.utils import timezone

from ensemble import identities, sealing, states
from ensemble.errors import EndpointError
from ensemble.models import ArmProgress, Endpoint, Experiment
from ensemble.protocol import BY_HAND, Purpose, StoppingRule
from ensemble.runner import Next, work_on
from ensemble.sweeping import find_unfinished
from tests.ensemble.experiments import (
    add_scripted_endpoint,
    lock_new,
    make_arm,
    make_protocol,
    work_until_idle,
)

pytestmark = pytest.mark.django_db


def lock_with_day(begins: str) -> Experiment:
    endpoint = add_scripted_endpoint()
    day = make_arm(
        endpoint,
        name="day 2",
        purpose=Purpose.DAY,
        begins=begins,
        stopping=StoppingRule(kind="fixed", runs=15),
    )
    return lock_new(make_protocol(endpoint, runs=20, arms=(make_arm(endpoint), day)))


def day_of(experiment: Experiment) -> ArmProgress:
    return experiment.arms.get(position=1)


def test_an_arm_begins_when_its_time_has_come() -> None:
    past = timezone.now() - timedelta(minutes=1)
    experiment = work_until_idle(lock_with_day(past.isoformat()))
    assert experiment.ended_as == "completed"
    assert (day_of(experiment).runs, experiment.arms.get(position=0).runs) == (15, 20)


def test_an_arm_of_tomorrow_waits_and_keeps_the_test_open() -> None:
    experiment = work_until_idle(lock_with_day((timezone.now() + timedelta(days=1)).isoformat()))
    assert (experiment.state, day_of(experiment).next_index) == ("running", 0)
    assert day_of(experiment).is_waiting
    assert experiment.arms.get(position=0).stop_kind == "rule"
    assert find_unfinished().experiments == ()  # nothing to do for now: no worker is called
    ArmProgress.objects.filter(position=1).update(opens_at=timezone.now())
    assert find_unfinished().experiments == (experiment.pk,)
    assert work_until_idle(experiment).ended_as == "completed"


def test_an_arm_that_a_person_starts_waits_for_the_person_and_the_ledger_names_them() -> None:
    experiment = work_until_idle(lock_with_day(BY_HAND))
    assert day_of(experiment).opens_at is None
    assert states.open_arm(experiment, 1, by="teammate")
    assert not states.open_arm(experiment, 1, by="teammate")
    experiment = work_until_idle(experiment)
    entry = json.loads(experiment.ledger.get(kind="arm_opened").line)
    assert entry["payload"] == {"arm": 1, "by": "teammate"}
    assert (experiment.ended_as, day_of(experiment).runs) == ("completed", 15)


def test_a_test_ends_without_an_arm_that_was_given_up() -> None:
    experiment = work_until_idle(lock_with_day(BY_HAND))
    assert states.skip_arm(experiment, 1, by="owner", reason="the endpoint is gone")
    assert not states.open_arm(experiment, 1, by="owner")
    experiment = work_until_idle(experiment)
    assert experiment.ended_as == "completed"
    first, second = experiment.latest_result().document["arms"]
    assert (first["interval_kind"], second["stop"]["kind"]) == ("clopper-pearson", "skipped")
    assert (second["runs"], second["stop"]["reason"]) == (0, "the endpoint is gone")


def test_an_arm_that_has_begun_cannot_be_given_up() -> None:
    experiment = lock_with_day("")
    work_on(experiment, "worker")
    assert not states.skip_arm(experiment, 0, by="owner")
    work_until_idle(experiment)
    assert not states.skip_arm(experiment, 1, by="owner")


def test_cancelling_ends_a_test_that_waits() -> None:
    experiment = work_until_idle(lock_with_day(BY_HAND))
    assert states.cancel(experiment, by="owner")
    assert not states.open_arm(experiment, 1, by="owner")
    experiment = work_until_idle(experiment)
    assert experiment.state == "sealed"
    assert experiment.latest_result().document["arms"][1]["runs"] == 0


def test_a_model_that_changes_between_two_days_does_not_spoil_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = work_until_idle(lock_with_day(BY_HAND))
    other = [{"text": "That is wrong.", "share": "1"}]
    Endpoint.objects.update(options={"distribution": other})  # which is another scripted model
    monkeypatch.setattr(identities, "CHECK_EVERY", timedelta())
    states.open_arm(experiment, 1, by="owner")
    experiment = work_until_idle(experiment)
    first, second = experiment.latest_result().document["arms"]
    assert (first["stop"]["kind"], second["stop"]["kind"]) == ("rule", "rule")
    assert first["identity"]["first"]["digest"] != second["identity"]["first"]["digest"]
    assert [record["when"] for record in identities.identity_records(experiment, 0)][-1] == "after"


def test_a_worker_that_dies_before_an_arm_is_closed_leaves_work_for_the_sweep() -> None:
    """The last look at the model belongs to the day of the arm; the sweep must not take the test for waiting."""
    experiment = work_until_idle(lock_with_day(BY_HAND))
    ArmProgress.objects.filter(experiment=experiment, position=0).update(is_closed=False)
    assert find_unfinished().experiments == (experiment.pk,)
    work_until_idle(experiment)
    assert find_unfinished().experiments == ()


def test_an_endpoint_that_is_away_at_the_end_of_a_day_is_not_asked_about_that_day_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = lock_with_day(BY_HAND)
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "open_backend", _fail_to_open)
        work_until_idle(experiment)
    Endpoint.objects.update(options={"distribution": [{"text": "That is wrong.", "share": "1"}]})
    states.open_arm(experiment, 1, by="owner")
    experiment = work_until_idle(experiment)
    assert [arm["stop"]["kind"] for arm in experiment.latest_result().document["arms"]] == ["rule", "rule"]
    assert "after" not in [record["when"] for record in identities.identity_records(experiment, 0)]


def _fail_to_open(_config: object) -> NoReturn:
    raise EndpointError("The endpoint is away.", transient=True)


def test_a_paused_test_leaves_its_waiting_arm_alone() -> None:
    experiment = work_until_idle(lock_with_day(BY_HAND))
    assert states.pause(experiment, by="owner")
    assert states.open_arm(experiment, 1, by="owner")
    assert work_on(experiment, "worker") == Next.NOTHING
    assert day_of(experiment).next_index == 0
    assert states.resume(experiment, by="owner")
    assert work_until_idle(experiment).ended_as == "completed"
