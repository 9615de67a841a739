"""The five rival explanations of an error that did not recur, each beside the facts of this test that bear on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casebook.dates import format_imprecise_date
from casebook.report_numbers import NumberWriter
from casebook.reporting.claims import write_finding, write_identity, write_interval, write_zero
from casebook.reporting.context import ReportContext, find_primary
from casebook.reporting.lines import EXAMPLE_SHARES, list_zero_lines
from casebook.reporting.plan import write_model
from casebook.sentences import write_sentence

Document = Mapping[str, Any]

FEW = 0.1  # up to this share of errors the explanations are put forward
EXAMPLE = EXAMPLE_SHARES.index(0.01)


def recurs_seldom(arm: Document) -> bool:
    """Whether the error did not recur, or in at most a tenth of the labelled runs."""
    return bool(arm["runs"]) and arm["errors"] <= FEW * arm["runs"]


def write_outset(context: ReportContext, numbers: NumberWriter) -> tuple[str, ...]:
    """What the result shows, and what none of n does not show: read before any explanation is examined."""
    result, arm = context.result, find_primary(context.result)
    sure = write_interval(arm, result["experiment"]["ended_as"], numbers)
    return (write_finding(arm, numbers), *(write_zero(arm, numbers) or (sure,)))


def write_bearing(context: ReportContext, numbers: NumberWriter) -> dict[str, tuple[str, ...]]:
    """The measured facts that bear on each explanation, by its key."""
    arm = find_primary(context.result)
    return {
        "rare": _write_rare(context, arm, numbers),
        "changed": (*write_identity(arm["identity"], numbers), *_write_dates(context, arm, numbers)),
        "context": _write_context(context, arm),
        "variant": (write_sentence("rival.variant", model=write_model(arm)),),
        "record": _write_record(context, numbers),
    }


def write_detector(context: ReportContext, numbers: NumberWriter) -> str:
    """The explanation that is not about the model: the instrument itself."""
    unlabelled = numbers.write_count(find_primary(context.result)["unlabelled"])
    return write_sentence("rival.detector", unlabelled=unlabelled)


def _write_rare(context: ReportContext, arm: Document, numbers: NumberWriter) -> tuple[str, ...]:
    interval = arm["interval"]
    if not arm["runs"] or interval is None:
        return (write_interval(arm, context.result["experiment"]["ended_as"], numbers),)
    if lines := list_zero_lines(arm, numbers):
        line, is_sequence = lines[EXAMPLE], arm["interval_kind"] == "confidence sequence"
        facts = {"share": line.share, "runs": numbers.write_count(arm["runs"]), "chance": line.chance}
        needed = "rival.needed_sequence" if is_sequence else "rival.needed"
        return (
            write_sentence("rival.chance", arm["runs"], **facts),
            write_sentence(needed, share=line.share, needed=line.runs_needed),
        )
    facts = {
        "miss": numbers.write_share(1 - interval["estimate"]),
        "low": numbers.write_share(1 - interval["high"]),
        "high": numbers.write_share(1 - interval["low"]),
        "level": numbers.write_level(interval["level"]),
    }
    return (write_sentence("rival.single", **facts),)


def _write_dates(context: ReportContext, arm: Document, numbers: NumberWriter) -> tuple[str, ...]:
    experiment = context.result["experiment"]
    if not arm["runs_total"]:
        return ()
    facts = {"between": numbers.write_period(experiment["started_at"], experiment["ended_at"])}
    if not context.incident.occurred_on:
        return (write_sentence("rival.undated", **facts),)
    incident = format_imprecise_date(context.incident.occurred_on, context.language)
    return (write_sentence("rival.dated", incident=incident, **facts),)


def _write_context(context: ReportContext, arm: Document) -> tuple[str, ...]:
    messages = context.result["protocol"]["arms"][arm["position"]]["messages"]
    has_system = bool(messages) and messages[0]["role"] == "system"
    return (
        write_sentence("prompt.verbatim" if context.incident.prompt_is_verbatim else "rival.changed_prompt"),
        write_sentence("rival.system" if has_system else "rival.no_system"),
        write_sentence("rival.bare"),
    )


def _write_record(context: ReportContext, numbers: NumberWriter) -> tuple[str, ...]:
    count = len(context.exhibits)
    if not count:
        return (write_sentence("rival.no_exhibits"),)
    return (write_sentence("rival.exhibits", count, count=numbers.write_count(count)),)
