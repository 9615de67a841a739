"""How many runs a stopping rule will take, for several true error rates."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures.labels import Labels
from casebook.figures.svg import (
    SMALL,
    WIDE,
    draw_element,
    draw_frame,
    draw_line,
    draw_text,
    measure_text,
)

ROW = 26.0
TOP = 28.0
LEFT = 62.0


@dataclass(frozen=True, kw_only=True)
class ExpectedRuns:
    """The mean number of runs until the rule stops if the true error rate is `share` (0–1)."""

    share: float
    runs: float


@dataclass(frozen=True, kw_only=True)
class ExpectedRunsFigure:
    """`fixed_runs`: what a fixed number of the same precision would take, drawn as a line to compare with.

    `heading` says what the runs are for, where that is not the end of the test.
    """

    figure_id: str
    labels: Labels
    rows: tuple[ExpectedRuns, ...]
    fixed_runs: int | None = None
    heading: str = ""
    title: str = ""
    description: str = ""
    width: float = WIDE


def draw_expected_runs(figure: ExpectedRunsFigure) -> SafeString:
    """Draw one bar per true error rate, its number of runs at the end."""
    longest = max([row.runs for row in figure.rows] + [figure.fixed_runs or 0, 1])
    room = figure.width - LEFT - measure_text(figure.labels.format_number(longest)) - 14
    parts = [_draw_head(figure)]
    for place, row in enumerate(figure.rows):
        parts.append(_draw_row(figure, row, TOP + ROW * place, room / longest))
    height = TOP + ROW * len(figure.rows)
    if figure.fixed_runs:
        x = LEFT + figure.fixed_runs * room / longest
        parts.append(draw_line(x, TOP - 4, x, height + 2, "cb-fig-mark"))
        text = gettext("a fixed number: %(runs)s") % {"runs": figure.labels.format_number(figure.fixed_runs)}
        parts.append(draw_text(x, height + 16, text, font_size=SMALL, text_anchor="end"))
        height += 24
    return draw_frame(
        parts,
        figure_id=figure.figure_id,
        title=figure.title or gettext("Expected number of runs"),
        description=figure.description or _describe_rows(figure),
        width=figure.width,
        height=height,
    )


def _draw_head(figure: ExpectedRunsFigure) -> str:
    heading = figure.heading or gettext("runs until the rule stops, on average")
    return draw_text(0, 14, gettext("true rate"), "cb-fig-soft", font_size=SMALL) + draw_text(
        figure.width, 14, heading, "cb-fig-soft", font_size=SMALL, text_anchor="end"
    )


def _draw_row(figure: ExpectedRunsFigure, row: ExpectedRuns, top: float, scale: float) -> str:
    share, width = figure.labels.format_percent(row.share, 0), max(row.runs * scale, 1)
    return draw_element(
        "g",
        draw_text(LEFT - 14, top + 14, share, text_anchor="end"),
        draw_element("rect", paint="cb-fig-no_error", x=LEFT, y=top + 2, width=width, height=15),
        draw_text(
            figure.width,
            top + 14,
            figure.labels.format_number(row.runs),
            font_weight="600",
            text_anchor="end",
        ),
    )


def _describe_rows(figure: ExpectedRunsFigure) -> str:
    sentence = gettext("At a true rate of %(share)s about %(runs)s runs.")
    return " ".join(
        sentence
        % {"share": figure.labels.format_percent(row.share, 0), "runs": figure.labels.format_number(row.runs)}
        for row in figure.rows
    )
