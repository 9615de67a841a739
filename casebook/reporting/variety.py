"""How varied the answers of an arm are, and whether its share of errors drifted: sentences from the result alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casebook.report_numbers import NumberWriter
from casebook.sentences import write_sentence

Document = Mapping[str, Any]


def write_variety(arm: Document, numbers: NumberWriter) -> tuple[str, ...]:
    """What the answers amount to; nothing for a greedy arm, for one answer, and in results that do not hold it."""
    found = arm.get("diversity")
    if not found or arm["deterministic"] or found["answers"] < 2:
        return ()
    sentences = _write_named(arm.get("disputed_answer"), numbers)
    if found["groups"] > 1:
        facts = {
            "answers": numbers.write_count(found["answers"]),
            "effective": numbers.write_decimal(f"{found['effective_answers']:.1f}"),
            "repeat": numbers.write_share(found["repeat_probability"]),
        }
        sentences.append(write_sentence("variety.amount", **facts))
    if found["novelty_bound"] < 1:  # a chance of at most 100% is no bound
        bound = {
            "level": numbers.write_level(found["level"]),
            "bound": numbers.write_share(found["novelty_bound"]),
        }
        sentences.append(write_sentence("variety.novelty", **bound))
    if found["unseen_mass"]:
        facts = {
            "unseen": numbers.write_share(found["unseen_mass"]),
            "chao": numbers.write_count(round(found["chao1"])),
        }
        sentences.append(write_sentence("variety.unseen", **facts))
    return tuple(sentences)


def _write_named(named: Document | None, numbers: NumberWriter) -> list[str]:
    """How often exactly the disputed answer was given, which the protocol names beforehand."""
    if not named:
        return []
    facts = {
        "count": numbers.write_count(named["count"]),
        "runs": numbers.write_count(named["runs"]),
        "low": numbers.write_share(named["low"]),
        "high": numbers.write_share(named["high"]),
        "level": numbers.write_level(named["level"]),
    }
    return [write_sentence("variety.disputed" if named["count"] else "variety.undisputed", **facts)]


def has_drifted(arm: Document) -> bool:
    """Whether the two halves of the runs differ by more than the test on them allows; never for a greedy arm."""
    halves = arm.get("halves")
    return bool(halves and halves["drifted"] and not arm["deterministic"])


def write_drift(arm: Document, numbers: NumberWriter) -> str:
    """What the two halves of the runs say; nothing for a greedy arm and in results that do not hold it."""
    halves = arm.get("halves")
    if not halves or arm["deterministic"]:
        return ""
    facts = {
        "first": numbers.write_count(halves["first"]["errors"]),
        "first_runs": numbers.write_count(halves["first"]["runs"]),
        "second": numbers.write_count(halves["second"]["errors"]),
        "second_runs": numbers.write_count(halves["second"]["runs"]),
        "p": numbers.write_stated_p(halves["p_value"]),
        "alpha": numbers.write_decimal(str(halves["alpha"])),
    }
    return write_sentence("drift.seen" if has_drifted(arm) else "drift.none", **facts)
