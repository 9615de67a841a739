"""From a case to the engine and back: proposing, saving, trying, locking and steering the tests of a case.

The only module of the web application that talks to the engine's deeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from casebook.arm_drafts import drop_past_beginnings
from casebook.arms import build_arms
from casebook.models import Case, CaseTest
from casebook.neutral_names import AS_RECORDED, AS_RECORDED_CHOSEN
from casebook.reporting.tested_model import is_beyond_model
from ensemble import states
from ensemble.detectors import build_detector
from ensemble.detectors.base import Finding
from ensemble.detectors.refusal import DEFAULT_REFUSAL_PHRASES, is_refusal
from ensemble.detectors.suggest import suggest_detector
from ensemble.errors import ProtocolError
from ensemble.models import Endpoint, Experiment, ExploratoryBatch
from ensemble.protocol import (
    Arm,
    Label,
    Message,
    Protocol,
    Purpose,
    Sampling,
    StoppingRule,
    canonical_json,
    sha256_hex,
)
from ensemble.stats.designs import OFFERED_PLANS
from ensemble.stats.sequential import PrecisionPlan

Draft = dict[str, Any]

DEFAULT_RUNS = 100
LARGEST_FIXED_RUNS = 100_000
DEFAULT_ANYTIME_RUNS = 500
LEAST_ANYTIME_RUNS, LARGEST_ANYTIME_RUNS = 10, 10_000
LEAST_HALF_WIDTH, LARGEST_HALF_WIDTH = Decimal("0.005"), Decimal("0.45")
LEAST_THRESHOLD, LARGEST_THRESHOLD = Decimal("0.001"), Decimal("0.999")


def verbatim_prompt(case: Case) -> tuple[Message, ...]:
    """The disputed prompt as it was sent, as far as it is known."""
    return tuple(Message(role=turn.role, content=turn.content) for turn in case.incident().disputed_prompt())


def prompt_sha256(messages: Sequence[Message]) -> str:
    """SHA-256 of the messages as canonical JSON: what "verbatim" can be checked against."""
    return sha256_hex(canonical_json([{"role": m.role, "content": m.content} for m in messages]))


def is_beyond_embedded_model(draft: Draft, messages: Sequence[Message]) -> bool:
    """Whether the draft would send Russian to the embedded model, which gives nothing usable for it (measured)."""
    endpoint = Endpoint.objects.filter(pk=draft["endpoint"]).first() if draft["endpoint"] else None
    texts = (message.content for message in messages)
    return endpoint is not None and is_beyond_model(endpoint.backend, texts)


def propose_draft(case: Case, endpoint: Endpoint | None) -> Draft:
    """A protocol proposed from the case: the endpoint's defaults as the primary arm, a detector, a stopping rule."""
    incident = case.incident()
    suggested = case.background.get("protocol") or {}
    detector = suggested.get("detector") or suggest_detector(
        incident.wrong_statement or incident.what_is_wrong, incident.truth, incident.disputed_answer
    )
    sampling = {**Sampling().document(), **(suggested.get("sampling") or {})}
    return {
        "title": "",
        "question": suggested.get("question")
        or _("How often does the answer to the disputed prompt contain the error?"),
        "endpoint": endpoint.pk if endpoint else None,
        "sampling": sampling,
        "temperatures": list(suggested.get("temperatures") or []),
        "arms": [],
        "detector": detector,
        "refusal_phrases": list(DEFAULT_REFUSAL_PHRASES),
        "stopping": {"kind": "fixed", "runs": DEFAULT_RUNS},
    }


def draft_sha256(draft: Draft) -> str:
    """Tells whether a form was filled in from the draft as it now is."""
    return sha256_hex(canonical_json(draft))


def find_latest_test(case: Case) -> CaseTest | None:
    return case.tests.select_related("experiment").order_by("-number").first()


def choose_endpoint(case: Case, user: Any) -> Endpoint | None:
    """The endpoint of the case's latest test if `user` may still use it, else the first one that they may."""
    usable = Endpoint.objects.usable_by(user).order_by("pk")
    latest = find_latest_test(case)
    known = usable.filter(pk=latest.experiment.draft.get("endpoint")) if latest else usable.none()
    return known.first() or usable.first()


def begin_draft(case: Case, endpoint: Endpoint | None) -> Draft:
    """What the case's latest test plans, its number as `begun_from`; proposed from the case when there is none."""
    latest = find_latest_test(case)
    if latest is None or not latest.experiment.draft:
        return propose_draft(case, endpoint)
    chosen = {"title": "", "endpoint": endpoint.pk if endpoint else None, "begun_from": latest.number}
    return {**drop_past_beginnings(latest.experiment.draft), **chosen}


