"""Every value of `reference.json` is an input, is computed again, or is listed here with the reason why it is not."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from inspect import isfunction
from pathlib import Path
from typing import Any

import pytest

import ensemble.stats
from tests.ensemble.stats.reference import (
    FEWEST_DECIMALS,
    REFERENCE,
    REPRODUCTIONS,
    Place,
    Reproduction,
    agrees,
    alter,
    blot,
    count_decimals,
    find_nodes,
    list_leaves,
)
from tests.ensemble.stats.reproductions import (  # noqa: F401 - importing them registers what they reproduce
    arms,
    clusters,
    decisions,
    detectors,
    diversity,
    exposure,
    plans,
    proportions,
    sequences,
    stopping,
    voting,
)

NOT_REPRODUCED: dict[str, tuple[str, ...]] = {
    "tells with which programs the values were computed": ("_meta",),
    "a remark": (
        "section3/allzero/note",
        "section4/published_56_70_vs_48_80/note",
        "section5/rogan_gladen/*/note",
    ),
    "what another program gets wrong, kept as a warning": (
        "section1/cases/*/jeffreys_raw_statsmodels",  # no edges set for 0 of n and n of n
        "section4/two_independent/*/mn_statsmodels",
        "section4/two_independent/*/mn_statsmodels_error",
        "section5/agreement_two_raters/3/irrCAC",
        "section8/extreme_mpmath/*/scipy_log_BF",
        "section8/extreme_mpmath/*/scipy_log_e",
    ),
    "the outcome of a simulation, which no other draws repeat; what is exact beside it is reproduced": (
        "section2sim/monte_carlo_check",
        "section5/judge_interval_coverage_1500reps",
        "section6/unseen_mass_simulation",
        "section7/ci_coverage_200reps/*/*_cov",
        "section7/guaranteed_bracket_coverage_3000reps/*/coverage",
        "section7/guaranteed_bracket_coverage_3000reps/*/mean_width",
        "section7/unbiasedness_N60/rows/*/mc_se",
        "section7/unbiasedness_N60/rows/*/mean_u_statistic",
        "section7/unbiasedness_N60/rows/*/sd_single",
    ),
    "sets the number of runs of such a simulation": (
        "section7/ci_coverage_200reps/*/N",
        "section7/guaranteed_bracket_coverage_3000reps/*/N",
    ),
    "a time on another machine": ("section7/timing_*",),
    "a rounded formula; the exact bound beside it is reproduced": ("section1/rule_of_three/*/approx",),
    "confidence sequences with a prior that moves with the rate (Howard et al.) are not offered": (
        "section2/confidence_sequence/*/howard_topt100_*",
        "section2/confidence_sequence/*/c",
        "section2sim/precision_cs/* Howard *",
        "section2sim/precision_cs/* average *",
        "section2sim/precision_cp_and_time_uniform/time_uniform_miss/*/centred",
    ),
    "confidence sequences for graded scores are not offered: a run is an error or it is not": (
        "section2/betting_cs_confseq_grid0.001",
    ),
    "sequential probability ratio tests are not offered; decisions by two e-values are reproduced": (
        "section2/sprt",
        "section2sim/decision/fixed_vs_sequential/*/sprt_*",
    ),
    "approximate intervals and tests for clusters are not offered beside Korn and Graubard's": (
        "section3/*/t_interval",
        "section3/*/logit_t",
        "section3/*/overdispersion_lr",
        "section3/*/pearson_chi2",
        "section3/*/gee_independence_*",
        "section3/determinism_audit/pairwise_t",
        "section3/determinism_audit/pairwise_cluster_bootstrap",
    ),
    "the package does not take the likeliest distribution for the true one, but averages over all (predictive_range)": (
        "section3/*/betabinom_mle",
    ),
    "an interval or a test that is not offered, others for the same question being better": (
        "section4/two_independent/*/agresti_caffo",
        "section4/two_independent/*/barnard_two_sided",
        "section4/paired/*/mcnemar_midp",
        "section4/holm/*/bonferroni",
    ),
    "tests are two-sided; the half of Boschloo's is reproduced where the first arm errs more often": (
        "section4/two_independent/*/fisher_greater",
        "section4/two_independent/3/boschloo_greater",
        "section4/two_independent/7/boschloo_greater",
        "section4/two_independent/9/boschloo_greater",
    ),
    "approximate numbers of runs per arm are not offered; those of the exact test are reproduced": (
        "section4/sample_size/*/n_arcsine",
        "section4/sample_size/*/n_statsmodels_pooled",
        "section4/sample_size/*/n_fleiss",
        "section4/sample_size/*/n_fleiss_cc",
    ),
    "says for which rates and power there is no more than such an approximation": (
        *(
            f"section4/sample_size/{row}/{key}"
            for row in (1, 3, 5, 7, 9, 11)
            for key in ("p1", "p2", "power")
        ),
    ),
    "a coefficient, or its interval, that is not offered": (
        "section5/agreement_two_raters/*/irrCAC/1",  # of Gwet's AC1
        "section5/agreement_two_raters/*/irrCAC/2",  # Fleiss' κ
    ),
    "approximate corrections of a detector's rate are not offered beside Lang and Reiczigel's and the box": (
        "section5/rogan_gladen/*/delta_ci",
        "section5/rogan_gladen/*/param_bootstrap_seed11",
        "section5/rogan_gladen/*/bayes_flat",
    ),
    "refused on purpose: this detector was not shown to separate errors": (
        "section5/rogan_gladen/5/rg_clipped",
    ),
    "a measure of variety, or its error, that is not offered": (
        "section6/counts/*/coverage_chao_jost_unseen",
        "section6/counts/*/coverage_distribution_free_upper",
        "section6/counts/*/coverage_esty_ci",
        "section6/counts/*/modal_sison_glaz",
        "section6/entropy_se_delta",
        "section6/mean_pairwise_cos",
    ),
    "numbers of errors are not predicted; their chance and their mean are reproduced": (
        "section8/beta_binomial_predictive",
    ),
    "no function: shows why the incident itself is never counted as a run": ("section8/selection_effect",),
    "likelihood ratios of two single rates are not offered; Bayes factors are reproduced": (
        "section8/point_lr",
    ),
    "numbers are not translated into words of strength: the published scales contradict each other": (
        "section8/bayes_factor/*/verbal_of_e",
        "section8/enfsi_cutoffs",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One place of a reproduction: its inputs, and the values to be found there with their decimals."""

    reproduction: Reproduction
    place: Place
    inputs: Any
    names: dict[str, str]
    values: dict[Place, Any]
    decimals: dict[Place, int]

    def recompute(self) -> dict[Place, Any]:
        return dict(list_leaves(self.reproduction.recompute(self.inputs, **self.names)))


