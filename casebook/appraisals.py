"""How the appraisal of a sealed test is found, kept version by version, and frozen for a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from casebook.models import CaseTest
from casebook.models.appraisals import Appraisal, Explanation
from casebook.reporting.context import AppraisalFacts, ExplanationFacts
from ensemble.ledger import format_time
from ensemble.protocol import decimal_text


class AppraisalChangedError(Exception):
    """Somebody saved the appraisal after this form was opened."""


def find_appraisal(test: CaseTest) -> Appraisal | None:
    """The current version; None before the first."""
    return test.appraisals.order_by("-version").first()


def save_appraisal(test: CaseTest, answers: Mapping[str, Any], *, seen: int, by: str) -> Appraisal:
    """Add a version signed `by` a person who had opened version `seen` (0: none). Nothing is ever overwritten.

    Answers that are already the current ones, as after a second click, add none. Raises `AppraisalChangedError` when
    somebody saved another version in between.
    """
    with transaction.atomic():
        CaseTest.objects.select_for_update().get(pk=test.pk)
        current = find_appraisal(test)
        if current is not None and current.answers() == dict(answers):
            return current
        if seen != (current.version if current else 0):
            raise AppraisalChangedError
        return Appraisal.objects.create(test=test, version=seen + 1, signed_by=by, **answers)


def freeze_appraisal(appraisal: Appraisal | None) -> AppraisalFacts | None:
    """The facts of the appraisal as a report keeps them."""
    if appraisal is None:
        return None
    return AppraisalFacts(
        version=appraisal.version,
        signed_by=appraisal.signed_by,
        signed_at=format_time(appraisal.signed_at),
        explanations=tuple(
            ExplanationFacts(key=key, **appraisal.explanations[key])
            for key in Explanation.values
            if key in appraisal.explanations
        ),
        uses=appraisal.uses,
        uses_source=appraisal.uses_source,
        threshold="" if appraisal.threshold is None else decimal_text(appraisal.threshold),
        arm=appraisal.arm,
        cost="" if appraisal.cost is None else decimal_text(appraisal.cost),
        currency=appraisal.currency,
    )
