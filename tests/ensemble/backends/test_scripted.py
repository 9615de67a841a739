from __future__ import annotations

import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.backends import open_backend
from ensemble.backends.base import Backend, Completion, CompletionRequest, EndpointConfig
from ensemble.backends.scripted import HUGE_CHARACTERS, ScriptedBackend, forget_attempts
from ensemble.errors import EndpointError
from ensemble.protocol import Message, Sampling

THIRDS = [{"text": "Yes.", "share": "0.3"}, {"text": "No.", "share": "0.7"}]


def open_scripted(*, timeout: float = 120.0, **options: Any) -> Backend:
    config = EndpointConfig(name="Scripted", backend="scripted", options=options, timeout_seconds=timeout)
    return open_backend(config)


def make_request(seed: int, content: str = "May I claim it?") -> CompletionRequest:
    return CompletionRequest(
        messages=(Message(role="user", content=content),), sampling=Sampling(), seed=seed
    )


def answer_texts(backend: Backend, seeds: range) -> list[str]:
    return [backend.complete(make_request(seed)).text for seed in seeds]


def test_answers_follow_from_the_seed_alone() -> None:
    seeds = range(500)
    first = answer_texts(open_scripted(distribution=THIRDS), seeds)
    shuffled = list(seeds)
    random.Random(1).shuffle(shuffled)
    backend = open_scripted(distribution=THIRDS)
    with ThreadPoolExecutor(8) as pool:
        again = dict(
            zip(shuffled, pool.map(lambda s: backend.complete(make_request(s)).text, shuffled), strict=True)
        )
    assert [again[seed] for seed in seeds] == first


def test_shares_are_met_within_four_standard_errors() -> None:
    counts = Counter(answer_texts(open_scripted(distribution=THIRDS), range(20_000)))
    assert set(counts) == {"Yes.", "No."}
    assert abs(counts["Yes."] / 20_000 - 0.3) < 4 * (0.3 * 0.7 / 20_000) ** 0.5


def test_answers_without_shares_are_equally_likely() -> None:
    counts = Counter(answer_texts(open_scripted(answers=["a", "b", "c"]), range(9_000)))
    assert all(abs(counts[text] / 9_000 - 1 / 3) < 0.02 for text in "abc")


def test_an_answer_without_a_share_is_never_given() -> None:
    never = [{"text": "Never", "share": "0"}, {"text": "Always", "share": "1"}]
    assert set(answer_texts(open_scripted(distribution=never), range(2_000))) == {"Always"}


def test_one_thousandth_shares_sum_exactly() -> None:
    many = [{"text": str(i), "share": "0.001"} for i in range(1000)]
    assert len(set(answer_texts(open_scripted(distribution=many), range(8_000)))) > 990


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({}, "give one of"),
        ({"answers": ["a"], "script": ["b"]}, "give one of"),
        ({"answers": ["a"], "latency": "1"}, "latency"),
        ({"answers": []}, "at least one"),
        ({"distribution": [{"text": "a", "share": "0.9"}]}, "exactly 1"),
        ({"distribution": [{"text": "a", "share": "0.9999999999999999999999"}]}, "exactly 1"),
        ({"distribution": [{"text": "a", "share": "1.1"}, {"text": "b", "share": "-0.1"}]}, "at least 0"),
        ({"distribution": [{"text": "a", "share": 1.0}]}, "given as text"),
        ({"distribution": [{"share": "1"}]}, "text"),
        ({"answers": ["a"], "latency_seconds": 0.5}, "given as text"),
        ({"answers": ["a"], "faults": [{"share": "0.1", "kind": "explosion"}]}, "explosion"),
        ({"answers": ["a"], "faults": [{"share": "0.6", "kind": "nul"}] * 2}, "at most 1"),
    ],
)
def test_a_wrong_script_is_refused_with_its_reason(options: dict[str, Any], word: str) -> None:
    with pytest.raises(EndpointError, match=word) as caught:
        open_scripted(**options)
    assert not caught.value.transient


def test_a_callable_may_answer_build_a_reply_or_raise() -> None:
    whole = Completion(text="whole", finish_reason="length", raw=b"{}", remote="elsewhere", refused=True)

    def answer(seed: int, request: CompletionRequest) -> str | Completion:
        if seed == 2:
            raise EndpointError("busy", transient=True, retry_after_seconds=3)
        return whole if seed == 1 else request.messages[0].content.upper()

    backend = open_scripted(callable=answer)
    assert backend.complete(make_request(0, "hello")).text == "HELLO"
    reply = backend.complete(make_request(1))
    assert (reply.text, reply.finish_reason, reply.remote, reply.refused) == (
        "whole",
        "length",
        "elsewhere",
        True,
    )
    with pytest.raises(EndpointError, match="busy"):
        backend.complete(make_request(2))


def test_a_list_ends_loudly() -> None:
    whole = Completion(text="second", finish_reason="stop", raw=b"{}")
    backend = ScriptedBackend.from_list(["first", whole, EndpointError("third", transient=True), "fourth"])
    assert backend.capabilities().seeds == "absent"
    assert backend.complete(make_request(9)).text == "first"
    assert backend.complete(make_request(9)).text == "second"
    with pytest.raises(EndpointError, match="third"):
        backend.complete(make_request(9))
    assert backend.complete(make_request(9)).text == "fourth"
    for _ in range(2):
        with pytest.raises(EndpointError, match="script has ended") as caught:
            backend.complete(make_request(9))
        assert not caught.value.transient


