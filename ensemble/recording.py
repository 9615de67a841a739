"""Group commit: finished calls, their ledger entries and the arm's progress, in one short transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from ensemble.calls import Call, CallPlan
from ensemble.ledger import NewEntry, append_entries, lock_head
from ensemble.models import ArmProgress, Experiment, Run, Zone
from ensemble.protocol import JsonValue, Label, Outcome, StoppingRule, sha256_hex
from ensemble.stopping import rule_is_met

ENTRY_KINDS = {Zone.COUNTED: "run", Zone.EXPLORATORY: "exploratory", Zone.AUDIT: "audit"}


class Standing(NamedTuple):
    """How things stand after a commit: the test's state, and whether the arm has met its stop."""

    state: str
    arm_is_stopped: bool


def record_calls(
    experiment: Experiment,
    zone: Zone,
    plan: CallPlan,
    calls: Sequence[Call],
    *,
    remade: frozenset[int] = frozenset(),
    rule: StoppingRule | None = None,
) -> Standing:
    """Write `calls` durably and return how things then stand.

    An answer that another delivery of the same work recorded first is dropped: each index has one answer. With a
    `rule` the arm's counts advance over the longest finished prefix, and the arm stops where the rule is met.
    """
    now = timezone.now()
    with transaction.atomic():
        lock_head(experiment)
        state = Experiment.objects.values_list("state", flat=True).get(pk=experiment.pk)
        if state == Experiment.State.SEALED:
            return Standing(state, arm_is_stopped=True)
        fresh = _without_recorded(experiment, zone, plan.position, calls)
        Run.objects.bulk_create(
            [
                _run_row(experiment, zone, plan.position, call, remade=call.index in remade, now=now)
                for call in fresh
            ]
        )
        append_entries(experiment, list(_entries(zone, plan, fresh, remade=remade, now=now)))
        stopped = rule is not None and advance_prefix(experiment, plan.position, rule)
    return Standing(state, arm_is_stopped=stopped)


def _without_recorded(experiment: Experiment, zone: Zone, position: int, calls: Sequence[Call]) -> list[Call]:
    rows = Run.objects.filter(
        experiment=experiment, zone=zone, arm=position, index__in={call.index for call in calls}
    )
    recorded = list(rows.values_list("index", "attempt", "outcome"))
    answered = {index for index, _, outcome in recorded if outcome != Outcome.FAILED}
    attempts = {(index, attempt) for index, attempt, _ in recorded}
    fresh = []
    for call in calls:
        if call.index in answered or (call.index, call.attempt) in attempts:
            continue
        # One batch may hold an index twice: a chunk whose lease ran out while its worker was stopped or suspended.
        attempts.add((call.index, call.attempt))
        if call.outcome != Outcome.FAILED:
            answered.add(call.index)
        fresh.append(call)
    return fresh


def _run_row(
    experiment: Experiment, zone: Zone, position: int, call: Call, *, remade: bool, now: datetime
) -> Run:
    completion = call.completion
    return Run(
        experiment=experiment,
        zone=zone,
        arm=position,
        index=call.index,
        seed=call.seed,
        attempt=call.attempt,
        remade=remade,
        outcome=call.outcome,
        label=call.label or "",
        label_reason=call.reason,
        text=call.text,
        text_sha256=call.text_sha256,
        answer_sha256=call.answer_sha256,
        group_sha256=call.group_sha256,
        raw=call.raw,
        salts=call.salts,
        finish_reason=completion.finish_reason[:40] if completion else "",
        prompt_tokens=completion.prompt_tokens if completion else None,
        completion_tokens=completion.completion_tokens if completion else None,
        duration_ms=call.duration_ms,
        warm=completion.warm if completion else None,
        reported_model=completion.model[:200] if completion else "",
        remote=completion.remote[:200] if completion else "",
        recorded_at=now,
    )


def _entries(
    zone: Zone, plan: CallPlan, calls: Iterable[Call], *, remade: frozenset[int], now: datetime
) -> Iterable[NewEntry]:
    for call in calls:
        yield NewEntry(
            kind=ENTRY_KINDS[zone], payload=_call_payload(plan, call, call.index in remade), at=now
        )
        if zone == Zone.COUNTED and call.label is not None:
            yield NewEntry(kind="label", payload=_label_payload(plan, call), at=now)


def _call_payload(plan: CallPlan, call: Call, remade: bool) -> dict[str, JsonValue]:
    completion = call.completion
    payload: dict[str, JsonValue] = {
        "arm": plan.position,
        "index": call.index,
        "seed": call.seed,
        "attempt": call.attempt,
        "outcome": str(call.outcome),
        "request_sha256": call.request_sha256,
        "response_sha256": call.response_sha256,
        "text_sha256": call.text_sha256,
        "finish_reason": completion.finish_reason if completion else "",
        "prompt_tokens": completion.prompt_tokens if completion else None,
        "completion_tokens": completion.completion_tokens if completion else None,
        "duration_ms": call.duration_ms,
        "warm": completion.warm if completion else None,
    }
    if remade:
        payload["remade"] = True
    if completion and completion.remote:
        payload["remote"] = completion.remote
    if call.outcome == Outcome.FAILED:
        payload["reason"] = call.reason
    return payload


def _label_payload(plan: CallPlan, call: Call) -> dict[str, JsonValue]:
    return {
        "arm": plan.position,
        "index": call.index,
        "source": plan.detector.version,
        "label": str(call.label),
        "reason_sha256": sha256_hex(call.reason.encode("utf-8")),
    }


def advance_prefix(experiment: Experiment, position: int, rule: StoppingRule) -> bool:
    """Move the arm's counts over the runs that are now finished without a gap, in seed order, up to its stop.

    Whether the arm is stopped.
    """
    arm = ArmProgress.objects.get(experiment=experiment, position=position)
    if arm.is_stopped:
        return True
    before = arm.prefix
    rows = Run.objects.counted().finished().filter(experiment=experiment, arm=position, index__gte=arm.prefix)
    for index, label in rows.order_by("index").values_list("index", "label").iterator():
        if index != arm.prefix:
            break
        count_run(arm, label)
        stop = stop_of(arm, rule)
        if stop:
            arm.stop_kind, arm.stop_reason, arm.stopped_at = *stop, arm.prefix
            break
    if arm.prefix != before:
        arm.save()
    return arm.is_stopped


def count_run(arm: ArmProgress, label: str) -> None:
    arm.prefix += 1
    arm.errors += label == Label.ERROR
    arm.runs += label in (Label.ERROR, Label.NO_ERROR)
    arm.unlabelled += label == Label.UNCLEAR


def stop_of(arm: ArmProgress, rule: StoppingRule) -> tuple[str, str] | None:
    """Why an arm with these counts stops here: (kind, reason), or None."""
    if rule_is_met(rule, arm.errors, arm.runs):
        return "rule", f"{arm.errors} errors in {arm.runs} labelled runs met the locked rule"
    if arm.prefix >= rule.max_indexes:
        return "limit", f"{arm.prefix} runs were made, {arm.unlabelled} of them without a label"
    return None
