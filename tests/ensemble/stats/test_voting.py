from __future__ import annotations

import time
from fractions import Fraction
from itertools import product
from math import comb, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ensemble.stats.voting import all_of, at_least_one, vote_error, vote_error_bracket
from tests.ensemble.stats.reference import REFERENCE

ORACLE = REFERENCE["section7"]
TIES = ("random", "error", "correct")


@st.composite
def answers(draw, most=8):
    counts = draw(st.lists(st.integers(0, most), min_size=1, max_size=5).filter(any))
    return counts, draw(st.lists(st.booleans(), min_size=len(counts), max_size=len(counts)))


def settle(drawn, is_error, ties):
    """Chance that this draw's plurality is an error."""
    winners = [error for votes, error in zip(drawn, is_error, strict=True) if votes == max(drawn)]
    return {"random": Fraction(sum(winners), len(winners)), "error": any(winners), "correct": all(winners)}[
        ties
    ]


def enumerate_votes(counts, is_error, votes, ties):
    """The same by listing every possible draw, in fractions."""
    total = Fraction(0)
    for drawn in product(*(range(min(count, votes) + 1) for count in counts)):
        if sum(drawn) == votes:
            ways = prod(comb(count, taken) for count, taken in zip(counts, drawn, strict=True))
            total += ways * Fraction(settle(drawn, is_error, ties))
    return total / comb(sum(counts), votes)


@pytest.mark.parametrize("row", ORACLE["binary_vote"], ids=lambda r: f"{r['p']}-{r['k']}")
def test_votes_of_many_runs_with_two_answers_are_binomial(row):
    runs = 10**7
    counts = [round(row["p"] * runs), round((1 - row["p"]) * runs)]
    assert vote_error(counts, [1, 0], row["k"]) == pytest.approx(row["err"], rel=2e-5, abs=1e-9)


@settings(max_examples=60)
@given(runs=answers(), data=st.data())
def test_vote_errors_equal_an_enumeration_of_all_draws(runs, data):
    counts, is_error = runs
    votes = data.draw(st.integers(1, sum(counts)))
    for ties in TIES:
        expected = float(enumerate_votes(counts, is_error, votes, ties))
        assert vote_error(counts, is_error, votes, ties) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(runs=answers(most=60), data=st.data())
def test_votes_obey_their_identities(runs, data):
    counts, is_error = runs
    runs = sum(counts)
    errors = sum(count for count, error in zip(counts, is_error, strict=True) if error)
    assert vote_error(counts, is_error, 1) == pytest.approx(errors / runs)
    votes = data.draw(st.integers(1, min(runs, 20)))
    random, error, correct = (vote_error(counts, is_error, votes, ties) for ties in TIES)
    assert correct - 1e-12 <= random <= error + 1e-12
    opposite = [not wrong for wrong in is_error]
    assert random + vote_error(counts, opposite, votes) == pytest.approx(1)
    assert error + vote_error(counts, opposite, votes, "correct") == pytest.approx(1)
    assert vote_error(counts[::-1], is_error[::-1], votes) == pytest.approx(random)
    bracket = vote_error_bracket(errors, runs - errors, runs, votes)
    assert 0 <= bracket.low <= bracket.high <= 1
    assert (bracket.estimate, bracket.errors, bracket.runs) == (None, errors, runs)


