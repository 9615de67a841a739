"""Answers are labelled by phrases as a person reads them; what is missing from a cut-off answer labels nothing."""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ensemble.detectors import Detector, build_detector
from ensemble.errors import ProtocolError
from ensemble.protocol import Label

ERROR, NO_ERROR, UNCLEAR = Label.ERROR, Label.NO_ERROR, Label.UNCLEAR
any_text = st.text(st.characters(exclude_categories=()))


def spec(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "text",
        "match": "contains",
        "error_phrases": ["within 90 days"],
        "correct_phrases": ["before travel"],
        "otherwise": "no error",
        "ignore_case": True,
        "fold_yo": True,
        "whole_words": True,
        **changes,
    }


def label(answer: str, *, truncated: bool = False, **changes: Any) -> Label:
    return build_detector(spec(**changes)).detect(answer, truncated=truncated).label


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        ("You may apply WITHIN  90\u00a0days.", ERROR, "contains “within 90 days”"),
        ("Apply before travel.", NO_ERROR, "contains “before travel”"),
        (
            "Apply before travel or within 90 days.",
            UNCLEAR,
            "contains both “within 90 days” and “before travel”",
        ),
        ("Apply soon.", NO_ERROR, "contains none of the phrases"),
        (" \n\u200b", UNCLEAR, "empty answer"),
        ("", UNCLEAR, "empty answer"),
    ],
)
def test_contains_weighs_error_against_correct_phrases(answer: str, expected: Label, reason: str) -> None:
    finding = build_detector(spec()).detect(answer)
    assert (finding.label, finding.reason) == (expected, reason)


@pytest.mark.parametrize("otherwise", ["no error", "unclear", "error"])
def test_what_holds_no_phrase_gets_the_stated_label(otherwise: str) -> None:
    assert label("something else", otherwise=otherwise) == otherwise


def test_lacking_the_correct_phrase_can_be_the_error() -> None:
    lacks = {"error_phrases": [], "correct_phrases": ["see a doctor"], "otherwise": "error"}
    assert label("Take two.", **lacks) is ERROR
    assert label("Please see a doctor.", **lacks) is NO_ERROR
    assert label("Take two. Please see a", truncated=True, **lacks) is UNCLEAR


@pytest.mark.parametrize(
    ("phrase", "answer", "found"),
    [
        ("yes", "eyes", False),
        ("yes", "Yes!", True),
        ("yes", "_yes_ **Yes**", True),
        ("yes", "yesterday", False),
        ("да", "да, можно", True),
        ("да", "дата", False),
        ("да", "вода", False),
        ("нет", "«Нет»", True),
        ("елка", "Ёлка", True),
        ("you can", "you can't", False),
        ("you can", "you can’t", False),
        ("you can", "you cannot", False),
        ("you can", "you can't and you can", True),
        ("Air Canada", "Air Canada's policy", True),
        ("can", "Canada", False),
        ("90", "1990", False),
        ("90", "90%", True),
        ("$880", "US$880", True),
        ("$880", "$8801", False),
        ("well-known", "a well‑known fact", True),
        ("it's", "it’s", True),
        ('"a b"', "“A  b”", True),
        ("кафе", "кафе\u0301", False),
        ("cafe\u0301", "café", True),
        ("не вернут", "Вам не\nвернут", True),
    ],
)
def test_phrases_are_found_as_whole_words(phrase: str, answer: str, found: bool) -> None:
    expected = ERROR if found else NO_ERROR
    assert label(answer, error_phrases=[phrase], correct_phrases=[]) is expected


def test_parts_of_words_are_found_when_asked() -> None:
    assert label("дата", error_phrases=["да"], whole_words=False) is ERROR
    assert label("無料です", error_phrases=["無料"], whole_words=False) is ERROR


