"""Changing the further arms of a draft: adding, replacing and removing an entry, and who wrote its text."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from casebook.arms import ArmDraft, Draft, entries_of, is_in_the_past, runs_of
from ensemble.protocol import Origin, Purpose

TEXTS = ("system", "prompt")


def new_key() -> str:
    """A name for an entry that stays the same whatever is added or removed beside it."""
    return secrets.token_hex(4)


def find_entry(draft: Draft, key: str) -> ArmDraft | None:
    return next((entry for entry in entries_of(draft) if entry.get("key") == key), None)


def put_entry(draft: Draft, entry: ArmDraft) -> dict[str, Any]:
    """The draft with `entry` in place of the one with its key, or as the last one.

    All paraphrases have one number of runs, the latest that was entered: clusters are of equal size.
    """
    entries = entries_of(draft)
    keys = [other.get("key") for other in entries]
    if entry["key"] in keys:
        entries[keys.index(entry["key"])] = entry
    else:
        entries.append(entry)
    if entry["purpose"] == Purpose.PARAPHRASE:
        entries = [_match_runs(other, entry) for other in entries]
    return {**draft, "arms": [dict(other) for other in entries]}


def _match_runs(other: ArmDraft, entry: ArmDraft) -> ArmDraft:
    return {**other, "runs": runs_of(entry)} if other["purpose"] == Purpose.PARAPHRASE else other


def drop_entry(draft: Draft, key: str) -> dict[str, Any]:
    """The draft without the entry."""
    return {**draft, "arms": [dict(entry) for entry in entries_of(draft) if entry.get("key") != key]}


def drop_past_beginnings(draft: Draft) -> dict[str, Any]:
    """The draft of an earlier test for a new one: times that are over are to be chosen anew."""
    entries = [
        {**entry, "begins": ""} if is_in_the_past(entry) else dict(entry) for entry in entries_of(draft)
    ]
    return {**draft, "arms": entries}


def sign_entry(entry: ArmDraft, before: ArmDraft, author: str) -> dict[str, Any]:
    """`entry` with the origin of its own text; unchanged texts keep theirs, and without any there is none.

    Whoever changes a model's proposal approves what comes of it; whoever changes a person's text is named beside them.
    """
    if all(entry.get(name) is None for name in TEXTS):
        return {**entry, "origin": None}
    if before.get("origin") and all(entry.get(name) == before.get(name) for name in TEXTS):
        return dict(entry)
    return {**entry, "origin": asdict(_sign(before.get("origin"), author))}


def _sign(origin: Mapping[str, Any] | None, author: str) -> Origin:
    if not origin:
        return Origin(written_by=author)
    if origin["proposed_by"]:
        return Origin(written_by="", proposed_by=origin["proposed_by"], approved_by=author, is_edited=True)
    writers = dict.fromkeys([*origin["written_by"].split(", "), author])
    return Origin(written_by=", ".join(writers))
