"""Precision plans designed anew from their half-width, level, stride and first look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ensemble.stats import PrecisionPlan, plan_precision
from tests.ensemble.stats.reference import reproduces


@reproduces("section2sim/sealed_design/*", given="w conf check_every n_min", rounding=2e-9)
def design_a_plan(row: dict[str, Any]) -> dict[str, Any]:
    plan = plan_precision(row["w"], row["conf"], row["check_every"], row["n_min"])
    return {
        "alpha_prime": plan.alpha,
        "min_coverage": plan.min_coverage,
        "at_p": plan.min_coverage_at,
        "naive_min_coverage": find_min_coverage(replace(plan, alpha=1 - plan.level)),
        "n_max": plan.max_runs,
        "EN": {rate: plan.expected_runs(float(rate)) for rate in row["EN"]},
        "coverage": {rate: plan.coverage(float(rate)) for rate in row["coverage"]},
    }


def find_min_coverage(plan: PrecisionPlan) -> float:
    """The smallest coverage: it lies just beside an end of an interval."""
    stops = plan._stops()
    places = np.unique(np.concatenate([stops.low, stops.high]))
    places = places[(places > 0) & (places < 1)]
    return float(min(stops.coverages(places + shift).min() for shift in (-1e-9, 1e-9)))
