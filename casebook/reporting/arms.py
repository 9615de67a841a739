"""An arm of a test as the report prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.claims import (
    write_audit,
    write_counts,
    write_decision,
    write_details,
    write_ending,
    write_finding,
    write_groups,
    write_identity,
    write_interval,
    write_zero,
)
from casebook.reporting.clusters import is_in_clusters
from casebook.reporting.drawings import (
    Render,
    draw_audit_of,
    draw_groups_of,
    draw_interval_of,
    draw_once,
    draw_outcomes_of,
    draw_sequence_of,
)
from casebook.reporting.lines import (
    GroupLine,
    IntervalLine,
    Row,
    SequenceLine,
    ZeroLine,
    list_counts,
    list_groups,
    list_identity,
    list_intervals,
    list_sampling,
    list_sequence,
    list_zero_lines,
    name_zero_count,
)
from casebook.reporting.reasons import quote_reason
from casebook.reporting.variety import has_drifted, write_drift, write_variety
from casebook.reporting.words import NOTES, say

Document = Mapping[str, Any]

FLAGGED_SHARE = 0.05  # of runs without a label: the engine's note names it


@dataclass(frozen=True, kw_only=True)
class ArmView:
    """An arm as the report prints it: sentences and numbers written out, figures drawn."""

    number: int
    name: str
    is_primary: bool
    is_in_clusters: bool  # shown with the other paraphrases or days
    sampling: tuple[Row, ...]
    finding: str
    k_of_n: str
    interval: str
    decision: tuple[str, ...]
    ended: str
    ended_early: bool  # without its rule having been met
    reason: str
    counts: tuple[Row, ...]
    sentences: tuple[str, ...]
    intervals: tuple[IntervalLine, ...]
    notes: tuple[str, ...]
    zero: tuple[str, ...]
    zero_lines: tuple[ZeroLine, ...]
    zero_count: str
    interval_figure: SafeString | None
    sequence_figure: SafeString | None
    sequence: tuple[SequenceLine, ...]  # the numbers of that figure, at a few points
    outcomes_figure: SafeString
    groups_figure: SafeString | None
    groups_note: str
    groups: tuple[GroupLine, ...]
    has_every_answer: bool  # none left out of `groups`, none cut
    variety: tuple[str, ...]
    drift: str
    has_drifted: bool
    audit: tuple[str, ...]
    audit_figure: SafeString | None
    audit_note: str  # why the audit could not be made as planned
    identity_sentences: tuple[str, ...]
    identity: tuple[Row, ...]  # empty where an earlier arm has the same
    identity_shared: str  # for which later arms it is the same


def build_arms(result: Document, numbers: NumberWriter) -> tuple[ArmView, ...]:
    """The views of every arm of a result; what arms share of the identity of their model stands with the first."""
    arms = [build_arm(arm, result["experiment"]["ended_as"], numbers) for arm in result["arms"]]
    alike: dict[tuple[Row, ...], list[int]] = {}
    for arm in arms:
        alike.setdefault(arm.identity, []).append(arm.number)
    return tuple(
        replace(arm, identity_shared=_write_shared(alike[arm.identity][1:], numbers))
        if arm.number == alike[arm.identity][0]
        else replace(arm, identity=())
        for arm in arms
    )


def _write_shared(others: list[int], numbers: NumberWriter) -> str:
    if not others:
        return ""
    said = (
        gettext("The same for arms %(arms)s.") if len(others) > 1 else gettext("The same for arm %(arms)s.")
    )
    return said % {"arms": _write_ranges(others, numbers)}


def _write_ranges(found: list[int], numbers: NumberWriter) -> str:
    """Ascending whole numbers, three in a row or more as a range: 2–10, 12, 13."""
    rows: list[list[int]] = []
    for number in found:
        if rows and rows[-1][-1] == number - 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    ranges = (
        [f"{numbers.write_count(row[0])}–{numbers.write_count(row[-1])}"]
        if len(row) > 2
        else map(numbers.write_count, row)
        for row in rows
    )
    return ", ".join(chain.from_iterable(ranges))


def build_arm(arm: Document, ended_as: str, numbers: NumberWriter, render: Render = draw_once) -> ArmView:
    """The view of one entry of the result's `arms`; `ended_as` tells how the whole test ended."""
    groups = list_groups(arm, numbers)
    return ArmView(
        **_draw_figures(arm, numbers, render),
        number=arm["position"] + 1,
        name=say_arm(arm["name"]),
        is_primary=arm["purpose"] == "primary",
        is_in_clusters=is_in_clusters(arm),
        sampling=list_sampling(arm["sampling"], numbers),
        finding=write_finding(arm, numbers),
        k_of_n=write_counts(arm, numbers),
        interval=write_interval(arm, ended_as, numbers),
        decision=write_decision(arm, numbers),
        ended=write_ending(arm, ended_as, numbers),
        ended_early=arm["stop"]["kind"] not in ("", "rule"),
        reason="" if arm["stop"]["kind"] == "rule" else quote_reason(arm["stop"]["reason"], numbers),
        counts=list_counts(arm, numbers),
        sentences=write_details(arm, numbers),
        intervals=list_intervals(arm, numbers),
        notes=tuple(_write_note(note, numbers) for note in _notes(arm)),
        zero=write_zero(arm, numbers),
        zero_lines=list_zero_lines(arm, numbers),
        zero_count=name_zero_count(arm),
        sequence=list_sequence(arm, numbers),
        groups_note=write_groups(arm, numbers),
        groups=groups,
        has_every_answer=len(groups) == arm["groups_total"] and not any(line.cut_note for line in groups),
        variety=write_variety(arm, numbers),
        drift=write_drift(arm, numbers),
        has_drifted=has_drifted(arm),
        audit=write_audit(arm["audit"], arm["cache"], numbers),
        audit_note=quote_reason(arm["audit"].get("note", ""), numbers),
        identity_sentences=write_identity(arm["identity"], numbers),
        identity=list_identity(arm),
        identity_shared="",
    )


def _draw_figures(arm: Document, numbers: NumberWriter, render: Render) -> dict[str, Any]:
    return {
        "interval_figure": draw_interval_of(arm, numbers, f"arm{arm['position']}-interval", render),
        "sequence_figure": draw_sequence_of(arm, numbers, render),
        "outcomes_figure": draw_outcomes_of(arm, numbers, render),
        "groups_figure": draw_groups_of(arm, numbers, render),
        "audit_figure": draw_audit_of(arm, numbers, render),
    }


def _notes(arm: Document) -> list[str]:
    intervals = [arm["interval"], arm["worst_case"]]
    return list(dict.fromkeys(note for interval in intervals if interval for note in interval["notes"]))


def _write_note(note: str, numbers: NumberWriter) -> str:
    """A note beside an interval; one that we do not know is printed as it is stored, whatever signs it holds."""
    said = say(NOTES, note)
    return said.replace("%(share)s", numbers.write_level(FLAGGED_SHARE))
