"""What a rate means: many uses, one proposition against another, the cost of a remedy."""

from __future__ import annotations

import math
from typing import Any

from ensemble.stats import (
    at_least_one_user,
    break_even_loss,
    clopper_pearson,
    expected_occurrences,
    log_bayes_factor,
    log_e_value_above,
    newcombe,
)
from tests.ensemble.stats.reference import ends, reproduces


@reproduces("section8/exposure/*", given="x n N")
def expose_many_uses(row: dict[str, Any]) -> dict[str, Any]:
    rate = clopper_pearson(row["x"], row["n"])
    someone, number = at_least_one_user(rate, row["N"]), expected_occurrences(rate, row["N"])
    return {
        "point": someone.estimate,
        "ci": ends(someone),
        "expected": number.estimate,
        "expected_ci": ends(number),
    }


@reproduces("section8/bayes_factor/*", given="x n p0")
def weigh_two_propositions(row: dict[str, Any]) -> dict[str, Any]:
    at = row["x"], row["n"], row["p0"]
    return {
        "log10_BF_jeffreys": log_bayes_factor(*at) / math.log(10),
        "log10_BF_uniform": log_bayes_factor(*at, prior=(1, 1)) / math.log(10),
        "log10_e_value": log_e_value_above(*at) / math.log(10),
    }


@reproduces("section8/extreme_mpmath/*", given="x n p0")
def weigh_far_beyond_the_floating_range(row: dict[str, Any]) -> dict[str, Any]:
    at = row["x"], row["n"], row["p0"]
    return {"log_BF": log_bayes_factor(*at), "log_e_p_greater": log_e_value_above(*at)}


@reproduces("section8/hand", given="N B")
def balance_cost_and_loss(row: dict[str, Any]) -> dict[str, Any]:
    difference = newcombe(37, 100, 12, 100)
    loss = break_even_loss(difference, row["N"], row["B"])
    return {
        "rd": difference.estimate,
        "rd_ci": ends(difference),
        "break_even_loss": loss.estimate,
        "break_even_loss_ci": ends(loss),
    }
