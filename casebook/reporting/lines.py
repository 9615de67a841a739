"""The lines of a report's tables, every number written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from casebook.figures.sequence import thin_indexes
from casebook.neutral_names import say_endpoint
from casebook.report_numbers import NumberWriter
from casebook.reporting.claims import GROUPS_LISTED, find_band
from casebook.reporting.words import IDENTITY, LABELS, METHODS, OUTCOMES, SAMPLING, say
from casebook.sentences import write_sentence
from casebook.visible import CutText, cut_text
from ensemble.stats.proportion import clean_runs_to_bound
from ensemble.stats.sequential import clean_runs_to_sequence_bound

Document = Mapping[str, Any]

GROUP_CHARACTERS = 600
SEQUENCE_LINES = 12
EXAMPLE_SHARES = (0.1, 0.05, 0.01, 0.001)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table of facts; a hash is set in the fixed-width face."""

    label: str
    value: str
    is_hash: bool = False


@dataclass(frozen=True, kw_only=True)
class IntervalLine:
    """A line of the table of intervals, every number written out."""

    quantity: str
    counts: str
    share: str
    low: str
    high: str
    level: str
    method: str


@dataclass(frozen=True, kw_only=True)
class SequenceLine:
    """A point of the cumulative rate, with the confidence sequence there."""

    counts: str
    share: str
    low: str
    high: str


@dataclass(frozen=True, kw_only=True)
class ZeroLine:
    """What a test without errors means if the true share were `share`."""

    share: str
    chance: str
    runs_needed: str


@dataclass(frozen=True, kw_only=True)
class GroupLine:
    text: CutText
    cut_note: str
    count: str
    share: str
    label: str
    first_index: str


@dataclass(frozen=True, kw_only=True)
class RunLine:
    index: str
    seed: str
    outcome: str
    label: str
    attempt: str
    tokens: str
    seconds: str
    text_sha256: str
    counts: bool


def list_sampling(sampling: Document, numbers: NumberWriter) -> tuple[Row, ...]:
    """Every sampling value, as locked and sent."""
    return tuple(
        Row(label=say(SAMPLING, name), value=_write_setting(value, numbers))
        for name, value in _in_order(sampling, SAMPLING)
    )


def _write_setting(value: Any, numbers: NumberWriter) -> str:
    if isinstance(value, list):
        return ", ".join(gettext("“%(text)s”") % {"text": item} for item in value) or gettext("none")
    # Nothing set apart in a number that was sent so: 2048, as the editor has it.
    return str(value) if isinstance(value, int) else numbers.write_decimal(value)


