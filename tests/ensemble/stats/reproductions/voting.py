"""Votes over several runs."""

from __future__ import annotations

from itertools import product
from typing import Any

from scipy import stats

from ensemble.stats import all_of, at_least_one, clopper_pearson, vote_error, vote_error_bracket
from tests.ensemble.stats.reference import ends, reproduces

TIES = ("random", "error", "correct")


def find_true_vote_error(shares: list[float], is_error: list[int], votes: int) -> float:
    """The chance that the vote errs: every outcome of as many runs as there are votes."""
    outcomes = [
        (*counts, votes - sum(counts))
        for counts in product(range(votes + 1), repeat=len(shares) - 1)
        if sum(counts) <= votes
    ]
    chances = stats.multinomial.pmf(outcomes, votes, shares)
    return float(sum(chances * [vote_error(counts, is_error, votes) for counts in outcomes]))


@reproduces("section7/guaranteed_bracket/*", given="largest_error_answer largest_correct_answer N k")
def bracket_the_vote(row: dict[str, Any]) -> dict[str, Any]:
    modes = row["largest_error_answer"], row["largest_correct_answer"]
    return {"bracket": ends(vote_error_bracket(*modes, row["N"], row["k"]))}


@reproduces("section7/guaranteed_bracket_coverage_3000reps/*", given="p is_err k")
def find_the_vote_error_to_be_bracketed(row: dict[str, Any]) -> dict[str, Any]:
    return {"true": find_true_vote_error(row["p"], row["is_err"], row["k"])}


@reproduces("section7/ci_coverage_200reps/*", given="p is_err k")
def find_the_vote_error_to_be_estimated(row: dict[str, Any]) -> dict[str, Any]:
    return {"true": find_true_vote_error(row["p"], row["is_err"], row["k"])}


@reproduces("section7/unbiasedness_N60", given="p is_err rows/*/k")
def find_the_vote_error_behind_the_simulation(node: dict[str, Any]) -> dict[str, Any]:
    return {
        "rows": [{"true": find_true_vote_error(node["p"], node["is_err"], row["k"])} for row in node["rows"]]
    }


@reproduces("section7/brute_force_checked/*", given="counts is_err k")
def vote_with_every_rule_for_ties(row: dict[str, Any]) -> dict[str, Any]:
    return {ties: vote_error(row["counts"], row["is_err"], row["k"], ties) for ties in TIES}


@reproduces("section7/curves/*", given="counts is_err")
def draw_a_curve(row: dict[str, Any]) -> dict[str, Any]:
    return {"curve": {k: vote_error(row["counts"], row["is_err"], int(k)) for k in row["curve"]}}


@reproduces("section7/binary_vote/*", given="p k")
def vote_between_two_answers(row: dict[str, Any]) -> dict[str, Any]:
    return {"err": find_true_vote_error([row["p"], 1 - row["p"]], [1, 0], row["k"])}


@reproduces("section7/binary_vote_cp_ci/*", given="x n k")
def map_an_interval_through_the_vote(row: dict[str, Any]) -> dict[str, Any]:
    x, n, k = row["x"], row["n"], row["k"]
    return {
        "point_hyper": vote_error([x, n - x], [1, 0], k),
        "ci": [find_true_vote_error([end, 1 - end], [1, 0], k) for end in ends(clopper_pearson(x, n))],
    }


@reproduces("section7/pass_at_k/*", given="n c k")
def draw_several_runs(row: dict[str, Any]) -> dict[str, Any]:
    at = row["c"], row["n"], row["k"]
    return {"pass_at_k": at_least_one(*at), "pass_hat_k": all_of(*at)}
