"""How many runs a test needs by each stopping rule: for a width, for a bound after no error, to tell two arms apart."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from casebook.effort import Pace, count_calls
from casebook.experiments import (
    DEFAULT_ANYTIME_RUNS,
    LARGEST_ANYTIME_RUNS,
    LARGEST_FIXED_RUNS,
    LEAST_ANYTIME_RUNS,
    LEAST_THRESHOLD,
)
from ensemble.models import Endpoint
from ensemble.protocol import StoppingRule, decimal_text
from ensemble.stats.designs import OFFERED_PLANS
from ensemble.stats.fisher_exact import runs_per_arm
from ensemble.stats.proportion import clean_runs_to_bound, runs_for_half_width
from ensemble.stats.sequence_runs import clean_runs_to_decision, runs_per_arm_by_sequences, wait_for_width
from ensemble.stats.sequential import PrecisionPlan, clean_runs_to_sequence_bound

TRUE_SHARES = (0.0, 0.05, 0.3, 0.5, 0.9, 1.0)
LOCKED_LEVEL = float(StoppingRule(kind="fixed").level)  # of every rule but planned precision
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class WidthQuestion:
    """To know the share of errors to ± `half_width`, itself a share, in an interval of this level."""

    half_width: Decimal
    level: Decimal


@dataclass(frozen=True, kw_only=True)
class BoundQuestion:
    """To know, after runs without any error, that the share of errors is at most `bound`."""

    bound: Decimal
    level: Decimal


@dataclass(frozen=True, kw_only=True)
class ArmsQuestion:
    """To show, with a chance of `power`, that arms with these true shares of errors differ."""

    share_a: Decimal
    share_b: Decimal
    power: Decimal
    level: Decimal


Question = WidthQuestion | BoundQuestion | ArmsQuestion


@dataclass(frozen=True, kw_only=True)
class RuleAnswer:
    """What one kind of rule takes, in labelled runs of an arm.

    `runs` is the number asked for, for a width the most that can be needed; None: no rule of this kind does it.
    `expected` holds (true share, mean number of runs). `reached` is the end of the interval after no error; unless the
    rule `suits`, it lies above the bound that was asked for.
    """

    rule: str  # "fixed", "precision", "anytime", or "threshold": anytime with a decision against the bound
    runs: int | None
    expected: tuple[tuple[float, float], ...] = ()
    plan: PrecisionPlan | None = None
    reached: float | None = None
    suits: bool = True
    stopping: dict[str, Any] | None = None  # as a draft holds it; None when the editor cannot plan this


@dataclass(frozen=True, kw_only=True)
class Outlay:
    """What runs take with their audit; None where nothing was measured, `cost` also where no price is set."""

    seconds: float | None = None
    tokens: float | None = None
    cost: Decimal | None = None


def answer_question(question: Question) -> tuple[RuleAnswer, ...]:
    """One answer for each kind of stopping rule."""
    if isinstance(question, WidthQuestion):
        return _answer_width(question)
    return _answer_bound(question) if isinstance(question, BoundQuestion) else _answer_arms(question)


def _answer_width(question: WidthQuestion) -> tuple[RuleAnswer, ...]:
    width, level = float(question.half_width), float(question.level)
    fixed = runs_for_half_width(width, level)
    plan = max(
        (plan for plan in _list_plans(level) if plan.half_width <= width),
        key=lambda plan: plan.half_width,
        default=None,
    )
    return (
        RuleAnswer(
            rule="fixed",
            runs=fixed,
            expected=tuple((p, float(fixed)) for p in TRUE_SHARES),
            stopping=_plan_fixed(fixed, level),
        ),
        RuleAnswer(
            rule="precision",
            runs=plan.max_runs if plan else None,
            expected=tuple((p, plan.expected_runs(p)) for p in TRUE_SHARES) if plan else (),
            plan=plan,
            stopping=_plan_precision(plan),
        ),
        _answer_anytime_width(width, level),
    )


def _answer_anytime_width(width: float, level: float) -> RuleAnswer:
    try:
        wait = wait_for_width(width, level)
    except ValueError:  # the form lets only widths through, so this one is too narrow
        return RuleAnswer(rule="anytime", runs=None)
    expected = tuple((p, wait.expected_runs(p)) for p in TRUE_SHARES)
    return RuleAnswer(
        rule="anytime",
        runs=wait.max_runs,
        expected=expected,
        stopping=_plan_anytime(wait.max_runs, level, half_width=width),
    )


def _answer_bound(question: BoundQuestion) -> tuple[RuleAnswer, ...]:
    bound, level = float(question.bound), float(question.level)
    fixed = clean_runs_to_bound(bound, level)
    sequence, decision = clean_runs_to_sequence_bound(bound, level), clean_runs_to_decision(bound, level)
    room = max(DEFAULT_ANYTIME_RUNS, 2 * decision)  # an error or two make the decision longer
    return (
        RuleAnswer(rule="fixed", runs=fixed, reached=bound, stopping=_plan_fixed(fixed, level)),
        _answer_precision_bound(bound, level),
        _limit(RuleAnswer(rule="anytime", runs=sequence, stopping=_plan_anytime(sequence, level))),
        _limit(
            RuleAnswer(
                rule="threshold",
                runs=decision,
                stopping=_plan_anytime(min(room, LARGEST_ANYTIME_RUNS), level, question.bound),
            )
        ),
    )


def _answer_precision_bound(bound: float, level: float) -> RuleAnswer:
    """The widest plan that gets below the bound without an error; the narrowest one when none does."""
    stops = [(plan, *_stop_without_error(plan)) for plan in _list_plans(level)]
    enough = [stop for stop in stops if stop[2] <= bound]
    plan, runs, reached = (min if enough else max)(enough or stops, key=lambda stop: stop[1])
    return RuleAnswer(
        rule="precision",
        runs=runs,
        plan=plan,
        reached=reached,
        suits=bool(enough),
        stopping=_plan_precision(plan) if enough else None,
    )


def _stop_without_error(plan: PrecisionPlan) -> tuple[int, float]:
    """The runs after which the plan stops when no error occurs, and the upper end of its interval then."""
    runs = next(runs for runs in range(plan.min_runs, plan.max_runs + 1) if plan.stops(0, runs))
    return runs, plan.interval(0, runs).high


def _answer_arms(question: ArmsQuestion) -> tuple[RuleAnswer, ...]:
    shares = (float(question.share_a), float(question.share_b))
    level = float(question.level)
    fixed = count_runs_per_arm(*shares, float(question.power), float(1 - question.level))
    try:
        sequences = runs_per_arm_by_sequences(*shares, float(question.power), level)
    except ValueError:  # the form lets only shares that differ through, so these are too near
        sequences = None
    return (
        RuleAnswer(rule="fixed", runs=fixed, stopping=_plan_fixed(fixed, level)),
        RuleAnswer(rule="precision", runs=None),
        RuleAnswer(rule="anytime", runs=sequences, stopping=_plan_anytime(sequences, level)),
    )


@lru_cache(maxsize=64)
def count_runs_per_arm(share_a: float, share_b: float, power: float, alpha: float) -> int | None:
    """As `runs_per_arm`, which takes seconds for shares that are near; None when too many runs were needed."""
    try:
        return runs_per_arm(share_a, share_b, power, alpha)
    except ValueError:
        return None


def _list_plans(level: float) -> list[PrecisionPlan]:
    return [plan for plan in OFFERED_PLANS if plan.level == level]


def _limit(answer: RuleAnswer) -> RuleAnswer:
    """Without an answer where a test of this kind cannot have so many runs."""
    is_possible = answer.runs is not None and answer.runs <= LARGEST_ANYTIME_RUNS
    return answer if is_possible else RuleAnswer(rule=answer.rule, runs=None)


def _plan_fixed(runs: int | None, level: float) -> dict[str, Any] | None:
    if runs is None or runs > LARGEST_FIXED_RUNS or level != LOCKED_LEVEL:
        return None
    return {"kind": "fixed", "runs": runs}


def _plan_precision(plan: PrecisionPlan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {
        "kind": "precision",
        "half_width": decimal_text(plan.half_width),
        "level": decimal_text(plan.level),
    }


def _plan_anytime(
    runs: int | None, level: float, threshold: Decimal | None = None, *, half_width: float = 0.0
) -> dict[str, Any] | None:
    if runs is None or level != LOCKED_LEVEL or (threshold is not None and threshold < LEAST_THRESHOLD):
        return None
    return {
        "kind": "anytime",
        "max_runs": max(runs, LEAST_ANYTIME_RUNS),
        "threshold": "" if threshold is None else decimal_text(threshold),
        "half_width": decimal_text(half_width) if half_width else "",
    }


def estimate_outlay(runs: float, arms: int, pace: Pace | None, endpoint: Endpoint | None) -> Outlay:
    """The time, tokens and cost of `runs` labelled runs in each of `arms` arms, every answer having a label."""
    if pace is None or endpoint is None:
        return Outlay()
    calls = count_calls(runs) * arms
    seconds = calls * pace.run_seconds
    if pace.prompt_tokens is None or pace.answer_tokens is None:
        return Outlay(seconds=seconds)
    cost = None
    if endpoint.prompt_price is not None and endpoint.answer_price is not None:
        prompt, answer = (Decimal(calls * tokens) for tokens in (pace.prompt_tokens, pace.answer_tokens))
        cost = (prompt * endpoint.prompt_price + answer * endpoint.answer_price) / MILLION
    return Outlay(seconds=seconds, tokens=calls * (pace.prompt_tokens + pace.answer_tokens), cost=cost)
