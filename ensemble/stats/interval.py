"""The one shape in which every interval of the package is returned."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Note(StrEnum):
    """What a reader must be told beside an interval; plain strings, so that pages can translate them."""

    NO_RUNS = "no labelled runs"
    MANY_UNLABELLED = "more than 5 % of the runs have no label"
    NOT_AT_A_STOP = "not stopped as planned: the level is not guaranteed"
    UNEQUAL_GROUPS = "groups of different sizes"
    FEW_CLUSTERS = "fewer than five clusters"
    NO_VARIATION = "no variation: every cluster counted as one run"
    CLIPPED = "estimate outside 0 to 1, clipped"
    NOT_VALIDATED = "detector not shown to separate errors: no correction"
    NO_CALIBRATION = "no labelled errors or no labelled correct answers: no correction"
    GUARANTEED = "too few labels for the approximation: guaranteed interval"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """An estimate with its interval, and the counts it rests on.

    `estimate` is None where the quantity does not exist (no runs). `errors` of `runs` are the labels counted; an
    interval for a difference carries the counts of both arms together. `level` is the confidence level in (0, 1),
    `method` a stable identifier, `notes` what must be said beside the numbers, empty when there is nothing to flag.
    """

    estimate: float | None
    low: float
    high: float
    level: float
    method: str
    errors: int
    runs: int
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.low <= self.high:  # also refuses NaN
            raise ValueError(f"low: {self.low!r} must not exceed high, {self.high!r}")
        if self.estimate is not None and math.isnan(self.estimate):
            raise ValueError("estimate: a missing estimate is None, not NaN")

    @property
    def half_width(self) -> float:
        """Half the length of the interval, in the units of the estimate."""
        return (self.high - self.low) / 2

    def document(self) -> dict[str, Any]:
        """Return the interval as JSON holds it."""
        return {**asdict(self), "notes": [str(note) for note in self.notes]}

    def contains(self, value: float) -> bool:
        """Tell whether the value lies in the interval, ends included."""
        return self.low <= value <= self.high
