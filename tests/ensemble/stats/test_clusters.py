from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ensemble.stats.clusters import (
    accordance,
    cluster_interval,
    concordance,
    identical_share,
    intraclass_correlation,
)
from ensemble.stats.proportion import clopper_pearson
from tests.ensemble.stats.reference import ends

clusters = st.lists(
    st.integers(1, 30).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))),
    min_size=2,
    max_size=12,
)


def split(pairs):
    return [error for error, _ in pairs], [size for _, size in pairs]


def test_groups_of_different_sizes_are_flagged():
    share = identical_share([["a", "a"], ["b", "b", "c"]])
    assert (share.estimate, share.notes) == (0.5, ("groups of different sizes",))


@given(groups=st.lists(st.lists(st.sampled_from("ab"), min_size=2, max_size=5), min_size=1, max_size=12))
def test_a_seed_is_one_observation_however_often_it_is_repeated(groups):
    share, alike = identical_share(groups), [group for group in groups if group.count(group[0]) == len(group)]
    exact = clopper_pearson(len(alike), len(groups))
    assert (share.errors, share.runs, share.estimate) == (exact.errors, exact.runs, exact.estimate)
    assert ends(share) == ends(exact)
    assert bool(share.notes) == (len(set(map(len, groups))) > 1)


def test_an_audit_without_seeds_says_nothing():
    share = identical_share([])
    assert (share.estimate, share.low, share.high) == (None, 0.0, 1.0)


@given(pairs=clusters, level=st.floats(0.5, 0.999))
def test_the_cluster_interval_contains_the_rate_and_is_never_shorter_than_for_independent_runs(pairs, level):
    errors, sizes = split(pairs)
    interval = cluster_interval(errors, sizes, level)
    independent = clopper_pearson(sum(errors), sum(sizes), level)
    assert interval.low - 1e-12 <= interval.estimate <= interval.high + 1e-12
    assert interval.low <= independent.low + 1e-9
    assert interval.high >= independent.high - 1e-9
    assert ("fewer than five clusters" in interval.notes) == (len(sizes) < 5)
    unvaried = sum(errors) in (0, sum(sizes))
    assert ("no variation: every cluster counted as one run" in interval.notes) == unvaried
    assert (interval.errors, interval.runs) == (sum(errors), sum(sizes))


@given(pairs=clusters, level=st.floats(0.5, 0.999))
def test_the_cluster_interval_is_the_exact_one_for_as_many_runs_as_the_clusters_are_worth(pairs, level):
    errors, sizes = split(pairs)
    k, runs, rate = len(sizes), sum(sizes), sum(errors) / sum(sizes)
    effective = float(k)
    if 0 < rate < 1:
        residuals = np.array(errors) - rate * np.array(sizes)
        variance = k * residuals.var(ddof=1) / runs**2
        shrink = stats.t.ppf((1 + level) / 2, runs - 1) / stats.t.ppf((1 + level) / 2, k - 1)
        worth = rate * (1 - rate) / variance * shrink**2 if variance else runs
        effective = min(worth, runs)
    wrong, tail = rate * effective, (1 - level) / 2
    low = stats.beta.ppf(tail, wrong, effective - wrong + 1) if rate > 0 else 0
    high = stats.beta.isf(tail, wrong + 1, effective - wrong) if rate < 1 else 1
    assert ends(cluster_interval(errors, sizes, level)) == pytest.approx([low, high], rel=1e-6, abs=1e-9)


@given(pairs=clusters)
def test_the_correlation_is_that_of_the_analysis_of_variance_of_an_independent_library(pairs):
    errors, sizes = split(pairs)
    labels = [np.repeat([1.0, 0.0], [error, size - error]) for error, size in pairs]
    correlation, rates = intraclass_correlation(errors, sizes), {e / m for e, m in pairs}
    if correlation is None or rates <= {0.0, 1.0} or len(rates) == 1:  # no ratio of variances
        return
    ratio = stats.f_oneway(*labels).statistic
    typical = (sum(sizes) - sum(size**2 for size in sizes) / sum(sizes)) / (len(sizes) - 1)
    assert correlation == pytest.approx((ratio - 1) / (ratio - 1 + typical), rel=1e-6, abs=1e-9)


