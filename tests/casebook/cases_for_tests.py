"""A case with one incident, its team, and a draft test on a scripted endpoint."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from casebook import experiments
from casebook.models import Case, CaseTest, Incident
from ensemble.models import Experiment
from ensemble.runner import work_on
from tests.ensemble.experiments import DETECTOR, add_scripted_endpoint

CONVERSATION = "User: May I claim the refund after the trip?\nAssistant: Yes, that is wrong."


def add_case(owner: User, *team: User, **incident: Any) -> Case:
    case = Case.objects.create(title="Refund after the trip")
    case.memberships.create(user=owner, role="owner")
    for member in team:
        case.memberships.create(user=member)
    values = {
        "product": "Help desk",
        "conversation": CONVERSATION,
        "disputed_answer": "Yes, that is wrong.",
        "what_is_wrong": "wrong",
        "truth": "right",
    }
    Incident.objects.create(case=case, **{**values, **incident})
    return case


def add_draft_test(case: Case, *, runs: int = 12, **endpoint: Any) -> CaseTest:
    """A draft on a scripted endpoint whose answers the detector can label."""
    test = experiments.add_test(
        case, title=case.title, operator="owner", endpoint=add_scripted_endpoint(**endpoint)
    )
    draft = {**test.experiment.draft, "detector": DETECTOR, "stopping": {"kind": "fixed", "runs": runs}}
    assert experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
    return test


def run_to_seal(test: CaseTest) -> CaseTest:
    experiments.lock_and_run(test, by="owner")
    return work_to_seal(test)


def work_to_seal(test: CaseTest) -> CaseTest:
    for _ in range(200):
        experiment = Experiment.objects.get(pk=test.experiment_id)
        if experiment.state == Experiment.State.SEALED:
            return CaseTest.objects.get(pk=test.pk)
        work_on(experiment, "worker")
    raise AssertionError("the test was not sealed")
