"""Text from outside, made safe to read on paper: nothing invisible, nothing reordered, nothing without a glyph.

A character that could mislead (a control, a bidirectional mark, a zero-width one) or that no vendored font can draw
is shown as its code point, set apart from the text; the exact text stays in the record that its hash names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter

from django.contrib.staticfiles import finders
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# Faces of the report (static/css/report.css); bold and italic ones cover the same characters as the regular.
FACES = (
    "vendor/source-serif-4/SourceSerif4_400Regular.ttf",
    "vendor/source-sans-3/SourceSans3_400Regular.ttf",
    "vendor/source-code-pro/SourceCodePro_400Regular.ttf",
    "vendor/dejavu-sans/DejaVuSans.ttf",
)
# Controls, formats, surrogates, private use, unassigned, line and paragraph separators.
MISLEADING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
PLAIN_CONTROLS = frozenset("\n\t")
MARKS_IN_A_ROW = 3  # more are a decoration that runs over the neighbouring lines
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of text that can be printed, or the code point of a character that cannot."""

    text: str
    is_code: bool


@dataclass(frozen=True, kw_only=True)
class CutText:
    """The beginning of a text; `total` is its length in characters."""

    shown: str
    total: int

    @property
    def is_cut(self) -> bool:
        return len(self.shown) < self.total


@cache
def find_covered_characters() -> frozenset[int]:
    """The code points that at least one vendored face of the report can draw."""
    from fontTools.ttLib import TTFont

    covered: set[int] = set()
    for name in FACES:
        with TTFont(finders.find(name), lazy=True) as font:
            covered.update(font.getBestCmap())
    return frozenset(covered)


def shorten_text(text: str, most: int | None) -> str:
    """The text, or its beginning with an ellipsis, in at most `most` characters if a number is given."""
    return text if most is None or len(text) <= most else text[: most - 1].rstrip() + "…"


def cut_text(text: str, limit: int) -> CutText:
    """At most `limit` characters of `text`, never between a letter and its accent."""
    if len(text) <= limit:
        return CutText(shown=text, total=len(text))
    end = limit
    while end > limit - 20 and end > 1 and unicodedata.combining(text[end]):
        end -= 1
    return CutText(shown=text[:end], total=len(text))


def find_direction(text: str) -> str:
    """`rtl` if the first letter with a direction reads from right to left, otherwise `ltr`."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def split_pieces(text: str) -> Iterator[Piece]:
    """`text` in stretches that can be printed and code points of what cannot, in order."""
    for code, group in groupby(_read_characters(text), key=itemgetter(1)):
        characters = [character for character, _ in group]
        if not code:
            yield Piece(text="".join(characters), is_code=False)
            continue
        repeats = f" ×{len(characters)}" if len(characters) > 1 else ""
        yield Piece(text=code + repeats, is_code=True)


def _read_characters(text: str) -> Iterator[tuple[str, str]]:
    """Every character with its code point if it is to be shown as such, otherwise with an empty text."""
    marks = 0
    for character in text.replace("\r\n", "\n"):
        marks = marks + 1 if unicodedata.combining(character) else 0
        plain = marks <= MARKS_IN_A_ROW and _is_printable(character)
        yield character, "" if plain else f"U+{ord(character):04X}"


def _is_printable(character: str) -> bool:
    if character in PLAIN_CONTROLS:
        return True
    if unicodedata.category(character) in MISLEADING or _VARIATION.match(character):
        return False
    return ord(character) in find_covered_characters()


def write_plain(text: str) -> str:
    """`text` on one line for places that hold no markup, such as a title; what cannot be printed as `[U+XXXX]`."""
    pieces = split_pieces(" ".join(str(text).split()))
    return "".join(f"[{piece.text}]" if piece.is_code else piece.text for piece in pieces)


def show_text(text: str) -> SafeString:
    """`text` as HTML: escaped, with a `code-point` span for every character that cannot be printed."""
    return format_html_join("", "{}", ((_show_piece(piece),) for piece in split_pieces(str(text))))


def show_isolated(text: str) -> SafeString:
    """`text` as HTML inside a `bdi` element, with its own direction."""
    return format_html('<bdi dir="{}">{}</bdi>', find_direction(str(text)), show_text(text))


def _show_piece(piece: Piece) -> SafeString | str:
    if piece.is_code:
        return format_html('<span class="code-point">{}</span>', piece.text)
    return piece.text
