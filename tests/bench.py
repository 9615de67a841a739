"""`make bench`: what the engine costs and gains, each against the direct alternative in the same run.

Everything is measured on a fresh SQLite database with every run durably committed. Figures are medians of three
rounds; the rounds of the alternatives are interleaved, so that a busy machine burdens both. `--statistics` measures
the computing alone, `--without-model` leaves out the embedded model.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

ROUNDS = 3
SHORT_PROMPT = (
    "A customer asks whether a bereavement fare can be refunded after the trip. Answer yes or no first."
)
LONG_PROMPT = " ".join(
    f"Rule {n}: a request that reaches the airline after the journey is answered in writing and never paid."
    for n in range(1, 15)
)
TOKENS = 48


def median_rates(alternatives: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Run every alternative ROUNDS times, in turn; the median of what each returns (runs per second)."""
    rates: dict[str, list[float]] = {name: [] for name in alternatives}
    for _ in range(ROUNDS):
        for name, measure in alternatives.items():
            rates[name].append(measure())
    return {name: statistics.median(values) for name, values in rates.items()}


def prepare_database() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def engine_rate(endpoint_name: str, prompt: str, runs: int) -> float:
    """Runs per second of a whole test, from the first claim to the last commit (the audit is not counted)."""
    from ensemble.models import Endpoint, Experiment
    from ensemble.protocol import Arm, Message, Protocol, Purpose, Sampling, StoppingRule
    from ensemble.runner import work_on
    from ensemble.states import lock_protocol

    endpoint = Endpoint.objects.get(name=endpoint_name)
    arm = Arm(
        name="bench",
        purpose=Purpose.PRIMARY,
        endpoint=endpoint.name,
        backend=endpoint.backend,
        model=endpoint.model,
        messages=(Message(role="user", content=prompt),),
        sampling=Sampling(max_tokens=TOKENS, context_length=1024),
    )
    detector = {"kind": "text", "match": "starts with", "error_phrases": ["yes"], "otherwise": "no error"}
    flags = {"correct_phrases": ["no"], "ignore_case": True, "fold_yo": True, "whole_words": True}
    protocol = Protocol(
        arms=(arm,),
        detector={**detector, **flags},
        refusal_phrases=(),
        stopping=StoppingRule(kind="fixed", runs=runs),
        audit_minimum=0,
        audit_share=Decimal(0),
    )
    experiment = Experiment.objects.create(title="bench", operator="bench")
    lock_protocol(experiment, protocol, by="bench")
    started = time.perf_counter()
    while not experiment.arms.get().is_stopped:
        experiment = Experiment.objects.get(pk=experiment.pk)
        work_on(experiment, "bench")
    elapsed = time.perf_counter() - started
    count = experiment.runs.counted().finished().count()
    assert count >= runs, f"{count} of {runs} runs were recorded"
    return count / elapsed


def direct_rate(endpoint_name: str, prompt: str, runs: int, concurrency: int) -> float:
    """Runs per second of calling the backend directly from `concurrency` threads, recording nothing."""
    from ensemble.backends import open_backend
    from ensemble.backends.base import CompletionRequest
    from ensemble.models import Endpoint
    from ensemble.protocol import Message, Sampling

    backend = open_backend(Endpoint.objects.get(name=endpoint_name).config())
    sampling = Sampling(max_tokens=TOKENS, context_length=1024)

    def call(seed: int) -> None:
        messages = (Message(role="user", content=prompt),)
        backend.complete(CompletionRequest(messages=messages, sampling=sampling, seed=seed))

    started = time.perf_counter()
    if concurrency == 1:
        for seed in range(runs):
            call(seed)
    else:
        with ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(call, range(runs)))
    elapsed = time.perf_counter() - started
    backend.close()
    return runs / elapsed


def report(name: str, value: float, target: str, reached: bool) -> bool:
    print(f"{name:<66} {value:8.2f}   target {target:<8} {'reached' if reached else 'MISSED'}", flush=True)
    return reached


def bench_overhead() -> bool:
    runs = 3000
    rates = median_rates(
        {
            "direct": lambda: direct_rate("instant", SHORT_PROMPT, runs, 1),
            "engine": lambda: engine_rate("instant", SHORT_PROMPT, runs),
        }
    )
    overhead = 1000 / rates["engine"] - 1000 / rates["direct"]
    return report("engine overhead per run, scripted backend, milliseconds", overhead, "< 2", overhead < 2)


