"""Where the error rate of a new cluster lies: coverage by simulation, edges, and the plain cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from ensemble.stats.beta_binomial import predictive_range
from ensemble.stats.clusters import cluster_interval


def test_many_equal_clusters_leave_only_their_own_spread() -> None:
    found = predictive_range([300] * 40, [1000] * 40)
    assert found.estimate == pytest.approx(0.3, abs=0.01)
    assert found.high - found.low < 0.35


def test_many_large_clusters_give_the_quantiles_of_their_distribution() -> None:
    """With the distribution known almost exactly, the range is its 2.5 and 97.5 percent points."""
    rng = np.random.default_rng(20261123)
    rates = rng.beta(6, 14, 400)
    found = predictive_range([int(count) for count in rng.binomial(500, rates)], [500] * 400)
    low, high = np.quantile(rng.beta(6, 14, 200_000), (0.025, 0.975))
    assert found.low == pytest.approx(low, abs=0.03)
    assert found.high == pytest.approx(high, abs=0.03)


@pytest.mark.parametrize(("a", "b"), [(0.8, 0.27), (3, 7), (0.2, 1.8), (30, 70)])
def test_it_covers_a_new_cluster_about_as_often_as_it_says(a: float, b: float) -> None:
    """Simulated coverage was 0.92 to 1 (2,000 repetitions); four standard errors below 0.92 at 200 are 0.84."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(200):
        rates = rng.beta(a, b, 9)
        counts = [int(count) for count in rng.binomial(15, rates[:8])]
        found = predictive_range(counts, [15] * 8)
        hits += found.low <= rates[8] <= found.high
    assert hits / 200 >= 0.84


@pytest.mark.parametrize("seed", range(5))
def test_fresh_counts_agree_with_means_and_correlations_drawn_at_random(seed: int) -> None:
    """Drawn from the flat prior and weighted with the likelihood: no grid, no bisection."""
    rng = np.random.default_rng(seed)
    clusters = int(rng.integers(2, 7))
    sizes = rng.integers(1, 21, clusters)
    errors = rng.binomial(sizes, rng.beta(1, 2, clusters))
    found = predictive_range(errors.tolist(), sizes.tolist())
    mean, alike = rng.random((2, 200_000))
    a, b = mean * (1 / alike - 1), (1 - mean) * (1 / alike - 1)
    likelihood = np.ones(mean.size)
    for error, size in zip(errors, sizes, strict=True):
        likelihood *= np.exp(special.betaln(a + error, b + size - error) - special.betaln(a, b))
    weights = likelihood / likelihood.sum()
    assert found.estimate == pytest.approx(weights @ mean, abs=0.003)
    assert weights @ special.betainc(a, b, found.high) == pytest.approx(0.975, abs=0.003)
    if found.low > 1e-6:  # nearer to 0 than it is looked for
        assert weights @ special.betainc(a, b, found.low) == pytest.approx(0.025, abs=0.003)


def test_no_error_in_eight_clusters_does_not_exclude_one_that_errs() -> None:
    found = predictive_range([0] * 8, [10] * 8)
    assert found.low < 1e-6
    assert found.high > cluster_interval([0] * 8, [10] * 8).high


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=2, max_size=6).map(
        lambda pairs: [(min(error, size), size) for error, size in pairs]
    )
)
def test_errors_and_non_errors_mirror_each_other(pairs: list[tuple[int, int]]) -> None:
    errors, sizes = [error for error, _ in pairs], [size for _, size in pairs]
    found = predictive_range(errors, sizes)
    mirrored = predictive_range([size - error for error, size in pairs], sizes)
    assert 0 <= found.low <= found.high <= 1
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-5)
    assert mirrored.high == pytest.approx(1 - found.low, abs=1e-5)


def test_clusters_that_agree_exactly_leave_a_narrow_range_even_when_they_are_few() -> None:
    found = predictive_range([50] * 5, [10_000] * 5)
    assert 0.001 < found.low < 0.005 < found.high < 0.02


@pytest.mark.parametrize(
    ("errors", "low", "high"),
    [
        ([3000, 3050, 2990, 3010, 2950], 0.27349, 0.32791),
        ([5000] * 5, 0.47734, 0.52266),
        ([3] * 5, 0, 0.89967),
    ],
)
def test_clusters_of_ten_thousand_runs_are_as_a_fine_grid_has_them(
    errors: list[int], low: float, high: float
) -> None:
    """Reference: 4,000 means by 650 correlations, spaced by powers of ten around the pooled rate and towards 0."""
    found = predictive_range(errors, [10_000] * 5)
    assert found.low == pytest.approx(low, abs=0.002)
    assert found.high == pytest.approx(high, abs=0.02)


def test_larger_clusters_are_beyond_its_grid() -> None:
    with pytest.raises(ValueError, match="sizes: 10001 runs"):
        predictive_range([3, 4], [20, 10_001])


def test_one_cluster_says_nothing_of_others() -> None:
    with pytest.raises(ValueError, match="sizes"):
        predictive_range([3], [10])
