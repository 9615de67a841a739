"""How many runs confidence sequences take: to a width, to a decision, and to tell two arms apart; all exact."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ensemble.stats.binomial import Floats, binomial_chances, log_choices
from ensemble.stats.domain import MAX_COUNT, require_number, require_open_share, require_share
from ensemble.stats.precision import walk_to_stops
from ensemble.stats.sequential import log_e_value_below

MAX_SEQUENCE_RUNS = 10_000
MIN_RUNS = 10  # an anytime test ends no sooner, whatever the interval or the e-value
_DEVIATIONS = 9.0  # counts further than this from their mean have a chance under 1e-18


@dataclass(frozen=True, kw_only=True, slots=True)
class SequenceWait:
    """How long until the confidence sequence of `level` has a half-width ≤ `half_width`: at most `max_runs` runs."""

    half_width: float
    level: float
    max_runs: int

    def expected_runs(self, p: float) -> float:
        """Return the mean number of runs until then when the error rate is `p`; exact."""
        runs, errors, log_orderings = _find_narrow(self.half_width, self.level)
        p = require_share("p", p)
        log_chances = special.xlogy(errors, p) + special.xlog1py(runs - errors, -p)
        return float(np.exp(log_orderings + log_chances) @ runs)


def wait_for_width(half_width: float, level: float = 0.95) -> SequenceWait:
    """Return how long a confidence sequence takes to be narrow, looked at after every run from the tenth on.

    Every ordering of errors and clean runs is followed to its stop, as for a precision plan, so the means are exact.
    Raises for `half_width` when more than 10,000 runs could be needed. A second for the smallest half-widths.
    """
    half_width = require_number("half_width", half_width, minimum=1e-4, maximum=0.49)
    level = require_open_share("level", level)
    if not _is_narrow_in_time(half_width, level):
        raise ValueError(f"half_width: {half_width} may take more than {MAX_SEQUENCE_RUNS} runs")
    runs, _, _ = _find_narrow(half_width, level)
    return SequenceWait(half_width=half_width, level=level, max_runs=int(runs.max()))


def clean_runs_to_decision(threshold: float, level: float = 0.95) -> int:
    """Return how many runs without any error decide "less than `threshold`" by e-value, at least ten.

    Raises for `threshold` when more than 10⁹ runs would be needed.
    """
    threshold, level = require_open_share("threshold", threshold), require_open_share("level", level)
    needed = -math.log(1.0 - level)
    runs = range(MIN_RUNS, MAX_COUNT + 1)
    found = bisect_left(runs, True, key=lambda n: log_e_value_below(0, n, threshold) >= needed)
    if found == len(runs):
        raise ValueError(f"threshold: {threshold} takes more than {MAX_COUNT} runs")
    return runs[found]


def runs_per_arm_by_sequences(p_a: float, p_b: float, power: float = 0.8, level: float = 0.95) -> int:
    """Return the fewest runs per arm at which the difference of two confidence sequences excludes 0 with `power`.

    Each sequence has half the error (Bonferroni), so the difference holds whenever the arms stop. The power is exact,
    over all counts. Raises for `p_b` when more than 10,000 runs per arm would be needed.
    """
    p_a, p_b = require_share("p_a", p_a), require_share("p_b", p_b)
    power, level = require_open_share("power", power), require_open_share("level", level)
    if p_a == p_b:
        raise ValueError(f"p_b: {p_b} equals p_a, there is no difference to detect")
    runs = range(1, MAX_SEQUENCE_RUNS + 1)
    # The power climbs in a saw-tooth: when the count of errors that an arm needs grows by one, it falls by the chance
    # of that count at most. Begin where the goal is within a tooth's reach, and look at every number from there on.
    first = bisect_left(runs, True, key=lambda n: sum(_find_power(p_a, p_b, n, level)) >= power)
    for n in runs[first:]:
        if _find_power(p_a, p_b, n, level)[0] >= power:
            return n
    raise ValueError(f"p_b: {p_b} is too near p_a, {p_a}: over {MAX_SEQUENCE_RUNS} runs per arm needed")


def sequence_limits(
    errors: NDArray[np.int64], runs: NDArray[np.int64], level: float
) -> tuple[Floats, Floats]:
    """Return the ends of `confidence_sequence` for arrays of counts, elementwise; at least one run each."""
    clean = runs - errors
    at_best = special.xlogy(errors, errors / runs) + special.xlogy(clean, clean / runs)
    mixture = special.betaln(0.5 + errors, 0.5 + clean) - special.betaln(0.5, 0.5)
    budget = at_best - mixture - math.log(1.0 - level)
    low = np.where(errors > 0, np.exp(_log_roots_below(np.maximum(errors, 1), clean, budget)), 0.0)
    high = np.where(clean > 0, -np.expm1(_log_roots_below(np.maximum(clean, 1), errors, budget)), 1.0)
    return low, high


def _log_roots_below(hits: NDArray[np.int64], others: NDArray[np.int64], budget: Floats) -> Floats:
    """Return log p where the log-likelihood has fallen by `budget`: Newton's method, as in `confidence_sequence`."""
    top = np.log(hits / (hits + others))
    rest = special.xlogy(others, others / (hits + others))
    log_p = top + (rest - budget) / hits
    for _ in range(100):
        p = np.exp(log_p)
        fall = hits * (top - log_p) + rest - others * np.log1p(-p)
        step = (fall - budget) / (hits - others * p / (1.0 - p))
        log_p = log_p + step
        if np.all(np.abs(step) <= 1e-13 * np.abs(log_p)):
            break
    roots: Floats = np.minimum(log_p, top)
    return roots


