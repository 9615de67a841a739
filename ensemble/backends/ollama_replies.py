"""What an Ollama server's replies mean: answers, errors, descriptions of models.

Error texts of the server are recognised but not passed on, since they may quote the request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ensemble.backends.base import Completion, Identity
from ensemble.errors import EndpointError
from ensemble.protocol import encode_text, sha256_hex

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
        state = f" (“{reason}”)" if isinstance(reason, str) and reason in UNFINISHED - {""} else ""
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
        model=_get_text(reply, "model"),
        remote=_get_text(reply, "remote_host"),
    )


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


def list_names(listing: Mapping[str, Any]) -> list[str]:
    """The names in a reply of `/api/tags`, in the server's order: most recently changed first."""
    return [name for entry in _get_entries(listing) if (name := _get_text(entry, "name"))]


def find_model(listing: Mapping[str, Any], model: str) -> dict[str, Any] | None:
    """The entry of `model` in a reply of `/api/tags` or `/api/ps`; a name without a tag means `:latest`."""
    wanted = model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"
    matching = (
        entry for entry in _get_entries(listing) if _get_text(entry, "name").lower() == wanted.lower()
    )
    return next(matching, None)


def describe_model(
    listed: Mapping[str, Any], shown: Mapping[str, Any], loaded: Mapping[str, Any], version: str
) -> Identity:
    """What is known of a model from its entries in `/api/tags`, `/api/show` and, when loaded, `/api/ps`."""
    details, info = _get_object(listed, "details"), _get_object(shown, "model_info")
    return Identity(
        name=_get_text(listed, "name"),
        digest=_get_text(listed, "digest"),
        family=_get_text(details, "family"),
        parameter_size=_get_text(details, "parameter_size"),
        quantisation=_get_text(details, "quantization_level"),
        template_sha256=sha256_hex(encode_text(_get_text(shown, "template"))),
        context_length=_read_count(info, f"{_get_text(info, 'general.architecture')}.context_length"),
        licence=_get_text(shown, "license").strip().split("\n")[0].strip(),
        server=f"Ollama {version}",
        hardware=describe_place(loaded),
        notes=_describe_model_file(listed, shown, loaded),
    )


def describe_place(loaded: Mapping[str, Any]) -> str:
    """Where a loaded model lies, as far as the server tells; it does not tell which processor that is."""
    size = _read_count(loaded, "size")
    if not size:
        return ""
    share = min(1.0, (_read_count(loaded, "size_vram") or 0) / size)
    return {0.0: "CPU", 1.0: "GPU"}.get(share, f"{share:.0%} of the model on the GPU, the rest on the CPU")


def _describe_model_file(
    listed: Mapping[str, Any], shown: Mapping[str, Any], loaded: Mapping[str, Any]
) -> str:
    """What the model's own file adds to a request, and how the model is loaded."""
    remote, context = _get_text(listed, "remote_host"), _read_count(loaded, "context_length")
    notes = {
        f"Answers come from a cloud: {remote}.": remote,
        "The model file puts a system prompt of its own before messages that have none.": shown.get("system"),
        "The model file puts messages of its own before the prompt.": shown.get("messages"),
        "The model file has stop words of its own.": "stop " in _get_text(shown, "parameters"),
        f"Loaded with a context of {context} tokens.": context,
    }
    return " ".join(note for note, present in notes.items() if present)


# A server's replies may hold anything anywhere: what has the wrong type counts as absent.


def _get_text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _get_object(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _get_entries(listing: Mapping[str, Any]) -> list[dict[str, Any]]:
    models = listing.get("models")
    return [entry for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []


def _read_count(value: Mapping[str, Any], name: str) -> int | None:
    count = value.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
