from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.stats.clusters import (
    accordance,
    cluster_interval,
    concordance,
    identical_share,
    intraclass_correlation,
)
from ensemble.stats.proportion import clopper_pearson
from tests.ensemble.stats.walks import REFERENCE

ORACLE = REFERENCE["clusters"]
DATA = ["paraphrases_12x10", "unequal", "seeds_20x5_repeats", "allzero"]
clusters = st.lists(
    st.integers(1, 30).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))),
    min_size=2,
    max_size=12,
)


def ends(interval):
    return [interval.low, interval.high]


def split(pairs):
    return [error for error, _ in pairs], [size for _, size in pairs]


@pytest.mark.parametrize("name", DATA)
def test_cluster_statistics_equal_the_reference(name):
    row = ORACLE[name]
    interval = cluster_interval(row["y"], row["m"])
    assert interval.estimate == pytest.approx(row["p"], rel=1e-6)
    assert ends(interval) == pytest.approx(row["korn_graubard"], rel=1e-6)
    assert (interval.errors, interval.runs) == (sum(row["y"]), row["N"])
    assert ends(clopper_pearson(sum(row["y"]), row["N"])) == pytest.approx(row["naive_cp"], rel=1e-6)
    if row["icc_anova"] is None:
        assert intraclass_correlation(row["y"], row["m"]) is None
        assert interval.notes == ("no variation: every cluster counted as one run",)
    else:
        assert intraclass_correlation(row["y"], row["m"]) == pytest.approx(row["icc_anova"], rel=1e-6)
        assert interval.notes == ()


@pytest.mark.parametrize("row", ORACLE["accordance_concordance"], ids=lambda r: str(r["y"]))
def test_accordance_and_concordance_equal_the_reference(row):
    assert accordance(row["y"], row["m"]) == pytest.approx(row["accordance"])
    assert concordance(row["y"], row["m"]) == pytest.approx(row["concordance"])
    each = [accordance([error], [size]) for error, size in zip(row["y"], row["m"], strict=True)]
    assert each == pytest.approx(row["accordance_each"])


def test_the_determinism_audit_equals_the_reference():
    audit = ORACLE["determinism_audit"]
    groups = [[str(kind) for kind, times in enumerate(seed) for _ in range(times)] for seed in audit["seeds"]]
    share = identical_share(groups)
    assert share.estimate == pytest.approx(audit["share_identical"])
    assert ends(share) == pytest.approx(audit["cp"], rel=1e-6)
    assert (share.errors, share.runs, share.notes) == (14, 20, ())
    for seeds, bound in audit["no_mismatch_bound"].items():
        alike = identical_share([["x"] * 3] * int(seeds), 0.90)
        assert 1 - alike.low == pytest.approx(bound, rel=1e-6)


def test_groups_of_different_sizes_are_flagged():
    share = identical_share([["a", "a"], ["b", "b", "c"]])
    assert (share.estimate, share.notes) == (0.5, ("groups of different sizes",))


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
