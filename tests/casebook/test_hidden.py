"""Characters that a reader would not see are shown as code points, and nothing becomes markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.hidden import reveal


@pytest.mark.parametrize(
    ("hidden", "code"),
    [
        ("\u202e", "U+202E"),
        ("\u200b", "U+200B"),
        ("\x00", "U+0000"),
        ("\r", "U+000D"),
        ("\U000e0041", "U+E0041"),
    ],
)
def test_a_hidden_character_is_shown_as_its_code_point(hidden: str, code: str) -> None:
    assert reveal(f"a{hidden}b") == f'a<span class="cb-code-point">{code}</span>b'


@pytest.mark.parametrize(
    "text",
    ["Straße, ёж, 漢字", "مرحبا", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "👩\u200d⚖️", "a\tb\nc"],
)
def test_ordinary_text_of_any_language_stays_as_it_is(text: str) -> None:
    assert reveal(text) == text


@given(st.text())
def test_only_our_own_element_is_ever_markup(text: str) -> None:
    rest = re.sub(r'<span class="cb-code-point">U\+[0-9A-F]{4,6}</span>', "", reveal(text))
    assert "<" not in rest
    assert ">" not in rest
