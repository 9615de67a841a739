"""Fisher's exact test of two arms, and the runs per arm that give it a wanted power."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ensemble.stats.domain import require_errors, require_open_share, require_share
from ensemble.stats.proportion import normal_quantile

Floats = NDArray[np.float64]

MAX_RUNS = 10**6
MAX_PLANNED_RUNS = 2000
TIE = 1e-7
"""Chances that differ by less than this share are the same chance, computed with rounding."""


def fisher(errors_a: int, runs_a: int, errors_b: int, runs_b: int) -> float:
    """Return the two-sided p-value of "both arms have the same error rate", given the errors in all.

    Adds the chances of all tables no likelier than the observed one. Up to 10⁶ runs per arm.
    Fisher (1935), JRSS 98:39–82.
    """
    errors_a, runs_a = require_errors(errors_a, runs_a, ("errors_a", "runs_a"))
    errors_b, runs_b = require_errors(errors_b, runs_b, ("errors_b", "runs_b"))
    for name, runs in (("runs_a", runs_a), ("runs_b", runs_b)):
        if runs > MAX_RUNS:
            raise ValueError(f"{name}: {runs} is over the largest supported, {MAX_RUNS}")
    errors = errors_a + errors_b
    first = max(0, errors - runs_b)
    tables = np.arange(first, min(errors, runs_a) + 1)
    log_chances = log_choices(runs_a, tables) + log_choices(runs_b, errors - tables)
    chances = np.exp(log_chances - log_chances.max())
    extreme = chances <= chances[errors_a - first] * (1 + TIE)
    return min(1.0, float(chances[extreme].sum() / chances.sum()))


def runs_per_arm(p_a: float, p_b: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the fewest runs per arm at which Fisher's two-sided test detects p_a against p_b with the power wanted.

    The power is exact, over all tables. Raises for `p_b` when more than 2000 runs per arm would be needed.
    """
    p_a, p_b = require_share("p_a", p_a), require_share("p_b", p_b)
    power, alpha = require_open_share("power", power), require_open_share("alpha", alpha)
    if p_a == p_b:
        raise ValueError(f"p_b: {p_b} equals p_a, there is no difference to detect")
    # Fisher's test needs more than the normal approximation says: no smaller number need be tried.
    runs = max(1, math.floor(0.7 * _approximate_runs(p_a, p_b, power, alpha)))
    while runs <= MAX_PLANNED_RUNS and _find_power(p_a, p_b, runs, alpha) < power:
        runs += 1
    if runs > MAX_PLANNED_RUNS:
        raise ValueError(f"p_b: {p_b} is too near p_a, {p_a}: over {MAX_PLANNED_RUNS} runs per arm needed")
    return runs


def log_choices(runs: int, errors: NDArray[np.int64]) -> Floats:
    """Return log C(runs, errors), elementwise."""
    result: Floats = special.gammaln(runs + 1) - special.gammaln(errors + 1) - special.gammaln(runs - errors + 1)
    return result


def _approximate_runs(p_a: float, p_b: float, power: float, alpha: float) -> float:
    """Return the runs per arm of the normal approximation without continuity correction (Fleiss 1981)."""
    mean = (p_a + p_b) / 2
    equal = normal_quantile(1 - alpha) * math.sqrt(2 * mean * (1 - mean))
    apart = float(special.ndtri(power)) * math.sqrt(p_a * (1 - p_a) + p_b * (1 - p_b))
    return max(0.0, equal + apart) ** 2 / (p_a - p_b) ** 2


def _find_power(p_a: float, p_b: float, runs: int, alpha: float) -> float:
    """Return the exact chance that the two-sided test rejects with equal numbers of runs.

    With equal arms the test is symmetric: it rejects when the arm with more errors has at least a critical number,
    which depends on the errors in all.
    """
    errors = np.arange(runs + 1)
    log_chance = log_choices(runs, errors)
    pmf_a = np.exp(log_chance + special.xlogy(errors, p_a) + special.xlog1py(runs - errors, -p_a))
    pmf_b = np.exp(log_chance + special.xlogy(errors, p_b) + special.xlog1py(runs - errors, -p_b))
    more, fewer = np.triu_indices(runs + 1, k=1)[::-1]
    total = 0.0
    rejected = _find_rejected(runs, alpha)
    return total + float(pmf_a @ rejected @ pmf_b) if more.size and fewer.size else 0.0


def _find_rejected(runs: int, alpha: float) -> NDArray[np.bool_]:
    raise NotImplementedError
