"""The appraisal of a sealed test as its pages show it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import get_language

from casebook.appraisals import find_appraisal, freeze_appraisal
from casebook.figures import draw_both_widths
from casebook.models import Appraisal, CaseTest
from casebook.report_numbers import number_writer
from casebook.reporting.appraisal import AppraisalView, build_appraisal, find_obstacle, list_payable
from casebook.reporting.context import ReportContext, find_primary
from casebook.reporting.explanations import recurs_seldom, write_bearing, write_detector, write_outset


@dataclass(frozen=True, kw_only=True)
class AppraisalOnPage:
    """`is_put_forward`: the error did not recur, or seldom, and nobody has appraised that yet."""

    view: AppraisalView | None
    version: int
    earlier: tuple[Appraisal, ...]
    is_put_forward: bool


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What the form shows beside its questions: measured facts, and the arms whose cost a difference can bear."""

    outset: tuple[str, ...]
    bearing: dict[str, tuple[str, ...]]
    detector: str
    obstacle: str
    arms: list[tuple[int, str]]


def show_appraisal(test: CaseTest, version: Appraisal | None = None) -> AppraisalOnPage | None:
    """The current appraisal, or another `version` of it; None before the result is sealed."""
    context = _collect(test)
    if context is None:
        return None
    current = version or find_appraisal(test)
    shown = replace(context, appraisal=freeze_appraisal(current))
    number = current.version if current else 0
    return AppraisalOnPage(
        view=build_appraisal(shown, number_writer(context.language), draw_both_widths),
        version=number,
        earlier=tuple(test.appraisals.filter(version__lt=number)),
        is_put_forward=current is None and recurs_seldom(find_primary(context.result)),
    )


def find_basis(test: CaseTest) -> Basis | None:
    """What the form shows beside its questions; None before the result is sealed."""
    context = _collect(test)
    if context is None:
        return None
    numbers = number_writer(context.language)
    return Basis(
        outset=write_outset(context, numbers),
        bearing=write_bearing(context, numbers),
        detector=write_detector(context, numbers),
        obstacle=find_obstacle(find_primary(context.result)),
        arms=list_payable(context.result),
    )


def _collect(test: CaseTest) -> ReportContext | None:
    """The facts of a report on the test in the reader's language: pages and reports say the same."""
    from casebook.reports import collect_facts

    result = test.experiment.latest_result()
    return None if result is None else collect_facts(test, result, language=get_language() or "en")
