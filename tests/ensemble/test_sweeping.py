from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from ensemble import owners, slots
from ensemble.claims import claim_chunk
from ensemble.models import Chunk, Endpoint, Experiment, Slot, Zone
from ensemble.states import start_running
from ensemble.sweeping import find_unfinished, free_leases
from tests.ensemble.experiments import add_scripted_endpoint, lock_new, make_protocol, work_until_idle

pytestmark = pytest.mark.django_db


def name_of_an_ended_process() -> str:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    host, _, *rest = owners.owner_name().split(":")
    return ":".join([host, str(process.pid), *rest])


def hold_work(owner: str) -> Experiment:
    """A running test one of whose chunks, and all of whose endpoint's slots, `owner` holds."""
    experiment = lock_new(make_protocol(add_scripted_endpoint(), runs=12))
    start_running(experiment)
    arm = experiment.arms.get()
    assert claim_chunk(experiment, arm, Zone.COUNTED, owner=owner, slots=4)
    assert len(slots.lease_slots(Endpoint.objects.get(), owner, 4)) == 4
    return experiment


def test_work_of_a_killed_worker_of_this_machine_is_taken_up_at_once() -> None:
    experiment = hold_work(name_of_an_ended_process())
    assert find_unfinished().experiments == ()
    free_leases(Chunk, Slot)
    assert find_unfinished().experiments == (experiment.pk,)
    finished = work_until_idle(experiment)
    assert finished.ended_as == "completed"
    assert Chunk.objects.filter(abandoned=True).count() == 1  # its calls in flight are marked as made again


@pytest.mark.parametrize("owner", ["this process", "another-machine:1:2:abcd", "worker", "host:x:y", ""])
def test_the_work_of_others_is_left_to_them(owner: str) -> None:
    hold_work(owners.owner_name() if owner == "this process" else owner)
    later = timezone.now() + timedelta(seconds=1)
    free_leases(Chunk, Slot)
    assert Slot.objects.filter(leased_until__gt=later).count() == 4
    assert Chunk.objects.filter(leased_until__gt=later).count() == 1


def test_an_owner_is_gone_only_when_its_process_is() -> None:
    assert owners.is_gone(name_of_an_ended_process())
    assert not owners.is_gone(owners.owner_name())
    host = owners.owner_name().split(":", maxsplit=1)[0]
    assert not owners.is_gone(f"{host}:1:2:3")
    assert owners.is_gone(f"{host}:{10**30}:2:3")
