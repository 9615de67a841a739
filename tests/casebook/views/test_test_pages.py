from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from casebook import experiments
from casebook.forms.protocol import ProtocolForm, initial_values
from casebook.models import Case, CaseTest
from ensemble.errors import ProtocolError
from ensemble.exploring import run_batch
from ensemble.models import Endpoint, Experiment
from ensemble.protocol import StoppingRule
from ensemble.runner import work_on
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal, work_to_seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(owner: User, teammate: User) -> CaseTest:
    return add_draft_test(add_case(owner, teammate))


@pytest.fixture
def sealed(draft: CaseTest) -> CaseTest:
    return run_to_seal(draft)


def url(name: str, test: CaseTest, *more: Any) -> str:
    return reverse(f"casebook:{name}", args=[test.case.public_id, test.number, *more])


def payload(test: CaseTest, **changes: Any) -> dict[str, Any]:
    """What the browser posts when nothing was edited, plus `changes`."""
    values = {**initial_values(test.experiment.draft), "count": "3", "answers": "", "action": "save"}
    posted = {name: value for name, value in values.items() if value is not None and value is not False}
    return {**posted, **changes}


def enter(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def stored(test: CaseTest) -> Experiment:
    return Experiment.objects.get(pk=test.experiment_id)


def test_the_form_gives_back_the_draft_it_was_filled_in_from(draft: CaseTest, owner: User) -> None:
    form = ProtocolForm(payload(draft), user=owner, draft=draft.experiment.draft)
    assert form.is_valid(), form.errors
    assert form.draft() == draft.experiment.draft


def test_saving_keeps_what_was_edited(client: Client, draft: CaseTest, owner: User) -> None:
    response = enter(client, owner).post(
        url("test-edit", draft), payload(draft, runs="33", temperatures="0.3; 1.2")
    )
    assert response.status_code == 302, response.context["form"].errors
    assert stored(draft).draft["stopping"] == {"kind": "fixed", "runs": 33}


ANYTIME = {"stopping": "anytime", "most_runs": "200", "threshold": "2.5"}


@pytest.mark.parametrize(("typed", "threshold"), [("2.5", "0.025"), ("", ""), ("99.9", "0.999")])
def test_an_anytime_rule_goes_from_the_form_into_the_draft_and_back(
    client: Client, draft: CaseTest, owner: User, typed: str, threshold: str
) -> None:
    posted = payload(draft, **{**ANYTIME, "threshold": typed})
    assert enter(client, owner).post(url("test-edit", draft), posted).status_code == 302
    rule = {"kind": "anytime", "max_runs": 200, "threshold": threshold, "half_width": ""}
    assert stored(draft).draft["stopping"] == rule
    form = enter(client, owner).get(url("test-edit", draft)).context["form"]
    assert str(form["threshold"].value() or "") == typed
    test = CaseTest.objects.get(pk=draft.pk)
    protocol = experiments.build_protocol(test.case, test.experiment.draft)
    assert protocol.stopping == StoppingRule(
        kind="anytime", max_runs=200, threshold=Decimal(threshold or 0), min_runs=10
    )
    assert "<figure" not in enter(client, owner).get(url("test-edit", draft)).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"max_runs": 9}, "most_runs"), ({"max_runs": 10_001}, "most_runs"), ({"threshold": "1"}, "threshold")],
)
def test_an_anytime_rule_out_of_bounds_is_no_protocol(
    draft: CaseTest, changes: dict[str, Any], field: str
) -> None:
    rule = {"kind": "anytime", "max_runs": 200, "threshold": "0.05", **changes}
    with pytest.raises(ProtocolError, match="between") as refused:
        experiments.build_protocol(draft.case, {**draft.experiment.draft, "stopping": rule})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"most_runs": ""}, "Enter the largest number of runs."),
        ({"most_runs": "9"}, "greater than or equal to 10."),
        ({"most_runs": "10001"}, "less than or equal to 10000."),
        ({"threshold": "0"}, "greater than or equal to 0.1."),
        ({"threshold": "100"}, "less than or equal to 99.9."),
    ],
)
def test_a_bad_threshold_or_maximum_is_refused_with_its_bounds(
    client: Client, draft: CaseTest, owner: User, changes: dict[str, str], message: str
) -> None:
    response = enter(client, owner).post(url("test-edit", draft), payload(draft, **{**ANYTIME, **changes}))
    errors = response.context["form"].errors
    assert list(errors) == list(changes)
    assert message in str(errors)
    assert stored(draft).draft["stopping"]["kind"] == "fixed"


