"""Exact forward enumeration of a test run by run, independent of the package: the oracle of every stopping rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ensemble.stats import Interval

Rule = Callable[[int, int], bool]


def track_edge(rule: Rule, last: int) -> list[int]:
    """For runs 0…last, the largest count k for which the rule holds at all of 0…k (−1: at none).

    The rule holds for small counts only, and its edge never moves back as the runs grow.
    """
    edges, edge = [], -1
    for runs in range(last + 1):
        while edge < runs and rule(edge + 1, runs):
            edge += 1
        edges.append(edge)
    return edges


def walk(rates: list[float], low_edges: list[int], high_edges: list[int]) -> dict[str, np.ndarray]:
    """Chances of leaving at each (runs, errors), for each rate: leave when errors ≤ low edge or clean ≤ high edge.

    Returns `runs`, `errors` of the exits, `chance` (exits × rates), `side` (−1 low, +1 high), `left` (rates): still in.
    """
    p = np.array(rates)[:, None]
    chance = np.ones((len(rates), 1))
    exits: list[tuple[int, int, int, np.ndarray]] = []
    for runs in range(1, len(low_edges)):
        grown = np.zeros((len(rates), runs + 1))
        grown[:, :-1] = chance * (1 - p)
        grown[:, 1:] += chance * p
        chance = grown
        errors = np.arange(runs + 1)
        low = errors <= low_edges[runs]
        high = (runs - errors <= high_edges[runs]) & ~low
        for side, leaves in ((-1, low), (1, high)):
            for at in errors[leaves & (chance.max(axis=0) > 0)]:
                exits.append((runs, int(at), side, chance[:, at].copy()))
        chance[:, low | high] = 0
    return {
        "runs": np.array([row[0] for row in exits]),
        "errors": np.array([row[1] for row in exits]),
        "side": np.array([row[2] for row in exits]),
        "chance": np.array([row[3] for row in exits]),
        "left": chance.sum(axis=1),
    }


def accumulate(exits: dict[str, np.ndarray], last: int) -> np.ndarray:
    """The chance of having left after 0…last runs (rows), for each rate (columns)."""
    left = np.zeros((last + 1, exits["left"].size))
    if exits["runs"].size:
        np.add.at(left, exits["runs"], exits["chance"])
    return left.cumsum(axis=0)


def find_ever_missed(method: Callable[[int, int], Interval], rate: float, last: int) -> np.ndarray:
    """The chance, after 0…last runs, that some interval so far has missed the rate."""
    low = track_edge(lambda errors, runs: method(errors, runs).high < rate, last)
    high = track_edge(lambda clean, runs: method(runs - clean, runs).low > rate, last)
    return accumulate(walk([rate], low, high), last)[:, 0]


def find_quantile(exits: dict[str, np.ndarray], column: int, share: float) -> int | None:
    """The smallest number of runs by which the given share of the tests has left; None if it never does."""
    by_runs = np.bincount(exits["runs"], weights=exits["chance"][:, column]).cumsum()
    reached = np.flatnonzero(by_runs >= share - 1e-12)
    return int(reached[0]) if reached.size else None
