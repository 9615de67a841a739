"""Two arms with paired runs: each pair is wrong in both arms, in one of them, or in neither."""

from __future__ import annotations

import math

from scipy import special

from ensemble.stats.domain import MAX_COUNT, require_count, require_open_share
from ensemble.stats.interval import Interval, Note
from ensemble.stats.proportion import normal_quantile, wilson_limits
from ensemble.stats.roots import find_sign_change


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p-value of "both arms have the same error rate" from the discordant pairs.

    `only_a` and `only_b` are the pairs wrong in that arm alone; without any the p-value is 1. Counts up to 10⁹.
    McNemar (1947), Psychometrika 12:153–157; exact binomial form.
    """
    only_a, only_b = require_count("only_a", only_a), require_count("only_b", only_b)
    fewer, pairs = min(only_a, only_b), only_a + only_b
    return min(1.0, 2 * float(special.betainc(pairs - fewer, fewer + 1, 0.5))) if pairs else 1.0


def tango(both: int, only_a: int, only_b: int, neither: int, level: float = 0.95) -> Interval:
    """Estimate the difference of the error rates of paired arms, a − b, by inverting the score test.

    Up to 10⁹ pairs. Tango (1998), Statistics in Medicine 17:891–908.
    """
    cells = _require_pairs(both, only_a, only_b, neither)
    z = normal_quantile(require_open_share("level", level))
    if not sum(cells):
        return _difference("tango", cells, level, (-1.0, 1.0))
    low = -_find_highest_difference(sum(cells), cells[2], cells[1], z)
    return _difference(
        "tango", cells, level, (low, _find_highest_difference(sum(cells), cells[1], cells[2], z))
    )


def newcombe_paired(both: int, only_a: int, only_b: int, neither: int, level: float = 0.95) -> Interval:
    """Estimate the difference of the error rates of paired arms, a − b, from their Wilson intervals.

    Uses the correlation of the pairs with continuity correction; up to 10⁹ pairs.
    Newcombe (1998), Statistics in Medicine 17:2635–2650, method 10.
    """
    cells = _require_pairs(both, only_a, only_b, neither)
    z = normal_quantile(require_open_share("level", level))
    pairs = sum(cells)
    if not pairs:
        return _difference("newcombe-paired", cells, level, (-1.0, 1.0))
    errors_a, errors_b = cells[0] + cells[1], cells[0] + cells[2]
    a, b, phi = errors_a / pairs, errors_b / pairs, _correlate(cells)
    low_a, high_a = wilson_limits(errors_a, pairs, z)
    low_b, high_b = wilson_limits(errors_b, pairs, z)
    low = a - b - _join(a - low_a, high_b - b, phi)
    high = a - b + _join(high_a - a, b - low_b, phi)
    return _difference("newcombe-paired", cells, level, (max(-1.0, low), min(1.0, high)))


def _require_pairs(both: int, only_a: int, only_b: int, neither: int) -> tuple[int, int, int, int]:
    cells = (
        require_count("both", both),
        require_count("only_a", only_a),
        require_count("only_b", only_b),
        require_count("neither", neither),
    )
    if sum(cells) > MAX_COUNT:
        raise ValueError(f"neither: {sum(cells)} pairs in all are over the largest supported, {MAX_COUNT}")
    return cells


def _difference(
    method: str, cells: tuple[int, int, int, int], level: float, limits: tuple[float, float]
) -> Interval:
    """Wrap limits for a paired difference; errors and runs count both arms."""
    both, only_a, only_b, _ = cells
    pairs = sum(cells)
    return Interval(
        estimate=(only_a - only_b) / pairs if pairs else None,
        low=limits[0],
        high=limits[1],
        level=level,
        method=method,
        errors=2 * both + only_a + only_b,
        runs=2 * pairs,
        notes=() if pairs else (Note.NO_RUNS,),
    )


def _find_highest_difference(pairs: int, only_a: int, only_b: int, z: float) -> float:
    """Return the largest difference a − b that the score test with quantile `z` does not reject."""
    observed = (only_a - only_b) / pairs

    def exceed(difference: float) -> float:
        fitted = _fit_only_b(pairs, only_a, only_b, difference)
        variance = max(0.0, 2 * fitted + difference * (1 - difference)) / pairs
        return (difference - observed) ** 2 - z * z * variance

    return find_sign_change(exceed, observed, 1.0) if observed < 1 else 1.0


def _fit_only_b(pairs: int, only_a: int, only_b: int, difference: float) -> float:
    """Return the likeliest share of pairs wrong in the second arm alone, given the difference (Tango's q₂₁)."""
    square = 2 * pairs
    linear = (2 * pairs - only_a + only_b) * difference - only_a - only_b
    constant = -only_b * difference * (1 - difference)
    root = math.sqrt(max(0.0, linear * linear - 4 * square * constant))
    if linear < 0:
        return (root - linear) / (2 * square)
    return (
        -2 * constant / (root + linear) if root + linear > 0 else 0.0
    )  # the same root, without cancellation


def _correlate(cells: tuple[int, int, int, int]) -> float:
    """Return the correlation φ of the pairs, a positive one reduced by the continuity correction."""
    both, only_a, only_b, neither = cells
    scale = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    excess: float = both * neither - only_a * only_b
    if excess > 0:
        excess = max(excess - sum(cells) / 2, 0.0)
    return excess / math.sqrt(scale) if scale else 0.0


def _join(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))