@given(pairs=clusters)
def test_clean_runs_and_errors_mirror_each_other_in_clusters(pairs):
    errors, sizes = split(pairs)
    clean = [size - error for error, size in pairs]
    interval, mirror = cluster_interval(errors, sizes), cluster_interval(clean, sizes)
    assert ends(interval) == pytest.approx([1 - mirror.high, 1 - mirror.low], abs=1e-9)
    assert accordance(errors, sizes) == pytest.approx(accordance(clean, sizes))
    assert concordance(errors, sizes) == pytest.approx(concordance(clean, sizes))
    correlation = intraclass_correlation(errors, sizes)
    assert correlation == (
        None if correlation is None else pytest.approx(intraclass_correlation(clean, sizes), abs=1e-9)
    )


@given(pairs=clusters)
def test_agreement_shares_are_those_of_all_pairs_of_runs(pairs):
    errors, sizes = split(pairs)
    labels = [[1] * error + [0] * (size - error) for error, size in pairs]
    within = [
        np.mean([a == b for i, a in enumerate(runs) for j, b in enumerate(runs) if i != j])
        for runs in labels
        if len(runs) > 1
    ]
    between = [
        np.mean([a == b for a in labels[i] for b in labels[j]])
        for i in range(len(labels))
        for j in range(i + 1, len(labels))
    ]
    assert accordance(errors, sizes) == (pytest.approx(np.mean(within)) if within else None)
    assert concordance(errors, sizes) == pytest.approx(np.mean(between))


def test_the_correlation_is_one_when_clusters_never_disagree_and_none_where_it_does_not_exist():
    assert intraclass_correlation([5, 0, 5], [5, 5, 5]) == pytest.approx(1)
    assert intraclass_correlation([2, 2, 2], [4, 4, 4]) < 0
    assert intraclass_correlation([1, 0], [1, 1]) is None
    assert intraclass_correlation([1], [4]) is None
    assert intraclass_correlation([], []) is None
    assert accordance([1], [1]) is None
    assert concordance([1], [2]) is None


def test_clusters_that_do_not_vary_at_all_are_independent_runs():
    assert ends(cluster_interval([2] * 6, [10] * 6)) == pytest.approx(ends(clopper_pearson(12, 60)))


@pytest.mark.parametrize(("mean", "correlation"), [(0.3, 0.0), (0.3, 0.3), (0.7, 0.6), (0.1, 0.2)])
def test_the_cluster_interval_covers_the_mean_of_correlated_clusters(mean, correlation):
    tests = 1500
    generator = np.random.default_rng(31)
    k, size = 12, 10
    if correlation:
        weight = 1 / correlation - 1
        rates = generator.beta(mean * weight, (1 - mean) * weight, (tests, k))
    else:
        rates = np.full((tests, k), mean)
    outcomes = generator.binomial(size, rates).tolist()
    covered = np.mean([cluster_interval(errors, [size] * k).contains(mean) for errors in outcomes])
    assert covered >= 0.935  # approximate method: 95 % less three standard errors of this simulation
    naive = np.mean([clopper_pearson(sum(errors), k * size).contains(mean) for errors in outcomes])
    assert (naive >= 0.935) == (correlation == 0)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: cluster_interval([1], [2]), "sizes"),
        (lambda: cluster_interval([], []), "sizes"),
        (lambda: cluster_interval([1, 1], [2]), "errors"),
        (lambda: cluster_interval([3, 1], [2, 2]), "errors"),
        (lambda: cluster_interval([0, 1], [0, 2]), "sizes"),
        (lambda: cluster_interval([0, 1], [2, 2], 1), "level"),
        (lambda: intraclass_correlation([1.5], [2]), "errors"),
        (lambda: accordance([1], [0]), "sizes"),
        (lambda: concordance([1], [2, 3]), "errors"),
        (lambda: identical_share([["a", "a"], ["a"]]), "groups"),
        (lambda: identical_share([["a", "a"]], 0), "level"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
