"""How many runs confidence sequences take: the published table, direct enumeration, brute force."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from ensemble.stats.binomial import binomial_chances
from ensemble.stats.sequence_runs import (
    clean_runs_to_decision,
    runs_per_arm_by_sequences,
    sequence_limits,
    wait_for_width,
)
from ensemble.stats.sequential import confidence_sequence, log_e_value_below
from tests.ensemble.stats.reference import REFERENCE
from tests.ensemble.stats.walks import track_edge, walk


@pytest.mark.parametrize("half_width", [0.05, 0.1])
def test_the_mean_runs_to_a_width_are_those_of_the_reference(half_width):
    row = REFERENCE["section2sim"]["precision_cs"][f"w={half_width} KT Beta(1/2,1/2)"]
    wait = wait_for_width(half_width)
    assert [wait.expected_runs(p) for p in row["p"]] == pytest.approx(row["EN"], rel=1e-8)
    assert wait.max_runs == row["n_largest"]


@settings(max_examples=20)
@given(half_width=st.floats(0.1, 0.45), level=st.floats(0.8, 0.99), p=st.floats(0, 1))
def test_the_mean_runs_are_those_of_tests_followed_run_by_run(half_width, level, p):
    def narrow(errors, runs):
        return runs >= 10 and confidence_sequence(errors, runs, level).half_width <= half_width

    wait = wait_for_width(half_width, level)
    edges = track_edge(narrow, wait.max_runs)
    exits = walk([p], edges, edges)
    assert exits["left"] == pytest.approx(0, abs=1e-12)
    assert wait.expected_runs(p) == pytest.approx(exits["runs"] @ exits["chance"][:, 0], rel=1e-9)


@given(threshold=st.floats(0.001, 0.999), level=st.floats(0.5, 0.999))
def test_clean_runs_decide_as_soon_as_the_e_value_reaches_its_limit_and_never_before_the_tenth(
    threshold, level
):
    """Without errors the e-value is a ratio of Beta functions cut at the threshold."""

    def find_log_e(runs):
        cut = special.betaln(0.5, runs + 0.5) - special.betaln(0.5, 0.5)
        shares = special.betainc(0.5, runs + 0.5, threshold) / special.betainc(0.5, 0.5, threshold)
        return cut + math.log(shares) - runs * math.log1p(-threshold)

    runs, needed = clean_runs_to_decision(threshold, level), -math.log(1 - level)
    assert runs >= 10
    assert find_log_e(runs) >= needed - 1e-9
    assert runs == 10 or find_log_e(runs - 1) < needed + 1e-9


def test_the_mean_is_that_of_all_orderings_written_out():
    wait, p = wait_for_width(0.4, 0.9), 0.3
    longest = wait.max_runs
    assert 10 <= longest <= 14
    mean = 0.0
    for ordering in product((0, 1), repeat=longest):
        stop = next(
            n
            for n in range(10, longest + 1)
            if (i := confidence_sequence(sum(ordering[:n]), n, 0.9)).high - i.low <= 0.8
        )
        mean += stop * p ** sum(ordering) * (1 - p) ** (longest - sum(ordering))
    assert wait.expected_runs(p) == pytest.approx(mean, rel=1e-12)


def test_simulated_tests_take_as_long_and_never_longer_than_the_most():
    wait, p = wait_for_width(0.15), 0.2
    draws = np.random.default_rng(20261123).random((2000, wait.max_runs)) < p
    counts = np.cumsum(draws, axis=1)
    runs = np.broadcast_to(np.arange(1, wait.max_runs + 1), counts.shape)
    low, high = sequence_limits(counts, runs, 0.95)
    narrow = (high - low <= 0.3) & (runs >= 10)
    assert narrow.any(axis=1).all()
    stops = narrow.argmax(axis=1) + 1
    assert wait.expected_runs(p) == pytest.approx(stops.mean(), abs=4 * stops.std() / math.sqrt(2000))


@pytest.mark.parametrize("runs", [1, 2, 10, 333, 2000])
def test_the_limits_of_arrays_are_those_of_single_counts(runs):
    errors = np.unique(np.linspace(0, runs, 40).astype(int))
    low, high = sequence_limits(errors, np.full(errors.shape, runs), 0.99)
    single = [confidence_sequence(int(count), runs, 0.99) for count in errors]
    assert low == pytest.approx([interval.low for interval in single], abs=1e-12)
    assert high == pytest.approx([interval.high for interval in single], abs=1e-12)


@pytest.mark.parametrize(
    ("threshold", "runs"), [(0.01, 377), (0.02, 188), (0.05, 74), (0.1, 36), (0.2, 17), (0.5, 10)]
)
def test_clean_runs_decide_when_published_and_never_before_the_tenth(threshold, runs):
    assert clean_runs_to_decision(threshold) == runs
    assert log_e_value_below(0, runs, threshold) >= math.log(20)
    assert runs == 10 or log_e_value_below(0, runs - 1, threshold) < math.log(20)


def find_power(p_a: float, p_b: float, runs: int, level: float = 0.95) -> float:
    """The chance that the two intervals are apart, summed over every pair of counts."""
    errors = np.arange(runs + 1)
    ends = [confidence_sequence(int(count), runs, (1 + level) / 2) for count in errors]
    low, high = (np.array([getattr(end, name) for end in ends]) for name in ("low", "high"))
    apart = (low[:, None] > high[None, :]) | (high[:, None] < low[None, :])
    chances = np.outer(binomial_chances(runs, errors, p_a), binomial_chances(runs, errors, p_b))
    return float(chances[apart].sum())


@pytest.mark.parametrize(
    ("p_a", "p_b", "power"),
    [(0.9, 0.5, 0.8), (0.9, 0.5, 0.9), (0.0, 1.0, 0.8), (0.0, 0.3, 0.8), (0.7, 0.2, 0.9)],
)
def test_the_runs_per_arm_are_the_fewest_with_the_power(p_a, p_b, power):
    runs = runs_per_arm_by_sequences(p_a, p_b, power)
    powers = [find_power(p_a, p_b, n) for n in range(1, runs + 1)]
    assert powers[-1] >= power
    assert max(powers[:-1]) < power
    assert runs_per_arm_by_sequences(p_b, p_a, power) == runs


def test_simulated_arms_differ_as_often_as_planned():
    runs = runs_per_arm_by_sequences(0.3, 0.1)
    assert runs == 276
    counts = np.random.default_rng(20261124).binomial(runs, [[0.3], [0.1]], size=(2, 4000))
    low, high = sequence_limits(counts, np.full(counts.shape, runs), 0.975)
    assert ((low[0] > high[1]) | (low[1] > high[0])).mean() == pytest.approx(0.8, abs=0.025)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: wait_for_width(0.01), "half_width"),
        (lambda: wait_for_width(0.5), "half_width"),
        (lambda: wait_for_width(0.1, 1.0), "level"),
        (lambda: wait_for_width(0.1).expected_runs(1.1), "p"),
        (lambda: clean_runs_to_decision(0.0), "threshold"),
        (lambda: clean_runs_to_decision(1e-10), "threshold"),
        (lambda: runs_per_arm_by_sequences(0.3, 0.3), "p_b"),
        (lambda: runs_per_arm_by_sequences(0.3, 0.301), "p_b"),
        (lambda: runs_per_arm_by_sequences(-0.1, 0.3), "p_a"),
        (lambda: runs_per_arm_by_sequences(0.1, 0.3, power=1.0), "power"),
    ],
)
def test_what_is_out_of_the_domain_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}: "):
        call()
