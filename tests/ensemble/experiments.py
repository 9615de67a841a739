"""Building tests of known behaviour: a scripted endpoint, a locked protocol, work until it is sealed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ensemble import states
from ensemble.models import Endpoint, Experiment
from ensemble.protocol import Arm, Message, Protocol, Purpose, Sampling, StoppingRule
from ensemble.runner import Next, work_on

DETECTOR: dict[str, Any] = {
    "kind": "text",
    "match": "contains",
    "error_phrases": ["wrong"],
    "correct_phrases": ["right"],
    "otherwise": "unclear",
    "ignore_case": True,
    "fold_yo": True,
    "whole_words": True,
}
DISTRIBUTION = [{"text": "That is wrong.", "share": "0.3"}, {"text": "That is right.", "share": "0.7"}]


def add_scripted_endpoint(name: str = "script", *, concurrency: int = 4, **options: Any) -> Endpoint:
    return Endpoint.objects.create(
        name=name,
        backend="scripted",
        model="script",
        concurrency=concurrency,
        timeout_seconds=10,
        options=options or {"distribution": DISTRIBUTION},
    )


def make_arm(endpoint: Endpoint, **changes: Any) -> Arm:
    values: dict[str, Any] = {
        "name": "as recorded",
        "purpose": Purpose.PRIMARY,
        "endpoint": endpoint.name,
        "backend": endpoint.backend,
        "model": endpoint.model,
        "messages": (Message(role="user", content="May I claim the refund afterwards?"),),
        "sampling": Sampling(temperature=Decimal("0.8")),
    }
    return Arm(**{**values, **changes})


def make_protocol(endpoint: Endpoint, *, runs: int = 40, **changes: Any) -> Protocol:
    values: dict[str, Any] = {
        "arms": (make_arm(endpoint),),
        "detector": DETECTOR,
        "refusal_phrases": ("I cannot help",),
        "stopping": StoppingRule(kind="fixed", runs=runs),
        "question": "How often is the answer wrong?",
    }
    return Protocol(**{**values, **changes})


def lock_new(protocol: Protocol, *, title: str = "A test") -> Experiment:
    experiment = Experiment.objects.create(title=title, operator="owner")
    states.lock_protocol(experiment, protocol, by="owner")
    return experiment


def work_until_idle(experiment: Experiment, owner: str = "worker", steps: int = 500) -> Experiment:
    """What a worker does, without the queue; ends when nothing more can be done."""
    for _ in range(steps):
        experiment = Experiment.objects.get(pk=experiment.pk)
        if work_on(experiment, owner) == Next.NOTHING:
            return Experiment.objects.get(pk=experiment.pk)
    raise AssertionError("the test did not come to an end")


def run_to_seal(protocol: Protocol) -> Experiment:
    return work_until_idle(lock_new(protocol))
