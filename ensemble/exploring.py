"""Exploratory runs: a handful made while a test is a draft, kept and counted apart from its result."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from ensemble.arm_work import plan_calls
from ensemble.asking import wait_for_slots
from ensemble.backends import open_backend
from ensemble.backends.base import Backend
from ensemble.calls import make_call
from ensemble.errors import EndpointError, StateError
from ensemble.ledger import lock_head
from ensemble.models import Experiment, ExploratoryBatch, Zone
from ensemble.protocol import JsonValue, Protocol, SaltedText, canonical_json, sha256_hex
from ensemble.recording import record_calls
from ensemble.runner import endpoint_of
from ensemble.slots import LEASE, release_slots, renew_slots
from ensemble.states import ensure_opened

LARGEST_BATCH = 20
EXPLORATORY_ATTEMPTS = 2  # a person is waiting: say soon that the endpoint fails
BatchState = ExploratoryBatch.State


def describe_plan(protocol: Protocol) -> dict[str, JsonValue]:
    """What a batch keeps of a draft's protocol: the document with unsalted hashes, and the texts they stand for."""
    texts = [SaltedText(text=text, salt=b"") for text in protocol.texts()]
    return {
        "protocol": protocol.document(texts),
        "texts": {item.sha256: item.text for item in texts},
    }


def request_runs(experiment: Experiment, protocol: Protocol, count: int) -> ExploratoryBatch:
    """Ask for `count` exploratory runs of the draft's first arm. They are made by a worker, before any chunk."""
    if not 1 <= count <= LARGEST_BATCH:
        raise ValueError(f"count must be between 1 and {LARGEST_BATCH}")
    plan = describe_plan(protocol)
    with transaction.atomic():
        lock_head(experiment)
        experiment.refresh_from_db()
        if not experiment.is_draft:
            raise StateError("The protocol is locked: no exploratory runs any more.")
        if ExploratoryBatch.objects.open().filter(experiment=experiment).exists():
            raise StateError("Exploratory runs are already being made.")
        ensure_opened(experiment)
        start = sum(experiment.batches.values_list("count", flat=True))
        return ExploratoryBatch.objects.create(experiment=experiment, plan=plan, count=count, start=start)


def run_batch(batch: ExploratoryBatch, owner: str) -> None:
    """Make the runs of a queued or abandoned batch; harmless when somebody else has it or it is done."""
    if not ExploratoryBatch.claim(batch.pk, owner, until=timezone.now() + LEASE):
        return
    try:
        message = _make_runs(batch, owner)
    except EndpointError as error:
        message = str(error)
    except Exception as error:
        ExploratoryBatch.give_up(batch.pk, owner, error)
        raise
    state = BatchState.FAILED if message else BatchState.DONE
    ExploratoryBatch.objects.filter(pk=batch.pk, owner=owner).update(state=state, message=message)


def _make_runs(batch: ExploratoryBatch, owner: str) -> str:
    """Make the batch's missing runs; a sentence on what went wrong, or ""."""
    arm = batch.protocol().arms[0]
    endpoint = endpoint_of(arm.endpoint, arm.backend, arm.model)
    slots = wait_for_slots(endpoint, owner, batch.count, lambda: _renew(batch, owner, []))
    try:
        backend = open_backend(endpoint.config())
        try:
            return _call_and_record(batch, backend, owner, slots)
        finally:
            backend.close()
    finally:
        release_slots(slots, owner)


def _call_and_record(batch: ExploratoryBatch, backend: Backend, owner: str, slots: list[int]) -> str:
    protocol = replace(batch.protocol(), max_attempts=EXPLORATORY_ATTEMPTS)
    plan = plan_calls(protocol, 0, sha256_hex(canonical_json(batch.plan["protocol"])))
    runs = batch.experiment.runs.exploratory().filter(
        index__range=(batch.start, batch.start + batch.count - 1)
    )
    done = set(runs.finished().values_list("index", flat=True))
    attempts = dict(runs.values_list("index").annotate(last=Max("attempt")))
    message = ""
    with ThreadPoolExecutor(max_workers=len(slots)) as pool:
        pending = {
            pool.submit(
                make_call, backend, plan, index, first_attempt=attempts.get(index, 0) + 1, stop=Event()
            )
            for index in range(batch.start, batch.start + batch.count)
            if index not in done
        }
        while pending:
            finished, pending = wait(pending, timeout=1.0, return_when=FIRST_COMPLETED)
            results = sorted((future.result() for future in finished), key=lambda result: result.index)
            if results:
                calls = [call for result in results for call in result.calls]
                record_calls(batch.experiment, Zone.EXPLORATORY, plan, calls)
            message = message or next((str(r.failure) for r in results if r.failure is not None), "")
            _renew(batch, owner, slots)
    return message


def _renew(batch: ExploratoryBatch, owner: str, slots: list[int]) -> None:
    renew_slots(slots, owner)
    ExploratoryBatch.objects.filter(pk=batch.pk, owner=owner).update(leased_until=timezone.now() + LEASE)
