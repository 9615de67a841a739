"""Figures as SVG, drawn by one code for pages and PDF: text as text, title and description, no inline style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from django.utils.safestring import SafeString

from casebook.figures.expected_runs import ExpectedRuns, ExpectedRunsFigure, draw_expected_runs
from casebook.figures.forest import ForestFigure, ForestRow, draw_forest
from casebook.figures.groups import AnswerGroup, GroupsFigure, draw_groups
from casebook.figures.interval import IntervalFigure, IntervalRow, draw_interval
from casebook.figures.labels import ENGLISH, RUSSIAN, Labels, find_labels
from casebook.figures.outcomes import OutcomesFigure, draw_outcomes
from casebook.figures.sequence import SequenceFigure, draw_sequence
from casebook.figures.svg import NARROW, WIDE

__all__ = [
    "ENGLISH",
    "NARROW",
    "RUSSIAN",
    "WIDE",
    "AnswerGroup",
    "ExpectedRuns",
    "ExpectedRunsFigure",
    "ForestFigure",
    "ForestRow",
    "GroupsFigure",
    "IntervalFigure",
    "IntervalRow",
    "Labels",
    "OutcomesFigure",
    "SequenceFigure",
    "draw_both_widths",
    "draw_expected_runs",
    "draw_forest",
    "draw_groups",
    "draw_interval",
    "draw_outcomes",
    "draw_sequence",
    "find_labels",
]

Figure = TypeVar("Figure", bound=Any)


def draw_both_widths(draw: Callable[[Figure], SafeString], figure: Figure) -> SafeString:
    """Return the figure twice, for wide screens and for phones, so that its text is readable on either.

    The style sheet shows one of the two; assistive technology meets only the one that is shown.
    """
    narrow = replace(figure, figure_id=f"{figure.figure_id}-narrow", width=NARROW)
    wide_box = SafeString('<div class="cb-fig-wide">{}</div><div class="cb-fig-narrow">{}</div>')
    return SafeString(wide_box.format(draw(figure), draw(narrow)))
