"""An HTTP server on 127.0.0.1 that speaks Ollama's native interface, for tests that need one without a model.

Shapes and checks follow Ollama's own sources (api/types.go, server/routes.go, llm/llama_server.go of 0.33): durations
in nanoseconds and absent when 0, RFC 3339 times with nanoseconds, errors as {"error": "…"}. Words stand for tokens.

    with OllamaServer(answers=["Yes.", "No."]) as server:
        EndpointConfig(name="…", backend="ollama", model="llama3.2", url=server.url)

Set `server.fault` to one of FAULTS to break each answer, `server.fault_calls` to break only that many.
`server.requests` holds every chat request as it was parsed; `server.complaints` what Ollama would have ignored in one.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

FAULTS = (
    "unauthorised", "forbidden", "queue full", "busy", "failed", "memory", "garbage", "nested", "html", "array",
    "no message", "null content", "cut", "silence", "load", "unfinished", "slow", "drip", "long", "too long",
    "redirect", "packed", "remote", "surrogate", "nul", "thinking",
)  # fmt: skip

CHAT_FIELDS = {
    "model", "messages", "stream", "format", "keep_alive", "tools", "options", "think", "truncate", "shift",
    "_debug_render_only", "logprobs", "top_logprobs",
}  # fmt: skip
INTEGERS = {
    "num_keep", "seed", "num_predict", "top_k", "repeat_last_n", "num_ctx", "num_batch", "num_gpu", "main_gpu",
    "num_thread",
}  # fmt: skip
FLOATS = {
    "top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty",
}  # fmt: skip
TOO_LONG = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the "
    "context length in settings, or use a model with a longer context length"
)
TEMPLATE = "{{ if .System }}<|system|>{{ .System }}{{ end }}<|user|>{{ .Prompt }}<|assistant|>{{ .Response }}"


@dataclass
class ServedModel:
    """One model on the server."""

    name: str = "llama3.2:latest"
    digest: str = "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72"
    family: str = "llama"
    parameter_size: str = "3.2B"
    quantisation: str = "Q4_K_M"
    size: int = 2_019_393_189
    licence: str = "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\nLlama 3.2 Version Release Date: September 25, 2024"
    template: str = TEMPLATE
    system: str = ""
    parameters: str = ""
    context_length: int = 131_072
    remote_host: str = ""
    capabilities: Sequence[str] = ("completion", "tools")
    modified: datetime = field(default_factory=lambda: datetime(2026, 5, 4, 17, 37, 44, 706015, UTC))


def answer_by_seed(answers: Sequence[str]) -> Callable[[dict[str, Any]], str]:
    """A function that picks one of `answers` by a hash of the request's seed."""

    def pick(request: dict[str, Any]) -> str:
        seed = str(request.get("options", {}).get("seed", -1))
        return answers[hashlib.sha256(seed.encode()).digest()[0] % len(answers)]

    return pick


