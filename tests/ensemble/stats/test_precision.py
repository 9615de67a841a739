from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.stats.designs import OFFERED_PLANS, find_offered_plan
from ensemble.stats.proportion import clopper_pearson
from ensemble.stats.sequential import PrecisionPlan, plan_precision
from tests.ensemble.stats.reference import REFERENCE
from tests.ensemble.stats.walks import find_quantile, track_edge, walk

FROM_THE_FIRST_RUN = {
    name: row
    for name, row in REFERENCE["section2sim"]["precision_cp_and_time_uniform"].items()
    if "cp w=" in name
}


def name_plan(plan):
    return f"{plan.half_width}@{plan.level}"


@pytest.mark.parametrize("name", FROM_THE_FIRST_RUN)
def test_rules_that_look_from_the_first_run_equal_the_reference(name):
    row = FROM_THE_FIRST_RUN[name]
    half_width, alpha = float(name.split("w=")[1]), row.get("alpha_prime", 0.05)
    plan = dataclasses.replace(OFFERED_PLANS[0], half_width=half_width, min_runs=1, alpha=alpha)
    assert [plan.expected_runs(rate) for rate in row["p"]] == pytest.approx(row["EN"], rel=1e-6)
    assert [plan.coverage(rate) for rate in row["p"]] == pytest.approx(row["coverage"], rel=1e-6)


@pytest.mark.parametrize("plan", OFFERED_PLANS, ids=name_plan)
def test_a_plan_does_what_it_says_run_by_run(plan):
    """Forward enumeration with the plan's own two decisions: mean, coverage and the last stop."""
    rates = [0.0, 0.02, plan.min_coverage_at, 0.3, 0.5, 0.9, 1.0]
    edges = track_edge(plan.stops, plan.max_runs)
    exits = walk(rates, edges, edges)
    assert exits["runs"].max() == plan.max_runs
    assert exits["left"] == pytest.approx(0, abs=1e-12)
    reached = zip(exits["errors"].tolist(), exits["runs"].tolist(), strict=True)
    intervals = [plan.interval(errors, runs) for errors, runs in reached]
    assert all(interval.half_width <= plan.half_width and not interval.notes for interval in intervals)
    low, high = np.array([(interval.low, interval.high) for interval in intervals]).T
    for column, rate in enumerate(rates):
        chance = exits["chance"][:, column]
        covered = chance @ ((low <= rate) & (rate <= high))
        assert covered >= plan.level
        assert covered == pytest.approx(plan.coverage(rate), rel=1e-9)
        assert chance @ exits["runs"] == pytest.approx(plan.expected_runs(rate), rel=1e-9)
        assert find_quantile(exits, column, 1 - 1e-9) <= plan.max_runs


@pytest.mark.parametrize("plan", OFFERED_PLANS, ids=name_plan)
def test_an_offered_plan_keeps_its_level_for_every_rate_on_a_fine_grid(plan):
    coverages = plan._stops().coverages(np.linspace(0, 1, 4003))
    assert coverages.min() >= plan.min_coverage - 1e-9 >= plan.level - 1e-9
    assert plan.coverage(plan.min_coverage_at) == pytest.approx(plan.min_coverage, rel=1e-9)


@pytest.mark.parametrize("plan", OFFERED_PLANS, ids=name_plan)
def test_stopping_at_the_nominal_level_would_cover_too_rarely(plan):
    naive = dataclasses.replace(plan, alpha=1 - plan.level)
    assert naive._stops().coverages(np.linspace(0, 1, 4003)).min() < plan.level - 0.002


def check_design(plan):
    again = plan_precision(plan.half_width, plan.level)
    exact = ("half_width", "level", "check_every", "min_runs", "max_runs")
    assert [getattr(again, name) for name in exact] == [getattr(plan, name) for name in exact]
    close = ("alpha", "min_coverage", "min_coverage_at")
    assert [getattr(again, name) for name in close] == pytest.approx(
        [getattr(plan, n) for n in close], rel=1e-9
    )


@pytest.mark.parametrize("plan", [plan for plan in OFFERED_PLANS if plan.max_runs <= 200], ids=name_plan)
def test_the_offered_designs_are_what_planning_yields(plan):
    check_design(plan)


