"""Fisher's exact test of two arms, and the runs per arm that give it a wanted power."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from ensemble.stats.binomial import binomial_chances, log_choices
from ensemble.stats.domain import require_errors, require_open_share, require_share
from ensemble.stats.proportion import normal_quantile

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
    while runs <= MAX_PLANNED_RUNS and (missing := power - _find_power(p_a, p_b, runs, alpha)) > 0:
        runs += _find_safe_step(p_a, p_b, runs, missing)
    if runs > MAX_PLANNED_RUNS:
        raise ValueError(f"p_b: {p_b} is too near p_a, {p_a}: over {MAX_PLANNED_RUNS} runs per arm needed")
    return runs


def _approximate_runs(p_a: float, p_b: float, power: float, alpha: float) -> float:
    """Return the runs per arm of the normal approximation without continuity correction (Fleiss 1981)."""
    mean = (p_a + p_b) / 2
    equal = normal_quantile(1 - alpha) * math.sqrt(2 * mean * (1 - mean))
    apart = float(special.ndtri(power)) * math.sqrt(p_a * (1 - p_a) + p_b * (1 - p_b))
    return max(0.0, equal + apart) ** 2 / (p_a - p_b) ** 2


def _find_safe_step(p_a: float, p_b: float, runs: int, missing: float) -> int:
    """Return how many runs cannot yet gain the missing power: a third of what the steepest normal curve would need.

    The exact power climbs in a saw-tooth around that curve, so near the goal every number of runs is tried.
    """
    deviation = math.sqrt(p_a * (1 - p_a) + p_b * (1 - p_b))
    steepest = abs(p_a - p_b) / math.sqrt(8 * math.pi * runs)
    return max(1, math.floor(missing * deviation / (3 * steepest)))


def _find_power(p_a: float, p_b: float, runs: int, alpha: float) -> float:
    """Return the exact chance that the two-sided test rejects with equal numbers of runs.

    Tables with more errors than one arm has runs are those with fewer once errors and clean runs are swapped.
    """
    fewer = _find_rejection(p_a, p_b, runs, alpha, runs)
    return fewer + _find_rejection(1 - p_a, 1 - p_b, runs, alpha, runs - 1)


def _find_rejection(p_a: float, p_b: float, runs: int, alpha: float, most: int) -> float:
    """Return the chance that the test rejects and there are at most `most` ≤ `runs` errors in all.

    With equal arms the table is symmetric given the errors in all, and the p-value is twice the larger arm's tail.
    """
    spread = 10 * math.sqrt(runs * (p_a * (1 - p_a) + p_b * (1 - p_b))) + 10
    mean = runs * (p_a + p_b)
    totals = np.arange(max(0, math.floor(mean - spread)), min(most, math.ceil(mean + spread)) + 1)[:, None]
    errors = np.arange(runs + 1)
    others = totals - errors
    possible, others = others >= 0, np.maximum(others, 0)
    log_chance = log_choices(runs, errors)
    log_given = log_chance + log_chance[others] - log_choices(2 * runs, totals)
    given = np.exp(np.where(possible, log_given, -np.inf))
    tails = given[:, ::-1].cumsum(axis=1)[:, ::-1]
    rejects = 2 * tails <= alpha * (1 + TIE)
    rejects |= np.take_along_axis(rejects, others, axis=1)
    chances = binomial_chances(runs, errors, p_a) * binomial_chances(runs, errors, p_b)[others]
    return float(chances[rejects & possible].sum())
