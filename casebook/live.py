"""A test while it runs: how far it is, how long it will take, and its arms so far."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from casebook.figures import draw_both_widths
from casebook.models import CaseTest
from casebook.report_numbers import NumberWriter
from casebook.reporting.arms import ArmView, build_arm
from casebook.reporting.claims import write_running
from ensemble.models import ArmProgress, Experiment, Run
from ensemble.protocol import StoppingRule

RATE_WINDOW = timedelta(seconds=20)
LATEST_ANSWERS = 5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`target` is the number of labelled runs the rule asks for, or at most asks for when `is_upper_bound`."""

    done: int
    target: int
    is_upper_bound: bool
    audit_done: int
    audit_total: int
    seconds_left: float | None

    @property
    def bar(self) -> str:
        """The share that is done, as the value of a progress element: a decimal point in every language."""
        total = self.target + self.audit_total
        return f"{min(1.0, (self.done + self.audit_done) / total) if total else 0.0:.4f}"

    @property
    def minutes_left(self) -> int:
        """Whole minutes, rounded up; 0 when less than one is left."""
        seconds = self.seconds_left or 0.0
        return 0 if seconds < 60 else math.ceil(seconds / 60)


def measure_progress(experiment: Experiment) -> Progress:
    from ensemble.claims import audited_indexes

    rule = experiment.protocol.stopping
    arms = list(experiment.arms.all())
    done = sum(arm.runs for arm in arms)
    target = sum(_target_runs(rule, arm) for arm in arms)
    audit_total = sum(len(audited_indexes(experiment, arm)) for arm in arms)
    audit_done = experiment.runs.audited().finished().count()
    rate = _recent_rate(experiment)
    left = max(0, target - done) + (audit_total - audit_done)
    return Progress(
        done=done,
        target=target,
        is_upper_bound=rule.kind != "fixed" and any(not arm.is_stopped for arm in arms),
        audit_done=audit_done,
        audit_total=audit_total,
        seconds_left=left / rate if rate else None,
    )


def _target_runs(rule: StoppingRule, arm: ArmProgress) -> int:
    """Runs of the arm when it is done: known once it has stopped; a plan's maximum is only an upper bound."""
    if arm.is_stopped:
        return arm.runs
    return rule.runs if rule.kind == "fixed" else rule.max_runs


def _recent_rate(experiment: Experiment) -> float:
    """Finished runs per second over the last moments."""
    since = timezone.now() - RATE_WINDOW
    if experiment.started_at is not None:
        since = max(since, experiment.started_at)
    recent = experiment.runs.exclude(zone="exploratory").filter(recorded_at__gte=since).count()
    elapsed = (timezone.now() - since).total_seconds()
    return recent / elapsed if elapsed > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class ArmOnPage:
    """An arm as its test's page shows it; while the test runs, `so_far` and `sequence` stand in for the finding."""

    view: ArmView
    so_far: str
    sequence: str
    met_rule: bool
    audit_note: str  # why the audit could not be made


def view_arms(experiment: Experiment, numbers: NumberWriter) -> list[ArmOnPage]:
    """The arms of a test: from its sealed result, or from what is finished so far."""
    found = []
    for arm in _arm_documents(experiment):
        so_far, sequence = write_running(arm, numbers)
        found.append(
            ArmOnPage(
                view=build_arm(arm, experiment.ended_as, numbers, draw_both_widths),
                so_far=so_far,
                sequence=sequence,
                met_rule=arm["stop"]["kind"] == "rule",
                audit_note=arm["audit"]["note"],
            )
        )
    return found


def _arm_documents(experiment: Experiment) -> list[dict[str, Any]]:
    result = experiment.latest_result()
    if result is not None:
        arms: list[dict[str, Any]] = result.document["arms"]
        return arms
    from ensemble.results import arm_result

    return [arm_result(experiment, arm) for arm in experiment.arms.all()]


def latest_runs(test: CaseTest) -> list[Run]:
    rows = test.experiment.runs.counted().finished().order_by("-pk")
    return list(rows[:LATEST_ANSWERS])
