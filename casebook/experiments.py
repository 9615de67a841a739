"""From a case to the engine and back: proposing, saving, trying, locking and steering the tests of a case.

The only module of the web application that talks to the engine's deeds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Avg, Max
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from casebook.models import Case, CaseTest
from casebook.report_numbers import number_writer
from ensemble import states
from ensemble.detectors import build_detector
from ensemble.detectors.base import Finding
from ensemble.detectors.refusal import DEFAULT_REFUSAL_PHRASES
from ensemble.detectors.suggest import suggest_detector
from ensemble.errors import ProtocolError
from ensemble.models import Endpoint, Experiment, ExploratoryBatch, Run
from ensemble.protocol import (
    Arm,
    Message,
    Protocol,
    Sampling,
    StoppingRule,
    canonical_json,
    decimal_text,
    encode_text,
    sha256_hex,
)
from ensemble.stats.designs import OFFERED_PLANS
from ensemble.stats.sequential import PrecisionPlan

Draft = dict[str, Any]

DEFAULT_RUNS = 100
LARGEST_FIXED_RUNS = 100_000
PRIMARY_ARM = "primary"
EXPECTED_AT = (0.0, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0)


def verbatim_prompt(case: Case) -> tuple[Message, ...]:
    """The disputed prompt as it was sent, as far as it is known."""
    return tuple(Message(role=turn.role, content=turn.content) for turn in case.incident().disputed_prompt())


def prompt_sha256(messages: Sequence[Message]) -> str:
    """SHA-256 of the messages as canonical JSON: what "verbatim" can be checked against."""
    return sha256_hex(canonical_json([{"role": m.role, "content": m.content} for m in messages]))


CYRILLIC = re.compile("[\u0400-\u04ff]")


def is_beyond_embedded_model(draft: Draft, messages: Sequence[Message]) -> bool:
    """Whether the draft would send Russian to the embedded model, which gives nothing usable for it (measured)."""
    endpoint = Endpoint.objects.filter(pk=draft["endpoint"]).first() if draft["endpoint"] else None
    is_embedded = endpoint is not None and endpoint.backend == Endpoint.Kind.EMBEDDED
    return is_embedded and any(CYRILLIC.search(message.content) for message in messages)


def propose_draft(case: Case, endpoint: Endpoint | None) -> Draft:
    """A protocol proposed from the case: the endpoint's defaults as the primary arm, a detector, a stopping rule."""
    incident = case.incident()
    suggested = case.background.get("protocol") or {}
    detector = suggested.get("detector") or suggest_detector(
        incident.wrong_statement or incident.what_is_wrong, incident.truth, incident.disputed_answer
    )
    sampling = {**Sampling().document(), **(suggested.get("sampling") or {})}
    return {
        "question": suggested.get("question")
        or _("How often does the answer to the disputed prompt contain the error?"),
        "endpoint": endpoint.pk if endpoint else None,
        "sampling": sampling,
        "temperatures": list(suggested.get("temperatures") or []),
        "detector": detector,
        "refusal_phrases": list(DEFAULT_REFUSAL_PHRASES),
        "stopping": {"kind": "fixed", "runs": DEFAULT_RUNS},
    }


def draft_sha256(draft: Draft) -> str:
    """Tells whether a form was filled in from the draft as it now is."""
    return sha256_hex(canonical_json(draft))


@transaction.atomic
def add_test(case: Case, *, title: str, operator: str, endpoint: Endpoint | None) -> CaseTest:
    """A new draft test of the case, proposed from it."""
    Case.objects.select_for_update().get(pk=case.pk)
    number = (case.tests.aggregate(last=Max("number"))["last"] or 0) + 1
    experiment = Experiment.objects.create(
        title=title, operator=operator, draft=propose_draft(case, endpoint)
    )
    return CaseTest.objects.create(case=case, number=number, experiment=experiment)


@transaction.atomic
def save_draft(test: CaseTest, draft: Draft, *, seen_sha256: str) -> bool:
    """Store an edited draft; False when it was changed or locked since the form was shown."""
    experiment = Experiment.objects.select_for_update().get(pk=test.experiment_id)
    stored = draft_sha256(experiment.draft)
    if not experiment.is_draft or stored not in (seen_sha256, draft_sha256(draft)):
        return False
    Experiment.objects.filter(pk=experiment.pk, state=Experiment.State.DRAFT).update(draft=draft)
    test.experiment.refresh_from_db()
    return True


