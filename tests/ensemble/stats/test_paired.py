from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from ensemble.stats.comparison import mcnemar, newcombe, newcombe_paired, tango
from tests.ensemble.stats.reference import ends

INTERVALS = {"tango": tango, "newcombe_paired": newcombe_paired}
cells = st.tuples(*[st.integers(0, 40)] * 4).filter(any)


@given(only_a=st.integers(0, 400), only_b=st.integers(0, 400))
def test_mcnemar_is_the_exact_binomial_test(only_a, only_b):
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", INTERVALS.values(), ids=INTERVALS)
@settings(max_examples=40)
@given(table=cells, level=st.floats(0.5, 0.999))
def test_paired_differences_change_sign_with_the_arms_and_contain_what_was_observed(method, table, level):
    both, only_a, only_b, neither = table
    interval, swapped = method(*table, level), method(both, only_b, only_a, neither, level)
    assert ends(interval) == pytest.approx([-swapped.high, -swapped.low], abs=1e-9)
    assert -1 <= interval.low <= interval.estimate + 1e-12
    assert interval.estimate - 1e-12 <= interval.high <= 1
    assert interval.estimate == pytest.approx((only_a - only_b) / sum(table))
    assert (interval.errors, interval.runs) == (2 * both + only_a + only_b, 2 * sum(table))
    clean = method(neither, only_b, only_a, both, level)
    assert ends(interval) == pytest.approx([-clean.high, -clean.low], abs=1e-9)


@settings(max_examples=60)
@given(table=cells, level=st.floats(0.8, 0.99))
def test_tango_ends_where_the_score_test_with_the_likeliest_cells_turns(table, level):
    both, only_a, only_b, neither = table
    pairs, z = sum(table), stats.norm.isf((1 - level) / 2)
    interval = tango(*table, level)
    for end in ends(interval):
        if abs(end) > 1 - 1e-6:
            continue

        def loss(share_b, end=end):  # cells: share_b + end, share_b, and the rest
            rest = max(0.0, 1 - 2 * share_b - end)
            likelihood = special.xlogy(only_a, max(0.0, share_b + end)) + special.xlogy(only_b, share_b)
            return -(likelihood + special.xlogy(both + neither, rest))

        bounds = (max(0, -end), (1 - end) / 2)
        fitted = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        variance = (2 * fitted + end - end**2) / pairs
        assert abs(interval.estimate - end) == pytest.approx(z * variance**0.5, rel=1e-4, abs=1e-5)


@given(table=cells, level=st.floats(0.5, 0.999))
def test_the_paired_newcombe_interval_follows_from_the_single_labels(table, level):
    in_a, in_b = np.repeat([1, 1, 0, 0], table), np.repeat([1, 0, 1, 0], table)
    covariance, scale = np.cov(in_a, in_b, ddof=0)[0, 1], in_a.std() * in_b.std()
    if covariance > 0:
        covariance = max(0.0, covariance - 1 / (2 * in_a.size))  # the continuity correction
    phi = covariance / scale if scale else 0.0
    reach = []
    for upwards, downwards in ((in_a, in_b), (in_b, in_a)):
        up, down = (
            stats.binomtest(int(arm.sum()), arm.size).proportion_ci(level, "wilson")
            for arm in (upwards, downwards)
        )
        gains = up.high - upwards.mean(), downwards.mean() - down.low
        reach.append(max(0.0, gains[0] ** 2 - 2 * phi * gains[0] * gains[1] + gains[1] ** 2) ** 0.5)
    difference = in_a.mean() - in_b.mean()
    expected = [max(-1.0, difference - reach[1]), min(1.0, difference + reach[0])]
    assert ends(newcombe_paired(*table, level)) == pytest.approx(expected, abs=1e-7)


@given(table=cells)
def test_without_correlation_the_paired_newcombe_interval_is_the_unpaired_one(table):
    both, only_a, only_b, neither = table
    if (
        both * neither > only_a * only_b
    ):  # a positive correlation shortens it, unless the correction removes it
        unpaired = newcombe(both + only_a, sum(table), both + only_b, sum(table))
        assert newcombe_paired(*table).half_width <= unpaired.half_width + 1e-12
    if (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither) == 0:
        unpaired = newcombe(both + only_a, sum(table), both + only_b, sum(table))
        assert ends(newcombe_paired(*table)) == pytest.approx(ends(unpaired), abs=1e-12)


@pytest.mark.parametrize(("name", "least"), [("tango", 0.91), ("newcombe_paired", 0.90)])
def test_paired_intervals_cover_the_difference_about_as_often_as_they_say(name, least):
    pairs = 18
    tables = [c for c in product(range(pairs + 1), repeat=3) if sum(c) <= pairs]
    tables = [(*c, pairs - sum(c)) for c in tables]
    found = np.array([ends(INTERVALS[name](*table)) for table in tables])
    shares = np.random.default_rng(8).dirichlet([1, 1, 1, 1], 60)
    coverages = []
    for share in shares:
        chance = stats.multinomial.pmf(tables, pairs, share)
        gap = share[1] - share[2]
        coverages.append(chance @ ((found[:, 0] <= gap) & (gap <= found[:, 1])))
    assert min(coverages) >= least
    assert np.mean(coverages) == pytest.approx(0.955, abs=0.012)


def test_mcnemar_rejects_equal_arms_no_more_often_than_it_says():
    for pairs in (6, 15, 40):
        p_values = np.array([mcnemar(only_a, pairs - only_a) for only_a in range(pairs + 1)])
        chance = stats.binom.pmf(np.arange(pairs + 1), pairs, 0.5)
        for alpha in (0.01, 0.05, 0.2):
            assert chance @ (p_values <= alpha) <= alpha


def test_without_pairs_nothing_is_known():
    for method in INTERVALS.values():
        interval = method(0, 0, 0, 0)
        assert (interval.estimate, interval.low, interval.high) == (None, -1.0, 1.0)
        assert interval.notes == ("no labelled runs",)
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: mcnemar(-1, 0), "only_a"),
        (lambda: mcnemar(0, 0.5), "only_b"),
        (lambda: tango(-1, 0, 0, 0), "both"),
        (lambda: tango(1, 0, -2, 0), "only_b"),
        (lambda: tango(1, 0, 0, 0, 2), "level"),
        (lambda: tango(10**9, 1, 0, 0), "neither"),
        (lambda: newcombe_paired(1, -1, 0, 0), "only_a"),
        (lambda: newcombe_paired(1, 0, 0, None), "neither"),
        (lambda: newcombe_paired(1, 0, 0, 0, 0), "level"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
