"""What every model endpoint offers: one call, its capabilities and its identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from ensemble.errors import EndpointError
from ensemble.protocol import SEED_BITS, JsonValue, Message, Sampling


@dataclass(frozen=True, kw_only=True)
class EndpointConfig:
    """A server and a model on it, as the edges configure it. `api_key` is a secret: it never enters a message."""

    name: str
    backend: str
    model: str = ""
    url: str = ""
    concurrency: int = 1
    timeout_seconds: float = 120.0
    api_key: str = field(default="", repr=False)
    options: Mapping[str, Any] = field(
        default_factory=dict
    )  # backend-specific, documented in the backend's file


@dataclass(frozen=True, kw_only=True)
class CompletionRequest:
    """One call: the messages, every sampling value and the seed."""

    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int

    def document(self, model: str) -> dict[str, JsonValue]:
        """The request in a canonical form that follows from the protocol and the seed, so it need not be stored."""
        return {
            "model": model,
            "messages": [{"role": m.role, "content": m.content} for m in self.messages],
            "sampling": self.sampling.document(),
            "seed": self.seed,
        }


@dataclass(frozen=True, kw_only=True)
class Completion:
    """One answer as it arrived. `text` is exact (it may hold NUL or lone surrogates); `raw` is the response's bytes.

    `finish_reason` is `stop`, `length`, or the server's own word. `warm` tells whether the prompt was already
    processed (None when the server does not say). Token counts are None when unknown.
    """

    text: str
    finish_reason: str
    raw: bytes
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_seconds: float = 0.0
    warm: bool | None = None
    refused: bool = False  # the provider's own refusal flag
    model: str = ""  # the identity reported with the answer
    remote: str = ""  # the host a local server passed the request on to


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """`seeds`: `replayable`, `best effort` or `absent`."""

    seeds: str
    json_schema: bool = False
    tools: bool = False
    images: bool = False
    logprobs: bool = False


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What can be known of the model behind an endpoint; empty strings and None where it does not tell."""

    name: str
    digest: str = ""
    family: str = ""
    parameter_size: str = ""
    quantisation: str = ""
    template_sha256: str = ""
    context_length: int | None = None
    licence: str = ""
    server: str = ""  # name and version of the serving software
    hardware: str = ""
    notes: str = ""  # what a reader must know besides, e.g. that the chat template adds a system prompt

    def document(self) -> dict[str, JsonValue]:
        return asdict(self)

    def same_model(self, other: Identity) -> bool:
        """Whether both describe the same model build: name, digest, quantisation and template."""
        mine = (self.name, self.digest, self.quantisation, self.template_sha256)
        return mine == (other.name, other.digest, other.quantisation, other.template_sha256)


def require_sendable(request: CompletionRequest) -> None:
    """Raise a permanent EndpointError when no endpoint can be sent this request as it is.

    A lone surrogate has no UTF-8 form, so it would be replaced or refused on the way; a negative seed means
    "draw one at random" to llama.cpp and Ollama.
    """
    if not 0 <= request.seed < 1 << SEED_BITS:
        raise EndpointError(f"The seed must lie between 0 and 2^{SEED_BITS} - 1.", transient=False)
    try:
        for text in (*(message.content for message in request.messages), *request.sampling.stop):
            text.encode("utf-8")
    except UnicodeEncodeError:  # it quotes the text, so it is not passed on
        message = (
            "The prompt or a stop word holds half of a character (a lone surrogate), which cannot be sent."
        )
        raise EndpointError(message, transient=False) from None


class Backend(Protocol):
    """A live connection to an endpoint. `complete` may be called from several threads at once.

    Every failure is an `EndpointError` that says whether a retry makes sense; nothing else is raised.
    """

    def complete(self, request: CompletionRequest) -> Completion: ...

    def capabilities(self) -> Capabilities: ...

    def identity(self) -> Identity: ...

    def close(self) -> None: ...
