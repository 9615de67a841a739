"""Recorded runs → statistics → the frozen result document (`result.json`).

The document holds everything needed to print a report without a model call; `docs/evidence.md` describes it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from ensemble.cluster_analysis import analyse_clusters
from ensemble.comparisons import compare_arms
from ensemble.identities import identity_records
from ensemble.ledger import format_time, head_of
from ensemble.models import ArmProgress, Experiment, LedgerEntry
from ensemble.protocol import Arm, Label, Outcome, Protocol, Purpose, StoppingRule
from ensemble.run_facts import Counts, RunFacts, count_labels, load_facts
from ensemble.states import software_versions
from ensemble.stats.clusters import identical_share
from ensemble.stats.interval import Interval
from ensemble.stats.proportion import missing_label_band, wilson
from ensemble.stats.sequential import confidence_sequence
from ensemble.stopping import decide, headline_interval
from ensemble.variety import compare_halves, count_named, describe_diversity, describe_groups

RESULT_SCHEMA = "casebook-result/1"
PLOT_POINTS = 300
RUNS_LISTED = 2000
# The headline's interval, by the kind of the stopping rule that was met.
INTERVAL_KINDS = {
    "fixed": "clopper-pearson",
    "precision": "planned precision",
    "anytime": "confidence sequence",
}

Document = dict[str, Any]


def result_bytes(document: Document) -> bytes:
    """The bytes of `result.json`."""
    return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode("utf-8")


def compute_result(experiment: Experiment) -> Document:
    """The result of a test that has ended, from its recorded runs alone."""
    entries, head = head_of(experiment)
    locked = json.loads(LedgerEntry.objects.get(experiment=experiment, kind="locked").line)["payload"]
    arms = [arm_result(experiment, arm) for arm in experiment.arms.all()]
    return {
        "schema": RESULT_SCHEMA,
        "experiment": _experiment_facts(experiment),
        "protocol_sha256": experiment.protocol_sha256,
        "protocol": experiment.protocol_document,
        "texts": {
            item.sha256: {"salt": bytes(item.salt).hex(), "text": item.text}
            for item in experiment.texts.all()
        },
        "ledger": {"entries": entries, "head": head},
        "software": software_versions(),
        "exploratory_runs": locked["exploratory_runs"],
        "earlier_tests": locked["earlier_tests"],
        "arms": arms,
        "comparisons": compare_arms(arms, experiment.protocol.stopping),
        "clusters": analyse_clusters(experiment, arms),
    }


def _experiment_facts(experiment: Experiment) -> Document:
    def moment(at: datetime | None) -> str | None:
        return format_time(at) if at else None

    return {
        "id": str(experiment.public_id),
        "title": experiment.title,
        "operator": experiment.operator,
        "ended_as": experiment.ended_as,
        "reason": experiment.reason,
        "opened_at": moment(experiment.created_at),
        "locked_at": moment(experiment.locked_at),
        "started_at": moment(experiment.started_at),
        "ended_at": moment(experiment.ended_at),
    }


def is_deterministic(arm: Arm) -> bool:
    """Whether the seed cannot matter: greedy decoding. Such an arm is one effective run, whatever n is."""
    return arm.sampling.temperature == Decimal(0) or arm.sampling.top_k == 1


def arm_result(experiment: Experiment, progress: ArmProgress) -> Document:
    """An arm's entry of the result; for an arm that still runs, what its finished prefix says so far."""
    arm = experiment.protocol.arms[progress.position]
    rule = experiment.protocol.rule_of(progress.position)
    level = float(rule.level)
    n_stop = progress.stopped_at if progress.stopped_at is not None else progress.prefix
    facts = load_facts(experiment, progress.position, zone="counted")
    finished = [run for run in facts if run.outcome != Outcome.FAILED]
    prefix = [run for run in finished if run.index < n_stop]
    counts = count_labels(prefix)
    return {
        "position": progress.position,
        "name": arm.name,
        "purpose": arm.purpose,
        "endpoint": arm.endpoint,
        "backend": arm.backend,
        "model": arm.model,
        "sampling": arm.sampling.document(),
        "identity": _identity_facts(experiment, progress.position),
        "begins": arm.begins,
        "stopping": rule.document(),
        "n_stop": n_stop,
        "stop": {"kind": progress.stop_kind, "reason": progress.stop_reason},
        "deterministic": is_deterministic(arm),
        **_headline(experiment, progress, counts, rule),
        "labels": _label_counts(prefix),
        "outcomes": _outcome_counts([run for run in facts if run.index < n_stop]),
        "outcome_parts": outcome_parts([run for run in facts if run.index < n_stop]),
        "per_substantive_answer": _substantive(prefix, level),
        "audit": _audit_facts(experiment, progress, finished, level),
        "sequence": sequence_points([run.label for run in prefix], level),
        **describe_groups(prefix),
        "diversity": describe_diversity(prefix, level),
        "disputed_answer": count_named(prefix, _named_answer(experiment.protocol, arm), level),
        "halves": compare_halves(prefix),
        **_effort(prefix),
        "all_completed": _all_completed(facts, finished, level),
        "runs_list": _runs_list(facts),
        "runs_total": len(facts),
    }