def find_leaves(pattern: str) -> set[Place]:
    return {(*place, *below) for place, node, _ in find_nodes(pattern) for below, _ in list_leaves(node)}


def list_parts(reproduction: Reproduction, left_out: set[Place]) -> list[Part]:
    """The places that have values to be found, each kind of value with the most decimals it is printed with."""
    parts, most = [], defaultdict[Place, int](lambda: FEWEST_DECIMALS)
    for place, node, names in find_nodes(reproduction.pattern):
        values = {
            below: printed
            for below, printed in list_leaves(node)
            if not reproduction.is_given(below) and (*place, *below) not in left_out
        }
        for below, printed in values.items():
            most[below[:1]] = max(most[below[:1]], count_decimals(printed))
        if values:
            inputs = blot(node, reproduction.is_given)
            parts.append((place, inputs, names, values))
    return [
        Part(
            reproduction=reproduction,
            place=place,
            inputs=inputs,
            names=names,
            values=values,
            decimals={below: most[below[:1]] for below in values},
        )
        for place, inputs, names, values in parts
    ]


LEFT_OUT = {pattern: find_leaves(pattern) for patterns in NOT_REPRODUCED.values() for pattern in patterns}
PARTS = [part for each in REPRODUCTIONS for part in list_parts(each, set().union(*LEFT_OUT.values()))]


def test_every_value_is_given_or_reproduced_or_left_out_for_one_reason() -> None:
    kinds: dict[Place, set[str]] = {place: set() for place, _ in list_leaves(REFERENCE)}
    for reason, patterns in NOT_REPRODUCED.items():
        for place in set().union(*(LEFT_OUT[pattern] for pattern in patterns)):
            kinds[place].add(reason)
    for part in PARTS:
        for below, _ in list_leaves(part.inputs):
            if below not in part.values and part.reproduction.is_given(below):
                kinds[(*part.place, *below)].add("given")
        for below in part.values:
            kinds[(*part.place, *below)].add(f"reproduced as {part.reproduction.pattern}")
    assert {place: kind for place, kind in kinds.items() if len(kind) != 1} == {}


def test_nothing_is_left_out_that_is_not_there() -> None:
    assert [pattern for pattern, leaves in LEFT_OUT.items() if not leaves] == []
    assert all(each.pattern in {part.reproduction.pattern for part in PARTS} for each in REPRODUCTIONS)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: "/".join(part.place))
def test_the_values_are_found_again_and_would_not_be_if_altered(part: Part) -> None:
    found, rounding = part.recompute(), part.reproduction.rounding
    assert found.keys() == part.values.keys()
    for place, printed in part.values.items():
        at = found[place], part.decimals[place], rounding
        assert agrees(printed, *at), f"{'/'.join(place)}: {printed} printed, {found[place]} found"
        assert not agrees(alter(printed), *at), (
            f"{'/'.join(place)}: {alter(printed)} would pass for {printed}"
        )


def test_every_public_function_is_compared_with_something_else_on_fresh_inputs() -> None:
    here = Path(__file__).parent
    rows = re.findall(
        r"^\| (`.*`) \| .+ \| `(.+)::(\w+)` \|$", (here / "REFERENCE.md").read_text("utf-8"), re.M
    )
    compared = {name for functions, _, _ in rows for name in re.findall(r"\w+", functions)}
    public = {name for name in ensemble.stats.__all__ if isfunction(getattr(ensemble.stats, name))}
    assert compared == (public - {"find_offered_plan"}) | {"predictive_range"}
    assert all(f"def {test}(" in (here / module).read_text("utf-8") for _, module, test in rows)
