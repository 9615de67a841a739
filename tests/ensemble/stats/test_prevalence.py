from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ensemble.stats.detector_error import guaranteed_prevalence, lang_reiczigel
from ensemble.stats.proportion import clopper_pearson
from ensemble.stats.sequential import confidence_sequence
from tests.ensemble.stats.walks import REFERENCE

ORACLE = REFERENCE["detector_error"]
METHODS = [lang_reiczigel, guaranteed_prevalence]
KEYS = ("x", "n", "tp", "n_se", "tn", "n_sp")


def ends(interval):
    return [interval.low, interval.high]


@st.composite
def counts(draw, most=300):
    pairs = [(draw(st.integers(0, runs)), runs) for runs in draw(st.tuples(*[st.integers(1, most)] * 3))]
    return [count for pair in pairs for count in pair]


@pytest.mark.parametrize("row", ORACLE["rogan_gladen"], ids=lambda r: "-".join(str(r[key]) for key in KEYS))
def test_corrections_equal_the_reference(row):
    counts = [row[key] for key in KEYS]
    plain, worst = lang_reiczigel(*counts), guaranteed_prevalence(*counts)
    assert ends(plain) == pytest.approx(row.get("lang_reiczigel", [0, 1]), rel=1e-6, abs=1e-9)
    assert ends(worst) == pytest.approx(row.get("box_cp", [0, 1]), rel=1e-6, abs=1e-9)
    sensitivity, specificity = row["tp"] / row["n_se"], row["tn"] / row["n_sp"]
    assert sensitivity + specificity - 1 == pytest.approx(row["J"])
    refused = row["J_newcombe_lower"] <= 0.2
    assert (plain.estimate is None) == (worst.estimate is None) == refused
    if refused:
        assert plain.notes == worst.notes == ("detector not shown to separate errors: no correction",)
        return
    assert plain.estimate == worst.estimate == pytest.approx(row["rg_clipped"])
    clipped = row["rg_raw"] != row["rg_clipped"]
    assert plain.notes == worst.notes == (("estimate outside 0 to 1, clipped",) if clipped else ())
    raw = (row["x"] / row["n"] + specificity - 1) / row["J"]
    assert raw == pytest.approx(row["rg_raw"], abs=1e-9)


@pytest.mark.parametrize("row", ORACLE["rogan_gladen"], ids=lambda r: "-".join(str(r[key]) for key in KEYS))
def test_the_box_around_a_confidence_sequence_equals_the_reference(row):
    if "box_anytime" not in row:
        return
    level = 1 - 0.05 / 3
    shown = confidence_sequence(row["x"], row["n"], level)
    sensitivity, specificity = (
        clopper_pearson(row[a], row[b], level) for a, b in (("tp", "n_se"), ("tn", "n_sp"))
    )
    if sensitivity.low + specificity.low <= 1:
        assert row["box_anytime"] == [0, 1]
        return
    corners = [
        (q + sp - 1) / (se + sp - 1) for q, se, sp in product(*map(ends, (shown, sensitivity, specificity)))
    ]
    box = [min(1, max(0, corner)) for corner in (min(corners), max(corners))]
    assert box == pytest.approx(row["box_anytime"], rel=1e-6, abs=1e-9)


def test_the_published_example_is_reproduced():
    row = ORACLE["lang_reiczigel_published_example"]
    interval = lang_reiczigel(*(row[key] for key in KEYS))
    assert ends(interval) == pytest.approx(row["own"], rel=1e-6)
    assert ends(interval) == pytest.approx(row["published"], abs=5e-4)


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


@pytest.mark.parametrize(
    "row", ORACLE["coverage_1500reps"], ids=lambda r: f"{r['theta']}-{r['se']}-{r['sp']}"
)
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
