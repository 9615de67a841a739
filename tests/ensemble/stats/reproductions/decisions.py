"""Deciding whether a rate lies above or below a threshold: costs and error chances, followed run by run."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

import numpy as np
from scipy import stats

from ensemble.stats import clopper_pearson, log_e_value_above, log_e_value_below
from tests.ensemble.stats.reference import reproduces
from tests.ensemble.stats.walks import accumulate, find_quantile, track_edge, walk

MAX_RUNS = 2000  # after which a test by two e-values ends undecided
ROUNDING = 1e-12


def track_above(threshold: float, alpha: float, last: int) -> list[int]:
    """The clean runs at most with which the e-value for "above the threshold" reaches 1 / alpha."""
    needed = math.log(1 / alpha)
    return track_edge(lambda clean, runs: log_e_value_above(runs - clean, runs, threshold) >= needed, last)


def track_below(threshold: float, alpha: float, last: int) -> list[int]:
    """The errors at most with which the e-value for "below the threshold" reaches 1 / alpha."""
    needed = math.log(1 / alpha)
    return track_edge(lambda errors, runs: log_e_value_below(errors, runs, threshold) >= needed, last)


def rejects(errors: int, runs: int, threshold: float, alpha: float) -> bool:
    """The exact one-sided test for one look: the lower limit lies at the threshold or above."""
    return clopper_pearson(errors, runs, 1 - 2 * alpha).low >= threshold * (1 - ROUNDING)


@reproduces("section2sim/decision/mixture_e_p0={threshold}", given="p", rounding=1e-14)
def decide_by_two_e_values(row: dict[str, Any], threshold: str) -> dict[str, Any]:
    """Stop where one of them reaches 20."""
    rates = row["p"]
    low, high = (track(float(threshold), 0.05, MAX_RUNS) for track in (track_below, track_above))
    exits = walk(rates, low, high)
    return {
        "EN": (exits["runs"] @ exits["chance"] + MAX_RUNS * exits["left"]).tolist(),
        "declare_greater": exits["chance"][exits["side"] == 1].sum(axis=0).tolist(),
        "declare_less": exits["chance"][exits["side"] == -1].sum(axis=0).tolist(),
        "undecided": exits["left"].tolist(),
        "median": [find_quantile(exits, column, 0.5) for column in range(len(rates))],
        "q90": [find_quantile(exits, column, 0.9) for column in range(len(rates))],
    }


@reproduces("section2sim/decision/fixed_vs_sequential/*", given="p0 p1 alpha power", rounding=1e-14)
def compare_a_fixed_number_of_runs_with_e_values(row: dict[str, Any]) -> dict[str, Any]:
    return find_fixed_design(row) | find_sequential_design(row) | {"e_futility": give_up_in_time(row)}


def find_fixed_design(row: dict[str, Any]) -> dict[str, Any]:
    """The fewest runs whose test for one look has the power, and the errors from which on it rejects."""
    for runs in count(1):
        critical = next((x for x in range(runs + 1) if rejects(x, runs, row["p0"], row["alpha"])), runs + 1)
        size, power = stats.binom.sf(critical - 1, runs, [row["p0"], row["p1"]]).tolist()
        if power >= row["power"]:
            return {"fixed_n": runs, "fixed_crit": critical, "fixed_size": size, "fixed_power": power}
    raise AssertionError


def find_sequential_design(row: dict[str, Any], last: int = 400) -> dict[str, Any]:
    """Stop where the e-value reaches 1 / alpha, or at the fewest runs that give it the power."""
    exits = walk([row["p0"], row["p1"]], [-1] * (last + 1), track_above(row["p0"], row["alpha"], last))
    rejected = accumulate(exits, last)
    most = int(np.argmax(rejected[:, 1] >= row["power"]))
    means = (1 - rejected[:most]).sum(axis=0).tolist()
    size, power = rejected[most].tolist()
    return {
        "e_trunc_nmax": most,
        "e_size": size,
        "e_power": power,
        "e_EN_p0": means[0],
        "e_EN_p1": means[1],
    }


def give_up_in_time(row: dict[str, Any]) -> dict[str, Any]:
    """Stop also where the e-value for "below p1" reaches 1 / (1 − power)."""
    high = track_above(row["p0"], row["alpha"], MAX_RUNS)
    exits = walk([row["p0"], row["p1"]], track_below(row["p1"], 1 - row["power"], MAX_RUNS), high)
    above, below = (exits["chance"][exits["side"] == side].sum(axis=0) for side in (1, -1))
    return {
        "EN": (exits["runs"] @ exits["chance"]).tolist(),
        "size": float(above[0]),
        "miss": float(below[1]),
        "undecided": exits["left"].tolist(),
    }


@reproduces("section2sim/decision/naive_peeking_type1/{threshold}")
def look_at_a_test_for_one_look_after_every_run(row: dict[str, Any], threshold: str) -> dict[str, float]:
    p, last = float(threshold), max(map(int, row))
    edges = track_edge(lambda clean, runs: rejects(runs - clean, runs, p, 0.05), last)
    rejected = accumulate(walk([p], [-1] * (last + 1), edges), last)
    return {runs: float(rejected[int(runs), 0]) for runs in row}
