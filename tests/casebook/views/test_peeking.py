"""Looking at a running test as often as one likes, and cancelling at the worst moment, breaks no level.

Sixty complete tests on an endpoint whose share of errors is known. After every turn of the worker somebody who knows
the truth looks, and cancels as soon as the page shows an interval without it.
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.safestring import SafeString

from casebook import experiments, live
from casebook.models import CaseTest
from ensemble import arm_work, states
from ensemble.models import Experiment, Run
from ensemble.runner import work_on
from ensemble.stats.proportion import clopper_pearson
from tests.casebook.cases_for_tests import add_case
from tests.ensemble.experiments import DETECTOR, add_scripted_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TRUTH = 0.5
TESTS = 60
RUNS = 60
SLOTS = 10  # runs of a turn, after which one may look
WATCHED = 4  # tests whose page is opened after every turn; the others when it tempts
SHOWN = re.compile(r"confidence sequence is shown: ([\d.]+)% to ([\d.]+)%")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    cancelled: bool  # because the page showed an interval without the truth
    naive: bool  # the interval for a fixed number of runs, computed after every run, lost the truth at least once


@pytest.fixture
def small_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn of one call per slot, seeds that are the same in every run of this file, and no figures to draw."""
    for name in ("TURN_SECONDS", "TURN_CALLS", "HEARTBEAT_SECONDS"):
        monkeypatch.setattr(arm_work, name, 0)
    monkeypatch.setattr(arm_work, "SUBMIT_AHEAD", 1)
    monkeypatch.setattr(states, "os", SimpleNamespace(urandom=random.Random(20).randbytes))
    monkeypatch.setattr(live, "draw_both_widths", lambda _draw, _figure: SafeString(""))


def add_tests(owner: User) -> list[CaseTest]:
    script = [
        {"text": "That is wrong.", "share": str(TRUTH)},
        {"text": "That is right.", "share": str(1 - TRUTH)},
    ]
    endpoint = add_scripted_endpoint(concurrency=SLOTS, distribution=script)
    case = add_case(owner)
    tests = [experiments.add_test(case, operator="owner", endpoint=endpoint) for _ in range(TESTS)]
    for test in tests:
        draft = {**test.experiment.draft, "detector": DETECTOR, "stopping": {"kind": "fixed", "runs": RUNS}}
        seen = experiments.draft_sha256(test.experiment.draft)
        assert experiments.save_draft(test, draft, seen_sha256=seen)
    return tests


def read_interval(client: Client, test: CaseTest) -> tuple[float, float]:
    """The interval that the running page prints."""
    address = reverse("casebook:test-live", args=[test.case.public_id, test.number])
    found = SHOWN.search(client.get(address).content.decode())
    assert found
    return float(found[1]) / 100, float(found[2]) / 100


def loses_truth(low: float, high: float) -> bool:
    return not low <= TRUTH <= high


def count(test: CaseTest) -> tuple[int, int]:
    arm = test.experiment.arms.get()
    return arm.errors, arm.runs


def watch(client: Client, test: CaseTest, *, always: bool) -> bool:
    """Look until the test is over or shows an interval without the truth, then cancel it; whether it came to that."""
    experiments.lock_and_run(test, by="owner")
    while True:
        experiment = Experiment.objects.get(pk=test.experiment_id)
        work_on(experiment, "worker")
        experiment.refresh_from_db()
        errors, runs = count(test)
        if experiment.state != Experiment.State.RUNNING or runs == RUNS:
            return False
        fixed = clopper_pearson(errors, runs)
        if not runs or not (always or loses_truth(fixed.low, fixed.high)):
            continue
        low, high = read_interval(client, test)
        # So nobody misses an occasion who opens the page only when the narrower interval tempts.
        assert low <= fixed.low + 0.0006
        assert high >= fixed.high - 0.0006
        if loses_truth(low, high):
            client.post(reverse("casebook:test-cancel", args=[test.case.public_id, test.number]))
            return True


def peek_naively(test: CaseTest) -> bool:
    labels = Run.objects.counted().filter(experiment=test.experiment).order_by("index")
    errors = 0
    for runs, label in enumerate(labels.values_list("label", flat=True), start=1):
        errors += label == "error"
        fixed = clopper_pearson(errors, runs)
        if loses_truth(fixed.low, fixed.high):
            return True
    return False


@pytest.mark.usefixtures("small_turns")
def test_who_cancels_when_the_page_is_wrong_finds_it_wrong_in_at_most_5_percent_of_tests(
    client: Client, owner: User
) -> None:
    client.force_login(owner)
    found = []
    for place, test in enumerate(add_tests(owner)):
        cancelled = watch(client, test, always=place < WATCHED)
        found.append(Outcome(cancelled=cancelled, naive=cancelled or peek_naively(test)))
    # At a level of 95 % the number is binomial at worst; two standard errors are left to chance. The seeds are fixed.
    most = 0.05 * TESTS + 2 * math.sqrt(0.05 * 0.95 * TESTS)
    assert sum(outcome.cancelled for outcome in found) <= most
    assert sum(outcome.naive for outcome in found) > most
