from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ensemble.stats.diversity import (
    chao1,
    effective_answers,
    entropy,
    novelty_bound,
    repeat_probability,
    unseen_mass,
)
from tests.ensemble.stats.reference import REFERENCE

SIMULATED = REFERENCE["section6"]["unseen_mass_simulation"][:6]
MEASURES = [entropy, effective_answers, repeat_probability, chao1, unseen_mass]
some_counts = st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(lambda counts: sum(counts) > 1)


@given(counts=some_counts)
def test_entropy_is_that_of_an_independent_library(counts):
    assert entropy(counts) == pytest.approx(float(stats.entropy(counts)), abs=1e-12)
    assert effective_answers(counts) == pytest.approx(math.exp(entropy(counts)))


@given(counts=some_counts)
def test_diversity_has_its_bounds_and_does_not_care_for_order_or_zeros(counts):
    answers = sum(count > 0 for count in counts)
    assert -1e-12 <= entropy(counts) <= math.log(answers) + 1e-12
    assert 0 <= repeat_probability(counts) <= 1
    assert chao1(counts) >= answers
    assert 0 <= unseen_mass(counts) <= 1
    for measure in MEASURES:
        assert measure([*sorted(counts), 0]) == pytest.approx(measure(counts))


@given(counts=st.lists(st.integers(0, 8), min_size=1, max_size=6).filter(lambda counts: sum(counts) > 1))
def test_the_repeat_probability_is_the_share_of_pairs_that_agree(counts):
    answers = [kind for kind, count in enumerate(counts) for _ in range(count)]
    pairs = [a == b for i, a in enumerate(answers) for b in answers[:i]]
    assert repeat_probability(counts) == pytest.approx(np.mean(pairs))


@given(counts=some_counts)
def test_what_is_unseen_is_told_by_the_answers_seen_once_or_twice(counts):
    answers = [kind for kind, count in enumerate(counts) for _ in range(count)]
    once, twice = (sum(answers.count(kind) == times for kind in set(answers)) for times in (1, 2))
    assert unseen_mass(counts) == pytest.approx(np.mean([answers.count(answer) == 1 for answer in answers]))
    assert chao1(counts) == pytest.approx(len(set(answers)) + math.comb(once, 2) / (twice + 1))


@given(new=st.integers(0, 50), known=st.integers(1, 50), level=st.floats(0.5, 0.999))
def test_the_novelty_bound_is_the_exact_one_of_an_independent_library(new, known, level):
    bound = novelty_bound(["known"], [*range(new), *["known"] * known], level)
    exact = stats.binomtest(new, new + known, alternative="less").proportion_ci(level)
    assert bound == pytest.approx(exact.high, rel=1e-8)


@given(times=st.integers(1, 200), answers=st.integers(1, 20))
def test_equally_frequent_answers_count_fully(times, answers):
    assert effective_answers([times] * answers) == pytest.approx(answers)


def test_one_answer_has_no_diversity():
    assert entropy([100]) == 0
    assert str(entropy([100])) == "0.0"
    assert effective_answers([100]) == 1


def test_what_does_not_exist_is_none():
    for counts in ([], [0, 0]):
        assert [measure(counts) for measure in MEASURES] == [None] * 5
    assert repeat_probability([1]) is None
    assert entropy([1]) == 0


def test_without_a_second_half_anything_may_be_new():
    assert novelty_bound(["a"], []) == 1.0
    assert novelty_bound([], ["a"] * 10) == 1.0


@pytest.mark.parametrize("row", SIMULATED, ids=lambda r: f"{r['dist']}-{r['n']}")
def test_the_novelty_bound_covers_the_chance_of_a_new_answer(row):
    tests = 600
    shares = {
        "zipf1_200": 1 / np.arange(1, 201),
        "one_0.97_rest_30x0.001": np.array([0.97, *[0.001] * 30]),
    }.get(row["dist"])
    if shares is None:
        shares = np.array([0.5, 0.3, 0.15, 0.05])
    shares = shares / shares.sum()
    generator, bounds, covered = np.random.default_rng(23), [], []
    for _ in range(tests):
        answers = generator.choice(shares.size, row["n"], p=shares)
        first, second = answers[: row["n"] // 2].tolist(), answers[row["n"] // 2 :].tolist()
        bounds.append(novelty_bound(first, second))
        covered.append(1 - shares[list(set(first))].sum() <= bounds[-1])
    assert np.mean(covered) >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / tests)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: entropy([1, -1]), r"counts\[1\]"),
        (lambda: effective_answers([0.5]), r"counts\[0\]"),
        (lambda: repeat_probability([None]), r"counts\[0\]"),
        (lambda: chao1([True]), r"counts\[0\]"),
        (lambda: unseen_mass(["3"]), r"counts\[0\]"),
        (lambda: novelty_bound([], [], 1.0), "level"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()
