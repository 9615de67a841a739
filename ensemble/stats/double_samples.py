"""The error rate from a detector on all runs and a person on a random part of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from ensemble.stats.beta import exact_limits
from ensemble.stats.domain import require_count, require_errors, require_open_share
from ensemble.stats.interval import Interval, Note
from ensemble.stats.proportion import normal_quantile


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sample:
    """Runs labelled by the detector (first) and a person (second), and those that only the detector labelled."""

    n11: int
    n10: int
    n01: int
    n00: int
    other_flagged: int
    other_runs: int

    @classmethod
    def check(cls, labelled: tuple[int, int, int, int], other: tuple[int, int]) -> _Sample:
        names = ("n11", "n10", "n01", "n00")
        n11, n10, n01, n00 = (require_count(name, count) for name, count in zip(names, labelled, strict=True))
        flagged, runs = require_errors(*other, ("other_flagged", "other_runs"))
        return cls(n11=n11, n10=n10, n01=n01, n00=n00, other_flagged=flagged, other_runs=runs)

    @property
    def flagged(self) -> int:
        return self.n11 + self.n10

    @property
    def passed(self) -> int:
        return self.n01 + self.n00

    @property
    def labelled(self) -> int:
        return self.flagged + self.passed

    @property
    def wrong(self) -> int:
        return self.n11 + self.n01

    @property
    def has_both_strata(self) -> bool:
        return self.flagged > 0 and self.passed > 0

    def describe(
        self, method: str, level: float, estimate: float | None, limits: tuple[float, float], *notes: str
    ) -> Interval:
        """Return the interval clipped to [0, 1]; its counts are those of the person."""
        low, high = (min(1.0, max(0.0, limit)) for limit in limits)
        return Interval(
            estimate=None if estimate is None else min(1.0, max(0.0, estimate)),
            low=low,
            high=high,
            level=level,
            method=method,
            errors=self.wrong,
            runs=self.labelled,
            notes=notes if self.labelled else (Note.NO_RUNS,),
        )


def double_sampling(  # noqa: PLR0917 - the two-by-two table, the other runs, and how to use them
    n11: int,
    n10: int,
    n01: int,
    n00: int,
    other_flagged: int,
    other_runs: int,
    level: float = 0.95,
    guaranteed: bool = False,
) -> Interval:
    """Estimate the error rate when a person labelled a random part of the runs and the detector labelled all.

    `n10` runs were flagged by the detector and found correct by the person, and so on; `other_runs` no person saw.
    Weighs the person's error rates among flagged and passed runs, so the two may be sampled at different rates.
    `guaranteed` takes the extremes over three exact intervals (Bonferroni); so does, with a note, the estimate when no
    person saw any flagged or any passed run. Tenenbein (1970), JASA 65:1350–1361.
    """
    sample = _Sample.check((n11, n10, n01, n00), (other_flagged, other_runs))
    level = require_open_share("level", level)
    if guaranteed or not sample.has_both_strata:
        return _guarantee(sample, level, noted=not guaranteed)
    runs = sample.labelled + sample.other_runs
    share = (sample.flagged + sample.other_flagged) / runs
    among_flagged, among_passed = sample.n11 / sample.flagged, sample.n01 / sample.passed
    rate = share * among_flagged + (1 - share) * among_passed
    variance = (among_flagged - among_passed) ** 2 * share * (1 - share) / runs
    variance += share**2 * among_flagged * (1 - among_flagged) / sample.flagged
    variance += (1 - share) ** 2 * among_passed * (1 - among_passed) / sample.passed
    return _describe_normal(sample, "double-sampling", level, rate, variance)


def ppi(  # noqa: PLR0917 - as double_sampling
    n11: int,
    n10: int,
    n01: int,
    n00: int,
    other_flagged: int,
    other_runs: int,
    level: float = 0.95,
    *,
    ddof: int = 1,
) -> Interval:
    """Estimate the error rate as the detector's on the other runs plus its mean mistake on the labelled ones.

    Arguments as for `double_sampling`, but the labelled runs must be a plain random part. Where the variance cannot be
    estimated the guaranteed interval is returned, with a note. With no disagreement at all it trusts the detector too
    much: use it from 50 labels and one disagreement of each kind. Variances divide by n − `ddof` (the authors' own
    program: 0).
    Angelopoulos, Bates, Fannjiang, Jordan & Zrnic (2023), Science 382:669–674.
    """
    sample = _Sample.check((n11, n10, n01, n00), (other_flagged, other_runs))
    if not _has_variances(sample):
        return _guarantee(sample, require_open_share("level", level), noted=True)
    return _rectify(sample, "ppi", level, trust=1.0, ddof=ddof)


def ppi_plus_plus(  # noqa: PLR0917 - as double_sampling
    n11: int,
    n10: int,
    n01: int,
    n00: int,
    other_flagged: int,
    other_runs: int,
    level: float = 0.95,
    *,
    ddof: int = 1,
) -> Interval:
    """Estimate the error rate as `ppi`, trusting the detector just as far as its covariance with the person warrants.

    Angelopoulos, Duchi & Zrnic (2023), arXiv:2311.01453.
    """
    sample = _Sample.check((n11, n10, n01, n00), (other_flagged, other_runs))
    if not _has_variances(sample):
        return _guarantee(sample, require_open_share("level", level), noted=True)
    return _rectify(sample, "ppi-plus-plus", level, trust=_tune_trust(sample), ddof=ddof)


def _has_variances(sample: _Sample) -> bool:
    return sample.has_both_strata and sample.other_runs >= 2


def _rectify(sample: _Sample, method: str, level: float, *, trust: float, ddof: int) -> Interval:
    """Return the mean of the labels, moved by `trust` times what the detector says of the other runs."""
    level, ddof = require_open_share("level", level), require_count("ddof", ddof, maximum=1)
    elsewhere, here = sample.other_flagged / sample.other_runs, sample.flagged / sample.labelled
    rate = sample.wrong / sample.labelled + trust * (elsewhere - here)
    variance = trust**2 * _vary(
        [(1.0, sample.other_flagged), (0.0, sample.other_runs - sample.other_flagged)], ddof
    )
    mistakes = [(1 - trust, sample.n11), (-trust, sample.n10), (1.0, sample.n01), (0.0, sample.n00)]
    return _describe_normal(sample, method, level, rate, variance + _vary(mistakes, ddof))


def _tune_trust(sample: _Sample) -> float:
    """Return the weight of the detector that makes the variance smallest, within [0, 1], as the authors compute it."""
    labelled, runs = sample.labelled, sample.labelled + sample.other_runs
    covariance = (sample.n11 - sample.flagged * sample.wrong / labelled) / labelled
    shown = sample.flagged + sample.other_flagged
    variance = shown * (runs - shown) / (runs * (runs - 1))
    return min(1.0, max(0.0, covariance / ((1 + labelled / sample.other_runs) * variance)))


def _vary(values: list[tuple[float, int]], ddof: int) -> float:
    """Return the variance of the mean of values with these counts."""
    total = sum(count for _, count in values)
    mean = sum(value * count for value, count in values) / total
    return sum(count * (value - mean) ** 2 for value, count in values) / (total - ddof) / total


def _describe_normal(sample: _Sample, method: str, level: float, rate: float, variance: float) -> Interval:
    reach = normal_quantile(level) * math.sqrt(variance)
    return sample.describe(method, level, rate, (rate - reach, rate + reach))


def _guarantee(sample: _Sample, level: float, *, noted: bool) -> Interval:
    """Return the extremes over the box of exact intervals for the flagged share and the two error rates."""
    tail = (1.0 - level) / 6
    runs = sample.labelled + sample.other_runs
    shown = sample.flagged + sample.other_flagged
    shares = exact_limits(shown, runs, tail)
    among_flagged = exact_limits(sample.n11, sample.flagged, tail)
    among_passed = exact_limits(sample.n01, sample.passed, tail)
    corners = [q * a + (1 - q) * b for q, a, b in product(shares, among_flagged, among_passed)]
    notes = (Note.GUARANTEED,) if noted else ()
    estimate = _estimate(sample, shown, runs)
    return sample.describe(
        "double-sampling-guaranteed", level, estimate, (min(corners), max(corners)), *notes
    )


def _estimate(sample: _Sample, shown: int, runs: int) -> float | None:
    """Return the double-sampling estimate; None when runs lie in a stratum that no person sampled."""
    rate = 0.0
    for stratum, wrong, labelled in (
        (shown, sample.n11, sample.flagged),
        (runs - shown, sample.n01, sample.passed),
    ):
        if stratum and not labelled:
            return None
        rate += stratum / runs * wrong / labelled if stratum else 0.0
    return rate if runs else None
