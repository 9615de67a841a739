from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from ensemble.stats.comparison import (
    boschloo,
    fisher,
    holm,
    miettinen_nurminen,
    newcombe,
    runs_per_arm,
)
from tests.ensemble.stats.reference import ends

INTERVALS = {"newcombe": newcombe, "miettinen_nurminen": miettinen_nurminen}
levels = st.floats(0.5, 0.999)


@st.composite
def arms(draw, most=200, least=1):
    runs_a, runs_b = draw(st.integers(least, most)), draw(st.integers(least, most))
    return draw(st.integers(0, runs_a)), runs_a, draw(st.integers(0, runs_b)), runs_b


@pytest.mark.parametrize(
    ("p_a", "p_b"), [(0.5, 0.3), (0.3, 0.1), (0.2, 0.05), (0.9, 0.7), (0.05, 0.01), (0.3, 0.2)]
)
def test_runs_per_arm_just_reach_the_power_whichever_arm_is_worse(p_a, p_b):
    runs = runs_per_arm(p_a, p_b)
    assert runs_per_arm(p_b, p_a) == runs
    assert find_power(p_a, p_b, runs - 1) < 0.8 <= find_power(p_a, p_b, runs)


@lru_cache
def list_rejected(runs, alpha):
    """Tables that Fisher's test rejects, from the hypergeometric distribution of an independent library."""
    rejected = np.zeros((runs + 1, runs + 1), dtype=bool)
    for total in range(2 * runs + 1):
        a = np.arange(max(0, total - runs), min(runs, total) + 1)
        chance = stats.hypergeom.pmf(a, 2 * runs, runs, total)
        p_values = np.where(chance <= chance[:, None] * (1 + 1e-7), chance, 0).sum(axis=1)
        rejected[a, total - a] = p_values <= alpha
    return rejected


def find_power(p_a, p_b, runs, alpha=0.05):
    """Exact power by enumeration of all tables."""
    chance_a, chance_b = (stats.binom.pmf(np.arange(runs + 1), runs, p) for p in (p_a, p_b))
    return float(chance_a @ list_rejected(runs, alpha) @ chance_b)


@pytest.mark.parametrize(
    ("p_a", "p_b", "power", "alpha"),
    [
        (0.0, 1.0, 0.9, 0.05),
        (0.1, 0.9, 0.8, 0.05),
        (0.0, 0.4, 0.8, 0.1),
        (0.8, 0.2, 0.95, 0.01),
        (0.35, 0.9, 0.5, 0.05),
    ],
)
def test_runs_per_arm_are_the_fewest_that_reach_the_power(p_a, p_b, power, alpha):
    runs = runs_per_arm(p_a, p_b, power, alpha)
    assert runs < 60
    assert find_power(p_a, p_b, runs, alpha) >= power
    assert all(find_power(p_a, p_b, fewer, alpha) < power for fewer in range(1, runs))


@pytest.mark.parametrize("method", INTERVALS.values(), ids=INTERVALS)
@settings(max_examples=40)
@given(table=arms(), level=levels)
def test_differences_change_sign_with_the_arms_and_contain_what_was_observed(method, table, level):
    interval, swapped = method(*table, level), method(*table[2:], *table[:2], level)
    assert ends(interval) == pytest.approx([-swapped.high, -swapped.low], abs=1e-9)
    assert -1 <= interval.low <= interval.estimate + 1e-12
    assert interval.estimate - 1e-12 <= interval.high <= 1
    errors_a, runs_a, errors_b, runs_b = table
    assert interval.estimate == pytest.approx(errors_a / runs_a - errors_b / runs_b)
    assert (interval.errors, interval.runs) == (errors_a + errors_b, runs_a + runs_b)


@pytest.mark.parametrize("method", INTERVALS.values(), ids=INTERVALS)
@settings(max_examples=40)
@given(table=arms(), level=levels)
def test_counting_clean_runs_instead_only_changes_the_sign(method, table, level):
    errors_a, runs_a, errors_b, runs_b = table
    clean = method(runs_a - errors_a, runs_a, runs_b - errors_b, runs_b, level)
    assert ends(method(*table, level)) == pytest.approx([-clean.high, -clean.low], abs=1e-9)


@given(table=arms(), level=levels)
def test_newcombe_joins_the_wilson_intervals_of_an_independent_library(table, level):
    arms_apart = (table[:2], table[2:])
    a, b = (errors / runs for errors, runs in arms_apart)
    in_a, in_b = (stats.binomtest(*arm).proportion_ci(level, "wilson") for arm in arms_apart)
    low = a - b - np.hypot(a - in_a.low, in_b.high - b)
    high = a - b + np.hypot(in_a.high - a, b - in_b.low)
    assert ends(newcombe(*table, level)) == pytest.approx([low, high], rel=1e-9, abs=1e-9)


