"""The arms of a test as its page shows them, while it runs and when it is sealed, and its latest answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casebook.figures import draw_both_widths
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.arms import ArmView, build_arm
from casebook.reporting.claims import write_running, write_running_groups, write_telling_details
from casebook.reporting.clusters import ClustersView, build_clusters
from casebook.reporting.comparisons import ComparisonsView, build_comparisons
from ensemble.models import Experiment, Run

LATEST_ANSWERS = 5


@dataclass(frozen=True, kw_only=True)
class ArmOnPage:
    """An arm as its test's page shows it; while the test runs, `so_far` and `sequence` stand in for the finding."""

    view: ArmView
    so_far: str
    sequence: str
    level: str
    details: tuple[str, ...]  # beneath the outcomes; none before the result is sealed
    groups_note: str


@dataclass(frozen=True, kw_only=True)
class LatestAnswer:
    run: Run
    arm_name: str


def view_arms(experiment: Experiment, numbers: NumberWriter) -> list[ArmOnPage]:
    """The arms of a test: from its sealed result, or from what is finished so far."""
    result = experiment.latest_result()
    if result is not None:
        return [_view_arm(experiment, arm, numbers, is_sealed=True) for arm in result.document["arms"]]
    from ensemble.results import arm_result

    documents = [arm_result(experiment, arm) for arm in experiment.arms.all()]
    return [_view_arm(experiment, arm, numbers, is_sealed=False) for arm in documents]


def view_differences(experiment: Experiment, numbers: NumberWriter) -> ComparisonsView | None:
    """The arms against the primary one; none before the result is sealed."""
    result = experiment.latest_result()
    return build_comparisons(result.document, numbers, draw_both_widths) if result is not None else None


def view_clusters(experiment: Experiment, numbers: NumberWriter) -> tuple[ClustersView, ...]:
    """Paraphrases and days together; none before the result is sealed."""
    result = experiment.latest_result()
    return build_clusters(result.document, numbers, draw_both_widths) if result is not None else ()


def _view_arm(
    experiment: Experiment, arm: dict[str, Any], numbers: NumberWriter, *, is_sealed: bool
) -> ArmOnPage:
    so_far, sequence = write_running(arm, arm["stopping"]["kind"], numbers)
    view = build_arm(arm, experiment.ended_as, numbers, draw_both_widths)
    return ArmOnPage(
        view=view,
        so_far=so_far,
        sequence=sequence,
        level=numbers.write_level(float(experiment.protocol.stopping.level)),
        details=write_telling_details(arm, numbers) if is_sealed else (),
        groups_note=view.groups_note if is_sealed else write_running_groups(arm, numbers),
    )


def latest_answers(experiment: Experiment) -> list[LatestAnswer]:
    """The answers that arrived last, the newest first."""
    names = [say_arm(arm["name"]) for arm in experiment.protocol_document["arms"]]
    rows = experiment.runs.counted().finished().order_by("-pk")[:LATEST_ANSWERS]
    return [LatestAnswer(run=run, arm_name=names[run.arm]) for run in rows]
