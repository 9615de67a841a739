"""Contexts with an appraisal, on results of any counts."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from casebook.reporting.context import AppraisalFacts, ExplanationFacts, ReportContext
from tests.casebook.report_examples import make_context, make_incident, replace_result
from tests.casebook.report_shapes import SHAPES

EXPLANATIONS = (
    ExplanationFacts(key="changed", finding="supported", text="Release notes of 2 June (exhibit 2)."),
    ExplanationFacts(key="record", finding="open", text=""),
)


def make_appraisal(**changes: Any) -> AppraisalFacts:
    """Every part filled in."""
    facts: dict[str, Any] = {
        "version": 1,
        "signed_by": "anna",
        "signed_at": "2026-05-13T10:00:00.000Z",
        "explanations": EXPLANATIONS,
        "uses": 1000,
        "uses_source": "Annual report of the airline, page 12",
        "threshold": "0.05",
        "arm": None,
        "cost": "",
        "currency": "",
    }
    return AppraisalFacts(**{**facts, **changes})


def make_counts_context(
    errors: int, runs: int, language: str = "en", *, shape: dict[str, Any] | None = None, **changes: Any
) -> ReportContext:
    """A test of `errors` in `runs` labelled runs; `shape` as in `report_shapes.SHAPES`."""
    counted = {"counts": {"error": errors, "no error": runs - errors}, **(shape or {})}
    with patch.dict(SHAPES, {"these counts": counted}):
        return make_context("these counts", language, **changes)


def make_arms_context(other: tuple[int, int], language: str = "en", **changes: Any) -> ReportContext:
    """37 errors of 100 in the primary arm, against another one."""
    errors, runs = other
    shape = {
        "temperatures": ("0.8", "0.4"),
        "each": ({}, {"counts": {"error": errors, "no error": runs - errors}}),
    }
    return make_counts_context(37, 100, language, shape=shape, **changes)


def list_every_shape(language: str) -> list[ReportContext]:
    """Contexts that between them reach every sentence of an appraisal."""
    whole, loss = make_appraisal(), make_appraisal(arm=1, cost="25000", currency="EUR")
    contexts = [make_context(shape, language, appraisal=whole) for shape in SHAPES]
    contexts += [
        make_arms_context(other, language, appraisal=loss) for other in ((12, 100), (30, 100), (70, 100))
    ]
    unrecorded = make_incident(occurred_on="", prompt_is_verbatim=False)
    bare = make_counts_context(2, 20, language, appraisal=whole, incident=unrecorded, exhibits=())
    few = make_counts_context(2, 20, language, appraisal=make_appraisal(uses=10))
    return [*contexts, few, bare, _without_system_prompt(bare)]


def _without_system_prompt(context: ReportContext) -> ReportContext:
    """The same result, had the first message been the user's."""
    result = json.loads(context.result_json)
    result["protocol"]["arms"][0]["messages"].pop(0)
    return replace_result(context, result)
