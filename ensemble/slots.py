"""Leases on an endpoint's simultaneous calls, shared by all workers through the database."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from ensemble.models import Endpoint, Slot

# Longer than any pause of a healthy worker between two renewals (one a second); short enough that a killed
# worker's share comes back before people notice.
LEASE = timedelta(seconds=20)


def lease_slots(endpoint: Endpoint, owner: str, wanted: int) -> list[int]:
    """Lease up to `wanted` free slots of `endpoint`; the primary keys of those obtained, possibly none."""
    with transaction.atomic():
        _match_slots(endpoint)
        free = Slot.objects.filter(
            endpoint=endpoint, leased_until__lte=timezone.now(), number__lt=endpoint.concurrency
        )
        candidates = list(free.order_by("number").values_list("pk", flat=True)[:wanted])
        return [pk for pk in candidates if _claim_slot(pk, owner)]


def _claim_slot(pk: int, owner: str) -> bool:
    now = timezone.now()
    free = Slot.objects.filter(pk=pk, leased_until__lte=now)
    return free.update(owner=owner, leased_until=now + LEASE) == 1


def _match_slots(endpoint: Endpoint) -> None:
    """One row for each of the endpoint's simultaneous calls. Rows beyond a lowered number are never leased again."""
    have = set(Slot.objects.filter(endpoint=endpoint).values_list("number", flat=True))
    missing = [Slot(endpoint=endpoint, number=n) for n in range(endpoint.concurrency) if n not in have]
    Slot.objects.bulk_create(missing, ignore_conflicts=True)


def renew_slots(pks: list[int], owner: str) -> None:
    Slot.objects.filter(pk__in=pks, owner=owner).update(leased_until=timezone.now() + LEASE)


def release_slots(pks: list[int], owner: str) -> None:
    Slot.objects.filter(pk__in=pks, owner=owner).update(owner="", leased_until=timezone.now())