def arm_standing(experiment: Experiment, progress: ArmProgress) -> Document:
    """Of an arm's entry, what follows from the counts of its finished prefix: no run is read."""
    arm = experiment.protocol.arms[progress.position]
    rule = experiment.protocol.rule_of(progress.position)
    counts = Counts(errors=progress.errors, runs=progress.runs, unlabelled=progress.unlabelled)
    return {
        "position": progress.position,
        "name": arm.name,
        "purpose": arm.purpose,
        "stopping": rule.document(),
        "stop": {"kind": progress.stop_kind, "reason": progress.stop_reason},
        "deterministic": is_deterministic(arm),
        **_headline(experiment, progress, counts, rule),
    }


def _named_answer(protocol: Protocol, arm: Arm) -> str:
    """The disputed answer, where it answers the question that the arm asks."""
    return "" if arm.purpose == Purpose.CONTROL else protocol.disputed_answer


def _interval(interval: Interval | None) -> Document | None:
    return interval.document() if interval else None


def _headline(experiment: Experiment, progress: ArmProgress, counts: Counts, rule: StoppingRule) -> Document:
    """The counts at the stop with their interval.

    While a test runs, when it was cancelled, and without a met rule, only the confidence sequence is shown.
    """
    level = float(rule.level)
    arm = experiment.protocol.arms[progress.position]
    sequence = confidence_sequence(counts.errors, counts.runs, level)
    by_rule = progress.stop_kind == "rule" and experiment.ended_as in ("completed", "failed")
    interval: Interval | None = headline_interval(rule, counts.errors, counts.runs) if by_rule else sequence
    kind = "confidence sequence"
    if by_rule:
        kind = INTERVAL_KINDS[rule.kind]
    if is_deterministic(arm):
        interval, kind = None, "none"
    zero = counts.errors == 0 and counts.runs > 0 and interval is not None
    fixed = by_rule and rule.kind == "fixed" and interval is not None
    band = missing_label_band(counts.errors, counts.runs, counts.unlabelled, level)
    if not fixed:
        band = anytime_band(band, counts)
    return {
        "errors": counts.errors,
        "runs": counts.runs,
        "unlabelled": counts.unlabelled,
        "interval": _interval(interval),
        "interval_kind": kind,
        "confidence_sequence": _interval(sequence) if interval is not None else None,
        "wilson": _interval(wilson(counts.errors, counts.runs, level)) if fixed else None,
        "worst_case": _interval(band) if interval is not None else None,
        "zero_errors": _zero_errors(rule, counts, by_rule=by_rule) if zero else None,
        "decision": _decision(rule, counts) if interval is not None else None,
    }


def _decision(rule: StoppingRule, counts: Counts) -> Document | None:
    """The decision against the threshold, if the protocol names one; it holds however the test ended."""
    if rule.kind != "anytime" or not rule.threshold:
        return None
    return asdict(decide(rule, counts.errors, counts.runs))


def anytime_band(band: Interval, counts: Counts) -> Interval:
    """The worst-case band where n was not fixed beforehand: the same idea, with the limits of the sequence."""
    total = counts.runs + counts.unlabelled
    low = confidence_sequence(counts.errors, total, band.level).low
    high = confidence_sequence(counts.errors + counts.unlabelled, total, band.level).high
    return replace(band, low=low, high=high)


def _zero_errors(rule: StoppingRule, counts: Counts, *, by_rule: bool) -> Document:
    """What no error in n runs is still compatible with: a one-sided bound, or the sequence's end without a rule."""
    level = float(rule.level)
    if by_rule and rule.kind == "fixed":
        return {"one_sided_bound": 1 - (1 - level) ** (1 / counts.runs), "level": level, "sided": "one"}
    interval = (
        headline_interval(rule, 0, counts.runs) if by_rule else confidence_sequence(0, counts.runs, level)
    )
    return {"one_sided_bound": interval.high, "level": level, "sided": "two"}


def _label_counts(runs: Sequence[RunFacts]) -> dict[str, int]:
    labels = Counter(run.label for run in runs)
    return {str(label): labels[label] for label in Label}


def _outcome_counts(runs: Sequence[RunFacts]) -> dict[str, int]:
    outcomes = Counter(run.outcome for run in runs)
    return {str(outcome): outcomes[outcome] for outcome in Outcome}


def outcome_parts(runs: Sequence[RunFacts]) -> dict[str, int]:
    """What became of every call, in six parts that do not overlap: labels, with the reason where there is none."""
    parts = Counter(_outcome_part(run) for run in runs)
    return {name: parts[name] for name in ("error", "no_error", "unclear", "refused", "truncated", "failed")}


