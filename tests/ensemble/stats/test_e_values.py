from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from ensemble.stats.beta import log_lower_tail, log_upper_tail
from ensemble.stats.sequential import (
    confidence_sequence,
    e_value_above,
    e_value_below,
    log_e_value_above,
    log_e_value_below,
    log_two_arm_e_value,
    two_arm_e_value,
)
from tests.ensemble.stats.reproductions.decisions import track_above, track_below
from tests.ensemble.stats.walks import walk

LIMIT = math.log(20)
thresholds = st.floats(0.001, 0.999)
priors = st.tuples(st.floats(0.2, 10), st.floats(0.2, 10))


@st.composite
def counts(draw, most=2000):
    runs = draw(st.integers(0, most))
    return draw(st.integers(0, runs)), runs


def two_sided(errors, runs, threshold, prior=(0.5, 0.5)):
    """The log e-value against "the rate is the threshold": the two sides weighted by the prior."""
    above = log_e_value_above(errors, runs, threshold, prior) + log_upper_tail(threshold, *prior)
    below = log_e_value_below(errors, runs, threshold, prior) + log_lower_tail(threshold, *prior)
    return float(np.logaddexp(above, below))


def find_exact_e_value(errors, runs, threshold, prior, above):
    """The same in fractions: with whole-number priors the cut Beta integrals are binomial sums."""

    def integrate_tail(a, b):  # of q^(a−1) (1−q)^(b−1), over the rates on the wanted side of the threshold
        last = a + b - 1
        counts = range(a) if above else range(a, last + 1)
        share = sum(comb(last, k) * threshold**k * (1 - threshold) ** (last - k) for k in counts)
        return share * Fraction(factorial(a - 1) * factorial(b - 1), factorial(last))

    a, b = prior
    clean = runs - errors
    mixture = integrate_tail(a + errors, b + clean) / integrate_tail(a, b)
    return mixture / (threshold**errors * (1 - threshold) ** clean)


@given(
    pair=counts(most=60),
    threshold=st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50),
    prior=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_e_values_are_averages_of_likelihood_ratios_over_the_truncated_prior(pair, threshold, prior):
    for method, above in ((e_value_above, True), (e_value_below, False)):
        exact = find_exact_e_value(*pair, threshold, prior, above)
        assert method(*pair, float(threshold), prior) == pytest.approx(float(exact), rel=1e-9)


@given(pair=counts(), threshold=thresholds)
def test_a_rate_is_outside_the_confidence_sequence_exactly_when_the_two_sided_e_value_reaches_its_limit(
    pair, threshold
):
    interval, log_e = confidence_sequence(*pair), two_sided(*pair, threshold)
    if abs(log_e - LIMIT) > 1e-6:
        assert interval.contains(threshold) == (log_e < LIMIT)


@given(pair=counts(), threshold=thresholds, prior=priors)
def test_above_and_below_mirror_each_other(pair, threshold, prior):
    errors, runs = pair
    above = log_e_value_above(errors, runs, threshold, prior)
    below = log_e_value_below(runs - errors, runs, 1 - threshold, prior[::-1])
    assert above == pytest.approx(below, rel=1e-7, abs=1e-7)


@given(pair=counts(), threshold=thresholds, prior=priors)
def test_one_more_run_keeps_the_mean_at_the_threshold(pair, threshold, prior):
    errors, runs = pair
    for log_e_value in (log_e_value_above, log_e_value_below):
        now = log_e_value(errors, runs, threshold, prior)
        with_error = math.exp(log_e_value(errors + 1, runs + 1, threshold, prior) - now)
        with_clean = math.exp(log_e_value(errors, runs + 1, threshold, prior) - now)
        assert threshold * with_error + (1 - threshold) * with_clean == pytest.approx(1, rel=1e-6)


@given(pair=counts(most=200), threshold=thresholds, prior=priors)
def test_evidence_above_grows_with_every_error(pair, threshold, prior):
    errors, runs = pair
    now = log_e_value_above(errors, runs + 1, threshold, prior)
    assert log_e_value_above(errors + 1, runs + 1, threshold, prior) > now
    assert log_e_value_below(errors + 1, runs + 1, threshold, prior) < log_e_value_below(
        errors, runs + 1, threshold, prior
    )


def test_without_runs_there_is_no_evidence():
    assert e_value_above(0, 0, 0.1) == e_value_below(0, 0, 0.1) == two_arm_e_value([], []) == 1


def test_beyond_the_floating_range_the_value_is_infinite_and_its_logarithm_finite():
    assert e_value_above(3000, 3000, 0.01) == math.inf
    assert math.isfinite(log_e_value_above(3000, 3000, 0.01))
    assert e_value_below(0, 3000, 0.5) == math.inf
    assert two_arm_e_value([1] * 2000, [0] * 2000) == math.inf
    assert math.isfinite(log_two_arm_e_value([1] * 2000, [0] * 2000))
    assert e_value_above(0, 10**6, 0.5) > 0


