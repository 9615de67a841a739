"""The arms of a test as its page shows them, while it runs and when it is sealed, and its latest answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casebook.figures import draw_both_widths
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.arms import ArmView, build_arm
from casebook.reporting.claims import (
    write_finding,
    write_running,
    write_running_groups,
    write_telling_details,
)
from casebook.reporting.clusters import ClustersView, build_clusters
from casebook.reporting.comparisons import ComparisonsView, build_comparisons
from ensemble.models import ArmProgress, Experiment, Run, SealedResult
from ensemble.protocol import Purpose

LATEST_ANSWERS = 5
MOST_WHOLE_ARMS = 3  # of more, those beside the primary one are lines until the result is sealed, then folded
IDLE_PAUSE = 30  # seconds between two looks at a test that waits for another day
QUICKEST_PAUSE = 2
RUNS_PER_SECOND_OF_PAUSE = 2_500  # reading so many runs takes about a tenth of a second


@dataclass(frozen=True, kw_only=True)
class ArmLine:
    """What the line of an arm says of it, from its counts alone."""

    number: int
    name: str
    finding: str


@dataclass(frozen=True, kw_only=True)
class ArmOnPage:
    """An arm as its test's page shows it; while the test runs, `so_far` and `sequence` stand in for the finding.

    One that `is_folded` beside a result that is not sealed yet has a line and nothing more.
    """

    view: ArmView | ArmLine
    is_folded: bool
    so_far: str
    sequence: str
    level: str
    details: tuple[str, ...]  # beneath the outcomes; none before the result is sealed
    groups_note: str


@dataclass(frozen=True, kw_only=True)
class LatestAnswer:
    run: Run
    arm_name: str


def view_arms(experiment: Experiment, result: SealedResult | None, numbers: NumberWriter) -> list[ArmOnPage]:
    """The arms of a test: from its sealed result, or from what is finished so far."""
    if result is not None:
        arms = result.document["arms"]
        return [_view_arm(experiment, arm, numbers, is_sealed=True, among=len(arms)) for arm in arms]
    from ensemble.results import arm_result

    found = list(experiment.arms.all())
    return [
        _view_line(experiment, arm, numbers)
        if _is_folded(experiment.protocol.arms[arm.position].purpose, len(found))
        else _view_arm(experiment, arm_result(experiment, arm), numbers, is_sealed=False, among=len(found))
        for arm in found
    ]


def choose_pause(experiment: Experiment, *, is_idle: bool) -> int:
    """Seconds until the page of a test asks again: the longer, the more runs each look has to read."""
    if is_idle:
        return IDLE_PAUSE
    read = max((arm.prefix for arm in experiment.arms.all()), default=0)
    return min(IDLE_PAUSE, QUICKEST_PAUSE + read // RUNS_PER_SECOND_OF_PAUSE)


def _is_folded(purpose: str, arms: int) -> bool:
    return arms > MOST_WHOLE_ARMS and purpose != Purpose.PRIMARY


def view_differences(result: SealedResult | None, numbers: NumberWriter) -> ComparisonsView | None:
    """The arms against the primary one; none before the result is sealed."""
    return build_comparisons(result.document, numbers, draw_both_widths) if result is not None else None


def view_clusters(result: SealedResult | None, numbers: NumberWriter) -> tuple[ClustersView, ...]:
    """Paraphrases and days together; none before the result is sealed."""
    return build_clusters(result.document, numbers, draw_both_widths) if result is not None else ()


def _view_arm(
    experiment: Experiment, arm: dict[str, Any], numbers: NumberWriter, *, is_sealed: bool, among: int
) -> ArmOnPage:
    so_far, sequence = write_running(arm, arm["stopping"]["kind"], numbers)
    view = build_arm(arm, experiment.ended_as, numbers, draw_both_widths)
    return ArmOnPage(
        view=view,
        is_folded=_is_folded(arm["purpose"], among),
        so_far=so_far,
        sequence=sequence,
        level=numbers.write_level(float(experiment.protocol.stopping.level)),
        details=write_telling_details(arm, numbers) if is_sealed else (),
        groups_note=view.groups_note if is_sealed else write_running_groups(arm, numbers),
    )


def _view_line(experiment: Experiment, progress: ArmProgress, numbers: NumberWriter) -> ArmOnPage:
    from ensemble.results import arm_standing

    arm = arm_standing(experiment, progress)
    so_far, sequence = write_running(arm, arm["stopping"]["kind"], numbers)
    line = ArmLine(number=arm["position"] + 1, name=say_arm(arm["name"]), finding=write_finding(arm, numbers))
    return ArmOnPage(
        view=line, is_folded=True, so_far=so_far, sequence=sequence, level="", details=(), groups_note=""
    )


def latest_answers(experiment: Experiment) -> list[LatestAnswer]:
    """The answers that arrived last, the newest first."""
    names = [say_arm(arm["name"]) for arm in experiment.protocol_document["arms"]]
    rows = experiment.runs.counted().finished().order_by("-pk")[:LATEST_ANSWERS]
    return [LatestAnswer(run=run, arm_name=names[run.arm]) for run in rows]