def _half_widths(errors: NDArray[np.int64], runs: NDArray[np.int64], level: float) -> Floats:
    low, high = sequence_limits(errors, runs, level)
    widths: Floats = high - low
    return widths / 2


def _is_narrow_in_time(half_width: float, level: float) -> bool:
    last = np.array([MAX_SEQUENCE_RUNS])
    return bool(_half_widths(last // 2, last, level)[0] <= half_width)


@lru_cache(maxsize=16)
def _find_narrow(half_width: float, level: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return every state where the sequence is first narrow: runs, errors, log number of orderings that get there."""
    every = np.arange(MIN_RUNS, MAX_SEQUENCE_RUNS + 1)
    looks = every[: int(np.argmax(_half_widths(every // 2, every, level) <= half_width)) + 1]
    # The half-width grows with the errors up to the middle: the edge is found by bisection at all looks at once.
    short, long = np.full(looks.shape, -1), looks // 2 + 1
    while np.any(long - short > 1):
        middle = np.clip((short + long) // 2, 0, looks // 2)
        is_short = _half_widths(middle, looks, level) <= half_width
        undecided = long - short > 1
        short = np.where(undecided & is_short, middle, short)
        long = np.where(undecided & ~is_short, middle, long)
    found = walk_to_stops(np.column_stack([looks, short]))
    runs, errors = np.array([row[0] for row in found]), np.array([row[1] for row in found])
    return runs, errors, np.log(np.array([row[2] for row in found])) + log_choices(runs, errors)


def _find_power(p_a: float, p_b: float, runs: int, level: float) -> tuple[float, float]:
    """Return the chance that two sequences of `runs` runs do not meet, and how high a tooth of its saw may be."""
    (chance_a, low_a, high_a), (chance_b, low_b, high_b) = (
        _find_chances(p, runs, (1.0 + level) / 2) for p in (p_a, p_b)
    )
    # Both ends grow with the errors, so the counts of arm b whose sequence lies apart are those at either end.
    under = np.concatenate([[0.0], np.cumsum(chance_b)])[np.searchsorted(high_b, low_a, side="left")]
    over = np.concatenate([np.cumsum(chance_b[::-1])[::-1], [0.0]])[
        np.searchsorted(low_b, high_a, side="right")
    ]
    return float(chance_a @ (under + over)), float(min(chance_a.max(), chance_b.max()))


def _find_chances(p: float, runs: int, level: float) -> tuple[Floats, Floats, Floats]:
    """Return, for every count of errors with a chance worth naming, that chance and the ends of the sequence."""
    mean, spread = runs * p, _DEVIATIONS * (math.sqrt(runs * p * (1.0 - p)) + 1.0)
    errors = np.arange(max(0, math.floor(mean - spread)), min(runs, math.ceil(mean + spread)) + 1)
    low, high = sequence_limits(errors, np.full(errors.shape, runs), level)
    return binomial_chances(runs, errors, p), low, high
