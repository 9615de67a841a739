"""How various answers are."""

from __future__ import annotations

import math
from typing import Any

from ensemble.stats import (
    chao1,
    clopper_pearson,
    effective_answers,
    entropy,
    mcnemar,
    novelty_bound,
    repeat_probability,
    unseen_mass,
    wilson,
)
from tests.ensemble.stats.reference import ends, reproduces


@reproduces("section6/counts/*", given="counts")
def describe_variety(row: dict[str, Any]) -> dict[str, Any]:
    counts, nats = row["counts"], entropy(row["counts"])
    runs, answers = sum(counts), len(counts)
    return describe_the_mode(row) | {
        "n": runs,
        "entropy_nats": nats,
        "entropy_bits": nats / math.log(2),
        "normalised_by_log_n": nats / math.log(runs),
        "miller_madow": nats + (answers - 1) / (2 * runs),
        "effective_number_exp_H": effective_answers(counts),
        "simpson_repeat_prob_unbiased": repeat_probability(counts),
        "chao1_bias_corrected": chao1(counts),
        "coverage_S_obs": answers,
        "coverage_f1": counts.count(1),
        "coverage_f2": counts.count(2),
        "coverage_good_turing_unseen": unseen_mass(counts),
        "goods_coverage_skbio": 1 - unseen_mass(counts),
    }


def describe_the_mode(row: dict[str, Any]) -> dict[str, Any]:
    """The intervals for the share of the most frequent answer; McNemar's test is that of the two most frequent."""
    counts, runs = sorted(row["counts"], reverse=True), sum(row["counts"])
    shared_level = 1 - 0.05 / len(counts)
    found = {
        "modal_share": clopper_pearson(counts[0], runs).estimate,
        "modal_cp_if_prespecified": ends(clopper_pearson(counts[0], runs)),
        "modal_goodman": ends(wilson(counts[0], runs, shared_level)),
        "modal_bonferroni_cp": ends(clopper_pearson(counts[0], runs, shared_level)),
        "mode_is_mode_p_hung_fithian": mcnemar(counts[0], counts[1] if len(counts) > 1 else 0),
    }
    return {name: value for name, value in found.items() if name in row}


@reproduces("section6/entropy_jackknife")
def correct_the_entropy_by_leaving_one_run_out(_: Any) -> float:
    counts = [50, 30, 15, 5]
    runs = sum(counts)
    without = [[n - (i == left) for i, n in enumerate(counts)] for left in range(len(counts))]
    mean = sum(n / runs * entropy(fewer) for n, fewer in zip(counts, without, strict=True))
    return runs * entropy(counts) - (runs - 1) * mean


@reproduces("section6/split_sample_rule/{new} new in {runs}")
def bound_novelty(_: Any, new: str, runs: str) -> float:
    second_half = [f"new {index}" for index in range(int(new))] + ["known"] * (int(runs) - int(new))
    return novelty_bound(["known"], second_half)
