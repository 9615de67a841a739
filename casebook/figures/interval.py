"""Intervals on one axis from 0 to 100 %."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures.labels import Labels, describe_interval
from casebook.figures.svg import (
    FONT_SIZE,
    SMALL,
    WIDE,
    cut_text,
    draw_element,
    draw_frame,
    draw_line,
    draw_paragraph,
    draw_text,
    measure_text,
    wrap_text,
)

MARGIN = 7.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class IntervalRow:
    """One labelled interval; shares 0–1. `band` is the worst case behind it, `note` such words as "37 of 100"."""

    label: str
    estimate: float | None
    low: float
    high: float
    band: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class IntervalFigure:
    figure_id: str
    labels: Labels
    rows: tuple[IntervalRow, ...]
    title: str = ""
    description: str = ""
    width: float = WIDE


def draw_interval(figure: IntervalFigure) -> SafeString:
    """Draw point and whiskers of each row over a common axis, and its worst-case band behind."""
    top, parts = 0.0, []
    for row in figure.rows:
        drawn, height = _draw_row(figure, row, top)
        parts.append(drawn)
        top += height
    parts.append(_draw_axis(figure, top))
    height = top + 24
    if any(row.band for row in figure.rows):
        legend, legend_height = _draw_legend(figure, height)
        parts.append(legend)
        height += legend_height
    described = [describe_interval(figure.labels, r.label, r.estimate, r.low, r.high) for r in figure.rows]
    return draw_frame(
        parts,
        figure_id=figure.figure_id,
        title=figure.title or gettext("Error rate with its interval"),
        description=figure.description or " ".join(described),
        width=figure.width,
        height=height,
    )


def _place(figure: IntervalFigure, share: float) -> float:
    return MARGIN + share * (figure.width - 2 * MARGIN)


def _draw_axis(figure: IntervalFigure, bottom: float) -> str:
    parts = [draw_line(MARGIN, bottom, figure.width - MARGIN, bottom, "cb-fig-axis")]
    for tick in TICKS:
        x = _place(figure, tick)
        parts.append(draw_line(x, bottom, x, bottom + 4, "cb-fig-axis"))
        name = figure.labels.format_percent(tick, 0)
        anchor = {0.0: "start", 1.0: "end"}.get(tick, "middle")
        edge = {0.0: 0.0, 1.0: figure.width}.get(tick, x)
        parts.append(draw_text(edge, bottom + 18, name, "cb-fig-soft", font_size=SMALL, text_anchor=anchor))
    return draw_element("g", *parts)


def _draw_row(figure: IntervalFigure, row: IntervalRow, top: float) -> tuple[str, float]:
    """Return the row and its height: label and numbers share a line when both fit."""
    name = f"{row.label} · {row.note}" if row.note else row.label
    value = figure.labels.format_range(row.low, row.high)
    if row.estimate is None:
        value = gettext("no rate yet")
    else:
        value = f"{figure.labels.format_percent(row.estimate)} ({value})"
    one_line = measure_text(name) + measure_text(value) + FONT_SIZE < figure.width
    value_x, value_y = (figure.width, top + 16) if one_line else (0, top + 34)
    parts = [
        draw_text(0, top + 16, cut_text(name, figure.width), font_weight="600"),
        draw_text(value_x, value_y, value, text_anchor="end" if one_line else "start"),
        _draw_whiskers(figure, row, value_y + 22),
    ]
    return draw_element("g", *parts), value_y - top + 42


def _draw_whiskers(figure: IntervalFigure, row: IntervalRow, y: float) -> str:
    low, high = _place(figure, row.low), _place(figure, row.high)
    parts = []
    if row.band:
        start, end = (_place(figure, share) for share in row.band)
        parts.append(
            draw_element("rect", paint="cb-fig-band", x=start, y=y - 10, width=end - start, height=20)
        )
    parts += [
        draw_line(_place(figure, tick), y - 12, _place(figure, tick), y + 12, "cb-fig-grid") for tick in TICKS
    ]
    paint = "cb-fig-axis" if row.estimate is None else "cb-fig-line"
    parts.append(draw_line(low, y, high, y, paint))
    parts += [draw_line(x, y - 6, x, y + 6, paint) for x in (low, high)]
    if row.estimate is not None:
        centre = _place(figure, row.estimate)
        parts.append(draw_element("circle", paint="cb-fig-rubric", cx=centre, cy=y, r=5.5))
    return "".join(parts)


def _draw_legend(figure: IntervalFigure, top: float) -> tuple[str, float]:
    text = gettext("Pale band: the worst case, with the unclear runs counted either way")
    lines = wrap_text(text, figure.width - 30, SMALL)
    swatch = draw_element("rect", paint="cb-fig-band", x=0, y=top + 5, width=22, height=12)
    return swatch + draw_paragraph(30, top + 15, lines), 8 + 17.0 * len(lines)
