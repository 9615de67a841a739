"""The `number` detector: an answer is labelled by a number in it, compared with the truth in exact decimals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ensemble.detectors.base import Finding
from ensemble.detectors.numerals import EXACT, FoundNumber, find_numbers, make_plain
from ensemble.detectors.spec import check_keys, read_choice, read_text
from ensemble.errors import ProtocolError
from ensemble.protocol import JsonValue, Label

# Characters that are read, from the end that `pick` asks for: some 15,000 numbers, a quarter of a second.
MAX_TEXT = 30_000
MAX_UNIT_LENGTH = 100

_RULES = ("differs", "equals disputed")
_PICKS = ("last", "first", "only")
_DECIMAL_MARKS = ("auto", "point", "comma")
_TOLERANCE_KINDS = ("absolute", "relative")
_SETTINGS = ("rule", "truth", "disputed", "tolerance", "tolerance_kind", "pick", "decimal_mark", "unit")

_DECIMAL = re.compile(r"-?[0-9]{1,50}(\.[0-9]{1,50})?")
_WHOLE_WORD_FOLLOWS = re.compile(r"\W*+\w++\W")
_TO_LAST_SPACE = re.compile(r"(?s:.*)(?=\s)")
_FROM_FIRST_SPACE = re.compile(r"\s(?s:.*)")


@dataclass(frozen=True, kw_only=True)
class _Unit:
    """The ways to write a unit, before or behind a number; Markdown marks may stand between."""

    before: re.Pattern[str]
    behind: re.Pattern[str]

    @classmethod
    def read(cls, text: str) -> _Unit | None:
        """The unit of a specification, alternatives parted by "|"; None for the empty text: any unit or none."""
        if not text:
            return None
        units = [make_plain(unit).strip() for unit in text.split("|")]
        if not all(units):
            raise ProtocolError("“unit” holds an empty unit.", field="unit")
        written = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
        return cls(
            before=re.compile(rf"(?:(?<!\w)|(?!\w))(?:{written})[ *_]{{0,4}}-?\Z", re.IGNORECASE),
            behind=re.compile(rf"[ *_]{{0,4}}(?:{written})(?!\w)", re.IGNORECASE),
        )

    def belongs_to(self, number: FoundNumber, plain: str) -> bool:
        just_before = plain[max(0, number.start - MAX_UNIT_LENGTH - 5) : number.start]
        return bool(self.behind.match(plain, number.end) or self.before.search(just_before))


@dataclass(frozen=True, kw_only=True)
class NumberDetector:
    """A number of the answer against the truth.

    `differs`: further from the truth than the tolerance → *error*, else *no error*. `equals disputed`: the disputed
    number → *error*; the truth or any other number → *no error*, since the disputed error did not recur.

    `tolerance` is in the number's own unit or, `relative`, a share of the value compared with. `pick` says which number
    counts; `only`: several different ones → *unclear*. `unit`: only numbers with this unit before or behind them
    count; alternatives are parted by "|". No number → *unclear*. In a cut-off answer only the `first` number
    stands, and only when a whole word follows it.
    """

    version: str = "number/1"
    rule: str
    truth: Decimal
    disputed: Decimal | None
    tolerance: Decimal
    relative: bool
    pick: str
    decimal_mark: str
    unit: _Unit | None

    @classmethod
    def from_spec(cls, spec: Mapping[str, JsonValue]) -> NumberDetector:
        """The detector of a specification; `ProtocolError` names the part that is wrong."""
        check_keys(spec, kind="number", known=_SETTINGS, needed=("rule", "truth", "pick"))
        detector = cls(
            rule=read_choice(spec, "rule", _RULES),
            truth=_read_decimal(spec["truth"], "truth"),
            disputed=None if spec.get("disputed") is None else _read_decimal(spec["disputed"], "disputed"),
            tolerance=_read_decimal(spec.get("tolerance", "0"), "tolerance"),
            relative=read_choice(spec, "tolerance_kind", _TOLERANCE_KINDS) == "relative",
            pick=read_choice(spec, "pick", _PICKS),
            decimal_mark=read_choice(spec, "decimal_mark", _DECIMAL_MARKS),
            unit=_Unit.read(read_text(spec, "unit", longest=MAX_UNIT_LENGTH)),
        )
        detector._check()
        return detector

    def _check(self) -> None:
        if self.tolerance < 0:
            raise ProtocolError("The tolerance is negative.", field="tolerance")
        if self.relative and self.tolerance >= 1:
            raise ProtocolError("A relative tolerance is a share below 1: 0.05 is 5 %.", field="tolerance")
        if self.relative and self.tolerance and not self.truth:
            raise ProtocolError(
                "A tolerance relative to 0 allows nothing: make it absolute.", field="tolerance_kind"
            )
        if self.disputed is None:
            if self.rule == "equals disputed":
                raise ProtocolError("The disputed number is missing.", field="disputed")
            return
        apart = EXACT.add(self._allowed(self.truth), self._allowed(self.disputed))
        if EXACT.abs(EXACT.subtract(self.truth, self.disputed)) <= apart:
            raise ProtocolError(
                "Within the tolerance, the disputed number equals the truth.", field="disputed"
            )

    def detect(self, answer: str, *, truncated: bool = False) -> Finding:
        """The label of an answer; never raises, whatever the text."""
        text = self._limit(answer)
        unread = len(text) < len(answer)
        plain = make_plain(text)
        numbers = find_numbers(plain, decimal_mark=self.decimal_mark)
        if self.unit:
            numbers = [number for number in numbers if self.unit.belongs_to(number, plain)]
        if not numbers:
            return _unclear("no number with the unit" if self.unit else "no number")
        if self.pick == "only" and len({number.value for number in numbers}) > 1:
            return _unclear("more than one number")
        if (truncated and self.pick == "last") or ((truncated or unread) and self.pick == "only"):
            return _unclear("cut off: the rest could hold another number")
        number = numbers[-1 if self.pick == "last" else 0]
        may_go_on = self.pick == "first" and not _WHOLE_WORD_FOLLOWS.match(plain, number.end)
        if (truncated or unread) and may_go_on:
            return _unclear("cut off: the number could go on")
        return self._label(number.value)

    def _limit(self, answer: str) -> str:
        """The part of an answer that is read: no more than `MAX_TEXT` characters, not parted within a word."""
        if len(answer) <= MAX_TEXT:
            return answer
        if self.pick == "last":
            part = _FROM_FIRST_SPACE.search(answer[-MAX_TEXT:])
        else:
            part = _TO_LAST_SPACE.match(answer[:MAX_TEXT])
        return part.group() if part else ""

    def _label(self, value: Decimal) -> Finding:
        shown = _show(value)
        recurred = self.disputed is not None and self._is_near(value, self.disputed)
        if self.rule == "equals disputed" and recurred:
            return Finding(label=Label.ERROR, reason=f"{shown} equals the disputed number")
        if self._is_near(value, self.truth):
            return Finding(label=Label.NO_ERROR, reason=f"{shown} equals the true number")
        if self.rule == "equals disputed":
            return Finding(label=Label.NO_ERROR, reason=f"another wrong number: {shown}")
        return Finding(label=Label.ERROR, reason=f"{shown} differs from the true number")

    def _is_near(self, value: Decimal, reference: Decimal) -> bool:
        return EXACT.abs(EXACT.subtract(value, reference)) <= self._allowed(reference)

    def _allowed(self, reference: Decimal) -> Decimal:
        return EXACT.multiply(self.tolerance, EXACT.abs(reference)) if self.relative else self.tolerance


def _read_decimal(value: JsonValue, key: str) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ProtocolError(f'“{key}” must be a decimal number written as text, such as "1234.5".', field=key)
    return Decimal(value)


def _show(value: Decimal) -> str:
    text = format(value, "f")
    return text if len(text) <= 40 else f"{text[:39]}…"


def _unclear(reason: str) -> Finding:
    return Finding(label=Label.UNCLEAR, reason=reason)