@pytest.mark.slow
@pytest.mark.parametrize("plan", [plan for plan in OFFERED_PLANS if plan.max_runs > 200], ids=name_plan)
def test_the_expensive_offered_designs_are_what_planning_yields(plan):
    check_design(plan)


def test_planning_for_five_points_takes_seconds():
    started = time.process_time()
    plan_precision(0.05)
    assert time.process_time() - started < 10


def test_the_offer_is_complete_and_found_by_its_numbers():
    offered = [(plan.level, plan.half_width) for plan in OFFERED_PLANS]
    assert offered == [(0.95, 0.05), (0.95, 0.075), (0.95, 0.10), (0.95, 0.15), (0.99, 0.05), (0.99, 0.10)]
    assert all((plan.check_every, plan.min_runs) == (1, 10) for plan in OFFERED_PLANS)
    assert find_offered_plan(0.1, 0.99) is OFFERED_PLANS[5]
    assert find_offered_plan(0.06) is None


def test_a_plan_survives_storage():
    plan = OFFERED_PLANS[0]
    again = PrecisionPlan(**json.loads(json.dumps(dataclasses.asdict(plan))))
    assert again == plan
    assert again.stops(0, 38)
    assert not again.stops(0, 37)
    assert again.expected_runs(0) == pytest.approx(38)


def test_other_strides_and_levels_keep_their_promise():
    for design in ((0.2, 0.9, 7, 15), (0.3, 0.8, 1, 1), (0.12, 0.95, 25, 10)):
        plan = plan_precision(*design)
        assert plan.min_coverage >= plan.level
        assert min(plan.coverage(rate) for rate in np.linspace(0, 1, 400)) >= plan.level
        assert plan.max_runs % plan.check_every == 0
        assert plan.expected_runs(0.5) <= plan.max_runs


@given(errors=st.integers(0, 447), runs=st.integers(1, 447))
def test_the_interval_of_a_plan_is_the_exact_one_at_the_working_level(errors, runs):
    errors, plan = min(errors, runs), OFFERED_PLANS[0]
    interval, exact = plan.interval(errors, runs), clopper_pearson(errors, runs, 1 - plan.alpha)
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high), rel=1e-9)
    assert (interval.level, interval.method) == (0.95, "planned-precision")
    assert plan.stops(errors, runs) == (runs >= 10 and interval.half_width <= 0.05)
    assert bool(interval.notes) == (not plan.stops(errors, runs))
    assert plan.stops(errors, runs) == plan.stops(runs - errors, runs)


def test_a_plan_looks_only_at_its_strides():
    plan = dataclasses.replace(OFFERED_PLANS[0], check_every=10)
    assert [runs for runs in range(1, 100) if plan.stops(0, runs)] == [40, 50, 60, 70, 80, 90]


def test_a_plan_without_runs_says_nothing():
    interval = OFFERED_PLANS[0].interval(0, 0)
    assert (interval.estimate, interval.low, interval.high) == (None, 0.0, 1.0)
    assert interval.notes == ("no labelled runs",)
    assert not OFFERED_PLANS[0].stops(0, 0)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: plan_precision(0), "half_width"),
        (lambda: plan_precision(0.01), "half_width"),
        (lambda: plan_precision(0.5), "half_width"),
        (lambda: plan_precision(0.1, 1), "level"),
        (lambda: plan_precision(0.1, 0.95, 0), "check_every"),
        (lambda: plan_precision(0.1, 0.95, 1.5), "check_every"),
        (lambda: plan_precision(0.1, 0.95, 1, 0), "min_runs"),
        (lambda: plan_precision(0.1, 0.95, 1, 10**6), "min_runs"),
        (lambda: OFFERED_PLANS[0].interval(2, 1), "errors"),
        (lambda: OFFERED_PLANS[0].stops(0, -1), "runs"),
        (lambda: OFFERED_PLANS[0].coverage(1.1), "p"),
        (lambda: OFFERED_PLANS[0].expected_runs(-0.1), "p"),
        (lambda: dataclasses.replace(OFFERED_PLANS[0], alpha=0), "alpha"),
        (lambda: dataclasses.replace(OFFERED_PLANS[0], min_coverage=2), "min_coverage"),
        (lambda: dataclasses.replace(OFFERED_PLANS[0], max_runs=0), "max_runs"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
