"""The probability that at least one of many uses meets the error, over their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from casebook.figures.labels import Labels
from casebook.figures.svg import (
    NARROW,
    SMALL,
    WIDE,
    draw_element,
    draw_frame,
    draw_line,
    draw_text,
    measure_text,
    write_number,
)

HEIGHT = 230.0
LEFT, TOP, BOTTOM, MARGIN = 52.0, 30.0, 176.0, 40.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class ExposureFigure:
    """Parallel arrays: a number of uses (1 and more, rising) and the probability with its limits there (0–1).

    `mark` is the number of uses that the case is about.
    """

    figure_id: str
    labels: Labels
    uses: Sequence[float]
    chance: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    mark: int
    title: str = ""
    description: str = ""
    width: float = WIDE


def draw_exposure(figure: ExposureFigure) -> SafeString:
    """Draw the probability as a line in its band over a logarithmic axis of uses, the number in question marked."""
    if not len(figure.uses) == len(figure.chance) == len(figure.low) == len(figure.high):
        raise ValueError("uses, chance, low and high must have the same length")
    return draw_frame(
        [_draw_band(figure), _draw_axes(figure), _draw_mark(figure)],
        figure_id=figure.figure_id,
        title=figure.title or gettext("Probability that at least one use meets the error, over their number"),
        description=figure.description,
        width=figure.width,
        height=HEIGHT,
    )


def _place_uses(figure: ExposureFigure, uses: float) -> float:
    return LEFT + (figure.width - MARGIN - LEFT) * log10(uses) / log10(figure.uses[-1])


def _place_chance(chance: float) -> float:
    return BOTTOM - chance * (BOTTOM - TOP)


def _draw_axes(figure: ExposureFigure) -> str:
    parts, end = [], figure.width - MARGIN
    for tick in TICKS:
        y = _place_chance(tick)
        parts.append(draw_line(LEFT, y, end, y, "cb-fig-axis" if tick == 0 else "cb-fig-grid"))
        name = figure.labels.format_percent(tick, 0)
        parts.append(draw_text(LEFT - 8, y + 4, name, "cb-fig-soft", font_size=SMALL, text_anchor="end"))
    decades = round(log10(figure.uses[-1]))
    for power in range(0, decades + 1, ceil(decades / (5 if figure.width > NARROW else 3))):
        x, name = _place_uses(figure, 10.0**power), figure.labels.format_number(10**power)
        parts.append(draw_line(x, BOTTOM, x, BOTTOM + 5, "cb-fig-axis"))
        parts.append(draw_text(x, BOTTOM + 20, name, "cb-fig-soft", font_size=SMALL, text_anchor="middle"))
    caption = gettext("number of uses")
    parts.append(draw_text(end, BOTTOM + 42, caption, "cb-fig-soft", font_size=SMALL, text_anchor="end"))
    return draw_element("g", *parts)


def _draw_band(figure: ExposureFigure) -> str:
    def trace(chances: Sequence[float]) -> list[str]:
        return [
            f"{write_number(_place_uses(figure, uses))} {write_number(_place_chance(chance))}"
            for uses, chance in zip(figure.uses, chances, strict=True)
        ]

    low, high = trace(figure.low), trace(figure.high)
    return draw_element(
        "g",
        draw_element("path", paint="cb-fig-band", d="M" + "L".join(high + low[::-1]) + "Z"),
        draw_element("path", paint="cb-fig-edge", d="M" + "L".join(high) + "M" + "L".join(low)),
        draw_element("path", paint="cb-fig-line", d="M" + "L".join(trace(figure.chance))),
    )


def _draw_mark(figure: ExposureFigure) -> str:
    x = _place_uses(figure, figure.mark)
    count = figure.labels.format_number(figure.mark)
    text = ngettext("%(uses)s use", "%(uses)s uses", figure.mark) % {"uses": count}
    fits_left = x - measure_text(text, SMALL) > LEFT
    label = draw_text(x, TOP - 12, text, font_size=SMALL, text_anchor="end" if fits_left else "start")
    return draw_element("g", draw_line(x, TOP - 6, x, BOTTOM, "cb-fig-mark"), label)
