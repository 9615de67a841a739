"""Claim → call → record, in chunks. Killing it at any point costs at most the calls in flight, made again later."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from ensemble.backends import open_backend
from ensemble.chunk_work import ChunkWork
from ensemble.claims import claim_chunk, release_chunk
from ensemble.errors import EndpointError
from ensemble.identities import check_identity
from ensemble.models import ArmProgress, Chunk, Endpoint, Experiment, ExploratoryBatch, Zone
from ensemble.sealing import end_arm, finish_if_done, skip_audit
from ensemble.slots import lease_slots, release_slots
from ensemble.states import pause, start_running

State = Experiment.State
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
            f"The endpoint “{arm_endpoint}” now has another model than the locked protocol names.", transient=False
        )
    return endpoint


def work_on(experiment: Experiment, owner: str) -> bool:
    """Do one chunk of work on a test; whether more can be done at once.

    A message in the queue only says that there may be work: what there is, is read from the database.
    """
    if experiment.state == State.LOCKED:
        start_running(experiment)
    if experiment.state == State.RUNNING:
        for arm in _arms_to_serve(experiment):
            if _serve_arm(experiment, arm, owner):
                return True
    return finish_if_done(experiment)


def _arms_to_serve(experiment: Experiment) -> list[ArmProgress]:
    """Arms in the order they are served: the one that is furthest behind first, audits last."""
    arms = list(experiment.arms.all())
    return sorted(arms, key=lambda arm: (arm.is_stopped, arm.prefix, arm.position))


def _serve_arm(experiment: Experiment, arm: ArmProgress, owner: str) -> bool:
    """Work one chunk of the arm if there is one to claim and a slot to run it in."""
    spec = experiment.protocol.arms[arm.position]
    try:
        endpoint = endpoint_of(spec.endpoint, spec.backend, spec.model)
    except EndpointError as error:
        return _give_up(experiment, arm, error)
    if _exploration_waits(endpoint):
        return False
    slots = lease_slots(endpoint, owner, endpoint.concurrency)
    if not slots:
        return False
    try:
        chunk = claim_chunk(experiment, arm, owner, len(slots))
        if chunk is None:
            return False
        _work_chunk(experiment, arm, chunk, endpoint=endpoint, owner=owner, slots=slots)
        return True
    finally:
        release_slots(slots, owner)


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
    """Whether somebody waits for exploratory runs on this endpoint: they go before chunks."""
    since = timezone.now() - EXPLORATORY_GRACE
    # A running batch without slots yet still waits; one that has them merely shares the endpoint for a moment.
    waiting = ExploratoryBatch.objects.filter(state__in=("queued", "running"), created_at__gte=since)
    return any(batch.plan["protocol"]["arms"][0]["endpoint"] == endpoint.name for batch in waiting)


def _work_chunk(
    experiment: Experiment, arm: ArmProgress, chunk: Chunk, *, endpoint: Endpoint, owner: str, slots: list[int]
) -> None:
    finished = False
    try:
        backend = open_backend(endpoint.config())
        try:
            problem = check_identity(experiment, arm.position, backend)
            if problem:
                end_arm(experiment, arm.position, kind="identity", reason=problem)
                return
            work = ChunkWork(
                experiment=experiment, arm=arm, chunk=chunk, backend=backend, owner=owner, slots=slots
            )
            work.run()
        finally:
            backend.close()
        if work.failure is not None:
            end_arm(experiment, arm.position, kind="failed", reason=str(work.failure))
        finished = work.finished or _is_needless(arm, chunk)
    except EndpointError as error:
        _give_up(experiment, arm, error)
    finally:
        release_chunk(chunk, owner, finished=finished)


def _is_needless(arm: ArmProgress, chunk: Chunk) -> bool:
    """Whether the rest of the chunk lies behind the arm's stop."""
    arm.refresh_from_db()
    return arm.is_stopped and chunk.zone == Zone.COUNTED
