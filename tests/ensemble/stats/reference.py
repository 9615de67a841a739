"""The reference values, and how they are computed again.

A reproduction computes the values of a part of `reference.json` anew. It is shown that part with everything blotted
out but what it declares as given, so that no value can come from the file itself.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from ensemble.stats import Interval

Place = tuple[str, ...]
"""The steps that lead to a value: names of members, numbers of elements."""

REFERENCE: dict[str, Any] = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))
REPRODUCTIONS: list[Reproduction] = []

RELATIVE = 1e-8
FEWEST_DECIMALS = 6  # values that happen to be round, like 0.7, are held to so many all the same


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """How the values at the places of a pattern are computed again.

    `given` are patterns of the inputs, told from there. `rounding` is the absolute error allowed where a value is what
    rounding left of 0, or was looked for beside its true place.
    """

    pattern: str
    given: tuple[str, ...]
    recompute: Callable[..., Any]
    rounding: float

    def is_given(self, place: Place) -> bool:
        return any(covers(pattern, place) for pattern in self.given)


def reproduces(
    pattern: str, given: str = "", *, rounding: float = 0.0
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function that returns the values at a place of `pattern`, nested as they are in the file.

    In patterns `*` stands for anything within a step, and so does `{name}`, which is passed on under that name. A set
    in place of a value holds several that are equally right.
    """

    def register(recompute: Callable[..., Any]) -> Callable[..., Any]:
        inputs = tuple(given.split())
        REPRODUCTIONS.append(
            Reproduction(pattern=pattern, given=inputs, recompute=recompute, rounding=rounding)
        )
        return recompute

    return register


def list_leaves(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every single value in nested lists and objects, with its place."""
    if isinstance(node, dict | list):
        for step, below in _list_members(node):
            yield from list_leaves(below, (*place, step))
    else:
        yield place, node


def find_nodes(pattern: str, node: Any = REFERENCE) -> Iterator[tuple[Place, Any, dict[str, str]]]:
    """The places that a pattern leads to, what is there, and the parts of the place that the pattern names."""
    first, _, rest = pattern.partition("/")
    for step, below in _list_members(node):
        match = _compile(first).fullmatch(step)
        if match and not rest:
            yield (step,), below, match.groupdict()
        elif match:
            for place, found, names in find_nodes(rest, below):
                yield (step, *place), found, match.groupdict() | names


def covers(pattern: str, place: Place) -> bool:
    """Whether the pattern leads to the place or to something that holds it."""
    steps = pattern.split("/")
    return len(steps) <= len(place) and all(
        _compile(step).fullmatch(at) for step, at in zip(steps, place, strict=False)
    )


def blot(node: Any, is_given: Callable[[Place], bool], place: Place = ()) -> Any:
    """The same with None for everything that is not given."""
    if isinstance(node, dict):
        return {step: blot(below, is_given, (*place, step)) for step, below in node.items()}
    if isinstance(node, list):
        return [blot(below, is_given, (*place, step)) for step, below in _list_members(node)]
    return node if is_given(place) else None


def count_decimals(printed: Any) -> int:
    return -int(Decimal(repr(printed)).as_tuple().exponent) if isinstance(printed, float) else 0


def agrees(printed: Any, found: Any, decimals: int, rounding: float) -> bool:
    """Whether a value found is the printed one: to 10⁻⁸ of it or to the decimals printed; exactly if no fraction."""
    if isinstance(found, frozenset):
        return any(agrees(printed, one, decimals, rounding) for one in found)
    if not isinstance(printed, float) or found is None:
        return type(printed) is type(found) and bool(printed == found)
    half_a_digit = 0.5000001 * 10.0**-decimals
    return math.isclose(printed, found, rel_tol=RELATIVE, abs_tol=max(half_a_digit, rounding))


def alter(printed: Any) -> Any:
    """A value as it must not be."""
    if isinstance(printed, float):
        return printed * 1.0001 + 0.001
    return not printed if isinstance(printed, bool | None) else printed + 1


def ends(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _list_members(node: Any) -> Iterator[tuple[str, Any]]:
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return ((str(step), below) for step, below in members)


@cache
def _compile(step: str) -> re.Pattern[str]:
    escaped = re.escape(step).replace(r"\*", ".*")
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", escaped))
