from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ensemble.stats.detector_error import guaranteed_prevalence, lang_reiczigel
from ensemble.stats.proportion import clopper_pearson
from tests.ensemble.stats.reference import REFERENCE, ends

SIMULATED = REFERENCE["section5"]["judge_interval_coverage_1500reps"]
METHODS = [lang_reiczigel, guaranteed_prevalence]


@st.composite
def counts(draw, most=300):
    pairs = [(draw(st.integers(0, runs)), runs) for runs in draw(st.tuples(*[st.integers(1, most)] * 3))]
    return [count for pair in pairs for count in pair]


@pytest.mark.parametrize("method", METHODS)
def test_an_estimate_outside_0_to_1_is_clipped_and_says_so(method):
    for counts, estimate in (((2, 100, 45, 50, 46, 50), 0.0), ((97, 100, 45, 50, 45, 50), 1.0)):
        interval = method(*counts)
        assert (interval.estimate, interval.notes) == (estimate, ("estimate outside 0 to 1, clipped",))
    assert method(40, 100, 45, 50, 48, 50).notes == ()


@given(counts=counts(), level=st.floats(0.5, 0.99))
def test_corrections_stay_within_bounds_and_mirror_when_errors_and_clean_runs_swap(counts, level):
    flagged, runs, hits, positives, passes, negatives = counts
    for method in METHODS:
        interval = method(*counts, level)
        mirror = method(runs - flagged, runs, passes, negatives, hits, positives, level)
        assert 0 <= interval.low <= interval.high <= 1
        assert (interval.estimate is None) == (mirror.estimate is None)
        assert ends(interval) == pytest.approx([1 - mirror.high, 1 - mirror.low], abs=1e-7)
        assert (interval.errors, interval.runs) == (flagged, runs)
    assert (
        guaranteed_prevalence(*counts, level).low
        <= (guaranteed_prevalence(*counts, level).estimate or 0) + 1e-9
    )


@given(counts=counts(), level=st.floats(0.5, 0.99))
def test_the_correction_has_the_error_that_its_three_shares_pass_on(counts, level):
    """By numerical derivatives, at the shares that Lang and Reiczigel smooth."""
    interval, z = lang_reiczigel(*counts, level), stats.norm.isf((1 - level) / 2)
    smooth = z**2 / 2, 1, 1
    shares = np.array(
        [(counts[2 * i] + more) / (counts[2 * i + 1] + 2 * more) for i, more in enumerate(smooth)]
    )
    sizes = np.array([counts[2 * i + 1] + 2 * more for i, more in enumerate(smooth)])
    if interval.estimate is None:
        return

    def correct(at):
        return (at[0] + at[2] - 1) / (at[1] + at[2] - 1)

    step = 1e-6
    slopes = np.array([(correct(shares + h) - correct(shares - h)) / (2 * step) for h in step * np.eye(3)])
    errors = shares * (1 - shares) / sizes
    rate = correct(shares)
    centre = rate + 2 * z**2 * (rate * errors[1] - (1 - rate) * errors[2])
    reach = z * np.sqrt(slopes**2 @ errors)
    assert ends(interval) == pytest.approx(np.clip([centre - reach, centre + reach], 0, 1), abs=1e-6)


@given(counts=counts(), level=st.floats(0.5, 0.99))
def test_the_guarantee_takes_the_extremes_over_exact_intervals_of_an_independent_library(counts, level):
    interval = guaranteed_prevalence(*counts, level)
    if interval.estimate is None:
        return
    exact = [stats.binomtest(*counts[i : i + 2]).proportion_ci(1 - (1 - level) / 3) for i in (0, 2, 4)]
    if exact[1].low + exact[2].low <= 1:
        assert ends(interval) == [0, 1]
        return
    shown, hits, passes = (np.linspace(one.low, one.high, 5) for one in exact)
    box = (shown[:, None, None] + passes - 1) / (hits[:, None] + passes - 1)
    assert ends(interval) == pytest.approx(np.clip([box.min(), box.max()], 0, 1), rel=1e-6, abs=1e-9)


@given(counts=counts())
def test_whether_to_correct_does_not_depend_on_the_level(counts):
    for method in METHODS:
        assert len({method(*counts, level).estimate for level in (0.5, 0.8, 0.95, 0.999)}) == 1


def test_a_perfect_detector_with_many_labels_needs_no_correction():
    labels = (10**7, 10**7, 10**7, 10**7)
    assert lang_reiczigel(30, 100, *labels).estimate == pytest.approx(0.3)
    assert ends(guaranteed_prevalence(30, 100, *labels)) == pytest.approx(
        ends(clopper_pearson(30, 100, 1 - 0.05 / 3)), abs=1e-5
    )


@pytest.mark.parametrize("method", METHODS)
def test_without_runs_or_labels_there_is_no_correction(method):
    for counts, note in (
        ((0, 0, 45, 50, 48, 50), "no labelled runs"),
        ((3, 9, 0, 0, 48, 50), "no labelled errors or no labelled correct answers: no correction"),
        ((3, 9, 45, 50, 0, 0), "no labelled errors or no labelled correct answers: no correction"),
        ((3, 9, 3, 50, 3, 50), "detector not shown to separate errors: no correction"),
    ):
        interval = method(*counts)
        assert (interval.estimate, interval.low, interval.high) == (None, 0.0, 1.0)
        assert interval.notes == (note,)


def test_the_guaranteed_interval_covers_every_rate_behind_every_detector():
    runs, labels = 12, 9
    tables = list(product(range(runs + 1), range(labels + 1), range(labels + 1)))
    found = np.array([ends(guaranteed_prevalence(x, runs, a, labels, b, labels, 0.8)) for x, a, b in tables])
    x, a, b = np.array(tables).T
    for rate, sensitivity, specificity in product([0, 0.05, 0.3, 0.9, 1], [0.9, 1], [0.85, 1]):
        shown = rate * sensitivity + (1 - rate) * (1 - specificity)
        chance = stats.binom.pmf(x, runs, shown)
        chance *= stats.binom.pmf(a, labels, sensitivity) * stats.binom.pmf(b, labels, specificity)
        covered = (found[:, 0] <= rate + 1e-12) & (rate - 1e-12 <= found[:, 1])
        assert chance @ covered >= 0.8


@pytest.mark.parametrize("row", SIMULATED, ids=lambda r: f"{r['theta']}-{r['se']}-{r['sp']}")
def test_corrected_intervals_cover_the_rate_and_uncorrected_ones_do_not(row):
    tests = 1500
    generator = np.random.default_rng(41)
    rate, sensitivity, specificity = row["theta"], row["se"], row["sp"]
    shown = rate * sensitivity + (1 - rate) * (1 - specificity)
    draws = zip(
        generator.binomial(row["n"], shown, tests).tolist(),
        generator.binomial(row["n_se"], sensitivity, tests).tolist(),
        generator.binomial(row["n_sp"], specificity, tests).tolist(),
        strict=True,
    )
    found = [
        (
            clopper_pearson(flagged, row["n"]),
            lang_reiczigel(flagged, row["n"], hits, row["n_se"], passes, row["n_sp"]),
            guaranteed_prevalence(flagged, row["n"], hits, row["n_se"], passes, row["n_sp"]),
        )
        for flagged, hits, passes in draws
    ]
    naive, plain, worst = (
        np.mean([interval.contains(rate) for interval in column]) for column in zip(*found, strict=True)
    )
    noise = 4 * np.sqrt(0.05 * 0.95 / tests)
    assert naive == pytest.approx(row["coverage"]["naive_cp"], abs=2 * noise)
    assert plain >= 0.95 - noise
    assert worst >= 0.995


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("counts", "argument"),
    [
        ((2, 1, 1, 1, 1, 1), "flagged"),
        ((0, -1, 1, 1, 1, 1), "runs"),
        ((0, 1, 2, 1, 1, 1), "true_positives"),
        ((0, 1, 1, 1.5, 1, 1), "positives"),
        ((0, 1, 1, 1, 2, 1), "true_negatives"),
        ((0, 1, 1, 1, 1, None), "negatives"),
        ((0, 1, 1, 1, 1, 1, 1), "level"),
    ],
)
def test_arguments_outside_their_domain_are_named(method, counts, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        method(*counts)
