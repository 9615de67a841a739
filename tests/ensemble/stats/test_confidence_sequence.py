from __future__ import annotations

import math
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from ensemble.stats.proportion import clopper_pearson
from ensemble.stats.sequential import confidence_sequence, confidence_sequence_path
from tests.ensemble.stats.reference import ends
from tests.ensemble.stats.walks import find_ever_missed

PRIORS = {"kt": (0.5, 0.5), "uniform": (1.0, 1.0)}
levels = st.floats(0.5, 0.999)


@st.composite
def counts(draw, most=2000):
    runs = draw(st.integers(1, most))
    return draw(st.integers(0, runs)), runs


def log_mixture_ratio(errors, runs, p, prior):
    a, b = prior
    mixture = special.betaln(a + errors, b + runs - errors) - special.betaln(a, b)
    return mixture - special.xlogy(errors, p) - special.xlog1py(runs - errors, -p)


@given(pair=counts(), level=levels, prior=st.tuples(st.floats(0.1, 20), st.floats(0.1, 20)))
def test_the_ends_lie_where_the_mixture_ratio_reaches_its_limit(pair, level, prior):
    errors, runs = pair
    interval = confidence_sequence(errors, runs, level, prior)
    assert 0 <= interval.low <= errors / runs <= interval.high <= 1
    for end in ends(interval):
        if 1e-300 < end < 1 - 1e-9:
            ratio = log_mixture_ratio(errors, runs, end, prior)
            assert ratio == pytest.approx(-math.log(1 - level), abs=1e-6)
    assert (interval.low == 0) == (errors == 0)
    if errors == runs:
        assert interval.high == 1
    elif interval.high == 1:  # a prior that is sure of the contrary puts the end closer to 1 than numbers lie
        assert log_mixture_ratio(errors, runs, math.nextafter(1, 0), prior) < -math.log(1 - level)


@given(pair=counts(), level=levels)
def test_errors_and_clean_runs_mirror_each_other(pair, level):
    errors, runs = pair
    interval, mirror = (confidence_sequence(count, runs, level) for count in (errors, runs - errors))
    assert ends(interval) == pytest.approx([1 - mirror.high, 1 - mirror.low], abs=1e-12)


@given(pair=counts(most=500), times=st.integers(2, 5), level=levels)
def test_confidence_sequences_shrink_with_more_runs_of_the_same_rate(pair, times, level):
    errors, runs = pair
    longer = confidence_sequence(errors * times, runs * times, level)
    assert longer.half_width < confidence_sequence(errors, runs, level).half_width


@pytest.mark.parametrize("runs", [*range(1, 61), 100, 200, 500])
def test_the_confidence_sequence_contains_the_exact_interval_for_one_look(runs):
    for errors in range(runs + 1):
        sequence, one_look = confidence_sequence(errors, runs), clopper_pearson(errors, runs)
        assert sequence.low <= one_look.low + 1e-12
        assert one_look.high <= sequence.high + 1e-12


@pytest.mark.parametrize("runs", [1, 10, 1000, 10**6])
@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
def test_all_clean_and_all_error_have_their_closed_form(runs, prior):
    a, b = prior
    closed = -math.expm1((math.log(0.05) + special.betaln(a, b + runs) - special.betaln(a, b)) / runs)
    assert confidence_sequence(0, runs, prior=prior).low == 0
    assert confidence_sequence(0, runs, prior=prior).high == pytest.approx(closed, rel=1e-9)
    assert confidence_sequence(runs, runs, prior=prior).low == pytest.approx(1 - closed, rel=1e-9)
    assert confidence_sequence(runs, runs, prior=prior).high == 1


@pytest.mark.parametrize("runs", [10**6, 10**9])
def test_a_million_and_a_billion_runs_are_solved(runs):
    for errors in (1, 17, runs // 3, runs // 2, runs - 1):
        interval = confidence_sequence(errors, runs)
        for end in ends(interval):
            small, count = (end, errors) if end < 0.5 else (1 - end, runs - errors)
            if small > 1e-9:
                ratio = log_mixture_ratio(count, runs, small, (0.5, 0.5))
                assert ratio == pytest.approx(math.log(20), abs=2e-5 if runs == 10**6 else 0.01)


def test_without_runs_nothing_is_excluded():
    interval = confidence_sequence(0, 0)
    assert (interval.estimate, interval.low, interval.high) == (None, 0.0, 1.0)
    assert interval.notes == ("no labelled runs",)


def test_a_path_is_the_sequence_after_every_run():
    outcomes = [random.Random(4).random() < 0.3 for _ in range(200)]
    path = confidence_sequence_path(outcomes, 0.9)
    assert path == [confidence_sequence(sum(outcomes[:n]), n, 0.9) for n in range(1, 201)]
    assert confidence_sequence_path([]) == []
    with pytest.raises(ValueError, match=r"^outcomes: "):
        confidence_sequence_path([0, 1, 2])


def test_a_live_plot_of_thousands_of_runs_is_quick():
    outcomes = [n % 3 == 0 for n in range(3000)]
    started = time.process_time()
    confidence_sequence_path(outcomes)
    assert time.process_time() - started < 3000 * 0.0003


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: confidence_sequence(2, 1), "errors"),
        (lambda: confidence_sequence(0, -1), "runs"),
        (lambda: confidence_sequence(0, 1, 1.0), "level"),
        (lambda: confidence_sequence(0, 1, 0.95, (0, 1)), "prior"),
        (lambda: confidence_sequence(0, 1, 0.95, (1, math.inf)), "prior"),
        (lambda: confidence_sequence(0, 1, 0.95, (1,)), "prior"),
        (lambda: confidence_sequence(0, 1, 0.95, 0.5), "prior"),
    ],
)
def test_arguments_outside_their_domain_are_named(call, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        call()


@pytest.mark.parametrize("rate", [0.0, 0.003, 0.03, 0.17, 0.42, 0.77, 1.0])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_all_looks_together_miss_the_rate_no_more_often_than_the_level_allows(rate, level):
    missed = find_ever_missed(lambda errors, runs: confidence_sequence(errors, runs, level), rate, 400)
    assert missed[-1] <= 1 - level
