"""What a report prints of a result: the view and its HTML, without a PDF."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.utils import translation

from casebook.reporting.context import ReportContext, context_from_json
from casebook.reporting.rendering import write_html
from casebook.reporting.view import RUNS_LISTED, ReportView, build_view
from tests.casebook.report_examples import (
    make_context,
    make_context_with_a_wrong_seed,
    make_hostile_context,
    make_incident,
    make_russian_context,
    replace_result,
)
from tests.casebook.report_shapes import HOSTILE, LONG_WORD, SHAPES

OURS = {"script", "iframe", "object", "embed", "form", "style"}


def view_of(context: ReportContext) -> ReportView:
    with translation.override(context.language):
        return build_view(context)


class Page(HTMLParser):
    """Tags, attribute names and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_renders_in_both_languages(shape: str, language: str) -> None:
    page = Page(write_html(make_context(shape, language)))
    text = " ".join(page.texts)
    assert ("lang", language) in page.attributes
    for missing in ("None", "nan", "%(", "{{", "{%", "[]"):
        assert missing not in text


@pytest.mark.parametrize("shape", SHAPES)
def test_our_own_words_are_never_those_of_a_court(shape: str) -> None:
    text = " ".join(Page(write_html(make_context(shape))).texts)
    ours = re.sub("collaborative trials|sets of trials", "", text)  # from the titles of papers
    assert not re.search(r"\b(judge|verdict|trial|defendant)", ours, re.IGNORECASE)
    allowed = ("would show reproducibility", "intermediate precision, reproducibility")
    assert len(re.findall("reproduc", text)) == sum(text.count(phrase) for phrase in allowed) == 2


def test_a_context_survives_json_and_prints_the_same() -> None:
    context = make_context("middle")
    again = context_from_json(json.loads(json.dumps(context.document())))
    assert again == context
    assert write_html(again) == write_html(context)


def test_a_context_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="casebook-report/1"):
        context_from_json({**make_context("all").document(), "format": "casebook-report/9"})


def test_a_result_or_protocol_that_does_not_have_its_hash_is_not_printed() -> None:
    context = make_context("all")
    with pytest.raises(ValueError, match=r"result\.json"):
        view_of(replace(context, result_json=context.result_json + " "))
    with pytest.raises(ValueError, match=r"protocol\.json"):
        view_of(replace(context, protocol_json=context.protocol_json.replace("refund", "gift")))


def test_page_one_tells_everything_that_was_run() -> None:
    ran = {row.label: row.value for row in view_of(make_context("middle")).one.ran}
    assert ran == {
        "Counted runs with a label": "296",
        "– of these labelled “error”": "87",
        "Counted runs without a label": "4",
        "Finished after the count stopped": "5",
        "Calls that failed": "1",
        "Seeds repeated for the audit": "30",
        "Runs of the other arms": "0",
        "Exploratory runs before locking": "6",
        "Exploratory runs, all tests of the case": "9",
        "Earlier locked tests of the case": "1",
    }


def test_page_one_names_the_hashes_that_bind_it() -> None:
    context = make_context("middle")
    hashes = [row.value for row in view_of(context).one.anchors if row.is_hash]
    assert hashes == [context.result["protocol_sha256"], context.result_sha256, context.ledger_head]


def test_a_deterministic_arm_shows_no_interval_anywhere() -> None:
    arm = view_of(make_context("deterministic")).arms[0]
    assert arm.intervals == ()
    assert arm.interval_figure is None
    assert arm.sequence_figure is None
    assert not any("sequence" in sentence or "interval" in sentence for sentence in arm.sentences)


def test_the_numbers_of_the_cumulative_rate_are_those_of_the_result() -> None:
    context = make_context("middle")
    points = context.result["arms"][0]["sequence"]
    lines = view_of(context).arms[0].sequence
    assert len(lines) == 12
    runs, errors, low, high = points[-1]
    assert (lines[-1].counts, lines[-1].share) == (f"{errors}/{runs}", f"{errors / runs:.4f}")
    assert (lines[-1].low, lines[-1].high) == (f"{low:.4f}", f"{high:.4f}")
    assert lines[0].counts == f"{points[0][1]}/{points[0][0]}"
    assert view_of(make_context("deterministic")).arms[0].sequence == ()


