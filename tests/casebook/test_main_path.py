"""Where a case stands, from the logged incident to the report."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from casebook import experiments
from casebook.main_path import STEPS, NextStep, find_next_step
from casebook.models import Case, Report
from casebook.reports import request_report
from ensemble.models import Experiment
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal


def next_step(case: Case) -> NextStep:
    return find_next_step(Case.objects.with_measurements().get(pk=case.pk))


@pytest.fixture
def case(owner: User) -> Case:
    return add_case(owner)


def test_a_new_case_wants_a_test(case: Case) -> None:
    step = next_step(case)
    assert (step.number, step.action, step.is_waiting) == (2, "add-test", True)


@pytest.mark.parametrize(
    ("state", "number", "waits_for_a_person"),
    [
        ("draft", 3, True),
        ("locked", 3, False),
        ("running", 3, False),
        ("paused", 3, True),
        ("completed", 4, False),
        ("cancelled", 4, False),
        ("failed", 4, False),
    ],
)
def test_an_open_test_comes_first(case: Case, state: str, number: int, waits_for_a_person: bool) -> None:
    test = add_draft_test(case)
    Experiment.objects.filter(pk=test.experiment_id).update(state=state)
    step = next_step(case)
    assert (step.number, step.action, step.test) == (number, "open-test", test)
    assert step.is_waiting is waits_for_a_person
    assert "1" in step.text


def test_a_sealed_test_wants_its_report_and_the_report_ends_the_path(case: Case, owner: User) -> None:
    test = run_to_seal(add_draft_test(case, runs=2))
    assert next_step(case).action == "request-report"
    report = request_report(case=case, test=test, language="en", requested_by=owner)
    assert (next_step(case).action, next_step(case).is_waiting) == ("open-report", False)
    Report.objects.update(state=Report.State.FAILED)
    assert next_step(case).is_waiting
    Report.objects.update(state=Report.State.READY)
    assert (next_step(case).number, next_step(case).report) == (len(STEPS) + 1, report)


def test_a_newer_test_reopens_the_path(case: Case) -> None:
    run_to_seal(add_draft_test(case, runs=2))
    test = experiments.add_test(case, title="Again", operator="owner", endpoint=None)
    assert next_step(case).test == test


@pytest.mark.parametrize("state", ["cancelled", "failed", "sealed"])
def test_a_later_test_that_came_to_nothing_takes_no_step_back(case: Case, state: str) -> None:
    completed = run_to_seal(add_draft_test(case, runs=2))
    later = experiments.add_test(case, title="Again", operator="owner", endpoint=None)
    Experiment.objects.filter(pk=later.experiment_id).update(state=state, ended_as="cancelled")
    step = next_step(case)
    assert (step.action, step.test) == ("request-report", completed)


def test_a_running_test_is_pointed_to_beside_a_completed_one(case: Case) -> None:
    run_to_seal(add_draft_test(case, runs=2))
    later = experiments.add_test(case, title="Again", operator="owner", endpoint=None)
    Experiment.objects.filter(pk=later.experiment_id).update(state="running")
    assert (next_step(case).action, next_step(case).test) == ("open-test", later)
