from __future__ import annotations

import math
import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from ensemble.stats.proportion import clopper_pearson, wilson
from ensemble.stats.sequential import confidence_sequence, confidence_sequence_path
from tests.ensemble.stats.walks import REFERENCE, find_quantile, track_edge, walk

ORACLE = REFERENCE["sequential"]
OPERATING = REFERENCE["operating_characteristics"]
PRIORS = {"kt": (0.5, 0.5), "uniform": (1.0, 1.0)}
levels = st.floats(0.5, 0.999)


@st.composite
def counts(draw, most=2000):
    runs = draw(st.integers(1, most))
    return draw(st.integers(0, runs)), runs


def ends(interval):
    return [interval.low, interval.high]


def log_mixture_ratio(errors, runs, p, prior):
    a, b = prior
    mixture = special.betaln(a + errors, b + runs - errors) - special.betaln(a, b)
    return mixture - special.xlogy(errors, p) - special.xlog1py(runs - errors, -p)


@pytest.mark.parametrize(
    "row", ORACLE["confidence_sequence"], ids=lambda r: f"{r['S']}/{r['n']}@{r['alpha']}"
)
def test_confidence_sequences_equal_the_reference(row):
    for name, key in (("kt", "kt_half_half"), ("uniform", "uniform_1_1")):
        interval = confidence_sequence(row["S"], row["n"], 1 - row["alpha"], PRIORS[name])
        assert ends(interval) == pytest.approx(row[key], rel=1e-6, abs=1e-10)  # printed to 10 decimals
        assert interval.estimate == row["S"] / row["n"]


def test_bonferroni_intervals_for_a_difference_equal_the_reference():
    for row in ORACLE["risk_difference_cs_bonferroni"]:
        a, b = (confidence_sequence(*row[arm], 0.975) for arm in "ab")
        assert [a.low - b.high, a.high - b.low] == pytest.approx(row["rd_cs_95"], rel=1e-6)


@given(pair=counts(), level=levels, prior=st.tuples(st.floats(0.1, 20), st.floats(0.1, 20)))
def test_the_ends_lie_where_the_mixture_ratio_reaches_its_limit(pair, level, prior):
    errors, runs = pair
    interval = confidence_sequence(errors, runs, level, prior)
    assert 0 <= interval.low <= errors / runs <= interval.high <= 1
    for end in ends(interval):
        if 1e-300 < end < 1 - 1e-9:
            ratio = log_mixture_ratio(errors, runs, end, prior)
            assert ratio == pytest.approx(-math.log(1 - level), abs=1e-6)
    assert (interval.low == 0) == (errors == 0)
    assert (interval.high == 1) == (errors == runs)


@given(pair=counts(), level=levels)
def test_errors_and_clean_runs_mirror_each_other(pair, level):
    errors, runs = pair
    interval, mirror = (confidence_sequence(count, runs, level) for count in (errors, runs - errors))
    assert ends(interval) == pytest.approx([1 - mirror.high, 1 - mirror.low], abs=1e-12)


@given(pair=counts(most=500), times=st.integers(2, 5), level=levels)
def test_confidence_sequences_shrink_with_more_runs_of_the_same_rate(pair, times, level):
    errors, runs = pair
    longer = confidence_sequence(errors * times, runs * times, level)
    assert longer.half_width < confidence_sequence(errors, runs, level).half_width


@pytest.mark.parametrize("runs", [*range(1, 61), 100, 200, 500])
def test_the_confidence_sequence_contains_the_exact_interval_for_one_look(runs):
    for errors in range(runs + 1):
        sequence, one_look = confidence_sequence(errors, runs), clopper_pearson(errors, runs)
        assert sequence.low <= one_look.low + 1e-12
        assert one_look.high <= sequence.high + 1e-12


@pytest.mark.parametrize("runs", [1, 10, 1000, 10**6])
@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
def test_all_clean_and_all_error_have_their_closed_form(runs, prior):
    a, b = prior
    closed = -math.expm1((math.log(0.05) + special.betaln(a, b + runs) - special.betaln(a, b)) / runs)
    assert confidence_sequence(0, runs, prior=prior).low == 0
    assert confidence_sequence(0, runs, prior=prior).high == pytest.approx(closed, rel=1e-9)
    assert confidence_sequence(runs, runs, prior=prior).low == pytest.approx(1 - closed, rel=1e-9)
    assert confidence_sequence(runs, runs, prior=prior).high == 1


