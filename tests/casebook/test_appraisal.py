"""What an appraisal prints: the numbers of the specification, every shape of result, both languages."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest
from django.utils import translation

from casebook.report_numbers import number_writer
from casebook.reporting.appraisal import AppraisalView, build_appraisal
from casebook.reporting.context import ReportContext, context_from_json, find_primary
from casebook.reporting.explanations import recurs_seldom
from casebook.reporting.method import build_method
from casebook.reporting.rendering import write_html
from casebook.reporting.strength import build_strength, write_factor
from casebook.reporting.uses import NumberLine, find_rate, write_expected
from ensemble.stats.exposure import at_least_one_user, expected_occurrences
from tests.casebook.appraisal_examples import (
    make_appraisal,
    make_arms_context,
    make_counts_context,
)
from tests.casebook.report_examples import make_context
from tests.casebook.report_shapes import HOSTILE, ODD

ENGLISH = number_writer("en")
COST = {"arm": 1, "cost": "25000", "currency": "EUR", "uses": 10_000}


def appraise(context: ReportContext) -> AppraisalView:
    with translation.override(context.language):
        view = build_appraisal(context, number_writer(context.language))
    assert view is not None
    return view


def numbers_of(line: NumberLine) -> tuple[str, str, str]:
    return line.value, line.low, line.high


@pytest.mark.parametrize(
    ("counts", "uses", "chance", "expected"),
    [
        ((1, 100), 10, (0.095617925, 0.002528579, 0.428782003), (0.1, 0.00253, 0.5446)),
        ((1, 100), 1000, (0.99995683, 0.2236, 1.0), (10, 0.2531, 54.4594)),
        ((37, 100), 10, (0.990150697, 0.960190679, 0.998327193), (3.7, 2.7557, 4.7235)),
        ((0, 100), 1000, (0, 0, 1.0), (0, 0, 36.217)),
        ((3, 1000), 1000, (0.950436917, 0.461674376, 0.999846292), (3, 0.619, 8.742)),
    ],
)
def test_exposure_starts_from_the_headline_interval_of_the_result(
    counts: tuple[int, int], uses: int, chance: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    rate = find_rate(find_primary(make_counts_context(*counts).result))
    assert rate is not None
    someone, number = at_least_one_user(rate, uses), expected_occurrences(rate, uses)
    assert (someone.estimate, someone.low, someone.high) == pytest.approx(chance, abs=1e-4)
    assert (number.estimate, number.low, number.high) == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("counts", "uses", "chance", "expected"),
    [
        ((1, 100), 10, ("9.6%", "0.25%", "42.9%"), ("0.10", "0.0025", "0.54")),
        ((37, 100), 10, ("99.02%", "96.0%", "99.83%"), ("3.7", "2.8", "4.7")),
        ((0, 100), 1000, ("0%", "0%", "over 99.99%"), ("0", "0", "36.2")),
        ((3, 1000), 1000, ("95.0%", "46.2%", "99.98%"), ("3.0", "0.62", "8.7")),
        ((60, 60), 10, ("100%", "over 99.99%", "100%"), ("10.0", "9.4", "10.0")),
    ],
)
def test_the_numbers_of_many_uses_are_written_as_the_specification_has_them(
    counts: tuple[int, int], uses: int, chance: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    uses_view = appraise(make_counts_context(*counts, appraisal=make_appraisal(uses=uses))).uses
    assert uses_view is not None
    assert [numbers_of(line) for line in uses_view.lines] == [chance, expected]


def test_a_hundred_clean_runs_are_said_to_say_nothing_about_a_thousand_uses() -> None:
    said = appraise(make_counts_context(0, 100, appraisal=make_appraisal())).uses
    few = appraise(make_counts_context(0, 100, appraisal=make_appraisal(uses=10))).uses
    assert said
    assert few
    assert "So many runs without an error (100) say nothing about 1,000 uses." in said.sentences
    assert not any("say nothing" in sentence for sentence in few.sentences)
    assert "from 0% to 30.8%" in few.sentences[0]


def test_certainty_is_never_claimed_by_rounding() -> None:
    uses = appraise(make_counts_context(37, 100, appraisal=make_appraisal(uses=1_000_000_000))).uses
    assert uses
    assert numbers_of(uses.lines[0]) == ("over 99.99%",) * 3
    assert "100%" not in " ".join(uses.sentences)


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.0, "0"), (1e-9, "<0.0001"), (0.0123, "0.012"), (99.96, "100.0"), (1234.5, "1,234"), (None, "0")],
)
def test_an_expected_number_is_never_rounded_to_none(number: float | None, written: str) -> None:
    assert write_expected(number, ENGLISH) == written


@pytest.mark.parametrize(
    ("counts", "threshold", "e_above", "factor"),
    [
        ((0, 20), 0.05, "under 0.1", "if not over: 33.9"),  # log10: −1.53077
        ((5, 20), 0.05, "18.4", "if over: 176"),  # 2.24768, 1.26661
        ((18, 20), 0.05, "over 1,000,000", "if over: over 1,000,000"),
        ((1, 100), 0.01, "under 0.1", "if not over: 11"),  # −1.04195
        ((5, 100), 0.01, "5.2", "if over: 49.1"),  # 1.69169, 0.71904
        ((1, 1), 0.01, "53.3", "if over: 159"),  # 2.20394, 1.72740
        ((3, 3), 0.05, "2,919", "if over: 20,202"),  # 4.30540, 3.46524
    ],
)
def test_evidence_equals_the_specification(
    counts: tuple[int, int], threshold: float, e_above: str, factor: str
) -> None:
    with translation.override("en"):
        strength = build_strength(find_primary(make_counts_context(*counts).result), threshold, ENGLISH)
    line = next(line for line in strength.lines if line.is_chosen)
    assert (line.e_above, line.factors[0]) == (e_above, factor)


def test_the_sensitivity_covers_two_weightings_the_usual_thresholds_and_the_chosen_one() -> None:
    strength = appraise(make_counts_context(5, 20, appraisal=make_appraisal(threshold="0.2"))).strength
    assert strength
    assert [line.threshold for line in strength.lines] == ["1%", "5%", "10%", "20%"]
    assert all(len(line.factors) == 2 for line in strength.lines)
    usual = appraise(make_counts_context(5, 20, appraisal=make_appraisal())).strength
    assert usual
    assert [line.is_chosen for line in usual.lines] == [False, True, False]


def test_the_findings_are_more_probable_and_never_the_defect() -> None:
    strength = appraise(make_counts_context(5, 20, appraisal=make_appraisal())).strength
    even = appraise(make_counts_context(2, 20, appraisal=make_appraisal())).strength  # log10: −0.01261
    assert strength
    assert even
    assert any(each.startswith("The findings are 176 times more probable if") for each in strength.sentences)
    assert any(each.startswith("The findings are about as probable if") for each in even.sentences)


@pytest.mark.parametrize(
    ("factor", "written"),
    [
        (1.09, "1"),
        (99.99, "99.9"),
        (100.0, "100"),
        (1_000_000.0, "1,000,000"),
        (1_000_100.0, "over 1,000,000"),
    ],
)
def test_a_factor_is_never_rounded_up_and_its_display_ends_at_a_million(factor: float, written: str) -> None:
    with translation.override("en"):
        assert write_factor(math.log(factor), ENGLISH) == write_factor(-math.log(factor), ENGLISH) == written


@pytest.mark.parametrize(
    ("shape", "threshold", "said"),
    [
        ("anytime more", "0.2", "named the threshold of 20% before"),
        ("anytime more", "0.05", "of 5% was chosen after the result was known"),
        ("middle", "0.05", "of 5% was chosen after the result was known"),
    ],
)
def test_a_threshold_is_said_to_be_chosen_afterwards_unless_the_protocol_named_it(
    shape: str, threshold: str, said: str
) -> None:
    strength = appraise(make_context(shape, appraisal=make_appraisal(threshold=threshold))).strength
    assert strength
    assert said in " ".join(strength.sentences)


def test_break_even_loss_equals_the_specification() -> None:
    loss = appraise(make_arms_context((12, 100), appraisal=make_appraisal(**COST))).loss
    assert loss
    assert [numbers_of(line) for line in loss.lines] == [("10 EUR", "6.95 EUR", "18.91 EUR")]
    assert loss.sentences[0].startswith("If arm 2 costs 25,000 EUR more than arm 1 over 10,000 uses, it pays")


@pytest.mark.parametrize(
    ("other", "said"),
    [((30, 100), "is not estimable"), ((70, 100), "there is no loss from which it would pay")],
)
def test_without_a_difference_in_favour_of_the_arm_there_is_no_loss_to_state(
    other: tuple[int, int], said: str
) -> None:
    loss = appraise(make_arms_context(other, appraisal=make_appraisal(**COST))).loss
    assert loss
    assert loss.lines == ()
    assert said in loss.sentences[0]


def test_a_cancelled_test_is_appraised_by_its_confidence_sequence() -> None:
    view = appraise(make_context("cancelled", appraisal=make_appraisal(uses=10)))
    assert view.uses
    assert any("is the confidence sequence" in sentence for sentence in view.uses.sentences)


@pytest.mark.parametrize(
    ("shape", "said"),
    [("deterministic", "one observation"), ("nothing labelled", "has a label"), ("no runs", "has a")],
)
def test_where_no_number_follows_the_reason_is_said(shape: str, said: str) -> None:
    view = appraise(make_context(shape, appraisal=make_appraisal()))
    assert said in view.obstacle
    assert (view.uses, view.strength, view.loss) == (None, None, None)
    assert len(view.explanations) == 5


def test_all_five_explanations_are_listed_with_their_facts_and_those_nobody_examined_too() -> None:
    view = appraise(make_counts_context(0, 100, appraisal=make_appraisal()))
    assert [item.finding for item in view.explanations] == [
        "not examined",
        "supported",
        "not examined",
        "not examined",
        "cannot be excluded",
    ]
    facts = [" ".join(item.facts) for item in view.explanations]
    assert "100 runs would show no error with a probability of 36.6%." in facts[0]
    assert "down to 1%: 299." in facts[0]
    assert "reported the same model at each of the 4 checks" in facts[1]
    assert "word for word" in facts[2]
    assert "went to one model: SmolLM2-135M-Instruct" in facts[3]
    assert "has 2 exhibits" in facts[4]
    assert view.outset[1].startswith("0 of 100 runs is compatible with a true share of up to 3.6%.")


def test_a_seldom_error_is_told_with_what_a_single_rerun_would_show() -> None:
    view = appraise(make_counts_context(1, 100, appraisal=make_appraisal()))
    assert view.explanations[0].facts == (
        "A single rerun of the prompt shows no error with a probability of 99.0% (95% interval: 94.6% to 99.97%).",
    )


@pytest.mark.parametrize(("errors", "seldom"), [(0, True), (10, True), (11, False), (100, False)])
def test_the_explanations_are_put_forward_where_the_error_is_seldom(errors: int, seldom: bool) -> None:
    assert recurs_seldom(find_primary(make_counts_context(errors, 100).result)) is seldom


def test_without_labelled_runs_nothing_is_put_forward() -> None:
    assert not recurs_seldom(find_primary(make_context("no runs").result))


def test_parts_that_were_left_empty_are_not_printed() -> None:
    only_uses = make_appraisal(explanations=(), threshold="")
    view = appraise(make_context("middle", appraisal=only_uses))
    assert (view.explanations, view.outset, view.detector, view.strength, view.loss) == (
        (),
        (),
        "",
        None,
        None,
    )
    assert view.uses


def test_a_withdrawn_appraisal_says_so() -> None:
    empty = make_appraisal(version=2, explanations=(), uses=None, uses_source="", threshold="")
    html = write_html(make_context("middle", appraisal=empty))
    assert "With this version the appraisal was withdrawn" in html
    assert "Earlier versions are kept in the case file." in html


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_report_prints_the_appraisal_apart_with_name_and_time(language: str) -> None:
    html = write_html(make_arms_context((12, 100), language, appraisal=make_appraisal(**COST)))
    section = html.split('<section id="appraisal">')[1]
    assert "anna" in section
    assert "10:00:00 UTC" in section
    assert "Release notes of 2 June (exhibit 2)." in section
    assert html.index('href="#appraisal"') < html.index('id="appraisal"')
    assert html.count('id="appraisal"') == 1
    english = "It is what a person makes of the result, and no part of the measurement."
    assert (english in section) is (language == "en")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_method_of_every_part_is_explained_and_of_no_other(language: str) -> None:
    parts = {"exposure", "strength", "loss"}
    whole = make_arms_context((12, 100), language, appraisal=make_appraisal(**COST))
    assert parts <= {part.topic for part in build_method(whole).parts}
    explained = replace(whole, appraisal=make_appraisal(uses=None, uses_source="", threshold=""))
    assert not parts & {part.topic for part in build_method(explained).parts}


def test_a_report_without_an_appraisal_has_no_such_section() -> None:
    assert "appraisal" not in write_html(make_context("middle"))


def test_what_people_wrote_stays_text() -> None:
    hostile = make_appraisal(
        explanations=(replace(make_appraisal().explanations[0], text=HOSTILE + ODD),),
        uses_source=HOSTILE,
        signed_by=HOSTILE[:100],
    )
    html = write_html(make_counts_context(3, 100, appraisal=hostile))
    assert "<script" not in html
    assert "<img" not in html


def test_the_appraisal_goes_into_the_frozen_context_and_comes_back() -> None:
    context = make_context("middle", appraisal=make_appraisal(**COST))
    stored = json.loads(json.dumps(context.document()))
    assert context_from_json(stored) == context
    del stored["appraisal"]  # as frozen before there were appraisals
    assert context_from_json(stored).appraisal is None


@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_figure_or_number_of_an_appraisal_is_left_in_the_other_language(language: str) -> None:
    with translation.override(language):
        view = appraise(make_arms_context((12, 100), language, appraisal=make_appraisal(**COST)))
    assert view.uses
    assert view.strength
    assert view.loss
    words = " ".join(
        (*view.uses.sentences, *view.strength.sentences, *view.loss.sentences, str(view.uses.figure))
    )
    plain = re.sub(r"<[^>]+>|Beta|EUR|E-", " ", words)
    assert bool(re.search("[а-я]", plain)) is (language == "ru")
    assert (re.search(r"\d\.\d", plain) is None) is (language == "ru")


@pytest.mark.parametrize(("language", "twice"), [("en", "allows from over"), ("ru", "допускает от более")])
def test_an_interval_whose_ends_read_alike_is_told_once(language: str, twice: str) -> None:
    uses = appraise(make_counts_context(37, 100, language, appraisal=make_appraisal(uses=10**6))).uses
    assert uses
    assert uses.sentences[0].count("99") == 4  # two numbers: at the measured share, and at both ends
    assert twice not in " ".join(uses.sentences)
