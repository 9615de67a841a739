"""The differences of the further arms to the primary one, as pages and reports print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures import ForestFigure, ForestRow, draw_forest
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.drawings import Render, draw_once
from casebook.reporting.words import ARM_TESTS, METHODS, say
from casebook.sentences import write_sentence

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DifferenceLine:
    """An interval of a difference in percentage points; the p-values stand in the first line of a comparison."""

    method: str
    difference: str
    low: str
    high: str
    level: str
    test: str
    p_value: str
    p_holm: str


@dataclass(frozen=True, kw_only=True)
class ComparisonView:
    """An arm against the primary one: what may be said of the two, and the numbers."""

    number: int
    name: str
    sentences: tuple[str, ...]
    lines: tuple[DifferenceLine, ...]


@dataclass(frozen=True, kw_only=True)
class ComparisonsView:
    """All comparisons of a test; `has_tests` unless its arms stopped otherwise than at a fixed number."""

    primary_number: int
    primary_name: str
    comparisons: tuple[ComparisonView, ...]
    has_tests: bool
    notes: tuple[str, ...]
    figure: SafeString


def build_comparisons(
    result: Document, numbers: NumberWriter, render: Render = draw_once
) -> ComparisonsView | None:
    """The view of the result's `comparisons`; None where there are none, as in results sealed before they were made."""
    found: Sequence[Document] = result.get("comparisons") or ()
    if not found:
        return None
    arms = {arm["position"]: arm for arm in result["arms"]}
    primary = arms[found[0]["against"]]
    return ComparisonsView(
        primary_number=primary["position"] + 1,
        primary_name=say_arm(primary["name"]),
        comparisons=tuple(_view_comparison(each, arms, numbers) for each in found),
        has_tests=any(each["p_value"] is not None for each in found),
        notes=_write_notes(found, numbers),
        figure=_draw_arms([primary, *(arms[each["arm"]] for each in found)], numbers, render),
    )


def decide_difference(comparison: Document) -> str:
    """What may be said: "shown", "not shown", "unclear" (interval and test differ), or "unknown" without runs.

    A test must reject after Holm's adjustment and the interval must exclude 0; without a test the interval decides.
    """
    difference = comparison["difference"]
    if difference["estimate"] is None:
        return "unknown"
    excludes_zero = not difference["low"] <= 0 <= difference["high"]
    if comparison["p_value"] is None:
        return "shown" if excludes_zero else "not shown"
    rejects = comparison["p_holm"] <= 1 - difference["level"]
    if rejects != excludes_zero:
        return "unclear"
    return "shown" if rejects else "not shown"


def _view_comparison(
    comparison: Document, arms: Mapping[int, Document], numbers: NumberWriter
) -> ComparisonView:
    return ComparisonView(
        number=comparison["arm"] + 1,
        name=say_arm(arms[comparison["arm"]]["name"]),
        sentences=_write_comparison(comparison, numbers),
        lines=_list_lines(comparison, numbers),
    )


def _write_comparison(comparison: Document, numbers: NumberWriter) -> tuple[str, ...]:
    decision, difference = decide_difference(comparison), comparison["difference"]
    facts = {
        "arm": numbers.write_count(comparison["arm"] + 1),
        "other": numbers.write_count(comparison["against"] + 1),
    }
    if decision == "unknown":
        return (write_sentence("comparison.unknown", **facts),)
    facts |= {
        "difference": write_direction(difference["estimate"], numbers),
        "range": write_range(difference["low"], difference["high"], numbers),
        "level": numbers.write_level(difference["level"]),
    }
    said = write_sentence("comparison.differ" if decision == "shown" else "comparison.not_shown", **facts)
    return (said, write_sentence("comparison.unclear")) if decision == "unclear" else (said,)


def write_direction(difference: float, numbers: NumberWriter) -> str:
    """A difference of shares with its side in words: "12.0 percentage points lower"."""
    points = {"points": numbers.write_difference(abs(difference))}
    if difference < 0:
        return gettext("%(points)s percentage points lower") % points
    return gettext("%(points)s percentage points higher") % points


def write_range(low: float, high: float, numbers: NumberWriter) -> str:
    """The limits of a difference with their sides in words, from the smaller to the larger size where they agree."""
    if high <= 0:
        low, high, text = high, low, gettext("%(low)s to %(high)s percentage points lower")
    elif low >= 0:
        text = gettext("%(low)s to %(high)s percentage points higher")
    else:
        text = gettext("%(low)s percentage points lower to %(high)s percentage points higher")
    return text % {
        "low": numbers.write_difference(abs(low)),
        "high": numbers.write_difference(abs(high)),
    }


def _list_lines(comparison: Document, numbers: NumberWriter) -> tuple[DifferenceLine, ...]:
    first = _write_line(comparison["difference"], comparison, numbers)
    beside = comparison["beside"]
    return (first, _write_line(beside, {}, numbers)) if beside else (first,)


def _write_line(interval: Document, tested: Document, numbers: NumberWriter) -> DifferenceLine:
    def write_points(difference: float | None) -> str:
        return numbers.write_difference(difference, signed=True)

    return DifferenceLine(
        method=say(METHODS, interval["method"]),
        difference=write_points(interval["estimate"]),
        low=write_points(interval["low"]),
        high=write_points(interval["high"]),
        level=numbers.write_level(interval["level"]),
        test=say(ARM_TESTS, tested.get("test", "")),
        p_value=numbers.write_p(tested.get("p_value")) if tested else "",
        p_holm=numbers.write_p(tested.get("p_holm")) if tested else "",
    )


def _write_notes(found: Sequence[Document], numbers: NumberWriter) -> tuple[str, ...]:
    """What the intervals hold for: where there is more than one, none holds for all of them together."""
    notes, family = [], found[0]["family"]
    if all(each["p_value"] is None for each in found):
        notes.append(write_sentence("comparison.sequences"))
    if family > 1:
        notes.append(write_sentence("comparison.family", count=numbers.write_count(family)))
    return tuple(notes)


def _draw_arms(arms: Sequence[Document], numbers: NumberWriter, render: Render) -> SafeString:
    """The intervals of the arms that are compared, beneath one another on one axis."""
    rows = tuple(
        ForestRow(
            label=f"{arm['position'] + 1}. {say_arm(arm['name'])}",
            estimate=arm["interval"]["estimate"],
            low=arm["interval"]["low"],
            high=arm["interval"]["high"],
        )
        for arm in arms
        if arm["interval"] and arm["runs"]
    )
    title = gettext("Error rates of the arms with their intervals")
    figure = ForestFigure(figure_id="arms-intervals", labels=numbers.labels, rows=rows, title=title)
    return render(draw_forest, figure)
