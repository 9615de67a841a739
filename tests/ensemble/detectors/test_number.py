"""Answers are labelled by a number in exact decimals; a number that may go on or be missing labels nothing."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.detectors import Detector, build_detector
from ensemble.errors import ProtocolError
from ensemble.protocol import Label

ERROR, NO_ERROR, UNCLEAR = Label.ERROR, Label.NO_ERROR, Label.UNCLEAR


def spec(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "number",
        "rule": "differs",
        "truth": "495",
        "disputed": "594",
        "tolerance": "0",
        "tolerance_kind": "absolute",
        "pick": "last",
        "decimal_mark": "auto",
        "unit": "",
        **changes,
    }


def label(answer: str, *, truncated: bool = False, **changes: Any) -> Label:
    return build_detector(spec(**changes)).detect(answer, truncated=truncated).label


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        ("128+367=495", NO_ERROR, "495 equals the true number"),
        ("128+367=594", ERROR, "594 differs from the true number"),
        ("It is 495.00", NO_ERROR, "495.00 equals the true number"),
        ("four hundred", UNCLEAR, "no number"),
        ("", UNCLEAR, "no number"),
    ],
)
def test_a_number_that_differs_from_the_truth_is_the_error(answer: str, expected: Label, reason: str) -> None:
    finding = build_detector(spec()).detect(answer)
    assert (finding.label, finding.reason) == (expected, reason)


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        ("594", ERROR, "594 equals the disputed number"),
        ("495", NO_ERROR, "495 equals the true number"),
        ("600", NO_ERROR, "another wrong number: 600"),
    ],
)
def test_only_the_disputed_number_is_the_error_when_asked(answer: str, expected: Label, reason: str) -> None:
    finding = build_detector(spec(rule="equals disputed")).detect(answer)
    assert (finding.label, finding.reason) == (expected, reason)


@pytest.mark.parametrize(
    ("pick", "answer", "expected"),
    [
        ("last", "495, not 594", ERROR),
        ("first", "495, not 594", NO_ERROR),
        ("only", "495, not 594", UNCLEAR),
        ("only", "495 = 495.0", NO_ERROR),
        ("only", "It is 594", ERROR),
    ],
)
def test_the_number_that_counts_is_picked(pick: str, answer: str, expected: Label) -> None:
    assert label(answer, pick=pick) is expected


@pytest.mark.parametrize(
    ("answer", "tolerance", "kind", "expected"),
    [
        ("495.5", "0.5", "absolute", NO_ERROR),
        ("495.500000000000000000000000000000001", "0.5", "absolute", ERROR),
        ("494.5", "0.5", "absolute", NO_ERROR),
        ("519.75", "0.05", "relative", NO_ERROR),
        ("519.7500001", "0.05", "relative", ERROR),
        ("470,25", "0.05", "relative", NO_ERROR),
    ],
)
def test_the_tolerance_is_exact_and_includes_its_edge(
    answer: str, tolerance: str, kind: str, expected: Label
) -> None:
    assert label(answer, tolerance=tolerance, tolerance_kind=kind, disputed=None) is expected


def test_a_tolerance_relative_to_a_negative_truth_works_alike() -> None:
    small = {"truth": "-100", "disputed": None, "tolerance": "0.1", "tolerance_kind": "relative"}
    assert label("−110", **small) is NO_ERROR
    assert label("−111", **small) is ERROR
    assert label("100", **small) is ERROR


def test_numbers_of_three_hundred_digits_apart_are_compared_exactly() -> None:
    wide = {"truth": "0." + "0" * 49 + "1", "disputed": None}
    assert label("9" * 100, **wide) is ERROR
    assert label("0." + "0" * 49 + "10", **wide) is NO_ERROR


@pytest.mark.parametrize(
    ("unit", "answer", "expected"),
    [
        ("USD", "On May 5 you get 495 USD in 30 days", NO_ERROR),
        ("$", "In 30 days you get $495 of 3", NO_ERROR),
        ("$", "US$495", NO_ERROR),
        ("USD", "USD 495 in 3", NO_ERROR),
        ("USD", "495 USDT", UNCLEAR),
        ("USD", "495", UNCLEAR),
        ("%", "495 % of 3", NO_ERROR),
        ("руб.|₽|рублей", "Через 30 дней — 495 рублей", NO_ERROR),
        ("руб.|₽|рублей", "495₽ и 3", NO_ERROR),
        ("km", "**495** km, 3 hours", NO_ERROR),
        ("KM", "495km", NO_ERROR),
        ("м", "495 мм", UNCLEAR),
        ("million", "495 million", UNCLEAR),
    ],
)
def test_only_numbers_with_the_unit_count(unit: str, answer: str, expected: Label) -> None:
    assert label(answer, unit=unit) is expected


def test_the_decimal_mark_can_be_fixed() -> None:
    assert label("1,234", truth="1.234", disputed=None, decimal_mark="comma") is NO_ERROR
    assert label("1,234", truth="1234", disputed=None, decimal_mark="point") is NO_ERROR
    assert label("Масса 1,234 кг", truth="1.234", disputed=None) is NO_ERROR


@pytest.mark.parametrize(
    ("pick", "answer", "expected"),
    [
        ("first", "495 is the sum", NO_ERROR),
        ("first", "594 is the", ERROR),
        ("first", "495", UNCLEAR),
        ("first", "495.", UNCLEAR),
        ("first", "495 ", UNCLEAR),
        ("first", "495 mil", UNCLEAR),
        ("first", "495 00", UNCLEAR),
        ("last", "495 is the sum of", UNCLEAR),
        ("last", "594 is the sum of", UNCLEAR),
        ("only", "495 is the sum of", UNCLEAR),
        ("first", "the sum", UNCLEAR),
    ],
)
def test_in_a_cut_off_answer_only_a_finished_first_number_stands(
    pick: str, answer: str, expected: Label
) -> None:
    assert label(answer, pick=pick, truncated=True) is expected


def test_long_answers_are_read_from_the_end_that_counts() -> None:
    filler = "word " * 20_000
    assert label(f"{filler} 3 {filler} 495", pick="last") is NO_ERROR
    assert label(f"594 of {filler} 495", pick="first") is ERROR
    assert label(f"{filler} 495", pick="first") is UNCLEAR
    assert label(f"495 {filler}", pick="only") is UNCLEAR
    assert label("x" * 29_990 + " 1234567890123 y", pick="first") is UNCLEAR
    parted = "w " * 14_998 + "495 123 y"  # what is read ends between 495 and 123
    assert label(parted, pick="first") is UNCLEAR


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rule": "is"}, "rule"),
        ({"truth": 495}, "truth"),
        ({"truth": "1e5"}, "truth"),
        ({"truth": "1,5"}, "truth"),
        ({"truth": "NaN"}, "truth"),
        ({"truth": "9" * 51}, "truth"),
        ({"truth": "٥"}, "truth"),
        ({"truth": None}, "truth"),
        ({"disputed": "many"}, "disputed"),
        ({"disputed": "495.0"}, "disputed"),
        ({"disputed": "496", "tolerance": "0.5"}, "disputed"),
        ({"disputed": None, "rule": "equals disputed"}, "disputed"),
        ({"tolerance": "-1"}, "tolerance"),
        ({"tolerance": 0}, "tolerance"),
        ({"tolerance": "5", "tolerance_kind": "relative"}, "tolerance"),
        ({"truth": "0", "tolerance": "0.1", "tolerance_kind": "relative"}, "tolerance_kind"),
        ({"tolerance_kind": "some"}, "tolerance_kind"),
        ({"pick": "best"}, "pick"),
        ({"decimal_mark": ","}, "decimal_mark"),
        ({"unit": "USD|"}, "unit"),
        ({"unit": " "}, "unit"),
        ({"unit": "x" * 101}, "unit"),
        ({"unit": "\ud800"}, "unit"),
        ({"unit": 5}, "unit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_not_understood_is_refused_and_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        build_detector(spec(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize("missing", ["rule", "truth", "pick"])
def test_settings_that_decide_must_be_stated(missing: str) -> None:
    incomplete = spec()
    del incomplete[missing]
    with pytest.raises(ProtocolError) as caught:
        build_detector(incomplete)
    assert caught.value.field == missing


def test_the_rest_has_defaults() -> None:
    short = {"kind": "number", "rule": "differs", "truth": "-0.5", "pick": "only"}
    detector = build_detector(short)
    assert detector.detect("-0,5").label is NO_ERROR
    assert detector.version == "number/1"


detectors = st.sampled_from(
    [
        build_detector(spec(**changes))
        for changes in (
            {},
            {"pick": "first", "unit": "$|руб."},
            {"pick": "only", "rule": "equals disputed", "tolerance": "1"},
            {"pick": "first", "tolerance": "0.01", "tolerance_kind": "relative", "decimal_mark": "comma"},
        )
    ]
)
texts = st.lists(
    st.sampled_from(["495", "594", " ", "1,", "$", "-", ".", "\n", "млн", " руб.", "e5", "99"])
    | st.text(st.characters(exclude_categories=()), max_size=5)
).map("".join)


@given(detectors, texts, st.booleans())
def test_no_text_raises(detector: Detector, text: str, truncated: bool) -> None:
    assert detector.detect(text, truncated=truncated).reason


@given(detectors, texts)
def test_labels_do_not_depend_on_composition(detector: Detector, text: str) -> None:
    assert detector.detect(unicodedata.normalize("NFD", text)) == detector.detect(
        unicodedata.normalize("NFC", text)
    )


first = st.sampled_from(
    [build_detector(spec(pick="first", decimal_mark=mark)) for mark in ("point", "comma")]
)


@given(first, texts, texts)
def test_what_is_said_of_a_cut_off_answer_stays_true(detector: Detector, text: str, rest: str) -> None:
    cut = detector.detect(text, truncated=True).label
    assert cut in (UNCLEAR, detector.detect(text + rest).label)


@pytest.mark.parametrize(
    "text", ["1 " * 500_000, "５ " * 300_000, "1e5 " * 250_000, "1 000 " * 160_000, "USD5" * 250_000]
)
@pytest.mark.parametrize("pick", ["first", "last", "only"])
def test_a_megabyte_of_numbers_is_labelled_at_once(text: str, pick: str) -> None:
    detector = build_detector(spec(pick=pick, unit="USD|руб."))
    started = time.process_time()
    detector.detect(text)
    assert time.process_time() - started < 1
