"""What is said of arms against the primary one, of the variety of answers, and of drift: never more than is shown."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.utils import translation

from casebook.report_numbers import number_writer
from casebook.reporting.comparisons import ComparisonsView, build_comparisons, decide_difference
from casebook.reporting.rendering import write_html
from casebook.reporting.variety import write_drift, write_variety
from casebook.reporting.view import build_view
from ensemble.comparisons import compare_arms
from ensemble.protocol import StoppingRule
from tests.casebook.report_examples import make_context, make_result, replace_result
from tests.casebook.report_shapes import SHAPES

EN = number_writer("en")
OLD = ("comparisons", "diversity", "halves")


def differences_of(shape: str, language: str = "en") -> ComparisonsView:
    with translation.override(language):
        view = build_comparisons(make_result(shape)[0], number_writer(language))
    assert view is not None
    return view


def compare(errors: int, errors_of_primary: int, runs: int = 100) -> dict[str, Any]:
    """The comparison of two arms by the engine."""
    arms = [
        {"position": place, "purpose": purpose, "deterministic": False, "errors": count, "runs": runs}
        | {"interval_kind": "clopper-pearson"}
        for place, (purpose, count) in enumerate((("primary", errors_of_primary), ("temperature", errors)))
    ]
    return compare_arms(arms, StoppingRule(kind="fixed", runs=max(runs, 1)))[0]


def test_a_difference_that_is_shown_says_which_arm_has_the_lower_share() -> None:
    lower, unshown = differences_of("three arms").comparisons
    assert lower.sentences == (
        "In arm 2 the share of errors was 24.0 percentage points lower than in arm 1 (95% interval of the "
        "difference: 11.2 to 35.7 percentage points lower).",
    )
    assert unshown.sentences == (
        "Between arm 3 and arm 1 no difference is shown; that is not proof that there is none (95% interval of "
        "the difference, arm 3 against arm 1: 8.7 percentage points lower to 18.4 percentage points higher).",
    )


def test_the_numbers_beside_the_sentence_are_those_of_the_result() -> None:
    view = differences_of("three arms")
    newcombe, other = view.comparisons[0].lines
    assert (newcombe.difference, newcombe.low, newcombe.high) == ("−24.0", "−35.7", "−11.2")
    assert (newcombe.test, newcombe.p_value, newcombe.p_holm) == ("Boschloo", "0.0003", "0.0006")
    assert (other.method, other.p_value, other.p_holm) == ("Miettinen–Nurminen", "", "")
    assert view.notes == (
        "Comparisons in this test: 2. Each interval holds for itself, not for all of them together.",
    )


def test_it_is_said_in_russian_with_russian_numbers() -> None:
    lower, unshown = differences_of("three arms", "ru").comparisons
    assert "на 24,0 п. п. ниже, чем при условии № 1" in lower.sentences[0]
    assert "различия не выявлено; это не доказывает, что его нет" in unshown.sentences[0]
    assert "от 8,7 п. п. ниже до 18,4 п. п. выше" in unshown.sentences[0]


@pytest.mark.parametrize("errors", range(0, 101, 4))
def test_a_difference_is_claimed_only_when_test_and_interval_both_show_it(errors: int) -> None:
    comparison = compare(errors, 40)
    limits = comparison["difference"]
    excluded = limits["low"] > 0 or limits["high"] < 0
    rejected = comparison["p_holm"] <= 0.05
    assert (decide_difference(comparison) == "shown") == (excluded and rejected)
    assert (decide_difference(comparison) == "not shown") == (not excluded and not rejected)


def test_the_adjusted_p_value_decides_and_not_the_plain_one() -> None:
    comparison = make_result("interval and test disagree")[0]["comparisons"][0]
    assert comparison["p_value"] < 0.05 < comparison["p_holm"]
    said, why = differences_of("interval and test disagree").comparisons[0].sentences
    assert "no difference is shown" in said
    assert why.startswith("The interval and the adjusted p-value do not agree here")


def test_arms_that_stopped_early_get_an_interval_and_no_p_value() -> None:
    view = differences_of("three arms, cancelled")
    assert not view.has_tests
    shown, unknown = view.comparisons
    assert [line.method for line in shown.lines] == ["two confidence sequences"]
    assert "percentage points lower than in arm 1" in shown.sentences[0]
    assert unknown.sentences == ("Arm 3 and arm 1 cannot be compared: one of them has no labelled run.",)
    assert view.notes[0].endswith("There is no p-value.")


def test_a_greedy_arm_is_not_compared_and_nothing_is_said_of_its_variety_or_drift() -> None:
    document = make_result("two arms")[0]
    assert build_comparisons(document, EN) is None
    greedy = document["arms"][1]
    assert greedy["diversity"]
    assert greedy["halves"]
    assert write_variety(greedy, EN) == ()
    assert write_drift(greedy, EN) == ""


@pytest.mark.parametrize("shape", SHAPES)
def test_no_sentence_claims_more_than_a_measurement_can_show(shape: str) -> None:
    view = build_view(make_context(shape))
    compared = view.differences.comparisons if view.differences else ()
    said = " ".join(sentence for comparison in compared for sentence in comparison.sentences)
    said += " ".join((*(arm.drift for arm in view.arms), *(" ".join(arm.variety) for arm in view.arms)))
    assert not re.search(
        r"\b(better|worse|safer|superior|because|caus\w+|prov(ed|es)|significant\w*|same share|no change happened)\b",
        said,
    )


def test_a_drift_is_a_warning_and_its_absence_one_calm_sentence() -> None:
    drifting, calm = (make_result(shape)[0]["arms"][0] for shape in ("drift", "middle"))
    assert "had 42 errors of 50, the second 0 of 50 (Fisher’s exact test, p < 0.0001" in write_drift(
        drifting, EN
    )
    assert "The share may have changed during the test" in write_drift(drifting, EN)
    assert "no change of the share during the test is shown" in write_drift(calm, EN)
    assert [build_view(make_context(shape)).arms[0].has_drifted for shape in ("drift", "middle")] == [
        True,
        False,
    ]


def test_the_variety_is_told_with_its_numbers() -> None:
    arm = make_result("three arms")[0]["arms"][0]
    named, amount, novelty, unseen = write_variety(arm, EN)
    facts = arm["diversity"]
    assert amount.startswith(
        f"Answers: 100. By their frequencies they amount to {facts['effective_answers']:.1f} "
    )
    assert f"{facts['repeat_probability'] * 100:.1f}%" in amount
    count = arm["disputed_answer"]["count"]
    assert f"spaces and punctuation at its end, was given in {count} of 100 runs" in named
    assert novelty.endswith(f"of at most {facts['novelty_bound'] * 100:.1f}%.")
    assert f"a chance of {facts['unseen_mass'] * 100:.1f}%" in unseen


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_result_sealed_before_these_parts_were_made_prints_as_it_did(language: str) -> None:
    context = make_context("three arms", language)
    result = json.loads(context.result_json)
    del result["comparisons"]
    for arm in result["arms"]:
        del arm["diversity"], arm["halves"]
    assert not any(f'"{key}"' in json.dumps([list(result), result["arms"]]) for key in OLD)
    html = write_html(replace_result(context, result))
    assert 'id="differences"' not in html
    assert "[10]" not in html
    assert 'id="differences"' in write_html(context)


@pytest.mark.parametrize("shape", ["middle", "three arms", "three arms, cancelled", "drift"])
def test_a_number_in_brackets_names_the_reference_that_is_cited(shape: str) -> None:
    html = write_html(make_context(shape))
    method = html[html.index('<section id="method">') :]
    references = re.findall(r'<li lang="en">(.*?)</li>', method)
    cited = re.findall(r"([A-Z]\w+)(?:’s)? \[(\d+)\]", method)
    assert len(cited) >= 3
    for name, number in cited:
        assert name in re.findall(r"\w+", references[int(number) - 1])


@pytest.mark.parametrize(
    ("difference", "plain", "signed"),
    [(0.12, "12.0", "+12.0"), (-0.035, "−3.5", "−3.5"), (0.0, "0.0", "0.0"), (0.0004, "0.04", "+0.04")],
)
def test_a_difference_is_written_in_points(difference: float, plain: str, signed: str) -> None:
    assert EN.write_difference(difference) == plain
    assert EN.write_difference(difference, signed=True) == signed


def test_a_p_value_is_never_written_as_zero() -> None:
    assert [EN.write_p(p) for p in (0.5125, 0.0001, 3e-9, 1.0, None)] == [
        "0.5125",
        "0.0001",
        "<0.0001",
        "1.0000",
        "–",
    ]
    assert number_writer("ru").write_p(1e-9) == "<0,0001"
    assert EN.write_stated_p(1e-9) == "p < 0.0001"


def test_a_bound_of_all_answers_is_left_out() -> None:
    arm = make_result("three arms")[0]["arms"][0]
    told = write_variety(arm, EN)
    void = {**arm, "diversity": {**arm["diversity"], "novelty_bound": 1.0}}
    assert write_variety(void, EN) == tuple(text for text in told if "at most" not in text)
    assert len(write_variety(void, EN)) == len(told) - 1
