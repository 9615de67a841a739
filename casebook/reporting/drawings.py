"""The figures of an arm, drawn from the result document with the code that draws those of the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures import (
    AnswerGroup,
    ForestFigure,
    ForestRow,
    GroupsFigure,
    IntervalFigure,
    IntervalRow,
    OutcomesFigure,
    SequenceFigure,
    draw_forest,
    draw_groups,
    draw_interval,
    draw_outcomes,
    draw_sequence,
)
from casebook.report_numbers import NumberWriter
from casebook.reporting.claims import GROUPS_DRAWN, find_band, write_counts
from casebook.visible import write_plain

Document = Mapping[str, Any]

# How a figure becomes markup: `draw_once` for paper; pages give `casebook.figures.draw_both_widths`.
Render = Callable[[Callable[[Any], SafeString], Any], SafeString]


def draw_once(draw: Callable[[Any], SafeString], figure: Any) -> SafeString:
    return draw(figure)


DRAWN_CHARACTERS = 200


def draw_interval_of(
    arm: Document, numbers: NumberWriter, figure_id: str, render: Render = draw_once
) -> SafeString | None:
    """The headline interval as a picture; None where there is none to draw."""
    interval = arm["interval"]
    if interval is None or not arm["runs"]:
        return None
    band = find_band(arm)
    row = IntervalRow(
        label=gettext("share of errors"),
        estimate=interval["estimate"],
        low=interval["low"],
        high=interval["high"],
        band=(band["low"], band["high"]) if band else None,
        note=write_counts(arm, numbers),
    )
    figure = IntervalFigure(figure_id=figure_id, labels=numbers.labels, rows=(row,))
    return render(draw_interval, figure)


def draw_sequence_of(arm: Document, numbers: NumberWriter, render: Render = draw_once) -> SafeString | None:
    points: Sequence[Sequence[float]] = arm["sequence"]
    if not points or arm["deterministic"]:
        return None
    by_rule = arm["stop"]["kind"] == "rule"
    planned = arm["interval"] if arm["interval_kind"] == "planned precision" else None
    figure = SequenceFigure(
        figure_id=f"arm{arm['position']}-sequence",
        labels=numbers.labels,
        runs=[int(point[0]) for point in points],
        rate=[point[1] / point[0] for point in points],
        low=[point[2] for point in points],
        high=[point[3] for point in points],
        stopped_at=arm["runs"] if by_rule else None,
        planned=(planned["low"], planned["high"]) if planned else None,
    )
    return render(draw_sequence, figure)


def draw_outcomes_of(arm: Document, numbers: NumberWriter, render: Render = draw_once) -> SafeString:
    """What became of every call, in parts that do not overlap and add up."""
    figure = OutcomesFigure(
        figure_id=f"arm{arm['position']}-outcomes", labels=numbers.labels, **arm["outcome_parts"]
    )
    return render(draw_outcomes, figure)


def draw_groups_of(arm: Document, numbers: NumberWriter, render: Render = draw_once) -> SafeString | None:
    if not arm["groups"]:
        return None
    groups = tuple(
        AnswerGroup(
            text=write_plain(group["text"][:DRAWN_CHARACTERS]),
            count=group["count"],
            label=_group_label(group["label"]),
        )
        for group in arm["groups"][:GROUPS_DRAWN]
    )
    figure = GroupsFigure(
        figure_id=f"arm{arm['position']}-groups",
        labels=numbers.labels,
        groups=groups,
        total=sum(arm["labels"].values()),
        groups_total=arm["groups_total"],
        most_groups=GROUPS_DRAWN,
    )
    return render(draw_groups, figure)


def draw_audit_of(arm: Document, numbers: NumberWriter, render: Render = draw_once) -> SafeString | None:
    """The shares of repeated seeds that gave the identical text, and the same label; None without repeats."""
    audit = arm["audit"]
    if not audit["repeats"]:
        return None
    names = {"identical_share": gettext("identical text"), "same_label_share": gettext("same label")}
    rows = tuple(
        ForestRow(
            label=label, estimate=audit[key]["estimate"], low=audit[key]["low"], high=audit[key]["high"]
        )
        for key, label in names.items()
    )
    figure = ForestFigure(
        figure_id=f"arm{arm['position']}-audit",
        labels=numbers.labels,
        rows=rows,
        title=gettext("Share of the repeated seeds that gave the same again"),
    )
    return render(draw_forest, figure)


def _group_label(label: str) -> Any:
    return label.replace(" ", "_") or "unclear"
