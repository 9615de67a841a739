"""Text is read in one way, whatever its encoding habits, in linear time."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.detectors.normalise import (
    MAX_MARKS,
    compose_text,
    group_key,
    normalise_pattern,
    normalise_text,
)

any_text = st.text(st.characters(exclude_categories=()))  # lone surrogates and controls included


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  Two \n\t spaces\u00a0and\u2009more ", "two spaces and more"),
        ("“Quoted” «так» „so“", '"quoted" "так" "so"'),
        ("it’s it‘s it`s itʼs", "it's it's it's it's"),
        ("10–20 — −5", "10-20 - -5"),
        ("Ёлка ещё", "елка еще"),
        ("Ёлка".replace("Ё", "Е\u0308"), "елка"),
        ("cafe\u0301", "café"),
        ("STRASSE straße", "strasse strasse"),
        ("re\u00adfund can\u200bcel \u202eno\u202c", "refund cancel no"),
        ("a\x00b", "ab"),
        ("✅\ufe0f yes", "✅ yes"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("\ufeff", ""),
    ],
)
def test_text_is_normalised_as_stated(written: str, read: str) -> None:
    assert normalise_text(written) == read


def test_case_and_yo_are_kept_when_asked() -> None:
    assert normalise_text("Ёлка — ДА", ignore_case=False, fold_yo=False) == "Ёлка - ДА"
    assert normalise_text("Ёлка", ignore_case=False) == "Елка"


def test_visible_format_characters_are_not_dropped() -> None:
    assert normalise_text("\u0600\u06dd") == "\u0600\u06dd"  # Arabic number sign, end of ayah


def test_every_invisible_format_character_is_dropped() -> None:
    visible = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2}
    formats = [p for p in range(0x10000) if unicodedata.category(chr(p)) == "Cf" and p not in visible]
    assert len(formats) > 20
    assert compose_text("".join(map(chr, formats))) == ""


@given(any_text, st.booleans(), st.booleans())
def test_normalising_twice_changes_nothing(text: str, ignore_case: bool, fold_yo: bool) -> None:
    once = normalise_text(text, ignore_case=ignore_case, fold_yo=fold_yo)
    assert normalise_text(once, ignore_case=ignore_case, fold_yo=fold_yo) == once


@given(any_text)
def test_composed_and_decomposed_text_read_alike(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normalise_text(composed) == normalise_text(decomposed) == normalise_text(text)


@given(any_text)
def test_the_result_can_always_be_encoded(text: str) -> None:
    normalise_text(text).encode("utf-8")


def test_marks_beyond_what_any_language_writes_are_cut() -> None:
    tower = "a" + "\u0301\u0316" * 50
    assert len(unicodedata.normalize("NFD", normalise_text(tower))) == 1 + MAX_MARKS
    assert normalise_text("----" * 20) == "----" * 20


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0301\u0316" * 250_000,
        "“—ё" * 140_000,
        "\u200b \n" * 250_000,
        "\u0344" * 500_000,
        "ΐ" * 500_000,
    ],
    ids=["marks", "typography", "invisible", "decomposing marks", "expanding case"],
)
def test_a_megabyte_of_hostile_text_is_read_at_once(text: str) -> None:
    started = time.process_time()
    normalise_text(text)
    assert time.process_time() - started < 1  # quadratic sorting of the marks would take half an hour


def test_typographic_dashes_in_a_pattern_stay_characters_in_a_class() -> None:
    assert normalise_pattern("[a–z] “x” ё") == r'[a\-z] "x" е'


@pytest.mark.parametrize("answer", ["No.", "no", " NO! ", "No\n", "**No**"[2:], "“no”"[1:]])
def test_answers_that_say_the_same_are_grouped(answer: str) -> None:
    assert group_key(answer) == "no"


def test_groups_keep_what_differs() -> None:
    assert group_key("5 %") != group_key("5")
    assert group_key("...") == "..."
    assert group_key(" \u200b ") == ""


@given(any_text)
def test_a_group_key_is_the_key_of_itself(text: str) -> None:
    assert group_key(group_key(text)) == group_key(text)
