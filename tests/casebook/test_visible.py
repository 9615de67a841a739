from __future__ import annotations

import pytest

from casebook.visible import cut_text, find_direction, show_isolated, show_text, write_plain


def test_markup_is_escaped() -> None:
    assert show_text("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\x00b", "U+0000"),
        ("a\x1b[31mb", "U+001B"),
        ("a\u202eb", "U+202E"),
        ("a\u2066b", "U+2066"),
        ("a\u200bb", "U+200B"),
        ("a\u00adb", "U+00AD"),
        ("a\ufeffb", "U+FEFF"),
        ("a\u2028b", "U+2028"),
        ("a\rb", "U+000D"),
        ("a\ud800b", "U+D800"),
        ("a\ue000b", "U+E000"),
        ("a\ufe0fb", "U+FE0F"),
        ("a\U0001f9e0b", "U+1F9E0"),
        ("a\u4f60b", "U+4F60"),
    ],
)
def test_what_would_be_invisible_or_has_no_glyph_is_shown_as_its_code_point(text: str, code: str) -> None:
    shown = show_text(text)
    assert f'<span class="code-point">{code}</span>' in shown
    assert shown.startswith("a")
    assert "b" in shown


@pytest.mark.parametrize(
    "text", ["Привет, «мир» — ё №1", "naïve café ½ ≤ €", "שלום", "سلام", "a\tb\nc", "e\u0301"]
)
def test_readable_text_is_shown_as_it_is(text: str) -> None:
    assert show_text(text) == text


def test_a_line_break_of_windows_is_a_line_break() -> None:
    assert show_text("a\r\nb") == "a\nb"


def test_repeated_codes_are_counted_and_piled_accents_cut_off() -> None:
    shown = show_text("e" + "\u0301" * 40)
    assert shown == "e\u0301\u0301\u0301" + '<span class="code-point">U+0301 ×37</span>'


@pytest.mark.parametrize(
    ("text", "direction"),
    [("", "ltr"), ("123 abc שלום", "ltr"), ("… 123 שלום abc", "rtl"), ("سلام", "rtl"), ("Привет", "ltr")],
)
def test_the_first_letter_decides_the_direction(text: str, direction: str) -> None:
    assert find_direction(text) == direction


def test_text_within_a_line_of_ours_is_isolated_with_its_direction() -> None:
    assert show_isolated("שלום") == '<bdi dir="rtl">שלום</bdi>'


def test_plain_text_stays_on_one_line_and_names_what_it_cannot_show() -> None:
    assert write_plain("a\n  b\u202ec") == "a b[U+202E]c"


def test_a_short_text_is_not_cut_and_a_long_one_tells_its_length() -> None:
    assert not cut_text("abc", 3).is_cut
    cut = cut_text("x" * 1_000_000, 600)
    assert (cut.is_cut, len(cut.shown), cut.total) == (True, 600, 1_000_000)


def test_a_cut_does_not_separate_a_letter_from_its_accent() -> None:
    assert cut_text("ae\u0301z", 2).shown == "a"