@given(a=st.floats(0.5, 3000), b=st.floats(0.5, 3000), x=st.floats(0.001, 0.999))
def test_far_tails_join_the_ordinary_ones(a, b, x):
    lower, upper = log_lower_tail(x, a, b), log_upper_tail(x, a, b)
    assert np.logaddexp(lower, upper) == pytest.approx(0, abs=1e-9)
    assert math.isfinite(lower)
    assert math.isfinite(upper)
    ordinary = float(special.betainc(a, b, x))
    if ordinary > 1e-300:
        assert lower == pytest.approx(math.log(ordinary), rel=1e-9, abs=1e-12)


@given(blocks=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_two_arms_are_exchangeable_and_the_value_is_the_exponential_of_its_logarithm(blocks):
    arm_a, arm_b = [a for a, _ in blocks], [b for _, b in blocks]
    log_e = log_two_arm_e_value(arm_a, arm_b)
    assert log_e == pytest.approx(log_two_arm_e_value(arm_b, arm_a), abs=1e-9)
    assert two_arm_e_value(arm_a, arm_b) == pytest.approx(math.exp(log_e))


@given(blocks=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_the_two_arm_e_value_multiplies_what_each_arm_s_past_gains_over_both(blocks):
    product_of_gains = Fraction(1)
    for done, outcomes in enumerate(blocks):
        past = zip(*blocks[:done], strict=True) if done else [(), ()]
        rates = [Fraction(2 * sum(arm) + 1, 2 * done + 2) for arm in past]
        for outcome, rate in zip(outcomes, rates, strict=True):
            shared = sum(rates) / 2
            product_of_gains *= rate / shared if outcome else (1 - rate) / (1 - shared)
    value = two_arm_e_value([a for a, _ in blocks], [b for _, b in blocks])
    assert value == pytest.approx(float(product_of_gains), rel=1e-9)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3, 0.5, 0.92])
def test_the_two_arm_e_value_has_a_mean_of_at_most_one_under_equal_rates(rate):
    blocks = 4
    total = 0.0
    for arms in product([0, 1], repeat=2 * blocks):
        chance = math.prod(rate if outcome else 1 - rate for outcome in arms)
        total += chance * two_arm_e_value(arms[:blocks], arms[blocks:])
    assert total <= 1 + 1e-12


def test_two_arm_decisions_are_wrong_less_often_than_allowed_and_right_when_arms_differ():
    generator = np.random.default_rng(20260930)

    def share_decided(rate_a, rate_b, blocks=120, tests=300):
        decided = 0
        for _ in range(tests):
            arms = (generator.random((2, blocks)) < np.array([[rate_a], [rate_b]])).astype(int)
            grows = (log_two_arm_e_value(arms[0, :n], arms[1, :n]) for n in range(10, blocks + 1, 10))
            decided += any(log_e >= LIMIT for log_e in grows)
        return decided / tests

    assert share_decided(0.3, 0.3) <= 0.05
    assert share_decided(0.9, 0.3) > 0.95


def find_decisions(threshold, rates, last):
    """Stop at the first run where one of the two e-values reaches 20; exact."""
    return walk(rates, track_below(threshold, 0.05, last), track_above(threshold, 0.05, last))


@pytest.mark.parametrize("threshold", [0.02, 0.25, 0.7])
def test_a_decision_at_the_threshold_is_wrong_with_at_most_the_promised_chance(threshold):
    exits = find_decisions(threshold, [threshold, threshold * 0.9, min(1.0, threshold * 1.2)], 500)
    above = exits["chance"][exits["side"] == 1].sum(axis=0)
    below = exits["chance"][exits["side"] == -1].sum(axis=0)
    assert above[0] <= 0.05
    assert above[1] <= 0.05
    assert below[0] <= 0.05
    assert below[2] <= 0.05


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: e_value_above(2, 1, 0.1), "errors"),
        (lambda: e_value_above(0, -1, 0.1), "runs"),
        (lambda: e_value_above(0, 1, 0), "threshold"),
        (lambda: e_value_below(0, 1, 1), "threshold"),
        (lambda: e_value_below(0, 1, 0.1, (0, 0)), "prior"),
        (lambda: log_e_value_below(0, 1, math.nan), "threshold"),
        (lambda: log_e_value_above(0.5, 1, 0.1), "errors"),
        (lambda: two_arm_e_value([0, 1], [0]), "outcomes_b"),
        (lambda: two_arm_e_value([0, 2], [0, 1]), "outcomes_a"),
        (lambda: two_arm_e_value([0, 1], [0, None]), "outcomes_b"),
        (lambda: two_arm_e_value([0, 1], [0, math.nan]), "outcomes_b"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
