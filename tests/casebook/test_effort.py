from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from casebook import experiments
from casebook.effort import Effort, Pace, estimate_effort, measure_endpoint, write_duration
from casebook.models import Case, CaseTest
from ensemble.models import Endpoint, Run
from tests.casebook.cases_for_tests import add_case, add_draft_test, work_to_seal


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (0.2, "a minute or less", "не более минуты"),
        (61, "about 2 minutes", "около 2 минут"),
        (21 * 60, "about 21 minutes", "около 21 минуты"),
        (91 * 60, "about 2 hours", "около 2 часов"),
        (48 * 3600, "about 48 hours", "около 48 часов"),
        (49 * 3600, "about 3 days", "около 3 суток"),
    ],
)
def test_a_length_of_time_is_rounded_up_to_what_one_plans_by(
    seconds: float, english: str, russian: str
) -> None:
    assert write_duration(seconds) == english
    with translation.override("ru"):
        assert write_duration(seconds) == russian


@pytest.mark.parametrize(
    ("most", "arms", "time"),
    [(100, 1, "about 2 minutes"), (10, 1, "a minute or less"), (1000, 2, "about 37 minutes")],
)
def test_the_time_covers_every_arm_and_its_audit(most: int, arms: int, time: str) -> None:
    effort = Effort(expected=(), most=most, arms=arms, pace=Pace(run_seconds=1.0, own_tries=5))
    assert effort.time == time


@pytest.mark.django_db
@pytest.mark.parametrize(("threshold", "expected"), [("", {500.0}), ("0.05", set())])
def test_an_anytime_rule_takes_its_largest_number_or_nobody_knows_how_many(
    threshold: str, expected: set[float]
) -> None:
    test = add_draft_test(add_case(User.objects.create_user("owner")))
    test.experiment.draft["stopping"] = {"kind": "anytime", "max_runs": 500, "threshold": threshold}
    effort = estimate_effort(test)
    assert effort.most == 500
    assert {runs for _, runs in effort.expected} == expected


def test_nothing_is_said_of_the_time_when_nothing_was_measured() -> None:
    assert Effort(expected=(), most=100, arms=1, pace=None).time == ""


def run_another(case: Case, temperatures: list[str]) -> CaseTest:
    """Another sealed test on the one endpoint, with an arm for each of these temperatures besides."""
    test = experiments.add_test(case, operator="owner", endpoint=Endpoint.objects.get())
    draft = {**test.experiment.draft, "stopping": {"kind": "fixed", "runs": 10}, "temperatures": temperatures}
    assert experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
    experiments.lock_and_run(test, by="owner")
    return work_to_seal(test)


def mean_seconds(test: CaseTest) -> float:
    """Over the counted runs of all arms, without the pace that simultaneous calls make."""
    runs = Run.objects.counted().filter(experiment=test.experiment_id).finished()
    return sum(run.duration_ms for run in runs) / len(runs) / 1000


@pytest.mark.django_db
def test_earlier_tests_of_the_case_go_before_later_ones_of_others_and_all_their_arms_count() -> None:
    user = User.objects.create_user("owner")
    case, other = add_case(user), add_case(user)
    add_draft_test(case, concurrency=1)
    endpoint = Endpoint.objects.get()
    assert measure_endpoint(endpoint, case) is None
    foreign = run_another(other, [])
    told = measure_endpoint(endpoint, case)
    assert told is not None
    assert (told.of_case, told.run_seconds) == (False, pytest.approx(mean_seconds(foreign)))
    own = run_another(case, ["0.3"])
    run_another(other, [])
    told = measure_endpoint(endpoint, case)
    assert told is not None
    assert Run.objects.counted().filter(experiment=own.experiment_id, arm=1).exists()
    assert (told.of_case, told.run_seconds) == (True, pytest.approx(mean_seconds(own)))
