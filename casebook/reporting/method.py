"""The method section of a report: the parts of docs/methods.md that concern its result, with their references.

Documentation and report are one text, in each language; nothing about a method is written a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from casebook.guide import find_numbers, open_marked, render_marked
from casebook.reporting.context import ReportContext

Document = Mapping[str, Any]
PAGE = "methods"


@dataclass(frozen=True, kw_only=True)
class MethodPart:
    topic: str
    heading: str
    html: SafeString


@dataclass(frozen=True, kw_only=True)
class MethodView:
    """`references` are in the order in which the parts name them; they are in English whatever the report is in."""

    parts: tuple[MethodPart, ...]
    references: tuple[SafeString, ...]


def build_method(context: ReportContext) -> MethodView:
    """The parts that concern the result, in the language of the report."""
    page, topics = open_marked(PAGE, context.language), find_topics(context)
    chosen = [part for part in page.parts if part.topic in topics]
    named = dict.fromkeys(number for part in chosen for number in find_numbers(part.blocks))
    numbers = {number: place for place, number in enumerate(named, start=1)}
    return MethodView(
        parts=tuple(
            MethodPart(topic=part.topic, heading=part.heading, html=render_marked(part.blocks, numbers))
            for part in chosen
        ),
        references=tuple(render_marked([page.references[int(number) - 1]], {}) for number in named),
    )


def find_topics(context: ReportContext) -> set[str]:
    """The topics of `docs/methods.md` on which the report prints a number."""
    result, appraisal = context.result, context.appraisal
    arms: Sequence[Document] = result["arms"]
    sampled = [arm for arm in arms if not arm["deterministic"]]
    comparisons: Sequence[Document] = result.get("comparisons") or ()
    found = {
        "always": True,
        result["protocol"]["stopping"]["kind"]: bool(sampled),
        "wilson": any(arm["wilson"] for arm in arms),
        "zero": any(arm["zero_errors"] for arm in arms),
        "band": any(arm["unlabelled"] and arm["worst_case"] for arm in arms),
        "sequence": any(arm["confidence_sequence"] for arm in arms),
        "decision": any(arm.get("decision") for arm in arms),
        "audit": any(arm["audit"]["repeats"] for arm in arms),
        "deterministic": len(sampled) < len(arms),
        "tests": any(each["p_value"] is not None for each in comparisons),
        "sequences": any(each["p_value"] is None for each in comparisons),
        "clusters": any((result.get("clusters") or {}).values()),
        "variety": any((arm.get("diversity") or {}).get("answers", 0) > 1 for arm in sampled),
        "drift": any(arm.get("halves") for arm in sampled),
        "exposure": appraisal is not None and bool(appraisal.uses),
        "strength": appraisal is not None and bool(appraisal.threshold),
        "loss": appraisal is not None and bool(appraisal.cost),
    }
    return {topic for topic, concerns in found.items() if concerns}
