from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ensemble.stats.proportion import (
    clean_runs_to_bound,
    clopper_pearson,
    jeffreys,
    missing_label_band,
    runs_for_half_width,
    wilson,
)
from tests.ensemble.stats.reference import ends

METHODS = {"clopper_pearson": clopper_pearson, "wilson": wilson, "jeffreys": jeffreys}
levels = st.floats(0.5, 0.999)


@st.composite
def counts(draw, most=2000):
    runs = draw(st.integers(1, most))
    return draw(st.integers(0, runs)), runs


def cover(method, runs, rates, level=0.95):
    """Exact coverage at each rate, by enumeration of all outcomes."""
    intervals = [method(errors, runs, level) for errors in range(runs + 1)]
    low, high = np.array([ends(interval) for interval in intervals]).T
    chance = stats.binom.pmf(np.arange(runs + 1)[:, None], runs, rates)
    return (chance * ((low[:, None] <= rates) & (rates <= high[:, None]))).sum(axis=0)


@pytest.mark.parametrize("runs", [1, 2, 10, 20, 50, 100, 200, 500])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_clopper_pearson_never_covers_less_than_its_level(runs, level):
    every_end = [end for errors in range(runs + 1) for end in ends(clopper_pearson(errors, runs, level))]
    rates = np.concatenate([np.array(every_end) + shift for shift in (-1e-9, 0, 1e-9)])
    rates = np.concatenate([rates[(rates >= 0) & (rates <= 1)], np.linspace(0, 1, 1001)])
    assert cover(clopper_pearson, runs, rates, level).min() >= level - 1e-9


@pytest.mark.parametrize("method", METHODS.values())
@given(pair=counts(), level=levels)
def test_intervals_contain_the_rate_and_mirror_when_errors_and_clean_runs_swap(method, pair, level):
    errors, runs = pair
    interval, mirror = method(errors, runs, level), method(runs - errors, runs, level)
    assert 0 <= interval.low <= errors / runs <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirror.high, abs=1e-9)
    assert interval.high == pytest.approx(1 - mirror.low, abs=1e-9)
    assert (interval.low == 0) == (errors == 0)
    assert (interval.high == 1) == (errors == runs)
    assert (interval.errors, interval.runs, interval.level) == (errors, runs, level)
    assert (interval.estimate, interval.notes) == (errors / runs, ())


@pytest.mark.parametrize("method", METHODS.values())
@given(pair=counts(most=300), times=st.integers(2, 5), level=levels)
def test_intervals_shrink_with_more_runs_of_the_same_rate(method, pair, times, level):
    errors, runs = pair
    assert method(errors * times, runs * times, level).half_width < method(errors, runs, level).half_width


@given(pair=counts(), level=levels)
def test_clopper_pearson_is_the_interval_of_an_independent_library(pair, level):
    errors, runs = pair
    other = stats.binomtest(errors, runs).proportion_ci(level, "exact")
    assert ends(clopper_pearson(errors, runs, level)) == pytest.approx(
        [other.low, other.high], rel=1e-8, abs=1e-11
    )


@given(pair=counts(), level=levels)
def test_jeffreys_leaves_equal_tails_of_the_posterior_outside(pair, level):
    errors, runs = pair
    interval, posterior = jeffreys(errors, runs, level), stats.beta(errors + 0.5, runs - errors + 0.5)
    if errors:
        assert posterior.cdf(interval.low) == pytest.approx((1 - level) / 2, rel=1e-6)
    if errors < runs:
        assert posterior.sf(interval.high) == pytest.approx((1 - level) / 2, rel=1e-6)


@given(pair=counts(), level=levels)
def test_wilson_ends_solve_the_score_equation(pair, level):
    errors, runs = pair
    interval, z = wilson(errors, runs, level), stats.norm.isf((1 - level) / 2)
    for end in ends(interval):
        if 0 < end < 1:
            assert abs(errors / runs - end) == pytest.approx(
                z * (end * (1 - end) / runs) ** 0.5, rel=1e-6, abs=1e-9
            )


@given(bound=st.floats(1e-6, 0.999999), level=st.floats(0.001, 0.9999))
def test_clean_runs_are_the_fewest_that_reach_the_bound(bound, level):
    runs = clean_runs_to_bound(bound, level)
    assert 1 - (1 - level) ** (1 / runs) <= bound * (1 + 1e-9)
    if runs > 1:
        assert 1 - (1 - level) ** (1 / (runs - 1)) > bound * (1 - 1e-9)


