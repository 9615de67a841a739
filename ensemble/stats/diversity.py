"""How many different answers there are, how often they repeat, and what has not been seen yet."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from ensemble.stats.beta import exact_limits
from ensemble.stats.domain import require_counts, require_open_share


def entropy(counts: Sequence[int]) -> float | None:
    """Return the plug-in entropy, in nats, of the shares of the answers; None without answers.

    It is a little too low for few runs. Shannon (1948), Bell System Technical Journal 27:379–423.
    """
    seen = _require_seen(counts)
    runs = sum(seen)
    return sum(count / runs * math.log(runs / count) for count in seen) if seen else None


def effective_answers(counts: Sequence[int]) -> float | None:
    """Return the effective number of answers, exp(entropy): how many equally frequent ones are as diverse."""
    nats = entropy(counts)
    return None if nats is None else math.exp(nats)


def repeat_probability(counts: Sequence[int]) -> float | None:
    """Return the chance that two runs give the same answer, without bias; None with fewer than two runs.

    Simpson (1949), Nature 163:688.
    """
    seen = _require_seen(counts)
    runs = sum(seen)
    return sum(count * (count - 1) for count in seen) / (runs * (runs - 1)) if runs > 1 else None


def chao1(counts: Sequence[int]) -> float | None:
    """Return a lower bound, on average, for the number of different answers there are; None without answers.

    The bias-corrected form. Chao (1984), Scandinavian Journal of Statistics 11:265–270.
    """
    seen = _require_seen(counts)
    once, twice = seen.count(1), seen.count(2)
    return len(seen) + once * (once - 1) / (2 * (twice + 1)) if seen else None


def unseen_mass(counts: Sequence[int]) -> float | None:
    """Return the Good–Turing estimate of the chance that the next run gives an answer not seen yet.

    None without answers. Good (1953), Biometrika 40:237–264.
    """
    seen = _require_seen(counts)
    return seen.count(1) / sum(seen) if seen else None


def novelty_bound(
    first_half: Sequence[Hashable], second_half: Sequence[Hashable], level: float = 0.95
) -> float:
    """Return an upper bound for the chance that a further run gives an answer not among the first half; one-sided.

    The answers of the first half say what counts as seen; those of the second are then independent yes-or-no
    outcomes, so the exact binomial bound holds whatever the distribution. 1 without a second half.
    """
    level = require_open_share("level", level)
    seen = set(first_half)
    new = sum(answer not in seen for answer in second_half)
    return exact_limits(new, len(second_half), 1.0 - level)[1]


def _require_seen(counts: Sequence[int]) -> list[int]:
    """Return the counts that are not zero."""
    return [count for count in require_counts("counts", counts) if count]