@given(errors=st.integers(1, 200), clean=st.integers(1, 200), half=st.integers(1, 10))
def test_with_two_answers_an_even_number_of_votes_is_worth_the_odd_one_below(errors, clean, half):
    votes = min(2 * half, errors + clean) // 2 * 2
    even, odd = (vote_error([errors, clean], [1, 0], number) for number in (votes, votes - 1))
    assert even == pytest.approx(odd)
    tail = stats.hypergeom.sf((votes - 1) // 2, errors + clean, errors, votes - 1)
    assert odd == pytest.approx(float(tail), abs=1e-12)


@given(modes=st.tuples(st.integers(0, 60), st.integers(0, 60)), others=st.integers(0, 20), data=st.data())
def test_the_bracket_puts_exact_bounds_of_an_independent_library_to_the_vote(modes, others, data):
    runs = sum(modes) + others
    votes, level = data.draw(st.integers(1, 31)), data.draw(st.floats(0.5, 0.999))
    if not runs:
        return
    bracket = vote_error_bracket(*modes, runs, votes, level)
    wrong, right = (stats.binomtest(mode, runs).proportion_ci(level).low for mode in modes)
    low, high = stats.binom.sf(votes // 2, votes, wrong), stats.binom.cdf(votes // 2, votes, right)
    assert [bracket.low, bracket.high] == pytest.approx([low, high], rel=1e-7, abs=1e-12)


def find_true_vote_error(shares, is_error, votes):
    total = 0.0
    for drawn in product(range(votes + 1), repeat=len(shares)):
        if sum(drawn) == votes:
            total += stats.multinomial.pmf(drawn, votes, shares) * float(settle(drawn, is_error, "random"))
    return total


def test_the_estimate_is_unbiased():
    runs = 9
    shares, is_error = [0.5, 0.3, 0.2], [1, 0, 1]
    for votes in (1, 3, 4, 9):
        mean = sum(
            stats.multinomial.pmf(counts, runs, shares) * vote_error(counts, is_error, votes)
            for counts in product(range(runs + 1), repeat=3)
            if sum(counts) == runs
        )
        assert mean == pytest.approx(find_true_vote_error(shares, is_error, votes))


@pytest.mark.parametrize("row", ORACLE["unbiasedness_N60"]["rows"], ids=lambda r: str(r["k"]))
def test_votes_of_very_many_runs_approach_the_true_error_of_the_reference(row):
    shares, is_error = ORACLE["unbiasedness_N60"]["p"], ORACLE["unbiasedness_N60"]["is_err"]
    counts = [round(share * 10**7) for share in shares]
    assert vote_error(counts, is_error, row["k"]) == pytest.approx(row["true"], abs=1e-6)


@pytest.mark.parametrize(
    "row", ORACLE["guaranteed_bracket_coverage_3000reps"], ids=lambda r: f"{r['p']}-{r['k']}"
)
def test_the_bracket_covers_the_true_vote_error(row):
    tests = 400
    counts = [round(share * 10**7) for share in row["p"]]
    true = vote_error(counts, row["is_err"], row["k"])
    assert true == pytest.approx(row["true"], rel=1e-4, abs=1e-9)
    samples = np.random.default_rng(3).multinomial(row["N"], row["p"], tests)
    wrong = np.array(row["is_err"], dtype=bool)
    covered = [
        vote_error_bracket(int(sample[wrong].max()), int(sample[~wrong].max()), row["N"], row["k"]).contains(
            true
        )
        for sample in samples
    ]
    assert np.mean(covered) == pytest.approx(row["coverage"], abs=0.02)
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("shares", [[0.5, 0.5, 0], [0.2, 0.7, 0.1], [0.34, 0.33, 0.33], [0.02, 0.9, 0.08]])
def test_the_bracket_covers_in_every_small_test_counted_exactly(shares):
    runs, votes = 16, 5
    true = find_true_vote_error(shares, [1, 0, 1], votes)
    tables = [c for c in product(range(runs + 1), repeat=3) if sum(c) == runs]
    covered = [vote_error_bracket(max(a, c), b, runs, votes).contains(true) for a, b, c in tables]
    assert stats.multinomial.pmf(tables, runs, shares) @ covered >= 0.95


@given(runs=st.integers(1, 60), data=st.data())
def test_draws_equal_their_fractions(runs, data):
    errors, draws = data.draw(st.integers(0, runs)), data.draw(st.integers(1, runs))
    assert at_least_one(errors, runs, draws) == pytest.approx(
        1 - comb(runs - errors, draws) / comb(runs, draws), abs=1e-12
    )
    assert all_of(errors, runs, draws) == pytest.approx(comb(errors, draws) / comb(runs, draws), rel=1e-9)
    assert (
        at_least_one(errors, runs, 1)
        == pytest.approx(errors / runs)
        == pytest.approx(all_of(errors, runs, 1))
    )
    assert at_least_one(errors, runs, draws) == pytest.approx(
        1 - all_of(runs - errors, runs, draws), abs=1e-12
    )


def test_draws_from_a_million_runs_are_computed():
    assert at_least_one(10, 10**6, 10**5) == pytest.approx(1 - 0.9**10, rel=1e-4)
    assert at_least_one(1, 10**6, 500_000) == pytest.approx(0.5)
    assert all_of(10**6, 10**6, 10**6) == 1.0
    assert str(at_least_one(0, 5, 3)) == "0.0"


def test_the_curve_of_a_large_test_is_quick():
    generator = np.random.default_rng(6)
    counts = [5000, 3000, *generator.integers(1, 40, 100).tolist()]
    started = time.process_time()
    for votes in (25, 101):
        vote_error(counts, [True, False] * 51, votes)
    assert time.process_time() - started < 5


def test_votes_without_any_error_or_with_nothing_else_are_certain():
    assert vote_error([5, 4], [0, 0], 3) == 0
    assert vote_error([5, 4], [1, 1], 3) == pytest.approx(1)
    assert vote_error([7], [True], 7, "correct") == pytest.approx(1)
    assert vote_error([3, 0], [False, True], 2, "error") == pytest.approx(0, abs=1e-12)


def test_a_bracket_without_runs_is_everything():
    bracket = vote_error_bracket(0, 0, 0, 5)
    assert (bracket.estimate, bracket.low, bracket.high) == (None, 0.0, 1.0)
    assert bracket.notes == ("no labelled runs",)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: vote_error([1, -1], [0, 1], 1), r"counts\[1\]"),
        (lambda: vote_error([1, 1], [0], 1), "is_error"),
        (lambda: vote_error([1, 1], [0, 1], 0), "votes"),
        (lambda: vote_error([1, 1], [0, 1], 3), "votes"),
        (lambda: vote_error([], [], 1), "votes"),
        (lambda: vote_error([400, 400], [0, 1], 302), "votes"),
        (lambda: vote_error([1, 1], [0, 1], 1, "first"), "ties"),
        (lambda: vote_error_bracket(3, 0, 2, 1), "error_mode"),
        (lambda: vote_error_bracket(1, 2, 2, 1), "correct_mode"),
        (lambda: vote_error_bracket(0, 0, -1, 1), "runs"),
        (lambda: vote_error_bracket(1, 1, 2, 0), "votes"),
        (lambda: vote_error_bracket(1, 1, 2, 1, 1), "level"),
        (lambda: at_least_one(2, 1, 1), "errors"),
        (lambda: at_least_one(1, 2, 3), "draws"),
        (lambda: at_least_one(1, 2, 0), "draws"),
        (lambda: at_least_one(1, 10**6 + 1, 1), "runs"),
        (lambda: all_of(0, 0, 1), "draws"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