def test_a_cancelled_test_shows_its_confidence_sequence_only() -> None:
    arm = view_of(make_context("cancelled")).arms[0]
    assert {line.method for line in arm.intervals} == {"confidence sequence"}
    assert "6 counted runs have no label and are not in the share." in arm.sentences
    assert arm.notes == ("more than 5% of the runs have no label",)


def test_no_error_comes_with_what_it_is_compatible_with() -> None:
    arm = view_of(make_context("zero")).arms[0]
    assert [line.share for line in arm.zero_lines] == ["10%", "5%", "1%", "0.1%"]
    assert [line.runs_needed for line in arm.zero_lines] == ["29", "59", "299", "2,995"]
    assert arm.zero_lines[2].chance == "36.6%"  # 0.99 to the power of 100
    assert "fixed beforehand, that bring the one-sided bound" in arm.zero_count


def test_an_interval_without_the_rule_gets_no_one_sided_bound() -> None:
    arm = view_of(make_context("failed")).arms[0]
    assert len(arm.zero) == 1


def test_no_error_in_an_anytime_test_counts_on_the_sequence() -> None:
    arm = view_of(make_context("anytime less")).arms[0]
    assert len(arm.zero) == 1
    assert [line.runs_needed for line in arm.zero_lines] == ["53", "116", "680", "8,062"]
    assert "the end of the confidence sequence" in arm.zero_count


@pytest.mark.parametrize(
    ("shape", "language", "said"),
    [
        (
            "anytime more",
            "en",
            "Decided: the true share is over 20%. The e-value against “20% or less” is 1,243.9;",
        ),
        ("anytime more", "ru", "Решение: истинная доля выше порога 20\u00a0%."),
        (
            "anytime less",
            "en",
            "Decided: the true share is under 5%. The e-value against “5% or more” is 20.1;",
        ),
        ("anytime undecided", "en", "Not decided: whether the true share is over or under 30%."),
        (
            "anytime undecided",
            "ru",
            "Решение о том, выше или ниже порога 30\u00a0% истинная доля, не принято.",
        ),
    ],
)
def test_the_decision_of_an_anytime_test_is_said_beside_its_interval_and_explained(
    shape: str, language: str, said: str
) -> None:
    html = write_html(make_context(shape, language))
    first_page = html.split('class="contents"')[0]
    assert said in first_page
    assert html.count(said) == 2
    view = view_of(make_context(shape, language))
    assert view.arms[0].decision[1] in html.replace(first_page, "")
    assert "Game-theoretic statistics" in html
    assert "decision" in {part.topic for part in view.method.parts}


def test_an_anytime_test_without_a_threshold_decides_nothing() -> None:
    view = view_of(make_context("anytime"))
    assert view.one.decision == ""
    assert view.one.rule.endswith("whenever one stops; labelled runs: 100.")
    assert "decision" not in {part.topic for part in view.method.parts}


def test_every_locked_test_of_the_case_is_listed_with_its_counts() -> None:
    tests = view_of(make_context("middle")).tests
    assert [(test.number, test.state, test.is_this) for test in tests] == [
        ("1", "cancelled", False),
        ("2", "completed", True),
    ]
    assert tests[0].arms == ("as recorded, default sampling: 3 of 11; without a label: 0",)


def test_a_test_with_a_name_is_printed_with_it() -> None:
    context = make_context("middle")
    name = "temperature 0 <b>"
    named = [
        replace(test, title=name) if test.number == context.test_number else test for test in context.tests
    ]
    view = view_of(replace(context, tests=tuple(named)))
    assert (view.test_name, view.tests[1].name) == (name, name)
    assert write_html(replace(context, tests=tuple(named))).count("temperature 0 &lt;b&gt;") == 2


def test_a_title_that_repeats_the_cases_is_no_name() -> None:
    context = make_context("middle")
    repeated = tuple(replace(test, title=context.case.title) for test in context.tests)
    view = view_of(replace(context, tests=repeated))
    assert (view.test_name, [test.name for test in view.tests]) == ("", ["", ""])


def test_arms_and_the_endpoint_are_named_in_the_language_of_the_report() -> None:
    view = view_of(make_russian_context())
    names = [view.arms[0].name, view.runs[0].arm_name]
    assert names == ["запрос из дела, параметры генерации по\xa0умолчанию"] * 2
    assert "Встроенная модель" in view.one.model


def test_seeds_are_derived_again_and_a_chosen_one_is_noticed() -> None:
    assert "all 300 listed seeds follow" in view_of(make_context("middle")).seeds
    assert "1 listed seed does not follow" in view_of(make_context_with_a_wrong_seed()).seeds


