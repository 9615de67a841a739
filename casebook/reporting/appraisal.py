"""The appraisal of a result as pages and reports print it: a person's statements beside what the counts give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casebook.models.appraisals import Explanation, Finding
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.context import AppraisalFacts, ReportContext, find_primary
from casebook.reporting.drawings import Render, draw_once
from casebook.reporting.explanations import write_bearing, write_detector, write_outset
from casebook.reporting.loss import LossView, build_loss
from casebook.reporting.strength import StrengthView, build_strength
from casebook.reporting.uses import UsesView, build_uses, find_rate
from casebook.sentences import write_sentence

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ExplanationView:
    """A rival explanation: the measured facts beside it, and what a person found."""

    number: int
    name: str
    facts: tuple[str, ...]
    finding: str
    text: str


@dataclass(frozen=True, kw_only=True)
class AppraisalView:
    """Parts that were not filled in are empty; `obstacle` says why nothing can be computed."""

    version: str
    is_first: bool
    signed_by: str
    signed_at: str
    is_withdrawn: bool
    outset: tuple[str, ...]
    explanations: tuple[ExplanationView, ...]
    detector: str
    obstacle: str
    uses: UsesView | None
    strength: StrengthView | None
    loss: LossView | None
    loss_arm: str


def build_appraisal(
    context: ReportContext, numbers: NumberWriter, render: Render = draw_once
) -> AppraisalView | None:
    """The view of the context's appraisal; None where nobody made one."""
    facts = context.appraisal
    if facts is None:
        return None
    arm, is_examined = find_primary(context.result), bool(facts.explanations)
    has_rate = find_rate(arm) is not None
    return AppraisalView(
        version=numbers.write_count(facts.version),
        is_first=facts.version == 1,
        signed_by=facts.signed_by,
        signed_at=numbers.write_moment(facts.signed_at),
        is_withdrawn=not (is_examined or facts.uses or facts.threshold),
        outset=write_outset(context, numbers) if is_examined else (),
        explanations=_list_explanations(context, facts, numbers) if is_examined else (),
        detector=write_detector(context, numbers) if is_examined else "",
        obstacle=find_obstacle(arm) if facts.uses or facts.threshold else "",
        uses=build_uses(arm, facts.uses, facts.uses_source, numbers, render)
        if has_rate and facts.uses
        else None,
        strength=build_strength(arm, float(facts.threshold), numbers)
        if has_rate and facts.threshold
        else None,
        loss=_build_loss(context.result, facts, numbers),
        loss_arm=_name_arm(context.result, facts.arm),
    )


def find_obstacle(arm: Document) -> str:
    """Why no number follows from the counts of the arm; "" where some do."""
    if find_rate(arm) is not None:
        return ""
    return write_sentence("appraisal.deterministic" if arm["runs"] else "appraisal.unlabelled")


def list_payable(result: Document) -> list[tuple[int, str]]:
    """The further arms, by position and name, whose share the result compares with the primary one's."""
    return [(each["arm"], _name_arm(result, each["arm"])) for each in result.get("comparisons") or ()]


def _name_arm(result: Document, position: int | None) -> str:
    return next((say_arm(arm["name"]) for arm in result["arms"] if arm["position"] == position), "")


def _list_explanations(
    context: ReportContext, facts: AppraisalFacts, numbers: NumberWriter
) -> tuple[ExplanationView, ...]:
    """All five, those that nobody examined too."""
    bearing, found = write_bearing(context, numbers), {item.key: item for item in facts.explanations}

    def view(number: int, explanation: Explanation) -> ExplanationView:
        item = found.get(explanation.value)
        return ExplanationView(
            number=number,
            name=str(explanation.label),
            facts=bearing[explanation.value],
            finding=str(Finding(item.finding if item else Finding.UNEXAMINED).label),
            text=item.text if item else "",
        )

    return tuple(view(number, each) for number, each in enumerate(Explanation, start=1))


def _build_loss(result: Document, facts: AppraisalFacts, numbers: NumberWriter) -> LossView | None:
    compared = (each for each in result.get("comparisons") or () if each["arm"] == facts.arm)
    comparison = next(compared, None)
    if comparison is None or not (facts.uses and facts.cost):
        return None
    return build_loss(comparison, facts.uses, (facts.cost, facts.currency), numbers)
