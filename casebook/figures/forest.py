"""Many intervals, one line each, on one axis from 0 to 100 %: a forest plot."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures.labels import Labels, describe_interval
from casebook.figures.svg import SMALL, WIDE, cut_text, draw_element, draw_frame, draw_line, draw_text

LINE = 24.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
GAP = 12.0
VALUE_SHARE = 0.26  # of the width, for the numbers; a narrow figure leaves them to the table beneath it


@dataclass(frozen=True, kw_only=True)
class ForestRow:
    """One labelled interval; shares 0–1. Without an estimate it is a range, drawn without a point.

    `is_summary` sets a row off from those above: it speaks of them together.
    """

    label: str
    estimate: float | None
    low: float
    high: float
    is_summary: bool = False


@dataclass(frozen=True, kw_only=True)
class ForestFigure:
    figure_id: str
    labels: Labels
    rows: tuple[ForestRow, ...]
    title: str
    width: float = WIDE

    @property
    def has_values(self) -> bool:
        return self.width >= WIDE

    @property
    def plot(self) -> tuple[float, float]:
        """Where the axis begins and ends."""
        values = self.width * VALUE_SHARE if self.has_values else 0.0
        return self.width * 0.3 + GAP, self.width - values - GAP


def draw_forest(figure: ForestFigure) -> SafeString:
    """Draw name, whiskers and numbers of each row in one line, over a common axis."""
    parts, top = [], 0.0
    for row in figure.rows:
        parts.append(_draw_row(figure, row, top))
        top += LINE
    parts += [_draw_grid(figure, top), _draw_axis(figure, top)]
    return draw_frame(
        parts,
        figure_id=figure.figure_id,
        title=figure.title,
        description=" ".join(_describe(figure.labels, row) for row in figure.rows),
        width=figure.width,
        height=top + 24,
    )


def _describe(labels: Labels, row: ForestRow) -> str:
    if row.estimate is not None:
        return describe_interval(labels, row.label, row.estimate, row.low, row.high)
    facts = {
        "label": row.label,
        "low": labels.format_percent(row.low),
        "high": labels.format_percent(row.high),
    }
    return gettext("%(label)s: from %(low)s to %(high)s.") % facts


def _place(figure: ForestFigure, share: float) -> float:
    start, end = figure.plot
    return start + share * (end - start)


def _draw_row(figure: ForestFigure, row: ForestRow, top: float) -> str:
    middle = top + LINE / 2
    parts = [
        draw_text(
            0,
            middle + 5,
            cut_text(row.label, figure.plot[0] - GAP, SMALL),
            font_size=SMALL,
            font_weight="600" if row.is_summary else "400",
        )
    ]
    paint = "cb-fig-axis" if row.estimate is None else "cb-fig-line"
    low, high = _place(figure, row.low), _place(figure, row.high)
    parts.append(draw_line(low, middle, high, middle, paint))
    parts += [draw_line(x, middle - 5, x, middle + 5, paint) for x in (low, high)]
    if row.estimate is not None:
        centre = _place(figure, row.estimate)
        parts.append(draw_element("circle", paint="cb-fig-rubric", cx=centre, cy=middle, r=4.5))
    if figure.has_values:
        parts.append(
            draw_text(figure.width, middle + 5, _write_value(figure, row), font_size=SMALL, text_anchor="end")
        )
    return draw_element("g", *parts)


def _write_value(figure: ForestFigure, row: ForestRow) -> str:
    """A range that is known roughly is written in whole percent."""
    if row.estimate is None:
        return figure.labels.format_range(row.low, row.high, 0)
    value = figure.labels.format_range(row.low, row.high)
    return f"{figure.labels.format_percent(row.estimate)} ({value})"


def _draw_grid(figure: ForestFigure, bottom: float) -> str:
    lines = [draw_line(_place(figure, t), 0, _place(figure, t), bottom, "cb-fig-grid") for t in TICKS]
    summaries = [place for place, row in enumerate(figure.rows) if row.is_summary]
    if summaries:
        lines.append(draw_line(0, summaries[0] * LINE, figure.width, summaries[0] * LINE, "cb-fig-grid"))
    return draw_element("g", *lines)


def _draw_axis(figure: ForestFigure, bottom: float) -> str:
    start, end = figure.plot
    parts = [draw_line(start, bottom, end, bottom, "cb-fig-axis")]
    for tick in TICKS:
        x = _place(figure, tick)
        parts.append(draw_line(x, bottom, x, bottom + 4, "cb-fig-axis"))
        name = figure.labels.format_percent(tick, 0)
        edge, anchor = (x, "middle") if tick < 1 or figure.has_values else (figure.width, "end")
        parts.append(draw_text(edge, bottom + 18, name, "cb-fig-soft", font_size=SMALL, text_anchor=anchor))
    return draw_element("g", *parts)
