"""The Ollama adapter against a server that speaks Ollama's interface on 127.0.0.1."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.backends import open_backend
from ensemble.backends.base import CompletionRequest, EndpointConfig
from ensemble.backends.ollama import OllamaBackend
from ensemble.backends.ollama_replies import (
    describe_model,
    describe_place,
    find_model,
    list_names,
    read_completion,
    translate_status,
)
from ensemble.errors import EndpointError
from ensemble.protocol import Message, Sampling, encode_text
from tests.ensemble.backends.ollama_server import FAULTS, TEMPLATE, OllamaServer, ServedModel

KEY = "sk-very-secret"
FIELDS = st.sampled_from(
    ["models", "name", "digest", "details", "family", "message", "content", "done", "done_reason", "error", "license",
     "template", "model_info", "general.architecture", "parameters", "system", "size", "size_vram", "context_length"]
)  # fmt: skip
PROMPT = "May I claim the bereavement refund after the trip?"


Opener = Callable[..., OllamaBackend]


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer() as running:
        yield running


@pytest.fixture
def open_ollama() -> Iterator[Opener]:
    """Opens backends and closes them after the test."""
    opened: list[OllamaBackend] = []

    def open_one(
        server: OllamaServer, *, url: str = "", model: str = "llama3.2", timeout: float = 10.0, **more: Any
    ) -> OllamaBackend:
        address = url or server.url
        config = EndpointConfig(
            name="Ollama", backend="ollama", model=model, url=address, timeout_seconds=timeout, **more
        )
        backend = open_backend(config)
        assert isinstance(backend, OllamaBackend)
        opened.append(backend)
        return backend

    yield open_one
    for backend in opened:
        backend.close()


def make_request(seed: int = 1, content: str = PROMPT, **sampling: Any) -> CompletionRequest:
    messages = (Message(role="system", content="Answer yes or no."), Message(role="user", content=content))
    return CompletionRequest(messages=messages, sampling=Sampling(**sampling), seed=seed)


def test_importing_the_adapter_does_not_import_the_client() -> None:
    code = "import sys, ensemble.backends.ollama; print({'ollama', 'httpx'} & set(sys.modules))"
    root = Path(__file__).parents[3]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"


def test_everything_that_shapes_an_answer_is_sent(server: OllamaServer, open_ollama: Opener) -> None:
    sampling = {
        "temperature": Decimal("0.7"),
        "top_p": Decimal("0.95"),
        "top_k": 20,
        "min_p": Decimal("0.05"),
        "repeat_penalty": Decimal("1.2"),
        "max_tokens": 64,
        "context_length": 4096,
        "stop": ("\n\n", "END"),
    }
    open_ollama(server).complete(make_request(2_045_362_864, **sampling))
    assert server.requests == [
        {
            "model": "llama3.2",
            "messages": [
                {"role": "system", "content": "Answer yes or no."},
                {"role": "user", "content": PROMPT},
            ],
            "stream": False,
            "truncate": False,
            "shift": False,
            "keep_alive": "30m",
            "options": {
                "temperature": 0.7,
                "top_p": 0.95,
                "top_k": 20,
                "min_p": 0.05,
                "typical_p": 1.0,
                "repeat_penalty": 1.2,
                "repeat_last_n": 64,
                "presence_penalty": 0.0,
                "frequency_penalty": 0.0,
                "seed": 2_045_362_864,
                "num_ctx": 4096,
                "num_predict": 64,
                "stop": ["\n\n", "END"],
            },
        }
    ]
    assert server.complaints == []


def test_without_stop_words_the_model_files_own_stay_in_force(
    server: OllamaServer, open_ollama: Opener
) -> None:
    open_ollama(server).complete(make_request())
    assert "stop" not in server.requests[0]["options"]


def test_an_answer_carries_text_counts_raw_bytes_and_warmth(
    server: OllamaServer, open_ollama: Opener
) -> None:
    server.answer = lambda request: "Нет. <b>No</b> & “never” 🙂"
    backend = open_ollama(server)
    first, again = backend.complete(make_request(1)), backend.complete(make_request(2))
    assert first.text == "Нет. <b>No</b> & “never” 🙂"
    assert json.loads(first.raw)["message"]["content"] == first.text
    assert b"\\u003cb\\u003e" in first.raw
    assert (first.finish_reason, first.model, first.remote) == ("stop", "llama3.2", "")
    assert (first.prompt_tokens, first.completion_tokens) == (13, 5)
    assert (first.warm, again.warm) == (False, True)
    assert 0 < first.duration_seconds < 10


def test_an_older_server_does_not_tell_whether_the_prompt_was_warm(
    server: OllamaServer, open_ollama: Opener
) -> None:
    reply = json.loads(open_ollama(server).complete(make_request()).raw)
    del reply["prompt_eval_cached_count"], reply["eval_count"]
    completion = read_completion(json.dumps(reply).encode(), 1.0)
    assert completion.warm is None
    assert completion.completion_tokens is None


def test_an_answer_cut_by_its_limit_says_length(server: OllamaServer, open_ollama: Opener) -> None:
    server.answer = lambda request: "one two three four"
    answer = open_ollama(server).complete(make_request(max_tokens=2))
    assert (answer.text, answer.finish_reason) == ("one two", "length")


def test_each_seed_has_its_answer_in_any_order_and_thread(server: OllamaServer, open_ollama: Opener) -> None:
    backend = open_ollama(server, concurrency=8)
    server.delay_seconds = 0.01
    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda seed: backend.complete(make_request(seed)).text, range(40)))
        again = list(pool.map(lambda seed: backend.complete(make_request(seed)).text, range(39, -1, -1)))
    assert again[::-1] == first
    assert set(first) == {"Yes.", "No."}
    assert 2 <= server.busiest <= 8


# Faults


TRANSIENT = {
    "queue full": "queue is full",
    "busy": "queue is full",
    "failed": "failed",
    "garbage": "not an answer of Ollama",
    "nested": "not an answer of Ollama",
    "html": "web page",
    "array": "not an answer of Ollama",
    "no message": "no message",
    "null content": "no message",
    "cut": "broke off",
    "silence": "broke off",
    "load": "unfinished.*load",
    "unfinished": "unfinished",
    "slow": r"within 0\.5 seconds",
    "drip": r"within 0\.5 seconds",
}
PERMANENT = {
    "unauthorised": "refuses the key",
    "forbidden": "refuses the call",
    "memory": "too little free memory",
    "too long": "longer than 8,000,000 bytes",
    "redirect": "redirects are not followed",
    "packed": "compressed",
}
KEPT = {"long", "remote", "surrogate", "nul", "thinking"}


def test_every_fault_of_the_server_is_tested() -> None:
    assert {*TRANSIENT, *PERMANENT, *KEPT} == set(FAULTS)


@pytest.mark.parametrize("fault", [*TRANSIENT, *PERMANENT])
def test_a_fault_is_named_without_key_or_prompt(
    server: OllamaServer, open_ollama: Opener, fault: str
) -> None:
    server.fault = fault
    timeout = 0.5 if fault in {"slow", "drip"} else 30
    started = time.perf_counter()
    with pytest.raises(EndpointError, match={**TRANSIENT, **PERMANENT}[fault]) as caught:
        open_ollama(server, timeout=timeout, api_key=KEY).complete(make_request())
    assert caught.value.transient == (fault in TRANSIENT)
    assert KEY not in repr(caught.value)
    assert "bereavement" not in repr(caught.value)
    assert time.perf_counter() - started < 10


def test_a_fault_that_passes_leaves_the_backend_usable(server: OllamaServer, open_ollama: Opener) -> None:
    backend = open_ollama(server)
    for fault in ("cut", "silence", "queue full", "garbage"):
        server.fault, server.fault_calls = fault, 1
        with pytest.raises(EndpointError):
            backend.complete(make_request())
        assert backend.complete(make_request()).finish_reason == "stop"


def test_a_million_characters_are_kept_whole(server: OllamaServer, open_ollama: Opener) -> None:
    server.fault = "long"
    assert len(open_ollama(server).complete(make_request()).text) == 1_000_000


def test_half_characters_and_nul_survive_in_answers(server: OllamaServer, open_ollama: Opener) -> None:
    server.fault = "surrogate"
    text = open_ollama(server).complete(make_request()).text
    assert text == "half \ud83d a smile"
    assert len(hashlib.sha256(encode_text(text)).hexdigest()) == 64
    server.fault = "nul"
    assert open_ollama(server).complete(make_request()).text == "before\0after"


def test_what_a_model_thinks_is_not_its_answer(server: OllamaServer, open_ollama: Opener) -> None:
    server.fault = "thinking"
    answer = open_ollama(server).complete(make_request())
    assert "policy" not in answer.text
    assert b"policy" in answer.raw


def test_an_answer_from_elsewhere_says_so(server: OllamaServer, open_ollama: Opener) -> None:
    server.fault = "remote"
    assert open_ollama(server).complete(make_request()).remote == "https://ollama.com:443"


def test_retry_after_is_passed_on(server: OllamaServer, open_ollama: Opener) -> None:
    server.fault = "busy"
    with pytest.raises(EndpointError) as caught:
        open_ollama(server).complete(make_request())
    assert caught.value.retry_after_seconds == 7
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    wait = translate_status(503, b"", {"retry-after": soon}, "m").retry_after_seconds
    assert wait is not None
    assert 50 < wait <= 60
    assert translate_status(503, b"", {"retry-after": "soon"}, "m").retry_after_seconds is None


def test_an_over_long_prompt_is_a_permanent_error(server: OllamaServer, open_ollama: Opener) -> None:
    with pytest.raises(EndpointError, match="longer than the context") as caught:
        open_ollama(server).complete(make_request(content="word " * 3000))
    assert not caught.value.transient
    assert server.complaints == []


def test_a_missing_model_says_how_to_fetch_it(server: OllamaServer, open_ollama: Opener) -> None:
    backend = open_ollama(server, model="mistral")
    for call in (lambda: backend.complete(make_request()), backend.identity):
        with pytest.raises(EndpointError, match=r"“mistral”.*ollama pull mistral") as caught:
            call()
        assert not caught.value.transient
    with pytest.raises(EndpointError, match="Choose a model"):
        open_ollama(server, model="").complete(make_request())


def test_a_server_that_is_no_ollama_is_named_so(server: OllamaServer, open_ollama: Opener) -> None:
    with pytest.raises(EndpointError, match="no Ollama at this address"):
        open_ollama(server, url=server.url + "/some/path").complete(make_request())


def test_a_closed_port_is_a_transient_error(server: OllamaServer, open_ollama: Opener) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses connections
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EndpointError, match="cannot be reached") as caught:
            open_ollama(server, url=url).complete(make_request())
        assert caught.value.transient


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1:11434",
        "http://",
        "http://user:password@127.0.0.1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1/?a=b",
        "http://[::1",
        "http://127.0.0.1\x01",
    ],
)
def test_an_address_that_is_not_plain_http_is_refused(url: str) -> None:
    with pytest.raises(EndpointError, match="address must look like") as caught:
        open_backend(EndpointConfig(name="o", backend="ollama", model="m", url=url))
    assert not caught.value.transient
    assert "password@" not in str(caught.value)


@pytest.mark.parametrize("options", [{"temperature": 1}, {"think": "deeply"}])
def test_a_wrong_option_is_refused(
    server: OllamaServer, open_ollama: Opener, options: dict[str, Any]
) -> None:
    with pytest.raises(EndpointError, match="option"):
        open_ollama(server, options=options)


def test_think_is_sent_when_asked_and_its_refusal_understood(
    server: OllamaServer, open_ollama: Opener
) -> None:
    with pytest.raises(EndpointError, match="does not think") as caught:
        open_ollama(server, options={"think": True, "keep_alive": "1h"}).complete(make_request())
    assert not caught.value.transient
    assert (server.requests[0]["think"], server.requests[0]["keep_alive"]) == (True, "1h")


def test_only_the_endpoints_own_key_is_sent(
    server: OllamaServer, open_ollama: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "of-the-surroundings")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    open_ollama(server).complete(make_request())
    assert "authorization" not in server.headers[0]
    server.api_key = KEY
    backend = open_ollama(server, api_key=KEY)
    assert backend.complete(make_request()).text
    assert backend.identity().server == "Ollama 0.33.2"
    with pytest.raises(EndpointError, match="refuses the key") as caught:
        open_ollama(server, api_key="wrong-key").identity()
    assert "wrong-key" not in str(caught.value)


@pytest.mark.parametrize("key", ["line\nbreak", "ключ", "nul\0"])
def test_a_key_that_no_header_can_carry_is_refused_unshown(
    server: OllamaServer, open_ollama: Opener, key: str
) -> None:
    with pytest.raises(EndpointError, match="key holds") as caught:
        open_ollama(server, api_key=key)
    assert key not in str(caught.value)


def test_a_stop_word_with_half_a_character_is_never_sent(server: OllamaServer, open_ollama: Opener) -> None:
    with pytest.raises(EndpointError, match="surrogate"):
        open_ollama(server).complete(make_request(stop=("\ud800",)))


def test_a_prompt_with_half_a_character_is_never_sent(server: OllamaServer, open_ollama: Opener) -> None:
    with pytest.raises(EndpointError, match="surrogate") as caught:
        open_ollama(server).complete(make_request(content="a \udc00 b"))
    assert not caught.value.transient
    assert server.requests == []


def test_hostile_prompts_arrive_unchanged(server: OllamaServer, open_ollama: Opener) -> None:
    content = "\0 </script> \u202e {{7*7}} \\ud800 \r\n'\"; DROP TABLE; 🙂ё"
    open_ollama(server).complete(make_request(content=content))
    assert server.requests[0]["messages"][1]["content"] == content


# What is on the server


def test_identity_tells_the_model_build(server: OllamaServer, open_ollama: Opener) -> None:
    backend = open_ollama(server)
    before = backend.identity()
    assert before.name == "llama3.2:latest"
    assert before.digest.startswith("a80c4f17")
    assert (before.family, before.parameter_size, before.quantisation) == ("llama", "3.2B", "Q4_K_M")
    assert before.template_sha256 == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert (before.context_length, before.server) == (131_072, "Ollama 0.33.2")
    assert before.licence == "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT"
    assert (before.hardware, before.notes) == ("", "")
    backend.complete(make_request())
    loaded = backend.identity()
    assert (loaded.hardware, loaded.notes) == ("GPU", "Loaded with a context of 2048 tokens.")
    assert loaded.same_model(before)


def test_another_build_under_the_same_name_is_another_model(
    server: OllamaServer, open_ollama: Opener
) -> None:
    backend = open_ollama(server)
    before = backend.identity()
    server.models[0].digest = "b" * 64
    assert not backend.identity().same_model(before)
    server.models[0] = ServedModel(template="{{ .Prompt }}")
    assert not backend.identity().same_model(before)


def test_identity_notes_what_the_model_file_adds(open_ollama: Opener) -> None:
    parameters = 'stop                           "<|eot_id|>"'
    extra = ServedModel(name="clerk:latest", system="You are a clerk.", parameters=parameters)
    cloud = ServedModel(name="gpt-oss:120b", remote_host="https://ollama.com:443")
    with OllamaServer(models=[extra, cloud]) as server:
        notes = open_ollama(server, model="clerk").identity().notes
        assert "system prompt of its own" in notes
        assert "stop words of its own" in notes
        assert "cloud: https://ollama.com:443" in open_ollama(server, model="gpt-oss:120b").identity().notes
        assert open_ollama(server, model="").list_models() == ["clerk:latest", "gpt-oss:120b"]


def test_where_a_model_lies_is_told_as_far_as_known() -> None:
    assert describe_place({}) == ""
    assert describe_place({"size": 100, "size_vram": 0}) == "CPU"
    assert describe_place({"size": 100}) == "CPU"
    assert describe_place({"size": 100, "size_vram": 100}) == "GPU"
    assert describe_place({"size": 100, "size_vram": 63}).startswith("63%")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_whatever_a_server_says_is_an_answer_or_an_endpoint_error(one: Any, two: Any, three: Any) -> None:
    for value in (
        one,
        {"message": one, "done": True, "done_reason": two},
        {"message": {"content": "a"}, "done": True, "done_reason": two},
        {"message": {"content": "a"}, "done": one},
    ):
        with suppress(EndpointError):
            assert isinstance(read_completion(json.dumps(value).encode(), 0.0).text, str)
    objects = [value if isinstance(value, dict) else {"models": value} for value in (one, two, three)]
    assert all(isinstance(name, str) for name in list_names(objects[0]))
    find_model(objects[0], "m")
    assert describe_model(*objects, "1").document()
    error = translate_status(400, json.dumps(one).encode(), {"retry-after": str(two)}, "m")
    assert not error.transient


def test_seeds_are_best_effort(server: OllamaServer, open_ollama: Opener) -> None:
    assert open_ollama(server).capabilities().seeds == "best effort"
