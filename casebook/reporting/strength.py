"""How strongly the counts speak for a share over or under a threshold: e-values, and Bayes factors when asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from casebook.report_numbers import LARGEST_E_VALUE, NumberWriter
from casebook.sentences import write_sentence
from ensemble.stats.exposure import log_bayes_factor
from ensemble.stats.sequential import log_e_value_above, log_e_value_below

Document = Mapping[str, Any]
Prior = tuple[float, float]

PRIORS: tuple[Prior, ...] = ((0.5, 0.5), (1.0, 1.0))
THRESHOLDS = (0.01, 0.05, 0.1)


@dataclass(frozen=True, kw_only=True)
class StrengthLine:
    """A threshold with the factor under each weighting of the possible shares."""

    threshold: str
    is_chosen: bool
    e_above: str
    factors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StrengthView:
    threshold: str
    sentences: tuple[str, ...]
    lines: tuple[StrengthLine, ...]


def build_strength(arm: Document, threshold: float, numbers: NumberWriter) -> StrengthView:
    """The evidence of the arm's labelled runs at `threshold`, with its sensitivity; the arm must not be greedy."""
    return StrengthView(
        threshold=numbers.write_level(threshold),
        sentences=_write_strength(arm, threshold, numbers),
        lines=tuple(
            _write_line(arm, at, numbers, is_chosen=at == threshold)
            for at in sorted({*THRESHOLDS, threshold})
        ),
    )


def _write_strength(arm: Document, threshold: float, numbers: NumberWriter) -> tuple[str, ...]:
    counts, miss = (arm["errors"], arm["runs"], threshold), 1 - arm["interval"]["level"]
    at = {"threshold": numbers.write_level(threshold)}
    e_values = {
        "e_above": numbers.write_e_value(log_e_value_above(*counts)),
        "e_below": numbers.write_e_value(log_e_value_below(*counts)),
    }
    meaning = {"needed": numbers.write_e_value(-math.log(miss)), "miss": numbers.write_level(miss)}
    named = "beforehand" if was_named_beforehand(arm, threshold) else "afterwards"
    return (
        write_sentence("evidence.e_values", **at, **e_values),
        write_sentence("evidence.e_meaning", **meaning),
        write_sentence(f"evidence.{named}", **at),
        _say_factor(log_bayes_factor(*counts, PRIORS[0]), at, numbers),
        write_sentence("evidence.prior"),
    )


def was_named_beforehand(arm: Document, threshold: float) -> bool:
    """Whether the locked protocol set this very threshold for a decision."""
    decision = arm.get("decision")
    return decision is not None and math.isclose(decision["threshold"], threshold, rel_tol=1e-9)


def write_factor(log_factor: float, numbers: NumberWriter) -> str:
    """A Bayes factor for the side that it favours, never rounded up: like an e-value, whole from a hundred on.

    The display ends at a million: beyond it an error of the model outweighs what was counted.
    """
    size = abs(log_factor)
    if math.log(100) <= size <= math.log(LARGEST_E_VALUE):
        return numbers.write_count(math.floor(math.exp(size) * (1 + 1e-12)))
    return numbers.write_e_value(size)


def _say_factor(log_factor: float, at: dict[str, str], numbers: NumberWriter) -> str:
    factor = write_factor(log_factor, numbers)
    if factor == numbers.write_count(1):
        return write_sentence("evidence.even", **at)
    return write_sentence("evidence.over" if log_factor > 0 else "evidence.not_over", factor=factor, **at)


def _write_line(arm: Document, threshold: float, numbers: NumberWriter, *, is_chosen: bool) -> StrengthLine:
    def write_cell(prior: Prior) -> str:
        found = log_bayes_factor(arm["errors"], arm["runs"], threshold, prior)
        factor = {"factor": write_factor(found, numbers)}
        if found > 0:
            return gettext("if over: %(factor)s") % factor
        return gettext("if not over: %(factor)s") % factor

    return StrengthLine(
        threshold=numbers.write_level(threshold),
        is_chosen=is_chosen,
        e_above=numbers.write_e_value(log_e_value_above(arm["errors"], arm["runs"], threshold)),
        factors=tuple(write_cell(prior) for prior in PRIORS),
    )
