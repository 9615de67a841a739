"""The loss per error from which a costlier further arm pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.utils.translation import gettext

from casebook.report_numbers import NumberWriter
from casebook.reporting.comparisons import decide_difference
from casebook.reporting.uses import NumberLine, read_interval
from casebook.sentences import write_sentence
from ensemble.stats.exposure import break_even_loss
from ensemble.stats.interval import Interval

Document = Mapping[str, Any]

CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class LossView:
    """The break-even loss of a further arm; no lines where none can be stated."""

    arm: int
    cost: str
    sentences: tuple[str, ...]
    lines: tuple[NumberLine, ...]


def build_loss(comparison: Document, uses: int, cost: tuple[str, str], numbers: NumberWriter) -> LossView:
    """The loss per error from which the compared arm pays; `cost` is in total over `uses` uses, with its currency."""
    amount, currency = cost
    gain = _turn_round(read_interval(comparison["difference"]))
    loss = break_even_loss(gain, uses, float(amount))
    facts = {
        "arm": numbers.write_count(comparison["arm"] + 1),
        "other": numbers.write_count(comparison["against"] + 1),
        "level": numbers.write_level(gain.level),
    }
    lines: tuple[NumberLine, ...] = ()
    if decide_difference(comparison) == "unknown":
        said = [write_sentence("comparison.unknown", arm=facts["arm"], other=facts["other"])]
    elif loss is None:
        said = [write_sentence("loss.none" if gain.high < 0 else "loss.not_estimable", **facts)]
    else:
        line = _write_loss(loss, currency, numbers)
        lines = (line,)
        facts |= {"uses": numbers.write_count(uses), "cost": numbers.write_amount(amount, currency)}
        said = [write_sentence("loss.pays", uses, **facts, loss=line.value, low=line.low, high=line.high)]
    if decide_difference(comparison) == "unclear":
        said.append(write_sentence("comparison.unclear"))
    return LossView(
        arm=comparison["arm"] + 1,
        cost=numbers.write_amount(amount, currency),
        sentences=(*said, write_sentence("loss.meaning")),
        lines=lines,
    )


def _turn_round(difference: Interval) -> Interval:
    """The same difference the other way round: what the primary arm's share exceeds the further arm's by."""
    estimate = None if difference.estimate is None else -difference.estimate
    return replace(difference, estimate=estimate, low=-difference.high, high=-difference.low)


def _write_loss(loss: Interval, currency: str, numbers: NumberWriter) -> NumberLine:
    def write(amount: float | None) -> str:
        cents = Decimal(amount or 0.0).quantize(CENT, ROUND_HALF_EVEN)
        smallest = numbers.write_amount(str(CENT), currency)
        return numbers.write_amount(str(cents), currency) if cents else f"<{smallest}"

    return NumberLine(
        quantity=gettext("break-even loss per error"),
        value=write(loss.estimate),
        low=write(loss.low),
        high=write(loss.high),
        level=numbers.write_level(loss.level),
    )