def test_one_clean_run_bounds_the_rate_by_the_level_itself():
    assert [clean_runs_to_bound(level, level) for level in (0.5, 0.9, 0.95, 0.99)] == [1, 1, 1, 1]


@given(half_width=st.floats(0.03, 0.49), level=st.floats(0.5, 0.999))
def test_the_runs_for_a_half_width_suffice_whatever_is_observed_and_one_fewer_do_not(half_width, level):
    runs = runs_for_half_width(half_width, level)
    widest = max(clopper_pearson(errors, runs, level).half_width for errors in range(runs + 1))
    assert widest <= half_width
    assert clopper_pearson((runs - 1) // 2, runs - 1, level).half_width > half_width


@given(pair=counts(most=200), unlabelled=st.integers(0, 100), level=levels)
def test_the_missing_label_band_just_contains_every_completion(pair, unlabelled, level):
    errors, labelled = pair
    band = missing_label_band(errors, labelled, unlabelled, level)
    completed = [
        clopper_pearson(errors + hidden, labelled + unlabelled, level) for hidden in range(unlabelled + 1)
    ]
    assert band.low == min(interval.low for interval in completed)
    assert band.high == max(interval.high for interval in completed)
    assert band.estimate == errors / labelled
    assert bool(band.notes) == (unlabelled > 0.05 * (labelled + unlabelled))
    if not unlabelled:
        assert ends(band) == ends(clopper_pearson(errors, labelled, level))


@pytest.mark.parametrize("method", METHODS.values())
def test_without_runs_nothing_is_known(method):
    interval = method(0, 0)
    assert (interval.estimate, interval.low, interval.high) == (None, 0.0, 1.0)
    assert interval.notes == ("no labelled runs",)


def test_a_band_of_nothing_but_missing_labels_is_everything():
    band = missing_label_band(0, 0, 7)
    assert (band.estimate, band.low, band.high, band.runs) == (None, 0.0, 1.0, 0)
    assert band.notes == ("no labelled runs", "more than 5 % of the runs have no label")


def test_a_billion_runs_are_still_computed():
    interval = clopper_pearson(1, 10**9)
    assert stats.beta.cdf(interval.low, 1, 10**9) == pytest.approx(0.025, rel=1e-6)
    assert stats.beta.sf(interval.high, 2, 10**9 - 1) == pytest.approx(0.025, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: clopper_pearson(-1, 10), "errors"),
        (lambda: clopper_pearson(11, 10), "errors"),
        (lambda: clopper_pearson(1.0, 10), "errors"),
        (lambda: clopper_pearson(True, 10), "errors"),
        (lambda: clopper_pearson("1", 10), "errors"),
        (lambda: clopper_pearson(0, -1), "runs"),
        (lambda: clopper_pearson(0, 10**9 + 1), "runs"),
        (lambda: clopper_pearson(0, None), "runs"),
        (lambda: clopper_pearson(1, 10, 0), "level"),
        (lambda: clopper_pearson(1, 10, 1), "level"),
        (lambda: clopper_pearson(1, 10, 95), "level"),
        (lambda: clopper_pearson(1, 10, float("nan")), "level"),
        (lambda: clopper_pearson(1, 10, "0.95"), "level"),
        (lambda: wilson(3, 2), "errors"),
        (lambda: wilson(1, 2, -0.5), "level"),
        (lambda: jeffreys(3, 2), "errors"),
        (lambda: jeffreys(1, 2, 1.5), "level"),
        (lambda: clean_runs_to_bound(0), "bound"),
        (lambda: clean_runs_to_bound(1), "bound"),
        (lambda: clean_runs_to_bound(0.1, 1), "level"),
        (lambda: runs_for_half_width(0), "half_width"),
        (lambda: runs_for_half_width(0.5), "half_width"),
        (lambda: runs_for_half_width(0.1, 0), "level"),
        (lambda: missing_label_band(2, 1, 0), "errors"),
        (lambda: missing_label_band(0, -1, 0), "labelled"),
        (lambda: missing_label_band(0, 1, -1), "unlabelled"),
        (lambda: missing_label_band(0, 10**9, 1), "unlabelled"),
        (lambda: missing_label_band(0, 1, 1, 2), "level"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()


def test_counts_from_arrays_are_counts():
    assert clopper_pearson(np.int64(3), np.int32(20)) == clopper_pearson(3, 20)
