from __future__ import annotations

import math
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.stats.comparison import newcombe
from ensemble.stats.exposure import (
    at_least_one_user,
    bayes_factor,
    break_even_loss,
    expected_occurrences,
    log_bayes_factor,
)
from ensemble.stats.proportion import clopper_pearson
from tests.ensemble.stats.reference import ends


@st.composite
def counts(draw, most=300):
    runs = draw(st.integers(0, most))
    return draw(st.integers(0, runs)), runs


@given(pair=counts(), uses=st.integers(0, 10**6), more=st.integers(0, 1000))
def test_exposure_grows_with_the_uses_and_stays_a_probability(pair, uses, more):
    rate = clopper_pearson(*pair)
    now, later = at_least_one_user(rate, uses), at_least_one_user(rate, uses + more)
    assert 0 <= now.low <= now.high <= 1
    assert now.low <= later.low
    assert now.high <= later.high
    number = expected_occurrences(rate, uses)
    for interval in (now, number):
        assert (interval.errors, interval.runs, interval.level) == (pair[0], pair[1], 0.95)
    assert now.high <= number.high + 1e-12  # Boole's inequality
    assert now.low <= number.low + 1e-12


@given(pair=counts().filter(lambda pair: pair[1]), uses=st.integers(0, 300))
def test_exposure_is_that_of_independent_uses(pair, uses):
    rate = clopper_pearson(*pair)
    someone, number = at_least_one_user(rate, uses), expected_occurrences(rate, uses)
    for name in ("estimate", "low", "high"):
        share = Fraction(getattr(rate, name))
        assert getattr(someone, name) == pytest.approx(float(1 - (1 - share) ** uses), rel=1e-9)
        assert getattr(number, name) == pytest.approx(float(share * uses), rel=1e-12)


def test_one_use_meets_the_error_at_the_rate_itself_and_no_use_never_does():
    rate = clopper_pearson(3, 20)
    assert ends(at_least_one_user(rate, 1)) == pytest.approx(ends(rate))
    assert ends(at_least_one_user(rate, 0)) == [0, 0]
    certain = clopper_pearson(5, 5)
    assert (at_least_one_user(certain, 1).high, at_least_one_user(certain, 0).high) == (1.0, 0.0)
    assert at_least_one_user(clopper_pearson(0, 0), 5).estimate is None
    assert expected_occurrences(clopper_pearson(0, 0), 5).estimate is None


def test_a_tiny_rate_over_many_uses_keeps_its_digits():
    rate = clopper_pearson(1, 10**9)
    assert at_least_one_user(rate, 10).estimate == pytest.approx(1e-8, rel=1e-7)


def find_exact_odds_above(threshold, a, b):
    """Odds that a Beta(a, b) rate exceeds the threshold, in fractions: a binomial sum for whole numbers."""
    last = a + b - 1
    above = sum(comb(last, k) * threshold**k * (1 - threshold) ** (last - k) for k in range(a))
    return above / (1 - above)


@given(
    pair=counts(most=60),
    threshold=st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50),
    prior=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_a_bayes_factor_is_the_posterior_odds_over_the_prior_odds(pair, threshold, prior):
    errors, runs = pair
    a, b = prior
    posterior = find_exact_odds_above(threshold, a + errors, b + runs - errors)
    exact = float(posterior / find_exact_odds_above(threshold, a, b))
    assert bayes_factor(errors, runs, float(threshold), prior) == pytest.approx(exact, rel=1e-9)


@given(pair=counts(), threshold=st.floats(0.01, 0.99))
def test_propositions_swap_with_errors_and_clean_runs(pair, threshold):
    errors, runs = pair
    mirror = log_bayes_factor(runs - errors, runs, 1 - threshold)
    assert log_bayes_factor(errors, runs, threshold) == pytest.approx(-mirror, rel=1e-7, abs=1e-7)


def test_bayes_factors_beyond_the_range_are_infinite_or_zero_with_finite_logarithms():
    assert bayes_factor(0, 0, 0.3) == 1
    assert bayes_factor(3000, 3000, 0.01) == math.inf
    assert bayes_factor(0, 3000, 0.5) == 0
    assert math.isfinite(log_bayes_factor(3000, 3000, 0.01))
    assert bayes_factor(5, 20, 0.05) == pytest.approx(10**2.24768, rel=1e-5)


def test_without_a_sure_difference_there_is_no_break_even_loss():
    for table in ((12, 100, 37, 100), (10, 100, 10, 100), (0, 0, 0, 0), (11, 100, 10, 100)):
        assert break_even_loss(newcombe(*table), 1000, 50) is None


@given(uses=st.floats(1, 1e9), cost=st.floats(0, 1e9))
def test_the_break_even_loss_balances_cost_and_avoided_errors(uses, cost):
    difference = newcombe(60, 100, 10, 100)
    loss = break_even_loss(difference, uses, cost)
    assert loss.estimate * difference.estimate * uses == pytest.approx(cost)
    assert loss.low <= loss.estimate <= loss.high
    assert loss.high * difference.low * uses == pytest.approx(cost)


RATE, DIFFERENCE = clopper_pearson(3, 20), newcombe(60, 100, 10, 100)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: at_least_one_user(RATE, -1), "uses"),
        (lambda: at_least_one_user(RATE, math.inf), "uses"),
        (lambda: at_least_one_user(newcombe(1, 10, 5, 10), 3), "interval"),
        (lambda: expected_occurrences(RATE, "many"), "uses"),
        (lambda: expected_occurrences(expected_occurrences(RATE, 1000), 3), "interval"),
        (lambda: bayes_factor(2, 1, 0.1), "errors"),
        (lambda: bayes_factor(1, 2, 1.0), "threshold"),
        (lambda: bayes_factor(1, 2, 0.5, (1, -1)), "prior"),
        (lambda: break_even_loss(DIFFERENCE, 0, 1), "uses"),
        (lambda: break_even_loss(DIFFERENCE, 1, -1), "cost"),
        (lambda: break_even_loss(DIFFERENCE, 1, math.nan), "cost"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
