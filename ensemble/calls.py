"""One call to a model, with its retries, outcome and label. Runs in pool threads and never touches the database."""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from threading import Event
from time import perf_counter

from ensemble.backends.base import Backend, Completion, CompletionRequest
from ensemble.detectors import Detector, Finding
from ensemble.detectors.normalise import group_key
from ensemble.detectors.refusal import is_refusal
from ensemble.errors import EndpointError
from ensemble.protocol import (
    DETECTED_REFUSALS,
    Arm,
    Label,
    Outcome,
    canonical_json,
    derive_seed,
    encode_text,
    salted_sha256,
    sha256_hex,
)

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes no NUL, UTF-8 no lone surrogate
BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)  # half a minute in all: a model server has restarted by then
LONGEST_WAIT_SECONDS = 60.0  # a server that asks for more is treated as failed rather than holding a slot


@dataclass(frozen=True, kw_only=True)
class CallPlan:
    """What the calls of one arm have in common."""

    arm: Arm
    position: int
    protocol_sha256: str
    detector: Detector
    refusal_phrases: tuple[str, ...]
    max_attempts: int


@dataclass(frozen=True, kw_only=True)
class Call:
    """A recorded call: an answer, or an attempt that failed (`outcome` failed, `reason` why)."""

    index: int
    seed: int
    attempt: int
    outcome: Outcome
    label: Label | None
    reason: str
    text: str
    raw: bytes
    salts: bytes
    request_sha256: str
    response_sha256: str
    text_sha256: str
    answer_sha256: str
    group_sha256: str
    completion: Completion | None
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class CallResult:
    """All attempts of one index; `failure` is set when none of them brought an answer."""

    index: int
    calls: tuple[Call, ...]
    failure: EndpointError | None = None
    interrupted: bool = False  # the worker is stopping: the index is left for the next claim


def storable(text: str) -> str:
    """`text` with what no database takes replaced by U+FFFD; the exact bytes stay in the raw response."""
    return UNSTORABLE.sub("\ufffd", text)


def make_call(
    backend: Backend, plan: CallPlan, index: int, *, first_attempt: int = 1, stop: Event
) -> CallResult:
    """Call the model for run `index`, with the same seed at every attempt, until an answer arrives or hope ends."""
    seed = derive_seed(plan.protocol_sha256, plan.position, index)
    request = CompletionRequest(messages=plan.arm.messages, sampling=plan.arm.sampling, seed=seed)
    calls: list[Call] = []
    for attempt in range(first_attempt, first_attempt + plan.max_attempts):
        started = perf_counter()
        try:
            completion = backend.complete(request)
        except EndpointError as error:
            calls.append(_failed_call(plan, request, index, attempt, error=error, started=started))
            last = attempt == first_attempt + plan.max_attempts - 1
            if not error.transient or last:
                return CallResult(index=index, calls=tuple(calls), failure=error)
            if stop.wait(_backoff_seconds(attempt - first_attempt, error)):
                return CallResult(index=index, calls=tuple(calls), interrupted=True)
            continue
        calls.append(_answered_call(plan, request, completion, index=index, attempt=attempt))
        return CallResult(index=index, calls=tuple(calls))
    raise AssertionError("the loop returns")


def _backoff_seconds(failures: int, error: EndpointError) -> float:
    """Exponential with jitter, so that workers do not return in step; the server's own word goes first."""
    if error.retry_after_seconds is not None:
        return min(error.retry_after_seconds, LONGEST_WAIT_SECONDS)
    base = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
    return base * random.uniform(0.75, 1.25)  # noqa: S311 (no secret, and nothing measured depends on it)


def _hashes(plan: CallPlan, request: CompletionRequest, raw: bytes, text: str) -> tuple[bytes, str, str, str]:
    salts = os.urandom(48)
    body = canonical_json(request.document(plan.arm.model))
    return (
        salts,
        salted_sha256(salts[:16], body),
        salted_sha256(salts[16:32], raw),
        salted_sha256(salts[32:], encode_text(text)),
    )


def _answered_call(
    plan: CallPlan, request: CompletionRequest, completion: Completion, *, index: int, attempt: int
) -> Call:
    outcome, finding = classify(plan, completion)
    salts, request_sha, response_sha, text_sha = _hashes(plan, request, completion.raw, completion.text)
    return Call(
        index=index,
        seed=request.seed,
        attempt=attempt,
        outcome=outcome,
        label=finding.label,
        reason=storable(finding.reason),
        text=storable(completion.text),
        raw=completion.raw,
        salts=salts,
        request_sha256=request_sha,
        response_sha256=response_sha,
        text_sha256=text_sha,
        answer_sha256=sha256_hex(encode_text(completion.text)),
        group_sha256=sha256_hex(encode_text(group_key(completion.text))),
        completion=completion,
        duration_ms=round(completion.duration_seconds * 1000),
    )


def classify(plan: CallPlan, completion: Completion) -> tuple[Outcome, Finding]:
    """How the call ended and what the detector says of its answer. A refusal is not the error (statistics: counts).

    To a control, whose true answer is known, it is an answer like any other.
    """
    is_apart = plan.arm.purpose not in DETECTED_REFUSALS
    if is_apart and (completion.refused or is_refusal(completion.text, plan.refusal_phrases)):
        return Outcome.REFUSED, Finding(label=Label.NO_ERROR, reason="refused")
    truncated = completion.finish_reason == "length"
    outcome = Outcome.TRUNCATED if truncated else Outcome.ANSWERED
    return outcome, plan.detector.detect(completion.text, truncated=truncated)


def _failed_call(
    plan: CallPlan,
    request: CompletionRequest,
    index: int,
    attempt: int,
    *,
    error: EndpointError,
    started: float,
) -> Call:
    message = storable(str(error))
    try:
        salts, request_sha, response_sha, text_sha = _hashes(plan, request, b"", "")
    except UnicodeEncodeError:  # a prompt no JSON can carry; the adapter refused it, so there was no request
        salts, request_sha, response_sha, text_sha = os.urandom(48), "", "", ""
    return Call(
        index=index,
        seed=request.seed,
        attempt=attempt,
        outcome=Outcome.FAILED,
        label=None,
        reason=message,
        text="",
        raw=b"",
        salts=salts,
        request_sha256=request_sha,
        response_sha256=response_sha,
        text_sha256=text_sha,
        answer_sha256="",
        group_sha256="",
        completion=None,
        duration_ms=round((perf_counter() - started) * 1000),
    )
