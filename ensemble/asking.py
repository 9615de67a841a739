"""Questions put to an endpoint outside any test: with slots leased as for runs, never more at once than it allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ensemble.backends import open_backend
from ensemble.backends.base import Completion, CompletionRequest
from ensemble.errors import EndpointError
from ensemble.models import Endpoint
from ensemble.slots import lease_slots, release_slots, renew_slots

SLOT_WAIT_SECONDS = (
    90.0  # a turn of work on a test gives its slots back after seconds; long calls may take longer
)
HEARTBEAT_SECONDS = 1.0


def ask(
    endpoint: Endpoint,
    questions: Mapping[int, CompletionRequest],
    owner: str,
    *,
    keep: Callable[[int, Completion], None],
    renew: Callable[[], None],
) -> EndpointError | None:
    """Ask all `questions`; `keep` gets each answer under its number as it arrives, in this thread.

    `renew` is called every second and extends the caller's own lease. Returns the first failure: then nothing more is
    asked, and answers that were on their way are kept. Raises `EndpointError` when no call can be made at all.
    """
    slots = wait_for_slots(endpoint, owner, len(questions), renew)

    def renew_all() -> None:
        renew_slots(slots, owner)
        renew()

    try:
        backend = open_backend(endpoint.config())
        try:
            with ThreadPoolExecutor(max_workers=len(slots)) as pool:
                calls = {
                    pool.submit(backend.complete, question): number for number, question in questions.items()
                }
                return _collect(calls, keep, renew_all)
        finally:
            backend.close()
    finally:
        release_slots(slots, owner)


def _collect(
    calls: Mapping[Future[Completion], int],
    keep: Callable[[int, Completion], None],
    renew: Callable[[], None],
) -> EndpointError | None:
    failure: EndpointError | None = None
    pending = set(calls)
    while pending:
        done, pending = wait(pending, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
        for call in sorted(done, key=calls.__getitem__):
            try:
                keep(calls[call], call.result())
            except EndpointError as error:
                failure = failure or error
        if failure:
            pending = {call for call in pending if not call.cancel()}
        renew()
    return failure


def wait_for_slots(endpoint: Endpoint, owner: str, wanted: int, renew: Callable[[], None]) -> list[int]:
    """Lease slots as soon as some are free; `renew` keeps the caller's own lease. `EndpointError` if none ever is."""
    deadline = time.monotonic() + SLOT_WAIT_SECONDS
    while time.monotonic() < deadline:
        slots = lease_slots(endpoint, owner, min(wanted, endpoint.concurrency))
        if slots:
            return slots
        renew()
        time.sleep(0.2)
    raise EndpointError(f"The endpoint “{endpoint.name}” is busy with other runs. Try again.", transient=True)
