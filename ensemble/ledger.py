"""The append-only chain of a test: written here, inside the caller's transaction, and nowhere else.

A line is RFC 8785 canonical JSON; its SHA-256 is the next line's `previous_sha256`; the hash of the last line is the
head. Numbers other than integers travel as strings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

from ensemble.models import Experiment, LedgerEntry
from ensemble.protocol import JsonValue, canonical_json, sha256_hex

LEDGER_FORMAT = "casebook-ledger/1"
GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """An entry to be appended; its time is now unless given."""

    kind: str
    payload: dict[str, JsonValue]
    at: datetime | None = None


def format_time(moment: datetime) -> str:
    """UTC, RFC 3339, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lock_head(experiment: Experiment) -> None:
    """Keep other writers of this test's chain out until the transaction ends.

    SQLite transactions are IMMEDIATE, so the transaction itself is the lock; elsewhere the test's row is locked.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the ledger is written inside a transaction")
    if connection.features.has_select_for_update:
        Experiment.objects.select_for_update().only("pk").get(pk=experiment.pk)


def head_of(experiment: Experiment) -> tuple[int, str]:
    """The number of entries and the hash of the last line (64 zeros for an empty chain)."""
    last = (
        LedgerEntry.objects.filter(experiment=experiment)
        .order_by("-seq")
        .values_list("seq", "sha256")
        .first()
    )
    return (last[0] + 1, last[1]) if last else (0, GENESIS)


def append_entries(experiment: Experiment, entries: Sequence[NewEntry]) -> str:
    """Append `entries` in order and return the new head. The caller holds a transaction; it is one with the rows."""
    lock_head(experiment)
    seq, previous = head_of(experiment)
    rows = []
    for entry in entries:
        line = canonical_json(
            {
                "format": LEDGER_FORMAT,
                "seq": seq,
                "kind": entry.kind,
                "at": format_time(entry.at or timezone.now()),
                "payload": entry.payload,
                "previous_sha256": previous,
            }
        )
        previous = sha256_hex(line)
        rows.append(
            LedgerEntry(
                experiment=experiment, seq=seq, kind=entry.kind, line=line.decode("utf-8"), sha256=previous
            )
        )
        seq += 1
    LedgerEntry.objects.bulk_create(rows)
    return previous


def export_lines(experiment: Experiment) -> Iterable[str]:
    """The chain as the lines of `ledger.jsonl`."""
    return LedgerEntry.objects.filter(experiment=experiment).values_list("line", flat=True).iterator()


def find_break(lines: Iterable[str]) -> str | None:
    """What is wrong with the chain `lines` make, or None if each line follows from the one before."""
    previous = GENESIS
    for number, line in enumerate(lines):
        entry = json.loads(line)
        if canonical_json(entry).decode("utf-8") != line:
            return f"line {number} is not canonical"
        if entry["seq"] != number:
            return f"line {number} has number {entry['seq']}"
        if entry["previous_sha256"] != previous:
            return f"line {number} does not follow from line {number - 1}"
        previous = sha256_hex(line.encode("utf-8"))
    return None
