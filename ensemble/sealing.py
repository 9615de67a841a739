"""How a test ends: arms stop, the audit is made, the result is computed once and sealed into the ledger."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from ensemble.backends import open_backend
from ensemble.claims import audited_indexes, work_is_leased
from ensemble.errors import EndpointError
from ensemble.identities import check_identity
from ensemble.ledger import NewEntry, append_entries, head_of, lock_head
from ensemble.models import ArmProgress, Endpoint, Experiment, Run, SealedResult, Zone
from ensemble.protocol import sha256_hex
from ensemble.results import compute_result, result_bytes
from ensemble.states import end

State = Experiment.State


def end_arm(experiment: Experiment, position: int, *, kind: str, reason: str) -> bool:
    """End an arm as `failed` (before its rule was met) or `identity` (its model changed, even during the audit).

    What it reports is its finished prefix; whether it was this call that ended it.
    """
    with transaction.atomic():
        lock_head(experiment)
        arm = ArmProgress.objects.get(experiment=experiment, position=position)
        if arm.is_stopped and not (kind == "identity" and arm.stop_kind in ("rule", "limit")):
            return False
        arm.stop_kind, arm.stop_reason, arm.stopped_at = kind, reason, arm.stopped_at or arm.prefix
        arm.save()
    return True


def finish_if_done(experiment: Experiment) -> None:
    """End and seal the test if nothing is left to run."""
    experiment.refresh_from_db()
    if experiment.state == State.RUNNING:
        arms = list(experiment.arms.all())
        done = [arm for arm in arms if arm.is_stopped and _audit_is_done(experiment, arm)]
        for arm in done:
            _close_arm(experiment, arm)
        if len(done) < len(arms):
            return
        _end_by_arms(experiment, arms)
    if experiment.state in (State.COMPLETED, State.CANCELLED, State.FAILED) and not work_is_leased(
        experiment
    ):
        seal(experiment)


def skip_audit(arm: ArmProgress, *, reason: str) -> None:
    """Note that the determinism audit of an arm cannot be made (its endpoint is gone), so that the test can end."""
    ArmProgress.objects.filter(pk=arm.pk).update(audit_note=reason)


def _audit_is_done(experiment: Experiment, arm: ArmProgress) -> bool:
    """Whether every repeat was tried, or cannot be."""
    if arm.audit_note:
        return True
    unfinished = experiment.chunks.filter(zone=Zone.AUDIT, arm=arm.position, finished=False)
    return arm.audit_next >= len(audited_indexes(experiment, arm)) and not unfinished.exists()


def _end_by_arms(experiment: Experiment, arms: list[ArmProgress]) -> None:
    broken = [arm for arm in arms if arm.stop_kind in ("failed", "identity")]
    details = {
        "arms": [
            {
                "arm": arm.position,
                "stop": arm.stop_kind,
                "reason": arm.stop_reason,
                "n_stop": arm.stopped_at,
                "errors": arm.errors,
                "runs": arm.runs,
                "unlabelled": arm.unlabelled,
            }
            for arm in arms
        ]
    }
    if broken:
        end(experiment, kind="failed", reason=broken[0].stop_reason, details=details)
    else:
        end(experiment, kind="completed", reason=_describe_completion(arms), details=details)


def _describe_completion(arms: list[ArmProgress]) -> str:
    kinds = {arm.stop_kind for arm in arms}
    if "limit" in kinds:
        return "an arm reached its limit of runs"
    if "skipped" in kinds:
        return "every arm that was begun met the locked stopping rule"
    return "every arm met the locked stopping rule"


def _close_arm(experiment: Experiment, arm: ArmProgress) -> None:
    """Check the model once more, and once only, after the arm's own last run: another arm may run on another day."""
    if arm.is_closed:
        return
    problem = _final_identity_problem(experiment, arm) if arm.stop_kind in ("rule", "limit") else ""
    if problem:
        end_arm(experiment, arm.position, kind="identity", reason=problem)
    ArmProgress.objects.filter(pk=arm.pk).update(is_closed=True)
    arm.refresh_from_db()


def _final_identity_problem(experiment: Experiment, arm: ArmProgress) -> str:
    """What changed; an endpoint that has gone away by now changes nothing measured."""
    try:
        endpoint = Endpoint.objects.get(name=experiment.protocol.arms[arm.position].endpoint)
        backend = open_backend(endpoint.config())
        try:
            return check_identity(experiment, arm.position, backend, endpoint, final=True)
        finally:
            backend.close()
    except (EndpointError, Endpoint.DoesNotExist):
        return ""


def seal(experiment: Experiment) -> SealedResult | None:
    """Compute the result and seal it; None when somebody else sealed first or wrote in between (then try again)."""
    head_before = head_of(experiment)
    body = result_bytes(compute_result(experiment))
    with transaction.atomic():
        lock_head(experiment)
        if head_of(experiment) != head_before:
            return None
        ended = (State.COMPLETED, State.CANCELLED, State.FAILED)
        if Experiment.objects.filter(pk=experiment.pk, state__in=ended).update(state=State.SEALED) != 1:
            return None
        version = experiment.results.count() + 1
        payload = {
            "result_sha256": sha256_hex(body),
            "version": version,
            "outcomes": _outcome_counts(experiment),
        }
        head = append_entries(experiment, [NewEntry(kind="sealed", payload=payload)])
        result = SealedResult.objects.create(
            experiment=experiment,
            version=version,
            document_json=body.decode("utf-8"),
            sha256=sha256_hex(body),
            ledger_head=head,
            created_at=timezone.now(),
        )
    experiment.refresh_from_db()
    return result


def _outcome_counts(experiment: Experiment) -> dict[str, int]:
    counts: dict[str, int] = {}
    for outcome in Run.objects.counted().filter(experiment=experiment).values_list("outcome", flat=True):
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts
