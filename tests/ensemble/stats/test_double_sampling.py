from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ensemble.stats.detector_error import double_sampling, ppi, ppi_plus_plus
from tests.ensemble.stats.reference import ends

METHODS = [double_sampling, ppi, ppi_plus_plus]
GUARANTEED = "too few labels for the approximation: guaranteed interval"
samples = st.tuples(*[st.integers(0, 40)] * 4, st.integers(0, 200), st.integers(0, 200)).map(
    lambda counts: (*counts[:4], min(counts[4:]), max(counts[4:]))
)


def expand(counts):
    n11, n10, n01, n00, flagged, runs = counts
    detector = np.repeat([1.0, 1.0, 0.0, 0.0], [n11, n10, n01, n00])
    person = np.repeat([1.0, 0.0, 1.0, 0.0], [n11, n10, n01, n00])
    return detector, person, np.repeat([1.0, 0.0], [flagged, runs - flagged])


@given(counts=samples.filter(lambda c: c[0] + c[1] and c[2] + c[3] and c[5] > 1), level=st.floats(0.5, 0.99))
def test_rectified_intervals_follow_from_the_single_labels(counts, level):
    detector, person, other = expand(counts)
    z = stats.norm.isf((1 - level) / 2)
    pooled = np.concatenate([detector, other]).var(ddof=1)
    trust = np.cov(person, detector, ddof=0)[0, 1] / ((1 + person.size / other.size) * pooled)
    for method, weight in ((ppi, 1.0), (ppi_plus_plus, np.clip(trust, 0, 1))):
        interval = method(*counts, level)
        point = weight * other.mean() + (person - weight * detector).mean()
        variance = weight**2 * other.var(ddof=1) / other.size
        variance += (person - weight * detector).var(ddof=1) / person.size
        expected = point + z * np.sqrt(variance) * np.array([-1, 1])
        assert interval.estimate == pytest.approx(np.clip(point, 0, 1), abs=1e-9)
        assert ends(interval) == pytest.approx(np.clip(expected, 0, 1), abs=1e-9)
        assert (interval.errors, interval.runs, interval.notes) == (person.sum(), person.size, ())
        by_n = method(*counts, level, ddof=0)  # as the authors' program
        assert interval.low <= by_n.low
        assert by_n.high <= interval.high


def find_exact_limits(part, whole, level):
    return tuple(stats.binomtest(part, whole).proportion_ci(level)) if whole else (0.0, 1.0)


@given(counts=samples.filter(lambda c: c[0] + c[1] and c[2] + c[3]), level=st.floats(0.5, 0.99))
def test_double_sampling_has_the_errors_that_its_three_shares_pass_on(counts, level):
    n11, n10, n01, n00, flagged, runs = counts
    parts = [n11 + n10 + flagged, n11, n01]
    wholes = [n11 + n10 + n01 + n00 + runs, n11 + n10, n01 + n00]
    shares = np.array(parts) / wholes

    def join(at):
        return at[0] * at[1] + (1 - at[0]) * at[2]

    slopes = np.array([join(shares + step) - join(shares - step) for step in np.eye(3)]) / 2
    reach = stats.norm.isf((1 - level) / 2) * np.sqrt(slopes**2 @ (shares * (1 - shares) / wholes))
    plain, worst = double_sampling(*counts, level), double_sampling(*counts, level, guaranteed=True)
    assert plain.estimate == pytest.approx(join(shares))
    expected = np.clip([join(shares) - reach, join(shares) + reach], 0, 1)
    assert ends(plain) == pytest.approx(expected, abs=1e-9)
    level_of_each = 1 - (1 - level) / 3
    box = [find_exact_limits(*pair, level_of_each) for pair in zip(parts, wholes, strict=True)]
    corners = [join(corner) for corner in product(*box)]
    assert ends(worst) == pytest.approx([min(corners), max(corners)], abs=1e-9)


@given(counts=samples, level=st.floats(0.5, 0.99))
def test_estimates_stay_within_bounds_and_mirror_when_both_labels_swap(counts, level):
    n11, n10, n01, n00, flagged, runs = counts
    swapped = (n00, n01, n10, n11, runs - flagged, runs)
    for method in METHODS:
        interval, mirror = method(*counts, level), method(*swapped, level)
        assert 0 <= interval.low <= interval.high <= 1
        assert ends(interval) == pytest.approx([1 - mirror.high, 1 - mirror.low], abs=1e-9)
        assert interval.notes == mirror.notes
        if interval.estimate is None:
            assert mirror.estimate is None
        else:
            assert interval.estimate == pytest.approx(1 - mirror.estimate, abs=1e-9)


