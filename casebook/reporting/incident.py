"""The incident as the case team recorded it: stated by people, printed as such."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from casebook.dates import format_imprecise_date
from casebook.report_numbers import NumberWriter
from casebook.reporting.context import ReportContext
from casebook.reporting.lines import Row
from casebook.reporting.quotes import Quote, quote_text, quote_turns
from casebook.reporting.words import HARMS, say


@dataclass(frozen=True, kw_only=True)
class IncidentView:
    summary: Quote | None
    facts: tuple[Row, ...]
    conversation: tuple[Quote, ...]
    disputed_answer: Quote
    statements: tuple[Quote, ...]
    harm: tuple[Row, ...]
    harm_in_words: Quote | None
    disclaimer: Quote | None


def build_incident(context: ReportContext, numbers: NumberWriter) -> IncidentView:
    incident = context.incident
    return IncidentView(
        summary=_quote_if_any(context.case.summary, numbers),
        facts=_list_facts(context),
        conversation=quote_turns(incident.turns, incident.disputed_answer, numbers),
        disputed_answer=quote_text(incident.disputed_answer, numbers),
        statements=_quote_statements(context, numbers),
        harm=_list_harm(context, numbers),
        harm_in_words=_quote_if_any(incident.harm, numbers, gettext("In words")),
        disclaimer=_quote_if_any(incident.disclaimer, numbers),
    )


def _list_facts(context: ReportContext) -> tuple[Row, ...]:
    incident = context.incident
    date = format_imprecise_date(incident.occurred_on, context.language) or gettext("not known")
    found = [
        (gettext("Product"), incident.product),
        (gettext("Provider"), incident.provider),
        (gettext("Deployer"), incident.deployer),
        (gettext("Date of the incident"), f"{date} ({incident.time_zone})" if incident.time_zone else date),
        (gettext("Interface used"), incident.interface),
    ]
    return tuple(Row(label=label, value=value or gettext("not stated")) for label, value in found)


def _list_harm(context: ReportContext, numbers: NumberWriter) -> tuple[Row, ...]:
    incident = context.incident
    found = [
        (gettext("Kind"), say(HARMS, incident.harm_kind)),
        (gettext("Amount"), numbers.write_amount(incident.harm_amount, incident.harm_currency)),
    ]
    return tuple(Row(label=label, value=value) for label, value in found if value)


def _quote_if_any(text: str, numbers: NumberWriter, speaker: str = "") -> Quote | None:
    return quote_text(text, numbers, speaker=speaker) if text.strip() else None


def _quote_statements(context: ReportContext, numbers: NumberWriter) -> tuple[Quote, ...]:
    """What the case team says is wrong and true."""
    incident = context.incident
    found = [
        (gettext("Said to be wrong"), incident.what_is_wrong),
        (gettext("The wrong words"), incident.wrong_statement),
        (gettext("Said to be true"), incident.truth),
        (gettext("Source of the truth"), incident.truth_source or gettext("none stated")),
    ]
    return tuple(quote_text(text, numbers, speaker=label) for label, text in found if text.strip())