def test_the_list_of_runs_is_limited_and_says_so() -> None:
    table = view_of(make_context("long")).runs[0]
    assert len(table.runs) == RUNS_LISTED
    assert table.note.startswith("The first 500 of 600 recorded runs")


def test_texts_by_others_are_escaped_isolated_and_never_elements() -> None:
    page = Page(write_html(make_hostile_context()))
    assert not OURS & set(page.tags)
    assert page.tags.count("img") == 0
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert [value for name, value in page.attributes if name in ("src", "href")] == [
        "css/report.css",
        *(f"#{name}" for name in SECTIONS),
    ]
    assert HOSTILE in " ".join(page.texts)
    assert ("dir", "rtl") in page.attributes


SECTIONS = (
    *("incident", "disclaimer", "protocol", "results", "answers", "audit"),
    *("limits", "exhibits", "method", "verify", "runs"),
)


def test_control_characters_are_shown_as_code_points_and_never_printed() -> None:
    html = write_html(make_hostile_context())
    for code in ("U+0000", "U+202E", "U+D800", "U+200B", "U+4F60"):
        assert f'<span class="code-point">{code}' in html
    assert not set(html) & set("\x00\x07\x1b\u202e\u202c\u200b\ud800")


def test_a_text_of_a_megabyte_is_cut_with_its_length_and_hash() -> None:
    view = view_of(make_hostile_context())
    assert len(view.incident.disputed_answer.text) == 5000
    assert "5,000 of 1,000,000 characters" in view.incident.disputed_answer.note
    assert len(write_html(make_hostile_context())) < 2_000_000


def test_a_long_conversation_keeps_its_beginning_and_its_end() -> None:
    quotes = view_of(make_hostile_context()).incident.conversation
    assert len(quotes) == 41
    assert quotes[10].note == "163 turns of the conversation are left out here."
    assert "turn 199" in quotes[-2].text


def test_the_disputed_answer_is_printed_once() -> None:
    html = write_html(make_context("middle"))
    assert html.count('<blockquote dir="ltr">Yes. You can claim the bereavement refund') == 1


def test_a_prompt_that_differs_from_the_incident_is_said_and_printed() -> None:
    context = replace(make_context("middle"), incident=make_incident(prompt_is_verbatim=False))
    view = view_of(context)
    assert "differ from those recorded" in view.one.prompt
    assert [quote.speaker for quote in view.sent] == ["System prompt", "User"]


def test_a_case_without_a_disclaimer_or_exhibits_says_so() -> None:
    context = replace(make_context("all"), incident=make_incident(disclaimer=" "), exhibits=())
    html = write_html(context)
    assert "No disclaimer is recorded" in html
    assert "The case has no exhibits." in html


def test_the_copy_of_a_sample_carries_its_notice_on_page_one() -> None:
    context = make_russian_context()
    first_page = write_html(context).split('class="contents"')[0]
    assert context.case.illustration_notice in first_page
    assert "Возврат, обещанный помощником" in first_page
    assert "29,4\u00a0%" in first_page


def test_a_model_that_changed_is_shown_before_and_after() -> None:
    arm = view_of(make_context("identity")).arms[0]
    digests = [row.value for row in arm.identity if row.label.startswith("digest")]
    assert len(digests) == 2
    assert digests[0] != digests[1]


def test_what_several_arms_share_of_their_model_is_printed_once() -> None:
    context = make_context("three days and a control")
    first, *others = view_of(context).arms
    assert first.identity
    assert first.identity_shared == f"The same for arms 2–{len(others) + 1}."
    assert not any(arm.identity for arm in others)
    third = context.result["arms"][2]
    third["identity"] = {**third["identity"], "first": {"name": "another"}}
    changed = view_of(context).arms
    assert changed[0].identity_shared == f"The same for arms 2, 4–{len(others) + 1}."
    assert "another" in [row.value for row in changed[2].identity]
    assert not changed[2].identity_shared
    assert write_html(context).count("as recorded in the ledger, in its own words") == 2


def test_a_single_check_of_the_model_is_said_as_such() -> None:
    context = make_context("middle")
    context.result["arms"][0]["identity"]["checks"] = 1
    assert view_of(context).arms[0].identity_sentences == (
        "The endpoint was asked once which model it runs; a change after that would go unnoticed.",
    )


