"""What the measured share means for many uses: the exposure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures.exposure import ExposureFigure, draw_exposure
from casebook.report_numbers import NumberWriter
from casebook.reporting.drawings import Render, draw_once
from casebook.sentences import write_sentence
from ensemble.stats.exposure import at_least_one_user, expected_occurrences
from ensemble.stats.interval import Interval

Document = Mapping[str, Any]

CURVE_POINTS = 121
LEAST_DECADES = 2
SMALLEST_EXPECTED = 0.0001
ALMOST_CERTAIN = 0.9999


@dataclass(frozen=True, kw_only=True)
class NumberLine:
    """An estimate with its limits, every number written out."""

    quantity: str
    value: str
    low: str
    high: str
    level: str


@dataclass(frozen=True, kw_only=True)
class UsesView:
    """The exposure: what is said of `uses` uses, the numbers, and the figure."""

    uses: str
    source: str
    sentences: tuple[str, ...]
    lines: tuple[NumberLine, ...]
    figure: SafeString


def read_interval(document: Document) -> Interval:
    """An interval of the result document as the statistics have it."""
    return Interval(**{**document, "notes": tuple(document["notes"])})


def find_rate(arm: Document) -> Interval | None:
    """The headline interval of an arm; None for a greedy arm and without labelled runs."""
    return read_interval(arm["interval"]) if arm["interval"] and arm["runs"] else None


def write_chance(chance: float | None, share: float | None, numbers: NumberWriter) -> str:
    """The probability that some use meets the error; certain only where the share of errors itself is 1.

    In floating point many uses make it 1 at any share, and a reader would take that for certainty.
    """
    if chance is None or share == 1 or chance <= ALMOST_CERTAIN:
        return numbers.write_share(chance)
    return gettext("over %(number)s") % {"number": numbers.write_share(ALMOST_CERTAIN)}


def write_chances(rate: Interval, uses: int, numbers: NumberWriter) -> dict[str, str]:
    """That probability at the measured share and at the ends of its interval."""
    chance = at_least_one_user(rate, uses)
    ends = ("estimate", "low", "high")
    return {end: write_chance(getattr(chance, end), getattr(rate, end), numbers) for end in ends}


def build_uses(
    arm: Document, uses: int, source: str, numbers: NumberWriter, render: Render = draw_once
) -> UsesView:
    """The exposure over `uses` uses at the arm's headline interval, which must exist."""
    rate = find_rate(arm)
    assert rate is not None
    return UsesView(
        uses=numbers.write_count(uses),
        source=source,
        sentences=_write_uses(arm, rate, uses, numbers),
        lines=_list_uses(rate, uses, numbers),
        figure=_draw_uses(rate, uses, numbers, render),
    )


def _write_uses(arm: Document, rate: Interval, uses: int, numbers: NumberWriter) -> tuple[str, ...]:
    expected, chances = expected_occurrences(rate, uses), write_chances(rate, uses, numbers)
    facts = {
        "uses": numbers.write_count(uses),
        "level": numbers.write_level(rate.level),
        "low": chances["low"],
        "high": chances["high"],
    }
    if arm["errors"] == 0:
        said = [
            write_sentence("exposure.zero", uses, **facts, expected=write_expected(expected.high, numbers))
        ]
        if at_least_one_user(rate, uses).high >= rate.level:
            runs = numbers.write_count(arm["runs"])
            said.append(write_sentence("exposure.silent", uses, runs=runs, uses=facts["uses"]))
    elif arm["errors"] == arm["runs"]:
        said = [write_sentence("exposure.all", uses, **facts, expected=write_expected(expected.low, numbers))]
    else:
        written = {name: write_expected(getattr(expected, name), numbers) for name in ("low", "high")}
        written["expected"] = write_expected(expected.estimate, numbers)
        shape = "exposure.chance_same" if facts["low"] == facts["high"] else "exposure.chance"
        said = [
            write_sentence(shape, uses, **facts, chance=chances["estimate"]),
            write_sentence("exposure.expected", **written),
        ]
    if arm["interval_kind"] == "confidence sequence":
        said.append(write_sentence("exposure.sequence"))
    return (*said, write_sentence("exposure.caveat"))


def _list_uses(rate: Interval, uses: int, numbers: NumberWriter) -> tuple[NumberLine, ...]:
    chances, expected = write_chances(rate, uses, numbers), expected_occurrences(rate, uses)
    level = numbers.write_level(rate.level)
    return (
        NumberLine(
            quantity=gettext("probability of at least one error"),
            value=chances["estimate"],
            low=chances["low"],
            high=chances["high"],
            level=level,
        ),
        NumberLine(
            quantity=gettext("expected number of errors"),
            value=write_expected(expected.estimate, numbers),
            low=write_expected(expected.low, numbers),
            high=write_expected(expected.high, numbers),
            level=level,
        ),
    )


def _describe_line(line: NumberLine) -> str:
    """The line in words; limits that read the same as one another are not told twice."""
    if line.low == line.high:
        return gettext("%(quantity)s: %(value)s.") % vars(line)
    return gettext("%(quantity)s: %(value)s, from %(low)s to %(high)s.") % vars(line)


def write_expected(number: float | None, numbers: NumberWriter) -> str:
    """A mean number of errors: whole from a hundred on, smaller ones with more decimals, never rounded to 0."""
    value = number or 0.0
    if 0 < value < SMALLEST_EXPECTED / 2:
        return f"<{numbers.write_decimal('0.0001')}"
    if value == 0 or value >= 100:
        return numbers.write_count(round(value))
    digits = next((digits for limit, digits in ((1, 1), (0.1, 2), (0.01, 3)) if value >= limit), 4)
    return numbers.labels.format_number(value, digits)


def _draw_uses(rate: Interval, uses: int, numbers: NumberWriter, render: Render) -> SafeString:
    decades = max(LEAST_DECADES, math.floor(math.log10(uses)) + 1)
    points = [10 ** (decades * place / (CURVE_POINTS - 1)) for place in range(CURVE_POINTS)]
    curve = [at_least_one_user(rate, at) for at in points]
    figure = ExposureFigure(
        figure_id="appraisal-uses",
        labels=numbers.labels,
        uses=points,
        chance=[at.estimate or 0.0 for at in curve],
        low=[at.low for at in curve],
        high=[at.high for at in curve],
        mark=uses,
        description=" ".join(_describe_line(line) for line in _list_uses(rate, uses, numbers)[:1]),
    )
    return render(draw_exposure, figure)
