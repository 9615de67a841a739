"""Claiming work: ranges of run indexes, taken by one conditional, leased UPDATE each."""

from __future__ import annotations

import math

from django.db import transaction
from django.db.models import Avg, Q
from django.utils import timezone

from ensemble.ledger import lock_head
from ensemble.models import ArmProgress, Chunk, Experiment, Run, Zone
from ensemble.protocol import Protocol, audit_indexes
from ensemble.slots import LEASE
from ensemble.stopping import missing_runs

CHUNK_SECONDS = 3.0  # a turn works several; a small chunk is soon taken over when its worker dies
LARGEST_CHUNK = 400
# Runs beyond the stop are kept but were not needed: how far ahead of the finished prefix a chunk may be opened.
LOOK_AHEAD_CHUNKS = 3


def claim_chunk(
    experiment: Experiment, arm: ArmProgress, zone: Zone, *, owner: str, slots: int
) -> Chunk | None:
    """Take over a chunk that nobody holds, or open the next one; None when there is nothing to do for now."""
    return _take_free(experiment, arm, zone, owner) or _open_chunk(
        experiment, arm, zone, owner=owner, slots=slots
    )


def has_work(experiment: Experiment, arm: ArmProgress, zone: Zone) -> bool:
    """Whether `claim_chunk` would find something."""
    now = timezone.now()
    free = Chunk.objects.filter(
        experiment=experiment, zone=zone, arm=arm.position, finished=False, leased_until__lte=now
    )
    return free.exists() or _wanted(experiment.protocol, arm, zone) > 0


def _take_free(experiment: Experiment, arm: ArmProgress, zone: Zone, owner: str) -> Chunk | None:
    now = timezone.now()
    free = Chunk.objects.filter(
        experiment=experiment, zone=zone, arm=arm.position, finished=False, leased_until__lte=now
    ).exclude(
        owner=owner
    )  # a turn that was stalled may find its own lease run out: that work is in its hands
    for chunk in free.order_by("start"):
        still_free = Chunk.objects.filter(
            pk=chunk.pk, finished=False, claims=chunk.claims, leased_until__lte=now
        )
        # A chunk that was given back has no owner; one whose owner died still names it.
        values = {"abandoned": bool(chunk.owner), "claims": chunk.claims + 1}
        if still_free.update(owner=owner, leased_until=now + LEASE, **values) == 1:
            chunk.refresh_from_db()
            return chunk
    return None


def _open_chunk(
    experiment: Experiment, arm: ArmProgress, zone: Zone, *, owner: str, slots: int
) -> Chunk | None:
    with transaction.atomic():
        lock_head(experiment)
        arm.refresh_from_db()
        if (zone == Zone.AUDIT) != arm.is_stopped:
            return None
        field = "audit_next" if zone == Zone.AUDIT else "next_index"
        start = getattr(arm, field)
        size = min(_wanted(experiment.protocol, arm, zone), _chunk_size(experiment, arm, slots))
        if size <= 0:
            return None
        ArmProgress.objects.filter(pk=arm.pk).update(**{field: start + size})
        return Chunk.objects.create(
            experiment=experiment,
            zone=zone,
            arm=arm.position,
            start=start,
            size=size,
            owner=owner,
            leased_until=timezone.now() + LEASE,
        )


def _wanted(protocol: Protocol, arm: ArmProgress, zone: Zone) -> int:
    return _remaining_audit(protocol, arm) if zone == Zone.AUDIT else _wanted_runs(protocol, arm)


def _wanted_runs(protocol: Protocol, arm: ArmProgress) -> int:
    """How many more indexes it makes sense to open now."""
    rule = protocol.rule_of(arm.position)
    outstanding = arm.next_index - arm.prefix
    needed = missing_runs(rule, arm.runs) - outstanding
    if rule.kind != "fixed":
        # Where a sequential rule will stop is not known: go on, but only so far ahead of the finished prefix.
        needed = LARGEST_CHUNK if outstanding < LOOK_AHEAD_CHUNKS * LARGEST_CHUNK else 0
    return min(needed, rule.max_indexes - arm.next_index)


def audit_size(protocol: Protocol, stopped_at: int) -> int:
    """How many seeds of an arm that stopped after `stopped_at` runs the determinism audit repeats."""
    share = math.ceil(stopped_at * protocol.audit_share)
    return min(stopped_at, max(protocol.audit_minimum, share))


def audited_indexes(experiment: Experiment, arm: ArmProgress) -> list[int]:
    """The run indexes the audit of this arm repeats; none for an arm that failed or changed its model."""
    if arm.stop_kind not in ("rule", "limit") or arm.stopped_at is None:
        return []
    count = audit_size(experiment.protocol, arm.stopped_at)
    return audit_indexes(experiment.protocol_sha256, arm.position, arm.stopped_at, count)


def _remaining_audit(protocol: Protocol, arm: ArmProgress) -> int:
    if arm.stop_kind not in ("rule", "limit") or arm.stopped_at is None:
        return 0
    return audit_size(protocol, arm.stopped_at) - arm.audit_next


def _chunk_size(experiment: Experiment, arm: ArmProgress, slots: int) -> int:
    """Runs that take about CHUNK_SECONDS, by the arm's own mean duration; two rounds when nothing is known yet."""
    recent = Run.objects.counted().filter(experiment=experiment, arm=arm.position, index__gte=arm.prefix - 50)
    mean: float | None = recent.aggregate(mean=Avg("duration_ms"))["mean"]
    if mean is None:
        return 2 * slots
    size = min(LARGEST_CHUNK, round(slots * CHUNK_SECONDS * 1000 / max(mean, 1.0)))
    if experiment.protocol.rule_of(arm.position).kind != "fixed":
        # A sequential rule may stop anywhere: never more than a quarter of what was run is made in vain.
        size = min(size, max(2 * slots, arm.prefix // 4))
    return max(slots, size)


def chunk_indexes(experiment: Experiment, arm: ArmProgress, chunk: Chunk) -> list[int]:
    """The run indexes of the chunk that have no answer yet, in seed order."""
    wanted = range(chunk.start, chunk.start + chunk.size)
    indexes = (
        audited_indexes(experiment, arm)[chunk.start : chunk.start + chunk.size]
        if chunk.zone == Zone.AUDIT
        else wanted
    )
    rows = Run.objects.finished().filter(
        experiment=experiment, zone=chunk.zone, arm=chunk.arm, index__in=list(indexes)
    )
    answered = set(rows.values_list("index", flat=True))
    return [index for index in indexes if index not in answered]


def renew_chunk(chunk: Chunk, owner: str) -> bool:
    """Extend the lease; False when another worker has taken the chunk over."""
    mine = Chunk.objects.filter(pk=chunk.pk, owner=owner, claims=chunk.claims)
    return mine.update(leased_until=timezone.now() + LEASE) == 1


def release_chunk(chunk: Chunk, owner: str, *, finished: bool) -> None:
    mine = Chunk.objects.filter(pk=chunk.pk, owner=owner, claims=chunk.claims)
    mine.update(finished=finished, leased_until=timezone.now(), owner="")


def work_is_leased(experiment: Experiment) -> bool:
    """Whether some worker holds a chunk of this test now."""
    return Chunk.objects.filter(
        Q(experiment=experiment, finished=False, leased_until__gt=timezone.now())
    ).exists()
