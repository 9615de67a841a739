"""What became of every run: one stacked bar with its counts."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures.labels import OUTCOME_NAMES, OUTCOMES, Labels
from casebook.figures.svg import (
    NARROW,
    WIDE,
    draw_element,
    draw_frame,
    draw_patterns,
    draw_swatch,
    draw_text,
    measure_text,
)

BAR_TOP, BAR_HEIGHT = 24.0, 30.0
LEGEND_ROW = 24.0
GAP, SLIMMEST = 3.0, 2.0


@dataclass(frozen=True, kw_only=True)
class OutcomesFigure:
    """How many runs ended how; the six counts do not overlap and add up to all runs started."""

    figure_id: str
    labels: Labels
    error: int
    no_error: int
    unclear: int = 0
    refused: int = 0
    truncated: int = 0
    failed: int = 0
    title: str = ""
    description: str = ""
    width: float = WIDE


def draw_outcomes(figure: OutcomesFigure) -> SafeString:
    """Draw the stacked bar, each part in colour and pattern, with a legend that lists every count."""
    counts = {outcome: int(getattr(figure, outcome)) for outcome in OUTCOMES}
    legend, legend_height = _draw_legend(figure, counts)
    listed = ", ".join(
        f"{OUTCOME_NAMES[name]}: {figure.labels.format_number(n)}" for name, n in counts.items()
    )
    described = gettext("Of %(total)s runs: %(list)s.")
    return draw_frame(
        [draw_patterns(figure.figure_id), _draw_bar(figure, counts), legend],
        figure_id=figure.figure_id,
        title=figure.title or gettext("Outcomes of all runs"),
        description=figure.description
        or described % {"total": figure.labels.format_number(sum(counts.values())), "list": listed},
        width=figure.width,
        height=BAR_TOP + BAR_HEIGHT + legend_height,
    )


def _draw_bar(figure: OutcomesFigure, counts: dict[str, int]) -> str:
    shown = {outcome: count for outcome, count in counts.items() if count}
    if not shown:
        return draw_swatch(
            figure.figure_id, "failed", x=1, y=BAR_TOP, width=figure.width - 2, height=BAR_HEIGHT
        )
    parts, left = [], 1.0
    widths = _share_out(shown, figure.width - 2 - GAP * (len(shown) - 1))
    for outcome, width in widths.items():
        parts.append(
            draw_swatch(figure.figure_id, outcome, x=left, y=BAR_TOP, width=width, height=BAR_HEIGHT)
        )
        number = figure.labels.format_number(shown[outcome])
        if measure_text(number) < width:
            middle = left + width / 2
            parts.append(draw_text(middle, BAR_TOP - 8, number, text_anchor="middle", font_weight="600"))
        left += width + GAP
    return draw_element("g", *parts)


def _share_out(counts: dict[str, int], room: float) -> dict[str, float]:
    """Return widths in proportion to the counts; a single run among thousands stays visible."""
    total = sum(counts.values())
    slim = {outcome for outcome, count in counts.items() if room * count / total < SLIMMEST}
    rest = sum(count for outcome, count in counts.items() if outcome not in slim)
    left = room - SLIMMEST * len(slim)
    return {name: SLIMMEST if name in slim else left * count / rest for name, count in counts.items()}


def _draw_legend(figure: OutcomesFigure, counts: dict[str, int]) -> tuple[str, float]:
    columns = 3 if figure.width > NARROW else 1
    total, parts = sum(counts.values()), []
    for place, (outcome, count) in enumerate(counts.items()):
        x = 1 + (place % columns) * figure.width / columns
        y = BAR_TOP + BAR_HEIGHT + 30 + LEGEND_ROW * (place // columns)
        swatch = draw_swatch(figure.figure_id, outcome, x=x, y=y - 11, width=18, height=13)
        number = figure.labels.format_number(count)
        share = f" ({figure.labels.format_percent(count / total)})" if total and count else ""
        text = f"{OUTCOME_NAMES[outcome]}: {number}{share}"
        paint = "cb-fig-text" if count else "cb-fig-soft"
        parts += [swatch, draw_text(x + 27, y, text, paint)]
    rows = -(-len(counts) // columns)
    return draw_element("g", *parts), 18 + LEGEND_ROW * rows
