"""Two arms with independent runs: the difference of their error rates, exact tests, and multiplicity."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ensemble.stats.boschloo_exact import boschloo
from ensemble.stats.domain import require_errors, require_open_share, require_share
from ensemble.stats.fisher_exact import fisher, runs_per_arm
from ensemble.stats.interval import Interval, Note
from ensemble.stats.paired import mcnemar, newcombe_paired, tango
from ensemble.stats.proportion import normal_quantile, wilson_limits
from ensemble.stats.roots import find_sign_change

__all__ = [
    "boschloo",
    "fisher",
    "holm",
    "mcnemar",
    "miettinen_nurminen",
    "newcombe",
    "newcombe_paired",
    "runs_per_arm",
    "tango",
]


def newcombe(errors_a: int, runs_a: int, errors_b: int, runs_b: int, level: float = 0.95) -> Interval:
    """Estimate the difference of two error rates, a − b, from the Wilson interval of each arm. Counts up to 10⁹.

    Newcombe (1998), Statistics in Medicine 17:873–890, method 10.
    """
    errors_a, runs_a = require_errors(errors_a, runs_a, ("errors_a", "runs_a"))
    errors_b, runs_b = require_errors(errors_b, runs_b, ("errors_b", "runs_b"))
    z = normal_quantile(require_open_share("level", level))
    if not runs_a or not runs_b:
        return _difference("newcombe", (errors_a, runs_a), (errors_b, runs_b), level, (-1.0, 1.0))
    a, b = errors_a / runs_a, errors_b / runs_b
    low_a, high_a = wilson_limits(errors_a, runs_a, z)
    low_b, high_b = wilson_limits(errors_b, runs_b, z)
    low = a - b - math.hypot(a - low_a, high_b - b)
    high = a - b + math.hypot(high_a - a, b - low_b)
    limits = (max(-1.0, low), min(1.0, high))
    return _difference("newcombe", (errors_a, runs_a), (errors_b, runs_b), level, limits)


def miettinen_nurminen(
    errors_a: int, runs_a: int, errors_b: int, runs_b: int, level: float = 0.95
) -> Interval:
    """Estimate the difference of two error rates, a − b, by inverting the score test. Counts up to 10⁶ per arm.

    It excludes 0 exactly when the score test rejects equal rates. Miettinen & Nurminen (1985), Stat. Med. 4:213–226.
    """
    a = require_errors(errors_a, runs_a, ("errors_a", "runs_a"))
    b = require_errors(errors_b, runs_b, ("errors_b", "runs_b"))
    z = normal_quantile(require_open_share("level", level))
    for name, (_, runs) in (("runs_a", a), ("runs_b", b)):
        if runs > 10**6:
            raise ValueError(f"{name}: {runs} is over the largest supported, 1000000")
    if not a[1] or not b[1]:
        return _difference("miettinen-nurminen", a, b, level, (-1.0, 1.0))
    limits = (-_find_highest_difference(b, a, z), _find_highest_difference(a, b, z))
    return _difference("miettinen-nurminen", a, b, level, limits)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number, in the order given; they stay valid for any dependence.

    Holm (1979), Scandinavian Journal of Statistics 6:65–70.
    """
    values = [require_share(f"p_values[{index}]", value) for index, value in enumerate(p_values)]
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = largest
    return adjusted


def _difference(
    method: str, a: tuple[int, int], b: tuple[int, int], level: float, limits: tuple[float, float]
) -> Interval:
    """Wrap limits for a difference; without runs in an arm there is no estimate."""
    known = a[1] > 0 and b[1] > 0
    return Interval(
        estimate=a[0] / a[1] - b[0] / b[1] if known else None,
        low=limits[0],
        high=limits[1],
        level=level,
        method=method,
        errors=a[0] + b[0],
        runs=a[1] + b[1],
        notes=() if known else (Note.NO_RUNS,),
    )


def _find_highest_difference(a: tuple[int, int], b: tuple[int, int], z: float) -> float:
    """Return the largest difference a − b that the score test with quantile `z` does not reject."""
    observed = a[0] / a[1] - b[0] / b[1]
    inflation = (a[1] + b[1]) / (a[1] + b[1] - 1)

    def exceed(difference: float) -> float:
        rate_b = _fit_second_rate(a, b, difference)
        rate_a = rate_b + difference
        variance = rate_a * (1 - rate_a) / a[1] + rate_b * (1 - rate_b) / b[1]
        return (difference - observed) ** 2 - z * z * inflation * variance

    return find_sign_change(exceed, observed, 1.0) if observed < 1 else 1.0


def _fit_second_rate(a: tuple[int, int], b: tuple[int, int], difference: float) -> float:
    """Return the likeliest rate of the second arm when the first is higher by `difference`."""

    def slope(rate: float) -> float:  # of the log-likelihood, downwards, times what is never negative
        other = rate + difference
        return (a[1] * other - a[0]) * rate * (1 - rate) + (b[1] * rate - b[0]) * other * (1 - other)

    return find_sign_change(slope, max(0.0, -difference), min(1.0, 1.0 - difference))