def test_a_list_gives_every_item_once_to_many_threads() -> None:
    items = [str(i) for i in range(400)]
    backend = open_scripted(script=items)
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda seed: backend.complete(make_request(seed)).text, range(400)))
    assert sorted(texts) == sorted(items)


@pytest.mark.parametrize("kind", ["transient", "timeout", "garbage"])
def test_a_passing_fault_ends_after_its_attempts_even_for_another_backend(kind: str) -> None:
    forget_attempts()
    fault = {"share": "1", "kind": kind, "attempts": 2, "retry_after_seconds": "1.5"}
    for _ in range(2):
        with pytest.raises(EndpointError) as caught:
            open_scripted(answers=["a"], faults=[fault]).complete(make_request(5))
        assert caught.value.transient
        assert caught.value.retry_after_seconds == 1.5
    assert open_scripted(answers=["a"], faults=[fault]).complete(make_request(5)).text == "a"
    with pytest.raises(EndpointError):
        open_scripted(answers=["a"], faults=[fault]).complete(make_request(6))


def test_a_permanent_fault_stays() -> None:
    backend = open_scripted(answers=["a"], faults=[{"share": "1", "kind": "permanent"}])
    for _ in range(3):
        with pytest.raises(EndpointError) as caught:
            backend.complete(make_request(5))
        assert not caught.value.transient


def test_faults_strike_their_share_of_the_seeds_independently_of_the_answer() -> None:
    backend = open_scripted(distribution=THIRDS, faults=[{"share": "0.1", "kind": "nul"}])
    texts = answer_texts(backend, range(20_000))
    struck = [text for text in texts if text.endswith("\0")]
    assert abs(len(struck) / 20_000 - 0.1) < 0.01
    assert abs(struck.count("Yes.\0") / len(struck) - 0.3) < 0.05


@pytest.mark.parametrize(
    ("kind", "text", "finish", "refused"),
    [
        ("empty", "", "stop", False),
        ("length", "abc", "length", False),
        ("refusal", "I'm sorry, but I can't help with that.", "stop", True),
        ("huge", "abcdef " + "x" * HUGE_CHARACTERS, "stop", False),
        ("nul", "abcdef\0", "stop", False),
        ("surrogate", "abcdef\ud800", "stop", False),
    ],
)
def test_altered_answers(kind: str, text: str, finish: str, refused: bool) -> None:
    reply = open_scripted(answers=["abcdef"], faults=[{"share": "1", "kind": kind}]).complete(make_request(1))
    assert (reply.text, reply.finish_reason, reply.refused) == (text, finish, refused)
    assert json.loads(reply.raw) == {"text": text, "finish_reason": finish, "refused": refused}


def test_latency_is_fixed_drawn_by_the_seed_or_set_by_the_answer() -> None:
    fixed = open_scripted(answers=["a"], latency_seconds="0.02").complete(make_request(1))
    assert 0.02 <= fixed.duration_seconds < 1
    drawn = open_scripted(answers=["a"], latency_seconds=["0", "0.02"])
    spans = [drawn.complete(make_request(seed)).duration_seconds for seed in range(30)]
    assert min(spans) < 0.01 < max(spans)
    slow_errors = open_scripted(distribution=THIRDS, latency_by_text={"Yes.": "0.03"})
    for reply in (slow_errors.complete(make_request(seed)) for seed in range(20)):
        assert (reply.duration_seconds >= 0.03) == (reply.text == "Yes.")


def test_latency_beyond_the_time_out_is_a_transient_error_after_the_time_out() -> None:
    started = time.perf_counter()
    with pytest.raises(EndpointError, match=r"within 0\.02 seconds") as caught:
        open_scripted(answers=["a"], latency_seconds="30", timeout=0.02).complete(make_request(1))
    assert caught.value.transient
    assert time.perf_counter() - started < 5


def test_every_edit_of_the_script_changes_the_identity() -> None:
    def digest(**options: Any) -> str:
        return open_scripted(**options).identity().digest

    variants = [
        digest(answers=["a", "b"]),
        digest(answers=["b", "a"]),
        digest(answers=["a", "b"], latency_seconds="0"),
        digest(distribution=THIRDS),
        digest(distribution=THIRDS, latency_by_text={"да": "0.1"}),
        digest(callable=make_request),
        digest(callable=answer_texts),
    ]
    assert len(set(variants)) == len(variants)
    assert digest(answers=["a", "b"]) == variants[0]
    assert len(variants[0]) == 64


def test_a_prompt_that_no_endpoint_takes_is_refused() -> None:
    with pytest.raises(EndpointError, match="surrogate"):
        open_scripted(answers=["a"]).complete(make_request(1, "\ud800"))


@given(st.integers(0, 2**31 - 1), st.lists(st.integers(0, 50), min_size=1, max_size=9).filter(any))
def test_some_answer_comes_for_every_seed_and_distribution(seed: int, weights: list[int]) -> None:
    total = sum(weights)
    shares = [{"text": str(i), "share": f"{weight}/{total}"} for i, weight in enumerate(weights)]
    text = open_scripted(distribution=shares).complete(make_request(seed)).text
    assert weights[int(text)] > 0


def test_a_call_costs_microseconds() -> None:
    backend = open_scripted(distribution=THIRDS, faults=[{"share": "0.01", "kind": "empty"}])
    requests = [make_request(seed) for seed in range(2_000)]
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for request in requests:
            backend.complete(request)
        best = min(best, (time.process_time() - started) / len(requests))
    assert best < 100e-6  # about 15 measured
