"""A detector is proposed from a person's words; it labels the disputed answer as the error wherever that can be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.detectors import build_detector
from ensemble.detectors.suggest import suggest_detector
from ensemble.protocol import Label, canonical_json

AIR_CANADA = (
    "Yes. If you need to travel immediately, you may apply within 90 days of the date your ticket was issued."
)

# wrong, true, disputed answer, what the proposal must hold, an answer without the error
CASES: list[tuple[str, str, str, dict[str, Any], str]] = [
    (
        "594",
        "495",
        "128+367=594",
        {"kind": "number", "truth": "495", "disputed": "594", "pick": "last"},
        "128+367=495",
    ),
    ("$880", "$1,630.36", "You get $880.", {"kind": "number", "truth": "1630.36"}, "You get $1630.36"),
    ("594", "495", "594 is the sum of 128 and 367", {"pick": "first"}, "495 is the sum of 128 and 367"),
    (
        "1,234 кг",
        "2 кг",
        "Масса 1,234 кг",
        {"truth": "2", "disputed": "1.234", "decimal_mark": "comma"},
        "2,0 кг",
    ),
    (
        "Yes, afterwards",
        "No, only before the trip",
        AIR_CANADA,
        {"match": "starts with", "error_phrases": ["yes"], "correct_phrases": ["no"], "otherwise": "unclear"},
        "No, before.",
    ),
    (
        "It allows the refund",
        "No",
        AIR_CANADA,
        {"match": "starts with", "error_phrases": ["yes"]},
        "No: the policy does not allow it.",
    ),
    ("Да, можно", "Нельзя", "Да, вы можете.", {"match": "starts with", "error_phrases": ["да"]}, "Нет."),
    (
        "The bot said I may apply within 90 days of the date",
        "“before travel” only",
        AIR_CANADA.removeprefix("Yes. "),
        {"match": "contains", "error_phrases": ["may apply within 90 days of the date"]},
        "Apply before travel.",
    ),
    (
        "It calls “one device per subscription” a “core feature”",
        "There is no such policy.",
        "Cursor works with one device per subscription as a core security measure.",
        {"error_phrases": ["one device per subscription"], "correct_phrases": ["There is no such policy"]},
        "There is no such policy.",
    ),
    (
        "«возврат невозможен»",
        "",
        "К сожалению, возврат невозможен.",
        {"error_phrases": ["возврат невозможен"], "correct_phrases": [], "otherwise": "no error"},
        "Возврат возможен.",
    ),
    (
        "30 days",
        "The appeal must be filed within 10 days.",
        "You have 30 days to appeal.",
        {"kind": "number", "truth": "10", "disputed": "30"},
        "You have 10 days to appeal.",
    ),
    (
        "section 30",
        "The appeal must be filed within 10 days.",
        "It follows from section 30.",
        {"kind": "text", "error_phrases": ["section 30"]},
        "You have ten days.",
    ),
    (
        "1 May.",
        "15 April",
        "The deadline is May 1.",
        {"kind": "text", "error_phrases": ["1 May", "May 1"], "correct_phrases": ["15 April", "April 15"]},
        "It is due by April 15.",
    ),
    (
        "1 мая",
        "15 апреля",
        "Срок истекает 1 мая.",
        {"kind": "text", "error_phrases": ["1 мая", "мая 1"]},
        "Срок — 15 апреля.",
    ),
    ("", "", "Canberra is in Spain. Really.", {"error_phrases": ["Canberra is in Spain"]}, "In Australia."),
]


@pytest.mark.parametrize(("wrong", "true", "answer", "expected", "right"), CASES)
def test_the_proposal_finds_the_error_and_only_the_error(
    wrong: str, true: str, answer: str, expected: dict[str, Any], right: str
) -> None:
    proposed = suggest_detector(wrong, true, answer)
    assert {key: proposed[key] for key in expected} == expected
    detector = build_detector(proposed)
    assert detector.detect(answer).label is Label.ERROR
    assert detector.detect(right).label is Label.NO_ERROR


def test_words_that_the_disputed_answer_holds_are_not_proposed_as_correct() -> None:
    proposed = suggest_detector("“no refund”", "“refund”", "There is no refund.")
    assert (proposed["error_phrases"], proposed["correct_phrases"]) == (["no refund"], [])


def test_a_description_that_the_answer_does_not_hold_never_counts_as_no_error() -> None:
    proposed = suggest_detector("It invents a criminal past", "He is a journalist", "Walters stole money.")
    assert build_detector(proposed).detect("anything else").label is Label.UNCLEAR


def test_a_number_that_no_pick_would_take_is_looked_for_as_words() -> None:
    proposed = suggest_detector("594", "495", "Of 128 and 367 the sum is 594, in 3 digits")
    assert (proposed["kind"], proposed["error_phrases"]) == ("text", ["594"])


def test_equal_numbers_are_no_rule() -> None:
    assert suggest_detector("495", "495.0", "495")["kind"] == "text"


def test_nothing_known_leaves_the_phrases_to_be_filled_in() -> None:
    assert suggest_detector("", " ", "\n")["error_phrases"] == []


any_text = st.text(st.characters(exclude_categories=()), max_size=60)
words = st.lists(
    st.sampled_from(["yes", "no", "да", "495", "“a b”", "$5", "refund", "."]) | any_text, max_size=5
)


@given(words.map(" ".join), words.map(" ".join), words.map(" ".join))
def test_every_proposal_is_a_valid_specification(wrong: str, true: str, answer: str) -> None:
    proposed = suggest_detector(wrong, true, answer)
    canonical_json(proposed)
    if proposed["kind"] == "number" or proposed["error_phrases"] or proposed["correct_phrases"]:
        build_detector(proposed)