def _in_order(found: Document, words: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Entries in the order of our words: canonical JSON sorts them by name."""
    return [(key, found[key]) for key in words if key in found]


def list_counts(arm: Document, numbers: NumberWriter) -> tuple[Row, ...]:
    labels = [
        (gettext("Label: %(name)s") % {"name": say(LABELS, key)}, n) for key, n in arm["labels"].items()
    ]
    outcomes = [
        (gettext("Outcome: %(name)s") % {"name": say(OUTCOMES, k)}, n)
        for k, n in _in_order(arm["outcomes"], OUTCOMES)
    ]
    others = [
        (gettext("Tokens of the prompt"), arm["tokens"]["prompt"]),
        (gettext("Tokens of the answers"), arm["tokens"]["completion"]),
        (gettext("Different answers, byte for byte"), arm["distinct_answers"]),
    ]
    return tuple(Row(label=name, value=numbers.write_count(n)) for name, n in (*labels, *outcomes, *others))


def list_sequence(arm: Document, numbers: NumberWriter) -> tuple[SequenceLine, ...]:
    """The cumulative rate at evenly spread points, the last one included; none for a greedy arm."""
    points = [] if arm["deterministic"] else arm["sequence"]
    return tuple(
        SequenceLine(
            counts=f"{numbers.write_count(int(points[place][1]))}/{numbers.write_count(int(points[place][0]))}",
            share=numbers.write_exact(points[place][1] / points[place][0]),
            low=numbers.write_exact(points[place][2]),
            high=numbers.write_exact(points[place][3]),
        )
        for place in thin_indexes(len(points), SEQUENCE_LINES)
    )


def list_intervals(arm: Document, numbers: NumberWriter) -> tuple[IntervalLine, ...]:
    """Every interval of the arm with four decimals, so that it can be checked against another computation."""
    if arm["interval"] is None or not arm["runs"]:
        return ()
    found = [(gettext("share of errors"), arm["interval"])]
    if arm["wilson"]:
        found.append((gettext("the same, for comparison"), arm["wilson"]))
    if arm["interval_kind"] != "confidence sequence":
        found.append((gettext("the same, valid whenever one stops"), arm["confidence_sequence"]))
    if band := find_band(arm):
        found.append((gettext("whatever the missing labels are"), band))
    if arm["per_substantive_answer"]["interval"] and arm["per_substantive_answer"]["runs"] != arm["runs"]:
        found.append((gettext("among substantive answers"), arm["per_substantive_answer"]["interval"]))
    done = arm["all_completed"]
    if done["runs"] + done["unlabelled"] > arm["runs"] + arm["unlabelled"]:
        found.append((gettext("over all finished runs"), done["interval"]))
    return tuple(_write_interval_line(name, interval, numbers) for name, interval in found if interval)


def _write_interval_line(quantity: str, interval: Document, numbers: NumberWriter) -> IntervalLine:
    return IntervalLine(
        quantity=quantity,
        counts=f"{numbers.write_count(interval['errors'])}/{numbers.write_count(interval['runs'])}",
        share=numbers.write_exact(interval["estimate"]),
        low=numbers.write_exact(interval["low"]),
        high=numbers.write_exact(interval["high"]),
        level=numbers.write_level(interval["level"]),
        method=say(METHODS, interval["method"]),
    )


def list_zero_lines(arm: Document, numbers: NumberWriter) -> tuple[ZeroLine, ...]:
    zero = arm["zero_errors"]
    if not zero or not arm["interval"]:
        return ()
    is_sequence = arm["interval_kind"] == "confidence sequence"
    count = clean_runs_to_sequence_bound if is_sequence else clean_runs_to_bound
    return tuple(
        ZeroLine(
            share=numbers.write_level(share),
            chance=numbers.write_share((1 - share) ** arm["runs"]),
            runs_needed=numbers.write_count(count(share, zero["level"])),
        )
        for share in EXAMPLE_SHARES
    )


def name_zero_count(arm: Document) -> str:
    """What the last column of the zero lines counts: the one-sided bound needs a number of runs fixed beforehand."""
    if arm["interval_kind"] == "confidence sequence":
        return gettext("runs without an error that bring the end of the confidence sequence down to it")
    return gettext(
        "runs without an error, their number fixed beforehand, that bring the one-sided bound down to it"
    )


def list_groups(arm: Document, numbers: NumberWriter) -> tuple[GroupLine, ...]:
    total = sum(arm["labels"].values())
    return tuple(_write_group(group, total, numbers) for group in arm["groups"][:GROUPS_LISTED])


def _write_group(group: Document, total: int, numbers: NumberWriter) -> GroupLine:
    text = cut_text(group["text"], GROUP_CHARACTERS)
    characters = group.get("characters", text.total)
    facts = {"shown": numbers.write_count(len(text.shown)), "total": numbers.write_count(characters)}
    is_cut = len(text.shown) < characters
    return GroupLine(
        text=text,
        cut_note=write_sentence("text.cut_plain", characters, **facts) if is_cut else "",
        count=numbers.write_count(group["count"]),
        share=numbers.write_share(group["count"] / total if total else None),
        label=say(LABELS, group["label"]),
        first_index=numbers.write_count(group["first_index"]),
    )


def list_identity(arm: Document) -> tuple[Row, ...]:
    """What the endpoint told of its model at the first check, and at the last where that differs."""
    first, last = arm["identity"]["first"] or {}, arm["identity"]["last"] or {}
    rows = [
        Row(label=gettext("endpoint"), value=say_endpoint(arm["endpoint"], arm["backend"])),
        Row(label=gettext("model, as requested"), value=arm["model"]),
    ]
    rows += [_write_identity_row(key, value, "") for key, value in _in_order(first, IDENTITY) if value]
    later = gettext("at the last check")
    rows += [
        _write_identity_row(key, value, f" ({later})")
        for key, value in _in_order(last, IDENTITY)
        if value and value != first.get(key)
    ]
    return tuple(rows)


def _write_identity_row(key: str, value: Any, suffix: str) -> Row:
    return Row(
        label=say(IDENTITY, key) + suffix, value=str(value), is_hash=key.endswith(("digest", "sha256"))
    )


def list_runs(arm: Document, limit: int, numbers: NumberWriter) -> tuple[RunLine, ...]:
    """The first `limit` counted-zone runs in seed order, failed calls and runs after the stop among them."""
    return tuple(_write_run(run, arm["n_stop"], numbers) for run in arm["runs_list"][:limit])


def _write_run(run: Document, n_stop: int, numbers: NumberWriter) -> RunLine:
    tokens = run["tokens"]
    return RunLine(
        index=numbers.write_count(run["index"]),
        seed=str(run["seed"]),
        outcome=say(OUTCOMES, run["outcome"]),
        label=say(LABELS, run["label"]) or "–",
        attempt=str(run["attempt"]) + ("*" if run["remade"] else ""),
        tokens="–" if tokens is None else numbers.write_count(tokens),
        seconds=numbers.write_seconds(run["ms"]),
        text_sha256=run["text_sha256"][:16],
        counts=run["index"] < n_stop and run["outcome"] != "failed",
    )
