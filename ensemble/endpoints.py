"""Endpoints as administrators keep them: the default one, and what depends on one."""

from __future__ import annotations

from ensemble.models import Endpoint, Experiment

EMBEDDED_MODEL = "SmolLM2-135M-Instruct"
EMBEDDED_NAME = "Embedded model"  # protocols keep this; pages translate it
# Eight slots answer as fast as sixteen on two cores, with less memory (measured with the embedded model).
EMBEDDED_SLOTS = 8


def ensure_default_endpoint() -> Endpoint:
    """Return the endpoint of the embedded model, making it if there is none. One that was changed stays as it is."""
    existing = Endpoint.objects.filter(backend=Endpoint.Kind.EMBEDDED).order_by("pk").first()
    if existing is not None:
        return existing
    endpoint, _created = Endpoint.objects.get_or_create(
        name=EMBEDDED_NAME,
        defaults={
            "backend": Endpoint.Kind.EMBEDDED,
            "model": EMBEDDED_MODEL,
            "concurrency": EMBEDDED_SLOTS,
            "is_open": True,
        },
    )
    return endpoint


def count_tests_under_way(endpoint: Endpoint) -> int:
    """How many locked tests that are not over use `endpoint`: what they were locked to must not change meanwhile."""
    states = Experiment.State
    under_way = Experiment.objects.filter(state__in=(states.LOCKED, states.RUNNING, states.PAUSED))
    return sum(
        any(arm["endpoint"] == endpoint.name for arm in experiment.protocol_document["arms"])
        for experiment in under_way
    )
