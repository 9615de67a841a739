"""Why a test paused or ended, in the reader's language.

The engine records its reasons in English, and so the ledger keeps them. Its own sentences are recognised here and told
again; the words of an endpoint's error, and those of a person, stay as they were recorded.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext, gettext_noop

from casebook.report_numbers import NumberWriter
from casebook.sentences import write_sentence

ENGINE_SENTENCES = (
    gettext_noop("The options of the endpoint changed during the test."),
    gettext_noop("The model changed during the test: %(before)s became %(after)s."),
    gettext_noop("The endpoint “%(endpoint)s” does not exist any more."),
    gettext_noop("The endpoint “%(endpoint)s” is switched off."),
    gettext_noop("The endpoint “%(endpoint)s” is busy with other runs. Try again."),
    gettext_noop("The endpoint “%(endpoint)s” now has another model than the locked protocol names."),
)
_LIMIT = re.compile(r"(\d+) runs were made, (\d+) of them without a label")


def write_reason(recorded: str, numbers: NumberWriter) -> str:
    """The recorded reason in the active language if it is one of the engine's own, else as it was recorded."""
    if found := _LIMIT.fullmatch(recorded):
        runs, unlabelled = map(int, found.groups())
        facts = {"runs": numbers.write_count(runs), "unlabelled": numbers.write_count(unlabelled)}
        return write_sentence("reason.limit", runs, **facts)
    for sentence, pattern in _PATTERNS:
        if told := pattern.fullmatch(recorded):
            return gettext(sentence) % told.groupdict()
    return recorded


def _make_pattern(sentence: str) -> re.Pattern[str]:
    """What matches the sentence with anything in place of its facts."""
    pieces = re.split(r"%\((\w+)\)s", sentence)  # literal text and names of facts by turns
    pieces[::2] = map(re.escape, pieces[::2])
    pieces[1::2] = (f"(?P<{name}>.+)" for name in pieces[1::2])
    return re.compile("".join(pieces), re.DOTALL)


_PATTERNS = tuple((sentence, _make_pattern(sentence)) for sentence in ENGINE_SENTENCES)
