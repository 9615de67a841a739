"""Inference that stays valid under any stopping: confidence sequences and e-values; planned precision beside it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from ensemble.stats.beta import exponentiate, log_beta, log_lower_tail, log_upper_tail
from ensemble.stats.domain import MAX_COUNT, require_errors, require_open_share, require_prior
from ensemble.stats.interval import Interval, Note
from ensemble.stats.precision import PrecisionPlan, plan_precision

__all__ = [
    "PrecisionPlan",
    "confidence_sequence",
    "confidence_sequence_path",
    "e_value_above",
    "e_value_below",
    "log_e_value_above",
    "log_e_value_below",
    "log_two_arm_e_value",
    "plan_precision",
    "two_arm_e_value",
]


def confidence_sequence(
    errors: int, runs: int, level: float = 0.95, prior: tuple[float, float] = (0.5, 0.5)
) -> Interval:
    """Estimate the error rate with an interval that holds at every look and after any stopping, all at once.

    The set of p whose Beta(`prior`)-mixture likelihood ratio stays below 1 / (1 − level); by Ville's inequality the
    whole sequence misses the rate with probability at most 1 − level. Counts up to 10⁹.
    Robbins (1970), Ann. Math. Statist. 41:1397–1409; Waudby-Smith & Ramdas (2024), JRSS B 86:1–27.
    """
    errors, runs = require_errors(errors, runs)
    level, prior = require_open_share("level", level), require_prior(prior)
    low, high = _sequence_limits(errors, runs, level, prior) if runs else (0.0, 1.0)
    return Interval(
        estimate=errors / runs if runs else None,
        low=low,
        high=high,
        level=level,
        method="confidence-sequence",
        errors=errors,
        runs=runs,
        notes=() if runs else (Note.NO_RUNS,),
    )


def clean_runs_to_sequence_bound(bound: float, level: float = 0.95) -> int:
    """Return how many runs without any error put the upper end of the confidence sequence at or below `bound`."""
    bound = require_open_share("bound", bound)
    runs = range(1, MAX_COUNT)
    found = bisect_left(runs, True, key=lambda n: confidence_sequence(0, n, level).high <= bound)
    return runs[found]


def confidence_sequence_path(
    outcomes: Sequence[Any], level: float = 0.95, prior: tuple[float, float] = (0.5, 0.5)
) -> list[Interval]:
    """Return the confidence sequence after each of the outcomes (1 or True = error), in their order."""
    path, errors = [], 0
    for runs, outcome in enumerate(_require_outcomes("outcomes", outcomes), start=1):
        errors += outcome
        path.append(confidence_sequence(errors, runs, level, prior))
    return path


def e_value_above(errors: int, runs: int, threshold: float, prior: tuple[float, float] = (0.5, 0.5)) -> float:
    """Return the evidence, in betting units, against "the error rate is at most `threshold`".

    Its mean is at most 1 under that hypothesis at any stopping time; 1 / e is an anytime-valid p-value. Beyond the
    floating range it is inf: use the logarithm. Ramdas, Grünwald, Vovk & Shafer (2023), Statistical Science 38:576–601.
    """
    return exponentiate(log_e_value_above(errors, runs, threshold, prior))


def e_value_below(errors: int, runs: int, threshold: float, prior: tuple[float, float] = (0.5, 0.5)) -> float:
    """Return the evidence, in betting units, against "the error rate is at least `threshold`"."""
    return exponentiate(log_e_value_below(errors, runs, threshold, prior))


def log_e_value_above(
    errors: int, runs: int, threshold: float, prior: tuple[float, float] = (0.5, 0.5)
) -> float:
    """Return the natural logarithm of `e_value_above`: the prior is truncated to rates over the threshold."""
    errors, runs = require_errors(errors, runs)
    threshold, (a, b) = require_open_share("threshold", threshold), require_prior(prior)
    gain = log_upper_tail(threshold, a + errors, b + runs - errors) - log_upper_tail(threshold, a, b)
    return gain + _log_mixture_ratio(errors, runs, threshold, (a, b))


def log_e_value_below(
    errors: int, runs: int, threshold: float, prior: tuple[float, float] = (0.5, 0.5)
) -> float:
    """Return the natural logarithm of `e_value_below`: the prior is truncated to rates under the threshold."""
    errors, runs = require_errors(errors, runs)
    threshold, (a, b) = require_open_share("threshold", threshold), require_prior(prior)
    gain = log_lower_tail(threshold, a + errors, b + runs - errors) - log_lower_tail(threshold, a, b)
    return gain + _log_mixture_ratio(errors, runs, threshold, (a, b))


def two_arm_e_value(outcomes_a: Sequence[Any], outcomes_b: Sequence[Any]) -> float:
    """Return the evidence, in betting units, against "both arms have the same error rate"; inf beyond the range.

    The arms run in blocks of one run each, so the outcomes (1 or True = error) have equal lengths.
    Turner, Ly & Grünwald (2024), Journal of Statistical Planning and Inference 230:106116.
    """
    return exponentiate(log_two_arm_e_value(outcomes_a, outcomes_b))


def log_two_arm_e_value(outcomes_a: Sequence[Any], outcomes_b: Sequence[Any]) -> float:
    """Return the natural logarithm of `two_arm_e_value`: each arm is predicted from its past blocks alone."""
    arm_a, arm_b = _require_outcomes("outcomes_a", outcomes_a), _require_outcomes("outcomes_b", outcomes_b)
    if len(arm_a) != len(arm_b):
        raise ValueError(f"outcomes_b: {len(arm_b)} outcomes, but outcomes_a has {len(arm_a)}")
    log_e, errors_a, errors_b = 0.0, 0, 0
    for block, (a, b) in enumerate(zip(arm_a, arm_b, strict=True)):
        rate_a, rate_b = (errors_a + 0.5) / (block + 1), (errors_b + 0.5) / (block + 1)
        shared = (rate_a + rate_b) / 2
        log_e += _log_chance(a, rate_a) - _log_chance(a, shared)
        log_e += _log_chance(b, rate_b) - _log_chance(b, shared)
        errors_a, errors_b = errors_a + a, errors_b + b
    return log_e


def _sequence_limits(errors: int, runs: int, level: float, prior: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of {p : log mixture ratio at p < log 1/(1 − level)}."""
    a, b = prior
    clean = runs - errors
    at_best = sum(count * math.log(count / runs) for count in (errors, clean) if count)
    budget = -math.log(1.0 - level) + at_best - log_beta(a + errors, b + clean) + log_beta(a, b)
    low = math.exp(_log_root_below(errors, clean, budget)) if errors else 0.0
    high = -math.expm1(_log_root_below(clean, errors, budget)) if clean else 1.0
    return low, high


