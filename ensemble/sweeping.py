"""What the database says is unfinished and nobody holds: found at worker start and every few seconds after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Model
from django.utils import timezone

from ensemble.claims import work_is_leased
from ensemble.models import Endpoint, Experiment, ExploratoryBatch, WorkerPulse
from ensemble.owners import is_gone

FORGET_WORKERS_AFTER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """Primary keys of work that no worker holds."""

    experiments: tuple[int, ...]
    batches: tuple[int, ...]
    checks: tuple[int, ...]


def find_unfinished() -> Unfinished:
    experiments = [
        test.pk
        for test in Experiment.objects.unfinished()
        if not work_is_leased(test) and not is_only_waiting(test)
    ]
    batches = ExploratoryBatch.objects.unclaimed()
    checks = Endpoint.objects.filter(check_state="queued")
    return Unfinished(
        experiments=tuple(experiments),
        batches=tuple(batches.values_list("pk", flat=True)),
        checks=tuple(checks.values_list("pk", flat=True)),
    )


def is_only_waiting(experiment: Experiment) -> bool:
    """Whether all that is left of a running test are arms whose time has not come."""
    if experiment.state != Experiment.State.RUNNING:
        return False
    arms = list(experiment.arms.all())
    return any(arm.is_waiting for arm in arms) and all(arm.is_waiting or arm.is_closed for arm in arms)


def free_leases(*models: type[Model]) -> None:
    """Let go at once what processes of this machine held that were killed; other leases run out by themselves.

    The owner's name stays: it tells whoever comes next that the work was abandoned.
    """
    now = timezone.now()
    for model in models:
        held = model._default_manager.filter(leased_until__gt=now).exclude(owner="")
        for owner in set(held.values_list("owner", flat=True)):
            if is_gone(owner):
                held.filter(owner=owner).update(leased_until=now)


def record_pulse(name: str, queues: list[str]) -> None:
    """Note that a worker is alive, so that pages can say when none is."""
    now = timezone.now()
    WorkerPulse.objects.update_or_create(name=name, defaults={"queues": ",".join(queues), "seen_at": now})
    WorkerPulse.objects.filter(seen_at__lt=now - FORGET_WORKERS_AFTER).delete()
