"""When an arm's locked stopping rule is met, and which interval then is its headline."""

from __future__ import annotations

from functools import lru_cache

from ensemble.protocol import StoppingRule
from ensemble.stats.interval import Interval
from ensemble.stats.proportion import clopper_pearson
from ensemble.stats.sequential import PrecisionPlan


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
    return runs > 0 and plan_of(rule).stops(errors, runs)


def headline_interval(rule: StoppingRule, errors: int, runs: int) -> Interval:
    """The interval of a test that ended by its rule: the one the rule was designed for."""
    if rule.kind == "fixed":
        return clopper_pearson(errors, runs, float(rule.level))
    return plan_of(rule).interval(errors, runs)


def missing_runs(rule: StoppingRule, runs: int) -> int:
    """A lower bound, as far as it is known beforehand, of the labelled runs still needed."""
    target = rule.runs if rule.kind == "fixed" else rule.min_runs
    return max(0, target - runs)
