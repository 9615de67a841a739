"""The numbers of a large test: 100,000 recorded runs → result document, measured in a process of its own.

`python tests/bench_result.py EXPERIMENT` computes the result of a recorded test and prints seconds and peak megabytes;
`tests/bench.py` records the runs and starts it.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

RUNS = 100_000
BATCH = 5_000
DETECTOR = {
    "kind": "text", "match": "starts with", "error_phrases": ["yes"], "correct_phrases": ["no"],
    "otherwise": "unclear", "ignore_case": True, "fold_yo": True, "whole_words": True,
}  # fmt: skip


def measure_result(runs: int = RUNS) -> tuple[float, float]:
    """Seconds and peak megabytes of a fresh process that computes the result of a test with `runs` recorded runs."""
    experiment = record_test(runs)
    command = [sys.executable, __file__, str(experiment)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, megabytes = map(float, printed.split())
    return seconds, megabytes


def record_test(runs: int) -> int:
    """The key of a completed test with that many runs, 30 % of them errors, the answers as varied as a model's."""
    from ensemble import states
    from ensemble.models import ArmProgress, Endpoint, Experiment, Run
    from ensemble.protocol import Arm, Message, Protocol, Sampling, StoppingRule

    endpoint = Endpoint.objects.create(name="large", backend="scripted", model="script")
    arm = Arm(
        name="large",
        purpose="primary",
        endpoint=endpoint.name,
        backend=endpoint.backend,
        model=endpoint.model,
        messages=(Message(role="user", content="May I?"),),
        sampling=Sampling(),
    )
    rule = StoppingRule(kind="fixed", runs=runs)
    protocol = Protocol(arms=(arm,), detector=DETECTOR, refusal_phrases=(), stopping=rule)
    experiment = Experiment.objects.create(title="large", operator="bench")
    states.lock_protocol(experiment, protocol, by="bench")
    batch: list[Run] = []
    errors = 0
    for row in list_rows(experiment.protocol_sha256, runs):
        batch.append(Run(experiment=experiment, **row))
        errors += row["label"] == "error"
        if len(batch) == BATCH or row["index"] == runs - 1:
            Run.objects.bulk_create(batch)
            batch = []
    ArmProgress.objects.filter(experiment=experiment).update(
        prefix=runs, runs=runs, errors=errors, stopped_at=runs, stop_kind="rule"
    )
    Experiment.objects.filter(pk=experiment.pk).update(state="completed", ended_as="completed")
    return experiment.pk


def list_rows(protocol_sha256: str, runs: int) -> Iterator[dict[str, Any]]:
    from ensemble.protocol import derive_seed

    rng, now = random.Random(5), datetime.now(UTC)
    for index in range(runs):
        is_error = rng.random() < 0.3
        # A few answers come very often, thousands once.
        reason = int(rng.paretovariate(0.5)) % 20_000
        text = f"{'Yes' if is_error else 'No'}. Reason {reason}. " * 4
        answer = hashlib.sha256(text.encode()).hexdigest()
        yield {
            "zone": "counted",
            "arm": 0,
            "index": index,
            "seed": derive_seed(protocol_sha256, 0, index),
            "outcome": "answered",
            "label": "error" if is_error else "no error",
            "text": text,
            "text_sha256": hashlib.sha256(b"salt" + text.encode()).hexdigest(),
            "answer_sha256": answer,
            "group_sha256": answer,
            "raw": text.encode(),
            "salts": bytes(48),
            "finish_reason": "stop",
            "prompt_tokens": 40,
            "completion_tokens": 12,
            "duration_ms": 200,
            "recorded_at": now,
        }


def main(experiment_id: str) -> None:
    import django

    django.setup()
    from ensemble.models import Experiment
    from ensemble.results import compute_result, result_bytes

    experiment = Experiment.objects.get(pk=experiment_id)
    started = time.perf_counter()
    document = compute_result(experiment)
    result_bytes(document)
    elapsed = time.perf_counter() - started
    assert document["arms"][0]["runs_total"] >= document["arms"][0]["runs"] > 0
    # Linux counts kilobytes, macOS bytes.
    unit = 1024 if sys.platform != "darwin" else 1024**2
    print(elapsed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    main(sys.argv[1])
