"""How pages of a case show what people wrote and recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms.boundfield import BoundField
from django.template.defaultfilters import truncatewords
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from casebook.dates import format_imprecise_date
from casebook.hidden import reveal
from casebook.models import Case, CaseTest
from casebook.neutral_names import say_endpoint, say_proposer
from casebook.phrases import mark_phrase
from casebook.report_numbers import number_writer
from casebook.reporting.words import IDENTITY, say
from ensemble.models import Endpoint, Experiment
from ensemble.protocol import decimal_text

register = template.Library()


@register.filter
def imprecise_date(canonical: str) -> str:
    """A date of an incident as the reader's language writes it."""
    return format_imprecise_date(canonical) if canonical else ""


@register.filter
def moment(at: datetime | None) -> str:
    """A time within a sentence, as the reader's language writes it, in UTC; empty for none."""
    return number_writer(get_language() or "en").write_minute(at) if at else ""


@register.filter
def exact_moment(at: datetime | None) -> str:
    """The same to the second, as reports write it."""
    return number_writer(get_language() or "en").write_moment(at.isoformat() if at else None)


@register.filter
def amount(number: Decimal | str, currency: str) -> str:
    return number_writer(get_language() or "en").write_amount(str(number), currency)


@register.filter
def price(number: Decimal) -> str:
    """A price with all of its digits and no idle zeros."""
    return number_writer(get_language() or "en").write_decimal(decimal_text(number))


@register.filter
def grouped(count: int) -> str:
    """A count as the reader's language writes it, its thousands set apart."""
    return number_writer(get_language() or "en").write_count(count)


@register.filter
def file_size(size: int) -> str:
    return number_writer(get_language() or "en").write_size(size)


@register.filter
def revealed(text: str) -> SafeString:
    """`text`, escaped, with the characters that nobody would see as their code points."""
    return reveal(text)


@register.filter
def marking(text: str, phrase: str) -> SafeString:
    """`text` revealed, with the first occurrence of `phrase` inside a mark element."""
    return mark_phrase(text, phrase)


# The end of a sentence, perhaps with closing quotation marks; not an initial, and not a common abbreviation.
_SENTENCE_END = re.compile(
    r"""(?!\W*(?:[^\W\d]|mr|mrs|ms|dr|st|no|vs|art|sec|ст|им|ул|гг|см)\.) \S*[.!?…][”“’»"')\]]*""",
    re.VERBOSE | re.IGNORECASE,
)


@register.filter
def first_sentences(text: str, limit: int) -> str:
    """As many whole sentences of `text` as fit into `limit` words; cut inside the first if that one does not fit."""
    words = text.split()
    ends = range(limit, 0, -1) if len(words) > limit else ()
    for end in ends:
        if _SENTENCE_END.fullmatch(words[end - 1]) and not words[end][0].islower():
            return " ".join(words[:end])
    return truncatewords(text, limit)


@register.inclusion_tag("casebook/_state.html")
def test_state(experiment: Experiment) -> dict[str, Any]:
    """The state of a test as a badge; a sealed test that was cancelled or failed says so."""
    is_told = experiment.state == Experiment.State.SEALED and experiment.ended_as in ("cancelled", "failed")
    ended = experiment.ended_as if is_told else ""
    label = Experiment.State(experiment.state).label
    return {
        "state": experiment.state,
        "label": label,
        "ended": Experiment.State(ended).label if ended else "",
    }


@register.filter
def identity_rows(identity: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What an endpoint tells of its model, each fact with the word that reports use for it."""
    return [(say(IDENTITY, name), value) for name, value in identity.items() if value not in ("", None)]


@register.filter
def endpoint_name(endpoint: Endpoint) -> str:
    """The name of an endpoint; the one that Casebook itself made is named in the reader's language."""
    return say_endpoint(endpoint.name, endpoint.backend)


@register.filter
def proposer(described: str) -> str:
    """The endpoint and model that proposed a paraphrase, in the reader's language."""
    return say_proposer(described)


@register.filter
def newest_test(case: Case) -> CaseTest | None:
    """The test with the highest number, from what is at hand."""
    return max(case.tests.all(), key=lambda test: test.number, default=None)


@register.filter
def column_class(field: BoundField) -> str:
    """The width of a field that shares its row with others."""
    return "col-sm-4" if field.name in ("harm_currency",) else "col-sm"
