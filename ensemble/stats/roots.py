"""One way to find where a function changes sign."""

from __future__ import annotations

from collections.abc import Callable


def find_sign_change(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the point between `low` and `high` where the function turns from negative to positive, by halving.

    Sixty halvings leave 10⁻¹⁸ of the distance. The function need not exist at the ends.
    """
    for _ in range(60):
        middle = low + (high - low) / 2
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2
