"""Claim → call → record, in turns. Killing it at any point costs at most the calls in flight, made again later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from django.utils import timezone

from ensemble.arm_work import ArmWork
from ensemble.backends import open_backend
from ensemble.claims import has_work, work_is_leased
from ensemble.errors import EndpointError
from ensemble.identities import check_identity
from ensemble.models import ArmProgress, Endpoint, Experiment, ExploratoryBatch, Zone
from ensemble.sealing import end_arm, finish_if_done, skip_audit
from ensemble.slots import lease_slots, release_slots
from ensemble.states import pause, start_running

State = Experiment.State
# Who, besides exploratory runs, goes before chunks on an endpoint. Other applications add theirs.
precedence: list[Callable[[Endpoint], bool]] = []
EXPLORATORY_GRACE = timedelta(seconds=60)  # how long a waiting exploratory batch holds back chunks


def endpoint_of(arm_endpoint: str, backend: str, model: str) -> Endpoint:
    """The endpoint an arm names, provided that it still is what the protocol says."""
    endpoint = Endpoint.objects.filter(name=arm_endpoint).first()
    if endpoint is None:
        raise EndpointError(f"The endpoint “{arm_endpoint}” does not exist any more.", transient=False)
    if not endpoint.is_enabled:
        raise EndpointError(f"The endpoint “{arm_endpoint}” is switched off.", transient=True)
    if (endpoint.backend, endpoint.model) != (backend, model):
        raise EndpointError(
            f"The endpoint “{arm_endpoint}” now has another model than the locked protocol names.",
            transient=False,
        )
    return endpoint


class Next(StrEnum):
    """What a worker does with a test after a turn."""

    NOW = "now"  # there is more to do
    LATER = "later"  # there is, but others have the endpoint for the moment
    NOTHING = "nothing"  # it is over, waits for a person, or somebody else works on it


def work_on(experiment: Experiment, owner: str) -> Next:
    """Take one turn of work on a test.

    A message in the queue only says that there may be work: what there is, is read from the database.
    """
    if experiment.state == State.LOCKED:
        start_running(experiment)
    if experiment.state == State.RUNNING:
        turns = []
        for arm in _arms_to_serve(experiment):
            turns.append(_serve_arm(experiment, arm, owner))
            if turns[-1] == Next.NOW:
                return Next.NOW
        if Next.LATER in turns and not work_is_leased(experiment):
            return Next.LATER
    finish_if_done(experiment)
    return Next.NOTHING


def _arms_to_serve(experiment: Experiment) -> list[ArmProgress]:
    """Arms whose time has come, in the order they are served: the one with the least of its way behind it first.

    So all are measured over the same time. Audits come last.
    """
    arms = [arm for arm in experiment.arms.all() if not arm.is_waiting]
    rules = {arm.position: experiment.protocol.rule_of(arm.position) for arm in arms}

    def rank(arm: ArmProgress) -> tuple[bool, float, int]:
        return arm.is_stopped, arm.prefix / rules[arm.position].max_indexes, arm.position

    return sorted(arms, key=rank)


def _serve_arm(experiment: Experiment, arm: ArmProgress, owner: str) -> Next:
    """Take a turn on the arm if there is something to do and a slot to do it in."""
    if not has_work(experiment, arm, _zone_of(arm)):
        return Next.NOTHING
    spec = experiment.protocol.arms[arm.position]
    slots: list[int] = []
    try:
        endpoint = endpoint_of(spec.endpoint, spec.backend, spec.model)
        if not _exploration_waits(endpoint):
            slots = lease_slots(endpoint, owner, endpoint.concurrency)
        if not slots:
            return Next.LATER
        return Next.NOW if _take_turn(experiment, arm, endpoint, owner=owner, slots=slots) else Next.NOTHING
    except EndpointError as error:
        return Next.NOW if _give_up(experiment, arm, error) else Next.NOTHING
    finally:
        release_slots(slots, owner)


def _zone_of(arm: ArmProgress) -> Zone:
    return Zone.AUDIT if arm.is_stopped else Zone.COUNTED


def _take_turn(
    experiment: Experiment, arm: ArmProgress, endpoint: Endpoint, *, owner: str, slots: list[int]
) -> bool:
    """Work on the arm for a while; whether anything was done. Raises `EndpointError` before the first call only."""
    backend = open_backend(endpoint.config())
    try:
        problem = check_identity(experiment, arm.position, backend, endpoint)
        if problem:
            return end_arm(experiment, arm.position, kind="identity", reason=problem)
        work = ArmWork(
            experiment=experiment,
            arm=arm,
            backend=backend,
            owner=owner,
            slots=slots,
            others_wait=lambda: _exploration_waits(endpoint),
        )
        work.run()
    finally:
        backend.close()
    if work.failure is not None:
        end_arm(experiment, arm.position, kind="failed", reason=str(work.failure))
    return work.did_something


def _give_up(experiment: Experiment, arm: ArmProgress, error: EndpointError) -> bool:
    """No call can be made: wait for a person if that can help, else end the arm."""
    if error.transient:
        pause(experiment, by="casebook", reason=str(error))
    elif arm.is_stopped:
        skip_audit(arm, reason=str(error))
    else:
        end_arm(experiment, arm.position, kind="failed", reason=str(error))
    return not error.transient


def _exploration_waits(endpoint: Endpoint) -> bool:
    """Whether somebody with precedence waits for this endpoint: for exploratory runs, or as others have said."""
    if any(waits(endpoint) for waits in precedence):
        return True
    since = timezone.now() - EXPLORATORY_GRACE
    # A running batch without slots yet still waits; one that has them merely shares the endpoint for a moment.
    waiting = ExploratoryBatch.objects.open().filter(created_at__gte=since)
    return any(batch.plan["protocol"]["arms"][0]["endpoint"] == endpoint.name for batch in waiting)