def test_an_anytime_test_tells_its_rule_its_interval_and_its_decision(
    client: Client, draft: CaseTest, owner: User
) -> None:
    rule = {"kind": "anytime", "max_runs": 60, "threshold": "0.02"}
    changed = {**draft.experiment.draft, "stopping": rule}
    assert experiments.save_draft(
        draft, changed, seen_sha256=experiments.draft_sha256(draft.experiment.draft)
    )
    experiments.lock_and_run(draft, by="owner")
    text = enter(client, owner).get(url("test-detail", draft)).content.decode()
    assert (
        "decided whether the true share is over or under 2%; labelled runs: at least 10, at most 60." in text
    )
    assert "which is as valid now as at" in client.get(url("test-cancel", draft)).content.decode()
    work_to_seal(draft)
    text = client.get(url("test-detail", draft)).content.decode()
    assert "The 95% confidence sequence for the true share runs from" in text
    assert "Decided: the true share is over 2%." in text
    client.cookies["django_language"] = "ru"
    text = client.get(url("test-detail", draft)).content.decode()
    assert "Решение: истинная доля выше порога 2\u00a0%." in text
    assert "planned end" not in text


def test_a_russian_reader_may_write_a_decimal_comma(client: Client, draft: CaseTest, owner: User) -> None:
    client.cookies["django_language"] = "ru"
    response = enter(client, owner).post(url("test-edit", draft), payload(draft, temperature="0,35"))
    assert response.status_code == 302, response.context["form"].errors
    assert stored(draft).draft["sampling"]["temperature"] == "0.35"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", ""),
        ("temperature", "-1"),
        ("top_p", "2"),
        ("max_tokens", "0"),
        ("runs", ""),
        ("runs", "1000000"),
        ("temperatures", "hot"),
        ("detector", "guess"),
        ("question", "a\0b"),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_saved(
    client: Client, draft: CaseTest, owner: User, field: str, value: str
) -> None:
    before = stored(draft).draft
    response = enter(client, owner).post(url("test-edit", draft), payload(draft, **{field: value}))
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert stored(draft).draft == before


def test_a_bad_pattern_is_explained(client: Client, draft: CaseTest, owner: User) -> None:
    changed = payload(draft, match="pattern", error_phrases="(unclosed")
    response = enter(client, owner).post(url("test-edit", draft), changed)
    assert response.status_code == 200
    assert "(unclosed" in str(response.context["form"].errors)


def test_a_stale_form_does_not_overwrite_a_teammates_draft(
    client: Client, draft: CaseTest, owner: User
) -> None:
    mine = payload(draft, runs="20")
    enter(client, owner).post(url("test-edit", draft), payload(draft, runs="30"))
    response = client.post(url("test-edit", draft), mine)
    assert "in these sections: “Stopping rule”." in response.content.decode()
    assert 'value="20"' in response.content.decode()
    assert stored(draft).draft["stopping"]["runs"] == 30


def test_the_detector_can_be_tried_on_sample_answers(client: Client, draft: CaseTest, owner: User) -> None:
    changed = payload(draft, action="detect", answers="that is wrong\nthat is right\nhm")
    response = enter(client, owner).post(url("test-edit", draft), changed)
    assert [finding.label for _, finding in response.context["findings"]] == ["error", "no error", "unclear"]


def test_exploratory_runs_are_made_apart_and_shown(client: Client, draft: CaseTest, owner: User) -> None:
    response = enter(client, owner).post(url("test-edit", draft), payload(draft, action="try", count="4"))
    assert response.status_code == 302
    run_batch(draft.experiment.batches.get(), "worker")
    page = client.get(url("test-tryouts", draft))
    assert len(page.context["exploratory"]) == 4
    assert draft.experiment.runs.counted().count() == 0


def test_locking_twice_locks_once(client: Client, draft: CaseTest, owner: User) -> None:
    changed = payload(draft, action="lock")
    first = enter(client, owner).post(url("test-edit", draft), changed)
    second = client.post(url("test-edit", draft), changed)
    assert first["Location"] == second["Location"] == url("test-detail", draft)
    assert stored(draft).ledger.filter(kind="locked").count() == 1


def test_nothing_edits_a_locked_protocol(client: Client, sealed: CaseTest, owner: User) -> None:
    before = stored(sealed).protocol_json
    enter(client, owner).post(url("test-edit", sealed), payload(sealed, runs="99"))
    assert stored(sealed).protocol_json == before
    assert stored(sealed).draft["stopping"]["runs"] == 12


def test_a_running_test_shows_the_confidence_sequence_only(
    client: Client, draft: CaseTest, owner: User
) -> None:
    experiments.lock_and_run(draft, by="owner")
    Endpoint.objects.update(concurrency=1)
    work_on(stored(draft), "worker")
    text = enter(client, owner).get(url("test-detail", draft)).content.decode()
    assert "So far the error recurred" in text
    assert "confidence sequence" in text
    assert "interval for the true share" not in text


def test_the_page_of_a_sealed_test_asks_for_nothing_more(
    client: Client, sealed: CaseTest, owner: User
) -> None:
    page = enter(client, owner).get(url("test-detail", sealed))
    assert "hx-get" not in page.content.decode()
    assert client.get(url("test-live", sealed))["HX-Refresh"] == "true"


