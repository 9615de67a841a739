"""What a measured rate means for many uses, for one proposition against another, and for the cost of a remedy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from ensemble.stats.beta import exponentiate, log_lower_tail, log_upper_tail
from ensemble.stats.domain import require_errors, require_number, require_open_share, require_prior
from ensemble.stats.interval import Interval


def at_least_one_user(interval: Interval, uses: float) -> Interval:
    """Map a rate and its interval to the chance that at least one of `uses` uses meets the error.

    Assumes that every use is this prompt, independent, at this one rate. With rates that differ between uses it is a
    lower bound.
    """
    uses = require_number("uses", uses, minimum=0.0)

    def meet(rate: float) -> float:
        if rate == 1.0:
            return float(uses > 0)
        return 0.0 - math.expm1(uses * math.log1p(-rate))

    return _map_rate(interval, meet)


def expected_occurrences(interval: Interval, uses: float) -> Interval:
    """Map a rate and its interval to the mean number of errors among `uses` uses."""
    uses = require_number("uses", uses, minimum=0.0)
    return _map_rate(interval, lambda rate: uses * rate)


def bayes_factor(errors: int, runs: int, threshold: float, prior: tuple[float, float] = (0.5, 0.5)) -> float:
    """Return how many times more probable the runs are if the error rate is above `threshold` than if it is not.

    Under a Beta prior cut at the threshold; beyond the floating range inf or 0: use the logarithm.
    Kass & Raftery (1995), JASA 90:773–795.
    """
    return exponentiate(log_bayes_factor(errors, runs, threshold, prior))


def log_bayes_factor(
    errors: int, runs: int, threshold: float, prior: tuple[float, float] = (0.5, 0.5)
) -> float:
    """Return the natural logarithm of `bayes_factor`: posterior odds over prior odds."""
    errors, runs = require_errors(errors, runs)
    threshold, (a, b) = require_open_share("threshold", threshold), require_prior(prior)
    return _log_odds_above(threshold, a + errors, b + runs - errors) - _log_odds_above(threshold, a, b)


def break_even_loss(difference: Interval, uses: float, cost: float) -> Interval | None:
    """Return the loss per error from which a remedy pays: `cost` over the errors it avoids in `uses` uses.

    `difference` is the error rate without less the rate with the remedy; `cost` is in total, the loss in the same
    money. None unless the whole difference is positive: then no such loss exists, or it is unbounded. Learned Hand's
    formula in increments (United States v. Carroll Towing Co., 159 F.2d 169, 2d Cir. 1947).
    """
    uses, cost = require_number("uses", uses), require_number("cost", cost, minimum=0.0)
    if uses <= 0.0:
        raise ValueError(f"uses: {uses!r} must be positive")
    if difference.low <= 0.0 or difference.estimate is None:
        return None
    return replace(
        difference,
        estimate=cost / (uses * difference.estimate),
        low=cost / (uses * difference.high),
        high=cost / (uses * difference.low),
    )


def _log_odds_above(threshold: float, a: float, b: float) -> float:
    return log_upper_tail(threshold, a, b) - log_lower_tail(threshold, a, b)


def _map_rate(interval: Interval, function: Callable[[float], float]) -> Interval:
    """Apply an increasing function to the estimate and to the ends of an interval for a rate."""
    if interval.low < 0.0 or interval.high > 1.0:
        raise ValueError(f"interval: from {interval.low} to {interval.high} is not one for a rate")
    estimate = None if interval.estimate is None else function(interval.estimate)
    return replace(interval, estimate=estimate, low=function(interval.low), high=function(interval.high))
