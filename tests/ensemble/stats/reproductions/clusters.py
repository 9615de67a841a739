"""Runs in clusters, and the determinism audit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ensemble.stats import (
    accordance,
    clopper_pearson,
    cluster_interval,
    concordance,
    identical_share,
    intraclass_correlation,
    repeat_probability,
)
from tests.ensemble.stats.reference import ends, reproduces


def find_cluster_statistics(row: dict[str, Any]) -> dict[str, Any]:
    errors, sizes = row["y"], row["m"]
    interval = cluster_interval(errors, sizes)
    correlation = intraclass_correlation(errors, sizes)
    found = find_effective_runs(errors, sizes) | {
        "k": len(sizes),
        "N": interval.runs,
        "p": interval.estimate,
        "korn_graubard": ends(interval),
        "naive_cp": ends(clopper_pearson(interval.errors, interval.runs)),
        "icc_anova": correlation,
        "icc1_pingouin": correlation,
    }
    return {name: value for name, value in found.items() if name in row}


def find_effective_runs(errors: list[int], sizes: list[int]) -> dict[str, Any]:
    """What the Korn–Graubard interval rests on; the interval found from it must be the package's."""
    clusters, runs = len(sizes), sum(sizes)
    rate = sum(errors) / runs
    variance = (
        clusters / (clusters - 1) * sum((e - rate * m) ** 2 for e, m in zip(errors, sizes, strict=True))
    )
    found = {"var": variance / runs**2, "se": variance**0.5 / runs, "srs_var": rate * (1 - rate) / runs}
    if not variance:
        return found | {"deff": None}
    effect = found["var"] / found["srs_var"]
    shrink = stats.t.ppf(0.975, runs - 1) / stats.t.ppf(0.975, clusters - 1)
    effective = runs / effect * shrink**2
    wrong = rate * effective
    low = stats.beta.ppf(0.025, wrong, effective - wrong + 1)
    high = stats.beta.ppf(0.975, wrong + 1, effective - wrong)
    assert ends(cluster_interval(errors, sizes)) == pytest.approx([low, high], rel=1e-9)
    return found | {"deff": effect, "n_eff": runs / effect, "n_star": float(effective)}


for name in ("paraphrases_12x10", "unequal", "seeds_20x5_repeats", "allzero"):
    reproduces(f"section3/{name}", given="y m")(find_cluster_statistics)


@reproduces("section3/accordance_concordance/*", given="y m")
def find_agreement_of_clusters(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "accordance_each": [accordance([y], [m]) for y, m in zip(row["y"], row["m"], strict=True)],
        "accordance": accordance(row["y"], row["m"]),
        "concordance": concordance(row["y"], row["m"]),
    }


@reproduces("section3/determinism_audit", given="seeds k")
def audit_determinism(row: dict[str, Any]) -> dict[str, Any]:
    """Each seed is given by how often each of its answers came."""
    groups = [[str(kind) for kind, times in enumerate(seed) for _ in range(times)] for seed in row["seeds"]]
    assert {len(group) for group in groups} == {row["k"]}
    share = identical_share(groups)
    return {
        "share_identical": share.estimate,
        "cp": ends(share),
        "pairwise_agreement": float(np.mean([repeat_probability(seed) for seed in row["seeds"]])),
        "no_mismatch_bound": {
            seeds: 1 - identical_share([["same"] * 3] * int(seeds), 0.90).low
            for seeds in row["no_mismatch_bound"]
        },
    }
