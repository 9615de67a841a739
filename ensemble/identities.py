"""Which model answered: its identity is recorded before, during and after an arm, and a change ends the arm."""

from __future__ import annotations

import json
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ensemble.backends.base import Backend, Identity
from ensemble.ledger import NewEntry, append_entries
from ensemble.models import Endpoint, Experiment, LedgerEntry
from ensemble.protocol import JsonValue, decimal_text

# A chat response carries no digest, so identity is asked for beside the runs. Between two checks a swap there and
# back would go unseen, which the report says.
CHECK_EVERY = timedelta(seconds=30)


def identity_records(experiment: Experiment, position: int) -> list[dict[str, JsonValue]]:
    """What was recorded of the arm's model so far: payloads with `at`, oldest first."""
    lines = LedgerEntry.objects.filter(experiment=experiment, kind="identity").values_list("line", flat=True)
    entries = (json.loads(line) for line in lines)
    return [{"at": e["at"], **e["payload"]} for e in entries if e["payload"]["arm"] == position]


def _plain(value: JsonValue) -> JsonValue:
    """`value` without floats, as the ledger wants it."""
    if isinstance(value, float):
        return decimal_text(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def check_identity(
    experiment: Experiment, position: int, backend: Backend, endpoint: Endpoint, *, final: bool = False
) -> str:
    """Record the model's identity if it is due; a sentence on what changed, or "" when it is the same.

    The endpoint's options are recorded with it: they are no sampling values and yet may shape an answer.

    Raises `EndpointError` when the endpoint does not tell.
    """
    records = identity_records(experiment, position)
    if records and not final:
        last = parse_datetime(records[-1]["at"])
        if last is not None and timezone.now() - last < CHECK_EVERY:
            return ""
    identity = backend.identity()
    when = "after" if final else ("during" if records else "before")
    options = _plain(endpoint.options)
    payload = {"arm": position, "when": when, "identity": identity.document(), "options": options}
    with transaction.atomic():
        append_entries(experiment, [NewEntry(kind="identity", payload=payload)])
    if not records:
        return ""
    first = Identity(**records[0]["identity"])
    if identity.same_model(first):
        changed = records[0]["options"] != options
        return "The options of the endpoint changed during the test." if changed else ""
    before, after = (f"{model.name} {model.digest[:12]}".strip() for model in (first, identity))
    return f"The model changed during the test: {before} became {after}."
