"""One proportion: intervals, their exact coverage, the runs they need, missing labels."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
from scipy import stats

from ensemble.stats import (
    clean_runs_to_bound,
    clopper_pearson,
    jeffreys,
    missing_label_band,
    runs_for_half_width,
    wilson,
)
from tests.ensemble.stats.reference import ends, reproduces

METHODS = {"clopper_pearson": clopper_pearson, "wilson": wilson, "jeffreys": jeffreys}
MANY_RATES = np.linspace(0.0005, 0.9995, 2000)  # over which mean coverages were taken
BESIDE = 1e-9


@reproduces("section1/cases/*", given="x n conf")
def find_intervals(row: dict[str, Any]) -> dict[str, Any]:
    one_sided = clopper_pearson(row["x"], row["n"], 2 * row["conf"] - 1)
    return {
        "clopper_pearson": ends(clopper_pearson(row["x"], row["n"], row["conf"])),
        "wilson": ends(wilson(row["x"], row["n"], row["conf"])),
        "jeffreys_bcd": ends(jeffreys(row["x"], row["n"], row["conf"])),
        "cp_one_sided_lower": one_sided.low,
        "cp_one_sided_upper": one_sided.high,
    }


@reproduces("section1/exact_coverage_95/{runs}/{method}")
def find_coverage(_: Any, runs: str, method: str) -> dict[str, Any]:
    """The coverage jumps at the ends of the intervals, so its minimum lies just beside one of them."""
    errors = np.arange(int(runs) + 1)
    low, high = np.array([ends(METHODS[method](int(each), int(runs))) for each in errors]).T

    def cover(rates: np.ndarray) -> np.ndarray:
        chance = stats.binom.pmf(errors[:, None], int(runs), rates)
        return (chance * ((low[:, None] <= rates) & (rates <= high[:, None]))).sum(axis=0)

    places = np.concatenate([low, high])
    places = places[(places > 0) & (places < 1)]
    coverages = np.minimum(cover(places - BESIDE), cover(places + BESIDE))
    worst = float(places[coverages.argmin()])
    return {
        "min": float(coverages.min()),
        "argmin_p": frozenset({worst, 1 - worst}),  # by symmetry the minimum lies at both
        "mean": float(cover(MANY_RATES).mean()),
    }


@reproduces("section1/rule_of_three/*", given="n conf")
def bound_after_no_errors(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "exact_one_sided": clopper_pearson(0, row["n"], 2 * row["conf"] - 1).high,
        "two_sided": clopper_pearson(0, row["n"], row["conf"]).high,
    }


@reproduces("section1/fixed_n_for_halfwidth/{half_width}")
def count_runs_for_a_half_width(_: Any, half_width: str) -> dict[str, Any]:
    width = float(half_width)
    return {
        "cp95": runs_for_half_width(width),
        "wilson95": next(n for n in count(1) if wilson(n // 2, n).half_width <= width),
        "cp99": runs_for_half_width(width, 0.99),
    }


@reproduces("section1/zero_runs_needed/*", given="p_bound conf")
def count_clean_runs(row: dict[str, Any]) -> dict[str, Any]:
    return {"n": clean_runs_to_bound(row["p_bound"], row["conf"])}


@reproduces("section1/invalid_bounds/*", given="x n_valid n_invalid")
def bound_missing_labels(row: dict[str, Any]) -> dict[str, Any]:
    errors, valid, total = row["x"], row["n_valid"], row["n_valid"] + row["n_invalid"]
    band = missing_label_band(errors, valid, row["n_invalid"])
    return {
        "cc_point": band.estimate,
        "cc_cp": ends(clopper_pearson(errors, valid)),
        "bounds_point": [
            clopper_pearson(errors, total).estimate,
            clopper_pearson(errors + row["n_invalid"], total).estimate,
        ],
        "bounds_cp": ends(band),
    }
