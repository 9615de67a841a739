"""Answers grouped by normalised text: how often each came."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from casebook.figures.labels import OUTCOME_NAMES, Labels
from casebook.figures.svg import (
    NARROW,
    SMALL,
    WIDE,
    clean_text,
    cut_text,
    draw_element,
    draw_frame,
    draw_patterns,
    draw_swatch,
    draw_text,
    measure_text,
)

GroupLabel = Literal["error", "no_error", "unclear"]
ROW, ROW_ON_PHONE = 46.0, 66.0
VALUE_ROOM = 104.0
THINNEST_BAR = 2.0  # a group is there, however small its share
# A drawing stays a drawing: the whole text of a 1 MB answer belongs to the table of runs.
LONGEST_TITLE = 500


@dataclass(frozen=True, kw_only=True)
class AnswerGroup:
    text: str
    count: int
    label: GroupLabel


@dataclass(frozen=True, kw_only=True)
class GroupsFigure:
    """Groups in the order to show (most frequent first); `total` counts all grouped answers, shown or not.

    `groups_total` counts the groups, shown or not; with it the rest can be said to have been given once each.
    """

    figure_id: str
    labels: Labels
    groups: tuple[AnswerGroup, ...]
    total: int
    groups_total: int = 0
    most_groups: int = 12
    title: str = ""
    description: str = ""
    width: float = WIDE


def draw_groups(figure: GroupsFigure) -> SafeString:
    """Draw a bar per group, the full width being all grouped answers, so that a small share looks small.

    Errors differ by pattern and by the word beside them, not by colour alone.
    """
    shown = figure.groups[: figure.most_groups]
    row = ROW if figure.width > NARROW else ROW_ON_PHONE
    rows = [_draw_group(figure, group, place * row) for place, group in enumerate(shown)]
    height = row * len(shown)
    rest = figure.total - sum(group.count for group in shown)
    if rest > 0 or not shown:
        rows.append(draw_text(0, height + 16, _describe_rest(figure, rest), "cb-fig-soft", font_size=SMALL))
        height += 24
    return draw_frame(
        [draw_patterns(figure.figure_id), *rows],
        figure_id=figure.figure_id,
        title=figure.title or gettext("Answers grouped by their text"),
        description=figure.description or _describe_groups(figure, shown, rest),
        width=figure.width,
        height=height,
    )


def _draw_group(figure: GroupsFigure, group: AnswerGroup, top: float) -> str:
    """Draw the text, the word for its label and the count, on one line or (on a phone) two, and the bar below."""
    share = group.count / figure.total if figure.total else 0
    value = f"{figure.labels.format_number(group.count)} · {figure.labels.format_percent(share)}"
    word, right = str(OUTCOME_NAMES[group.label]), figure.width
    narrow = figure.width <= NARROW
    second = top + (34 if narrow else 15)
    word_place, anchor = (0.0, "start") if narrow else (right - VALUE_ROOM, "end")
    room = right if narrow else right - VALUE_ROOM - measure_text(word, SMALL) - 20
    paint = "cb-fig-rubric" if group.label == "error" else "cb-fig-soft"
    width = min(max((right - 2) * share, THINNEST_BAR), right - 2)
    return draw_element(
        "g",
        draw_element("title", escape(clean_text(group.text)[:LONGEST_TITLE])),
        draw_text(0, top + 15, cut_text(group.text, room) or gettext("(empty answer)")),
        draw_text(word_place, second, word, paint, font_size=SMALL, text_anchor=anchor),
        draw_text(right, second, value, text_anchor="end", font_weight="600"),
        draw_swatch(figure.figure_id, group.label, x=1, y=second + 8, width=width, height=10),
    )


def _describe_rest(figure: GroupsFigure, rest: int) -> str:
    if not figure.groups:
        return gettext("No answers yet.")
    if rest == figure.groups_total - min(len(figure.groups), figure.most_groups):
        text = ngettext(
            "and %(count)s more answer, given once", "and %(count)s more answers, each given once", rest
        )
    else:
        text = ngettext(
            "and %(count)s more answer in further groups",
            "and %(count)s more answers in further groups",
            rest,
        )
    return text % {"count": figure.labels.format_number(rest)}


def _describe_groups(figure: GroupsFigure, shown: tuple[AnswerGroup, ...], rest: int) -> str:
    sentence = gettext("“%(text)s” (%(label)s): %(count)s")
    listed = [
        sentence
        % {
            "text": cut_text(group.text, 400),
            "label": OUTCOME_NAMES[group.label],
            "count": figure.labels.format_number(group.count),
        }
        for group in shown
    ]
    if rest > 0 or not shown:
        listed.append(_describe_rest(figure, rest))
    return "; ".join(listed)
