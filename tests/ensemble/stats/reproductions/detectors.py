"""Detectors that err: agreement, corrected rates, and runs that a person labelled too."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ensemble.stats import (
    clopper_pearson,
    cohen_kappa,
    confidence_sequence,
    double_sampling,
    guaranteed_prevalence,
    gwet_ac1,
    krippendorff_alpha,
    lang_reiczigel,
    newcombe,
    ppi,
    ppi_plus_plus,
)
from tests.ensemble.stats.reference import ends, reproduces


@reproduces("section5/agreement_two_raters/*", given="table_rows_A_cols_B")
def find_agreement(row: dict[str, Any]) -> dict[str, Any]:
    table = row["table_rows_A_cols_B"]
    pairs = [(a, b) for a, line in enumerate(table) for b, times in enumerate(line) for _ in range(times)]
    kappa, ac1, alpha = cohen_kappa(table), gwet_ac1(table), krippendorff_alpha(pairs)
    found: dict[str, Any] = {
        "po": sum(a == b for a, b in pairs) / len(pairs),
        "cohen_kappa": kappa,
        "gwet_ac1": ac1,
        "krippendorff_alpha": alpha,
    }
    if isinstance(row["irrCAC"], list):
        found["irrCAC"] = {"0": round(ac1, 5), "3": round(kappa, 5), "4": round(alpha, 5)}
    return found


@reproduces("section5/krippendorff_missing", given="units")
def find_agreement_with_missing_labels(row: dict[str, Any]) -> dict[str, Any]:
    return {"alpha": krippendorff_alpha(row["units"])}


@reproduces("section5/rogan_gladen/*", given="x n tp n_se tn n_sp")
def correct_a_rate(row: dict[str, Any]) -> dict[str, Any]:
    counts = [row[key] for key in ("x", "n", "tp", "n_se", "tn", "n_sp")]
    plain, worst = lang_reiczigel(*counts), guaranteed_prevalence(*counts)
    false_alarms = row["n_sp"] - row["tn"]
    separation = newcombe(row["tp"], row["n_se"], false_alarms, row["n_sp"])
    found = {"J": separation.estimate, "J_newcombe_lower": separation.low}
    if separation.estimate > 0:
        found |= {
            "rg_raw": (row["x"] / row["n"] - false_alarms / row["n_sp"]) / separation.estimate,
            "lang_reiczigel": ends(plain),
            "box_cp": ends(worst),
            "box_anytime": box_a_sequence(row),
        }
    if plain.estimate is not None:
        assert plain.estimate == worst.estimate
        found["rg_clipped"] = plain.estimate
    return found


def box_a_sequence(row: dict[str, Any]) -> list[float]:
    """The guaranteed box, with a confidence sequence for the flagged runs."""
    level = 1 - 0.05 / 3
    shown = confidence_sequence(row["x"], row["n"], level)
    hits, passes = (
        clopper_pearson(row[part], row[whole], level) for part, whole in (("tp", "n_se"), ("tn", "n_sp"))
    )
    if hits.low + passes.low <= 1:
        return [0.0, 1.0]
    corners = [(q + sp - 1) / (se + sp - 1) for q, se, sp in product(*map(ends, (shown, hits, passes)))]
    return [min(1.0, max(0.0, corner)) for corner in (min(corners), max(corners))]


@reproduces("section5/lang_reiczigel_published_example", given="x n tp n_se tn n_sp")
def correct_the_published_rate(row: dict[str, Any]) -> dict[str, Any]:
    interval = lang_reiczigel(*(row[key] for key in ("x", "n", "tp", "n_se", "tn", "n_sp")))
    return {"published": [round(end, 3) for end in ends(interval)], "own": ends(interval)}


CELLS = ("judged1_human1", "judged1_human0", "judged0_human1", "judged0_human0")


@reproduces("section5/ppi/*", given=" ".join((*CELLS, "unlabelled_judged1", "unlabelled")))
def combine_both_labels(row: dict[str, Any]) -> dict[str, Any]:
    cells, others = [row[cell] for cell in CELLS], (row["unlabelled_judged1"], row["unlabelled"])
    flagged, wrong, labelled = cells[0] + cells[1], cells[0] + cells[2], sum(cells)
    trust = find_trust(cells, *others)
    shown = clopper_pearson(flagged + others[0], labelled + others[1]).estimate
    found: dict[str, Any] = {
        key: {"point": method(*cells, *others).estimate, "ci": ends(method(*cells, *others, ddof=0))}
        for key, method in (("ppi_lam1", ppi), ("ppi_plus_plus", ppi_plus_plus))
    }
    return found | {
        "ppi_pp_lambda_formula": trust,
        "ppi_pp_point_formula": wrong / labelled + trust * (others[0] / others[1] - flagged / labelled),
        "human_only_cp": ends(clopper_pearson(wrong, labelled)),
        "judge_only": shown,
        "double_sampling": {
            "n": labelled,
            "N": labelled + others[1],
            "q": shown,
            "ppv": cells[0] / flagged,
            "false_omission": cells[2] / (labelled - flagged),
            "theta": double_sampling(*cells, *others).estimate,
            "delta_ci": ends(double_sampling(*cells, *others)),
            "bonferroni_cp_ci": ends(double_sampling(*cells, *others, guaranteed=True)),
        },
    }


def find_trust(cells: list[int], other_flagged: int, other_runs: int) -> float:
    """The weight of the detector in `ppi_plus_plus`, from the single labels."""
    detector, person = np.repeat([1, 1, 0, 0], cells), np.repeat([1, 0, 1, 0], cells)
    others = np.repeat([1, 0], [other_flagged, other_runs - other_flagged])
    pooled = np.concatenate([detector, others]).var(ddof=1)
    covariance = np.cov(person, detector, ddof=0)[0, 1]
    return float(np.clip(covariance / ((1 + detector.size / others.size) * pooled), 0, 1))