@pytest.mark.parametrize("runs", [10**6, 10**9])
def test_a_million_and_a_billion_runs_are_solved(runs):
    for errors in (1, 17, runs // 3, runs // 2, runs - 1):
        interval = confidence_sequence(errors, runs)
        for end in ends(interval):
            small, count = (end, errors) if end < 0.5 else (1 - end, runs - errors)
            if small > 1e-9:
                ratio = log_mixture_ratio(count, runs, small, (0.5, 0.5))
                assert ratio == pytest.approx(math.log(20), abs=2e-5 if runs == 10**6 else 0.01)


def test_without_runs_nothing_is_excluded():
    interval = confidence_sequence(0, 0)
    assert (interval.estimate, interval.low, interval.high) == (None, 0.0, 1.0)
    assert interval.notes == ("no labelled runs",)


def test_a_path_is_the_sequence_after_every_run():
    outcomes = [random.Random(4).random() < 0.3 for _ in range(200)]
    path = confidence_sequence_path(outcomes, 0.9)
    assert path == [confidence_sequence(sum(outcomes[:n]), n, 0.9) for n in range(1, 201)]
    assert confidence_sequence_path([]) == []
    with pytest.raises(ValueError, match=r"^outcomes: "):
        confidence_sequence_path([0, 1, 2])


def test_a_live_plot_of_thousands_of_runs_is_quick():
    outcomes = [n % 3 == 0 for n in range(3000)]
    started = time.process_time()
    confidence_sequence_path(outcomes)
    assert time.process_time() - started < 3000 * 0.0003


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: confidence_sequence(2, 1), "errors"),
        (lambda: confidence_sequence(0, -1), "runs"),
        (lambda: confidence_sequence(0, 1, 1.0), "level"),
        (lambda: confidence_sequence(0, 1, 0.95, (0, 1)), "prior"),
        (lambda: confidence_sequence(0, 1, 0.95, (1, math.inf)), "prior"),
        (lambda: confidence_sequence(0, 1, 0.95, (1,)), "prior"),
        (lambda: confidence_sequence(0, 1, 0.95, 0.5), "prior"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()


def find_ever_missed(method, rate, last):
    """Chance, after each number of runs, that some interval so far has missed the rate; exact."""
    low = track_edge(lambda errors, runs: method(errors, runs).high < rate, last)
    high = track_edge(lambda clean, runs: method(runs - clean, runs).low > rate, last)
    exits = walk([rate], low, high)
    if not exits["runs"].size:
        return np.zeros(last + 1)
    missed = np.bincount(exits["runs"], weights=exits["chance"][:, 0], minlength=last + 1)
    return missed.cumsum()


@pytest.mark.parametrize("rate", [0.0, 0.003, 0.03, 0.17, 0.42, 0.77, 1.0])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_all_looks_together_miss_the_rate_no_more_often_than_the_level_allows(rate, level):
    missed = find_ever_missed(lambda errors, runs: confidence_sequence(errors, runs, level), rate, 400)
    assert missed[-1] <= 1 - level


def check_chances_of_ever_missing(rate, name, last):
    methods = {
        "kt": confidence_sequence,
        "uniform": lambda errors, runs: confidence_sequence(errors, runs, prior=PRIORS["uniform"]),
        "naive_cp": clopper_pearson,
        "naive_wilson": wilson,
    }
    row = OPERATING["time_uniform_miss"][rate][name]
    row = {int(runs): miss for runs, miss in row.items() if int(runs) <= last}
    missed = find_ever_missed(methods[name], float(rate), max(row))
    assert [missed[runs] for runs in row] == pytest.approx(list(row.values()), rel=1e-6, abs=1e-12)


MISSES = [(rate, name) for rate, row in OPERATING["time_uniform_miss"].items() for name in row]


@pytest.mark.parametrize(("rate", "name"), MISSES)
def test_chances_of_ever_missing_the_rate_equal_the_reference(rate, name):
    check_chances_of_ever_missing(rate, name, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("rate", OPERATING["time_uniform_miss"])
@pytest.mark.parametrize("name", PRIORS)
def test_chances_of_ever_missing_the_rate_by_5000_runs_equal_the_reference(rate, name):
    check_chances_of_ever_missing(rate, name, 5000)


def check_stopping_on_precision(name):
    """Stop when the confidence sequence is short enough: mean, coverage and quantiles against the reference."""
    row = OPERATING["precision_cs"][name]
    width, prior = float(name[2:].split()[0]), PRIORS["kt" if "KT" in name else "uniform"]

    def short_enough(errors, runs):
        return confidence_sequence(errors, runs, prior=prior).half_width <= width

    edges = track_edge(short_enough, row["n_largest"])
    exits = walk([*row["p"], row["argmin"]], edges, edges)
    assert exits["runs"].max() == row["n_largest"]
    assert exits["left"] == pytest.approx(0, abs=1e-12)
    reached = [
        confidence_sequence(errors, runs, prior=prior)
        for errors, runs in zip(exits["errors"].tolist(), exits["runs"].tolist(), strict=True)
    ]
    low, high = np.array([ends(interval) for interval in reached]).T
    for column, rate in enumerate(row["p"]):
        chance = exits["chance"][:, column]
        assert chance @ exits["runs"] == pytest.approx(row["EN"][column], rel=1e-6)
        assert chance @ ((low <= rate) & (rate <= high)) == pytest.approx(row["coverage"][column], rel=1e-6)
        assert chance @ (low > rate) == pytest.approx(row["miss_low"][column], rel=1e-6, abs=1e-12)
        assert chance @ (high < rate) == pytest.approx(row["miss_high"][column], rel=1e-6, abs=1e-12)
        assert chance @ ((high - low) / 2) == pytest.approx(row["mean_halfwidth"][column], rel=1e-6)
        assert find_quantile(exits, column, 0.5) == row["median"][column]
        assert find_quantile(exits, column, 0.9) == row["q90"][column]
    at_worst = exits["chance"][:, -1] @ ((low <= row["argmin"]) & (row["argmin"] <= high))
    assert at_worst == pytest.approx(row["min_coverage_grid"], rel=1e-6)


@pytest.mark.parametrize("name", [name for name in OPERATING["precision_cs"] if "w=0.1 " in name])
def test_stopping_on_precision_has_the_cost_and_coverage_of_the_reference(name):
    check_stopping_on_precision(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OPERATING["precision_cs"] if "w=0.05 " in name])
def test_stopping_on_five_points_has_the_cost_and_coverage_of_the_reference(name):
    check_stopping_on_precision(name)
