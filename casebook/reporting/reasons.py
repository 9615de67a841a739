"""Why a test paused or ended, in the reader's language.

The engine records its reasons in English, and so the ledger keeps them. Its own sentences are recognised here and told
again; the words of an endpoint's error, and those of a person, stay as they were recorded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils.translation import gettext, gettext_noop

from casebook.report_numbers import NumberWriter
from casebook.sentences import write_sentence
from casebook.visible import shorten_text

ENGINE_SENTENCES = (
    gettext_noop("The options of the endpoint changed during the test."),
    gettext_noop("The model changed during the test: %(before)s became %(after)s."),
    gettext_noop("The endpoint “%(endpoint)s” does not exist any more."),
    gettext_noop("The endpoint “%(endpoint)s” is switched off."),
    gettext_noop("The endpoint “%(endpoint)s” is busy with other runs. Try again."),
    gettext_noop("The endpoint “%(endpoint)s” now has another model than the locked protocol names."),
)
# What the detectors say of a label; the more specific first.
LABEL_REASONS = (
    gettext_noop("empty answer"),
    gettext_noop("refused"),
    gettext_noop("cut off before its beginning was complete"),
    gettext_noop("starts with none of the phrases"),
    gettext_noop("contains none of the phrases"),
    gettext_noop("matches none of the patterns"),
    gettext_noop("was cut off: the rest could say the error"),
    gettext_noop("was not read beyond %(count)s characters: the rest could say the error"),
    gettext_noop("contains %(phrase)s, but was cut off: the rest could say the error"),
    gettext_noop("contains both %(wrong)s and %(right)s"),
    gettext_noop("matches both %(wrong)s and %(right)s"),
    gettext_noop("starts with %(phrase)s"),
    gettext_noop("contains %(phrase)s"),
    gettext_noop("matches %(phrase)s"),
    gettext_noop("no number"),
    gettext_noop("no number with the unit"),
    gettext_noop("more than one number"),
    gettext_noop("cut off: the rest could hold another number"),
    gettext_noop("cut off: the number could go on"),
    gettext_noop("another wrong number: %(number)s"),
    gettext_noop("%(number)s equals the disputed number"),
    gettext_noop("%(number)s equals the true number"),
    gettext_noop("%(number)s differs from the true number"),
)
_LIMIT = re.compile(r"(\d+) runs were made, (\d+) of them without a label")


def write_reason(recorded: str, numbers: NumberWriter) -> str:
    """The recorded reason in the active language if it is one of the engine's own, else as it was recorded."""
    told = _tell_reason(recorded, numbers)
    return recorded if told is None else told


def quote_reason(recorded: str, numbers: NumberWriter, *, most: int | None = None) -> str:
    """The same in at most so many characters, what stays as it was recorded being marked as such."""
    told = _tell_reason(recorded, numbers)
    if told is not None or not recorded:
        return shorten_text(told or "", most)
    return gettext("“%(text)s” (as recorded in the ledger)") % {"text": shorten_text(recorded, most)}


def _tell_reason(recorded: str, numbers: NumberWriter) -> str | None:
    if found := _LIMIT.fullmatch(recorded):
        runs, unlabelled = map(int, found.groups())
        facts = {"runs": numbers.write_count(runs), "unlabelled": numbers.write_count(unlabelled)}
        return write_sentence("reason.limit", runs, **facts)
    return _tell(recorded, _PATTERNS)


def write_label_reason(recorded: str) -> str:
    """Why a run has its label, in the active language; phrases and numbers stay as the detector quotes them."""
    told = _tell(recorded, _LABEL_PATTERNS)
    return recorded if told is None else told


def _tell(recorded: str, patterns: Sequence[tuple[str, re.Pattern[str]]]) -> str | None:
    """One of our sentences told in the active language; None for words that are not ours."""
    for sentence, pattern in patterns:
        if told := pattern.fullmatch(recorded):
            return gettext(sentence) % told.groupdict()
    return None


def _make_pattern(sentence: str) -> re.Pattern[str]:
    """What matches the sentence with anything in place of its facts."""
    pieces = re.split(r"%\((\w+)\)s", sentence)  # literal text and names of facts by turns
    pieces[::2] = map(re.escape, pieces[::2])
    pieces[1::2] = (f"(?P<{name}>.+)" for name in pieces[1::2])
    return re.compile("".join(pieces), re.DOTALL)


_PATTERNS, _LABEL_PATTERNS = (
    tuple((sentence, _make_pattern(sentence)) for sentence in sentences)
    for sentences in (ENGINE_SENTENCES, LABEL_REASONS)
)
