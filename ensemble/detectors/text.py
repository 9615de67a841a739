"""The `text` detector: an answer is labelled by the phrases or patterns that it contains or starts with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ensemble.detectors.base import Finding
from ensemble.detectors.normalise import normalise_pattern, normalise_text
from ensemble.detectors.phrases import find_phrase, may_become
from ensemble.detectors.spec import check_keys, read_choice, read_flag, read_texts
from ensemble.errors import ProtocolError
from ensemble.protocol import JsonValue, Label

MAX_PHRASES = 50
MAX_PHRASE_LENGTH = 500
# A pattern's time is bounded by the size of its program times the text it reads: on the worst texts found, 2,500
# instructions over 50,000 characters take about a fifth of a second.
MAX_PATTERN_PROGRAMS = 2_500
MAX_PATTERN_TEXT = 50_000
# What may follow where an answer was cut off: the word goes on, then more words than any bounded repetition spans.
_CONTINUATION = b"x" + b" x" * 500

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MATCHES = ("contains", "starts with", "pattern")
_LISTS = {"error_phrases": Label.ERROR, "correct_phrases": Label.NO_ERROR}
_FLAGS = ("ignore_case", "fold_yo", "whole_words")


@dataclass(frozen=True, kw_only=True)
class _Phrase:
    """A phrase as written, as compared, and what finding it speaks for."""

    written: str
    compared: str
    label: Label
    pattern: Any = None  # the compiled RE2 expression, for patterns


@dataclass(frozen=True, kw_only=True)
class TextDetector:
    """Error phrases against correct phrases, after a stated normalisation (`normalise_text`).

    `contains`: an error phrase alone → *error*, a correct phrase alone → *no error*, both → *unclear*, none →
    `otherwise`. `starts with`: the longest phrase that begins the answer decides; leading characters that are neither
    letters nor digits are skipped. `pattern`: like `contains`, with RE2 expressions, over one line of normalised text
    and its first `MAX_PATTERN_TEXT` characters.

    `whole_words` (not for patterns): a phrase does not count inside a longer word; languages written without spaces
    need it off. A cut-off answer: what was said stands, what rests on something not being said is *unclear*.
    """

    version: str = "text/1"
    match: str
    otherwise: Label
    ignore_case: bool
    fold_yo: bool
    whole_words: bool
    phrases: tuple[_Phrase, ...]  # the longest first

    @classmethod
    def from_spec(cls, spec: Mapping[str, JsonValue]) -> TextDetector:
        """The detector of a specification; `ProtocolError` names the part that is wrong."""
        known = ("match", "otherwise", *_LISTS, *_FLAGS)
        check_keys(spec, kind="text", known=known, needed=("match", "otherwise"))
        match = read_choice(spec, "match", _MATCHES)
        otherwise = Label(read_choice(spec, "otherwise", tuple(Label)))
        flags = {flag: read_flag(spec, flag) for flag in _FLAGS}
        read = _read_pattern if match == "pattern" else _read_phrase
        phrases = [
            read(written, key, flags)
            for key in _LISTS
            for written in read_texts(spec, key, longest=MAX_PHRASE_LENGTH, most=MAX_PHRASES)
        ]
        _check_phrases(phrases)
        phrases.sort(key=lambda phrase: -len(phrase.compared))
        return cls(
            match=match,
            otherwise=otherwise,
            ignore_case=flags["ignore_case"],
            fold_yo=flags["fold_yo"],
            whole_words=flags["whole_words"],
            phrases=tuple(phrases),
        )

    def detect(self, answer: str, *, truncated: bool = False) -> Finding:
        """The label of an answer; never raises, whatever the text."""
        ignore_case = self.ignore_case and self.match != "pattern"  # RE2 ignores case itself
        text = normalise_text(answer, ignore_case=ignore_case, fold_yo=self.fold_yo)
        if not text:
            return Finding(label=Label.UNCLEAR, reason="empty answer")
        if self.match == "starts with":
            return self._detect_start(text, truncated)
        if self.match == "pattern" and len(text) > MAX_PATTERN_TEXT:
            unread = f"not read beyond {MAX_PATTERN_TEXT} characters"
            return self._detect_content(text[:MAX_PATTERN_TEXT], unread)
        return self._detect_content(text, "cut off" if truncated else "")

    def _detect_start(self, text: str, cut: bool) -> Finding:
        if cut and any(may_become(text, phrase.compared) for phrase in self.phrases):
            return Finding(label=Label.UNCLEAR, reason="cut off before its beginning was complete")
        for phrase in self.phrases:
            if find_phrase(text, phrase.compared, whole_words=self.whole_words, starts=True):
                return Finding(label=phrase.label, reason=f"starts with {_quote(phrase)}")
        return Finding(label=self.otherwise, reason="starts with none of the phrases")

    def _detect_content(self, text: str, cut: str) -> Finding:
        """`cut` says in words that the text goes on unseen; it is empty for a complete one."""
        wrong = self._find(text, bool(cut), Label.ERROR)
        right = self._find(text, bool(cut), Label.NO_ERROR)
        verb = "matches" if self.match == "pattern" else "contains"
        if wrong and right:
            both = f"{verb} both {_quote(wrong)} and {_quote(right)}"
            return Finding(label=Label.UNCLEAR, reason=both)
        if wrong:
            return Finding(label=Label.ERROR, reason=f"{verb} {_quote(wrong)}")
        if cut:
            said = f"{verb} {_quote(right)}, but was" if right else "was"
            return Finding(label=Label.UNCLEAR, reason=f"{said} {cut}: the rest could say the error")
        if right:
            return Finding(label=Label.NO_ERROR, reason=f"{verb} {_quote(right)}")
        return Finding(label=self.otherwise, reason=f"{verb} none of the {self._kind_of_phrase}")

    @property
    def _kind_of_phrase(self) -> str:
        return "patterns" if self.match == "pattern" else "phrases"

    def _find(self, text: str, cut: bool, label: Label) -> _Phrase | None:
        """The longest phrase of a label that stands in the text whatever follows a cut."""
        encoded = text.encode() if self.match == "pattern" else b""
        for phrase in self.phrases:
            if phrase.label is not label:
                continue
            if phrase.pattern is None:
                found = find_phrase(text, phrase.compared, whole_words=self.whole_words, cut=cut)
            else:
                found = _matches_pattern(phrase.pattern, encoded, cut)
            if found:
                return phrase
        return None


def _read_phrase(written: str, key: str, flags: Mapping[str, bool]) -> _Phrase:
    compared = normalise_text(written, ignore_case=flags["ignore_case"], fold_yo=flags["fold_yo"])
    if not compared:
        raise ProtocolError(f"“{key}” holds an entry without visible characters.", field=key)
    return _Phrase(written=written, compared=compared, label=_LISTS[key])


def _read_pattern(written: str, key: str, flags: Mapping[str, bool]) -> _Phrase:
    import re2  # only protocols with patterns need it

    options = re2.Options()
    options.case_sensitive = not flags["ignore_case"]
    options.never_capture = True
    options.log_errors = False
    compared = normalise_pattern(written, fold_yo=flags["fold_yo"])
    if not compared.isascii() and {"b", "B", "w", "W"} & set(_ESCAPE.findall(compared)):
        why = r"\b and \w know English letters only; write \pL for a letter, (^|\PL) for the beginning of a word"
        raise ProtocolError(f"The pattern {_shorten(written)} would not work: {why}", field=key)
    try:
        pattern = re2.compile(compared, options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace")
        raise ProtocolError(f"The pattern {_shorten(written)} is not valid: {why}", field=key) from None
    if pattern.search(b""):
        raise ProtocolError(f"The pattern {_shorten(written)} matches every answer.", field=key)
    return _Phrase(written=written, compared=compared, label=_LISTS[key], pattern=pattern)


def _check_phrases(phrases: list[_Phrase]) -> None:
    """Refuses what no answer could be labelled by: nothing at all, or one phrase that speaks for both labels."""
    if not phrases:
        raise ProtocolError("At least one phrase is needed.", field="error_phrases")
    labels: dict[str, Label] = {}
    for phrase in phrases:
        if labels.setdefault(phrase.compared, phrase.label) is not phrase.label:
            message = f"{_quote(phrase)} stands among the error phrases and the correct phrases."
            raise ProtocolError(message, field="correct_phrases")
    size = sum(phrase.pattern.programsize for phrase in phrases if phrase.pattern)
    if size > MAX_PATTERN_PROGRAMS:
        message = (
            f"The patterns are too large: {size} instructions, at most {MAX_PATTERN_PROGRAMS} are allowed."
        )
        raise ProtocolError(message, field="error_phrases")


def _matches_pattern(pattern: Any, encoded: bytes, cut: bool) -> bool:
    found = pattern.search(encoded) is not None
    return found and (not cut or pattern.search(encoded + _CONTINUATION) is not None)


def _quote(phrase: _Phrase) -> str:
    return _shorten(phrase.written)


def _shorten(text: str, longest: int = 80) -> str:
    return f"“{text}”" if len(text) <= longest else f"“{text[: longest - 1]}…”"
