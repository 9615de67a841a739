"""What a Celery worker does beside its tasks: sweep at start and again and again, show its pulse, stop gently."""

from __future__ import annotations

import logging
import os
import socket
import threading
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.db import DatabaseError, close_old_connections

from ensemble.arm_work import worker_is_stopping
from ensemble.sweeping import record_pulse
from ensemble.tasks import sweep

SWEEP_SECONDS = 15.0
log = logging.getLogger(__name__)


# The task that finds unfinished work, by the queue whose workers run it. Other applications add theirs.
sweeps: dict[str, Any] = {"runs": sweep}


def repeat_sweep(queues: list[str]) -> None:
    """Show the pulse and sweep, now and every SWEEP_SECONDS, until the worker stops."""
    name = f"{socket.gethostname()[:60]}:{os.getpid()}"
    while True:
        close_old_connections()
        try:
            record_pulse(name, queues)
            for queue in set(queues) & set(sweeps):
                sweeps[queue].apply()  # in this thread: a lost message must not end the sweeping
        except DatabaseError:  # a busy or restarting database: the next sweep finds the same work
            log.warning("the sweep could not reach the database and will be repeated", exc_info=True)
        if worker_is_stopping.wait(SWEEP_SECONDS):
            return


@worker_ready.connect
def start_sweeping(sender: Any, **_: Any) -> None:
    queues = sorted(sender.app.amqp.queues.consume_from)
    threading.Thread(target=repeat_sweep, args=(queues,), name="sweep", daemon=True).start()


@worker_shutting_down.connect
def stop_claiming(**_: Any) -> None:
    """Chunks drain what is in flight and release the rest to whoever comes next."""
    worker_is_stopping.set()
