"""Which model a test asked, said so that nobody takes it for the product: pure, from what was locked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from casebook.neutral_names import say_endpoint
from casebook.sentences import write_sentence

Document = Mapping[str, Any]

CYRILLIC = re.compile("[\u0400-\u04ff]")
SENTENCE_IDS = {"embedded": "model.embedded", "scripted": "model.scripted"}


def write_tested_model(arm: Document) -> str:
    """What the model of a locked arm is to the product; of an endpoint's model only its operator can say."""
    facts = {"model": arm["model"], "endpoint": say_endpoint(arm["endpoint"], arm["backend"])}
    return write_sentence(SENTENCE_IDS.get(arm["backend"], "model.endpoint"), **facts)


def write_model_warning(backend: str, texts: Iterable[str]) -> str:
    """That the answers mean nothing, where `texts`, the messages sent, are beyond the model; else empty."""
    return write_sentence("model.beyond") if is_beyond_model(backend, texts) else ""


def is_beyond_model(backend: str, texts: Iterable[str]) -> bool:
    """Whether the embedded model was given Russian, to which it gives nothing usable (measured)."""
    return backend == "embedded" and any(map(CYRILLIC.search, texts))