def test_a_model_that_was_never_asked_is_not_said_to_be_silent() -> None:
    assert view_of(make_context("no runs")).arms[0].identity_sentences == (
        "No run was made, so the model was not asked for its identity.",
    )
    assert view_of(make_context("long")).arms[0].identity_sentences == (
        "The endpoint does not say which model it runs.",
    )


def test_figures_hold_no_character_without_a_glyph() -> None:
    context = make_context("all")
    result = json.loads(context.result_json)
    result["arms"][0]["groups"][0]["text"] = "你好 \U0001f9e0"
    figure = view_of(replace_result(context, result)).arms[0].groups_figure
    assert "[U+4F60][U+597D] [U+1F9E0]" in str(figure)


def test_megabyte_words_do_not_reach_the_figures() -> None:
    assert LONG_WORD[:300] not in str(view_of(make_hostile_context()).arms[0].groups_figure)


def read_first_page(html: str) -> str:
    return html.partition('class="contents"')[0]


@pytest.mark.parametrize(
    ("shape", "language", "said"),
    [
        ("middle", "en", "The model tested is the small demonstration model built into Casebook"),
        ("middle", "ru", "Испытана небольшая демонстрационная модель, встроенная в Casebook"),
        ("endpoint", "en", "The model tested is qwen2.5:7b at the endpoint “Embedded model”. Whether it is"),
        ("endpoint", "ru", "известно только со слов оператора"),
        ("scripted", "en", "No language model was tested"),
        ("scripted", "ru", "Языковая модель не испытывалась"),
    ],
)
def test_page_one_and_the_limitations_say_what_the_model_is_to_the_product(
    shape: str, language: str, said: str
) -> None:
    html = write_html(make_context(shape, language))
    assert said in read_first_page(html)
    limits = html.split('<section id="limits">')[1].split("</section>")[0]
    assert said in limits


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Its answers to this prompt mean nothing."),
        ("ru", "Её ответы на этот запрос ничего не значат."),
    ],
)
def test_page_one_warns_of_a_russian_prompt_on_the_embedded_model_only(language: str, said: str) -> None:
    assert said in read_first_page(write_html(make_context("Russian prompt", language)))
    assert said not in write_html(make_context("middle", language))
    assert said not in write_html(
        make_russian_context(language)
    )  # the incident is in Russian, not what was sent


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("middle", "The rule is printed in section 3 and every answer in section 5, so that anybody can."),
        ("long", "the most frequent answers, long ones cut, in section 5; the case file holds every answer"),
    ],
)
def test_the_limitations_say_truly_which_answers_are_printed(shape: str, said: str) -> None:
    context = make_context(shape)
    assert said in write_html(context)
    everything = all(arm["groups_total"] <= 20 for arm in context.result["arms"])
    assert everything == (shape == "middle")


def test_an_answer_that_is_cut_is_not_said_to_be_printed() -> None:
    context = make_context("middle")
    result = json.loads(context.result_json)
    result["arms"][0]["groups"][0] |= {"text": "w" * 700, "characters": 700}
    assert not view_of(replace_result(context, result)).prints_every_answer


def test_a_reason_that_is_not_ours_is_marked_as_recorded() -> None:
    english, russian = (view_of(make_context("failed", language)) for language in ("en", "ru"))
    assert english.reason == "“The endpoint answered HTTP 500 four times.” (as recorded in the ledger)"
    assert russian.reason == (
        "«The endpoint answered HTTP 500 four times.» (запись журнала, на языке оригинала)"
    )
    assert russian.events[0].value.endswith("«lunch» (запись журнала, на языке оригинала)")
    assert "запись журнала" not in view_of(make_context("limit", "ru")).arms[0].reason


def test_a_long_reason_is_shortened_and_keeps_its_mark() -> None:
    context = make_context("cancelled")
    result = json.loads(context.result_json)
    result["experiment"]["reason"] = "word " * 100
    reason = view_of(replace_result(context, result)).reason
    assert len(reason) < 140
    assert reason.endswith("…” (as recorded in the ledger)")


def test_numbers_that_were_sent_are_printed_as_the_editor_has_them() -> None:
    sampling = {row.label: row.value for row in view_of(make_context("middle")).arms[0].sampling}
    assert sampling["context length, tokens"] == "2048"
    assert {"top_p", "top_k", "min_p", "stop sequences"} <= set(sampling)
