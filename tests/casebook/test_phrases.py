"""A quoted phrase is found as people copy it, and marked without ever becoming markup."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.phrases import contains_phrase, find_phrase, mark_phrase

TEXT = "It is “non-refundable”\n after  the trip — ещё нет."


@pytest.mark.parametrize(
    "phrase",
    ["non-refundable", "NON‑refundable", '"non-refundable" after the', "trip - еще", "«non-refundable»"],
)
def test_quotes_dashes_spaces_case_and_yo_do_not_matter(phrase: str) -> None:
    assert contains_phrase(TEXT, phrase)


@pytest.mark.parametrize(
    "phrase", ["refundable after", "nonrefundable", "", "   ", "non.refundable", "(", "\\"]
)
def test_other_words_are_not_found(phrase: str) -> None:
    assert not contains_phrase(TEXT, phrase)


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert contains_phrase("caf\u00e9", "cafe\u0301")


def test_the_words_are_marked_where_they_stand() -> None:
    assert mark_phrase("a <b> & b", "<B> &") == "a <mark>&lt;b&gt; &amp;</mark> b"
    assert mark_phrase("<i>no</i>", "yes") == "&lt;i&gt;no&lt;/i&gt;"


@given(st.text(), st.text())
def test_no_text_becomes_markup(text: str, phrase: str) -> None:
    ours = r'</?mark>|<span class="cb-code-point">U\+[0-9A-F]{4,6}</span>'
    marked = re.sub(ours, "", mark_phrase(text, phrase))
    assert "<" not in marked
    assert ">" not in marked


@given(st.text(), st.text(min_size=1), st.text())
def test_a_phrase_is_found_in_any_text_that_holds_it(before: str, phrase: str, after: str) -> None:
    assert find_phrase(f"{before} {phrase} {after}", phrase) is not None or not phrase.split()


def test_a_hostile_text_takes_no_longer_than_its_length() -> None:
    started = time.monotonic()
    assert find_phrase("a " * 300_000, "a " * 200 + "b") is None
    assert find_phrase(" " * 500_000, "a b") is None
    assert time.monotonic() - started < 3
