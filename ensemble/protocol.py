"""What will be run, how it is counted and when it stops: frozen values, canonical JSON, hashes and seeds.

Pure: no database, no network, no clock, no global randomness.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

PROTOCOL_FORMAT = "casebook-protocol/1"
SEED_BITS = 31  # llama.cpp and Ollama take signed 32-bit seeds; 31 bits are non-negative everywhere

JsonValue = Any  # str | int | bool | None | list | dict, and never a float: decimals travel as strings


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    FAILED = "failed"


class Purpose(StrEnum):
    """What an arm is for."""

    PRIMARY = "primary"  # the disputed prompt, verbatim
    TEMPERATURE = "temperature"  # the same at another temperature
    ENDPOINT = "endpoint"  # the same on another model
    ORDINARY_USE = "ordinary use"  # asked as an ordinary user would ask
    BEFORE_NOTICE = "before notice"  # as the system was set up before its provider was told of the error
    AFTER_NOTICE = "after notice"  # as it was, or could have been, set up afterwards
    DISCLAIMER = "disclaimer"  # with the disclaimer in place
    IRRELEVANT_NAME = "irrelevant name"  # the same question about a name that has nothing to do with the case
    CONTROL = "control"  # another question whose true answer is known; it has a detector of its own
    PARAPHRASE = "paraphrase"  # the same question in other words
    DAY = "day"  # the disputed prompt again on another day


# Arms that answer the same question under another condition. A control answers another question; paraphrases and
# days are clusters, analysed together.
COMPARED = frozenset(Purpose) - {Purpose.PRIMARY, Purpose.CONTROL, Purpose.PARAPHRASE, Purpose.DAY}
# Arms in which the detector labels refusals too: where the true answer is known, whoever refuses it does not give it.
DETECTED_REFUSALS = frozenset({Purpose.CONTROL})
BY_HAND = "by hand"


class Label(StrEnum):
    """What a detector or a person says of an answer."""

    ERROR = "error"
    NO_ERROR = "no error"
    UNCLEAR = "unclear"


def canonical_json(value: JsonValue) -> bytes:
    """The RFC 8785 form of `value`, UTF-8.

    Floats are refused: their shortest form differs between JSON libraries, so decimals are strings throughout.
    Object keys must be ASCII, for which sorting by code point equals the RFC's sorting by UTF-16 unit.
    """
    _refuse_floats(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def _refuse_floats(value: JsonValue) -> None:
    if isinstance(value, float):
        raise TypeError(f"canonical JSON holds no floats, got {value!r}; use decimal_text()")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise TypeError(f"canonical JSON keys are ASCII strings, got {key!r}")
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)


def decimal_text(value: Decimal | float | int) -> str:
    """A decimal number in its one plain form: no exponent, no trailing zeros, `-0` as `0`."""
    text = format(value if isinstance(value, Decimal) else Decimal(repr(value)), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def encode_text(text: str) -> bytes:
    """UTF-8 bytes of any Python string; lone surrogates survive, so that no answer is unhashable."""
    return text.encode("utf-8", "surrogatepass")


def salted_sha256(salt: bytes, data: bytes) -> str:
    """SHA-256 over a salt and the bytes: a short text cannot be guessed from its hash, and may be withheld."""
    return sha256_hex(salt + data)


@dataclass(frozen=True, kw_only=True)
class SaltedText:
    """A text that documents refer to by hash; the salt is kept beside the text."""

    text: str
    salt: bytes

    @property
    def sha256(self) -> str:
        return salted_sha256(self.salt, encode_text(self.text))


def derive_seed(protocol_sha256: str, arm: int, index: int) -> int:
    """The seed of run `index` in the arm at position `arm`: it follows from the locked protocol alone."""
    digest = hashlib.sha256(f"{protocol_sha256}:{arm}:{index}".encode("ascii")).digest()
    return int.from_bytes(digest[:4], "big") & ((1 << SEED_BITS) - 1)


def audit_indexes(protocol_sha256: str, arm: int, stop: int, count: int) -> list[int]:
    """Which `count` of the run indexes 0 … stop−1 the determinism audit repeats: chosen by the protocol hash."""

    def rank(index: int) -> bytes:
        return hashlib.sha256(f"{protocol_sha256}:{arm}:{index}:audit".encode("ascii")).digest()

    return sorted(sorted(range(stop), key=rank)[:count])


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of a conversation: role `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Every sampling value, always sent and recorded: defaults differ even between APIs of one server."""

    temperature: Decimal = Decimal("0.8")
    top_p: Decimal = Decimal("0.9")
    top_k: int = 40
    min_p: Decimal = Decimal(0)
    repeat_penalty: Decimal = Decimal("1.1")
    max_tokens: int = 128
    context_length: int = 2048
    stop: tuple[str, ...] = ()

    def document(self) -> dict[str, JsonValue]:
        return {
            "temperature": decimal_text(self.temperature),
            "top_p": decimal_text(self.top_p),
            "top_k": self.top_k,
            "min_p": decimal_text(self.min_p),
            "repeat_penalty": decimal_text(self.repeat_penalty),
            "max_tokens": self.max_tokens,
            "context_length": self.context_length,
            "stop": list(self.stop),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, JsonValue]) -> Sampling:
        decimals = {
            name: Decimal(document[name]) for name in ("temperature", "top_p", "min_p", "repeat_penalty")
        }
        return cls(
            **decimals,
            top_k=document["top_k"],
            max_tokens=document["max_tokens"],
            context_length=document["context_length"],
            stop=tuple(document["stop"]),
        )


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who wrote an arm's prompt: a person, or the model of an endpoint whose proposal a person approved."""

    written_by: str  # user name, or "" when a model proposed the text
    proposed_by: str = ""  # endpoint and model
    approved_by: str = ""
    is_edited: bool = False  # whether the person changed what the model had proposed

    def document(self) -> dict[str, JsonValue]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One condition: an endpoint, the messages sent to it and how it samples.

    `detector` and `stopping` are the arm's own where they differ from the protocol's. `begins` is empty for an arm
    that runs at once, a UTC time (ISO 8601) before which it does not, or `BY_HAND` when a person starts it.
    """

    name: str
    purpose: Purpose
    endpoint: str
    backend: str
    model: str
    messages: tuple[Message, ...]
    sampling: Sampling
    strategy: str = "single"
    detector: Mapping[str, JsonValue] | None = None
    stopping: StoppingRule | None = None
    begins: str = ""
    origin: Origin | None = None

    def document(self, position: int, texts: Mapping[str, str]) -> dict[str, JsonValue]:
        """The arm as it stands in the protocol; `texts` maps each message text to its salted hash."""
        return {
            "position": position,
            "name": self.name,
            "purpose": self.purpose,
            "endpoint": self.endpoint,
            "backend": self.backend,
            "model": self.model,
            "messages": [{"role": m.role, "text_sha256": texts[m.content]} for m in self.messages],
            "sampling": self.sampling.document(),
            "strategy": {"kind": self.strategy},
            "detector": dict(self.detector) if self.detector else None,
            "refusals": "detector" if self.purpose in DETECTED_REFUSALS else "no error",
            "stopping": self.stopping.document() if self.stopping else None,
            "begins": self.begins,
            "origin": self.origin.document() if self.origin else None,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, JsonValue], texts: Mapping[str, str]) -> Arm:
        """The arm of a locked protocol; `texts` maps salted hashes to texts."""
        return cls(
            **{
                name: document[name]
                for name in ("name", "endpoint", "backend", "model", "detector", "begins")
            },
            purpose=Purpose(document["purpose"]),
            messages=tuple(
                Message(role=m["role"], content=texts[m["text_sha256"]]) for m in document["messages"]
            ),
            sampling=Sampling.from_document(document["sampling"]),
            strategy=document["strategy"]["kind"],
            stopping=StoppingRule.from_document(document["stopping"]) if document["stopping"] else None,
            origin=Origin(**document["origin"]) if document["origin"] else None,
        )


@dataclass(frozen=True, kw_only=True)
class StoppingRule:
    """When an arm stops. Counts are those of the longest finished prefix in seed order.

    `fixed`: at `runs` labelled runs. `precision`: by the precomputed plan (statistics: `PrecisionPlan`).
    `anytime`: at `max_runs`, or, from `min_runs` on, as soon as the e-value against `threshold` decides (0: there is
    no threshold) or the confidence sequence is as narrow as `half_width` (0: no such wish).
    No index at or beyond `max_indexes` is run: an arm that gets there without meeting its rule
    (too many answers without a label) ends, and only its confidence sequence is reported.
    """

    kind: str
    runs: int = 0
    half_width: Decimal = Decimal(0)
    level: Decimal = Decimal("0.95")
    alpha: Decimal = Decimal(0)
    min_coverage: Decimal = Decimal(0)
    min_coverage_at: Decimal = Decimal(0)
    min_runs: int = 10
    check_every: int = 1
    max_runs: int = 0
    threshold: Decimal = Decimal(0)

    @property
    def max_indexes(self) -> int:
        longest = self.runs if self.kind == "fixed" else self.max_runs
        return 2 * longest

    def document(self) -> dict[str, JsonValue]:
        common = {"kind": self.kind, "level": decimal_text(self.level), "max_indexes": self.max_indexes}
        if self.kind == "fixed":
            return {**common, "runs": self.runs}
        if self.kind == "anytime":
            return {
                **common,
                "half_width": decimal_text(self.half_width),
                "threshold": decimal_text(self.threshold),
                "min_runs": self.min_runs,
                "max_runs": self.max_runs,
            }
        return {
            **common,
            "half_width": decimal_text(self.half_width),
            "alpha": decimal_text(self.alpha),
            "min_coverage": decimal_text(self.min_coverage),
            "min_coverage_at": decimal_text(self.min_coverage_at),
            "min_runs": self.min_runs,
            "check_every": self.check_every,
            "max_runs": self.max_runs,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, JsonValue]) -> StoppingRule:
        if document["kind"] == "fixed":
            return cls(kind="fixed", runs=document["runs"], level=Decimal(document["level"]))
        values: dict[str, Any] = {"level": Decimal(document["level"])}
        for name in ("half_width", "threshold", "alpha", "min_coverage", "min_coverage_at"):
            if name in document:
                values[name] = Decimal(document[name])
        for name in ("min_runs", "check_every", "max_runs"):
            if name in document:
                values[name] = document[name]
        return cls(kind=document["kind"], **values)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The whole plan of a test."""

    arms: tuple[Arm, ...]
    detector: Mapping[str, JsonValue]
    refusal_phrases: tuple[str, ...]
    stopping: StoppingRule
    audit_minimum: int = 20
    audit_share: Decimal = Decimal("0.1")
    max_attempts: int = 6
    question: str = ""  # in plain words: what the test is to find out
    disputed_answer: str = ""  # named beforehand: how often exactly this answer is given may be counted
    notes: tuple[str, ...] = field(default=())

    def rule_of(self, position: int) -> StoppingRule:
        """The stopping rule of the arm at `position`."""
        return self.arms[position].stopping or self.stopping

    def detector_of(self, position: int) -> Mapping[str, JsonValue]:
        """The detector specification that labels the answers of the arm at `position`."""
        return self.arms[position].detector or self.detector

    def compared_arms(self) -> list[int]:
        """The arms compared with the primary one: the family that p-values are adjusted over."""
        return [position for position, arm in enumerate(self.arms) if arm.purpose in COMPARED]

    def texts(self) -> list[str]:
        """Every distinct text that the document refers to by hash: messages in order of first use, disputed answer."""
        texts = [message.content for arm in self.arms for message in arm.messages]
        return list(dict.fromkeys([*texts, *([self.disputed_answer] if self.disputed_answer else [])]))

    def document(self, salted: Sequence[SaltedText]) -> dict[str, JsonValue]:
        """The document that is hashed when the protocol is locked: message texts by salted hash, the rest whole."""
        hashes = {item.text: item.sha256 for item in salted}
        return {
            "format": PROTOCOL_FORMAT,
            "question": self.question,
            "disputed_answer_sha256": hashes.get(self.disputed_answer, ""),
            "arms": [arm.document(position, hashes) for position, arm in enumerate(self.arms)],
            "detector": dict(self.detector),
            "refusal_phrases": list(self.refusal_phrases),
            "stopping": self.stopping.document(),
            "comparisons": {"against": "primary", "arms": self.compared_arms(), "adjustment": "holm"},
            "audit": {"minimum": self.audit_minimum, "share": decimal_text(self.audit_share)},
            "max_attempts": self.max_attempts,
            "notes": list(self.notes),
            "seeds": "first 4 bytes, big-endian, of SHA-256 over '<protocol_sha256>:<arm>:<index>', masked to 31 bits",
        }

    @classmethod
    def from_document(cls, document: Mapping[str, JsonValue], texts: Mapping[str, str]) -> Protocol:
        """The protocol of a locked document; `texts` maps salted hashes to the texts kept beside it."""
        return cls(
            arms=tuple(Arm.from_document(arm, texts) for arm in document["arms"]),
            detector=document["detector"],
            refusal_phrases=tuple(document["refusal_phrases"]),
            stopping=StoppingRule.from_document(document["stopping"]),
            audit_minimum=document["audit"]["minimum"],
            audit_share=Decimal(document["audit"]["share"]),
            max_attempts=document["max_attempts"],
            question=document["question"],
            disputed_answer=texts.get(document["disputed_answer_sha256"], ""),
            notes=tuple(document["notes"]),
        )
