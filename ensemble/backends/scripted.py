"""An endpoint that answers by a script instead of a model: for tests, validation and measuring overhead.

Every answer, delay and fault is a pure function of the seed, so a call made twice gives the same answer twice.
Options: one source of answers,

* `distribution`: [{"text": "…", "share": "0.3"}, …], shares are decimal strings that sum to exactly 1;
* `answers`: ["…", …], each as likely as the others;
* `callable`: a Python function `(seed, request) -> str | Completion`, given in code only; what it raises is raised;
* `script`: ["…", …], given out in order by each opened backend, then a permanent error (unit tests only);

and, if wanted,

* `latency_seconds`: "0.01", or a range ["0", "0.05"] from which the seed draws; `latency_by_text`: {"…": the same};
* `faults`: [{"share": "0.1", "kind": "…", "attempts": 1, "retry_after_seconds": "2"}, …]. Kinds `transient`, `timeout`
  and `garbage` fail the first `attempts` calls of a seed in this process, `permanent` always; `empty`, `length`,
  `refusal`, `huge`, `nul` and `surrogate` alter the answer. The faults' shares sum to at most 1.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from typing import Any, Generic, TypeVar

from ensemble.backends.base import (
    Capabilities,
    Completion,
    CompletionRequest,
    EndpointConfig,
    Identity,
    require_sendable,
)
from ensemble.errors import EndpointError
from ensemble.protocol import sha256_hex

SOURCES = ("distribution", "answers", "callable", "script")
EXTRAS = ("latency_seconds", "latency_by_text", "faults")
FAILING = ("transient", "timeout", "garbage", "permanent")
REFUSAL = "I'm sorry, but I can't help with that."
HUGE_CHARACTERS = 1_000_000
DRAWS = 1 << 64
T = TypeVar("T")

Answer = str | Completion
Source = Callable[[int, CompletionRequest], Answer]


class ScriptedBackend:
    """Answers by script; see the module's text for the options."""

    def __init__(self, config: EndpointConfig) -> None:
        options = config.options
        self._timeout = config.timeout_seconds
        self._name = config.model or "scripted"
        self._seeds = "absent" if "script" in options else "replayable"
        self._digest = sha256_hex(_describe(options).encode("ascii"))
        try:
            self._source = _read_source(options)
            self._faults = _read_faults(options.get("faults", ()))
            self._latency = _read_latency(options.get("latency_seconds", "0"))
            by_text = dict(options.get("latency_by_text", {}))
            self._latency_by_text = {text: _read_latency(value) for text, value in by_text.items()}
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise EndpointError(
                f"The script of the endpoint is not valid: {error}.", transient=False
            ) from error

    @classmethod
    def from_list(cls, items: Sequence[Answer | Exception], *, name: str = "scripted") -> ScriptedBackend:
        """A backend that gives out (or raises) `items` in order, and then fails loudly."""
        return cls(EndpointConfig(name=name, backend="scripted", options={"script": list(items)}))

    def complete(self, request: CompletionRequest) -> Completion:
        require_sendable(request)
        started = time.perf_counter()
        fault = self._faults.pick(draw(request.seed, "fault")) if self._faults else None
        if fault and fault.kind in FAILING:
            self._fail(fault, request.seed)
        answer = self._source(request.seed, request)
        if isinstance(answer, Completion):  # whole replies are given as they are
            self._wait(request.seed, answer.text)
            return replace(answer, duration_seconds=time.perf_counter() - started)
        reply: dict[str, Any] = {"text": answer, "finish_reason": "stop", "refused": False}
        if fault and fault.kind in ALTERATIONS:
            reply |= ALTERATIONS[fault.kind](answer)
        self._wait(request.seed, reply["text"])
        return self._build_completion(request, reply, time.perf_counter() - started)

    def capabilities(self) -> Capabilities:
        return Capabilities(seeds=self._seeds)

    def identity(self) -> Identity:
        return Identity(
            name=self._name, digest=self._digest, family="scripted", server="Casebook's scripted endpoint"
        )

    def close(self) -> None:
        """Nothing is held open."""

    def _build_completion(
        self, request: CompletionRequest, reply: Mapping[str, Any], duration: float
    ) -> Completion:
        """`reply` as a Completion; words stand for tokens."""
        return Completion(
            text=reply["text"],
            finish_reason=reply["finish_reason"],
            raw=json.dumps(reply).encode("ascii"),
            prompt_tokens=sum(len(message.content.split()) for message in request.messages),
            completion_tokens=len(reply["text"].split()),
            duration_seconds=duration,
            refused=reply["refused"],
            model=self._name,
        )

    def _fail(self, fault: Fault, seed: int) -> None:
        if fault.kind == "permanent":
            raise EndpointError("The script refuses this call for good.", transient=False)
        if _attempts.count((self._digest, seed)) > fault.attempts:
            return
        messages = {
            "transient": "The script fails this call for now.",
            "timeout": f"The scripted endpoint gave no answer within {self._timeout:g} seconds.",
            "garbage": "The scripted endpoint's reply cannot be read.",
        }
        raise EndpointError(
            messages[fault.kind], transient=True, retry_after_seconds=fault.retry_after_seconds
        )

    def _wait(self, seed: int, text: str) -> None:
        low, high = self._latency_by_text.get(text, self._latency)
        if high <= 0:
            return
        seconds = low + (high - low) * draw(seed, "latency") / DRAWS
        time.sleep(min(seconds, self._timeout))
        if seconds > self._timeout:
            message = f"The scripted endpoint gave no answer within {self._timeout:g} seconds."
            raise EndpointError(message, transient=True)