def bench_throughput() -> bool:
    runs, concurrency = 600, 8
    rates = median_rates(
        {
            "direct": lambda: direct_rate("latency", SHORT_PROMPT, runs, concurrency),
            "engine": lambda: engine_rate("latency", SHORT_PROMPT, runs),
        }
    )
    ratio = rates["engine"] / rates["direct"]
    return report(
        "throughput against direct calls, 8 at once, 50 ms a call, ratio", ratio, ">= 0.9", ratio >= 0.9
    )


def bench_embedded(name: str, prompt: str, *, naive_runs: int, runs: int, target: float) -> bool:
    """The naive loop: one call after the other, one slot, no prompt cache. It is slow, so it makes fewer runs."""
    rates = median_rates(
        {
            "naive": lambda: direct_rate("naive", prompt, naive_runs, 1),
            "engine": lambda: engine_rate("embedded", prompt, runs),
        }
    )
    print(f"    naive loop {rates['naive']:.2f} runs/s, engine {rates['engine']:.2f} runs/s")
    ratio = rates["engine"] / rates["naive"]
    return report(
        f"embedded model, {name}, {runs} runs against the naive loop", ratio, f">= {target}", ratio >= target
    )


def bench_labelling() -> bool:
    from ensemble.detectors import build_detector

    spec = {
        "kind": "text",
        "match": "contains",
        "error_phrases": ["refund after the trip"],
        "otherwise": "no error",
    }
    flags = {"correct_phrases": [], "ignore_case": True, "fold_yo": True, "whole_words": True}
    detector = build_detector({**spec, **flags})
    answers = [f"Answer {n}: you may claim the fare. " * 8 for n in range(10_000)]
    started = time.perf_counter()
    for answer in answers:
        detector.detect(answer)
    elapsed = time.perf_counter() - started
    return report("10,000 stored answers labelled by the text detector, seconds", elapsed, "< 1", elapsed < 1)


def bench_statistics() -> list[bool]:
    """What somebody waits for: a plan when a test is planned, the curve of votes at its end."""
    from ensemble.stats.sequential import plan_precision
    from ensemble.stats.voting import vote_error

    counts = [300 - 5 * place for place in range(50)] + [17] * 50
    counts[0] += 10_000 - sum(counts)
    is_error = [place % 3 == 0 for place in range(100)]
    plan = take_time(lambda: plan_precision(0.05))
    votes = take_time(lambda: vote_error(counts, is_error, 25))
    return [
        report("plan_precision(0.05), seconds", plan, "< 10", plan < 10),
        report("vote_error, 100 answers, k = 25, N = 10,000, seconds", votes, "< 1", votes < 1),
    ]


def take_time(work: Callable[[], object]) -> float:
    """Seconds, the median of ROUNDS rounds."""
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def bench_result() -> list[bool]:
    from tests.bench_result import measure_result

    seconds, megabytes = measure_result()
    return [
        report("result of 100,000 recorded runs, seconds", seconds, "< 10", seconds < 10),
        report("the same, peak memory of the process, MB", megabytes, "< 1000", megabytes < 1000),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the engine against the direct alternatives.")
    parser.add_argument("--statistics", action="store_true", help="measure the computing alone")
    parser.add_argument("--without-model", action="store_true", help="leave out the embedded model")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CASEBOOK_DATA_DIR"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "casebook.settings"
        prepare_database()
        from ensemble.models import Endpoint

        script = {"distribution": [{"text": "Yes, it can.", "share": "0.3"}, {"text": "No.", "share": "0.7"}]}
        rows = (
            ("instant", "scripted", 8, script),
            ("latency", "scripted", 8, {**script, "latency_seconds": "0.05"}),
            ("embedded", "embedded", 8, {}),
            ("naive", "embedded", 1, {"slots": 1, "bit_exact": True}),
        )
        for name, backend, concurrency, options in rows:
            Endpoint.objects.create(name=name, backend=backend, concurrency=concurrency, options=options)
        reached = [*bench_statistics(), *bench_result()]
        if not wanted.statistics:
            reached += [bench_overhead(), bench_throughput(), bench_labelling()]
        if not (wanted.without_model or wanted.statistics):
            reached += [
                bench_embedded("short prompt", SHORT_PROMPT, naive_runs=40, runs=200, target=2.5),
                bench_embedded("long prompt", LONG_PROMPT, naive_runs=16, runs=200, target=5.0),
            ]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    sys.exit(main())
