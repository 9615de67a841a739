"""A model on an Ollama server, through its native chat interface.

Read against Ollama's sources, api/types.go and server/routes.go of 0.33: `truncate` and `shift` stand beside
`options`, which the client's typed `chat` cannot send, so the request goes through the client's `_request_raw`.
Options of the endpoint: `keep_alive` (how long the server keeps the model loaded, default "30m"), `think` (for models
that think: true, false, "low", "medium", "high"; not sent unless given). What a model thinks is in the raw reply only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ensemble.backends.base import (
    Capabilities,
    Completion,
    CompletionRequest,
    EndpointConfig,
    Identity,
    require_sendable,
)
from ensemble.backends.ollama_replies import (
    describe_model,
    find_model,
    list_names,
    missing_model,
    read_completion,
    read_object,
    translate_status,
)
from ensemble.errors import EndpointError

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:11434"
DEFAULT_KEEP_ALIVE = "30m"
ADDRESS_HINT = (
    "The address must look like http://host:11434 or https://host, without a name or password in it."
)
MAX_REPLY_BYTES = 8_000_000
CONNECT_SECONDS = 10.0
QUESTION_SECONDS = 15.0  # for everything but answers: names, versions, digests


class OllamaBackend:
    """Calls one model on one Ollama server."""

    def __init__(self, config: EndpointConfig) -> None:
        self._model = config.model
        self._options = read_options(config.options)
        self._timeout = config.timeout_seconds
        self._api_key = read_key(config.api_key)
        self._client = self._open_client(read_url(config.url), config.concurrency)

    def complete(self, request: CompletionRequest) -> Completion:
        require_sendable(request)
        self._require_model()
        started = time.perf_counter()
        raw = self._ask("POST", "/api/chat", self._build_body(request), self._timeout)
        return read_completion(raw, time.perf_counter() - started)

    def capabilities(self) -> Capabilities:
        return Capabilities(seeds="best effort")

    def identity(self) -> Identity:
        self._require_model()
        listed = find_model(self._ask_object("GET", "/api/tags"), self._model)
        if listed is None:
            raise missing_model(self._model)
        shown = self._ask_object("POST", "/api/show", {"model": self._model})
        loaded = find_model(self._ask_object("GET", "/api/ps"), self._model)
        version = self._ask_object("GET", "/api/version").get("version")
        return describe_model(listed, shown, loaded or {}, str(version))

    def list_models(self) -> list[str]:
        """The names of the models on the server, most recently changed first; needs no model to be chosen."""
        return list_names(self._ask_object("GET", "/api/tags"))

    def close(self) -> None:
        self._client.close()

    def _build_body(self, request: CompletionRequest) -> dict[str, Any]:
        sampling = request.sampling
        options: dict[str, Any] = {
            "temperature": float(sampling.temperature),
            "top_p": float(sampling.top_p),
            "top_k": sampling.top_k,
            "min_p": float(sampling.min_p),
            "typical_p": 1.0,
            "repeat_penalty": float(sampling.repeat_penalty),
            "repeat_last_n": 64,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "seed": request.seed,
            "num_ctx": sampling.context_length,
            "num_predict": sampling.max_tokens,
        }
        if sampling.stop:  # an empty list would take away the stop words of the model's own file
            options["stop"] = list(sampling.stop)
        return {
            "model": self._model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "stream": False,
            "truncate": False,  # an over-long prompt is an error, never cut in silence
            "shift": False,
            "options": options,
            **self._options,
        }

    def _ask_object(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return read_object(self._ask(method, path, body, min(self._timeout, QUESTION_SECONDS)))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, timeout: float) -> bytes:
        """The reply's bytes. Every failure is an EndpointError; none quotes the request."""
        import httpx

        limits = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        try:
            response = self._client._request_raw(method, path, json=body, timeout=limits)
        except httpx.TimeoutException as error:
            message = f"The Ollama server gave no answer within {timeout:g} seconds."
            raise EndpointError(message, transient=True) from error
        except ConnectionError as error:
            raise EndpointError("The Ollama server cannot be reached.", transient=True) from error
        except httpx.HTTPError as error:
            raise EndpointError("The connection to the Ollama server broke off.", transient=True) from error
        content: bytes = response.content
        return content

    def _require_model(self) -> None:
        if not self._model:
            raise EndpointError("Choose a model for this endpoint first.", transient=False)

    def _open_client(self, url: str, concurrency: int) -> Any:
        import httpx
        import ollama

        from ensemble.backends.bounded_http import BoundedTransport

        encrypted = urlsplit(url).scheme != "http"
        transport = BoundedTransport(max_bytes=MAX_REPLY_BYTES, concurrency=concurrency, encrypted=encrypted)
        try:
            return ollama.Client(
                host=url,
                follow_redirects=False,
                # Without an Authorization here the client takes OLLAMA_API_KEY, for whatever server it is.
                headers={"accept-encoding": "identity", "authorization": "none"},
                transport=transport,
                trust_env=False,
                event_hooks={"request": [self._set_key], "response": [self._check_status]},
            )
        except httpx.InvalidURL as error:
            raise EndpointError(ADDRESS_HINT, transient=False) from error

    def _set_key(self, request: httpx.Request) -> None:
        if self._api_key:
            request.headers["authorization"] = f"Bearer {self._api_key}"
        else:
            del request.headers["authorization"]

    def _check_status(self, response: httpx.Response) -> None:
        if response.status_code != 200:
            raise translate_status(response.status_code, response.read(), response.headers, self._model)


def read_url(url: str) -> str:
    """The server's address, checked. Raises a permanent EndpointError when it is not a plain http(s) address."""
    try:
        parts = urlsplit(url or DEFAULT_URL)
        plain = parts.hostname and (parts.port or 1) and not (parts.username or parts.password)
    except ValueError:
        plain = None
    if not plain or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise EndpointError(ADDRESS_HINT, transient=False)
    return parts.geturl()


def read_key(key: str) -> str:
    """The key, checked: it travels in an HTTP header. Raises a permanent EndpointError that does not show it."""
    if not key.isascii() or not key.isprintable():
        raise EndpointError(
            "The key holds characters that cannot be sent: a line break, or not ASCII.", transient=False
        )
    return key


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The top-level fields of each request that the endpoint's options set."""
    unknown = sorted(set(options) - {"keep_alive", "think"})
    if unknown:
        raise EndpointError(f"An Ollama endpoint has no option “{unknown[0]}”.", transient=False)
    if "think" in options and options["think"] not in (True, False, "low", "medium", "high"):
        raise EndpointError("The option “think” is true, false, “low”, “medium” or “high”.", transient=False)
    return {"keep_alive": DEFAULT_KEEP_ALIVE, **options}