def draw(seed: int, purpose: str) -> int:
    """A number from 0 to 2^64 - 1 that follows from the seed alone; different purposes draw independently."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{seed}".encode("ascii")).digest()[:8], "big")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with a share of the seeds."""

    kind: str
    attempts: int = 1
    retry_after_seconds: float | None = None


class Shares(Generic[T]):
    """Items chosen by a draw in proportion to exact shares; the rest of the range, if any, gives None."""

    def __init__(self, items: Sequence[T], shares: Sequence[Fraction]) -> None:
        if any(share < 0 for share in shares) or sum(shares) > 1:
            raise ValueError("shares are at least 0 and sum to at most 1")
        self._items = tuple(items)
        self._ends = [end.numerator * DRAWS // end.denominator for end in accumulate(shares)]

    def pick(self, drawn: int) -> T | None:
        position = bisect_right(self._ends, drawn)
        return self._items[position] if position < len(self._items) else None


class Attempts:
    """How often each seed of each script was called in this process: a worker opens its backends many times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, int]] = Counter()

    def count(self, key: tuple[str, int]) -> int:
        """Count one more call and return how many there were."""
        with self._lock:
            self._calls[key] += 1
            return self._calls[key]

    def forget(self) -> None:
        """Start counting anew, as a new process would."""
        with self._lock:
            self._calls.clear()


_attempts = Attempts()
forget_attempts = _attempts.forget


# Reading the options


def _describe(options: Mapping[str, Any]) -> str:
    """The options in one form that changes when any of them does: sorted ASCII JSON; functions by their name."""

    def describe_object(value: Any) -> str:
        return f"{value.__module__}.{value.__qualname__}" if callable(value) else repr(value)

    return json.dumps(dict(options), sort_keys=True, separators=(",", ":"), default=describe_object)


def _read_source(options: Mapping[str, Any]) -> Source:
    unknown = sorted(set(options) - {*SOURCES, *EXTRAS})
    given = [name for name in SOURCES if name in options]
    if unknown or len(given) != 1:
        raise ValueError(
            f"there is no option “{unknown[0]}”" if unknown else f"give one of {', '.join(SOURCES)}"
        )
    kind, value = given[0], options[given[0]]
    readers: dict[str, Callable[[Any], Source]] = {
        "distribution": lambda items: _draw_answers(_read_distribution(items)),
        "answers": lambda answers: _draw_answers(_share_equally(answers)),
        "callable": lambda function: function,
        "script": _follow_script,
    }
    return readers[kind](value)


def _draw_answers(answers: Shares[str]) -> Source:
    def pick_answer(seed: int, _request: CompletionRequest) -> Answer:
        answer = answers.pick(draw(seed, "answer"))
        assert answer is not None  # the shares sum to 1
        return answer

    return pick_answer


def _read_distribution(items: Sequence[Mapping[str, Any]]) -> Shares[str]:
    shares = [_read_decimal(item["share"]) for item in items]
    if sum(shares) != 1:
        raise ValueError("the shares of the answers must sum to exactly 1")
    return Shares([str(item["text"]) for item in items], shares)


def _share_equally(answers: Sequence[str]) -> Shares[str]:
    if not answers:
        raise ValueError("there must be at least one answer")
    return Shares(answers, [Fraction(1, len(answers)) for _ in answers])


def _follow_script(items: Sequence[Answer | Exception]) -> Source:
    remaining = iter(list(items))
    lock = threading.Lock()

    def take_next(_seed: int, _request: CompletionRequest) -> Answer:
        with lock:
            item = next(remaining, None)
        if item is None:
            raise EndpointError(
                "The script has ended: it holds fewer answers than were asked for.", transient=False
            )
        if isinstance(item, Exception):
            raise item
        return item

    return take_next


def _read_faults(faults: Sequence[Mapping[str, Any]]) -> Shares[Fault] | None:
    items, shares = [], []
    for fault in faults:
        kind, wait = str(fault["kind"]), fault.get("retry_after_seconds")
        if kind not in FAILING and kind not in ALTERATIONS:
            raise ValueError(f"there is no fault of the kind “{kind}”")
        retry = None if wait is None else float(_read_decimal(wait))
        items.append(Fault(kind=kind, attempts=int(fault.get("attempts", 1)), retry_after_seconds=retry))
        shares.append(_read_decimal(fault["share"]))
    return Shares(items, shares) if items else None


def _read_latency(value: Any) -> tuple[float, float]:
    low, high = value if isinstance(value, list | tuple) else (value, value)
    return float(_read_decimal(low)), float(_read_decimal(high))


def _read_decimal(value: Any) -> Fraction:
    if isinstance(value, float):
        raise TypeError(f"decimals are given as text, like “{value}”")
    return Fraction(value)


ALTERATIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "empty": lambda answer: {"text": ""},
    "length": lambda answer: {"text": answer[: len(answer) // 2], "finish_reason": "length"},
    "refusal": lambda answer: {"text": REFUSAL, "refused": True},
    "huge": lambda answer: {"text": answer + " " + "x" * HUGE_CHARACTERS},
    "nul": lambda answer: {"text": answer + "\0"},
    "surrogate": lambda answer: {"text": answer + "\ud800"},
}
