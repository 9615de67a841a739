"""The further arms of a draft, kind by kind: what each sends, to whom, how it is labelled, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from casebook import experiments
from casebook.arm_drafts import drop_entry, find_entry, put_entry, sign_entry
from casebook.arms import MOST_ARMS, check_before_locking
from casebook.experiments import build_protocol
from casebook.models import CaseTest
from ensemble.errors import ProtocolError
from ensemble.ledger import format_time
from ensemble.models import Endpoint
from ensemble.protocol import BY_HAND, Arm, Origin
from tests.casebook.cases_for_tests import add_case, add_draft_test
from tests.ensemble.experiments import DETECTOR, add_scripted_endpoint

pytestmark = pytest.mark.django_db

QUESTION = "Did Ann Lee, and not Annabel, take the money?"
CONVERSATION = (
    f"User: Hello.\nAssistant: Good day.\nUser: {QUESTION}\nAssistant: Yes, Lee did: that is wrong."
)
PARIS = {**DETECTOR, "error_phrases": [], "correct_phrases": ["Paris"], "otherwise": "error"}


@pytest.fixture
def draft(owner: User) -> CaseTest:
    case = add_case(owner, conversation=CONVERSATION, system_prompt="Be brief.", disputed_answer="")
    return add_draft_test(case)


def build(test: CaseTest, *entries: dict[str, Any], **changes: Any) -> tuple[Arm, ...]:
    arms = [{"key": f"{number:08x}", **entry} for number, entry in enumerate(entries)]
    return build_protocol(test.case, {**test.experiment.draft, **changes, "arms": arms}).arms


def texts(arm: Arm) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in arm.messages]


def test_another_endpoint_gets_the_disputed_prompt_word_for_word(draft: CaseTest) -> None:
    other = add_scripted_endpoint(name="other")
    primary, arm = build(draft, {"purpose": "endpoint", "endpoint": other.pk})
    assert (arm.name, arm.endpoint, arm.messages) == ("other endpoint", "other", primary.messages)
    assert (arm.detector, arm.stopping, arm.begins, arm.origin) == (None, None, "", None)


@pytest.mark.parametrize("purpose", ["ordinary use", "before notice", "after notice"])
@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({"system": "Be kind."}, [("system", "Be kind."), ("user", QUESTION)]),
        ({"system": ""}, [("user", QUESTION)]),
        ({"prompt": "Who took it?"}, [("system", "Be brief."), ("user", "Who took it?")]),
    ],
)
def test_an_edited_arm_changes_one_text_and_leaves_the_others(
    draft: CaseTest, purpose: str, change: dict[str, str], sent: list[tuple[str, str]]
) -> None:
    arm = build(draft, {"purpose": purpose, **change})[1]
    turns = [("user", "Hello."), ("assistant", "Good day.")]
    assert texts(arm) == [*sent[:-1], *turns, sent[-1]]
    assert arm.name == purpose


def test_a_system_prompt_is_put_first_where_none_was_recorded(owner: User) -> None:
    test = add_draft_test(add_case(owner))
    arm = build(test, {"purpose": "disclaimer", "system": "It may be wrong."})[1]
    assert [role for role, _ in texts(arm)] == ["system", "user"]


def test_an_irrelevant_name_takes_the_place_of_the_name_in_prompt_and_detector(draft: CaseTest) -> None:
    detector = {**DETECTOR, "error_phrases": ["Ann Lee did", "Lee did"], "correct_phrases": ["Annabel"]}
    entry = {"purpose": "irrelevant name", "replace": [["Ann Lee", "Eve Ray"], ["Lee", "Ray"]]}
    arm = build(draft, entry, detector=detector)[1]
    assert texts(arm)[-1][1] == "Did Eve Ray, and not Annabel, take the money?"
    assert arm.detector == {**detector, "error_phrases": ["Eve Ray did", "Ray did"]}


def test_a_detector_without_the_name_stays_that_of_the_test(draft: CaseTest) -> None:
    arm = build(draft, {"purpose": "irrelevant name", "replace": [["Ann Lee", "Eve Ray"]]})[1]
    assert arm.detector is None


def test_a_control_asks_its_own_question_with_its_own_detector(draft: CaseTest) -> None:
    entry = {"purpose": "control", "prompt": "What is the capital of France?", "detector": PARIS}
    arm = build(draft, entry)[1]
    assert texts(arm) == [("system", "Be brief."), ("user", "What is the capital of France?")]
    assert (arm.detector, arm.stopping.kind, arm.stopping.runs) == (PARIS, "fixed", 20)


def test_paraphrases_are_numbered_and_have_runs_of_their_own(draft: CaseTest) -> None:
    origin = {"written_by": "", "proposed_by": "big (m)", "approved_by": "owner", "is_edited": True}
    entries = [
        {"purpose": "paraphrase", "prompt": text, "runs": 7, "origin": origin} for text in ("A?", "B?")
    ]
    _, first, second = build(draft, *entries)
    assert (first.name, second.name) == ("paraphrase 1", "paraphrase 2")
    assert (first.stopping.runs, first.origin) == (7, Origin(**origin))
    assert texts(second)[-1] == ("user", "B?")


def test_days_count_from_the_primary_arm_and_keep_their_beginning(draft: CaseTest) -> None:
    at = "2031-05-12T07:00:00.000Z"
    entries = [{"purpose": "day", "begins": begins, "runs": 9} for begins in (at, BY_HAND)]
    primary, second, third = build(draft, *entries)
    assert (second.name, second.begins, third.name, third.begins) == ("day 2", at, "day 3", BY_HAND)
    assert second.messages == third.messages == primary.messages


def test_an_own_name_stands_behind_the_kind(draft: CaseTest) -> None:
    entries = [{"purpose": "ordinary use", "prompt": p, "name": n} for p, n in (("A?", ""), ("B?", "shop"))]
    assert [arm.name for arm in build(draft, *entries)[1:]] == ["ordinary use", "ordinary use 2: shop"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"purpose": "ordinary use"}, "same model as the arm “as recorded"),
        ({"purpose": "paraphrase", "prompt": QUESTION}, "same model as the arm “as recorded"),
        ({"purpose": "endpoint", "endpoint": 0}, "same model as the arm"),
        ({"purpose": "endpoint", "endpoint": 99_999}, "endpoint that is in use"),
        ({"purpose": "control", "prompt": "Q?", "detector": {"kind": "nose"}}, "no detector of the kind"),
        ({"purpose": "day", "begins": ""}, "say when it begins"),
        ({"purpose": "day", "begins": "2031-05-12T07:00:00"}, "no time zone"),
    ],
)
def test_an_arm_that_cannot_be_run_is_refused_with_the_reason(
    draft: CaseTest, entry: dict[str, Any], message: str
) -> None:
    with pytest.raises(ProtocolError, match=message):
        build(draft, entry)


def test_two_arms_that_ask_the_same_are_refused_unless_they_are_days(draft: CaseTest) -> None:
    twice = {"purpose": "paraphrase", "prompt": "Who took it?"}
    with pytest.raises(ProtocolError, match=r"“paraphrase 2”.*“paraphrase 1”"):
        build(draft, twice, twice)
    assert len(build(draft, *[{"purpose": "day", "begins": BY_HAND}] * 3)) == 4


def test_a_test_has_a_bounded_number_of_arms(draft: CaseTest) -> None:
    entries = [{"purpose": "paraphrase", "prompt": f"Number {n}?"} for n in range(MOST_ARMS)]
    assert len(build(draft, *entries[1:])) == MOST_ARMS
    with pytest.raises(ProtocolError, match=f"at most {MOST_ARMS} arms"):
        build(draft, *entries)


def test_whoever_locks_must_be_allowed_to_use_every_endpoint(draft: CaseTest, owner: User) -> None:
    other = add_scripted_endpoint(name="other")
    planned = {**draft.experiment.draft, "arms": [{"purpose": "endpoint", "endpoint": other.pk}]}
    check_before_locking(planned, owner)
    Endpoint.objects.filter(pk=other.pk).update(is_open=False)
    with pytest.raises(ProtocolError, match="“other endpoint”: you may not use"):
        check_before_locking(planned, owner)
    other.users.add(owner)
    check_before_locking(planned, owner)


def test_a_day_that_has_passed_is_not_locked(draft: CaseTest, owner: User) -> None:
    entry = {"purpose": "day", "begins": format_time(timezone.now() - timedelta(minutes=1))}
    with pytest.raises(ProtocolError, match="“day 2”: its time has passed"):
        check_before_locking({**draft.experiment.draft, "arms": [entry]}, owner)


def test_a_new_test_copies_the_arms_but_no_time_that_is_over(draft: CaseTest) -> None:
    now = timezone.now()
    past, future = (format_time(now + timedelta(days=days)) for days in (-1, 1))
    arms = [
        {"key": key, "purpose": "day", "begins": b}
        for key, b in zip("abc", (past, future, BY_HAND), strict=True)
    ]
    seen = experiments.draft_sha256(draft.experiment.draft)
    assert experiments.save_draft(draft, {**draft.experiment.draft, "arms": arms}, seen_sha256=seen)
    copied = experiments.begin_draft(draft.case, Endpoint.objects.get())
    assert [arm["begins"] for arm in copied["arms"]] == ["", future, BY_HAND]
    assert [arm["key"] for arm in copied["arms"]] == ["a", "b", "c"]


def test_one_number_of_runs_holds_for_all_paraphrases() -> None:
    draft: dict[str, Any] = {"arms": []}
    for key, runs in (("a", 20), ("b", 30)):
        draft = put_entry(draft, {"key": key, "purpose": "paraphrase", "prompt": key, "runs": runs})
    draft = put_entry(draft, {"key": "c", "purpose": "control", "runs": 5})
    assert [entry["runs"] for entry in draft["arms"]] == [30, 30, 5]
    assert find_entry(drop_entry(draft, "a"), "a") is None
    assert len(drop_entry(draft, "a")["arms"]) == 2


PROPOSED = {"written_by": "", "proposed_by": "big (m)", "approved_by": "owner", "is_edited": False}


@pytest.mark.parametrize(
    ("before", "prompt", "origin"),
    [
        ({}, "A?", {"written_by": "anna", "proposed_by": "", "approved_by": "", "is_edited": False}),
        ({}, None, None),
        ({"prompt": "A?", "origin": PROPOSED}, "A?", PROPOSED),
        ({"prompt": "A?", "origin": PROPOSED}, "B?", {**PROPOSED, "approved_by": "anna", "is_edited": True}),
        (
            {"prompt": "A?", "origin": {**PROPOSED, "written_by": "bob", "proposed_by": ""}},
            "B?",
            {"written_by": "bob, anna", "proposed_by": "", "approved_by": "", "is_edited": False},
        ),
    ],
)
def test_an_entry_names_whoever_wrote_or_approved_its_text(
    before: dict[str, Any], prompt: str | None, origin: dict[str, Any] | None
) -> None:
    signed = sign_entry({**before, "prompt": prompt}, before, "anna")
    assert signed["origin"] == origin
