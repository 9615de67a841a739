"""The sample casebook: incidents retold in our own words with their sources, read from `data/cases.yaml`.

Pure: files only. A sample is an illustration: its prompt is reconstructed and runs on another, small model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from casebook.law.reading import DataError, Fields, Localized, open_fields, read_yaml
from ensemble.detectors import build_detector
from ensemble.errors import ProtocolError
from ensemble.protocol import JsonValue, Label, Sampling

CASES_FILE = Path(__file__).parent / "data" / "cases.yaml"
FORMAT = "casebook-cases/1"

HARM_KINDS = ("none", "money", "reputation", "health", "rights", "distress", "other")
READ = ("primary", "secondary", "memory", "constructed")  # how the reviewer knows: whose text was read
CONFIDENCES = ("high", "medium", "low")

_KEY = r"[a-z][a-z0-9-]{1,39}"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INCIDENT_DATE = r"~?[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"
_ZONE = r"[A-Z][A-Za-z]+(/[A-Z][A-Za-z_]+)*"
_CURRENCY = r"[A-Z]{3}"
_URL = r"https://[^\s]+"
_DECIMAL = r"[0-9]+(\.[0-9]+)?"


@dataclass(frozen=True, kw_only=True)
class SampleTurn:
    """One reconstructed turn: role `user` or `assistant`."""

    role: str
    text: str


@dataclass(frozen=True, kw_only=True)
class DisputedAnswer:
    """The answer in English, as reconstructed, and the note that says so."""

    text: str
    note: Localized


@dataclass(frozen=True, kw_only=True)
class SampleHarm:
    kind: str
    amount: Decimal | None
    currency: str
    text: Localized


@dataclass(frozen=True, kw_only=True)
class SampleDisclaimer:
    text: Localized
    place: Localized


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A sum of money that a source names, and what it was."""

    what: Localized
    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class LegalNote:
    """What the case stands for, and the authority or limit that speaks against reading more into it."""

    text: Localized
    contrary: Localized
    confidence: str


@dataclass(frozen=True, kw_only=True)
class Source:
    title: Localized
    citation: Localized
    url: str
    date: str
    read: str
    note: Localized


@dataclass(frozen=True, kw_only=True)
class SuggestedProtocol:
    question: Localized
    detector: Mapping[str, JsonValue]
    sampling: Sampling
    temperatures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SampleCase:
    """One case of the sample casebook, in both languages."""

    key: str
    is_constructed: bool
    checked_on: str
    title: Localized
    summary: Localized
    product: Localized
    provider: Localized
    deployer: Localized
    occurred_on: str
    time_zone: str
    interface: Localized
    system_prompt: str
    conversation: tuple[SampleTurn, ...]
    disputed_answer: DisputedAnswer
    what_is_wrong: Localized
    wrong_statement: str
    truth: Localized
    truth_source: Localized
    harm: SampleHarm
    disclaimer: SampleDisclaimer
    outcome: Localized
    amounts: tuple[Amount, ...]
    legal_note: LegalNote
    sources: tuple[Source, ...]
    illustration_notice: Localized
    notes: Localized
    protocol: SuggestedProtocol


def load_cases(path: Path = CASES_FILE) -> tuple[SampleCase, ...]:
    """The samples in the order of the file. `DataError` names the case and the field that is wrong."""
    with open_fields(read_yaml(path), path.name) as fields:
        fields.take_choice("format", (FORMAT,))
        cases = tuple(_read_case(row) for row in fields.open_rows("cases"))
    keys = [case.key for case in cases]
    for key in keys:
        if keys.count(key) > 1:
            raise DataError(f"{path.name}: there are two cases with the key “{key}”.")
    return cases


def _read_case(fields: Fields) -> SampleCase:
    key = fields.take_text("key", pattern=_KEY)
    fields.where = f"{fields.where} ({key})"
    case = SampleCase(
        key=key,
        is_constructed=_take_flag(fields, "is_constructed"),
        checked_on=_take_day(fields, "checked_on"),
        occurred_on=_take_incident_date(fields, "occurred_on"),
        time_zone=fields.take_text("time_zone", pattern=_ZONE),
        system_prompt=fields.take_text("system_prompt", optional=True),
        conversation=tuple(_read_turn(row) for row in fields.open_rows("conversation")),
        disputed_answer=_read_answer(fields),
        wrong_statement=fields.take_text("wrong_statement"),
        harm=_read_harm(fields),
        disclaimer=_read_disclaimer(fields),
        amounts=tuple(_read_amount(row) for row in fields.open_rows("amounts")),
        legal_note=_read_legal_note(fields),
        sources=tuple(_read_source(row) for row in fields.open_rows("sources")),
        protocol=_read_protocol(fields),
        **{name: fields.take_localized(name) for name in _LOCALIZED},
    )
    _check_case(case, fields)
    return case


_LOCALIZED = (
    *("title", "summary", "product", "provider", "deployer", "interface", "what_is_wrong", "truth"),
    *("truth_source", "outcome", "illustration_notice", "notes"),
)


def _read_turn(fields: Fields) -> SampleTurn:
    return SampleTurn(role=fields.take_choice("role", ("user", "assistant")), text=fields.take_text("text"))


