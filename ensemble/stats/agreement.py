"""Agreement of two or more labellers beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from ensemble.stats.domain import require_counts


def cohen_kappa(table: Sequence[Sequence[int]]) -> float | None:
    """Return Cohen's κ of a square table of counts; 1 is perfect, 0 what chance gives with these margins.

    None without labels or when both labellers used one and the same category. At extreme shares κ is low however
    well the labels agree: show Gwet's AC1 beside it. Cohen (1960), Educ. Psychol. Meas. 20:37–46.
    """
    rows = _require_square(table)
    labels = sum(sum(row) for row in rows)
    agreed = sum(row[index] for index, row in enumerate(rows))
    by_chance = sum(first * second for first, second in _find_margins(rows))
    if by_chance == labels**2:  # in whole numbers, so that "undefined" is not a matter of rounding
        return None
    return (labels * agreed - by_chance) / (labels**2 - by_chance)


def gwet_ac1(table: Sequence[Sequence[int]]) -> float | None:
    """Return Gwet's AC1 of a square table of counts; it stays near the raw agreement at extreme shares.

    1 when only one category was used, None without labels. Gwet (2008), Br. J. Math. Stat. Psychol. 61:29–48.
    """
    rows = _require_square(table)
    labels = sum(sum(row) for row in rows)
    if not labels:
        return None
    agreed = sum(row[index] for index, row in enumerate(rows)) / labels
    shares = [(first + second) / (2 * labels) for first, second in _find_margins(rows)]
    by_chance = sum(share * (1 - share) for share in shares) / max(1, len(rows) - 1)
    return (agreed - by_chance) / (1 - by_chance)


def krippendorff_alpha(units: Sequence[Sequence[Hashable | None]]) -> float | None:
    """Return Krippendorff's α for nominal labels: one row per unit, one label per rater, None where it is missing.

    Units with fewer than two labels say nothing and are left out. None when no unit has two, or when only one
    category was used. Krippendorff (2018), Content Analysis, 4th ed., ch. 12.
    """
    counted = [Counter(label for label in unit if label is not None) for unit in units]
    counted = [labels for labels in counted if labels.total() >= 2]
    totals: Counter[Hashable] = sum(counted, Counter())
    values = totals.total()
    expected = values**2 - sum(count**2 for count in totals.values())
    if not expected:
        return None
    agreeing = sum(
        sum(count * (count - 1) for count in labels.values()) / (labels.total() - 1) for labels in counted
    )
    return 1 - (values - 1) * (values - agreeing) / expected


def _find_margins(rows: list[list[int]]) -> list[tuple[int, int]]:
    """Return how often each labeller used each category."""
    return [(sum(row), sum(column)) for row, column in zip(rows, zip(*rows, strict=True), strict=True)]


def _require_square(table: Sequence[Sequence[int]]) -> list[list[int]]:
    rows = [require_counts(f"table[{index}]", row) for index, row in enumerate(table)]
    if not rows or any(len(row) != len(rows) for row in rows):
        raise ValueError(f"table: {table!r} is not square")
    return rows
