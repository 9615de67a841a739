"""Puts the sample casebook and the embedded endpoint into the database: once, and again after an edit of the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from casebook.conversation import Turn, format_conversation
from casebook.law.cases import SampleCase, Source, load_cases
from casebook.models import Case, Incident
from ensemble.endpoints import ensure_default_endpoint
from ensemble.models import Endpoint
from ensemble.protocol import JsonValue

LANGUAGES = ("en", "ru")  # those of `Localized`


@dataclass(frozen=True, kw_only=True)
class LoadedSamples:
    """How many rows of samples (a case in one language) were added, changed and left as they were."""

    added: int
    changed: int
    unchanged: int


def load_samples(cases: Iterable[SampleCase] | None = None) -> LoadedSamples:
    """Bring the samples in the database in line with `cases` (the file's by default), one transaction per case.

    Idempotent. A sample that is no longer in the file stays: teams may have copied it.
    """
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    # The last one stored stands first on the pages.
    for case in reversed(tuple(load_cases() if cases is None else cases)):
        with transaction.atomic():
            for language in LANGUAGES:
                counts[_store_sample(case, language)] += 1
    return LoadedSamples(**counts)


def ensure_embedded_endpoint() -> bool:
    """Add the endpoint of the model that ships with Casebook unless there is one; whether it was added."""
    is_known = Endpoint.objects.filter(backend=Endpoint.Kind.EMBEDDED).exists()
    ensure_default_endpoint()
    return not is_known


def _store_sample(sample: SampleCase, language: str) -> str:
    """Add or change one row with its incident; says which it was."""
    row, is_new = Case.objects.select_for_update().get_or_create(
        is_sample=True,
        sample_key=sample.key,
        language=language,
        defaults=describe_case(sample, language),
    )
    incident = row.incidents.order_by("pk").first() or Incident(case=row)
    differs = [
        _assign(row, describe_case(sample, language)),
        _assign(incident, describe_incident(sample, language)),
    ]
    if not any(differs):
        return "unchanged"
    row.full_clean()
    row.save()
    incident.full_clean()
    incident.save()
    return "added" if is_new else "changed"


def _assign(row: models.Model, values: Mapping[str, Any]) -> bool:
    """Set the fields of `row`; whether any of them was different, or the row is not stored yet."""
    differs = row.pk is None or any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    return differs


def describe_case(sample: SampleCase, language: str) -> dict[str, Any]:
    """The fields of the case, in one language."""
    return {
        "title": sample.title.text(language),
        "summary": sample.summary.text(language),
        "background": describe_background(sample, language),
    }


def describe_incident(sample: SampleCase, language: str) -> dict[str, Any]:
    """The fields of its incident, in one language; prompt and answer stay English."""
    localized = ("product", "provider", "deployer", "interface", "what_is_wrong", "truth", "truth_source")
    turns = [Turn(role=turn.role, content=turn.text) for turn in sample.conversation]
    answer = sample.disputed_answer
    return {
        **{name: getattr(sample, name).text(language) for name in localized},
        "occurred_on": sample.occurred_on,
        "time_zone": sample.time_zone,
        "system_prompt": sample.system_prompt,
        "conversation": format_conversation(turns, language, sample.product.text(language)),
        "disputed_answer": f"{answer.text}\n[{answer.note.text(language)}]",
        "wrong_statement": sample.wrong_statement,
        "harm_kind": sample.harm.kind,
        "harm_amount": sample.harm.amount,
        "harm_currency": sample.harm.currency,
        "harm": sample.harm.text.text(language),
        "disclaimer": sample.disclaimer.text.text(language),
        "disclaimer_place": sample.disclaimer.place.text(language),
    }


def describe_background(sample: SampleCase, language: str) -> dict[str, JsonValue]:
    """What a page says of the real dispute, and the protocol that is proposed: JSON without floats."""
    return {
        "illustration_notice": sample.illustration_notice.text(language),
        "is_constructed": sample.is_constructed,
        "checked_on": sample.checked_on,
        "outcome": sample.outcome.text(language),
        "amounts": [
            {"what": row.what.text(language), "amount": str(row.amount), "currency": row.currency}
            for row in sample.amounts
        ],
        "legal_note": sample.legal_note.text.text(language),
        "contrary": sample.legal_note.contrary.text(language),
        "confidence": sample.legal_note.confidence,
        "sources": [
            {
                "title": source.title.text(language),
                "citation": source.citation.text(language),
                "url": source.url,
                "date": _find_shown_date(source, language),
                "read": source.read,
                "note": source.note.text(language),
            }
            for source in sample.sources
        ],
        "notes": sample.notes.text(language),
        "protocol": {
            "question": sample.protocol.question.text(language),
            "detector": dict(sample.protocol.detector),
            "sampling": sample.protocol.sampling.document(),
            "temperatures": list(sample.protocol.temperatures),
        },
    }


def _find_shown_date(source: Source, language: str) -> str:
    """The date of a source; a bare year is left out where its title or citation names it already."""
    named = f"{source.title.text(language)} {source.citation.text(language)}"
    return "" if source.date in re.findall(r"[0-9]{4}", named) else source.date
