"""What an Ollama server's replies mean: answers, errors, descriptions of models.

Error texts of the server are recognised but not passed on, since they may quote the request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ensemble.backends.base import Completion
from ensemble.errors import EndpointError

UNFINISHED = {
    "load",
    "unload",
    "",
}  # the model was only loaded or freed; "" or absent: the runner's connection closed
PASSING = {408, 429, 499, 500, 502, 503, 504}

# Part of the server's error text → what it means, for good.
KNOWN_ERRORS = {
    "context length": (
        "The prompt is longer than the context. Shorten it, or raise the protocol's context length; "
        "the server cuts that length down to what the model was made for."
    ),
    "requires more system memory": "The server has too little free memory for this model.",
    "does not support chat": "The model “{model}” does not support chat.",
    "does not support thinking": "The model “{model}” does not think: take the option “think” away.",
    "remote model is unavailable": "The model “{model}” runs in a cloud that the server may not use.",
    "this server cannot run this remote model": "The server may not pass requests on to the model “{model}”.",
}


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a reply; a transient EndpointError when there is none."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of nested brackets
        kind = "a web page" if raw.lstrip()[:1] == b"<" else "text"
        message = f"The server's reply is {kind}, not an answer of Ollama. Is the address right?"
        raise EndpointError(message, transient=True) from error
    if not isinstance(value, dict):
        raise EndpointError("The server's reply is not an answer of Ollama.", transient=True)
    return value


def read_completion(raw: bytes, duration: float) -> Completion:
    """The answer in a reply of `/api/chat`."""
    reply = read_object(raw)
    message = reply.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise EndpointError("The server's reply holds no message.", transient=True)
    reason = reply.get("done_reason", "")
    if reply.get("done") is not True or not isinstance(reason, str) or reason in UNFINISHED:
        state = f" (“{reason}”)" if reason in UNFINISHED - {""} else ""
        raise EndpointError(f"The server's reply is unfinished{state}.", transient=True)
    prompt_tokens = _read_count(reply, "prompt_eval_count")
    cached = _read_count(reply, "prompt_eval_cached_count")
    return Completion(
        text=text,
        finish_reason=reason,
        raw=raw,
        prompt_tokens=prompt_tokens,
        completion_tokens=_read_count(reply, "eval_count"),
        duration_seconds=duration,
        warm=None if cached is None else cached > 0,
        model=str(reply.get("model", "")),
        remote=str(reply.get("remote_host", "")),
    )


def _read_count(reply: Mapping[str, Any], name: str) -> int | None:
    value = reply.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def translate_status(status: int, raw: bytes, headers: Mapping[str, str], model: str) -> EndpointError:
    """What a reply with another status than 200 means."""
    text = _read_error_text(raw)
    for part, meaning in KNOWN_ERRORS.items():
        if part in text:
            return EndpointError(meaning.format(model=model), transient=False)
    if status == 404 and "not found" in text:
        return missing_model(model)
    meanings = {
        401: "The server refuses the key (401).",
        403: "The server refuses the call (403): its key or its list of allowed hosts does not fit.",
        404: "There is no Ollama at this address (404).",
        429: "The server takes no more requests for now (429).",
        503: "The server's queue is full (503).",
    }
    if 300 <= status < 400:
        meaning = (
            f"The server sends elsewhere ({status}). Enter the final address; redirects are not followed."
        )
    else:
        meaning = meanings.get(status, f"The Ollama server failed or refused the call ({status}).")
    retry_after = _read_retry_after(headers.get("retry-after", ""))
    return EndpointError(meaning, transient=status in PASSING, retry_after_seconds=retry_after)


def missing_model(model: str) -> EndpointError:
    """The server does not have the model."""
    text = f"There is no model “{model}” on this server. Fetch it there with: ollama pull {model}"
    return EndpointError(text, transient=False)


def _read_error_text(raw: bytes) -> str:
    try:
        error = json.loads(raw)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return error if isinstance(error, str) else ""


def _read_retry_after(value: str) -> float | None:
    """Seconds to wait, from a number of seconds or an HTTP date."""
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else None


# Descriptions of models


def find_model(listing: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """The entry of `model` in a reply of `/api/tags` or `/api/ps`; a name without a tag means `:latest`."""
    wanted = model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"
    for entry in listing.get("models") or []:
        if isinstance(entry, dict) and str(entry.get("name", "")).lower() == wanted.lower():
            return entry
    return None


def trained_context(shown: Mapping[str, Any]) -> int | None:
    """The longest context, in tokens, that the model was made for."""
    info = shown.get("model_info") or {}
    return _read_count(info, f"{info.get('general.architecture')}.context_length")


def describe_place(loaded: Mapping[str, Any] | None) -> str:
    """Where a loaded model lies, as far as the server tells; it does not tell which processor that is."""
    size = _read_count(loaded or {}, "size")
    if not loaded or not size:
        return ""
    share = min(1.0, (_read_count(loaded, "size_vram") or 0) / size)
    return {0.0: "CPU", 1.0: "GPU"}.get(share, f"{share:.0%} of the model on the GPU, the rest on the CPU")


def describe_model_file(shown: Mapping[str, Any], loaded: Mapping[str, Any] | None, remote_host: str) -> str:
    """What the model's own file adds to a request, and how the model is loaded."""
    notes = []
    if remote_host:
        notes.append(f"Answers come from a cloud: {remote_host}.")
    if shown.get("system"):
        notes.append("The model file puts a system prompt of its own before messages that have none.")
    if shown.get("messages"):
        notes.append("The model file puts messages of its own before the prompt.")
    if "stop " in (shown.get("parameters") or ""):
        notes.append("The model file has stop words of its own.")
    context = _read_count(loaded or {}, "context_length")
    if context:
        notes.append(f"Loaded with a context of {context} tokens.")
    return " ".join(notes)
