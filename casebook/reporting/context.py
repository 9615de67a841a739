"""Everything a report prints, as frozen values and as JSON: rendering it needs neither database nor clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

CONTEXT_FORMAT = "casebook-report/1"


@dataclass(frozen=True, kw_only=True)
class TurnFacts:
    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    public_id: str
    title: str
    summary: str
    illustration_notice: str  # in the report's language; empty unless the case is the copy of a sample


@dataclass(frozen=True, kw_only=True)
class IncidentFacts:
    """The incident as the team recorded it: stated by people, not measured."""

    product: str
    provider: str
    deployer: str
    occurred_on: str  # canonical text of casebook.dates
    time_zone: str
    interface: str
    turns: tuple[TurnFacts, ...]
    disputed_answer: str
    what_is_wrong: str
    wrong_statement: str
    truth: str
    truth_source: str
    harm_kind: str
    harm_amount: str
    harm_currency: str
    harm: str
    disclaimer: str
    disclaimer_place: str
    prompt_is_verbatim: bool  # the primary arm sends exactly the messages that led to the disputed answer


@dataclass(frozen=True, kw_only=True)
class ExhibitFacts:
    number: int
    name: str
    description: str
    media_type: str
    size: int
    sha256: str
    received_at: str


@dataclass(frozen=True, kw_only=True)
class ArmCounts:
    name: str
    errors: int
    runs: int
    unlabelled: int


@dataclass(frozen=True, kw_only=True)
class TestFacts:
    """One locked test of the case, whatever came of it."""

    __test__ = False  # no test of pytest's

    number: int
    title: str
    state: str
    ended_as: str
    protocol_sha256: str
    locked_at: str
    ended_at: str
    exploratory_runs: int
    arms: tuple[ArmCounts, ...]


@dataclass(frozen=True, kw_only=True)
class LedgerEvent:
    """A dated entry of the ledger between locking and sealing that a reader must know: paused, amended, …"""

    kind: str
    at: str
    reason: str
    arm: int | None = None  # position of the arm that it is about
    by: str = ""  # who did it; of arms that a person started or gave up


@dataclass(frozen=True, kw_only=True)
class ValidationLine:
    """All validation tests of one stopping mode at one known share of errors."""

    mode: str
    share: str  # the true one, as a decimal number
    covered: int  # tests whose interval held it
    mean_runs: float


@dataclass(frozen=True, kw_only=True)
class ValidationFacts:
    """What `manage.py validate` found; `tests` complete tests stand behind every line.

    The rules were `fixed_runs` runs, planned precision of ± `half_width`, and a decision against `threshold` within
    `max_runs` runs, all at `level`.
    """

    made_at: str
    software: dict[str, str]
    tests: int
    level: float
    fixed_runs: int
    half_width: float
    threshold: float
    max_runs: int
    lines: tuple[ValidationLine, ...]


@dataclass(frozen=True, kw_only=True)
class ExplanationFacts:
    """What a person found about one of the rival explanations; `key` as in `casebook.models.appraisals`."""

    key: str
    finding: str
    text: str


@dataclass(frozen=True, kw_only=True)
class AppraisalFacts:
    """What a person made of the result after it was sealed: stated, not measured. Decimals are texts, "" for none."""

    version: int
    signed_by: str
    signed_at: str
    explanations: tuple[ExplanationFacts, ...]
    uses: int | None
    uses_source: str
    threshold: str  # a share
    arm: int | None  # position of the further arm whose extra cost is stated
    cost: str
    currency: str


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """`result_json` and `protocol_json` are the stored texts, byte for byte: they become the attachments."""

    language: str
    case: CaseFacts
    incident: IncidentFacts
    exhibits: tuple[ExhibitFacts, ...]
    tests: tuple[TestFacts, ...]
    events: tuple[LedgerEvent, ...]
    test_number: int
    exploratory_runs: int  # of all tests of the case, drafts included
    result_json: str
    result_sha256: str
    result_version: int
    protocol_json: str
    ledger_head: str  # after the `sealed` entry
    sealed_at: str
    as_of: str  # the last recorded change of what is printed; from the data, never from the clock
    question: str = ""  # of the test; one that a sample proposed is in the report's language
    validation: ValidationFacts | None = None  # None in contexts frozen before it was printed
    appraisal: AppraisalFacts | None = None
    format: str = field(default=CONTEXT_FORMAT)

    @cached_property
    def result(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.result_json)
        return document

    @property
    def created_at(self) -> datetime:
        """The date of the report: when its result was sealed."""
        return datetime.fromisoformat(self.sealed_at)

    def document(self) -> dict[str, Any]:
        """The context as JSON holds it."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self), ensure_ascii=False))
        return document


def context_from_json(document: Mapping[str, Any]) -> ReportContext:
    """The context of a stored document. Raises `ValueError` for another format."""
    if document.get("format") != CONTEXT_FORMAT:
        raise ValueError(f"not a {CONTEXT_FORMAT} document: {document.get('format')!r}")
    incident = dict(document["incident"])
    incident["turns"] = tuple(TurnFacts(**turn) for turn in incident["turns"])
    return ReportContext(
        **{
            **document,
            "case": CaseFacts(**document["case"]),
            "incident": IncidentFacts(**incident),
            "exhibits": tuple(ExhibitFacts(**item) for item in document["exhibits"]),
            "tests": tuple(_read_test(item) for item in document["tests"]),
            "events": tuple(LedgerEvent(**item) for item in document["events"]),
            "appraisal": _read_appraisal(document.get("appraisal")),
            "validation": read_validation(document.get("validation")),
        }
    )


def _read_test(document: Mapping[str, Any]) -> TestFacts:
    return TestFacts(**{**document, "arms": tuple(ArmCounts(**arm) for arm in document["arms"])})


def read_validation(document: Mapping[str, Any] | None) -> ValidationFacts | None:
    """The facts of the validation annex from JSON."""
    if document is None:
        return None
    lines = tuple(ValidationLine(**line) for line in document["lines"])
    return ValidationFacts(**{**document, "lines": lines})


def _read_appraisal(document: Mapping[str, Any] | None) -> AppraisalFacts | None:
    if document is None:
        return None
    explanations = tuple(ExplanationFacts(**item) for item in document["explanations"])
    return AppraisalFacts(**{**document, "explanations": explanations})


def find_primary(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arm whose finding stands on page 1."""
    arms: list[Mapping[str, Any]] = result["arms"]
    return next((arm for arm in arms if arm["purpose"] == "primary"), arms[0])
