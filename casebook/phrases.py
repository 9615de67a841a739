"""Finding a quoted phrase in the text it was taken from, as people copy: other quotes, dashes, spaces or case."""

from __future__ import annotations

import unicodedata

import re2
from django.utils.html import format_html
from django.utils.safestring import SafeString

from casebook.hidden import reveal

ALIKE = ('"«»“”„‟', "'‘’‚‛`´", "-‐‑‒–—―−", "еёЕЁ")
CLASSES = {character: f"[{re2.escape(group)}]" for group in ALIKE for character in group}
SPACE = r"[\s\pZ\x0b\x1c-\x1f\x85]+"  # what str.split() divides words at


def find_phrase(text: str, phrase: str) -> tuple[int, int] | None:
    """Where `phrase` first stands in `text`, as start and end; None when it does not, or is blank.

    RE2 takes linear time, whatever the two hold: a phrase of 500 characters against an answer of 1 MB is ordinary.
    """
    words = [
        "".join(CLASSES.get(character, re2.escape(character)) for character in word)
        for word in phrase.split()
    ]
    found = re2.search(f"(?i){SPACE.join(words)}", text) if words else None
    return found.span() if found else None


def contains_phrase(text: str, phrase: str) -> bool:
    """Whether `phrase` stands in `text`, composed and decomposed letters being the same."""
    return find_phrase(unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", phrase)) is not None


def mark_phrase(text: str, phrase: str) -> SafeString:
    """`text` as HTML, hidden characters revealed, with the first occurrence of `phrase` inside a mark element."""
    span = find_phrase(text, phrase)
    if span is None:
        return reveal(text)
    start, end = span
    parts = (text[:start], text[start:end], text[end:])
    return format_html("{}<mark>{}</mark>{}", *map(reveal, parts))