def _read_answer(fields: Fields) -> DisputedAnswer:
    with fields.open("disputed_answer") as answer:
        return DisputedAnswer(text=answer.take_text("text"), note=answer.take_localized("note"))


def _read_harm(fields: Fields) -> SampleHarm:
    with fields.open("harm") as harm:
        amount = harm.take_money("amount", optional=True)
        currency = harm.take_text("currency", pattern=_CURRENCY, optional=True)
        if (amount is None) != (not currency):
            raise harm.error("currency", "must be given with an amount, and only then")
        kind = harm.take_choice("kind", HARM_KINDS)
        return SampleHarm(kind=kind, amount=amount, currency=currency, text=harm.take_localized("text"))


def _read_disclaimer(fields: Fields) -> SampleDisclaimer:
    with fields.open("disclaimer") as disclaimer:
        return SampleDisclaimer(
            text=disclaimer.take_localized("text"), place=disclaimer.take_localized("place")
        )


def _read_amount(fields: Fields) -> Amount:
    amount = fields.take_money("amount")
    assert amount is not None  # not optional
    currency = fields.take_text("currency", pattern=_CURRENCY)
    return Amount(what=fields.take_localized("what"), amount=amount, currency=currency)


def _read_legal_note(fields: Fields) -> LegalNote:
    with fields.open("legal_note") as note:
        return LegalNote(
            text=note.take_localized("text"),
            contrary=note.take_localized("contrary"),
            confidence=note.take_choice("confidence", CONFIDENCES),
        )


def _read_source(fields: Fields) -> Source:
    source = Source(
        title=fields.take_localizable("title"),
        citation=fields.take_localizable("citation", optional=True),
        url=fields.take_text("url", pattern=_URL, optional=True),
        date=fields.take_text("date", pattern=_INCIDENT_DATE, optional=True),
        read=fields.take_choice("read", READ),
        note=fields.take_localized("note"),
    )
    if not (source.citation.en or source.url or source.read == "constructed"):
        raise fields.error("citation", "or “url” is needed")
    return source


def _read_protocol(fields: Fields) -> SuggestedProtocol:
    with fields.open("protocol") as protocol:
        detector = protocol.take("detector")
        try:
            build_detector(detector)
        except (ProtocolError, AttributeError) as error:
            raise protocol.error("detector", f"is not valid: {error}") from error
        return SuggestedProtocol(
            question=protocol.take_localized("question"),
            detector=detector,
            sampling=_read_sampling(protocol),
            temperatures=protocol.take_texts("temperatures", pattern=_DECIMAL),
        )


def _read_sampling(fields: Fields) -> Sampling:
    """Every sampling value but the context length, which is the endpoint's affair."""
    with fields.open("sampling") as sampling:
        return Sampling(
            temperature=_take_decimal(sampling, "temperature"),
            top_p=_take_decimal(sampling, "top_p"),
            top_k=_take_count(sampling, "top_k"),
            min_p=_take_decimal(sampling, "min_p"),
            repeat_penalty=_take_decimal(sampling, "repeat_penalty"),
            max_tokens=_take_count(sampling, "max_tokens"),
            stop=sampling.take_texts("stop"),
        )


def _take_decimal(fields: Fields, key: str) -> Decimal:
    return Decimal(fields.take_text(key, pattern=_DECIMAL))


def _take_count(fields: Fields, key: str) -> int:
    value = fields.take(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fields.error(key, "must be a whole number above zero")
    return value


def _take_flag(fields: Fields, key: str) -> bool:
    value = fields.take(key)
    if not isinstance(value, bool):
        raise fields.error(key, "must be true or false")
    return value


def _take_day(fields: Fields, key: str) -> str:
    text = fields.take_text(key, pattern=_DAY)
    return _check_date(fields, key, text)


def _take_incident_date(fields: Fields, key: str) -> str:
    """A day, a month or a year; "~" in front of one that is only about right."""
    return _check_date(fields, key, fields.take_text(key, pattern=_INCIDENT_DATE))


def _check_date(fields: Fields, key: str, text: str) -> str:
    first_day = (text.removeprefix("~") + "-01-01")[:10]
    try:
        date.fromisoformat(first_day)
    except ValueError:
        raise fields.error(key, f"is no date: “{text}”") from None
    return text


def _check_case(case: SampleCase, fields: Fields) -> None:
    """What must hold between the fields of a case."""
    turns = case.conversation
    if not turns or turns[0].role != "user" or turns[-1].role != "user":
        raise fields.error("conversation", "must begin and end with a turn of the user")
    if any(turn.role == following.role for turn, following in pairwise(turns)):
        raise fields.error("conversation", "must alternate between user and assistant")
    if case.wrong_statement not in case.disputed_answer.text:
        raise fields.error("wrong_statement", "does not stand in the disputed answer")
    if not case.sources:
        raise fields.error("sources", "is empty")
    finding = build_detector(case.protocol.detector).detect(case.disputed_answer.text)
    if finding.label is not Label.ERROR:
        raise fields.error("protocol", f"has a detector that calls the disputed answer “{finding.label}”")