@transaction.atomic
def add_test(case: Case, *, title: str = "", operator: str, endpoint: Endpoint | None) -> CaseTest:
    """A new draft test of the case; without a `title` it is called by its number."""
    Case.objects.select_for_update().get(pk=case.pk)
    number = (case.tests.aggregate(last=Max("number"))["last"] or 0) + 1
    draft = {**begin_draft(case, endpoint), "title": title}
    experiment = Experiment.objects.create(title=title, operator=operator, draft=draft)
    return CaseTest.objects.create(case=case, number=number, experiment=experiment)


@transaction.atomic
def save_draft(test: CaseTest, draft: Draft, *, seen_sha256: str) -> bool:
    """Store an edited draft with the test's name; False when it was changed or locked since the form was shown."""
    experiment = Experiment.objects.select_for_update().get(pk=test.experiment_id)
    stored = draft_sha256(experiment.draft)
    if not experiment.is_draft or stored not in (seen_sha256, draft_sha256(draft)):
        return False
    title = draft.get("title", experiment.title)
    Experiment.objects.filter(pk=experiment.pk, state=Experiment.State.DRAFT).update(draft=draft, title=title)
    test.experiment.refresh_from_db()
    return True


def may_delete(experiment: Experiment) -> bool:
    """Whether nothing was run: a test that was tried stays, so that reports count all exploratory runs ever made."""
    return experiment.is_draft and not experiment.ledger.exists()


def delete_draft(test: CaseTest) -> bool:
    """Remove a test that never ran: neither locked nor tried. Anything that was run stays on record."""
    with transaction.atomic():
        experiment = Experiment.objects.select_for_update().get(pk=test.experiment_id)
        if not may_delete(experiment):
            return False
        test.delete()
        experiment.delete()
    return True


def build_primary(case: Case, draft: Draft) -> Arm:
    """The arm that sends the disputed prompt word for word. `ProtocolError` names the field that is wrong."""
    endpoint = Endpoint.objects.filter(pk=draft["endpoint"], is_enabled=True).first()
    if endpoint is None:
        raise ProtocolError(_("Choose an endpoint that is in use."), field="endpoint")
    messages = verbatim_prompt(case)
    if not any(message.role == "user" for message in messages):
        raise ProtocolError(
            _("The incident has no disputed prompt: add the user's turns to its conversation.")
        )
    sampling = Sampling.from_document(draft["sampling"])
    return Arm(
        name=AS_RECORDED if _chooses_by_default(sampling) else AS_RECORDED_CHOSEN,
        purpose=Purpose.PRIMARY,
        endpoint=endpoint.name,
        backend=endpoint.backend,
        model=endpoint.model,
        messages=messages,
        sampling=sampling,
    )


def build_protocol(case: Case, draft: Draft) -> Protocol:
    """The protocol that locking `draft` would freeze. `ProtocolError` names the field that is wrong."""
    primary = build_primary(case, draft)
    build_detector(draft["detector"])
    stopping = _stopping_rule(draft["stopping"])
    return Protocol(
        arms=build_arms(primary, draft, stopping.level),
        detector=draft["detector"],
        refusal_phrases=tuple(draft["refusal_phrases"]),
        stopping=stopping,
        question=draft["question"],
        disputed_answer=case.incident().disputed_answer,
        notes=_notes(case),
    )


def _chooses_by_default(sampling: Sampling) -> bool:
    """Whether words are chosen as by default; how long an answer may be is another matter."""
    return sampling == Sampling(max_tokens=sampling.max_tokens, context_length=sampling.context_length)


def _notes(case: Case) -> tuple[str, ...]:
    return (case.illustration_notice,) if case.illustration_notice else ()


def offered_plan(half_width: str, level: str) -> PrecisionPlan:
    """The precomputed precision plan on offer with this half-width and level."""
    for plan in OFFERED_PLANS:
        if (plan.half_width, plan.level) == (float(half_width), float(level)):
            return plan
    raise ProtocolError(_("Choose one of the precision plans on offer."), field="stopping")


def _stopping_rule(stopping: Mapping[str, Any]) -> StoppingRule:
    if stopping["kind"] == "fixed":
        runs = int(stopping["runs"])
        if not 1 <= runs <= LARGEST_FIXED_RUNS:
            raise ProtocolError(
                _("The number of runs is between 1 and %(most)s.") % {"most": LARGEST_FIXED_RUNS},
                field="runs",
            )
        return StoppingRule(kind="fixed", runs=runs)
    if stopping["kind"] == "anytime":
        return _anytime_rule(stopping)
    plan = offered_plan(stopping["half_width"], stopping["level"])
    return StoppingRule(
        kind="precision",
        half_width=Decimal(repr(plan.half_width)),
        level=Decimal(repr(plan.level)),
        alpha=Decimal(repr(plan.alpha)),
        min_coverage=Decimal(repr(plan.min_coverage)),
        min_coverage_at=Decimal(repr(plan.min_coverage_at)),
        min_runs=plan.min_runs,
        check_every=plan.check_every,
        max_runs=plan.max_runs,
    )


