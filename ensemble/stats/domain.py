"""What arguments may be: every check raises ValueError and names the argument."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any

MAX_COUNT = 10**9
"""Largest count accepted unless a function states less: beyond it the Beta quantiles lose digits."""


def require_count(name: str, value: Any, *, minimum: int = 0, maximum: int = MAX_COUNT) -> int:
    """Return the value as an int within [minimum, maximum]; floats and truth values are not counts."""
    try:
        count = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}: {value!r} is not an integer") from None
    if isinstance(value, bool) or not minimum <= count <= maximum:
        raise ValueError(f"{name}: {value!r} is not an integer from {minimum} to {maximum}")
    return count


def require_errors(errors: Any, runs: Any, names: tuple[str, str] = ("errors", "runs")) -> tuple[int, int]:
    """Return (errors, runs) with 0 ≤ errors ≤ runs."""
    total = require_count(names[1], runs)
    part = require_count(names[0], errors)
    if part > total:
        raise ValueError(f"{names[0]}: {part} exceeds {names[1]}, {total}")
    return part, total


def require_counts(name: str, values: Sequence[Any]) -> list[int]:
    """Return a list of counts, naming the first that is none."""
    return [require_count(f"{name}[{index}]", value) for index, value in enumerate(values)]


def require_number(name: str, value: Any, *, minimum: float = -math.inf, maximum: float = math.inf) -> float:
    """Return the value as a finite float within [minimum, maximum]."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"{name}: {value!r} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not minimum <= number <= maximum:
        raise ValueError(f"{name}: {value!r} is not a number from {minimum} to {maximum}")
    return number


def require_open_share(name: str, value: Any) -> float:
    """Return the value as a float strictly between 0 and 1 (a level, a threshold)."""
    number = require_number(name, value)
    if not 0.0 < number < 1.0:
        raise ValueError(f"{name}: {value!r} is not strictly between 0 and 1")
    return number


def require_share(name: str, value: Any) -> float:
    """Return the value as a float in [0, 1]."""
    return require_number(name, value, minimum=0.0, maximum=1.0)


def require_prior(prior: Any) -> tuple[float, float]:
    """Return the two positive parameters of a Beta prior."""
    try:
        a, b = prior
    except (TypeError, ValueError):
        raise ValueError(f"prior: {prior!r} is not a pair of numbers") from None
    a, b = require_number("prior", a), require_number("prior", b)
    if a <= 0.0 or b <= 0.0:
        raise ValueError(f"prior: {prior!r} must be two positive numbers")
    return a, b
