"""Confidence sequences and e-values at single counts."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

import numpy as np
from scipy import special

from ensemble.stats import (
    clean_runs_to_bound,
    confidence_sequence,
    e_value_above,
    e_value_below,
    log_e_value_above,
    log_e_value_below,
    log_two_arm_e_value,
    two_arm_e_value,
)
from tests.ensemble.stats.reference import ends, reproduces


def find_log_two_sided_e_value(errors: int, runs: int, threshold: float) -> float:
    """Against "the rate is the threshold": the two sides weighted as the prior Beta(½, ½) weighs them."""
    above, below = special.betaincc(0.5, 0.5, threshold), special.betainc(0.5, 0.5, threshold)
    return float(
        np.logaddexp(
            log_e_value_above(errors, runs, threshold) + math.log(above),
            log_e_value_below(errors, runs, threshold) + math.log(below),
        )
    )


@reproduces("section2/confidence_sequence/*", given="S n alpha")
def find_sequences(row: dict[str, Any]) -> dict[str, Any]:
    counts = row["S"], row["n"], 1 - row["alpha"]
    return {
        "kt_half_half": ends(confidence_sequence(*counts)),
        "uniform_1_1": ends(confidence_sequence(*counts, prior=(1, 1))),
    }


@reproduces("section2/e_values_beta_half/*", given="S n p0")
def find_e_values(row: dict[str, Any]) -> dict[str, Any]:
    at = row["S"], row["n"], row["p0"]
    log_two_sided = find_log_two_sided_e_value(*at)
    return {
        "e_p_greater": e_value_above(*at),
        "e_p_less": e_value_below(*at),
        "e_two_sided": math.exp(log_two_sided),
        "log_e_p_greater": log_e_value_above(*at),
        "log_e_p_less": log_e_value_below(*at),
        "log_e_two_sided": log_two_sided,
    }


@reproduces("section2/shortest_decisions/*", given="p0 alpha")
def count_runs_to_the_shortest_decisions(row: dict[str, Any]) -> dict[str, Any]:
    threshold, needed = row["p0"], math.log(1 / row["alpha"])
    return {
        "all_errors_needed": next(n for n in count(1) if log_e_value_above(n, n, threshold) >= needed),
        "no_errors_needed": next(n for n in count(1) if log_e_value_below(0, n, threshold) >= needed),
        "no_errors_needed_fixedN_rule_of_three": clean_runs_to_bound(threshold, 1 - row["alpha"]),
    }


@reproduces("section2/kt_betting_identity_checked")
def check_that_betting_on_the_next_run_yields_the_e_value(_: Any) -> bool:
    """A gambler who bets at (errors + ½) / (runs + 1) ends with the two-sided e-value as wealth."""
    generator = np.random.default_rng(20261123)
    for threshold in (0.02, 0.3, 0.5, 0.9):
        outcomes = (generator.random(120) < 0.4).astype(int)
        rates = (np.cumsum(outcomes) - outcomes + 0.5) / np.arange(1, 121)
        stakes = np.where(outcomes == 1, rates / threshold, (1 - rates) / (1 - threshold))
        log_e = find_log_two_sided_e_value(int(outcomes.sum()), 120, threshold)
        if not math.isclose(np.log(stakes).sum(), log_e, rel_tol=1e-9):
            return False
    return True


@reproduces("section2/risk_difference_cs_bonferroni/*", given="a b")
def subtract_sequences(row: dict[str, Any]) -> dict[str, Any]:
    a, b = (confidence_sequence(*row[arm], 0.975) for arm in "ab")
    return {"rd_cs_95": [a.low - b.high, a.high - b.low]}


@reproduces("section2/two_arm_e_process/*", given="xa xb")
def find_two_arm_e_values(row: dict[str, Any]) -> dict[str, Any]:
    arms = [read_outcomes(row["xa"]), read_outcomes(row["xb"])]
    return {"log_e": log_two_arm_e_value(*arms), "e": two_arm_e_value(*arms)}


def read_outcomes(written: str) -> list[int]:
    """Outcomes written as "1x10" or "(0,0,1)x10"."""
    block, times = written.split("x")
    return [int(outcome) for outcome in block.strip("()").split(",")] * int(times)
