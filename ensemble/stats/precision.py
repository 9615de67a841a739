"""Planned precision: stop when the interval is short enough, at a level calibrated for that rule beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ensemble.stats.beta import exact_limits
from ensemble.stats.binomial import Floats, log_choices
from ensemble.stats.domain import (
    require_count,
    require_errors,
    require_number,
    require_open_share,
    require_share,
)
from ensemble.stats.interval import Interval, Note

SMALLEST_HALF_WIDTH = 0.02
_BISECTIONS = 11
_GRID_POINTS = 2000
_BESIDE_AN_END = 1e-9
_MAX_CELLS = 2_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PrecisionPlan:
    """A locked rule: look every `check_every` runs, stop once the interval's half-width is ≤ `half_width`.

    The interval is Clopper–Pearson at level 1 − `alpha`; reported at `level`, because over all stopping times it
    covers the true rate with probability ≥ `min_coverage` ≥ `level` whatever the rate is; `min_coverage_at` is the
    rate where that minimum lies. No test needs more than `max_runs`. The plan is these numbers and nothing else, so
    it can be stored and rebuilt without designing it again.
    """

    half_width: float
    level: float
    check_every: int
    min_runs: int
    alpha: float
    min_coverage: float
    min_coverage_at: float
    max_runs: int

    def __post_init__(self) -> None:
        _require_design(self.half_width, self.level, self.check_every, self.min_runs)
        require_open_share("alpha", self.alpha)
        require_share("min_coverage", self.min_coverage)
        require_share("min_coverage_at", self.min_coverage_at)
        require_count("max_runs", self.max_runs, minimum=1)

    def interval(self, errors: int, runs: int) -> Interval:
        """Estimate the error rate at a stop of the plan; elsewhere the level is not kept, and a note says so."""
        errors, runs = require_errors(errors, runs)
        low, high = exact_limits(errors, runs, self.alpha / 2)
        notes = (Note.NO_RUNS,) if not runs else () if self.stops(errors, runs) else (Note.NOT_AT_A_STOP,)
        return Interval(
            estimate=errors / runs if runs else None,
            low=low,
            high=high,
            level=self.level,
            method="planned-precision",
            errors=errors,
            runs=runs,
            notes=notes,
        )

    def stops(self, errors: int, runs: int) -> bool:
        """Tell whether the plan looks at this number of runs and finds the interval short enough."""
        errors, runs = require_errors(errors, runs)
        if runs < self.min_runs or runs % self.check_every:
            return False
        low, high = exact_limits(errors, runs, self.alpha / 2)
        return (high - low) / 2 <= self.half_width

    def expected_runs(self, p: float) -> float:
        """Return the mean number of runs until the stop when the error rate is `p`; exact."""
        stops = self._stops()
        return float(stops.chances(np.array([require_share("p", p)]))[:, 0] @ stops.runs)

    def coverage(self, p: float) -> float:
        """Return the probability that the interval reported at the stop contains the rate `p`; exact."""
        return float(self._stops().coverages(np.array([require_share("p", p)]))[0])

    def _stops(self) -> _Stops:
        return _find_stops(self.half_width, self.alpha, self.check_every, self.min_runs)


def plan_precision(
    half_width: float, level: float = 0.95, check_every: int = 1, min_runs: int = 10
) -> PrecisionPlan:
    """Design a stopping rule for a half-width between 0.02 and 0.49 that keeps `level` for every error rate.

    Bisects the working level until the smallest coverage, computed exactly over all stopping times, reaches `level`;
    looked for at all ends of intervals, just beside them, and on a grid of 2000 rates. Takes seconds for a half-width
    of 0.05, minutes for the smallest. Compare Frey (2010), The American Statistician 64:242–249.
    """
    half_width, level, check_every, min_runs = _require_design(half_width, level, check_every, min_runs)
    low, high = (1.0 - level) / 3, 1.0 - level
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _find_min_coverage(half_width, middle, check_every, min_runs)[0] >= level:
            low = middle
        else:
            high = middle
    # Coverage is not monotone in the working level, so the last word is a check of the one returned.
    while (worst := _find_min_coverage(half_width, low, check_every, min_runs))[0] < level:
        low *= 0.95
    return PrecisionPlan(
        half_width=half_width,
        level=level,
        check_every=check_every,
        min_runs=min_runs,
        alpha=low,
        min_coverage=worst[0],
        min_coverage_at=worst[1],
        max_runs=int(_find_stops(half_width, low, check_every, min_runs).runs.max()),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Stops:
    """Every (runs, errors) where a rule can stop: log number of orderings that get there, and the interval then."""

    runs: NDArray[np.int64]
    errors: NDArray[np.int64]
    log_orderings: Floats
    low: Floats
    high: Floats

    def chances(self, rates: Floats) -> Floats:
        """Return P(stop there), one row per stop and one column per rate."""
        errors, clean = self.errors[:, None], (self.runs - self.errors)[:, None]
        log_chances = special.xlogy(errors, rates) + special.xlog1py(clean, -rates)
        chances: Floats = np.exp(self.log_orderings[:, None] + log_chances)
        return chances

    def coverages(self, rates: Floats) -> Floats:
        """Return the probability, for each rate, that the interval at the stop contains it."""
        pieces = np.array_split(rates, 1 + rates.size * self.runs.size // _MAX_CELLS)
        return np.concatenate([self._cover(piece) for piece in pieces])

    def _cover(self, rates: Floats) -> Floats:
        covered = (self.low[:, None] <= rates) & (rates <= self.high[:, None])
        shares: Floats = np.sum(self.chances(rates), axis=0, where=covered)
        return shares


def _require_design(
    half_width: Any, level: Any, check_every: Any, min_runs: Any
) -> tuple[float, float, int, int]:
    return (
        require_number("half_width", half_width, minimum=SMALLEST_HALF_WIDTH, maximum=0.49),
        require_open_share("level", level),
        require_count("check_every", check_every, minimum=1, maximum=5000),
        require_count("min_runs", min_runs, minimum=1, maximum=5000),
    )


def _find_min_coverage(
    half_width: float, alpha: float, check_every: int, min_runs: int
) -> tuple[float, float]:
    """Return the smallest coverage over all error rates, and where it is; rates above ½ mirror those below."""
    stops = _find_stops(half_width, alpha, check_every, min_runs)
    ends = np.concatenate([stops.low, stops.high])
    ends = np.unique(np.minimum(ends, 1.0 - ends))
    grid = np.linspace(0.0, 0.5, _GRID_POINTS + 1)[1:]
    rates = np.concatenate([ends, ends - _BESIDE_AN_END, ends + _BESIDE_AN_END, grid])
    rates = rates[(rates >= 0.0) & (rates <= 0.5)]
    coverages = stops.coverages(rates)
    worst = int(np.argmin(coverages))
    return float(coverages[worst]), float(rates[worst])


@lru_cache(maxsize=16)
def _find_stops(half_width: float, alpha: float, check_every: int, min_runs: int) -> _Stops:
    """Return every state where the rule of a plan stops, with its interval."""
    first = -(-min_runs // check_every) * check_every
    return _describe_stops(walk_to_stops(_find_looks(half_width, alpha, first, check_every)), alpha)


def walk_to_stops(looks: NDArray[np.int64]) -> list[tuple[int, int, float]]:
    """Walk through all orderings run by run; return (runs, errors, share of the orderings that stop first there).

    `looks` has rows (runs, edge): there the rule stops with at most `edge` errors, or as few runs without one. At the
    last look it must stop whatever the errors are. `share` is of the orderings of these runs and errors.
    """
    edges = dict(looks.tolist())
    share = np.ones(1)
    found: list[tuple[int, int, float]] = []
    for runs in range(1, int(looks[-1][0]) + 1):
        errors = np.arange(runs + 1)
        grown = np.zeros(runs + 1)
        grown[:-1] = share * (runs - errors[:-1]) / runs
        grown[1:] += share * errors[1:] / runs
        share = grown
        if runs in edges:
            at_stop = ((errors <= edges[runs]) | (errors >= runs - edges[runs])) & (share > 0.0)
            found += [(runs, int(error), float(share[error])) for error in errors[at_stop]]
            share[at_stop] = 0.0
    return found


def _find_looks(half_width: float, alpha: float, first: int, check_every: int) -> NDArray[np.int64]:
    """Return rows (runs, largest errors ≤ runs/2 whose interval is short enough, or −1) up to the last look.

    The half-width grows with the errors up to the middle, so the edge is found by bisection at all looks at once.
    """
    last = first
    while _half_width(last // 2, last, alpha) > half_width:
        last += check_every
    looks = np.arange(first, last + 1, check_every)
    short, long = np.full(looks.shape, -1), looks // 2 + 1
    while np.any(long - short > 1):
        middle = np.clip((short + long) // 2, 0, looks // 2)
        is_short = _half_widths(middle, looks, alpha) <= half_width
        undecided = long - short > 1
        short = np.where(undecided & is_short, middle, short)
        long = np.where(undecided & ~is_short, middle, long)
    return np.column_stack([looks, short])


def _describe_stops(found: list[tuple[int, int, float]], alpha: float) -> _Stops:
    runs = np.array([row[0] for row in found])
    errors = np.array([row[1] for row in found])
    low, high = _limits(errors, runs, alpha)
    log_orderings = np.log(np.array([row[2] for row in found])) + log_choices(runs, errors)
    return _Stops(runs=runs, errors=errors, log_orderings=log_orderings, low=low, high=high)


def _half_width(errors: int, runs: int, alpha: float) -> float:
    low, high = exact_limits(errors, runs, alpha / 2)
    return (high - low) / 2


def _half_widths(errors: NDArray[np.int64], runs: NDArray[np.int64], alpha: float) -> Floats:
    low, high = _limits(errors, runs, alpha)
    return (high - low) / 2


def _limits(errors: NDArray[np.int64], runs: NDArray[np.int64], alpha: float) -> tuple[Floats, Floats]:
    """Return the Clopper–Pearson limits at level 1 − alpha for arrays of counts: `exact_limits`, elementwise."""
    inner, outer = np.maximum(errors, 1), np.minimum(errors, runs - 1)
    low = np.where(errors == 0, 0.0, special.betaincinv(inner, runs - inner + 1, alpha / 2))
    high = np.where(errors == runs, 1.0, special.betainccinv(outer + 1, runs - outer, alpha / 2))
    return low, high