def fit_by_brute_force(errors_a, runs_a, errors_b, runs_b, difference):
    """The likeliest pair of rates at this difference, by numerical search."""

    def loss(rate):
        return -(
            stats.binom.logpmf(errors_a, runs_a, min(1, max(0, rate + difference)))
            + stats.binom.logpmf(errors_b, runs_b, rate)
        )

    low, high = max(0, -difference), min(1, 1 - difference)
    found = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-11})
    return found.x + difference, found.x


@settings(max_examples=40)
@given(table=arms(most=60, least=2), level=st.floats(0.8, 0.99))
def test_the_score_interval_ends_where_the_score_test_with_the_likeliest_rates_turns(table, level):
    _, runs_a, _, runs_b = table
    interval, z = miettinen_nurminen(*table, level), stats.norm.isf((1 - level) / 2)
    total = runs_a + runs_b
    for end in ends(interval):
        if abs(end) < 1 - 1e-6:
            a, b = fit_by_brute_force(*table, end)
            variance = (a * (1 - a) / runs_a + b * (1 - b) / runs_b) * total / (total - 1)
            assert abs(interval.estimate - end) == pytest.approx(z * variance**0.5, rel=1e-4, abs=1e-5)


@given(table=arms(least=2), level=st.floats(0.8, 0.99))
def test_the_score_interval_excludes_zero_exactly_when_the_pooled_score_test_rejects(table, level):
    errors_a, runs_a, errors_b, runs_b = table
    interval, total = miettinen_nurminen(*table, level), runs_a + runs_b
    pooled = (errors_a + errors_b) / total
    variance = pooled * (1 - pooled) * (1 / runs_a + 1 / runs_b) * total / (total - 1)
    score = abs(interval.estimate) / variance**0.5 if variance else 0.0
    limit = stats.norm.isf((1 - level) / 2)
    if abs(score - limit) > 1e-6:
        assert interval.contains(0.0) == (score < limit)


def cover_difference(method, runs_a, runs_b, rates_a, rates_b):
    """Exact coverage at pairs of rates, by enumeration of all tables."""
    tables = [(a, b) for a in range(runs_a + 1) for b in range(runs_b + 1)]
    found = np.array([ends(method(a, runs_a, b, runs_b)) for a, b in tables])
    a, b = np.array(tables).T
    chance = stats.binom.pmf(a[:, None], runs_a, rates_a) * stats.binom.pmf(b[:, None], runs_b, rates_b)
    gap = rates_a - rates_b
    return (chance * ((found[:, :1] <= gap + 1e-12) & (gap - 1e-12 <= found[:, 1:]))).sum(axis=0)


@pytest.mark.parametrize(("name", "least"), [("newcombe", 0.90), ("miettinen_nurminen", 0.92)])
def test_intervals_for_a_difference_cover_it_about_as_often_as_they_say(name, least):
    generator = np.random.default_rng(5)
    coverages = cover_difference(INTERVALS[name], 16, 12, *generator.uniform(0.02, 0.98, (2, 400)))
    assert coverages.min() >= least
    assert coverages.mean() == pytest.approx(0.955, abs=0.01)


@settings(max_examples=25)
@given(table=arms(most=40))
def test_exact_tests_equal_an_independent_library(table):
    errors_a, runs_a, errors_b, runs_b = table
    columns = [[errors_a, errors_b], [runs_a - errors_a, runs_b - errors_b]]
    assert fisher(*table) == pytest.approx(stats.fisher_exact(columns).pvalue, rel=1e-6)
    other = stats.boschloo_exact(columns, n=64).pvalue
    assert boschloo(*table) == pytest.approx(min(1.0, other), rel=1e-4, abs=1e-12)


@settings(max_examples=40)
@given(table=arms(most=40, least=0))
def test_exact_tests_do_not_care_which_arm_comes_first_or_what_counts_as_error(table):
    errors_a, runs_a, errors_b, runs_b = table
    for test in (fisher, boschloo):
        p_value = test(*table)
        assert 0 < p_value <= 1
        assert p_value == pytest.approx(test(errors_b, runs_b, errors_a, runs_a), rel=1e-9)
        assert p_value == pytest.approx(test(runs_a - errors_a, runs_a, runs_b - errors_b, runs_b), rel=1e-9)