def delete_draft(test: CaseTest) -> bool:
    """Remove a test that never ran: neither locked nor tried. Anything that was run stays on record."""
    with transaction.atomic():
        experiment = Experiment.objects.select_for_update().get(pk=test.experiment_id)
        if not experiment.is_draft or experiment.ledger.exists():
            return False
        test.delete()
        experiment.delete()
    return True


def build_protocol(case: Case, draft: Draft) -> Protocol:
    """The protocol that locking `draft` would freeze. `ProtocolError` names the field that is wrong."""
    endpoint = Endpoint.objects.filter(pk=draft["endpoint"], is_enabled=True).first()
    if endpoint is None:
        raise ProtocolError(_("Choose an endpoint that is in use."), field="endpoint")
    build_detector(draft["detector"])
    messages = verbatim_prompt(case)
    if not any(message.role == "user" for message in messages):
        raise ProtocolError(
            _("The incident has no disputed prompt: add the user's turns to its conversation.")
        )
    sampling = Sampling.from_document(draft["sampling"])
    primary = Arm(
        name=_("as recorded, default sampling"),
        purpose=PRIMARY_ARM,
        endpoint=endpoint.name,
        backend=endpoint.backend,
        model=endpoint.model,
        messages=messages,
        sampling=sampling,
    )
    return Protocol(
        arms=(primary, *_temperature_arms(primary, draft["temperatures"])),
        detector=draft["detector"],
        refusal_phrases=tuple(draft["refusal_phrases"]),
        stopping=_stopping_rule(draft["stopping"]),
        question=draft["question"],
        notes=_notes(case),
    )


def _temperature_arms(primary: Arm, temperatures: Sequence[str]) -> list[Arm]:
    numbers = number_writer(get_language() or "en")
    arms = []
    for text in dict.fromkeys(temperatures):
        temperature = Decimal(text)
        if temperature == primary.sampling.temperature:
            continue
        name = _("temperature %(value)s") % {"value": numbers.write_decimal(decimal_text(temperature))}
        sampling = replace(primary.sampling, temperature=temperature)
        arms.append(replace(primary, name=name, purpose="temperature", sampling=sampling))
    return arms


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


def try_detector(detector: Mapping[str, Any], answers: Sequence[str]) -> list[tuple[str, Finding]]:
    """What the detector says of each sample answer."""
    built = build_detector(detector)
    return [(answer, built.detect(answer)) for answer in answers]


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
    """Freeze the draft as the protocol and queue its runs; returns the protocol hash."""
    from ensemble.tasks import enqueue_on_commit, work_on_experiment

    protocol = build_protocol(test.case, test.experiment.draft)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=test.case_id)
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


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What a stopping rule is expected to take: runs at several true rates, and seconds a run, if known."""

    expected: tuple[tuple[float, float], ...]  # (true rate, mean number of runs)
    most: int
    arms: int
    run_seconds: float | None

    @property
    def most_seconds(self) -> float | None:
        """Seconds for the largest number of runs, all arms together; None when nothing was measured yet."""
        return None if self.run_seconds is None else self.most * self.arms * self.run_seconds

    @property
    def most_minutes(self) -> int:
        return math.ceil((self.most_seconds or 0.0) / 60)


def estimate_effort(draft: Draft) -> Effort:
    """The expected number of runs and the time they take on the chosen endpoint, from what it took before."""
    stopping = draft["stopping"]
    if stopping["kind"] == "fixed":
        runs = int(stopping["runs"])
        expected: tuple[tuple[float, float], ...] = tuple((p, float(runs)) for p in EXPECTED_AT)
    else:
        plan = offered_plan(stopping["half_width"], stopping["level"])
        runs = plan.max_runs
        expected = tuple((p, plan.expected_runs(p)) for p in EXPECTED_AT)
    return Effort(
        expected=expected,
        most=runs,
        arms=1 + len(draft["temperatures"]),
        run_seconds=measured_run_seconds(draft["endpoint"]),
    )


def measured_run_seconds(endpoint_id: int | None) -> float | None:
    """Seconds of wall clock a run took lately on this endpoint, its calls being made at once."""
    endpoint = Endpoint.objects.filter(pk=endpoint_id).first() if endpoint_id else None
    if endpoint is None:
        return None
    batches = ExploratoryBatch.objects.filter(plan__protocol__arms__0__endpoint=endpoint.name)
    recent = Run.objects.filter(experiment__batches__in=batches.order_by("-pk")[:5]).exclude(outcome="failed")
    mean: float | None = recent.aggregate(mean=Avg("duration_ms"))["mean"]
    return None if mean is None else mean / 1000 / endpoint.concurrency


def prompt_bytes(messages: Sequence[Message]) -> int:
    return sum(len(encode_text(message.content)) for message in messages)
