"""The work on one claimed chunk: every slot is kept busy, and whatever has finished is committed at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

from django.db.models import Max

from ensemble.backends.base import Backend
from ensemble.calls import CallPlan, CallResult, make_call
from ensemble.claims import chunk_indexes, renew_chunk
from ensemble.detectors import build_detector
from ensemble.errors import EndpointError
from ensemble.models import ArmProgress, Chunk, Experiment, Run, Zone
from ensemble.protocol import Outcome, Protocol
from ensemble.recording import record_calls
from ensemble.slots import renew_slots

HEARTBEAT_SECONDS = 1.0
# Calls queued per thread: no thread waits for a commit, and short calls share one. What is queued but not begun when
# the arm stops is taken back, so the depth costs no needless run.
SUBMIT_AHEAD = 8

# Set when the worker process is asked to stop: chunks drain what is in flight and release the rest.
worker_is_stopping = Event()

Pending = set[Future[CallResult]]


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


@dataclass(kw_only=True)
class ChunkWork:
    """Calls the backend for the unanswered indexes of a chunk; only this thread touches the database.

    `failure` is set when a call stayed failed; `finished` tells whether every index of the chunk was dealt with.
    """

    experiment: Experiment
    arm: ArmProgress
    chunk: Chunk
    backend: Backend
    owner: str
    slots: list[int]
    stop: Event = field(default_factory=Event, init=False)
    failure: EndpointError | None = field(default=None, init=False)
    finished: bool = field(default=False, init=False)
    renewed: float = field(default_factory=monotonic, init=False)

    def run(self) -> None:
        protocol = self.experiment.protocol
        plan = plan_calls(protocol, self.arm.position, self.experiment.protocol_sha256)
        indexes = chunk_indexes(self.experiment, self.arm, self.chunk)
        attempts = self._failed_attempts(indexes)
        remade = frozenset(indexes) if self.chunk.claims > 1 else frozenset()
        queue = iter(indexes)
        pending: Pending = set()
        with ThreadPoolExecutor(max_workers=len(self.slots)) as pool:
            while True:
                for index in self._take(queue, SUBMIT_AHEAD * len(self.slots) - len(pending)):
                    first = attempts.get(index, 0) + 1
                    call = (make_call, self.backend, plan, index)
                    pending.add(pool.submit(*call, first_attempt=first, stop=self.stop))
                if not pending:
                    break
                done, pending = wait(pending, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
                self._record(plan, [future.result() for future in done], remade)
                pending = self._heartbeat(pending)
        self.finished = not self.stop.is_set() and next(queue, None) is None

    def _take(self, queue: Iterator[int], most: int) -> Iterator[int]:
        for _ in range(0 if self.stop.is_set() else most):
            index = next(queue, None)
            if index is None:
                return
            yield index

    def _failed_attempts(self, indexes: list[int]) -> dict[int, int]:
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
        standing = record_calls(
            self.experiment, Zone(self.chunk.zone), plan, calls, remade=remade, rule=rule
        )
        if counted:  # a failed repeat of the audit is reported; only a failed counted run ends the arm
            self.failure = self.failure or next((r.failure for r in results if r.failure is not None), None)
        goes_on = standing.state == Experiment.State.RUNNING and not standing.arm_is_stopped
        if not goes_on or self.failure is not None or worker_is_stopping.is_set():
            self.stop.set()

    def _heartbeat(self, pending: Pending) -> Pending:
        """Renew the leases once a second; what is queued but not begun is taken back when the work stops."""
        if monotonic() - self.renewed >= HEARTBEAT_SECONDS:
            self.renewed = monotonic()
            renew_slots(self.slots, self.owner)
            if not renew_chunk(self.chunk, self.owner) or worker_is_stopping.is_set():
                self.stop.set()  # another worker has taken the chunk over, or this one is asked to end
        if self.stop.is_set():
            return {future for future in pending if not future.cancel()}
        return pending