@pytest.mark.parametrize(("runs_a", "runs_b"), [(8, 8), (12, 7), (20, 9)])
@pytest.mark.parametrize("test", [fisher, boschloo])
def test_exact_tests_reject_equal_rates_no_more_often_than_they_say(test, runs_a, runs_b):
    rates = np.linspace(0, 1, 201)
    tables = [(a, b) for a in range(runs_a + 1) for b in range(runs_b + 1)]
    p_values = np.array([test(a, runs_a, b, runs_b) for a, b in tables])
    a, b = np.array(tables).T
    chance = stats.binom.pmf(a[:, None], runs_a, rates) * stats.binom.pmf(b[:, None], runs_b, rates)
    for alpha in (0.01, 0.05, 0.2):
        assert (chance * (p_values <= alpha)[:, None]).sum(axis=0).max() <= alpha + 1e-9


def test_boschloo_wastes_less_than_fisher_one_sided():
    for a, b in [(7, 2), (9, 3), (12, 5), (5, 0)]:
        one_sided = stats.fisher_exact([[a, b], [12 - a, 12 - b]], "greater").pvalue
        assert boschloo(a, 12, b, 12) / 2 < one_sided


def test_the_largest_tables_are_still_tested():
    assert boschloo(260, 500, 210, 500) == pytest.approx(0.0018, abs=2e-4)
    pooled = stats.chi2_contingency([[500_100, 499_000], [499_900, 501_000]], correction=True).pvalue
    assert fisher(500_100, 10**6, 499_000, 10**6) == pytest.approx(pooled, rel=1e-3)
    assert newcombe(10**8, 10**9, 1, 10**9).low == pytest.approx(0.1, abs=1e-4)


def test_without_runs_in_an_arm_nothing_is_known():
    for table in ((0, 0, 3, 10), (3, 10, 0, 0), (0, 0, 0, 0)):
        for method in INTERVALS.values():
            interval = method(*table)
            assert (interval.estimate, interval.low, interval.high) == (None, -1.0, 1.0)
            assert interval.notes == ("no labelled runs",)
        assert fisher(*table) == boschloo(*table) == 1.0


@given(p_values=st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    assert len(adjusted) == len(p_values)
    assert all(raw <= new <= 1 for raw, new in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0) if p_values else adjusted == []


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=6), alpha=st.floats(0.01, 0.3))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values, alpha):
    order, rejected = sorted(range(len(p_values)), key=p_values.__getitem__), set()
    for rank, index in enumerate(order):
        if p_values[index] * (len(p_values) - rank) > alpha:
            break
        rejected.add(index)
    assert {index for index, new in enumerate(holm(p_values)) if new <= alpha} == rejected


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: newcombe(2, 1, 0, 1), "errors_a"),
        (lambda: newcombe(0, -1, 0, 1), "runs_a"),
        (lambda: newcombe(0, 1, 2, 1), "errors_b"),
        (lambda: newcombe(0, 1, 0, 1.5), "runs_b"),
        (lambda: newcombe(0, 1, 0, 1, 1), "level"),
        (lambda: miettinen_nurminen(0, 1, 2, 1), "errors_b"),
        (lambda: miettinen_nurminen(0, 1, 0, 1, 0), "level"),
        (lambda: miettinen_nurminen(0, 10**6 + 1, 0, 1), "runs_a"),
        (lambda: miettinen_nurminen(0, 1, 0, 10**6 + 1), "runs_b"),
        (lambda: fisher(2, 1, 0, 1), "errors_a"),
        (lambda: fisher(0, 1, 0, 10**6 + 1), "runs_b"),
        (lambda: boschloo(0, 1, 2, 1), "errors_b"),
        (lambda: boschloo(0, 501, 0, 1), "runs_a"),
        (lambda: boschloo(0, 1, 0, 501), "runs_b"),
        (lambda: holm([0.1, 1.1]), r"p_values\[1\]"),
        (lambda: holm([float("nan")]), r"p_values\[0\]"),
        (lambda: runs_per_arm(-0.1, 0.5), "p_a"),
        (lambda: runs_per_arm(0.5, 1.1), "p_b"),
        (lambda: runs_per_arm(0.5, 0.5), "p_b"),
        (lambda: runs_per_arm(0.5, 0.501), "p_b"),
        (lambda: runs_per_arm(0.5, 0.3, 1.0), "power"),
        (lambda: runs_per_arm(0.5, 0.3, 0.8, 0), "alpha"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
