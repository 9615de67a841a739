"""A turn of work on an arm: every slot is kept busy, and whatever has finished is committed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

from django.db.models import Max

from ensemble.backends.base import Backend
from ensemble.calls import CallPlan, CallResult, make_call
from ensemble.claims import chunk_indexes, claim_chunk, release_chunk, renew_chunk
from ensemble.detectors import build_detector
from ensemble.errors import EndpointError
from ensemble.models import ArmProgress, Chunk, Experiment, Run, Zone
from ensemble.protocol import Outcome, Protocol
from ensemble.recording import record_calls
from ensemble.slots import renew_slots

HEARTBEAT_SECONDS = 1.0
# Calls queued per thread: no thread waits for a commit, and short calls share one. What is queued but not begun when
# the work stops is taken back, so the depth costs no needless run.
SUBMIT_AHEAD = 8
# A turn ends with some slots idle while the last calls finish: long turns waste little, short ones let others in.
TURN_SECONDS = 20.0
TURN_CALLS = 10  # a turn is at least as long as this many calls take one after the other

# Set when the worker process is asked to stop: turns drain what is in flight and release the rest.
worker_is_stopping = Event()

Pending = set[Future[CallResult]]


def plan_calls(protocol: Protocol, position: int, protocol_sha256: str) -> CallPlan:
    """What the calls of the arm at `position` have in common."""
    arm = protocol.arms[position]
    return CallPlan(
        arm=arm,
        position=position,
        protocol_sha256=protocol_sha256,
        detector=build_detector(protocol.detector_of(position)),
        refusal_phrases=protocol.refusal_phrases,
        max_attempts=protocol.max_attempts,
    )


@dataclass(kw_only=True)
class HeldChunk:
    """A claimed chunk and its indexes that are not answered yet."""

    chunk: Chunk
    missing: set[int]


@dataclass(kw_only=True)
class ArmWork:
    """Works claimed chunks of an arm, one after the other without a pause between them.

    Only this thread touches the database. `others_wait` tells that somebody with precedence waits for the endpoint.
    After `run`, `failure` is set when a call stayed failed, and `did_something` tells whether any chunk was claimed.
    """

    experiment: Experiment
    arm: ArmProgress
    backend: Backend
    owner: str
    slots: list[int]
    others_wait: Callable[[], bool]
    stop: Event = field(default_factory=Event, init=False)
    failure: EndpointError | None = field(default=None, init=False)
    held: list[HeldChunk] = field(default_factory=list, init=False)
    attempts: dict[int, int] = field(default_factory=dict, init=False)  # failed so far, by index
    remade: set[int] = field(default_factory=set, init=False)
    renewed: float = field(default_factory=monotonic, init=False)
    ends_at: float = field(default_factory=lambda: monotonic() + TURN_SECONDS, init=False)

    def __post_init__(self) -> None:
        self.zone = Zone.AUDIT if self.arm.is_stopped else Zone.COUNTED

    @property
    def did_something(self) -> bool:
        return bool(self.held)

    def run(self) -> None:
        try:
            self._work()
        finally:
            for held in self.held:
                release_chunk(held.chunk, self.owner, finished=self._is_done(held))

    def _work(self) -> None:
        protocol = self.experiment.protocol
        plan = plan_calls(protocol, self.arm.position, self.experiment.protocol_sha256)
        queue = self._indexes()
        pending: Pending = set()
        with ThreadPoolExecutor(max_workers=len(self.slots)) as pool:
            while True:
                for index in self._take(queue, SUBMIT_AHEAD * len(self.slots) - len(pending)):
                    first = self.attempts.get(index, 0) + 1
                    pending.add(
                        pool.submit(make_call, self.backend, plan, index, first_attempt=first, stop=self.stop)
                    )
                if not pending:
                    return
                done, pending = wait(pending, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
                self._record(plan, [future.result() for future in done])
                self._renew_leases()
                if self.stop.is_set():
                    pending = {future for future in pending if not future.cancel()}

    def _indexes(self) -> Iterator[int]:
        """The unanswered indexes of chunk after chunk; the next chunk is claimed when the last one is used up."""
        while not self.stop.is_set():
            chunk = claim_chunk(self.experiment, self.arm, self.zone, owner=self.owner, slots=len(self.slots))
            if chunk is None:
                return
            indexes = chunk_indexes(self.experiment, self.arm, chunk)
            self.held.append(HeldChunk(chunk=chunk, missing=set(indexes)))
            self.attempts |= self._failed_attempts(indexes)
            if chunk.abandoned:
                self.remade |= set(indexes)
            yield from indexes

    def _take(self, queue: Iterator[int], most: int) -> Iterator[int]:
        for _ in range(most):
            index = None if self.stop.is_set() else next(queue, None)
            if index is None:
                return
            yield index

    def _failed_attempts(self, indexes: list[int]) -> dict[int, int]:
        """The number of the last failed attempt of each index: its next one continues the count."""
        failed = Run.objects.filter(
            experiment=self.experiment,
            zone=self.zone,
            arm=self.arm.position,
            index__in=indexes,
            outcome=Outcome.FAILED,
        )
        return dict(failed.values_list("index").annotate(last=Max("attempt")))

    def _record(self, plan: CallPlan, results: list[CallResult]) -> None:
        if not results:
            return
        calls = [call for result in sorted(results, key=lambda r: r.index) for call in result.calls]
        counted = self.zone == Zone.COUNTED
        rule = self.experiment.protocol.rule_of(self.arm.position) if counted else None
        standing = record_calls(
            self.experiment, self.zone, plan, calls, remade=frozenset(self.remade), rule=rule
        )
        self._settle(results)
        self._lengthen_turn(results)
        goes_on = standing.state == Experiment.State.RUNNING and not standing.arm_is_stopped
        if not goes_on or self.failure is not None or worker_is_stopping.is_set():
            self.stop.set()

    def _settle(self, results: list[CallResult]) -> None:
        """Strike off what is dealt with. A failed repeat of the audit is; a failed counted run ends the arm."""
        for result in results:
            if result.interrupted:
                continue
            if result.failure is not None and self.zone == Zone.COUNTED:
                self.failure = self.failure or result.failure
                continue
            for held in self.held:
                held.missing.discard(result.index)

    def _lengthen_turn(self, results: list[CallResult]) -> None:
        longest = max((call.duration_ms for result in results for call in result.calls), default=0)
        began = self.ends_at - TURN_SECONDS
        if monotonic() < self.ends_at:
            self.ends_at = max(self.ends_at, began + TURN_CALLS * longest / 1000)

    def _renew_leases(self) -> None:
        """Once a second: keep the leases, and see whether the turn is over or others go first."""
        if monotonic() - self.renewed < HEARTBEAT_SECONDS:
            return
        self.renewed = monotonic()
        renew_slots(self.slots, self.owner)
        # A chunk that another worker has taken over is not worked on any further.
        kept = [renew_chunk(held.chunk, self.owner) for held in self.held if held.missing]
        if not all(kept) or monotonic() > self.ends_at or worker_is_stopping.is_set() or self.others_wait():
            self.stop.set()

    def _is_done(self, held: HeldChunk) -> bool:
        """Whether nothing of the chunk is left to do: all is answered, or the rest lies behind the arm's stop."""
        if not held.missing:
            return True
        self.arm.refresh_from_db()
        return self.arm.is_stopped and self.zone == Zone.COUNTED
