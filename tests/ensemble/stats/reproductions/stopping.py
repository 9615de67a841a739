"""Stopping when an interval is short enough: what it costs and how often it is right, followed run by run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from ensemble.stats import Interval, clopper_pearson, confidence_sequence, wilson
from tests.ensemble.stats.reference import ends, reproduces
from tests.ensemble.stats.walks import find_ever_missed, find_quantile, track_edge, walk

Method = Callable[[int, int], Interval]

SEQUENCE_RATES = np.arange(1, 101) * 0.005  # the rates over which the least coverage was looked for
INTERVAL_RATES = np.concatenate([np.arange(1, 20) * 0.001, np.arange(1, 200) * 0.0025])
PRIORS = {"kt": (0.5, 0.5), "uniform": (1.0, 1.0)}


def stop_on_precision(row: dict[str, Any], method: Method, half_width: float, rates: np.ndarray) -> Any:
    """Stop when the interval is short enough; it is longest where half the runs are errors."""
    last = next(n for n in count(1) if method(n // 2, n).half_width <= half_width)
    edges = track_edge(lambda errors, runs: method(errors, runs).half_width <= half_width, last)
    exits = walk([*row["p"], *rates], edges, edges)
    reached = zip(exits["errors"].tolist(), exits["runs"].tolist(), strict=True)
    low, high = np.array([ends(method(errors, runs)) for errors, runs in reached]).T[:, :, None]
    at = np.array([*row["p"], *rates])
    chance, given = exits["chance"], len(row["p"])
    coverages = (chance * ((low <= at) & (at <= high))).sum(axis=0)
    means = exits["runs"] @ chance
    worst = int(coverages[given:].argmin())
    return {
        "EN": means[:given].tolist(),
        "coverage": coverages[:given].tolist(),
        "miss_low": (chance * (low > at)).sum(axis=0)[:given].tolist(),
        "miss_high": (chance * (high < at)).sum(axis=0)[:given].tolist(),
        "mean_halfwidth": (((high - low) / 2)[:, 0] @ chance)[:given].tolist(),
        "p_hit_nmax_unfinished": exits["left"][:given].tolist(),
        "median": [find_quantile(exits, column, 0.5) for column in range(given)],
        "q90": [find_quantile(exits, column, 0.9) for column in range(given)],
        "n_largest": int(exits["runs"].max()),
        "min_coverage_grid": float(coverages[given:].min()),
        "argmin": float(rates[worst]),
        "EN_uniform_p_avg": float(means[given:].mean()),
    }


@reproduces("section2sim/precision_cs/w={half_width} KT Beta*", given="p", rounding=1e-14)
def stop_a_sequence_on_precision(row: dict[str, Any], half_width: str) -> Any:
    return stop_on_precision(row, confidence_sequence, float(half_width), SEQUENCE_RATES)


@reproduces("section2sim/precision_cs/w={half_width} Robbins Beta*", given="p", rounding=1e-14)
def stop_a_uniform_sequence_on_precision(row: dict[str, Any], half_width: str) -> Any:
    method = partial(confidence_sequence, prior=PRIORS["uniform"])
    return stop_on_precision(row, method, float(half_width), SEQUENCE_RATES)


def stop_an_interval_on_precision(row: dict[str, Any], method: Method, half_width: str) -> Any:
    found = stop_on_precision(row, method, float(half_width), INTERVAL_RATES)
    return {name: value for name, value in found.items() if name in row}


@reproduces("section2sim/precision_cp_and_time_uniform/naive cp w={half_width}", given="p", rounding=1e-14)
def stop_clopper_pearson_on_precision(row: dict[str, Any], half_width: str) -> Any:
    return stop_an_interval_on_precision(row, clopper_pearson, half_width)


@reproduces(
    "section2sim/precision_cp_and_time_uniform/naive wilson w={half_width}", given="p", rounding=1e-14
)
def stop_wilson_on_precision(row: dict[str, Any], half_width: str) -> Any:
    return stop_an_interval_on_precision(row, wilson, half_width)


@reproduces(
    "section2sim/precision_cp_and_time_uniform/calibrated cp w={half_width}",
    given="p alpha_prime",
    rounding=1e-14,
)
def stop_a_calibrated_interval_on_precision(row: dict[str, Any], half_width: str) -> Any:
    method = partial(clopper_pearson, level=1 - row["alpha_prime"])
    return stop_an_interval_on_precision(row, method, half_width)


@reproduces("section2sim/precision_cp_and_time_uniform/time_uniform_miss/{rate}/{name}")
def find_chances_of_ever_missing(row: dict[str, Any], rate: str, name: str) -> dict[str, float]:
    methods: dict[str, Method] = {
        prior: partial(confidence_sequence, prior=PRIORS[prior]) for prior in PRIORS
    }
    methods |= {"naive_cp": clopper_pearson, "naive_wilson": wilson}
    missed = find_ever_missed(methods[name], float(rate), max(map(int, row)))
    return {runs: float(missed[int(runs)]) for runs in row}
