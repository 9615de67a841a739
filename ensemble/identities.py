"""Which model answered: its identity is recorded before, during and after an arm, and a change ends the arm."""

from __future__ import annotations

import json
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ensemble.backends.base import Backend, Identity
from ensemble.ledger import NewEntry, append_entries
from ensemble.models import Experiment, LedgerEntry
from ensemble.protocol import JsonValue

# A chat response carries no digest, so identity is asked for beside the runs. Between two checks a swap there and
# back would go unseen, which the report says.
CHECK_EVERY = timedelta(seconds=30)


def identity_records(experiment: Experiment, position: int) -> list[dict[str, JsonValue]]:
    """What was recorded of the arm's model so far: payloads with `at`, oldest first."""
    lines = LedgerEntry.objects.filter(experiment=experiment, kind="identity").values_list("line", flat=True)
    entries = (json.loads(line) for line in lines)
    return [{"at": e["at"], **e["payload"]} for e in entries if e["payload"]["arm"] == position]


def check_identity(experiment: Experiment, position: int, backend: Backend, *, final: bool = False) -> str:
    """Record the model's identity if it is due; a sentence on what changed, or "" when it is the same.

    Raises `EndpointError` when the endpoint does not tell.
    """
    records = identity_records(experiment, position)
    if records and not final:
        last = parse_datetime(records[-1]["at"])
        if last is not None and timezone.now() - last < CHECK_EVERY:
            return ""
    identity = backend.identity()
    when = "after" if final else ("during" if records else "before")
    payload = {"arm": position, "when": when, "identity": identity.document()}
    with transaction.atomic():
        append_entries(experiment, [NewEntry(kind="identity", payload=payload)])
    if not records:
        return ""
    first = Identity(**records[0]["identity"])
    if identity.same_model(first):
        return ""
    before, after = (f"{model.name} {model.digest[:12]}".strip() for model in (first, identity))
    return f"The model changed during the test: {before} became {after}."
