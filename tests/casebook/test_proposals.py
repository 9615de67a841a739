"""Paraphrases proposed by a model: how they are asked for, what stands against them, and how one becomes an arm."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from casebook import experiments, worker
from casebook.models import CaseTest, Proposal, ProposalRequest
from casebook.proposal_marks import shares_content
from casebook.proposals import (
    ProposalError,
    approve,
    discard,
    make_proposals,
    request_proposals,
    strip_wrapping,
    waits_for,
    write_question,
)
from casebook.tasks import propose_paraphrases, sweep_proposals
from ensemble import arm_work, runner
from ensemble.models import Endpoint, Experiment
from ensemble.runner import Next, work_on
from ensemble.slots import LEASE
from tests.casebook.cases_for_tests import add_case, add_draft_test
from tests.ensemble.experiments import add_scripted_endpoint

pytestmark = pytest.mark.django_db

PROMPT = "May I claim the refund after the trip?"
ANSWERS = [
    "“Can it be claimed later?”",
    "",
    "I can't help with that.",
    PROMPT.upper(),
    "can it be claimed later",
]


@pytest.fixture
def draft(owner: User) -> CaseTest:
    return add_draft_test(add_case(owner))


@pytest.fixture
def writer() -> Endpoint:
    return add_scripted_endpoint(name="writer", concurrency=1, script=ANSWERS)


def request(draft: CaseTest, writer: Endpoint, count: int = 5) -> ProposalRequest:
    """Nobody makes it yet."""
    return request_proposals(draft, writer, count, by="owner")


def make(draft: CaseTest, writer: Endpoint, count: int = 5) -> list[Proposal]:
    made = request(draft, writer, count)
    make_proposals(made.pk, "worker")
    return list(made.proposals.all())


def seen(draft: CaseTest) -> str:
    return experiments.draft_sha256(Experiment.objects.get(pk=draft.experiment_id).draft)


def entries(draft: CaseTest) -> list[dict[str, Any]]:
    return list(Experiment.objects.get(pk=draft.experiment_id).draft["arms"])


def test_every_answer_is_kept_with_what_stands_against_it(draft: CaseTest, writer: Endpoint) -> None:
    proposals = make(draft, writer)
    assert [proposal.problem for proposal in proposals] == ["", "empty", "refused", "verbatim", "duplicate"]
    assert (proposals[0].raw, proposals[0].text) == (ANSWERS[0], "Can it be claimed later?")
    found = ProposalRequest.objects.get()
    assert (found.state, found.message, found.proposed_by) == ("done", "", "writer (script)")


def test_the_prompt_is_handed_over_between_lines_that_it_cannot_hold(
    draft: CaseTest, writer: Endpoint
) -> None:
    made = request(draft, writer)
    questions = [write_question(made, number) for number in range(3)]
    system, user = questions[0].messages
    begin, *prompt, end = user.content.split("\n")
    assert "\n".join(prompt) == PROMPT
    assert f'"{begin}" and "{end}"' in system.content
    assert f"{made.seed:08x}" in begin
    assert PROMPT not in system.content
    assert [question.seed - made.seed for question in questions] == [0, 1, 2]


def test_a_cut_off_answer_is_marked(draft: CaseTest) -> None:
    cut = add_scripted_endpoint(
        name="cut", answers=["Can it be claimed at all?"], faults=[{"share": "1", "kind": "length"}]
    )
    assert [proposal.problem for proposal in make(draft, cut, 1)] == ["cut off"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("TEXT {mark}: can it be claimed?", "echo"),
        ("You put questions into other words. May a refund be claimed?", "echo"),
        ("Ich mag Kekse und Bananen.", "unrelated"),
        ("Put in other words: is a refund possible?", ""),
    ],
)
def test_an_answer_that_repeats_the_instruction_or_is_about_something_else_is_marked(
    draft: CaseTest, answer: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.SystemRandom.randrange", lambda _self, _most: 0xABC)
    text = answer.format(mark="00000abc")
    proposal = make(draft, add_scripted_endpoint(name="poor", script=[text]), 1)[0]
    assert (proposal.text, proposal.problem) == (text, problem)
    if problem:
        with pytest.raises(ProposalError):
            approve(proposal, text, by="anna", seen_sha256=seen(draft))
        assert approve(proposal, "Is it repaid afterwards?", by="anna", seen_sha256=seen(draft))


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("Положен ли возврат тем, кто уже съездил в поездку?", True),
        ("Сколько стоит банан?", False),
        ("В 2024 это разрешали?", True),
        ("???", False),
    ],
)
def test_inflected_words_and_numbers_are_known_again(text: str, shares: bool) -> None:
    prompt = "Можно ли оформить возврат после поездки в 2024 году?"
    assert shares_content(text, prompt) is shares
    assert shares_content(text, "退款可以吗？")


def test_a_failing_endpoint_is_told_and_what_it_gave_is_kept(draft: CaseTest) -> None:
    away = add_scripted_endpoint(name="away", answers=["x"], faults=[{"share": "1", "kind": "permanent"}])
    assert make(draft, away, 2) == []
    found = ProposalRequest.objects.get()
    assert found.state == "failed"
    assert "refuses this call" in found.message


def test_an_endpoint_switched_off_meanwhile_is_told(draft: CaseTest, writer: Endpoint) -> None:
    made = request(draft, writer)
    Endpoint.objects.filter(pk=writer.pk).update(is_enabled=False)
    make_proposals(made.pk, "worker")
    assert "switched off" in ProposalRequest.objects.get().message


def test_the_task_makes_a_request_once_and_a_killed_one_is_taken_up_again(
    draft: CaseTest, writer: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = request(draft, writer, 3)
    held = ProposalRequest.objects.filter(pk=made.pk)
    held.update(state="running", owner="another", leased_until=timezone.now() + LEASE)
    propose_paraphrases(made.pk)
    assert not made.proposals.exists()
    held.update(leased_until=timezone.now())
    Proposal.objects.create(request=made, number=1, raw="kept", text="kept")
    sent: list[int] = []
    monkeypatch.setattr(propose_paraphrases, "delay", sent.append)
    sweep_proposals()
    assert sent == [made.pk]
    propose_paraphrases(made.pk)
    assert [proposal.raw == "kept" for proposal in made.proposals.all()] == [False, True, False]
    propose_paraphrases(made.pk)
    assert made.proposals.count() == 3


def test_only_one_request_is_open_and_none_after_locking(draft: CaseTest, writer: Endpoint) -> None:
    made = request(draft, writer)
    with pytest.raises(ProposalError, match="already being made"):
        request(draft, writer)
    make_proposals(made.pk, "worker")
    experiments.lock_and_run(draft, by="owner")
    with pytest.raises(ProposalError, match="locked"):
        request(draft, writer)


@pytest.mark.parametrize("count", [0, 11])
def test_the_number_is_bounded(draft: CaseTest, writer: Endpoint, count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 10"):
        request(draft, writer, count)


def test_workers_let_proposals_go_before_the_runs_of_a_test(
    draft: CaseTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waits_for in runner.precedence
    assert worker.sweeps["exploratory"] is sweep_proposals
    endpoint = Endpoint.objects.get()
    made = request_proposals(draft, endpoint, 1, by="owner")
    monkeypatch.setattr(arm_work, "HEARTBEAT_SECONDS", 0.01)
    other = experiments.add_test(draft.case, operator="owner", endpoint=endpoint)
    experiments.lock_and_run(other, by="owner")
    assert work_on(Experiment.objects.get(pk=other.experiment_id), "worker") == Next.LATER
    make_proposals(made.pk, "worker")
    assert work_on(Experiment.objects.get(pk=other.experiment_id), "worker") != Next.LATER


@pytest.mark.parametrize(
    ("text", "is_edited"), [("Can it be claimed later?", False), ("Is it refunded later?", True)]
)
def test_an_approved_proposal_becomes_an_arm_that_names_model_and_person(
    draft: CaseTest, writer: Endpoint, text: str, is_edited: bool
) -> None:
    proposal = make(draft, writer, 1)[0]
    assert approve(proposal, text, by="anna", seen_sha256=seen(draft))
    entry = entries(draft)[0]
    assert (entry["purpose"], entry["prompt"]) == ("paraphrase", text)
    proposal.refresh_from_db()
    assert (proposal.text, proposal.decided_text) == ("Can it be claimed later?", text)
    assert entry["origin"] == {
        "written_by": "",
        "proposed_by": "writer (script)",
        "approved_by": "anna",
        "is_edited": is_edited,
    }
    protocol = experiments.build_protocol(draft.case, Experiment.objects.get(pk=draft.experiment_id).draft)
    assert protocol.arms[1].messages[-1].content == text
    with pytest.raises(ProposalError):
        approve(proposal, "Once more?", by="anna", seen_sha256=seen(draft))


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_a_marked_proposal_is_approved_only_when_it_was_mended(
    draft: CaseTest, writer: Endpoint, place: int
) -> None:
    proposal = make(draft, writer)[place]
    with pytest.raises(ProposalError):
        approve(proposal, proposal.text, by="owner", seen_sha256=seen(draft))
    assert entries(draft) == []
    assert approve(proposal, "Is it refunded later?", by="owner", seen_sha256=seen(draft))


def test_a_duplicate_may_be_approved_once_the_other_is_discarded(draft: CaseTest, writer: Endpoint) -> None:
    first, *_, last = make(draft, writer)
    discard(first, by="owner")
    assert approve(last, last.text, by="owner", seen_sha256=seen(draft))


def test_a_draft_changed_meanwhile_keeps_the_proposal_undecided(draft: CaseTest, writer: Endpoint) -> None:
    proposal = make(draft, writer, 1)[0]
    assert not approve(proposal, proposal.text, by="owner", seen_sha256="0" * 64)
    proposal.refresh_from_db()
    assert (proposal.decision, entries(draft)) == ("", [])


def test_a_discarded_proposal_stays_on_record(draft: CaseTest, writer: Endpoint) -> None:
    proposal = make(draft, writer, 1)[0]
    discard(proposal, by="anna")
    proposal.refresh_from_db()
    assert (proposal.decision, proposal.decided_by) == ("discarded", "anna")
    assert proposal.decided_text == proposal.text
    with pytest.raises(ProposalError, match="decided on already"):
        discard(proposal, by="owner")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  “May I?” \n", "May I?"),
        ("«Можно ли?»", "Можно ли?"),
        ('"A" or "B"?', '"A" or "B"?'),
        ('"', '"'),
        ("", ""),
    ],
)
def test_quotation_marks_around_the_whole_are_taken_off(raw: str, text: str) -> None:
    assert strip_wrapping(raw) == text
