"""Claim → call → record, in chunks. Killing it at any point costs at most the calls in flight, made again later."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from time import monotonic

from django.db.models import Max
from django.utils import timezone

from ensemble.backends import open_backend
from ensemble.backends.base import Backend
from ensemble.calls import CallPlan, CallResult, make_call
from ensemble.claims import chunk_indexes, claim_chunk, release_chunk, renew_chunk
from ensemble.detectors import build_detector
from ensemble.errors import EndpointError
from ensemble.identities import check_identity
from ensemble.models import ArmProgress, Chunk, Endpoint, Experiment, ExploratoryBatch, Run, Zone
from ensemble.protocol import Outcome, Protocol
from ensemble.recording import record_calls
from ensemble.sealing import end_arm, finish_if_done, skip_audit
from ensemble.slots import lease_slots, release_slots, renew_slots
from ensemble.states import pause, start_running

State = Experiment.State
HEARTBEAT_SECONDS = 1.0
SUBMIT_AHEAD = 2  # calls queued per thread, so that no thread waits for a commit
EXPLORATORY_GRACE = timedelta(seconds=60)  # how long a waiting exploratory batch holds back chunks

# Set when the worker process is asked to stop: chunks drain what is in flight and release the rest.
worker_is_stopping = Event()


def plan_calls(protocol: Protocol, position: int, protocol_sha256: str) -> CallPlan:
    """What the calls of the arm at `position` have in common."""
    return CallPlan(
        arm=protocol.arms[position],
        position=position,
        protocol_sha256=protocol_sha256,
        detector=build_detector(protocol.detector),
        refusal_phrases=protocol.refusal_phrases,
        max_attempts=protocol.max_attempts,
    )


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
        ChunkWork(experiment, arm, chunk, endpoint=endpoint, owner=owner, slots=slots).run()
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


@dataclass
class ChunkWork:
    """The work on one claimed chunk: keeps every slot busy and commits whatever has finished, at once."""

    experiment: Experiment
    arm: ArmProgress
    chunk: Chunk
    endpoint: Endpoint = field(kw_only=True)
    owner: str = field(kw_only=True)
    slots: list[int] = field(kw_only=True)
    stop: Event = field(default_factory=Event, init=False)
    failure: EndpointError | None = field(default=None, init=False)
    renewed: float = field(default_factory=monotonic, init=False)

    def run(self) -> None:
        indexes = chunk_indexes(self.experiment, self.arm, self.chunk)
        done = False
        try:
            backend = open_backend(self.endpoint.config())
        except EndpointError as error:
            _give_up(self.experiment, self.arm, error)
            release_chunk(self.chunk, self.owner, finished=False)
            return
        try:
            if self._model_is_the_same(backend):
                done = self._work(backend, indexes)
        finally:
            backend.close()
            release_chunk(self.chunk, self.owner, finished=done)

    def _model_is_the_same(self, backend: Backend) -> bool:
        try:
            problem = check_identity(self.experiment, self.arm.position, backend)
        except EndpointError as error:
            _give_up(self.experiment, self.arm, error)
            return False
        if problem:
            end_arm(self.experiment, self.arm.position, kind="identity", reason=problem)
        return not problem

    def _work(self, backend: Backend, indexes: list[int]) -> bool:
        """Run the chunk's indexes; whether all of them are finished or not needed any more."""
        plan = plan_calls(self.experiment.protocol, self.arm.position, self.experiment.protocol_sha256)
        attempts = self._earlier_attempts(indexes)
        remade = frozenset(indexes) if self.chunk.claims > 1 else frozenset()
        queue = iter(indexes)
        exhausted = False
        pending: set[Future[CallResult]] = set()
        with ThreadPoolExecutor(max_workers=len(self.slots)) as pool:
            while True:
                while not self.stop.is_set() and len(pending) < SUBMIT_AHEAD * len(self.slots):
                    index = next(queue, None)
                    if index is None:
                        exhausted = True
                        break
                    first = attempts.get(index, 0) + 1
                    pending.add(
                        pool.submit(make_call, backend, plan, index, first_attempt=first, stop=self.stop)
                    )
                if not pending:
                    break
                done, pending = wait(pending, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
                self._record(plan, [future.result() for future in done], remade)
                self._heartbeat(pending)
        if self.failure is not None:
            end_arm(self.experiment, self.arm.position, kind="failed", reason=str(self.failure))
        self.arm.refresh_from_db()
        return exhausted and not self.stop.is_set() or self.arm.is_stopped and self.chunk.zone == Zone.COUNTED

    def _earlier_attempts(self, indexes: list[int]) -> dict[int, int]:
        """The number of the last failed attempt of each index: its next one continues the count."""
        failed = Run.objects.filter(
            experiment=self.experiment,
            zone=self.chunk.zone,
            arm=self.chunk.arm,
            index__in=indexes,
            outcome=Outcome.FAILED,
        )
        return dict(failed.values_list("index").annotate(last=Max("attempt")))

    def _record(self, plan: CallPlan, results: list[CallResult], remade: frozenset[int]) -> None:
        if not results:
            return
        calls = [call for result in sorted(results, key=lambda r: r.index) for call in result.calls]
        counted = self.chunk.zone == Zone.COUNTED
        rule = self.experiment.protocol.stopping if counted else None
        state = record_calls(
            self.experiment, Zone(self.chunk.zone), plan, calls, remade=remade, rule=rule
        )
        if state != State.RUNNING or worker_is_stopping.is_set():
            self.stop.set()
        if not counted:
            return
        self.failure = self.failure or next((r.failure for r in results if r.failure is not None), None)
        if self.failure or ArmProgress.objects.filter(pk=self.arm.pk).exclude(stop_kind="").exists():
            self.stop.set()

    def _heartbeat(self, pending: set[Future[CallResult]]) -> None:
        """Renew the leases once a second; a chunk that another worker took over is not worked on any further."""
        if self.stop.is_set():
            for future in list(pending):
                if future.cancel():
                    pending.discard(future)
        if monotonic() - self.renewed < HEARTBEAT_SECONDS:
            return
        self.renewed = monotonic()
        renew_slots(self.slots, self.owner)
        if not renew_chunk(self.chunk, self.owner) or worker_is_stopping.is_set():
            self.stop.set()
