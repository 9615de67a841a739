"""The whole pipeline against endpoints whose share of errors is known: does the interval hold what it promises?

Every repetition is a complete test: a protocol is locked, its seeds follow from its hash, a scripted endpoint answers,
a detector labels, the rule stops, the result is computed and sealed. What is read is the result document alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ensemble import states
from ensemble.models import Endpoint, Experiment
from ensemble.protocol import Arm, Message, Protocol, Purpose, Sampling, StoppingRule
from ensemble.runner import Next, work_on
from ensemble.stats.designs import OFFERED_PLANS
from ensemble.stats.interval import Interval
from ensemble.stats.proportion import clopper_pearson

KNOWN_SHARES = tuple(Decimal(text) for text in ("0", "0.01", "0.05", "0.3", "0.5", "0.9", "1"))
DETECTOR = {
    "kind": "text", "match": "starts with", "error_phrases": ["yes"], "correct_phrases": ["no"],
    "otherwise": "unclear", "ignore_case": True, "fold_yo": True, "whole_words": True,
}  # fmt: skip
ENDPOINT = "validation {share}"


def rule_of(mode: str) -> StoppingRule:
    """The stopping rule that stands for a mode: 50 runs; ±10 points; at most 300 runs against a threshold of 10 %."""
    if mode == "fixed":
        return StoppingRule(kind="fixed", runs=50)
    if mode == "anytime":
        return StoppingRule(kind="anytime", max_runs=300, threshold=Decimal("0.1"))
    plan = OFFERED_PLANS[2]  # ±10 points at 95 %
    return StoppingRule(
        kind="precision",
        half_width=Decimal(repr(plan.half_width)),
        alpha=Decimal(repr(plan.alpha)),
        min_coverage=Decimal(repr(plan.min_coverage)),
        min_coverage_at=Decimal(repr(plan.min_coverage_at)),
        min_runs=plan.min_runs,
        check_every=plan.check_every,
        max_runs=plan.max_runs,
    )


MODES = ("fixed", "precision", "anytime")


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """What one test found."""

    covered: bool
    runs: int
    finding: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """All repetitions of one mode at one known share."""

    mode: str
    share: Decimal
    tests: int
    covered: int
    coverage: Interval  # exact interval of the share of tests whose interval covered the truth
    mean_runs: float
    more: int
    less: int
    milliseconds_per_run: float


def validate(
    repetitions: int, modes: Sequence[str] = MODES, shares: Sequence[Decimal] = KNOWN_SHARES
) -> Iterator[Line]:
    """One line per mode and share, each from `repetitions` complete tests on the current database."""
    for mode in modes:
        rule = rule_of(mode)
        for share in shares:
            endpoint = _prepare_endpoint(share)
            started = time.perf_counter()
            found = [_repeat(rule, endpoint, share, number) for number in range(repetitions)]
            elapsed = time.perf_counter() - started
            yield _summarise(mode, share, found, elapsed)


def _prepare_endpoint(share: Decimal) -> Endpoint:
    answers = [{"text": "Yes.", "share": str(share)}, {"text": "No.", "share": str(1 - share)}]
    name = ENDPOINT.format(share=share)
    values = {
        "backend": "scripted",
        "model": "script",
        "concurrency": 4,
        "options": {"distribution": answers},
    }
    return Endpoint.objects.update_or_create(name=name, defaults=values)[0]


def _repeat(rule: StoppingRule, endpoint: Endpoint, share: Decimal, number: int) -> Repetition:
    arm = Arm(
        name="validation",
        purpose=Purpose.PRIMARY,
        endpoint=endpoint.name,
        backend=endpoint.backend,
        model=endpoint.model,
        messages=(Message(role="user", content="Is it so?"),),
        sampling=Sampling(),
    )
    # The audit repeats seeds and says nothing about the interval. The number gives each protocol seeds of its own.
    protocol = Protocol(
        arms=(arm,),
        detector=DETECTOR,
        refusal_phrases=(),
        stopping=rule,
        audit_minimum=0,
        audit_share=Decimal(0),
        notes=(f"repetition {number}",),
    )
    experiment = Experiment.objects.create(title=endpoint.name, operator="validation")
    states.lock_protocol(experiment, protocol, by="validation")
    while work_on(experiment, "validation") != Next.NOTHING:
        experiment = Experiment.objects.get(pk=experiment.pk)
    result = Experiment.objects.get(pk=experiment.pk).latest_result()
    if result is None:
        raise RuntimeError(f"a validation test was not sealed: {experiment}")
    found = result.document["arms"][0]
    covered = found["interval"]["low"] <= float(share) <= found["interval"]["high"]
    finding = found["decision"]["finding"] if found["decision"] else ""
    return Repetition(covered=covered, runs=found["runs"], finding=finding)


def _summarise(mode: str, share: Decimal, found: Sequence[Repetition], elapsed: float) -> Line:
    covered, runs = sum(test.covered for test in found), sum(test.runs for test in found)
    return Line(
        mode=mode,
        share=share,
        tests=len(found),
        covered=covered,
        coverage=clopper_pearson(covered, len(found)),
        mean_runs=runs / len(found),
        more=sum(test.finding == "more" for test in found),
        less=sum(test.finding == "less" for test in found),
        milliseconds_per_run=1000 * elapsed / max(1, runs),
    )
