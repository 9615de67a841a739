"""One way of reading text, shared by the rules that label answers and the page that groups them.

Answers are hostile: every function here takes any Python string and linear time.
"""

from __future__ import annotations

import re
import unicodedata

# Characters without a shape of their own: they are not read aloud, and would hide a phrase when put inside it.
_INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
)
_INVISIBLE_TAGS = "\U000e0000-\U000e0fff"  # apart: a class that leaves the BMP is matched far more slowly
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_DOUBLE_QUOTES = "\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u300c\u300d\uff02"
_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u02bc\u00b4\u0060\uff07"
_FOLDED = {
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_DOUBLE_QUOTES, '"'),
    **dict.fromkeys(_SINGLE_QUOTES, "'"),
}

# Combining marks in a row that are read (UAX #15, stream-safe text): sorting more is quadratic.
MAX_MARKS = 30
_TRAILING_PUNCTUATION = " .,;:!?…\"'*_"

# Each begins with a bare class: Python's matcher then skips ahead at the speed of a table look-up.
_INVISIBLE_CHARACTER = re.compile(f"[{_INVISIBLE}]")
_INVISIBLE_TAG = re.compile(f"[{_INVISIBLE_TAGS}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PERHAPS_MARKS = re.compile(rf"[^\w\s][^\w\s]{{{MAX_MARKS},}}")  # Python's \w holds no combining marks
_TYPOGRAPHIC = re.compile(f"[{re.escape(''.join(_FOLDED))}]")
_ANY_DASH = re.compile(rf"\\?[{_DASHES}]")


def _cut_marks(run: re.Match[str]) -> str:
    """The characters of a run without letters, at most `MAX_MARKS` combining marks after one another."""
    kept, marks = [], 0
    for character in run.group():
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def compose_text(text: str) -> str:
    """`text` in NFC without invisible characters; lone surrogates become U+FFFD, endless marks are cut.

    Any Python string in, an encodable one out, in linear time: `unicodedata.normalize` alone takes quadratic
    time in the length of a run of combining marks.
    """
    visible = _INVISIBLE_CHARACTER.sub("", text)
    if visible.isascii():
        return visible
    visible = _SURROGATE.sub("\ufffd", _INVISIBLE_TAG.sub("", visible))
    return unicodedata.normalize("NFC", _PERHAPS_MARKS.sub(_cut_marks, visible))


def fold_typography(text: str) -> str:
    """Typographic quotes, apostrophes and dashes as their plain ASCII forms."""
    return _TYPOGRAPHIC.sub(lambda match: _FOLDED[match.group()], text)


def normalise_text(text: str, *, ignore_case: bool = True, fold_yo: bool = True) -> str:
    """`text` as phrases are compared: NFC, quotes, apostrophes and dashes folded, white space collapsed, trimmed.

    Case is folded (Unicode full case folding) and ё read as е unless that is switched off. Idempotent.
    """
    composed = compose_text(text)
    if ignore_case:  # before the folding of apostrophes: the case folding of ŉ holds one
        composed = unicodedata.normalize("NFC", composed.casefold())
    return " ".join(_read_yo(fold_typography(composed), fold_yo).split())


def normalise_pattern(pattern: str, *, fold_yo: bool = True) -> str:
    """A regular expression that reads text normalised with `ignore_case=False`: the same characters folded.

    Typographic dashes become an escaped hyphen, which stays a character inside a class.
    """
    return _read_yo(fold_typography(_ANY_DASH.sub(r"\\-", compose_text(pattern))), fold_yo)


def _read_yo(text: str, fold_yo: bool) -> str:
    return text.replace("ё", "е").replace("Ё", "Е") if fold_yo else text


def group_key(answer: str) -> str:
    """The text by which equal answers are grouped: normalised, without punctuation at its end.

    An answer of punctuation alone keeps it. Percent signs and the like stay: "5 %" is not "5".
    """
    text = normalise_text(answer)
    return text.rstrip(_TRAILING_PUNCTUATION) or text
