"""Locks a test of 60 runs and enqueues it, as the page does; run by test_servers.py in the worker's environment."""

from __future__ import annotations

import django

django.setup()

from ensemble.tasks import work_on_experiment  # noqa: E402
from tests.ensemble.experiments import DISTRIBUTION, add_scripted_endpoint, lock_new, make_protocol  # noqa: E402

RUNS = 60

if __name__ == "__main__":
    endpoint = add_scripted_endpoint(distribution=DISTRIBUTION)
    work_on_experiment.delay(lock_new(make_protocol(endpoint, runs=RUNS)).pk)
