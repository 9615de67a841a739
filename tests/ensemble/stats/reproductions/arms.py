"""Two arms: differences, exact tests, paired runs, multiplicity, the runs a comparison needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from ensemble.stats import (
    boschloo,
    break_even_loss,
    e_value_above,
    e_value_below,
    fisher,
    holm,
    mcnemar,
    miettinen_nurminen,
    newcombe,
    newcombe_paired,
    runs_per_arm,
    tango,
)
from tests.ensemble.stats.reference import ends, reproduces

ALPHA = 0.05
NEGLIGIBLE = 1e-13


@reproduces("section4/two_independent/*", given="x1 n1 x2 n2")
def compare_arms(row: dict[str, Any]) -> dict[str, Any]:
    table = row["x1"], row["n1"], row["x2"], row["n2"]
    interval = newcombe(*table)
    found: dict[str, Any] = {
        "diff": interval.estimate,
        "newcombe": ends(interval),
        "newcombe_statsmodels": ends(interval),
        "miettinen_nurminen": ends(miettinen_nurminen(*table)),
        "fisher_two_sided": fisher(*table),
    }
    if "boschloo_two_sided" in row:
        found["boschloo_two_sided"] = p_value = boschloo(*table)
        if interval.estimate > 0:  # the two-sided value is twice this side's
            found["boschloo_greater"] = p_value / 2
    return found


@reproduces("section4/published_56_70_vs_48_80")
def compare_the_arms_of_the_published_example(_: Any) -> dict[str, Any]:
    table = 56, 70, 48, 80
    return {
        "newcombe_method10": [round(end, 4) for end in ends(newcombe(*table))],
        "miettinen_nurminen": [round(end, 4) for end in ends(miettinen_nurminen(*table))],
    }


@reproduces("section4/paired/*", given="a b c d")
def compare_paired_arms(row: dict[str, Any]) -> dict[str, Any]:
    """The e-value against "each arm is as often the one that is wrong" has both sides, with half the prior each."""
    table, discordant = [row[cell] for cell in "abcd"], (row["b"], row["b"] + row["c"], 0.5)
    return {
        "n": sum(table),
        "diff": tango(*table).estimate,
        "mcnemar_exact": mcnemar(row["b"], row["c"]),
        "newcombe_paired": ends(newcombe_paired(*table)),
        "tango": ends(tango(*table)),
        "e_value_kt": (e_value_above(*discordant) + e_value_below(*discordant)) / 2,
    }


@reproduces("section4/holm/*", given="p")
def adjust_p_values(row: dict[str, Any]) -> dict[str, Any]:
    adjusted = holm(row["p"])
    return {"holm": adjusted, "reject": [p_value <= ALPHA for p_value in adjusted]}


@reproduces("section4/sample_size/*", given="p1 p2 power")
def count_runs_per_arm(row: dict[str, Any]) -> dict[str, Any]:
    runs = runs_per_arm(row["p1"], row["p2"], row["power"], ALPHA)
    return {"n_fisher_exact": runs, "power_fisher_at_n": find_power_of_fisher(row["p1"], row["p2"], runs)}


def find_power_of_fisher(p_a: float, p_b: float, runs: int) -> float:
    """Every table that has a chance worth naming."""
    chance_a, chance_b = (stats.binom.pmf(np.arange(runs + 1), runs, p) for p in (p_a, p_b))
    chances = np.outer(chance_a, chance_b)
    return float(
        sum(
            chances[a, b]
            for a, b in np.argwhere(chances > NEGLIGIBLE).tolist()
            if fisher(a, runs, b, runs) <= ALPHA
        )
    )


@reproduces("section4/mcnemar_power/*", given="N p10 p01")
def find_power_of_mcnemar(row: dict[str, Any]) -> dict[str, Any]:
    """Every number of discordant pairs, and every split of them."""
    power, discordant = 0.0, row["p10"] + row["p01"]
    for pairs in range(row["N"] + 1):
        only_a = np.arange(pairs + 1)
        rejects = [mcnemar(a, pairs - a) <= ALPHA for a in only_a.tolist()]
        split = stats.binom.pmf(only_a, pairs, row["p10"] / discordant)
        power += float(stats.binom.pmf(pairs, row["N"], discordant) * (split @ rejects))
    return {"power": power}


@reproduces("section4/cost_per_avoided_error", given="baseline mitigation")
def find_cost_per_avoided_error(row: dict[str, Any]) -> dict[str, Any]:
    """What a remedy that makes a run dearer costs per error avoided: the break-even loss of a single use."""
    errors_a, runs_a, cost_a = row["baseline"]
    errors_b, runs_b, cost_b = row["mitigation"]
    difference = newcombe(errors_a, runs_a, errors_b, runs_b)
    loss = break_even_loss(difference, 1, cost_b - cost_a)
    return {
        "rd": difference.estimate,
        "rd_ci": ends(difference),
        "point": loss.estimate,
        "ci_cost_known": ends(loss),
    }