def _log_root_below(hits: int, others: int, budget: float) -> float:
    """Return log p for the p under the observed share where the log-likelihood has fallen by `budget` (> 0).

    In u = log p the fall is convex, so Newton's method from a point left of the root climbs to it without overshoot.
    """
    runs = hits + others
    top = math.log(hits / runs)
    rest = others * math.log(others / runs) if others else 0.0
    log_p = top + (rest - budget) / hits
    for _ in range(100):
        p = math.exp(log_p)
        fall = hits * (top - log_p) + rest - others * math.log1p(-p)
        step = (fall - budget) / (hits - others * p / (1.0 - p))
        log_p += step
        if step <= 1e-14 * abs(log_p):
            break
    return min(log_p, top)


def _log_mixture_ratio(errors: int, runs: int, threshold: float, prior: tuple[float, float]) -> float:
    """Return the log of the mixture likelihood over the likelihood at the threshold."""
    a, b = prior
    mixture = log_beta(a + errors, b + runs - errors) - log_beta(a, b)
    return mixture - errors * math.log(threshold) - (runs - errors) * math.log1p(-threshold)


def _log_chance(outcome: int, rate: float) -> float:
    return math.log(rate if outcome else 1.0 - rate)


def _require_outcomes(name: str, outcomes: Sequence[Any]) -> list[int]:
    """Return the outcomes as 0 and 1; anything else is no outcome."""
    checked = []
    for outcome in outcomes:
        if outcome not in (0, 1):
            raise ValueError(f"{name}: {outcome!r} is neither 0 nor 1")
        checked.append(int(outcome))
    return checked
