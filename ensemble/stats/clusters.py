"""Runs that come in clusters: repeats of a seed, paraphrases of a prompt, models."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import combinations

from scipy import special

from ensemble.stats.beta import exact_limits
from ensemble.stats.domain import require_count, require_errors, require_open_share
from ensemble.stats.interval import Interval, Note
from ensemble.stats.proportion import clopper_pearson


def cluster_interval(errors: Sequence[int], sizes: Sequence[int], level: float = 0.95) -> Interval:
    """Estimate the error rate over clusters of runs, allowing for runs of one cluster being alike.

    Clopper–Pearson with the effective number of runs, from the linearised variance of the rate. Where no or all runs
    are errors there is no variance to estimate: every cluster then counts as a single run. Two clusters at least.
    Korn & Graubard (1998), Survey Methodology 24:193–201.
    """
    errors, sizes = require_clusters(errors, sizes)
    level = require_open_share("level", level)
    if len(sizes) < 2:
        raise ValueError(f"sizes: {len(sizes)} clusters, two are needed to see how clusters differ")
    total, runs = sum(errors), sum(sizes)
    notes = (Note.FEW_CLUSTERS,) if len(sizes) < 5 else ()
    if total in (0, runs):
        effective, notes = float(len(sizes)), (*notes, Note.NO_VARIATION)
    else:
        effective = _count_effective_runs(errors, sizes, level)
    rate = total / runs
    low, high = exact_limits(rate * effective, effective, (1.0 - level) / 2)
    return Interval(
        estimate=rate,
        low=low,
        high=high,
        level=level,
        method="korn-graubard",
        errors=total,
        runs=runs,
        notes=notes,
    )


def intraclass_correlation(errors: Sequence[int], sizes: Sequence[int]) -> float | None:
    """Return how alike runs of one cluster are: 0 as independent runs, 1 identical; sampling can make it negative.

    The analysis-of-variance estimator. None with fewer than two clusters, without repeats, or without variation.
    Donner (1986), International Statistical Review 54:67–82.
    """
    errors, sizes = require_clusters(errors, sizes)
    clusters, runs, total = len(sizes), sum(sizes), sum(errors)
    if clusters < 2 or runs == clusters or total in (0, runs):
        return None
    rates = [error / size for error, size in zip(errors, sizes, strict=True)]
    between = sum(size * (rate - total / runs) ** 2 for rate, size in zip(rates, sizes, strict=True)) / (
        clusters - 1
    )
    within = sum(size * rate * (1 - rate) for rate, size in zip(rates, sizes, strict=True)) / (
        runs - clusters
    )
    typical = (runs - sum(size * size for size in sizes) / runs) / (clusters - 1)
    return (between - within) / (between + (typical - 1) * within)


def accordance(errors: Sequence[int], sizes: Sequence[int]) -> float | None:
    """Return the chance that two runs under the same condition agree, averaged over clusters of two runs or more.

    None when there is no such cluster. Langton, Chevennement, Nagelkerke & Lombard (2002), Int. J. Food
    Microbiology 79:175–181.
    """
    errors, sizes = require_clusters(errors, sizes)
    shares = [
        (error * (error - 1) + (size - error) * (size - error - 1)) / (size * (size - 1))
        for error, size in zip(errors, sizes, strict=True)
        if size >= 2
    ]
    return sum(shares) / len(shares) if shares else None


def concordance(errors: Sequence[int], sizes: Sequence[int]) -> float | None:
    """Return the chance that two runs under different conditions agree, averaged over all pairs of clusters.

    None with fewer than two clusters. Source as for `accordance`.
    """
    errors, sizes = require_clusters(errors, sizes)
    rates = [error / size for error, size in zip(errors, sizes, strict=True)]
    shares = [p * q + (1 - p) * (1 - q) for p, q in combinations(rates, 2)]
    return sum(shares) / len(shares) if shares else None


def identical_share(groups: Sequence[Sequence[Hashable]], level: float = 0.95) -> Interval:
    """Estimate the share of seeds whose repeated answers are all identical, with the exact interval.

    One group of answer hashes per seed, two or more each; one seed is one observation however often it is repeated.
    `errors` counts the identical groups. The share falls as the repeats per seed grow: state their number with it.
    """
    for index, group in enumerate(groups):
        if len(group) < 2:
            raise ValueError(f"groups: group {index} has {len(group)} answers, two are needed to compare")
    identical = sum(len(set(group)) == 1 for group in groups)
    share = replace(clopper_pearson(identical, len(groups), level), method="identical-share")
    if len({len(group) for group in groups}) > 1:
        return replace(share, notes=(*share.notes, Note.UNEQUAL_GROUPS))
    return share


def require_clusters(errors: Sequence[int], sizes: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return errors and sizes as equally long lists, each cluster with at least one run."""
    if len(errors) != len(sizes):
        raise ValueError(f"errors: {len(errors)} clusters, but sizes has {len(sizes)}")
    for size in sizes:
        require_count("sizes", size, minimum=1)
    pairs = [
        require_errors(error, size, ("errors", "sizes")) for error, size in zip(errors, sizes, strict=True)
    ]
    return [error for error, _ in pairs], [size for _, size in pairs]


def _count_effective_runs(errors: list[int], sizes: list[int], level: float) -> float:
    """Return the number of independent runs worth as much, reduced for the few clusters the variance rests on."""
    clusters, runs = len(sizes), sum(sizes)
    rate = sum(errors) / runs
    spread = sum((error - rate * size) ** 2 for error, size in zip(errors, sizes, strict=True))
    variance = clusters / (clusters - 1) * spread / runs**2
    if variance == 0:
        return float(runs)
    upper = (1.0 + level) / 2
    shrink = special.stdtrit(runs - 1, upper) / special.stdtrit(clusters - 1, upper)
    return min(float(runs), float(rate * (1 - rate) / variance * shrink**2))