def test_case_and_yo_count_when_asked() -> None:
    assert label("no", error_phrases=["No"], ignore_case=False) is NO_ERROR
    assert label("все", error_phrases=["всё"], fold_yo=False) is NO_ERROR
    assert label("всё", error_phrases=["все"]) is ERROR


starts = {
    "match": "starts with",
    "error_phrases": ["yes", "you can"],
    "correct_phrases": ["no", "yes, but only before"],
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Yes, within 90 days.", ERROR),
        ("No. Yes would be wrong.", NO_ERROR),
        ("  **Yes** — of course", ERROR),
        ("- “No”, it is not", NO_ERROR),
        ("> ✅\ufe0f Yes", ERROR),
        ("yes, but only before travel", NO_ERROR),
        ("You can't", UNCLEAR),
        ("You can.", ERROR),
        ("Nothing", UNCLEAR),
        ("Well, yes", UNCLEAR),
        ("...", UNCLEAR),
    ],
)
def test_the_longest_phrase_that_begins_the_answer_decides(answer: str, expected: Label) -> None:
    assert label(answer, otherwise="unclear", **starts) is expected


def test_a_phrase_may_begin_with_a_sign() -> None:
    assert label('"$880 in all', match="starts with", error_phrases=["$880"]) is ERROR
    assert label("-5", match="starts with", error_phrases=["-5"]) is ERROR


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Yes, you", ERROR),
        ("No way, that", NO_ERROR),
        ("Maybe you", NO_ERROR),
        ("Ye", UNCLEAR),
        ("Yes", UNCLEAR),
        ("No", UNCLEAR),
        ("yes, but on", UNCLEAR),
        ("you can'", UNCLEAR),
        ("**", UNCLEAR),
    ],
)
def test_the_beginning_of_a_cut_off_answer_decides_once_it_is_complete(answer: str, expected: Label) -> None:
    assert label(answer, truncated=True, otherwise="no error", **starts) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("You may apply within 90 days of", ERROR),
        ("You may apply within 90 days", UNCLEAR),
        ("Apply before travel and", UNCLEAR),
        ("Apply before travel or within 90 days if", UNCLEAR),
        ("Apply soon and", UNCLEAR),
    ],
)
def test_in_a_cut_off_answer_only_what_was_said_stands(answer: str, expected: Label) -> None:
    assert label(answer, truncated=True) is expected


def test_the_last_word_of_a_cut_off_answer_may_go_on() -> None:
    assert (
        label("Of course you can", truncated=True, error_phrases=["you can"], correct_phrases=[]) is UNCLEAR
    )
    assert (
        label("Of course you can'", truncated=True, error_phrases=["you can"], correct_phrases=[]) is UNCLEAR
    )
    assert label("Of course you can'", error_phrases=["you can"], correct_phrases=[]) is ERROR


patterns = {
    "match": "pattern",
    "error_phrases": [r"within \d+ days"],
    "correct_phrases": [r"before (the )?travel"],
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Within 30\n days", ERROR),
        ("BEFORE THE TRAVEL", NO_ERROR),
        ("within 3 days before travel", UNCLEAR),
        ("soon", NO_ERROR),
    ],
)
def test_patterns_read_normalised_text(answer: str, expected: Label) -> None:
    assert label(answer, **patterns) is expected


def test_a_pattern_sees_quotes_dashes_and_yo_folded_like_the_answer() -> None:
    assert label("“всё” 5—7", match="pattern", error_phrases=["«все» [0-9–]+"], correct_phrases=[]) is ERROR
    assert label("YES", match="pattern", error_phrases=["yes"], ignore_case=False) is NO_ERROR


@pytest.mark.parametrize(
    ("pattern", "answer", "expected"),
    [
        ("yes.*", "well yes, this", ERROR),
        ("yes$", "well yes", UNCLEAR),
        (r"\byes\b", "well yes", UNCLEAR),
        (r"yes.{0,9}$", "yes and", UNCLEAR),
        (r"yes and", "yes and", ERROR),
    ],
)
def test_a_pattern_must_hold_wherever_the_answer_was_cut(pattern: str, answer: str, expected: Label) -> None:
    assert label(answer, truncated=True, match="pattern", error_phrases=[pattern]) is expected
    assert label(answer, match="pattern", error_phrases=[pattern]) is ERROR


