"""What a majority vote over several runs would do, from runs already made."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ensemble.stats.beta import exact_limits
from ensemble.stats.binomial import Floats, binomial_chances
from ensemble.stats.domain import require_count, require_counts, require_errors, require_open_share
from ensemble.stats.interval import Interval, Note

MAX_VOTES = 301
MAX_DRAWN_RUNS = 10**6
TIES = ("random", "error", "correct")


def vote_error(counts: Sequence[int], is_error: Sequence[Any], votes: int, ties: str = "random") -> float:
    """Return the chance that the most frequent of `votes` answers, drawn from the runs, is an error.

    `counts` are the runs per answer, `is_error` tells which answers are errors. Drawn without replacement, so it is
    the unbiased estimate (a U-statistic) of the error of a vote over that many independent runs; exact, up to 301
    votes. A tie goes to one of the tied answers at "random" (like "first seen"), or always to an "error" or to a
    "correct" answer. Hoeffding (1948), Ann. Math. Statist. 19:293–325.
    """
    groups, runs = _group_answers(counts, is_error)
    votes = require_count("votes", votes, minimum=1, maximum=min(MAX_VOTES, runs))
    if ties not in TIES:
        raise ValueError(f"ties: {ties!r} is none of {', '.join(TIES)}")
    if ties == "error":
        others = [group._replace(wanted=not group.wanted) for group in groups]
        return 1.0 - _find_win_chance(others, votes, runs, ties_shared=False)
    return _find_win_chance(groups, votes, runs, ties_shared=ties == "random")


def vote_error_bracket(
    error_mode: int, correct_mode: int, runs: int, votes: int, level: float = 0.95
) -> Interval:
    """Bound the error of a vote over `votes` runs whatever the other answers do; there is no estimate.

    `error_mode` and `correct_mode` are the runs of the most frequent wrong and of the most frequent right answer. Low:
    an absolute majority for that wrong answer; high: none for that right one; each share at its one-sided exact bound.
    """
    runs = require_count("runs", runs)
    error_mode, _ = require_errors(error_mode, runs, ("error_mode", "runs"))
    correct_mode, _ = require_errors(correct_mode, runs - error_mode, ("correct_mode", "the other runs"))
    votes = require_count("votes", votes, minimum=1)
    tail = (1.0 - require_open_share("level", level)) / 2
    wrong, right = (exact_limits(mode, runs, tail)[0] for mode in (error_mode, correct_mode))
    majority = votes // 2 + 1
    return Interval(
        estimate=None,
        low=float(special.betainc(majority, votes - majority + 1, wrong)),
        high=float(special.betaincc(majority, votes - majority + 1, right)),
        level=level,
        method="vote-bracket",
        errors=error_mode,
        runs=runs,
        notes=() if runs else (Note.NO_RUNS,),
    )


def at_least_one(errors: int, runs: int, draws: int) -> float:
    """Return the unbiased estimate of the chance that at least one of `draws` runs errs (pass@k); up to 10⁶ runs.

    Chen et al. (2021), arXiv:2107.03374.
    """
    errors, runs, draws = _require_draws(errors, runs, draws)
    return 0.0 - math.expm1(_find_log_miss(errors, runs, draws))


def all_of(errors: int, runs: int, draws: int) -> float:
    """Return the unbiased estimate of the chance that all of `draws` runs err (pass^k); up to 10⁶ runs.

    Yao, Shinn, Razavi & Narasimhan (2024), arXiv:2406.12045.
    """
    errors, runs, draws = _require_draws(errors, runs, draws)
    return math.exp(_find_log_miss(runs - errors, runs, draws))


class _Group(NamedTuple):
    """Answers alike in their number of runs and in being wanted as winner."""

    size: int
    wanted: bool
    answers: int


def _group_answers(counts: Sequence[int], is_error: Sequence[Any]) -> tuple[list[_Group], int]:
    """Return the answers grouped, and the runs in all."""
    counts = require_counts("counts", counts)
    if len(is_error) != len(counts):
        raise ValueError(f"is_error: {len(is_error)} answers, but counts has {len(counts)}")
    alike = Counter((count, bool(error)) for count, error in zip(counts, is_error, strict=True) if count)
    groups = [_Group(size=size, wanted=error, answers=answers) for (size, error), answers in alike.items()]
    return groups, sum(counts)


def _find_win_chance(groups: list[_Group], votes: int, runs: int, *, ties_shared: bool) -> float:
    """Return the chance that a wanted answer wins; ties with others are shared out evenly, or lost.

    A draw is a set of independent binomial counts, given that they add up to `votes`. Each answer is a polynomial in
    its votes, and each row of the arrays is one winning height with one node: a winner tied with t others counts
    1/(1 + t), which is ∫ yᵗ dy, so every other answer at the height carries a node y of an exact quadrature.
    """
    heights, nodes, weights = _lay_nodes(votes, max(group.size for group in groups))
    product = np.zeros((heights.size, votes + 1))
    product[:, 0] = 1.0
    won = np.zeros_like(product)  # the product with one wanted answer singled out as the winner
    powers = np.arange(votes + 1)
    for group in groups:
        chances = np.zeros(votes + 1)
        cast = powers[: group.size + 1]
        chances[: cast.size] = binomial_chances(group.size, cast, votes / runs)
        below = chances * (powers < heights[:, None])
        winner = chances * (powers == heights[:, None])
        polynomial = below + winner * nodes[:, None] if group.wanted or ties_shared else below
        others = _raise(polynomial, group.answers - 1)
        product, won = _multiply(product, others), _multiply(_multiply(won, others), polynomial)
        if group.wanted:
            won += _multiply(product, group.answers * winner)
        product = _multiply(product, polynomial)
    return min(1.0, float(weights @ won[:, votes]) / float(binomial_chances(runs, votes, votes / runs)))


def _lay_nodes(votes: int, tallest: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return, row by row, the winning height, a Gauss–Legendre node in [0, 1], and its weight.

    At most votes // height answers reach a height, one of them the winner: that bounds the power of y.
    """
    rows = []
    for height in range(1, min(votes, tallest) + 1):
        nodes, weights = special.roots_legendre((votes // height + 1) // 2)
        rows += [(height, (node + 1) / 2, weight / 2) for node, weight in zip(nodes, weights, strict=True)]
    heights, places, shares = zip(*rows, strict=True)
    return np.array(heights), np.array(places), np.array(shares)


def _multiply(left: Floats, right: Floats) -> Floats:
    """Return the products of polynomials, row by row, without the powers beyond the last column."""
    result = left * right[:, :1]
    for power in range(1, right.shape[1]):
        rows = np.flatnonzero(right[:, power])
        if rows.size:
            part = slice(rows[0], rows[-1] + 1)
            result[part, power:] += left[part, :-power] * right[part, power, None]
    return result


def _raise(polynomial: Floats, power: int) -> Floats:
    """Return a power of the polynomials, by repeated squaring."""
    result = np.zeros_like(polynomial)
    result[:, 0] = 1.0
    while power:
        if power % 2:
            result = _multiply(result, polynomial)
        power //= 2
        polynomial = _multiply(polynomial, polynomial) if power else polynomial
    return result


def _require_draws(errors: int, runs: int, draws: int) -> tuple[int, int, int]:
    errors, runs = require_errors(errors, runs)
    require_count("runs", runs, maximum=MAX_DRAWN_RUNS)
    return errors, runs, require_count("draws", draws, minimum=1, maximum=runs)


def _find_log_miss(hits: int, runs: int, draws: int) -> float:
    """Return the log of the chance that draws without replacement contain none of the hits."""
    if hits + draws > runs:
        return -math.inf
    fewer, more = sorted((hits, draws))
    return float(np.log1p(-more / (runs - np.arange(fewer))).sum())