def _outcome_part(run: RunFacts) -> str:
    if run.outcome in (Outcome.FAILED, Outcome.REFUSED):
        return run.outcome
    if run.label == Label.UNCLEAR and run.outcome == Outcome.TRUNCATED:
        return Outcome.TRUNCATED
    return run.label.replace(" ", "_")


def _substantive(runs: Sequence[RunFacts], level: float) -> Document:
    """The second estimand, per substantive answer: refusals left out. The sampling of its n is random, so its
    interval is the confidence sequence, valid whatever n came to be."""
    counts = count_labels([run for run in runs if run.outcome != Outcome.REFUSED])
    interval = confidence_sequence(counts.errors, counts.runs, level) if counts.runs else None
    return {"errors": counts.errors, "runs": counts.runs, "interval": _interval(interval)}


def _identity_facts(experiment: Experiment, position: int) -> Document:
    records = identity_records(experiment, position)
    identities = [record["identity"] for record in records]
    return {
        "first": identities[0] if identities else None,
        "last": identities[-1] if identities else None,
        "first_at": records[0]["at"] if records else None,
        "last_at": records[-1]["at"] if records else None,
        "checks": len(records),
        "changed": any(identity != identities[0] for identity in identities),
    }


def _audit_facts(
    experiment: Experiment, progress: ArmProgress, originals: Sequence[RunFacts], level: float
) -> Document:
    """The determinism audit: the share of repeated seeds with byte-identical answers, and with the same label."""
    by_index = {run.index: run for run in originals}
    repeats = load_facts(experiment, progress.position, zone="audit")
    pairs = [(by_index[run.index], run) for run in repeats if run.outcome != Outcome.FAILED]
    texts = [(_answer_identity(a), _answer_identity(b)) for a, b in pairs]
    labels = [(a.label, b.label) for a, b in pairs]
    return {
        "repeats": len(pairs),
        "identical": sum(a == b for a, b in texts),
        "same_label": sum(a == b for a, b in labels),
        "identical_share": _interval(identical_share(texts, level)) if pairs else None,
        "same_label_share": _interval(identical_share(labels, level)) if pairs else None,
        "warm": sum(b.warm is True for _, b in pairs),
        "cold": sum(b.warm is False for _, b in pairs),
        "failed_calls": len(repeats) - len(pairs),
        "note": progress.audit_note,
    }


def _answer_identity(run: RunFacts) -> str:
    return f"{run.answer_sha256}:{run.finish_reason}"


def sequence_points(labels: Sequence[str], level: float, points: int = PLOT_POINTS) -> list[list[float]]:
    """Points (labelled runs, errors, low, high) of the confidence sequence in seed order, at most about `points`."""
    total = sum(label in (Label.ERROR, Label.NO_ERROR) for label in labels)
    step = max(1, -(-total // points))
    found: list[list[float]] = []
    errors = runs = 0
    for label in labels:
        if label not in (Label.ERROR, Label.NO_ERROR):
            continue
        runs += 1
        errors += label == Label.ERROR
        if runs % step == 0 or runs == total:
            interval = confidence_sequence(errors, runs, level)
            found.append([runs, errors, interval.low, interval.high])
    return found


def _effort(runs: Sequence[RunFacts]) -> Document:
    seeds = Counter(run.seed for run in runs)
    return {
        "duplicate_seeds": sum(count - 1 for count in seeds.values()),
        "remade": sum(run.remade for run in runs),
        "retried": sum(run.attempt > 1 for run in runs),
        "tokens": {
            "prompt": sum(run.prompt_tokens or 0 for run in runs),
            "completion": sum(run.completion_tokens or 0 for run in runs),
        },
        "call_seconds": round(sum(run.duration_ms for run in runs) / 1000, 3),
        "cache": {
            "warm": sum(run.warm is True for run in runs),
            "cold": sum(run.warm is False for run in runs),
            "unknown": sum(run.warm is None for run in runs),
        },
    }


def _all_completed(facts: Sequence[RunFacts], finished: Sequence[RunFacts], level: float) -> Document:
    """The same over all completed runs, those in flight at the stop included."""
    counts = count_labels(finished)
    return {
        **asdict(counts),
        "outcomes": _outcome_counts(facts),
        "labels": _label_counts(finished),
        "interval": _interval(confidence_sequence(counts.errors, counts.runs, level)),
    }


def _runs_list(facts: Sequence[RunFacts]) -> list[Document]:
    """The first runs in seed order, each with the salted answer hash that the ledger publishes."""
    return [
        {
            "index": run.index,
            "seed": run.seed,
            "attempt": run.attempt,
            "remade": run.remade,
            "outcome": run.outcome,
            "label": run.label,
            "text_sha256": run.text_sha256,
            "finish_reason": run.finish_reason,
            "tokens": run.completion_tokens,
            "ms": run.duration_ms,
        }
        for run in facts[:RUNS_LISTED]
    ]
