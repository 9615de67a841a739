"""Runs made, runs still to be made and the time they take, on tests that are half done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from casebook.progress import expect_end, find_rival, measure_pace, measure_progress
from casebook.report_numbers import number_writer
from ensemble import states
from ensemble.claims import claim_chunk, release_chunk
from ensemble.models import ArmProgress, Chunk, Experiment, Run, Zone
from ensemble.protocol import StoppingRule
from tests.ensemble.experiments import add_scripted_endpoint, lock_new, make_arm, make_protocol

pytestmark = pytest.mark.django_db
NUMBERS = number_writer("en")
FIXED = StoppingRule(kind="fixed", runs=100)
PLANNED = StoppingRule(
    kind="precision",
    half_width=Decimal("0.05"),
    alpha=Decimal("0.0382"),
    min_coverage=Decimal("0.95"),
    min_coverage_at=Decimal("0.12"),
    max_runs=472,
)


def start(*, runs: int = 100, name: str = "script") -> Experiment:
    experiment = lock_new(make_protocol(add_scripted_endpoint(name), runs=runs))
    states.start_running(experiment)
    return experiment


def make_runs(experiment: Experiment, count: int, *, unlabelled: int = 0, apart: float = 1.0) -> None:
    """Runs as a worker would have recorded them, `apart` seconds one after the other, the last one now."""
    now = timezone.now()
    Run.objects.bulk_create(
        Run(
            experiment=experiment,
            zone=Zone.COUNTED,
            arm=0,
            index=index,
            seed=index,
            outcome="answered",
            label="unclear" if index < unlabelled else "no error",
            duration_ms=round(apart * 1000),
            recorded_at=now - timedelta(seconds=apart * (count - 1 - index)),
        )
        for index in range(count)
    )
    experiment.arms.update(prefix=count, next_index=count, runs=count - unlabelled, unlabelled=unlabelled)
    Experiment.objects.filter(pk=experiment.pk).update(started_at=now - timedelta(seconds=apart * count + 1))
    experiment.refresh_from_db()


def test_runs_made_are_shown_beside_labelled_ones() -> None:
    experiment = start()
    make_runs(experiment, 71, unlabelled=8)
    progress = measure_progress(experiment, NUMBERS)
    assert (progress.labelled, progress.target, progress.made) == (63, 100, 71)


def test_missing_labels_lengthen_what_is_left_up_to_the_limit() -> None:
    assert expect_end(FIXED, ArmProgress(prefix=50, runs=50)) == 100
    assert expect_end(FIXED, ArmProgress(prefix=80, runs=60, unlabelled=20)) == 134
    assert expect_end(FIXED, ArmProgress(prefix=50, runs=0, unlabelled=50)) == FIXED.max_indexes


def test_a_planned_precision_is_expected_where_the_rate_so_far_meets_it() -> None:
    at_first = expect_end(PLANNED, ArmProgress())
    middle = expect_end(PLANNED, ArmProgress(prefix=60, runs=60, errors=30))
    rare = expect_end(PLANNED, ArmProgress(prefix=60, runs=60, errors=1))
    assert 60 < rare < 150
    assert 400 < middle <= at_first <= PLANNED.max_runs


def test_an_anytime_test_is_expected_where_its_decision_falls_or_at_its_largest_number() -> None:
    without = StoppingRule(kind="anytime", max_runs=500)
    against = StoppingRule(kind="anytime", max_runs=500, threshold=Decimal("0.2"))
    half = ArmProgress(prefix=12, runs=12, errors=6)
    assert expect_end(without, half) == 500
    assert 12 < expect_end(against, half) < 60


def test_frequent_answers_without_a_label_tell_where_the_test_ends_at_last() -> None:
    experiment = start()
    make_runs(experiment, 40, unlabelled=7)
    assert measure_progress(experiment, NUMBERS).warning == ""
    ArmProgress.objects.update(runs=30, unlabelled=10)
    warning = measure_progress(experiment, NUMBERS).warning
    assert warning.startswith("10 of the first 40 runs have no label")
    assert "after 200 runs, 2 × 100" in warning


def test_the_warning_names_the_arm_and_its_own_limit() -> None:
    endpoint = add_scripted_endpoint()
    control = replace(make_arm(endpoint, name="control"), stopping=StoppingRule(kind="fixed", runs=20))
    experiment = lock_new(make_protocol(endpoint, runs=100, arms=(make_arm(endpoint), control)))
    experiment.arms.update(prefix=12, next_index=12, runs=12)
    experiment.arms.filter(position=1).update(runs=4, unlabelled=8)
    warning = measure_progress(experiment, NUMBERS).warning
    assert warning.startswith("8 of the first 12 runs of arm 2 have no label")
    assert "after 40 runs, 2 × 20" in warning


def test_the_time_left_is_the_runs_still_to_be_made_at_the_measured_pace() -> None:
    experiment = start()
    make_runs(experiment, 40, apart=2.0)
    progress = measure_progress(experiment, NUMBERS)
    assert progress.left == 60 + 20  # with the determinism audit
    assert progress.seconds_left == pytest.approx(160, rel=0.05)
    assert progress.minutes_left == 3


def test_the_audit_is_part_of_what_is_left_from_the_beginning() -> None:
    experiment = start()
    make_runs(experiment, 99)
    before = measure_progress(experiment, NUMBERS)
    make_one_more(experiment)
    after = measure_progress(experiment, NUMBERS)
    assert (before.left, after.left) == (21, 20)
    assert (before.is_auditing, after.is_auditing) == (False, True)
    assert float(after.bar) == pytest.approx(100 / 120, abs=1e-4)


def make_one_more(experiment: Experiment) -> None:
    last = experiment.runs.get(index=98)
    last.pk, last.index, last.recorded_at = None, 99, timezone.now()
    last.save(force_insert=True)
    experiment.arms.update(prefix=100, runs=100, stop_kind="rule", stopped_at=100)


def test_a_pause_does_not_slow_the_pace() -> None:
    experiment = start()
    make_runs(experiment, 30, apart=0.1)
    assert measure_pace(experiment) == pytest.approx(10, rel=0.2)
    Run.objects.update(recorded_at=timezone.now() - timedelta(hours=1))
    states.pause(experiment, by="owner")
    states.resume(experiment, by="owner")
    assert measure_pace(experiment) == 0  # none of the new runs is there yet
    assert measure_progress(experiment, NUMBERS).seconds_left is None


def test_a_few_runs_tell_no_pace() -> None:
    experiment = start()
    make_runs(experiment, 4)
    assert measure_progress(experiment, NUMBERS).seconds_left is None


def test_a_test_waits_for_the_one_that_works_on_its_endpoint() -> None:
    first = start()
    second = lock_new(first.protocol)
    assert find_rival(second) is None
    chunk = claim_chunk(first, first.arms.get(), Zone.COUNTED, owner="worker", slots=4)
    assert chunk is not None
    assert find_rival(second) == first
    assert find_rival(first) is None
    elsewhere = start(name="other")
    assert find_rival(elsewhere) is None
    release_chunk(chunk, "worker", finished=True)
    assert find_rival(second) is None


def test_a_test_that_is_worked_on_does_not_wait() -> None:
    first = start()
    second = lock_new(first.protocol)
    states.start_running(second)
    for experiment in (first, second):
        assert claim_chunk(experiment, experiment.arms.get(), Zone.COUNTED, owner=experiment.title, slots=1)
    assert Chunk.objects.count() == 2
    assert find_rival(second) is None
