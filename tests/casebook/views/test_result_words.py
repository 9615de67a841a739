"""What the page of a test says beside its numbers: which model was asked, and what the reader must not expect."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from casebook import experiments
from casebook.models import CaseTest
from ensemble.endpoints import ensure_default_endpoint
from ensemble.models import Experiment
from ensemble.runner import work_on
from ensemble.states import start_running
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal
from tests.ensemble.experiments import DETECTOR

pytestmark = pytest.mark.django_db
RUSSIAN = "Пользователь: Можно ли вернуть билет?\nАссистент: Yes, that is wrong."


def read(client: Client, test: CaseTest, language: str = "en") -> str:
    """The page of the test, as its owner sees it, with plain spaces."""
    client.force_login(test.case.members.get())
    client.cookies["django_language"] = language
    address = reverse("casebook:test-detail", args=[test.case.public_id, test.number])
    return client.get(address).content.decode().replace("\u00a0", " ")


def lock_embedded(owner: User, **incident: str) -> CaseTest:
    """A test locked to the embedded model; no worker runs it here."""
    case = add_case(owner, **incident)
    test = experiments.add_test(case, operator="owner", endpoint=ensure_default_endpoint())
    draft = {**test.experiment.draft, "detector": DETECTOR, "stopping": {"kind": "fixed", "runs": 5}}
    assert experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
    experiments.lock_and_run(test, by="owner")
    return CaseTest.objects.get(pk=test.pk)


@pytest.mark.parametrize(
    ("language", "said", "warned"),
    [
        ("en", "The model tested is the small demonstration model built into Casebook", "mean nothing"),
        ("ru", "Испытана небольшая демонстрационная модель, встроенная в Casebook", "ничего не значат"),
    ],
)
def test_the_page_says_that_the_embedded_model_is_not_the_product(
    client: Client, owner: User, language: str, said: str, warned: str
) -> None:
    page = read(client, lock_embedded(owner), language)
    assert said in page
    assert warned not in page
    page = read(client, lock_embedded(owner, conversation=RUSSIAN), language)
    assert said in page
    assert warned in page


def test_a_sealed_test_says_what_answered_on_its_page_and_on_that_of_its_case(
    client: Client, owner: User
) -> None:
    test = run_to_seal(add_draft_test(add_case(owner, conversation=RUSSIAN)))
    page = read(client, test)
    assert "No language model was tested: the answers were written beforehand" in page
    assert "mean nothing" not in page
    assert "No language model was tested" in client.get(test.case.get_absolute_url()).content.decode()


def test_the_page_tells_unclear_from_truncated_and_writes_times_as_the_report_does(
    client: Client, owner: User
) -> None:
    page = read(client, run_to_seal(add_draft_test(add_case(owner))))
    assert "Unclear: the detector found neither the error nor its absence, or found both." in page
    assert re.search(r"<dt>Locked</dt><dd>\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d UTC</dd>", page)


def test_while_an_arm_that_reached_its_limit_is_audited_no_planned_interval_is_promised(
    client: Client, owner: User
) -> None:
    answers = [{"text": "That is wrong.", "share": "0.2"}, {"text": "It depends.", "share": "0.8"}]
    test = add_draft_test(add_case(owner), distribution=answers)
    experiments.lock_and_run(test, by="owner")
    experiment = Experiment.objects.get(pk=test.experiment_id)
    while not experiment.arms.get().is_stopped:
        work_on(experiment, "worker")
        experiment.refresh_from_db()
    assert (experiment.arms.get().stop_kind, experiment.state) == ("limit", "running")
    page = read(client, CaseTest.objects.get(pk=test.pk))
    assert "there will be no planned interval" in page
    assert "the planned interval comes" not in page


def test_words_that_were_recorded_are_marked_on_the_page(client: Client, owner: User) -> None:
    test = lock_embedded(owner)
    start_running(test.experiment)
    Experiment.objects.filter(pk=test.experiment_id).update(state="paused", reason="HTTP 503: busy")
    page = read(client, CaseTest.objects.get(pk=test.pk), "ru")
    assert "«HTTP 503: busy» (запись журнала, на языке оригинала)" in page