class OllamaServer:
    """The server; a context manager. `answer` maps a chat request to the model's whole text."""

    def __init__(
        self,
        *,
        models: Sequence[ServedModel] = (),
        answers: Sequence[str] = ("Yes.", "No."),
        answer: Callable[[dict[str, Any]], str] | None = None,
        delay_seconds: float = 0.0,
        api_key: str = "",
        version: str = "0.33.2",
    ) -> None:
        self.models = list(models) or [ServedModel()]
        self.answer = answer or answer_by_seed(answers)
        self.delay_seconds = delay_seconds
        self.api_key = api_key
        self.version = version
        self.fault = ""
        self.fault_calls: int | None = None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.complaints: list[str] = []
        self.loaded: dict[str, int] = {}  # model name → context length
        self.busiest = 0  # the most chat requests under way at once
        self._busy = 0
        self._cached: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def __enter__(self) -> OllamaServer:
        handler = type("Handler", (OllamaHandler,), {"owner": self})
        self._http = QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def find_model(self, name: str) -> ServedModel | None:
        wanted = name if ":" in name else f"{name}:latest"
        return next((model for model in self.models if model.name == wanted), None)

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the test."""
        self._stopping.wait(seconds)

    def take_fault(self) -> str:
        with self._lock:
            if not self.fault or self.fault_calls == 0:
                return ""
            if self.fault_calls is not None:
                self.fault_calls -= 1
            return self.fault

    def count_busy(self, change: int) -> None:
        with self._lock:
            self._busy += change
            self.busiest = max(self.busiest, self._busy)

    def count_cached(self, prompt: str) -> int:
        """How many words of the prompt were processed before (the last one is always processed again)."""
        with self._lock:
            known = prompt in self._cached
            self._cached.add(prompt)
        return max(0, len(prompt.split()) - 1) if known else 0


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that go away, as some tests make them do."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class OllamaHandler(BaseHTTPRequestHandler):
    """One request."""

    owner: OllamaServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each reply waits 40 ms for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests read `requests`."""

    def do_GET(self) -> None:
        if self._refuse_key():
            return
        routes: dict[str, Callable[[], Any]] = {
            "/": lambda: "Ollama is running",
            "/api/version": lambda: {"version": self.owner.version},
            "/api/tags": lambda: {"models": [list_entry(model) for model in self.owner.models]},
            "/api/ps": lambda: {"models": [self._loaded_entry(name) for name in list(self.owner.loaded)]},
        }
        if self.path in routes:
            self._send_json(200, routes[self.path]())
        else:
            self._send(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._refuse_key():
            return
        try:
            request = json.loads(body)
        except ValueError as error:
            self._send_json(400, {"error": str(error) if body else "missing request body"})
            return
        if self.path == "/api/chat":
            self.owner.count_busy(1)
            try:
                self._chat(request)
            finally:
                self.owner.count_busy(-1)
        elif self.path == "/api/show":
            self._show(request)
        else:
            self._send(404, b"404 page not found", "text/plain")

    # /api/show, /api/tags, /api/ps

    def _show(self, request: dict[str, Any]) -> None:
        name = request.get("model") or request.get("name") or ""
        model = self.owner.find_model(name)
        if model is None:
            self._send_json(404, {"error": f"model '{name}' not found"})
            return
        shown = {
            "license": model.licence,
            "modelfile": f'# Modelfile generated by "ollama show"\nFROM {model.name}\n',
            "parameters": model.parameters,
            "template": model.template,
            "system": model.system,
            "details": describe_details(model),
            "remote_host": model.remote_host,
            "model_info": {
                "general.architecture": model.family,
                f"{model.family}.context_length": model.context_length,
                "tokenizer.ggml.tokens": [],
            },
            "capabilities": list(model.capabilities),
            "modified_at": format_time(model.modified),
        }
        self._send_json(200, {key: value for key, value in shown.items() if value not in ("", None)})

    def _loaded_entry(self, name: str) -> dict[str, Any]:
        model = self.owner.find_model(name)
        assert model is not None
        entry = {key: value for key, value in list_entry(model).items() if key != "modified_at"}
        expires = format_time(datetime.now(UTC) + timedelta(minutes=30))
        context = self.owner.loaded[name]
        return {**entry, "expires_at": expires, "size_vram": model.size, "context_length": context}

    # /api/chat

    def _chat(self, request: dict[str, Any]) -> None:
        self.owner.requests.append(request)
        self.owner.headers.append({key.lower(): value for key, value in self.headers.items()})
        fault = self.owner.take_fault()
        refusal = self._check_chat(request) or self._fail_early(fault)
        if refusal:
            status, text, headers = refusal
            self._send_json(status, {"error": text}, headers)
            return
        self.owner.pause(self.owner.delay_seconds)
        reply = self._answer(request)
        if request.get("stream") is not False:
            self._stream(reply)
        elif fault:
            self._spoil(fault, reply)
        else:
            self._send_json(200, reply)

    def _check_chat(self, request: dict[str, Any]) -> tuple[int, str, dict[str, str]] | None:
        name = request.get("model", "")
        self.owner.complaints += [f"unknown field {key}" for key in request if key not in CHAT_FIELDS]
        if not name:
            return 400, "model is required", {}
        model = self.owner.find_model(name)
        if model is None:
            return 404, f"model '{name}' not found", {}
        if request.get("think") and "thinking" not in model.capabilities:
            return 400, f'"{name}" does not support thinking', {}
        if "completion" not in model.capabilities:
            return 400, f'"{name}" does not support chat', {}
        problem = self._check_options(request.get("options") or {})
        if problem:
            return 500, problem, {}
        return self._check_length(request, model)

    def _check_options(self, options: dict[str, Any]) -> str:
        for key, value in options.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if key in INTEGERS and not number:
                return f'option "{key}" must be of type integer'
            if key in FLOATS and not number:
                return f'option "{key}" must be of type float32'
            if key == "stop" and not (
                isinstance(value, list) and all(isinstance(item, str) for item in value)
            ):
                return 'option "stop" must be of type array'
            if key not in INTEGERS | FLOATS | {"stop", "use_mmap"}:
                self.owner.complaints.append(f"invalid option provided {key}")
        return ""

    def _check_length(
        self, request: dict[str, Any], model: ServedModel
    ) -> tuple[int, str, dict[str, str]] | None:
        context = min(int(request.get("options", {}).get("num_ctx", 4096)), model.context_length)
        self.owner.loaded[model.name] = context
        if len(join_prompt(request).split()) <= context - 1:
            return None
        if request.get("truncate") is False and request.get("shift") is False:
            return 400, TOO_LONG, {}
        self.owner.complaints.append("prompt cut in silence")
        return None

    def _fail_early(self, fault: str) -> tuple[int, str, dict[str, str]] | None:
        refusals: dict[str, tuple[int, str, dict[str, str]]] = {
            "unauthorised": (401, "unauthorized", {}),
            "forbidden": (403, "", {}),
            "queue full": (503, "server busy, please try again.  maximum pending requests exceeded", {}),
            "busy": (
                503,
                "server busy, please try again.  maximum pending requests exceeded",
                {"Retry-After": "7"},
            ),
            "failed": (500, "llama-server process has terminated: exit status 2", {}),
            "memory": (500, "model requires more system memory (48.1 GiB) than is available (9.7 GiB)", {}),
        }
        return refusals.get(fault)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        options = request.get("options") or {}
        text, reason = self.owner.answer(request), "stop"
        for stop in options.get("stop", []):
            text = text.split(stop)[0]
        words = text.split(" ")
        limit = int(options.get("num_predict", -1))
        if 0 <= limit < len(words):
            text, reason = " ".join(words[:limit]), "length"
        prompt = join_prompt(request)
        cached = self.owner.count_cached(prompt)
        reply = {
            "model": request["model"],
            "created_at": format_time(datetime.now(UTC)),
            "message": {"role": "assistant", "content": text},
            "done": True,
            "done_reason": reason,
            "total_duration": 512_046_500,
            "load_duration": 0 if cached else 101_293_400,
            "prompt_eval_count": len(prompt.split()),
            "prompt_eval_duration": 10_175_900,
            "eval_count": len(text.split()),
            "eval_duration": 173_639_000,
        }
        return {**{k: v for k, v in reply.items() if v != 0}, "prompt_eval_cached_count": cached}

    def _spoil(self, fault: str, reply: dict[str, Any]) -> None:
        message = reply["message"]
        changed: dict[str, dict[str, Any]] = {
            "no message": {"message": None},
            "null content": {"message": {"role": "assistant", "content": None}},
            "load": {"message": {"role": "assistant", "content": ""}, "done_reason": "load"},
            "unfinished": {"done_reason": ""},
            "remote": {"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"},
            "long": {"message": {**message, "content": "x" * 1_000_000}},
            "too long": {"message": {**message, "content": "x" * 9_000_000}},
            "surrogate": {"message": {**message, "content": "half \ud83d a smile"}},
            "nul": {"message": {**message, "content": "before\0after"}},
            "thinking": {"message": {**message, "thinking": "Let me think: the policy says no."}},
        }
        texts = {
            "garbage": b'{"model": "llama3.2", "mess',
            "nested": b"[" * 100_000,
            "html": b"<!doctype html><title>Sign in</title>",
            "array": b"[]",
        }
        if fault in texts:
            self._send(200, texts[fault], "application/json")
        elif fault in changed:
            self._send_json(200, {**reply, **changed[fault]})
        else:
            self._break_off(fault, json.dumps(reply).encode())

    def _break_off(self, fault: str, data: bytes) -> None:
        """Faults of the connection itself."""
        if fault == "redirect":
            self._send(307, b"", "text/plain", {"Location": "http://127.0.0.1:9/api/chat"})
        elif fault == "packed":
            self._send(200, data, "application/json", {"Content-Encoding": "gzip"})
        elif fault == "silence":
            self.close_connection = True
        elif fault == "slow":
            self.owner.pause(30)
            self._send(200, data, "application/json")
        else:
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if fault == "drip":
                self._drip(data)
            else:
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True

    def _drip(self, data: bytes) -> None:
        for byte in data:
            self.owner.pause(0.05)
            try:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            except OSError:
                break
        self.close_connection = True

    def _stream(self, reply: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        head = {key: reply[key] for key in ("model", "created_at", "message")}
        last = {**reply, "message": {"role": "assistant", "content": ""}}
        for part in ({**head, "done": False}, last):
            self.wfile.write(json.dumps(part).encode() + b"\n")
        self.close_connection = True

    # Sending

    def _refuse_key(self) -> bool:
        wrong = (
            bool(self.owner.api_key) and self.headers.get("Authorization") != f"Bearer {self.owner.api_key}"
        )
        if wrong:
            self._send_json(401, {"error": "unauthorized"})
        return wrong

    def _send_json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=contains_surrogate(value))
        for character in "<>&":  # as Go's encoder does
            text = text.replace(character, f"\\u{ord(character):04x}")
        self._send(status, text.encode(), "application/json; charset=utf-8", headers)

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client went away, as some tests make it do
            self.close_connection = True


def join_prompt(request: dict[str, Any]) -> str:
    return "\n".join(str(message.get("content", "")) for message in request.get("messages") or [])


def contains_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def format_time(moment: datetime) -> str:
    """RFC 3339 with nanoseconds as Go writes it: no trailing zeros, Z for UTC."""
    digits = f"{moment.microsecond:06d}{time.time_ns() % 1000:03d}".rstrip("0")
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{digits}" if digits else "") + "Z"


def describe_details(model: ServedModel) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": model.quantisation,
    }


def list_entry(model: ServedModel) -> dict[str, Any]:
    entry = {
        "name": model.name,
        "model": model.name,
        "modified_at": format_time(model.modified),
        "size": model.size,
        "digest": model.digest,
        "details": describe_details(model),
    }
    return {**entry, "remote_host": model.remote_host} if model.remote_host else entry