def _anytime_rule(stopping: Mapping[str, Any]) -> StoppingRule:
    """At most `max_runs`; an arm ends as soon as its `threshold` is decided or its `half_width` is reached.

    Both are shares as text, or empty.
    """
    runs, threshold = int(stopping["max_runs"]), Decimal(stopping.get("threshold") or 0)
    half_width = Decimal(stopping.get("half_width") or 0)
    if not LEAST_ANYTIME_RUNS <= runs <= LARGEST_ANYTIME_RUNS:
        raise ProtocolError(
            _("The largest number of runs is between %(least)s and %(most)s.")
            % {"least": LEAST_ANYTIME_RUNS, "most": LARGEST_ANYTIME_RUNS},
            field="most_runs",
        )
    if threshold and not LEAST_THRESHOLD <= threshold <= LARGEST_THRESHOLD:
        raise ProtocolError(_("The threshold is between 0.1 and 99.9 percent."), field="threshold")
    if half_width and not LEAST_HALF_WIDTH <= half_width <= LARGEST_HALF_WIDTH:
        raise ProtocolError(
            _("Narrow enough is between 0.5 and 45 percentage points."), field="narrow_enough"
        )
    return StoppingRule(kind="anytime", max_runs=runs, threshold=threshold, half_width=half_width)


def try_detector(
    detector: Mapping[str, Any], refusal_phrases: Sequence[str], answers: Sequence[str]
) -> list[tuple[str, Finding]]:
    """The label that each sample answer would get, refusals first, as in a run."""
    built = build_detector(detector)
    refused = Finding(label=Label.NO_ERROR, reason="refused")
    return [
        (answer, refused if is_refusal(answer, refusal_phrases) else built.detect(answer))
        for answer in answers
    ]


def try_out(test: CaseTest, count: int) -> ExploratoryBatch:
    """Ask a worker for exploratory runs of the draft's primary arm."""
    from ensemble.exploring import request_runs
    from ensemble.tasks import enqueue_on_commit, make_exploratory_runs

    protocol = build_protocol(test.case, test.experiment.draft)
    with transaction.atomic():
        batch = request_runs(test.experiment, protocol, count)
        enqueue_on_commit(make_exploratory_runs, batch.pk)
    return batch


def lock_and_run(test: CaseTest, *, by: str) -> str:
    """Freeze the draft, as `test` holds it, as the protocol and queue its runs; returns the protocol hash."""
    from ensemble.tasks import enqueue_on_commit, work_on_experiment

    protocol = build_protocol(test.case, test.experiment.draft)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=test.case_id)
        stored = Experiment.objects.select_for_update().get(pk=test.experiment_id)
        if stored.is_draft and stored.draft != test.experiment.draft:
            raise ProtocolError(
                _("This draft was changed in the meantime: nothing was locked. Look at it again.")
            )
        protocol_sha256 = states.lock_protocol(test.experiment, protocol, earlier=earlier_tests(test), by=by)
        enqueue_on_commit(work_on_experiment, test.experiment_id)
    return protocol_sha256


def earlier_tests(test: CaseTest) -> list[states.EarlierTest]:
    """Every test of the case that was locked before, cancelled ones included: choosing among them stays visible."""
    locked = test.case.tests.exclude(pk=test.pk).exclude(experiment__locked_at=None)
    rows = locked.select_related("experiment").order_by("experiment__locked_at")
    return [states.earlier_test(row.number, row.experiment) for row in rows]


def steer(test: CaseTest, action: str, *, by: str) -> bool:
    """Pause, resume or cancel; False when the test is not in a state that allows it (somebody was faster)."""
    from ensemble.tasks import enqueue_on_commit, work_on_experiment

    with transaction.atomic():
        if action == "pause":
            return states.pause(test.experiment, by=by)
        changed = (
            states.resume(test.experiment, by=by)
            if action == "resume"
            else states.cancel(test.experiment, by=by)
        )
        if changed:
            enqueue_on_commit(work_on_experiment, test.experiment_id)
    return changed


def open_or_skip_arm(test: CaseTest, position: int, action: str, *, by: str, reason: str = "") -> bool:
    """Start a waiting arm now ("open"), or give it up ("skip"); False when somebody was faster."""
    from ensemble.tasks import enqueue_on_commit, work_on_experiment

    with transaction.atomic():
        if action == "open":
            changed = states.open_arm(test.experiment, position, by=by)
        else:
            changed = states.skip_arm(test.experiment, position, by=by, reason=reason)
        if changed:
            enqueue_on_commit(work_on_experiment, test.experiment_id)
    return changed