def test_patterns_read_long_answers_to_a_limit_and_say_so() -> None:
    detector = build_detector(spec(**patterns))
    finding = detector.detect("x " * 30_000 + "within 9 days")
    assert finding.label is UNCLEAR
    assert "not read beyond 50000 characters" in finding.reason
    assert detector.detect("within 9 days " + "x " * 30_000).label is ERROR


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"match": "equals"}, "match"),
        ({"match": None}, "match"),
        ({"otherwise": "perhaps"}, "otherwise"),
        ({"otherwise": ["error"]}, "otherwise"),
        ({"ignore_case": 1}, "ignore_case"),
        ({"fold_yo": "true"}, "fold_yo"),
        ({"whole_words": None}, "whole_words"),
        ({"error_phrases": "yes"}, "error_phrases"),
        ({"error_phrases": [1]}, "error_phrases"),
        ({"error_phrases": [""]}, "error_phrases"),
        ({"error_phrases": [" \n"]}, "error_phrases"),
        ({"error_phrases": ["\u200b"]}, "error_phrases"),
        ({"error_phrases": ["\ud800"]}, "error_phrases"),
        ({"error_phrases": ["x" * 501]}, "error_phrases"),
        ({"correct_phrases": [str(n) for n in range(51)]}, "correct_phrases"),
        ({"error_phrases": [], "correct_phrases": []}, "error_phrases"),
        ({"error_phrases": ["Yes"], "correct_phrases": ["yes"]}, "correct_phrases"),
        ({"colour": "red"}, "colour"),
        ({"match": "pattern", "error_phrases": ["(a"]}, "error_phrases"),
        ({"match": "pattern", "correct_phrases": ["a**"]}, "correct_phrases"),
        ({"match": "pattern", "error_phrases": ["(?=a)b"]}, "error_phrases"),
        ({"match": "pattern", "error_phrases": ["a*"]}, "error_phrases"),
        ({"match": "pattern", "error_phrases": ["(x{1,50}){1,50}"]}, "error_phrases"),
        ({"match": "pattern", "error_phrases": [r"\bда\b"]}, "error_phrases"),
    ],
)
def test_what_is_not_understood_is_refused_and_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        build_detector(spec(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize("missing", ["match", "otherwise"])
def test_settings_that_decide_must_be_stated(missing: str) -> None:
    incomplete = spec()
    del incomplete[missing]
    with pytest.raises(ProtocolError) as caught:
        build_detector(incomplete)
    assert caught.value.field == missing


def test_flags_are_on_unless_switched_off() -> None:
    short = {"kind": "text", "match": "contains", "error_phrases": ["все"], "otherwise": "unclear"}
    assert build_detector(short).detect("ВСЁ").label is ERROR
    assert build_detector(short).detect("всего").label is UNCLEAR


def test_an_invalid_pattern_is_explained() -> None:
    with pytest.raises(ProtocolError, match=r"missing \): \(ab"):
        build_detector(spec(match="pattern", error_phrases=["(ab"]))


def test_the_version_names_rule_and_revision() -> None:
    assert build_detector(spec()).version == "text/1"


detectors = st.sampled_from(
    [
        build_detector(spec(**changes))
        for changes in (
            {},
            {"otherwise": "error", "correct_phrases": ["a"]},
            {"whole_words": False, "error_phrases": ["ё", "'"], "correct_phrases": ["b"]},
            {**starts, "otherwise": "no error"},
            {**patterns},
        )
    ]
)
fragments = st.lists(
    st.sampled_from(
        ["yes", "no", "within 90 days", "before travel", "you can", "'t", " ", "\n", "ё", "**", ", ", "x"]
    )
    | any_text
).map("".join)


@given(detectors, fragments, st.booleans())
def test_no_text_raises(detector: Detector, text: str, truncated: bool) -> None:
    assert detector.detect(text, truncated=truncated).reason


@given(detectors, fragments)
def test_labels_do_not_depend_on_composition_or_case(detector: Detector, text: str) -> None:
    expected = detector.detect(text)
    for form in ("NFC", "NFD"):
        assert detector.detect(unicodedata.normalize(form, text)) == expected
    assume(text.upper().casefold() == text.casefold())  # ı, for one, has no way back
    assert detector.detect(text.upper()) == expected


contents = st.sampled_from(
    [build_detector(spec(otherwise=otherwise)) for otherwise in ("no error", "error", "unclear")]
)


@given(contents, fragments, fragments)
def test_a_label_of_a_cut_off_answer_is_never_undone_by_absence(
    detector: Detector, text: str, rest: str
) -> None:
    cut = detector.detect(text, truncated=True)
    whole = detector.detect(text + rest)
    assert cut.label is not NO_ERROR
    if cut.label is ERROR:
        assert whole.label in (ERROR, UNCLEAR)  # a correct phrase may still follow


openings = st.sampled_from(
    [build_detector(spec(**starts, otherwise=word)) for word in ("no error", "error", "unclear")]
)


@given(openings, fragments, fragments)
def test_the_beginning_of_a_cut_off_answer_is_final_or_unclear(
    detector: Detector, text: str, rest: str
) -> None:
    assume(
        not unicodedata.combining((rest or "x")[0])
        and not unicodedata.category((rest or "x")[0]).startswith("M")
    )
    cut = detector.detect(text, truncated=True)
    assert cut.label in (UNCLEAR, detector.detect(text + rest).label)


ENGLISH = "Yes, you can claim the bereavement refund up to 90 days after travel — that’s our policy. "
RUSSIAN = "Да, вы можете получить возврат в течение 90 дней после поездки — это наша политика. Всё ясно. "


@pytest.mark.parametrize("sentence", [ENGLISH, RUSSIAN])
@pytest.mark.parametrize("match", ["contains", "starts with"])
def test_ten_thousand_answers_are_labelled_within_a_second(sentence: str, match: str) -> None:
    detector = build_detector(
        spec(
            match=match,
            error_phrases=["within 90 days of", "you may claim", "возврат невозможен", "yes"],
            correct_phrases=["before travel", "cannot be claimed", "нет"],
        )
    )
    answer = (sentence * 4)[:300]

    def label_all() -> float:
        started = time.process_time()
        for _ in range(10_000):
            detector.detect(answer)
        return time.process_time() - started

    assert any(label_all() < 1 for _ in range(3))  # other processes share the machine


def make_noise() -> str:
    rng = random.Random(1)
    return "".join(rng.choice("ab  ") for _ in range(1_000_000))


HOSTILE = {
    "hits inside words": "yesyes" * 170_000,
    "contractions": "can't " * 170_000,
    "marks": "a" + "\u0301\u0316" * 250_000,
    "typography": "“—ё" * 140_000,
    "leading signs": "*" * 1_000_000 + "yes",
    "nearly": "within 90 day " * 70_000,
    "noise": make_noise(),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize(
    ("match", "phrases"),
    [
        ("contains", ["within 90 days", "yes", "you can", "can"]),
        ("starts with", ["within 90 days", "yes", "you can", "can"]),
        ("pattern", ["(a|b)*a(a|b){60}c", ".*a.{200}z"]),
    ],
)
def test_a_megabyte_of_hostile_text_is_labelled_at_once(
    match: str, phrases: Sequence[str], text: str
) -> None:
    detector = build_detector(spec(match=match, error_phrases=phrases, correct_phrases=[]))
    started = time.process_time()
    detector.detect(text)
    assert time.process_time() - started < 1
