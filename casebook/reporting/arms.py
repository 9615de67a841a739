"""An arm of a test as the report prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

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
from casebook.reporting.drawings import (
    Render,
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
    ZeroLine,
    list_counts,
    list_groups,
    list_identity,
    list_intervals,
    list_sampling,
    list_zero_lines,
)
from casebook.reporting.reasons import write_reason
from casebook.reporting.variety import has_drifted, write_drift, write_variety
from casebook.reporting.words import NOTES, say

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ArmView:
    """An arm as the report prints it: sentences and numbers written out, figures drawn."""

    number: int
    name: str
    is_primary: bool
    sampling: tuple[Row, ...]
    finding: str
    k_of_n: str
    interval: str
    decision: tuple[str, ...]
    ended: str
    reason: str
    counts: tuple[Row, ...]
    sentences: tuple[str, ...]
    intervals: tuple[IntervalLine, ...]
    notes: tuple[str, ...]
    zero: tuple[str, ...]
    zero_lines: tuple[ZeroLine, ...]
    interval_figure: SafeString | None
    sequence_figure: SafeString | None
    outcomes_figure: SafeString
    groups_figure: SafeString | None
    groups_note: str
    groups: tuple[GroupLine, ...]
    variety: tuple[str, ...]
    drift: str
    has_drifted: bool
    audit: tuple[str, ...]
    audit_note: str  # why the audit could not be made as planned
    identity_sentences: tuple[str, ...]
    identity: tuple[Row, ...]


def build_arm(arm: Document, ended_as: str, numbers: NumberWriter, render: Render = draw_once) -> ArmView:
    """The view of one entry of the result's `arms`; `ended_as` tells how the whole test ended."""
    return ArmView(
        number=arm["position"] + 1,
        name=say_arm(arm["name"]),
        is_primary=arm["purpose"] == "primary",
        sampling=list_sampling(arm["sampling"], numbers),
        finding=write_finding(arm, numbers),
        k_of_n=write_counts(arm, numbers),
        interval=write_interval(arm, ended_as, numbers),
        decision=write_decision(arm, numbers),
        ended=write_ending(arm, ended_as, numbers),
        reason="" if arm["stop"]["kind"] == "rule" else write_reason(arm["stop"]["reason"], numbers),
        counts=list_counts(arm, numbers),
        sentences=write_details(arm, numbers),
        intervals=list_intervals(arm, numbers),
        notes=tuple(say(NOTES, note) for note in _notes(arm)),
        zero=write_zero(arm, numbers),
        zero_lines=list_zero_lines(arm, numbers),
        interval_figure=draw_interval_of(arm, numbers, f"arm{arm['position']}-interval", render),
        sequence_figure=draw_sequence_of(arm, numbers, render),
        outcomes_figure=draw_outcomes_of(arm, numbers, render),
        groups_figure=draw_groups_of(arm, numbers, render),
        groups_note=write_groups(arm, numbers),
        groups=list_groups(arm, numbers),
        variety=write_variety(arm, numbers),
        drift=write_drift(arm, numbers),
        has_drifted=has_drifted(arm),
        audit=write_audit(arm["audit"], arm["cache"], numbers),
        audit_note=write_reason(arm["audit"].get("note", ""), numbers),
        identity_sentences=write_identity(arm["identity"], numbers),
        identity=list_identity(arm),
    )


def _notes(arm: Document) -> list[str]:
    intervals = [arm["interval"], arm["worst_case"]]
    return list(dict.fromkeys(note for interval in intervals if interval for note in interval["notes"]))
