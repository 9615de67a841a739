"""The locked protocol in words, and what was done of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

from casebook.neutral_names import say_endpoint
from casebook.report_numbers import NumberWriter
from casebook.reporting.claims import write_ending
from casebook.reporting.context import ReportContext
from casebook.reporting.lines import Row
from casebook.reporting.words import BACKENDS, DETECTORS, LABELS, MATCHES, NUMBER_RULES, PICKS, say
from casebook.sentences import write_sentence

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PlanLine:
    """One point of the protocol: what was locked, and what happened."""

    point: str
    planned: str
    done: str


def write_rule(stopping: Document, numbers: NumberWriter) -> str:
    """The locked stopping rule in a sentence."""
    if stopping["kind"] == "fixed":
        return write_sentence("rule.fixed", stopping["runs"], runs=numbers.write_count(stopping["runs"]))
    if stopping["kind"] == "anytime":
        return _write_anytime_rule(stopping, numbers)
    facts = {
        "half_width": numbers.write_points(stopping["half_width"]),
        "min_runs": numbers.write_count(stopping["min_runs"]),
        "max_runs": numbers.write_count(stopping["max_runs"]),
    }
    return write_sentence("rule.precision", stopping["max_runs"], **facts)


def _write_anytime_rule(stopping: Document, numbers: NumberWriter) -> str:
    threshold, half_width = float(stopping["threshold"]), float(stopping["half_width"])
    shape = {(True, True): "_both", (True, False): "_threshold", (False, True): "_width", (False, False): ""}
    facts = {
        "max_runs": numbers.write_count(stopping["max_runs"]),
        "min_runs": numbers.write_count(stopping["min_runs"]),
        "threshold": numbers.write_level(threshold),
        "half_width": numbers.write_points(stopping["half_width"]),
    }
    return write_sentence(f"rule.anytime{shape[bool(threshold), bool(half_width)]}", **facts)


def write_limit(protocol: Document, numbers: NumberWriter) -> str:
    """Where an arm ends that its rule does not end; arms with a rule of their own have their own limit."""
    limit = protocol["stopping"]["max_indexes"]
    sentence_id = "rule.limit_own" if any(arm.get("stopping") for arm in protocol["arms"]) else "rule.limit"
    return write_sentence(sentence_id, limit, limit=numbers.write_count(limit))


def write_model(arm: Document) -> str:
    """The model of an arm, and through what it is called."""
    return gettext("%(model)s, at the endpoint “%(endpoint)s” (%(kind)s)") % {
        "model": arm["model"],
        "endpoint": say_endpoint(arm["endpoint"], arm["backend"]),
        "kind": say(BACKENDS, arm["backend"]),
    }


def write_audit_plan(audit: Document, numbers: NumberWriter) -> str:
    """How many seeds the determinism audit repeats."""
    minimum, share = numbers.write_count(audit["minimum"]), numbers.write_level(float(audit["share"]))
    return write_sentence("audit.planned", minimum=minimum, share=share)


def list_plan(context: ReportContext, arm: Document, numbers: NumberWriter) -> tuple[PlanLine, ...]:
    """Planned versus done for the test and its primary arm."""
    protocol = context.result["protocol"]
    ended = write_ending(arm, context.result["experiment"]["ended_as"], numbers)
    planned_audit = write_audit_plan(protocol["audit"], numbers)
    found = [
        (
            gettext("Arms"),
            numbers.write_count(len(protocol["arms"])),
            numbers.write_count(_count_started(context)),
        ),
        (gettext("Stopping rule"), write_rule(protocol["stopping"], numbers), ended),
        (
            gettext("Limit"),
            write_limit(protocol, numbers),
            gettext("runs up to the end of the count: %(count)s")
            % {"count": numbers.write_count(arm["n_stop"])},
        ),
        (gettext("Labels"), _describe_detector(protocol["detector"]), _write_labels(arm, numbers)),
        (gettext("Determinism audit"), planned_audit, numbers.write_count(arm["audit"]["repeats"])),
        (
            gettext("Attempts per run"),
            gettext("at most %(count)s") % {"count": numbers.write_count(protocol["max_attempts"])},
            gettext("failed calls: %(count)s")
            % {"count": numbers.write_count(arm["all_completed"]["outcomes"]["failed"])},
        ),
        (gettext("Seeds"), gettext("from the protocol hash, one per run"), _write_seed_range(arm, numbers)),
        (
            gettext("Changes after locking"),
            gettext("none possible; amendments are dated"),
            _count_changes(context),
        ),
    ]
    return tuple(PlanLine(point=point, planned=planned, done=done) for point, planned, done in found)


def _count_started(context: ReportContext) -> int:
    return sum(arm["runs_total"] > 0 for arm in context.result["arms"])


def _describe_detector(detector: Document) -> str:
    return gettext("by detector: %(kind)s") % {"kind": say(DETECTORS, detector["kind"])}


def _write_labels(arm: Document, numbers: NumberWriter) -> str:
    return ", ".join(
        f"{say(LABELS, key)}: {numbers.write_count(count)}" for key, count in arm["labels"].items()
    )


def _write_seed_range(arm: Document, numbers: NumberWriter) -> str:
    if not arm["n_stop"]:
        return gettext("no counted run")
    return gettext("indexes 0 to %(last)s, without a gap") % {"last": numbers.write_count(arm["n_stop"] - 1)}


def _count_changes(context: ReportContext) -> str:
    amended = sum(event.kind == "amended" for event in context.events)
    return gettext("amendments: %(count)s") % {"count": amended}


def list_detector(protocol: Document, numbers: NumberWriter) -> tuple[Row, ...]:
    """The locked detector: every value that decides a label."""
    detector = protocol["detector"]
    rows = [Row(label=gettext("Detector"), value=say(DETECTORS, detector["kind"]))]
    rows += _list_text(detector) if detector["kind"] == "text" else _list_number(detector, numbers)
    count = len(protocol["refusal_phrases"])
    phrases = ngettext(
        "%(count)s phrase, listed in protocol.json", "%(count)s phrases, listed in protocol.json", count
    ) % {"count": numbers.write_count(count)}
    return (*rows, Row(label=gettext("Counts as a refusal"), value=phrases))


def _list_text(detector: Document) -> list[Row]:
    flags = {
        "ignore_case": gettext("upper and lower case are treated alike"),
        "fold_yo": gettext("ё is treated as е"),
        "whole_words": gettext("whole words only"),
    }
    stated = [text for key, text in flags.items() if detector.get(key)]
    return [
        Row(label=gettext("What it looks for"), value=say(MATCHES, detector["match"])),
        Row(label=gettext("Means an error"), value=_quote(detector["error_phrases"])),
        Row(label=gettext("Means no error"), value=_quote(detector["correct_phrases"])),
        Row(label=gettext("If neither is found"), value=say(LABELS, detector["otherwise"])),
        Row(label=gettext("Comparison"), value="; ".join(stated) or gettext("as written")),
    ]


def _quote(phrases: list[str]) -> str:
    return " · ".join(phrases) or gettext("no phrase")


def _list_number(detector: Document, numbers: NumberWriter) -> list[Row]:
    tolerance = numbers.write_decimal(detector["tolerance"])
    if detector["tolerance_kind"] == "relative":
        tolerance = gettext("%(tolerance)s of the true number") % {"tolerance": tolerance}
    rows = [
        Row(label=gettext("What it looks for"), value=say(PICKS, detector["pick"])),
        Row(label=gettext("Rule"), value=say(NUMBER_RULES, detector["rule"])),
        Row(label=gettext("True number"), value=numbers.write_decimal(detector["truth"])),
    ]
    if detector.get("disputed"):
        rows.append(Row(label=gettext("Disputed number"), value=numbers.write_decimal(detector["disputed"])))
    return [*rows, Row(label=gettext("Tolerance"), value=tolerance)]