def test_pause_resume_and_cancel_work_once_each(client: Client, draft: CaseTest, owner: User) -> None:
    experiments.lock_and_run(draft, by="owner")
    enter(client, owner)
    for action, state in (
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "running"),
    ):
        client.post(url("test-steer", draft), {"action": action})
        assert stored(draft).state == state
    for _ in range(2):
        client.post(url("test-cancel", draft))
        assert stored(draft).state == "cancelled"
    assert [entry.kind for entry in stored(draft).ledger.all()][-3:] == ["paused", "resumed", "cancelled"]


def test_files_are_the_stored_bytes_as_attachments(client: Client, sealed: CaseTest, owner: User) -> None:
    enter(client, owner)
    for name in ("protocol.json", "result.json", "ledger.jsonl"):
        response = client.get(url("test-file", sealed, name))
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response["X-Content-Type-Options"] == "nosniff"
    result = json.loads(client.get(url("test-file", sealed, "result.json")).content)
    assert result["protocol_sha256"] == stored(sealed).protocol_sha256
    assert client.get(url("test-file", sealed, "secret.txt")).status_code == 404


def test_a_draft_that_never_ran_can_be_deleted_and_one_that_did_cannot(
    client: Client, draft: CaseTest, owner: User
) -> None:
    enter(client, owner).post(url("test-edit", draft), payload(draft, action="try"))
    client.post(url("test-delete", draft))
    assert CaseTest.objects.filter(pk=draft.pk).exists()
    other = experiments.add_test(draft.case, title="x", operator="owner", endpoint=Endpoint.objects.first())
    client.post(url("test-delete", other))
    assert not CaseTest.objects.filter(pk=other.pk).exists()


def test_runs_are_listed_and_shown_one_by_one(client: Client, sealed: CaseTest, owner: User) -> None:
    enter(client, owner)
    page = client.get(url("run-list", sealed), {"label": "error"})
    shown = list(page.context["page"])
    assert {run.label for run in shown} == {"error"}
    assert client.get(url("run-detail", sealed, shown[0].pk)).status_code == 200


def test_team_sees_a_test_and_strangers_do_not(
    client: Client, sealed: CaseTest, owner: User, teammate: User, stranger: User
) -> None:
    for name in ("test-detail", "test-live", "run-list"):
        for user, status in ((owner, 200), (teammate, 200), (stranger, 404)):
            assert enter(client, user).get(url(name, sealed)).status_code == status
        client.logout()
        assert client.get(url(name, sealed)).status_code == 404


@pytest.mark.parametrize("action", ["save", "try", "lock"])
def test_a_stranger_can_do_nothing_with_a_draft(
    client: Client, draft: CaseTest, stranger: User, action: str
) -> None:
    response = enter(client, stranger).post(url("test-edit", draft), payload(draft, action=action))
    assert response.status_code == 404
    assert stored(draft).is_draft
    assert client.post(url("test-steer", draft), {"action": "pause"}).status_code == 404
    assert client.post(url("test-cancel", draft)).status_code == 404
    assert client.post(url("test-delete", draft)).status_code == 404


def test_hostile_answers_are_escaped_on_every_page(client: Client, owner: User) -> None:
    script = "<script>alert(1)</script> wrong"
    test = run_to_seal(add_draft_test(add_case(owner), distribution=[{"text": script, "share": "1"}]))
    enter(client, owner)
    run = test.experiment.runs.counted()[0]
    for page in (url("test-detail", test), url("run-list", test), url("run-detail", test, run.pk)):
        text = client.get(page).content.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_a_russian_prompt_for_the_embedded_model_is_noticed(client: Client, owner: User) -> None:
    case = add_case(owner, conversation="User: Можно ли вернуть билет?\nAssistant: Yes, that is wrong.")
    endpoint = Endpoint.objects.create(name="small", backend="embedded")
    test = experiments.add_test(case, title="x", operator="owner", endpoint=endpoint)
    notice = "does not understand Russian"
    assert notice in enter(client, owner).get(url("test-edit", test)).content.decode()
    english = experiments.add_test(add_case(owner), title="x", operator="owner", endpoint=endpoint)
    assert notice not in client.get(url("test-edit", english)).content.decode()


def test_a_prompt_of_200_turns_is_sent_whole(owner: User) -> None:
    turns = "\n".join(f"User: question {n}\nAssistant: answer {n}" for n in range(100))
    case: Case = add_case(owner, conversation=f"{turns}\nUser: And now?\nAssistant: Yes, that is wrong.")
    messages = experiments.verbatim_prompt(case)
    assert len(messages) == 201
    assert messages[-1].content == "And now?"
    run_to_seal(add_draft_test(case))
