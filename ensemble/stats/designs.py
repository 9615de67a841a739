"""The precision plans on offer, designed beforehand by `plan_precision`; the tests design them again."""

from __future__ import annotations

from ensemble.stats.precision import PrecisionPlan

OFFERED_PLANS: tuple[PrecisionPlan, ...] = (
    PrecisionPlan(
        half_width=0.05,
        level=0.95,
        check_every=1,
        min_runs=10,
        alpha=0.0381998697916667,
        min_coverage=0.9503411207310216,
        min_coverage_at=0.11466117493762784,
        max_runs=447,
    ),
    PrecisionPlan(
        half_width=0.075,
        level=0.95,
        check_every=1,
        min_runs=10,
        alpha=0.039485677083333365,
        min_coverage=0.9506448073062954,
        min_coverage_at=0.16766863703012322,
        max_runs=199,
    ),
    PrecisionPlan(
        half_width=0.1,
        level=0.95,
        check_every=1,
        min_runs=10,
        alpha=0.03852539062500003,
        min_coverage=0.9507963489932135,
        min_coverage_at=0.22926492731931483,
        max_runs=115,
    ),
    PrecisionPlan(
        half_width=0.15,
        level=0.95,
        check_every=1,
        min_runs=10,
        alpha=0.03767903645833337,
        min_coverage=0.9502597277688551,
        min_coverage_at=0.31491712498642754,
        max_runs=52,
    ),
    PrecisionPlan(
        half_width=0.05,
        level=0.99,
        check_every=1,
        min_runs=10,
        alpha=0.006669921875000005,
        min_coverage=0.9901676826298185,
        min_coverage_at=0.10685219707491825,
        max_runs=752,
    ),
    PrecisionPlan(
        half_width=0.1,
        level=0.99,
        check_every=1,
        min_runs=10,
        alpha=0.006995442708333339,
        min_coverage=0.9902070437763277,
        min_coverage_at=0.20867184539724917,
        max_runs=188,
    ),
)


def find_offered_plan(half_width: float, level: float = 0.95) -> PrecisionPlan | None:
    """Return the plan on offer for this half-width and level, None when it would have to be designed."""
    matching = (plan for plan in OFFERED_PLANS if (plan.half_width, plan.level) == (half_width, level))
    return next(matching, None)
