"""Celery tasks: a message is a hint that there may be work; what there is, is read from the database."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.db import transaction

from ensemble.owners import owner_name

# The web process imports this module to enqueue work and must start fast, so each task imports the engine, and with
# it SciPy, when it runs.


LATER_SECONDS = 1.0  # until an endpoint that others have is asked for again


def enqueue_on_commit(task: Any, key: int) -> None:
    """Send the message once the transaction is committed.

    It is only a hint: when the broker is away the failure is logged, the work stands in the database, and the next
    sweep finds it.
    """

    def send() -> None:  # a function, not a partial: Django names it when it logs the failure
        task.delay(key)

    transaction.on_commit(send, robust=True)


@shared_task
def work_on_experiment(experiment_id: int) -> None:
    """Take a turn on a test, then ask to be called again while there is more."""
    from ensemble.models import Experiment
    from ensemble.runner import Next, work_on

    experiment = Experiment.objects.filter(pk=experiment_id).first()
    follow_up = work_on(experiment, owner_name()) if experiment else Next.NOTHING
    if follow_up != Next.NOTHING:
        work_on_experiment.apply_async(
            (experiment_id,), countdown=LATER_SECONDS if follow_up == Next.LATER else 0
        )


@shared_task
def make_exploratory_runs(batch_id: int) -> None:
    from ensemble.exploring import run_batch
    from ensemble.models import ExploratoryBatch

    batch = ExploratoryBatch.objects.filter(pk=batch_id).first()
    if batch is not None:
        run_batch(batch, owner_name())


@shared_task
def check_endpoint(endpoint_id: int) -> None:
    from ensemble import endpoint_checks
    from ensemble.models import Endpoint

    endpoint = Endpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is not None:
        endpoint_checks.check_endpoint(endpoint)


@shared_task
def sweep() -> None:
    """Put back into the queue what is unfinished and held by nobody."""
    from ensemble.models import Chunk, ExploratoryBatch, Slot
    from ensemble.sweeping import find_unfinished, free_leases

    free_leases(Chunk, Slot, ExploratoryBatch)
    unfinished = find_unfinished()
    for task, keys in (
        (make_exploratory_runs, unfinished.batches),
        (work_on_experiment, unfinished.experiments),
        (check_endpoint, unfinished.checks),
    ):
        for key in keys:
            task.delay(key)
