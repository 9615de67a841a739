"""The error rate over runs in seed order, inside its confidence sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext

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

MOST_POINTS = 300
HEIGHT = 272.0
LEFT, TOP, BOTTOM = 52.0, 30.0, 220.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class SequenceFigure:
    """Parallel arrays over the labelled runs in seed order: their number, rate, low and high end (shares 0–1).

    `stopped_at` is the number of labelled runs at which the locked rule stopped; `planned` the planned interval
    computed there; `last_run` the end of the axis while a test still runs (else the last run given).
    """

    figure_id: str
    labels: Labels
    runs: Sequence[int]
    rate: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    stopped_at: int | None = None
    planned: tuple[float, float] | None = None
    last_run: int | None = None
    title: str = ""
    description: str = ""
    width: float = WIDE


def draw_sequence(figure: SequenceFigure) -> SafeString:
    """Draw the rate as a line in the band of its confidence sequence, with the stop and the planned interval."""
    if not len(figure.runs) == len(figure.rate) == len(figure.low) == len(figure.high):
        raise ValueError("runs, rate, low and high must have the same length")
    parts = [_draw_axes(figure)]
    if figure.runs:
        parts.append(_draw_curve(figure))
    if figure.stopped_at is not None:
        parts.append(_draw_stop(figure, figure.stopped_at))
    if figure.planned is not None:
        parts.append(_draw_planned(figure, *figure.planned))
    return draw_frame(
        parts,
        figure_id=figure.figure_id,
        title=figure.title or gettext("Error rate over the labelled runs, in seed order"),
        description=figure.description or _describe_sequence(figure),
        width=figure.width,
        height=HEIGHT,
    )


def thin_indexes(count: int, most: int = MOST_POINTS) -> list[int]:
    """Return at most `most` evenly spread indexes of 0…count−1, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(step * (count - 1) / (most - 1)) for step in range(most)]


def _find_last_run(figure: SequenceFigure) -> int:
    return max(figure.last_run or 0, figure.stopped_at or 0, figure.runs[-1] if figure.runs else 0, 10)


def _place_run(figure: SequenceFigure, run: float) -> float:
    right = figure.width - (74 if figure.planned else 22)
    return LEFT + (right - LEFT) * run / _find_last_run(figure)


def _place_share(share: float) -> float:
    return BOTTOM - share * (BOTTOM - TOP)


def _choose_step(last: int, most: int) -> int:
    """Return the smallest round distance (1, 2, 5 × 10ⁿ) that needs at most `most` ticks."""
    step = 1
    while last / step > most:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return step


def _draw_axes(figure: SequenceFigure) -> str:
    parts = []
    last = _find_last_run(figure)
    end = _place_run(figure, last)
    for tick in TICKS:
        y = _place_share(tick)
        parts.append(draw_line(LEFT, y, end, y, "cb-fig-axis" if tick == 0 else "cb-fig-grid"))
        name = figure.labels.format_percent(tick, 0)
        parts.append(draw_text(LEFT - 8, y + 4, name, "cb-fig-soft", font_size=SMALL, text_anchor="end"))
    for run in range(0, last + 1, _choose_step(last, 8 if figure.width > NARROW else 4)):
        x, name = _place_run(figure, run), figure.labels.format_number(run)
        parts.append(draw_line(x, BOTTOM, x, BOTTOM + 5, "cb-fig-axis"))
        parts.append(draw_text(x, BOTTOM + 20, name, "cb-fig-soft", font_size=SMALL, text_anchor="middle"))
    caption = gettext("labelled runs, in seed order")
    parts.append(draw_text(end, BOTTOM + 42, caption, "cb-fig-soft", font_size=SMALL, text_anchor="end"))
    return draw_element("g", *parts)


def _draw_curve(figure: SequenceFigure) -> str:
    shown = thin_indexes(len(figure.runs))

    def trace(shares: Sequence[float]) -> list[str]:
        return [
            f"{write_number(_place_run(figure, figure.runs[i]))} {write_number(_place_share(shares[i]))}"
            for i in shown
        ]

    low, high = trace(figure.low), trace(figure.high)
    band = "M" + "L".join(high + low[::-1]) + "Z"
    edges = "M" + "L".join(high) + "M" + "L".join(low)
    last_x, last_y = _place_run(figure, figure.runs[-1]), _place_share(figure.rate[-1])
    return draw_element(
        "g",
        draw_element("path", paint="cb-fig-band", d=band),
        draw_element("path", paint="cb-fig-edge", d=edges),
        draw_element(
            "path", paint="cb-fig-line", d="M" + "L".join(trace(figure.rate)), stroke_linejoin="round"
        ),
        draw_element("circle", paint="cb-fig-rubric", cx=last_x, cy=last_y, r=4.5),
    )


def _draw_stop(figure: SequenceFigure, run: int) -> str:
    x = _place_run(figure, run)
    text = gettext("stopped after %(runs)s labelled runs") % {"runs": figure.labels.format_number(run)}
    fits_left = x - measure_text(text, SMALL) > LEFT
    label = draw_text(x, TOP - 12, text, font_size=SMALL, text_anchor="end" if fits_left else "start")
    return draw_element("g", draw_line(x, TOP - 6, x, BOTTOM, "cb-fig-mark"), label)


def _draw_planned(figure: SequenceFigure, low: float, high: float) -> str:
    """Draw the planned interval as a bracket in the right margin, where it hides nothing of the sequence."""
    x = figure.width - 58
    top, bottom = _place_share(high), _place_share(low)
    parts = [draw_line(x, top, x, bottom, "cb-fig-line")]
    parts += [draw_line(x - 5, y, x + 5, y, "cb-fig-line") for y in (top, bottom)]
    # The two numbers keep clear of each other however narrow the interval is.
    gap = max(0.0, 16 - (bottom - top)) / 2
    for y, share in ((top - gap + 4, high), (bottom + gap + 4, low)):
        name = figure.labels.format_percent(share)
        parts.append(draw_text(x + 9, y, name, font_size=SMALL, font_weight="600"))
    caption = gettext("planned")
    parts.append(draw_text(figure.width - 2, TOP - 12, caption, font_size=SMALL, text_anchor="end"))
    return draw_element("g", *parts)


def _describe_sequence(figure: SequenceFigure) -> str:
    if not figure.runs:
        return gettext("No run has a label yet.")
    labels = figure.labels
    sentences = [
        gettext(
            "After %(runs)s labelled runs the rate is %(rate)s, the confidence sequence from %(low)s to %(high)s."
        )
        % {
            "runs": labels.format_number(figure.runs[-1]),
            "rate": labels.format_percent(figure.rate[-1]),
            "low": labels.format_percent(figure.low[-1]),
            "high": labels.format_percent(figure.high[-1]),
        }
    ]
    if figure.planned is not None:
        ends = {
            "low": labels.format_percent(figure.planned[0]),
            "high": labels.format_percent(figure.planned[1]),
        }
        sentences.append(gettext("The planned interval at the stop is from %(low)s to %(high)s.") % ends)
    return " ".join(sentences)
