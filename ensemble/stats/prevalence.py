"""The error rate behind an imperfect detector whose own errors were estimated on labelled answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product

from ensemble.stats.beta import exact_limits
from ensemble.stats.domain import require_errors, require_open_share
from ensemble.stats.interval import Interval, Note
from ensemble.stats.proportion import normal_quantile, wilson_limits

SMALLEST_SEPARATION = 0.2
"""A detector is used for correction only when its Youden index is credibly above this."""


def lang_reiczigel(  # noqa: PLR0917 - three pairs of counts and a level, in the order of the literature
    flagged: int,
    runs: int,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    level: float = 0.95,
) -> Interval:
    """Estimate the true error rate from flagged runs, the detector's sensitivity and its specificity.

    `true_positives` of `positives` are the labelled errors the detector flags, `true_negatives` of `negatives` the
    labelled correct answers it passes. The estimate is Rogan & Gladen's, clipped to [0, 1] with a note. No correction
    ([0, 1], no estimate, a note) when the detector is not shown, at 95 %, to separate errors from correct answers.
    Lang & Reiczigel (2014), Preventive Veterinary Medicine 113:13–22.
    """
    counts = _Counts.check((flagged, runs), (true_positives, positives), (true_negatives, negatives))
    z = normal_quantile(require_open_share("level", level))
    result = counts.describe("lang-reiczigel", level)
    if result.estimate is None:
        return result
    total, sick, well = runs + z * z, positives + 2, negatives + 2
    shown = (flagged + z * z / 2) / total
    sensitivity, specificity = (true_positives + 1) / sick, (true_negatives + 1) / well
    separation = sensitivity + specificity - 1
    rate = (shown + specificity - 1) / separation
    miss, alarm = sensitivity * (1 - sensitivity) / sick, specificity * (1 - specificity) / well
    variance = shown * (1 - shown) / total + rate**2 * miss + (1 - rate) ** 2 * alarm
    centre = rate + 2 * z * z * (rate * miss - (1 - rate) * alarm)
    reach = z * math.sqrt(variance) / separation
    return replace(result, low=_clip(centre - reach), high=_clip(centre + reach))


def guaranteed_prevalence(  # noqa: PLR0917 - as lang_reiczigel
    flagged: int,
    runs: int,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    level: float = 0.95,
) -> Interval:
    """Estimate the true error rate with an interval that surely keeps its level: the worst case, about twice as wide.

    Arguments, estimate and refusal as for `lang_reiczigel`. The extremes over the box of three exact intervals, each
    at a third of the error chance (Bonferroni).
    """
    counts = _Counts.check((flagged, runs), (true_positives, positives), (true_negatives, negatives))
    tail = (1.0 - require_open_share("level", level)) / 6
    result = counts.describe("guaranteed-prevalence", level)
    if result.estimate is None:
        return result
    shown, sensitivity, specificity = (exact_limits(*pair, tail) for pair in counts.pairs)
    if sensitivity[0] + specificity[0] <= 1:
        return result
    corners = [_correct(q, se, sp) for q, se, sp in product(shown, sensitivity, specificity)]
    return replace(result, low=_clip(min(corners)), high=_clip(max(corners)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Counts:
    """Flagged of all runs, flagged of the labelled errors, passed of the labelled correct answers."""

    pairs: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

    @classmethod
    def check(cls, shown: tuple[int, int], hits: tuple[int, int], passes: tuple[int, int]) -> _Counts:
        return cls(
            pairs=(
                require_errors(*shown, ("flagged", "runs")),
                require_errors(*hits, ("true_positives", "positives")),
                require_errors(*passes, ("true_negatives", "negatives")),
            )
        )

    def describe(self, method: str, level: float) -> Interval:
        """Return the estimate with the interval [0, 1], to be narrowed if there is an estimate."""
        (flagged, runs), hits, passes = self.pairs
        whole = Interval(
            estimate=None, low=0.0, high=1.0, level=level, method=method, errors=flagged, runs=runs, notes=()
        )
        if not runs:
            return replace(whole, notes=(Note.NO_RUNS,))
        if not hits[1] or not passes[1]:
            return replace(whole, notes=(Note.NO_CALIBRATION,))
        if _bound_separation(hits, passes) <= SMALLEST_SEPARATION:
            return replace(whole, notes=(Note.NOT_VALIDATED,))
        rate = _correct(flagged / runs, hits[0] / hits[1], passes[0] / passes[1])
        clipped = _clip(rate)
        return replace(whole, estimate=clipped, notes=(Note.CLIPPED,) if abs(rate - clipped) > 1e-12 else ())


def _bound_separation(hits: tuple[int, int], passes: tuple[int, int]) -> float:
    """Return Newcombe's lower 95 % bound of the Youden index, sensitivity + specificity − 1."""
    z = normal_quantile(0.95)
    sensitivity, specificity = hits[0] / hits[1], passes[0] / passes[1]
    below = math.hypot(sensitivity - wilson_limits(*hits, z)[0], specificity - wilson_limits(*passes, z)[0])
    return sensitivity + specificity - 1 - below


def _correct(shown: float, sensitivity: float, specificity: float) -> float:
    """Return the true rate that shows as `shown` (Rogan & Gladen 1978, Am. J. Epidemiol. 107:71–76)."""
    return (shown + specificity - 1) / (sensitivity + specificity - 1)


def _clip(rate: float) -> float:
    return min(1.0, max(0.0, rate))
