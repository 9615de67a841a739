"""Filters of the pages of a case."""

from __future__ import annotations

import pytest

from casebook.templatetags.casefile import first_sentences


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One two three. Four", "One two three. Four"),
        ("One two. Three four five six", "One two."),
        ("One “two.” Three. Four five six", "One “two.” Three."),
        ("Она спросила. Ответ был неверен и дорог", "Она спросила."),
        ("One Mr. Two three four five", "One Mr. Two three …"),
        ("One J. Two three four five", "One J. Two three …"),
        ("One approx. two three four five", "One approx. two three …"),
        ("One two three four. Five", "One two three four."),
    ],
)
def test_a_text_is_cut_at_the_end_of_a_sentence_if_there_is_one(text: str, shown: str) -> None:
    assert first_sentences(text, 4) == shown
