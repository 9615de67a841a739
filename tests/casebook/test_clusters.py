"""Paraphrases and days on page and in the report: said of others only where there are enough of them."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from casebook.report_numbers import number_writer
from casebook.reporting.arms import build_arm
from casebook.reporting.clusters import ClustersView, build_clusters
from casebook.reporting.rendering import write_html
from casebook.reporting.view import build_view
from tests.casebook.report_examples import make_context, make_result, replace_result

EN = number_writer("en")


def clusters_of(shape: str, language: str = "en") -> dict[str, ClustersView]:
    with translation.override(language):
        found = build_clusters(make_result(shape)[0], number_writer(language))
    return {view.kind: view for view in found}


def test_twelve_paraphrases_have_a_range_a_mean_and_what_another_may_show() -> None:
    (view,) = clusters_of("paraphrases").values()
    spread, mean, new, agree, apart = view.sentences
    assert spread == (
        "Across 12 paraphrases of the disputed prompt the share of errors ranged from 5.0% to 100%."
    )
    assert mean.startswith("Averaged over paraphrases of this kind, the share is 76.2% (95% interval: ")
    assert "is expected to have a share between" in new
    assert "Two runs of one wording have the same label" in agree
    assert "The disputed prompt is not among them" in apart
    assert [line.number for line in view.lines] == [*range(2, 14), 0, 0]
    assert [line.method for line in view.lines[-2:]] == ["Korn–Graubard", "beta-binomial, predictive"]
    assert (view.lines[0].counts, view.lines[0].share) == ("19 of 20", "95.0%")


@pytest.mark.parametrize(
    ("shape", "kind", "said"),
    [
        ("two paraphrases, cut short", "paraphrases", "not every planned one has the number of runs"),
        ("three days and a control", "days", "with fewer than 5 of them nothing is said of others"),
        ("six days, one of them given up", "days", "not every planned one has the number of runs"),
        ("two paraphrases and two days, the model changed", "paraphrases", "models are never pooled"),
        ("two paraphrases and two days, the model changed", "days", "models are never pooled"),
        ("a paraphrase and a day, cut short", "days", "not every planned one has the number of runs"),
    ],
)
def test_too_few_or_cut_short_they_are_shown_one_by_one(shape: str, kind: str, said: str) -> None:
    view = clusters_of(shape)[kind]
    assert any(said in sentence for sentence in view.sentences)
    assert not any("is expected" in sentence or "Averaged" in sentence for sentence in view.sentences)
    assert all(line.number for line in view.lines)


def test_arms_of_one_calendar_day_are_never_called_days() -> None:
    view = clusters_of("two days that are one")["days"]
    assert view.sentences[0] == "In 2 series of runs the share of errors ranged from 40.0% to 60.0%."
    assert "nothing is said about days" in view.sentences[1]
    assert not any("different days with" in sentence for sentence in view.sentences)
    assert [line.began for line in view.lines] == ["1 May 2026, 14:01:00 UTC", "2 May 2026, 14:01:00 UTC"]


def test_page_one_names_controls_and_arms_that_did_not_end_by_their_rule() -> None:
    one = build_view(make_context("three days and a control")).one
    assert [row.label for row in one.others] == ["4. control 3", "5. control 4", "6. control 5"]
    assert one.others[2].value.startswith(
        "The known true answer to the control prompt was missed in every one"
    )
    (given_up,) = build_view(make_context("six days, one of them given up")).one.others
    assert given_up.value.endswith("The arm was given up before its first run.")
    assert build_view(make_context("middle")).one.others == ()


def test_the_first_day_is_the_primary_arm() -> None:
    view = clusters_of("six days")["days"]
    assert [line.number for line in view.lines] == [1, 2, 3, 4, 5, 6, 0, 0]
    assert view.sentences[0].startswith("On 6 days the share of errors ranged from 5.0% to 100%")
    assert "with its first 20 labelled runs" in view.sentences[-1]


def test_a_day_without_labelled_runs_is_not_said_to_be_the_first() -> None:
    view = clusters_of("a day without the first")["days"]
    assert [line.number for line in view.lines] == [2]
    assert not any("primary arm" in sentence for sentence in view.sentences)


def test_models_and_temperatures_are_never_clusters() -> None:
    assert clusters_of("three arms") == {}
    assert clusters_of("middle") == {}


@pytest.mark.parametrize(
    ("position", "said"),
    [
        (3, "The known true answer to the control prompt was given in every one of 20 runs."),
        (4, "The known true answer to the control prompt was missed in 3 of 20 runs: 15.0%."),
        (5, "The known true answer to the control prompt was missed in every one of 20 runs."),
    ],
)
def test_a_control_says_whether_its_known_answer_was_given(position: int, said: str) -> None:
    result, _ = make_result("three days and a control")
    arm = build_arm(result["arms"][position], "completed", EN)
    assert arm.finding == said


def test_the_audit_is_drawn_where_seeds_were_repeated() -> None:
    repeated = build_arm(make_result("middle")[0]["arms"][0], "completed", EN)
    assert repeated.audit_figure is not None
    assert "identical text" in repeated.audit_figure
    assert build_arm(make_result("no runs")[0]["arms"][0], "cancelled", EN).audit_figure is None


def test_an_arm_that_was_given_up_says_so() -> None:
    result, _ = make_result("six days, one of them given up")
    arm = build_arm(result["arms"][6], "completed", EN)
    assert (arm.ended, arm.is_in_clusters) == ("The arm was given up before its first run.", False)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_report_shows_paraphrases_together_and_their_answers_too(language: str) -> None:
    context = make_context("paraphrases", language)
    html = write_html(context)
    assert html.count('id="paraphrases"') == 1
    assert len(re.findall(r'<section class="arm"', html)) == 2  # the primary arm, and all paraphrases
    assert html.count('<div class="answers">') == 13


def test_results_sealed_before_there_were_clusters_are_read_as_before() -> None:
    context = make_context("middle", "en")
    old = {name: value for name, value in context.result.items() if name != "clusters"}
    assert build_view(replace_result(context, old)).clusters == ()
