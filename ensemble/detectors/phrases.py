"""Finding a phrase in normalised text: plain search, whole words, and what a cut-off end leaves open."""

from __future__ import annotations

import re
import unicodedata

_LEADING_MARKS = re.compile(r"[\W_]*+")


def find_phrase(
    text: str, phrase: str, *, whole_words: bool, cut: bool = False, starts: bool = False
) -> bool:
    """Whether `phrase` occurs in `text`, or with `starts` begins it.

    `starts`: characters before the phrase that are neither letters nor digits (quotes, bullets, Markdown) are
    skipped. `whole_words`: not inside a longer word; hyphens part words, apostrophes too, except in "can't": "you can"
    does not occur there. `cut`: the text breaks off, so that its last word may go on. An empty phrase is nowhere.
    """
    if not phrase:
        return False
    last = len(text) - len(_strip_leading(text)) if starts else len(text)
    stop = min(len(text), last + len(phrase))
    start = text.find(phrase, 0, stop)
    while start >= 0:
        if not whole_words or _is_whole(text, start, start + len(phrase), cut):
            return True
        start = text.find(phrase, start + 1, stop)
    return False


def may_become(text: str, phrase: str) -> bool:
    """Whether `text`, which breaks off, may still turn out to start with `phrase`, or with a longer word."""
    opening = _strip_leading(text).rstrip("'")
    return _strip_leading(phrase).startswith(opening)


def _strip_leading(text: str) -> str:
    return _LEADING_MARKS.sub("", text, count=1)


def _is_whole(text: str, start: int, end: int, cut: bool) -> bool:
    if start and _is_word(text[start]) and _is_word(text[start - 1]):
        return False
    if not _is_word(text[end - 1]):
        return True
    following = text[end : end + 3]
    if cut and following in ("", "'", "'t", "'T"):
        return False
    contraction = following[:2].lower() == "'t" and not _is_word(following[2:])
    return not (contraction or _is_word(following[:1]))


def _is_word(character: str) -> bool:
    """Letters, digits and the marks put on them; not the underscore, which marks italics in Markdown."""
    return character.isalnum() or (character > "\u02ff" and unicodedata.category(character).startswith("M"))
