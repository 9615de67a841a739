"""A worker process that kills itself with SIGKILL at a stated moment; run by test_crash.py.

The work is the worker's own code; only the moment of death is added from outside, and leases are shortened so that
the next process need not wait for them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

RUNS = 300


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(number: int, function: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    """`function`, except that the process dies before, or after, its call of this number."""
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and before:
            die()
        result = function(*args, **kwargs)
        if calls == number:
            die()
        return result

    return wrapped


def arm_death(moment: str, number: int) -> None:
    from ensemble import arm_work, recording

    if moment == "arrived":  # answers have arrived; nothing of them is written
        arm_work.record_calls = at_call(number, arm_work.record_calls, before=True)
    elif moment == "inside":  # their rows are inserted; the transaction is open
        recording.append_entries = at_call(number, recording.append_entries, before=True)
    elif moment == "written":  # ledger entries too; still not committed
        recording.append_entries = at_call(number, recording.append_entries, before=False)
    elif moment == "committed":  # durable, but the chunk is not released
        arm_work.record_calls = at_call(number, arm_work.record_calls, before=False)
    elif moment == "claimed":  # a chunk is claimed and nothing called
        arm_work.chunk_indexes = at_call(number, arm_work.chunk_indexes, before=True)
    elif moment == "timer":  # anywhere
        threading.Timer(number / 1000, die).start()


def note_calls() -> None:
    """Write the begin and end of every call to a file, for all workers together."""
    from ensemble.backends.scripted import ScriptedBackend

    original = ScriptedBackend.complete
    log = open(os.path.join(os.environ["CASEBOOK_DATA_DIR"], "calls.log"), "a", buffering=1)  # noqa: SIM115

    def noted(self: Any, request: Any) -> Any:
        log.write(f"{time.monotonic_ns()} 1\n")
        try:
            return original(self, request)
        finally:
            log.write(f"{time.monotonic_ns()} -1\n")

    ScriptedBackend.complete = noted  # type: ignore[method-assign]


def most_at_once() -> int:
    path = os.path.join(os.environ["CASEBOOK_DATA_DIR"], "calls.log")
    with open(path) as log:
        moments = sorted(tuple(map(int, line.split())) for line in log if line.count(" ") == 1)
    running = most = 0
    for _, step in moments:
        running += step
        most = max(most, running)
    return most


def prepare() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.ensemble.experiments import DISTRIBUTION, add_scripted_endpoint, lock_new, make_protocol

    endpoint = add_scripted_endpoint(
        concurrency=8, distribution=DISTRIBUTION, latency_seconds=["0.005", "0.03"]
    )
    lock_new(make_protocol(endpoint, runs=RUNS))


def work(moment: str, number: int) -> None:
    from ensemble import arm_work, claims, slots
    from ensemble.models import Experiment
    from ensemble.runner import Next, work_on

    arm_work.HEARTBEAT_SECONDS = 0.05
    claims.LEASE = slots.LEASE = timedelta(seconds=0.3)
    claims.LARGEST_CHUNK = 40  # several chunks and small commits, so that several moments exist
    arm_work.SUBMIT_AHEAD = 1
    arm_death(moment, number)
    note_calls()
    for _ in range(2000):
        experiment = Experiment.objects.get()
        if experiment.state == Experiment.State.SEALED:
            return
        if work_on(experiment, f"worker-{os.getpid()}") != Next.NOW:
            threading.Event().wait(0.05)  # a dead worker's lease runs out
    raise SystemExit("the test did not come to an end")


def dump() -> None:
    from ensemble.ledger import export_lines, find_break
    from ensemble.models import Experiment

    experiment = Experiment.objects.get()
    runs = experiment.runs.counted().finished().order_by("index")
    facts = {
        "state": experiment.state,
        "indexes": list(runs.values_list("index", flat=True)),
        "seeds": list(runs.values_list("seed", flat=True)),
        "labels": list(runs.values_list("label", flat=True)),
        "remade": runs.filter(remade=True).count(),
        "stopped_at": experiment.arms.get().stopped_at,
        "break": find_break(export_lines(experiment)),
        "run_entries": experiment.ledger.filter(kind="run").count(),
        "results": experiment.results.count(),
        "most_at_once": most_at_once(),
    }
    print(json.dumps(facts))


def main() -> None:
    import django

    django.setup()
    action, *rest = sys.argv[1:]
    if action == "work":
        work(rest[0], int(rest[1]))
    else:
        {"prepare": prepare, "dump": dump}[action]()


if __name__ == "__main__":
    main()
