"""“How many runs do I need?”: who sees it, what it answers, and what taking an answer over does to the draft."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from casebook import experiments
from casebook.models import Case, CaseTest
from ensemble.exploring import request_runs, run_batch
from ensemble.models import Endpoint
from tests.casebook.cases_for_tests import add_draft_test, run_to_seal
from tests.ensemble.experiments import add_scripted_endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(case: Case) -> CaseTest:
    return add_draft_test(case)


def url(test: CaseTest) -> str:
    return reverse("casebook:test-planning", args=[test.case.public_id, test.number])


def read(client: Client, address: str, **asked: str) -> str:
    response = client.get(address, asked)
    assert response.status_code == 200
    return str(response.content.decode())


def make_tries(test: CaseTest, count: int = 4) -> None:
    protocol = experiments.build_protocol(test.case, test.experiment.draft)
    run_batch(request_runs(test.experiment, protocol, count), "worker")


def take(client: Client, test: CaseTest, rule: str, query: str = "", **changes: str) -> Any:
    test.experiment.refresh_from_db()
    seen = experiments.draft_sha256(test.experiment.draft)
    return client.post(f"{url(test)}?{query}", {"rule": rule, "seen_sha256": seen, **changes})


def read_stopping(test: CaseTest) -> dict[str, Any]:
    test.experiment.refresh_from_db()
    stopping: dict[str, Any] = test.experiment.draft["stopping"]
    return stopping


def test_the_team_sees_it_and_to_others_it_does_not_exist(
    as_owner: Client, as_teammate: Client, as_stranger: Client, draft: CaseTest
) -> None:
    for address in (url(draft), reverse("casebook:case-planning", args=[draft.case.public_id])):
        assert as_owner.get(address).status_code == 200
        assert as_teammate.get(address).status_code == 200
        assert as_stranger.get(address).status_code == 404
        assert Client().get(address).status_code == 302
    assert take(as_stranger, draft, "fixed").status_code == 404
    assert read_stopping(draft) == {"kind": "fixed", "runs": 12}


def test_it_can_be_found_from_the_case(as_owner: Client, draft: CaseTest) -> None:
    page = as_owner.get(draft.case.get_absolute_url()).content.decode()
    assert reverse("casebook:case-planning", args=[draft.case.public_id]) in page


def test_a_fresh_page_answers_for_five_points_and_saves_nothing(as_owner: Client, draft: CaseTest) -> None:
    before = dict(draft.experiment.draft)
    page = read(as_owner, url(draft))
    assert "After 402 labelled runs" in page
    assert page.count("<figure") == 2
    assert "1,359" in page
    draft.experiment.refresh_from_db()
    assert draft.experiment.draft == before


def test_an_address_holds_the_whole_question(as_owner: Client, as_teammate: Client, draft: CaseTest) -> None:
    asked = {"question": "bound", "bound": "1", "level": "99"}
    assert "If none of 459 labelled runs" in read(as_owner, url(draft), **asked)
    assert read(as_teammate, url(draft), **asked).count("459") == read(as_owner, url(draft), **asked).count(
        "459"
    )
    arms = {"question": "arms", "share_a": "50", "share_b": "30"}
    assert "each arm has 102 labelled runs" in read(as_owner, url(draft), **arms)


def test_the_language_decides_the_decimal_mark(as_owner: Client, draft: CaseTest) -> None:
    page = as_owner.get(url(draft), {"half_width": "7,5"}, headers={"accept-language": "ru"}).content.decode()
    assert "±7,5" in page
    assert "Сколько нужно прогонов?" in page


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"half_width": ""}, "half_width"),
        ({"half_width": "half"}, "half_width"),
        ({"half_width": "nan"}, "half_width"),
        ({"half_width": "0"}, "half_width"),
        ({"half_width": "50"}, "half_width"),
        ({"half_width": "1e999"}, "half_width"),
        ({"half_width": "5\0"}, "half_width"),
        ({"question": "bound", "bound": "-1"}, "bound"),
        ({"question": "bound", "bound": "100"}, "bound"),
        ({"question": "bound", "bound": ""}, "bound"),
        ({"question": "arms", "share_a": "30", "share_b": "30"}, "share_b"),
        ({"question": "arms", "share_a": "101"}, "share_a"),
        ({"question": "arms", "power": "95"}, "power"),
        ({"question": "arms", "power": ""}, "power"),
        ({"question": "everything"}, "question"),
        ({"level": "90"}, "level"),
        ({"endpoint": "99999999999999999999999"}, "endpoint"),
        ({"endpoint": "x"}, "endpoint"),
    ],
)
def test_bad_input_is_named_and_nothing_is_answered(
    as_owner: Client, draft: CaseTest, asked: dict[str, str], field: str
) -> None:
    response = as_owner.get(url(draft), asked)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert "answers" not in response.context
    assert "cb-errors" in response.content.decode()
    assert take(as_owner, draft, "fixed", "&".join(f"{k}={v}" for k, v in asked.items())).status_code == 404


def test_a_mistake_in_another_question_does_not_matter(as_owner: Client, draft: CaseTest) -> None:
    assert "If none of 59" in read(
        as_owner, url(draft), question="bound", bound="5", half_width="x", share_a=""
    )


@pytest.mark.parametrize(
    ("query", "rule", "stopping"),
    [
        ("half_width=10", "fixed", {"kind": "fixed", "runs": 104}),
        ("half_width=12", "precision", {"kind": "precision", "half_width": "0.1", "level": "0.95"}),
        ("half_width=7&level=99", "precision", {"kind": "precision", "half_width": "0.05", "level": "0.99"}),
        (
            "half_width=10",
            "anytime",
            {"kind": "anytime", "max_runs": 298, "threshold": "", "half_width": "0.1"},
        ),
        ("question=bound&bound=5", "fixed", {"kind": "fixed", "runs": 59}),
        (
            "question=bound&bound=5",
            "threshold",
            {"kind": "anytime", "max_runs": 500, "threshold": "0.05", "half_width": ""},
        ),
        (
            "question=bound&bound=1",
            "threshold",
            {"kind": "anytime", "max_runs": 754, "threshold": "0.01", "half_width": ""},
        ),
        ("question=arms&share_a=50&share_b=30", "fixed", {"kind": "fixed", "runs": 102}),
    ],
)
def test_taking_an_answer_over_changes_the_stopping_rule_alone(
    as_teammate: Client, draft: CaseTest, query: str, rule: str, stopping: dict[str, Any]
) -> None:
    before = {**draft.experiment.draft, "stopping": None}
    response = take(as_teammate, draft, rule, query)
    editor = reverse("casebook:test-edit", args=[draft.case.public_id, draft.number])
    assert response["Location"].partition("#")[0] == editor
    assert read_stopping(draft) == stopping
    assert {**draft.experiment.draft, "stopping": None} == before
    form = as_teammate.get(editor).context["form"]
    assert form.initial["stopping"] == stopping["kind"]


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("half_width=4", "precision"),
        ("half_width=5&level=99", "fixed"),
        ("half_width=5&level=99", "anytime"),
        ("question=bound&bound=5", "precision"),
        ("question=arms", "precision"),
        ("", "threshold"),
        ("", ""),
    ],
)
def test_what_the_editor_cannot_plan_cannot_be_taken_over(
    as_owner: Client, draft: CaseTest, query: str, rule: str
) -> None:
    assert f'name="rule" value="{rule}"' not in as_owner.get(f"{url(draft)}?{query}").content.decode()
    assert take(as_owner, draft, rule, query).status_code == 404
    assert read_stopping(draft) == {"kind": "fixed", "runs": 12}


def test_a_draft_that_was_changed_meanwhile_stays_as_it_is(as_owner: Client, draft: CaseTest) -> None:
    seen = experiments.draft_sha256(draft.experiment.draft)
    changed = {**draft.experiment.draft, "question": "Another question?"}
    assert experiments.save_draft(draft, changed, seen_sha256=seen)
    response = take(as_owner, draft, "fixed", "half_width=10", seen_sha256=seen)
    assert response["Location"].endswith("?half_width=10")
    assert "nothing was taken over" in as_owner.get(response["Location"]).content.decode()
    assert read_stopping(draft) == {"kind": "fixed", "runs": 12}


def test_a_locked_test_is_not_planned_any_more(as_owner: Client, draft: CaseTest) -> None:
    run_to_seal(draft)
    response = as_owner.post(url(draft), {"rule": "fixed", "seen_sha256": ""})
    assert response["Location"] == draft.get_absolute_url()
    assert as_owner.get(url(draft))["Location"] == draft.get_absolute_url()


def test_a_case_without_a_draft_is_answered_without_anything_to_take_over(
    as_owner: Client, case: Case
) -> None:
    page = read(as_owner, reverse("casebook:case-planning", args=[case.public_id]))
    assert "After 402 labelled runs" in page
    assert 'name="rule"' not in page
    assert "depend on the endpoint: choose one" in page


def test_time_and_cost_come_from_the_tries_and_the_prices(as_owner: Client, draft: CaseTest) -> None:
    assert "nothing was run yet" in read(as_owner, url(draft))
    make_tries(draft)
    page = read(as_owner, url(draft))
    assert "Judging by 4 exploratory runs of this draft" in page
    assert "No price is set" in page
    assert " tokens</p>" in page
    Endpoint.objects.update(prompt_price="1000", answer_price="1000", currency="EUR")
    page = read(as_owner, url(draft))
    assert "1000 EUR for a million prompt tokens" in page
    assert " EUR</p>" in page
    assert "No price is set" not in page


def test_another_endpoint_is_judged_by_what_was_run_on_it(as_owner: Client, draft: CaseTest) -> None:
    make_tries(draft)
    other = add_scripted_endpoint("other")
    other.model = "another"
    other.save()
    assert "nothing was run yet" in read(as_owner, url(draft), endpoint=str(other.pk))
    whole_case = reverse("casebook:case-planning", args=[draft.case.public_id])
    assert "Judging by earlier tests of this case" in read(as_owner, whole_case)
    assert "choose one" in read(as_owner, url(draft), endpoint="")


def test_an_endpoint_that_the_visitor_may_not_use_is_not_shown(
    as_owner: Client, draft: CaseTest, teammate: User
) -> None:
    endpoint = Endpoint.objects.get()
    Endpoint.objects.update(is_open=False, prompt_price="1", answer_price="1", currency="EUR")
    page = read(as_owner, url(draft))
    assert "choose one" in page
    assert "EUR" not in page
    assert list(as_owner.get(url(draft), {"endpoint": endpoint.pk}).context["form"].errors) == ["endpoint"]


def test_a_price_is_recorded_nowhere_but_with_its_endpoint(draft: CaseTest) -> None:
    price = Decimal("987.654321")
    Endpoint.objects.update(prompt_price=price, answer_price=price, currency="XTS")
    make_tries(draft)
    sealed = run_to_seal(draft).experiment
    result = sealed.latest_result()
    assert result is not None
    records = [sealed.protocol_json, result.document_json, *sealed.ledger.values_list("line", flat=True)]
    assert all("987.654321" not in record and "XTS" not in record for record in records)


def test_the_editor_leads_here_and_has_the_place_to_return_to(as_owner: Client, draft: CaseTest) -> None:
    response = take(as_owner, draft, "precision", "half_width=10")
    editor, _, fragment = response["Location"].partition("#")
    page = read(as_owner, editor)
    assert f'id="{fragment}"' in page
    assert f'href="{url(draft)}"' in page
