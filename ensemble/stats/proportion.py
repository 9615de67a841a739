"""One proportion from independent runs: intervals, the runs they need, and what missing labels can do."""

from __future__ import annotations

import math
from dataclasses import replace

from scipy import special

from ensemble.stats.beta import exact_limits
from ensemble.stats.domain import MAX_COUNT, require_count, require_errors, require_number, require_open_share
from ensemble.stats.interval import Interval, Note


def clopper_pearson(errors: int, runs: int, level: float = 0.95) -> Interval:
    """Estimate the error rate with the exact interval, whose coverage is at least `level` for every rate.

    Counts up to 10⁹. Clopper & Pearson (1934), Biometrika 26:404–413.
    """
    errors, runs = require_errors(errors, runs)
    low, high = exact_limits(errors, runs, (1.0 - require_open_share("level", level)) / 2)
    return _rate("clopper-pearson", errors, runs, level, (low, high))


def wilson(errors: int, runs: int, level: float = 0.95) -> Interval:
    """Estimate the error rate with the score interval; near 0 and 1 it covers less than `level` (down to 0.83).

    Counts up to 10⁹. Wilson (1927), JASA 22:209–212.
    """
    errors, runs = require_errors(errors, runs)
    z = normal_quantile(require_open_share("level", level))
    return _rate("wilson", errors, runs, level, wilson_limits(errors, runs, z))


def wilson_limits(errors: float, runs: float, z: float) -> tuple[float, float]:
    """Return the two roots of |p̂ − p| = z √(p(1−p)/n), exactly 0 and 1 at the edges."""
    if runs <= 0:
        return 0.0, 1.0
    rate, spread = errors / runs, z * z / runs
    centre = rate + spread / 2
    reach = z * math.sqrt(rate * (1.0 - rate) / runs + spread / (4 * runs))
    low = 0.0 if errors <= 0 else max(0.0, (centre - reach) / (1.0 + spread))
    high = 1.0 if errors >= runs else min(1.0, (centre + reach) / (1.0 + spread))
    return low, high


def jeffreys(errors: int, runs: int, level: float = 0.95) -> Interval:
    """Estimate the error rate with the equal-tailed posterior interval under a Beta(½, ½) prior.

    Its ends are set to 0 and 1 when no or all runs are errors. Counts up to 10⁹.
    Brown, Cai & DasGupta (2001), Statistical Science 16:101–133.
    """
    errors, runs = require_errors(errors, runs)
    tail = (1.0 - require_open_share("level", level)) / 2
    a, b = errors + 0.5, runs - errors + 0.5
    low = 0.0 if errors == 0 else float(special.betaincinv(a, b, tail))
    high = 1.0 if errors == runs else float(special.betainccinv(a, b, tail))
    return _rate("jeffreys", errors, runs, level, (low, high))


def clean_runs_to_bound(bound: float, level: float = 0.95) -> int:
    """Return how many runs without any error put the one-sided exact upper bound at or below `bound`.

    The smallest n with 1 − (1 − level)^(1/n) ≤ bound ("rule of three": about 3 / bound at 95 %).
    """
    bound, level = require_open_share("bound", bound), require_open_share("level", level)
    needed = math.log(1.0 - level) / math.log1p(-bound)
    # Rounding must not turn an exact answer into one more run.
    return max(1, math.ceil(needed * (1.0 - 1e-12)))


def runs_for_half_width(half_width: float, level: float = 0.95) -> int:
    """Return the fixed number of runs whose Clopper–Pearson half-width is ≤ `half_width` whatever is observed.

    `half_width` from 0.0001 to just below 0.5. The interval is longest in the middle, where half the runs are errors.
    """
    half_width = require_number("half_width", half_width, minimum=1e-4, maximum=0.499)
    tail = (1.0 - require_open_share("level", level)) / 2
    too_few, enough = 0, 1
    while _worst_half_width(enough, tail) > half_width:
        too_few, enough = enough, 2 * enough
        require_count("level", enough)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _worst_half_width(middle, tail) > half_width:
            too_few = middle
        else:
            enough = middle
    return enough


def missing_label_band(errors: int, labelled: int, unlabelled: int, level: float = 0.95) -> Interval:
    """Bound the error rate over all runs whatever the missing labels would have been, sampling error included.

    Low: none of the `unlabelled` is an error; high: all are; each the Clopper–Pearson limit. The estimate is the rate
    among the labelled, the counts are theirs. Counts up to 10⁹ in total. Horowitz & Manski (2000), JASA 95:77–84.
    """
    errors, labelled = require_errors(errors, labelled, ("errors", "labelled"))
    unlabelled = require_count("unlabelled", unlabelled, maximum=MAX_COUNT - labelled)
    tail = (1.0 - require_open_share("level", level)) / 2
    total = labelled + unlabelled
    low, _ = exact_limits(errors, total, tail)
    _, high = exact_limits(errors + unlabelled, total, tail)
    band = _rate("missing-label-band", errors, labelled, level, (low, high))
    many = 20 * unlabelled > total
    return replace(band, notes=(*band.notes, Note.MANY_UNLABELLED)) if many else band


def normal_quantile(level: float) -> float:
    """Return z with P(|Z| ≤ z) = level for a standard normal Z."""
    return -float(special.ndtri((1.0 - level) / 2))


def _rate(method: str, errors: int, runs: int, level: float, limits: tuple[float, float]) -> Interval:
    """Wrap limits for a rate; with no runs there is no estimate and nothing is excluded."""
    return Interval(
        estimate=errors / runs if runs else None,
        low=limits[0],
        high=limits[1],
        level=level,
        method=method,
        errors=errors,
        runs=runs,
        notes=() if runs else (Note.NO_RUNS,),
    )


def _worst_half_width(runs: int, tail: float) -> float:
    low, high = exact_limits(runs // 2, runs, tail)
    return (high - low) / 2
