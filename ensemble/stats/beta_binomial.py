"""Clusters whose shares of errors differ: what a new cluster of the same kind may show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ensemble.stats.clusters import require_clusters
from ensemble.stats.domain import require_open_share
from ensemble.stats.interval import Interval, Note

Array = NDArray[np.float64]

GRIDS = 4
# Points of either axis, for clusters of up to a thousand runs and for larger ones, whose likelihood is steeper: with
# twice as many, no limit moves by 0.003 (two clusters of one run … forty of ten thousand), or by 0.02 where next to no
# run is an error and the upper limit lies near 1.
POINTS, POINTS_OF_LARGE = 50, 100
SMALL_CLUSTER, LARGEST_CLUSTER = 1_000, 10_000
NEGLIGIBLE = 1e-7  # share of the likelihood below which a point of the grid is left out
BISECTIONS = 20


def predictive_range(errors: Sequence[int], sizes: Sequence[int], level: float = 0.95) -> Interval:
    """Estimate where the error rate of a new cluster of the same kind lies.

    Clusters' rates follow a Beta distribution with mean μ and intraclass correlation ρ, runs in a cluster are
    binomial. The likelihood of the counts is averaged over μ and ρ, both flat on (0, 1), so that few clusters give a
    wide range; a plug-in of the most likely values would be too narrow. Equal tails; `estimate` is the mean.
    Two clusters at least, of at most 10,000 runs each. For the distribution: Skellam (1948), J. R. Stat. Soc. B
    10:257–261.
    """
    errors, sizes = require_clusters(errors, sizes)
    level = require_open_share("level", level)
    if len(sizes) < 2:
        raise ValueError(f"sizes: {len(sizes)} clusters, two are needed to see how clusters differ")
    if max(sizes) > LARGEST_CLUSTER:
        raise ValueError(f"sizes: {max(sizes)} runs in a cluster, {LARGEST_CLUSTER} are the most")
    a, b, weights = _weigh_distributions(np.array(errors, float), np.array(sizes, float))
    low, high = (_quantile(a, b, weights, tail) for tail in ((1 - level) / 2, (1 + level) / 2))
    return Interval(
        estimate=float(np.sum(weights * a / (a + b))),
        low=low,
        high=high,
        level=level,
        method="beta-binomial predictive",
        errors=sum(errors),
        runs=sum(sizes),
        notes=(Note.FEW_CLUSTERS,) if len(sizes) < 5 else (),
    )


def _weigh_distributions(errors: Array, sizes: Array) -> tuple[Array, Array, Array]:
    """Beta parameters on a grid, and the share of the likelihood that each pair has.

    Each grid covers the part of the one before that holds the likelihood.
    """
    angle_span = root_span = (0.0, 1.0)
    points = POINTS if sizes.max() <= SMALL_CLUSTER else POINTS_OF_LARGE
    for _ in range(GRIDS):
        a, b, weights, (angles, roots) = _weigh_grid(errors, sizes, (angle_span, root_span), points)
        kept = weights > NEGLIGIBLE
        likely = kept.reshape(points, points)
        angle_span, root_span = _span(angles, np.any(likely, axis=0)), _span(roots, np.any(likely, axis=1))
    return a[kept], b[kept], weights[kept] / weights[kept].sum()


def _span(places: Array, likely: NDArray[np.bool_]) -> tuple[float, float]:
    """The part of a grid's axis that holds the likelihood, a cell more on either side."""
    found = places[likely]
    cell = float(places[1] - places[0])
    return max(0.0, float(found[0]) - cell), min(1.0, float(found[-1]) + cell)


def _weigh_grid(
    errors: Array, sizes: Array, spans: tuple[tuple[float, float], tuple[float, float]], points: int
) -> tuple[Array, Array, Array, tuple[Array, Array]]:
    """A grid that is dense where likelihoods are steep: at means near 0 and 1 (sin²), at correlations near 0 (cube)."""
    angles, roots = (low + (high - low) * (np.arange(points) + 0.5) / points for low, high in spans)
    mean, alike = np.sin(np.pi / 2 * angles) ** 2, (roots**3)[:, None]
    total = (1 - alike) / alike
    a, b = (mean * total).ravel(), ((1 - mean) * total).ravel()
    logs = np.log(
        roots[:, None] ** 2 * np.sin(np.pi * angles)
    ).ravel()  # what a step of either means in its own unit
    for error, size in zip(errors, sizes, strict=True):
        logs += special.betaln(a + error, b + size - error) - special.betaln(a, b)
    weights = np.exp(logs - logs.max())
    return a, b, weights / weights.sum(), (angles, roots)


def _quantile(a: Array, b: Array, weights: Array, share: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if float(np.sum(weights * special.betainc(a, b, middle))) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2
