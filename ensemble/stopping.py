"""When an arm's locked stopping rule is met, and which interval then is its headline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from ensemble.protocol import StoppingRule
from ensemble.stats.interval import Interval
from ensemble.stats.proportion import clopper_pearson
from ensemble.stats.sequential import (
    PrecisionPlan,
    confidence_sequence,
    log_e_value_above,
    log_e_value_below,
)


@lru_cache(maxsize=32)
def plan_of(rule: StoppingRule) -> PrecisionPlan:
    """The precision plan whose numbers were stored in the protocol when it was locked; nothing is recomputed."""
    return PrecisionPlan(
        half_width=float(rule.half_width),
        level=float(rule.level),
        check_every=rule.check_every,
        min_runs=rule.min_runs,
        alpha=float(rule.alpha),
        min_coverage=float(rule.min_coverage),
        min_coverage_at=float(rule.min_coverage_at),
        max_runs=rule.max_runs,
    )


def rule_is_met(rule: StoppingRule, errors: int, runs: int) -> bool:
    """Whether an arm with these counts over its longest finished prefix stops here."""
    if rule.kind == "fixed":
        return runs >= rule.runs
    if rule.kind == "anytime":
        return _anytime_is_met(rule, errors, runs)
    return runs > 0 and plan_of(rule).stops(errors, runs)


def _anytime_is_met(rule: StoppingRule, errors: int, runs: int) -> bool:
    """Any look is allowed and none costs anything: the sequence and the e-values hold at every number of runs."""
    if runs >= rule.max_runs or runs < rule.min_runs:
        return runs >= rule.max_runs
    if rule.threshold and decide(rule, errors, runs).finding != UNDECIDED:
        return True
    if not rule.half_width:
        return False
    sequence = confidence_sequence(errors, runs, float(rule.level))
    return (sequence.high - sequence.low) / 2 <= float(rule.half_width)


UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether the share of errors lies over or under the threshold of an anytime test.

    `log_e_above` is the natural logarithm of the e-value against "at most the threshold", `log_e_below` of that
    against "at least"; one of 1 / (1 − level) or more decides. Deciding wrongly has a probability of at most
    1 − level for either side, however often anybody looks.
    """

    finding: str  # "more", "less" or "undecided"
    threshold: float
    log_e_above: float
    log_e_below: float
    log_e_needed: float


def decide(rule: StoppingRule, errors: int, runs: int) -> Decision:
    """The decision against the rule's threshold; undecided before `min_runs`, whatever the e-values say."""
    threshold = float(rule.threshold)
    above, below = (f(errors, runs, threshold) for f in (log_e_value_above, log_e_value_below))
    needed = -math.log(1 - float(rule.level))
    finding = UNDECIDED
    if runs >= rule.min_runs and max(above, below) >= needed:
        finding = "more" if above > below else "less"
    return Decision(
        finding=finding, threshold=threshold, log_e_above=above, log_e_below=below, log_e_needed=needed
    )


def headline_interval(rule: StoppingRule, errors: int, runs: int) -> Interval:
    """The interval of a test that ended by its rule: the one the rule was designed for."""
    if rule.kind == "fixed":
        return clopper_pearson(errors, runs, float(rule.level))
    if rule.kind == "anytime":
        return confidence_sequence(errors, runs, float(rule.level))
    return plan_of(rule).interval(errors, runs)


def missing_runs(rule: StoppingRule, runs: int) -> int:
    """A lower bound, as far as it is known beforehand, of the labelled runs still needed."""
    target = rule.runs if rule.kind == "fixed" else rule.min_runs
    return max(0, target - runs)
