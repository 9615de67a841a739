"""The page on which a model proposes paraphrases and a person decides on them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from casebook import experiments
from casebook.models import Case, CaseTest, Proposal, ProposalRequest
from casebook.proposals import make_proposals
from ensemble.models import Endpoint, Experiment
from tests.casebook.cases_for_tests import add_draft_test
from tests.ensemble.experiments import add_scripted_endpoint

pytestmark = pytest.mark.django_db

HOSTILE = '</textarea><script>alert("x")</script>\u202e'


@pytest.fixture
def draft(case: Case) -> CaseTest:
    return add_draft_test(case)


@pytest.fixture
def writer() -> Endpoint:
    return add_scripted_endpoint(name="writer", concurrency=1, script=["Is it refunded later?", HOSTILE, ""])


def url(name: str, test: CaseTest, *more: Any) -> str:
    return reverse(f"casebook:{name}", args=[test.case.public_id, test.number, *more])


def ask(client: Client, test: CaseTest, endpoint: Endpoint, count: int | str = 3) -> Any:
    return client.post(url("proposal-list", test), {"endpoint": endpoint.pk, "count": count})


def make(client: Client, test: CaseTest, endpoint: Endpoint) -> list[Proposal]:
    ask(client, test, endpoint)
    make_proposals(ProposalRequest.objects.get().pk, "worker")
    return list(Proposal.objects.order_by("number"))


def decide(client: Client, test: CaseTest, proposal: Proposal, **changes: str) -> Any:
    seen = experiments.draft_sha256(Experiment.objects.get(pk=test.experiment_id).draft)
    values = {"action": "approve", "text": proposal.text, "seen_sha256": seen}
    address = url("proposal-decide", test, proposal.pk)
    return client.post(address, {**values, **changes}, follow=True)


def arms(test: CaseTest) -> list[dict[str, Any]]:
    return list(Experiment.objects.get(pk=test.experiment_id).draft["arms"])


def test_a_request_is_made_for_an_endpoint_and_a_number(
    as_owner: Client, draft: CaseTest, writer: Endpoint
) -> None:
    assert ask(as_owner, draft, writer).url == url("proposal-list", draft)
    found = ProposalRequest.objects.get()
    assert (found.endpoint, found.count, found.requested_by) == (writer, 3, "owner")


def test_where_the_built_in_model_may_be_chosen_the_page_says_that_it_cannot_do_this(
    as_owner: Client, draft: CaseTest, writer: Endpoint
) -> None:
    notice = "The built-in model is too small to write paraphrases"
    assert notice not in as_owner.get(url("proposal-list", draft)).content.decode()
    small = Endpoint.objects.create(name="small", backend="embedded")
    page = as_owner.get(url("proposal-list", draft)).content.decode()
    assert notice in page.partition('class="btn btn-primary"')[0]
    assert re.search(rf'<option value="{small.pk}"[^>]*class="cb-embedded"', page)
    assert not re.search(rf'<option value="{writer.pk}"[^>]*class=', page)


@pytest.mark.parametrize("count", ["0", "11", "many", ""])
def test_a_number_out_of_range_is_refused(
    as_owner: Client, draft: CaseTest, writer: Endpoint, count: str
) -> None:
    assert "count" in ask(as_owner, draft, writer, count).context["form"].errors
    assert not ProposalRequest.objects.exists()


def test_an_endpoint_that_one_may_not_use_is_refused(
    as_owner: Client, draft: CaseTest, writer: Endpoint
) -> None:
    Endpoint.objects.filter(pk=writer.pk).update(is_open=False)
    assert "endpoint" in ask(as_owner, draft, writer).context["form"].errors
    assert not ProposalRequest.objects.exists()


def test_the_page_polls_while_proposals_arrive_and_then_offers_to_decide(
    as_owner: Client, draft: CaseTest, writer: Endpoint
) -> None:
    ask(as_owner, draft, writer)
    assert (
        f'hx-get="{url("proposal-poll", draft)}"'
        in as_owner.get(url("proposal-list", draft)).content.decode()
    )
    poll = as_owner.get(url("proposal-poll", draft)).content.decode()
    assert "0 of 3 paraphrases proposed" in poll
    make_proposals(ProposalRequest.objects.get().pk, "worker")
    poll = as_owner.get(url("proposal-poll", draft)).content.decode()
    assert "hx-get" not in poll
    assert "Is it refunded later?" in poll
    assert poll.count('value="approve"') == 3
    assert "The answer is empty." in poll
    assert "<script>alert" not in poll


def test_a_second_request_while_one_is_open_is_told(
    as_owner: Client, draft: CaseTest, writer: Endpoint
) -> None:
    ask(as_owner, draft, writer)
    response = as_owner.post(url("proposal-list", draft), {"endpoint": writer.pk, "count": 1}, follow=True)
    assert "already being made" in response.content.decode()
    assert ProposalRequest.objects.count() == 1


def test_an_approved_proposal_is_an_arm_and_a_discarded_one_is_not(
    as_owner: Client, as_teammate: Client, draft: CaseTest, writer: Endpoint
) -> None:
    first, second, _ = make(as_owner, draft, writer)
    page = decide(as_teammate, draft, first, text="Is it repaid later?").content.decode()
    assert "is an arm of the draft now" in page
    assert '<td dir="auto">Is it repaid later?</td>' in page
    assert '<td dir="auto">Is it refunded later?</td>' not in page
    entry = arms(draft)[0]
    assert (entry["prompt"], entry["origin"]["approved_by"]) == ("Is it repaid later?", "teammate")
    assert entry["origin"]["is_edited"]
    page = decide(as_owner, draft, second, action="discard").content.decode()
    assert "discarded" in page
    assert "<script>alert" not in page
    assert len(arms(draft)) == 1
    again = decide(as_owner, draft, first, text="Once more, is it repaid?").content.decode()
    assert "decided on already" in again


def test_what_cannot_be_approved_is_told(as_owner: Client, draft: CaseTest, writer: Endpoint) -> None:
    first, _, empty = make(as_owner, draft, writer)
    assert "The answer is empty." in decide(as_owner, draft, empty).content.decode()
    assert "cannot be stored" in decide(as_owner, draft, first, text="a\0b").content.decode()
    stale = decide(as_owner, draft, first, seen_sha256="0" * 64).content.decode()
    assert "nothing was approved" in stale
    assert arms(draft) == []


def test_a_failure_is_told_in_words(as_owner: Client, draft: CaseTest) -> None:
    away = add_scripted_endpoint(name="away", answers=["x"], faults=[{"share": "1", "kind": "permanent"}])
    make(as_owner, draft, away)
    page = as_owner.get(url("proposal-list", draft)).content.decode()
    assert "The endpoint did not answer every time" in page
    assert "refuses this call" in page


def test_strangers_decide_nothing(
    as_owner: Client, as_stranger: Client, draft: CaseTest, writer: Endpoint, stranger: User
) -> None:
    first = make(as_owner, draft, writer)[0]
    assert as_stranger.post(url("proposal-decide", draft, first.pk)).status_code == 404
    assert ask(as_stranger, draft, writer).status_code == 404
    assert as_owner.get(url("proposal-decide", draft, first.pk)).status_code == 405


def test_a_proposal_of_another_test_is_not_found(
    as_owner: Client, case: Case, draft: CaseTest, writer: Endpoint
) -> None:
    first = make(as_owner, draft, writer)[0]
    other = experiments.add_test(case, operator="owner", endpoint=writer)
    assert as_owner.post(url("proposal-decide", other, first.pk)).status_code == 404


def test_a_draft_with_proposals_can_be_deleted_with_them(
    as_owner: Client, draft: CaseTest, writer: Endpoint
) -> None:
    make(as_owner, draft, writer)
    as_owner.post(url("test-delete", draft))
    assert not CaseTest.objects.exists()
    assert not Proposal.objects.exists()
