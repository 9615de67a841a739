"""Which sentence says what was found, and with which numbers: pure, from the result document alone."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from typing import Any

from django.utils.translation import gettext

from casebook.report_numbers import NumberWriter
from casebook.sentences import write_sentence

Document = Mapping[str, Any]

GROUPS_DRAWN = 8
GROUPS_LISTED = 20
# What says only that there is nothing to say: a report must state it, a page may leave it out.
IDLE_SENTENCES = ("band.none", "substantive.same", "completed.same")
INTERVAL_IDS = {
    "clopper-pearson": "interval.fixed",
    "planned precision": "interval.precision",
    "confidence sequence": "interval.sequence",
}


def choose_finding(arm: Document) -> str:
    """The id of the one sentence that says what the arm found."""
    if arm["runs"] == 0:
        return "finding.unlabelled" if arm["unlabelled"] else "finding.no_runs"
    if arm["deterministic"]:
        return "finding.deterministic"
    shape = {0: "zero", arm["runs"]: "all"}.get(arm["errors"], "")
    if arm["purpose"] == "control":
        return f"control.{shape or 'rate'}"
    if arm["stop"]["kind"] in {"rule", "limit"}:
        return f"finding.{shape or 'rate'}"
    return f"finding.interim_{shape}" if shape else "finding.interim"


def write_finding(arm: Document, numbers: NumberWriter) -> str:
    facts = {
        "errors": numbers.write_count(arm["errors"]),
        "runs": numbers.write_count(arm["runs"]),
        "count": numbers.write_count(arm["unlabelled"]),
        "share": numbers.write_share(arm["errors"] / arm["runs"] if arm["runs"] else None),
    }
    return write_sentence(choose_finding(arm), arm["runs"] or arm["unlabelled"], **facts)


def write_running(arm: Document, stopping: str, numbers: NumberWriter) -> tuple[str, str]:
    """What the page of a running test says: the count so far, and the one interval that may be looked at.

    `stopping` is the kind of its rule: the interval of an anytime test is that of its end, too.
    """
    if not arm["runs"]:
        return write_sentence("running.none"), ""
    facts = {
        "errors": numbers.write_count(arm["errors"]),
        "runs": numbers.write_count(arm["runs"]),
        "share": numbers.write_share(arm["errors"] / arm["runs"]),
    }
    shape = "running.control" if arm["purpose"] == "control" else "running.rate"
    found = write_sentence(shape, arm["runs"], **facts)
    sequence = arm["confidence_sequence"]
    if sequence is None:
        return found, write_sentence("interval.deterministic")
    return found, write_sentence(_choose_running(arm, stopping), **_interval_facts(sequence, numbers))


def _choose_running(arm: Document, stopping: str) -> str:
    """The id of the sentence on the sequence: whether another interval is still to come, or never will."""
    if stopping == "anytime":
        return "running.anytime"
    return {"": "running.sequence", "rule": "running.met"}.get(arm["stop"]["kind"], "running.missed")


def write_interval(arm: Document, ended_as: str, numbers: NumberWriter) -> str:
    """The one sentence that says how sure the finding is; `ended_as` tells how the whole test ended.

    A confidence sequence is the headline of an anytime test that met its rule, and all that is left of another test
    that did not, or was cancelled.
    """
    if arm["runs"] == 0:
        return write_sentence("interval.none", low=numbers.write_share(0), high=numbers.write_share(1))
    interval = arm["interval"]
    if arm["deterministic"] or interval is None:
        return write_sentence("interval.deterministic")
    sentence_id = INTERVAL_IDS[arm["interval_kind"]]
    if sentence_id == "interval.sequence" and arm["stop"]["kind"] == "rule" and ended_as != "cancelled":
        sentence_id = "interval.anytime"
    return write_sentence(sentence_id, **_interval_facts(interval, numbers))


def write_decision(arm: Document, numbers: NumberWriter) -> tuple[str, ...]:
    """What an anytime test decided about its threshold, and what that means; empty where there is no threshold."""
    decision = arm.get("decision")
    if not decision or not arm["runs"]:
        return ()
    facts = {
        "threshold": numbers.write_level(decision["threshold"]),
        "e_above": numbers.write_e_value(decision["log_e_above"]),
        "e_below": numbers.write_e_value(decision["log_e_below"]),
        "e_needed": numbers.write_e_value(decision["log_e_needed"]),
        "miss": numbers.write_level(exp(-decision["log_e_needed"])),
    }
    finding = f"decision.{decision['finding']}"
    return write_sentence(finding, **facts), write_sentence(f"{finding}_meaning", **facts)


def _interval_facts(interval: Document, numbers: NumberWriter) -> dict[str, str]:
    return {
        "low": numbers.write_share(interval["low"]),
        "high": numbers.write_share(interval["high"]),
        "level": numbers.write_level(interval["level"]),
        "miss": numbers.write_level(1 - interval["level"]),
    }


def write_ending(arm: Document, ended_as: str, numbers: NumberWriter) -> str:
    """How the arm ended: by its rule, or why not."""
    kind = arm["stop"]["kind"]
    if kind == "rule":
        shape = "ended.undecided" if _ran_out(arm) else "ended.rule"
        return write_sentence(shape, arm["runs"], runs=numbers.write_count(arm["runs"]))
    if kind == "limit":
        return write_sentence("ended.limit", arm["n_stop"], limit=numbers.write_count(arm["n_stop"]))
    if kind in ("failed", "identity", "skipped"):
        return write_sentence(f"ended.{kind}")
    return write_sentence("ended.cancelled" if ended_as == "cancelled" else "ended.early")


def _ran_out(arm: Document) -> bool:
    """Whether an anytime arm made the most runs it may, and its threshold stayed undecided."""
    decision = arm.get("decision") or {}
    return decision.get("finding") == "undecided" and arm["runs"] >= arm["stopping"]["max_runs"]


def write_counts(arm: Document, numbers: NumberWriter) -> str:
    facts = {"errors": numbers.write_count(arm["errors"]), "runs": numbers.write_count(arm["runs"])}
    return gettext("%(errors)s of %(runs)s") % facts


def write_details(arm: Document, numbers: NumberWriter) -> tuple[str, ...]:
    """The sentences beneath the finding: missing labels, refusals, what was finished besides, calls."""
    if not arm["runs"]:
        return (_write_completed(arm, numbers),)
    found = [
        *_write_variation(arm, numbers),
        _write_band(arm, numbers),
        _write_substantive(arm, numbers),
        _write_completed(arm, numbers),
    ]
    for key, sentence_id in (
        ("duplicate_seeds", "seeds.duplicate"),
        ("retried", "calls.retried"),
        ("remade", "calls.remade"),
    ):
        if arm[key]:
            found.append(write_sentence(sentence_id, arm[key], count=numbers.write_count(arm[key])))
    return tuple(found)


def write_telling_details(arm: Document, numbers: NumberWriter) -> tuple[str, ...]:
    """The sentences of `write_details` without those that only say that there is nothing to say."""
    idle = {write_sentence(sentence_id) for sentence_id in IDLE_SENTENCES}
    return tuple(sentence for sentence in write_details(arm, numbers) if sentence not in idle)


def _write_variation(arm: Document, numbers: NumberWriter) -> list[str]:
    different = arm["distinct_answers"]
    if not arm["deterministic"] or different < 2:
        return []
    return [write_sentence("finding.varied", different, count=numbers.write_count(different))]


def find_band(arm: Document) -> Document | None:
    """The worst-case band, where some runs have no label and the arm came to its rule or to its limit.

    Where no number of runs was fixed, and at the limit, its ends are those of confidence sequences. A test that was
    cancelled, that failed or whose model changed shows its confidence sequence and no other interval.
    """
    band: Document | None = arm["worst_case"]
    return band if arm["unlabelled"] and arm["stop"]["kind"] in {"rule", "limit"} else None


def _write_band(arm: Document, numbers: NumberWriter) -> str:
    unlabelled, band = arm["unlabelled"], find_band(arm)
    if not unlabelled:
        return write_sentence("band.none")
    count = numbers.write_count(unlabelled)
    if band is None:
        return write_sentence("band.absent", unlabelled, count=count)
    return write_sentence("band.some", unlabelled, count=count, **_interval_facts(band, numbers))


def _write_substantive(arm: Document, numbers: NumberWriter) -> str:
    counts = arm["per_substantive_answer"]
    if counts["runs"] == arm["runs"]:
        return write_sentence("substantive.same")
    facts = {"errors": numbers.write_count(counts["errors"]), "runs": numbers.write_count(counts["runs"])}
    interval = counts["interval"]
    if interval is None or arm["deterministic"] or not counts["runs"]:
        return write_sentence("substantive.plain", counts["runs"], **facts)
    facts |= _interval_facts(interval, numbers) | {"share": numbers.write_share(interval["estimate"])}
    return write_sentence("substantive.rate", counts["runs"], **facts)


def _write_completed(arm: Document, numbers: NumberWriter) -> str:
    done = arm["all_completed"]
    more = done["runs"] + done["unlabelled"] - arm["runs"] - arm["unlabelled"]
    if more <= 0:
        return write_sentence("completed.same")
    facts = {
        "more": numbers.write_count(more),
        "errors": numbers.write_count(done["errors"]),
        "runs": numbers.write_count(done["runs"]),
    }
    if arm["deterministic"]:
        return write_sentence("completed.plain", more, **facts)
    return write_sentence("completed.more", more, **facts, **_interval_facts(done["interval"], numbers))


def write_zero(arm: Document, numbers: NumberWriter) -> tuple[str, ...]:
    """The help for a test in which the error did not recur."""
    zero = arm["zero_errors"]
    if not zero or not arm["interval"]:
        return ()
    runs, high = numbers.write_count(arm["runs"]), numbers.write_share(arm["interval"]["high"])
    sentences = [write_sentence("zero.compatible", arm["runs"], runs=runs, high=high)]
    if zero.get("sided", "one") == "one":
        facts = {
            "level": numbers.write_level(zero["level"]),
            "bound": numbers.write_share(zero["one_sided_bound"]),
        }
        sentences.append(write_sentence("zero.one_sided", **facts))
    return tuple(sentences)


def write_groups(arm: Document, numbers: NumberWriter) -> str:
    """How many answers there are, in the figure and in the list beneath it."""
    total = arm["groups_total"]
    if not total:
        return write_sentence("groups.none")
    facts = {
        "total": numbers.write_count(total),
        "drawn": numbers.write_count(GROUPS_DRAWN),
        "listed": numbers.write_count(GROUPS_LISTED),
    }
    size = "all" if total <= GROUPS_DRAWN else "listed" if total <= GROUPS_LISTED else "some"
    return write_sentence(f"groups.{size}", total, **facts)


def write_running_groups(arm: Document, numbers: NumberWriter) -> str:
    """The same while the test runs: there is no list yet."""
    total = arm["groups_total"]
    facts = {"total": numbers.write_count(total), "drawn": numbers.write_count(GROUPS_DRAWN)}
    return write_sentence(
        "running.groups_drawn" if total > GROUPS_DRAWN else "running.groups", total, **facts
    )


def write_audit(audit: Document, cache: Document, numbers: NumberWriter) -> tuple[str, ...]:
    repeats = audit["repeats"]
    if not repeats:
        return (write_sentence("audit.none"),)
    identical = audit["identical"] == repeats
    facts = {
        "repeats": numbers.write_count(repeats),
        "identical": numbers.write_count(audit["identical"]),
        "same": numbers.write_count(audit["same_label"]),
    }
    sentences = [write_sentence("audit.identical" if identical else "audit.some", repeats, **facts)]
    if share := audit["identical_share"]:
        sentences.append(write_sentence("audit.share", **_interval_facts(share, numbers)))
    counts = {name: numbers.write_count(cache[name]) for name in ("warm", "cold", "unknown")}
    return (*sentences, write_sentence("audit.cache", **counts))


def write_identity(identity: Document, numbers: NumberWriter) -> tuple[str, ...]:
    checks = identity["checks"]
    if not checks:
        return (write_sentence("identity.not_asked"),)
    if not identity["first"]:
        return (write_sentence("identity.unknown"),)
    if identity["changed"]:
        return (write_sentence("identity.changed"),)
    if checks == 1:
        return (write_sentence("identity.once"),)
    same = write_sentence("identity.same", checks, checks=numbers.write_count(checks))
    return (same, write_sentence("identity.gap"))
