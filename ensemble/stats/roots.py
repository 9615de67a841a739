"""One way to find where a function changes sign."""

from __future__ import annotations

from collections.abc import Callable


def find_sign_change(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the point between `low` and `high` where the function turns from negative to positive, by halving.

    The ends themselves are never evaluated, so the function need not exist there.
    """
    while True:
        middle = low + (high - low) / 2
        if middle in (low, high):
            return middle
        if function(middle) < 0:
            low = middle
        else:
            high = middle