@given(counts=samples, level=st.floats(0.5, 0.99))
def test_a_stratum_nobody_labelled_leads_to_the_guaranteed_interval(counts, level):
    n11, n10, n01, n00, _, runs = counts
    worst = double_sampling(*counts, level, guaranteed=True)
    assert GUARANTEED not in worst.notes
    empty = not (n11 + n10 and n01 + n00)
    for method in METHODS:
        interval = method(*counts, level)
        guaranteed = empty or (method is not double_sampling and runs < 2)
        assert (interval.method == "double-sampling-guaranteed") == guaranteed
        if guaranteed:
            assert ends(interval) == ends(worst)
            assert interval.notes == ((GUARANTEED,) if n11 + n10 + n01 + n00 else ("no labelled runs",))


def test_an_estimate_needs_labels_in_every_stratum_that_has_runs():
    assert double_sampling(0, 0, 2, 8, 5, 10).estimate is None
    assert double_sampling(2, 8, 0, 0, 5, 10).estimate is None
    assert double_sampling(0, 0, 2, 8, 0, 10).estimate == pytest.approx(0.2)
    assert double_sampling(2, 8, 0, 0, 10, 10).estimate == pytest.approx(0.2)
    nothing = double_sampling(0, 0, 0, 0, 0, 0)
    assert (nothing.estimate, nothing.low, nothing.high) == (None, 0.0, 1.0)
    assert double_sampling(0, 0, 0, 0, 3, 10).estimate is None


@given(counts=samples)
def test_a_guarantee_widens_the_interval_and_keeps_the_estimate(counts):
    plain, worst = double_sampling(*counts), double_sampling(*counts, guaranteed=True)
    assert plain.estimate == (None if worst.estimate is None else pytest.approx(worst.estimate))
    assert (
        (plain.errors, plain.runs) == (worst.errors, worst.runs) == (counts[0] + counts[2], sum(counts[:4]))
    )


def test_labelling_every_run_leaves_the_persons_rate():
    assert double_sampling(18, 4, 2, 26, 0, 0).estimate == pytest.approx(20 / 50)


def test_the_guaranteed_interval_covers_every_rate():
    labelled, others = 6, 8
    cells = [c for c in product(range(labelled + 1), repeat=3) if sum(c) <= labelled]
    tables = [((*c, labelled - sum(c)), flagged) for c in cells for flagged in range(others + 1)]
    found = np.array([ends(double_sampling(*table, x, others, 0.8, guaranteed=True)) for table, x in tables])
    tables, flagged = np.array([table for table, _ in tables]), np.array([x for _, x in tables])
    for share, among_flagged, among_passed in product([0.1, 0.5, 0.9], [0, 0.6, 1], [0, 0.2, 0.9]):
        shares = [share * among_flagged, share * (1 - among_flagged)]
        shares += [(1 - share) * among_passed, (1 - share) * (1 - among_passed)]
        rate = shares[0] + shares[2]
        chance = stats.multinomial.pmf(tables, labelled, shares) * stats.binom.pmf(flagged, others, share)
        assert chance @ ((found[:, 0] <= rate + 1e-12) & (rate - 1e-12 <= found[:, 1])) >= 0.8


@pytest.mark.parametrize("method", METHODS)
def test_approximate_intervals_cover_the_rate_about_as_often_as_they_say(method):
    labelled, others, tests = 100, 400, 800
    generator = np.random.default_rng(17)
    tables = generator.multinomial(labelled, [0.28, 0.07, 0.05, 0.6], tests).tolist()
    flagged = generator.binomial(others, 0.35, tests).tolist()
    covered = [method(*table, x, others).contains(0.33) for table, x in zip(tables, flagged, strict=True)]
    assert np.mean(covered) == pytest.approx(0.945, abs=0.022)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("counts", "argument"),
    [
        ((-1, 1, 1, 1, 1, 1), "n11"),
        ((1, 0.5, 1, 1, 1, 1), "n10"),
        ((1, 1, None, 1, 1, 1), "n01"),
        ((1, 1, 1, "1", 1, 1), "n00"),
        ((1, 1, 1, 1, 2, 1), "other_flagged"),
        ((1, 1, 1, 1, 0, -1), "other_runs"),
        ((1, 1, 1, 1, 2, 5, 0), "level"),
        ((0, 0, 1, 1, 2, 5, 0), "level"),
    ],
)
def test_arguments_outside_their_domain_are_named(method, counts, argument):
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        method(*counts)


@pytest.mark.parametrize("method", [ppi, ppi_plus_plus])
def test_variances_divide_by_n_or_by_one_less(method):
    with pytest.raises(ValueError, match=r"^ddof: "):
        method(18, 4, 2, 26, 120, 350, ddof=2)
