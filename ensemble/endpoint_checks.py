"""Checking an endpoint: can it be reached, what is it, what can it do, and does it answer?"""

from __future__ import annotations

import time
from decimal import Decimal

from django.utils import timezone

from ensemble.backends import open_backend
from ensemble.backends.base import CompletionRequest
from ensemble.calls import storable
from ensemble.errors import EndpointError
from ensemble.models import Endpoint
from ensemble.protocol import JsonValue, Message, Sampling

CHECK_QUESTION = "Reply with one short sentence: what is the capital of France?"
SHOWN_CHARACTERS = 300


def check_endpoint(endpoint: Endpoint) -> None:
    """Fill in the endpoint's check: identity, capabilities and a one-line answer, or what went wrong."""
    try:
        report, state, message = _examine(endpoint), "ok", ""
    except EndpointError as error:
        report, state, message = {}, "failed", str(error)
    Endpoint.objects.filter(pk=endpoint.pk).update(
        check_state=state, check_message=message, check_report=report, checked_at=timezone.now()
    )


def _examine(endpoint: Endpoint) -> dict[str, JsonValue]:
    backend = open_backend(endpoint.config())
    try:
        identity = backend.identity()
        capabilities = backend.capabilities()
        started = time.monotonic()
        completion = backend.complete(
            CompletionRequest(
                messages=(Message(role="user", content=CHECK_QUESTION),),
                sampling=Sampling(temperature=Decimal(0), max_tokens=40, context_length=1024),
                seed=1,
            )
        )
        return {
            "identity": identity.document(),
            "seeds": capabilities.seeds,
            "json_schema": capabilities.json_schema,
            "tools": capabilities.tools,
            "images": capabilities.images,
            "logprobs": capabilities.logprobs,
            "answer": storable(completion.text)[:SHOWN_CHARACTERS],
            "milliseconds": round((time.monotonic() - started) * 1000),
        }
    finally:
        backend.close()
