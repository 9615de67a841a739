from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casebook import experiments
from casebook.forms.protocol import initial_values
from casebook.models import Case, CaseTest
from ensemble.exploring import run_batch
from ensemble.models import Endpoint, Experiment
from ensemble.slots import LEASE, lease_slots
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal
from tests.ensemble.experiments import DETECTOR, add_scripted_endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(case: Case) -> CaseTest:
    return add_draft_test(case)


def url(name: str, test: CaseTest) -> str:
    return reverse(f"casebook:{name}", args=[test.case.public_id, test.number])


def press(client: Client, test: CaseTest, action: str, **changes: Any) -> Any:
    """Post what the browser would when nothing but `changes` was edited."""
    test.experiment.refresh_from_db()
    values = {**initial_values(test.experiment.draft), "count": "3", "answers": "", "action": action}
    posted = {name: value for name, value in values.items() if value is not None and value is not False}
    return client.post(url("test-edit", test), {**posted, **changes})


def try_out(client: Client, test: CaseTest, **changes: Any) -> None:
    assert press(client, test, "try", **changes).status_code == 302
    run_batch(test.experiment.batches.latest("pk"), "worker")


def read_page(client: Client, test: CaseTest) -> str:
    return str(client.get(url("test-edit", test)).content.decode())


def add_test_answering(case: Case, text: str, *faults: str) -> CaseTest:
    """A draft whose endpoint always says `text`, or has the faults of these kinds at every call."""
    shares = [{"share": "1", "kind": kind} for kind in faults]
    return add_draft_test(case, distribution=[{"text": text, "share": "1"}], faults=shares)


def test_tries_that_all_got_a_label_raise_no_warning(as_owner: Client, draft: CaseTest) -> None:
    assert "was not tried yet" in read_page(as_owner, draft)
    try_out(as_owner, draft)
    page = as_owner.get(url("test-edit", draft))
    advice = page.context["advice"]
    assert (advice.tries, advice.unlabelled, advice.is_warning) == (3, 0, False)
    assert "cb-notice-warning" not in page.content.decode().partition('id="lock-advice"')[2]


def test_unclear_tries_are_warned_of_beside_the_lock_until_the_detector_knows_them(
    as_owner: Client, case: Case
) -> None:
    test = add_test_answering(case, "It depends on the fare.")
    try_out(as_owner, test)
    warning = "None of the latest exploratory runs got a label"
    assert warning in read_page(as_owner, test)
    assert "labelled “unclear”: 3" in read_page(as_owner, test)
    press(as_owner, test, "save", correct_phrases="right\ndepends")
    assert warning not in read_page(as_owner, test)


def test_failed_tries_quote_the_endpoint(as_owner: Client, case: Case) -> None:
    test = add_test_answering(case, "right", "permanent")
    try_out(as_owner, test)
    advice = as_owner.get(url("test-edit", test)).context["advice"]
    assert (advice.failed, advice.unlabelled) == (3, 3)
    assert "script" in advice.error
    assert advice.error in read_page(as_owner, test).partition('id="lock-advice"')[2]


def test_cut_off_tries_name_the_longest_answer(as_owner: Client, case: Case) -> None:
    test = add_test_answering(case, "It depends on the fare and on the day.", "length")
    try_out(as_owner, test, max_tokens="4")
    assert "now 4" in read_page(as_owner, test)
    advice = as_owner.get(url("test-edit", test)).context["advice"]
    assert (advice.cut_off, advice.unclear, advice.all_cut_off) == (3, 0, True)


def test_cut_off_tries_that_were_labelled_all_the_same_are_a_caution(as_owner: Client, case: Case) -> None:
    test = add_test_answering(case, "That is wrong, whatever may follow after it in the rest.", "length")
    try_out(as_owner, test)
    assert "Every answer was cut off" in read_page(as_owner, test)


def test_a_warning_never_forbids_to_lock(as_owner: Client, case: Case) -> None:
    test = add_test_answering(case, "It depends on the fare.")
    try_out(as_owner, test)
    press(as_owner, test, "lock")
    assert not Experiment.objects.get(pk=test.experiment_id).is_draft


@pytest.mark.parametrize(
    ("field", "value", "outdates"),
    [
        ("temperature", "0.3", True),
        ("refusal_phrases", "Never", True),
        ("runs", "77", False),
        ("error_phrases", "wrong\nfalse", False),
        ("temperatures", "1.2", False),
    ],
)
def test_tries_made_with_another_draft_are_told_apart(
    as_owner: Client, draft: CaseTest, field: str, value: str, outdates: bool
) -> None:
    try_out(as_owner, draft)
    press(as_owner, draft, "save", **{field: value})
    assert as_owner.get(url("test-edit", draft)).context["advice"].is_outdated is outdates
    assert ("not tried as it is now" in read_page(as_owner, draft)) is outdates


def test_the_advice_and_the_time_arrive_with_the_last_poll(as_owner: Client, draft: CaseTest) -> None:
    press(as_owner, draft, "try")
    poll = as_owner.get(url("test-tryouts", draft)).content.decode()
    assert "hx-swap-oob" not in poll
    run_batch(draft.experiment.batches.get(), "worker")
    poll = as_owner.get(url("test-tryouts", draft)).content.decode()
    assert poll.count("hx-swap-oob") == 2
    assert "judging by 3 exploratory runs of this draft" in poll


def test_the_time_is_told_from_own_tries_then_from_the_endpoint_and_model(
    as_owner: Client, draft: CaseTest, case: Case
) -> None:
    assert "is not known" in read_page(as_owner, draft)
    run_to_seal(draft)
    endpoint = Endpoint.objects.get()
    later = experiments.add_test(case, operator="owner", endpoint=endpoint)
    assert "judging by earlier tests of this case" in read_page(as_owner, later)
    try_out(as_owner, later)
    assert "judging by 3 exploratory runs" in read_page(as_owner, later)
    Endpoint.objects.update(model="another")
    assert "is not known" in read_page(as_owner, later)


def test_another_test_begins_from_the_latest_and_says_so(as_owner: Client, draft: CaseTest) -> None:
    press(as_owner, draft, "save", title="first", runs="33", temperature="0.25")
    run_to_seal(CaseTest.objects.get(pk=draft.pk))
    as_owner.post(reverse("casebook:test-add", args=[draft.case.public_id]))
    second = draft.case.tests.get(number=2)
    known = {
        name: value for name, value in second.experiment.draft.items() if name not in ("title", "begun_from")
    }
    earlier = Experiment.objects.get(pk=draft.experiment_id).draft
    assert known == {name: value for name, value in earlier.items() if name != "title"}
    assert (second.experiment.title, second.own_name) == ("", "")
    assert "began as a copy of test 1" in read_page(as_owner, second)
    press(as_owner, second, "save", runs="12")
    assert "began as a copy of test 1" in read_page(as_owner, second)


def test_another_test_does_not_begin_on_an_endpoint_that_is_switched_off(
    as_owner: Client, draft: CaseTest
) -> None:
    other = add_scripted_endpoint("other")
    Endpoint.objects.exclude(pk=other.pk).update(is_enabled=False)
    as_owner.post(reverse("casebook:test-add", args=[draft.case.public_id]))
    assert draft.case.tests.get(number=2).experiment.draft["endpoint"] == other.pk


def test_the_name_of_a_test_stands_in_lists_on_pages_and_is_frozen_with_the_lock(
    as_owner: Client, draft: CaseTest
) -> None:
    press(as_owner, draft, "save", title="temperature 0, <b>short</b>")
    run_to_seal(CaseTest.objects.get(pk=draft.pk))
    press(as_owner, draft, "save", title="something else")
    test = CaseTest.objects.get(pk=draft.pk)
    assert test.name == "Test 1: temperature 0, <b>short</b>"
    shown = "temperature 0, &lt;b&gt;short&lt;/b&gt;"
    for page in (test.case.get_absolute_url(), url("test-detail", test)):
        assert shown in as_owner.get(page).content.decode()


def test_a_test_without_a_name_is_called_by_its_number_in_the_readers_language(
    as_owner: Client, draft: CaseTest
) -> None:
    press(as_owner, draft, "save", title="")
    assert ">Test 1</bdi>" in as_owner.get(draft.case.get_absolute_url()).content.decode()
    as_owner.cookies["django_language"] = "ru"
    assert ">Испытание №\xa01</bdi>" in as_owner.get(draft.case.get_absolute_url()).content.decode()


def test_sample_answers_and_the_number_of_tries_are_kept(as_owner: Client, draft: CaseTest) -> None:
    press(as_owner, draft, "try", answers="that is wrong\nhm", count="7")
    page = as_owner.get(url("test-edit", draft))
    assert page.context["tryout_form"]["count"].value() == 7
    assert "that is wrong\nhm</textarea>" in page.content.decode()
    assert [finding.label for _, finding in page.context["findings"]] == ["error", "unclear"]


def test_a_bad_number_of_tries_hinders_trying_and_nothing_else(as_owner: Client, draft: CaseTest) -> None:
    assert press(as_owner, draft, "try", count="21").status_code == 200
    assert not draft.experiment.batches.exists()
    assert press(as_owner, draft, "save", count="21", runs="31").status_code == 302
    draft.experiment.refresh_from_db()
    assert draft.experiment.draft["stopping"]["runs"] == 31


def test_a_form_that_was_refused_by_the_engine_can_be_edited_and_sent_again(
    as_owner: Client, draft: CaseTest
) -> None:
    press(as_owner, draft, "try")
    refused = press(as_owner, draft, "lock", runs="40")  # exploratory runs are still being made
    assert refused.status_code == 200
    seen = refused.context["form"]["seen_sha256"].value()
    again = press(as_owner, draft, "save", runs="41", seen_sha256=seen)
    assert again.status_code == 302


def test_deleting_asks_first_and_a_tried_draft_says_why_it_stays(as_owner: Client, draft: CaseTest) -> None:
    assert url("test-delete", draft) in read_page(as_owner, draft)
    assert "Delete this draft?" in as_owner.get(url("test-delete", draft)).content.decode()
    assert CaseTest.objects.filter(pk=draft.pk).exists()
    try_out(as_owner, draft)
    assert url("test-delete", draft) not in read_page(as_owner, draft)
    assert "stays on record" in as_owner.get(url("test-delete", draft)).content.decode()
    as_owner.post(url("test-delete", draft))
    assert CaseTest.objects.filter(pk=draft.pk).exists()


def test_an_endpoint_whose_check_failed_is_marked_and_warned_of(as_owner: Client, draft: CaseTest) -> None:
    assert "cb-unwell" not in read_page(as_owner, draft)
    Endpoint.objects.update(check_state="failed", check_message="No answer within 10 seconds.")
    page = read_page(as_owner, draft)
    assert "script (last check failed)</option>" in page
    assert 'class="cb-unwell"' in page
    assert "No answer within 10 seconds." in page
    assert press(as_owner, draft, "save").status_code == 302


RUSSIAN = "User: Можно ли вернуть деньги после поездки?\nAssistant: Да, можно."


def test_a_russian_prompt_on_the_embedded_model_is_warned_of_beside_the_prompt_and_the_lock(
    as_owner: Client, owner: User
) -> None:
    test = add_draft_test(add_case(owner, conversation=RUSSIAN, disputed_answer="Да, можно."))
    warning = "does not understand Russian"
    assert warning not in read_page(as_owner, test)
    Endpoint.objects.update(backend=Endpoint.Kind.EMBEDDED)
    before, _, beside_the_lock = read_page(as_owner, test).partition('id="lock-advice"')
    assert warning in before
    assert warning in beside_the_lock


def test_the_last_poll_keeps_the_warning_beside_the_lock(as_owner: Client, owner: User) -> None:
    test = add_draft_test(add_case(owner, conversation=RUSSIAN, disputed_answer="Да, можно."))
    try_out(as_owner, test)
    Endpoint.objects.update(backend=Endpoint.Kind.EMBEDDED)
    poll = as_owner.get(url("test-tryouts", test)).content.decode()
    assert "does not understand Russian" in poll.partition('id="lock-advice"')[2]


def test_the_page_says_that_no_error_means_not_this_error(as_owner: Client, draft: CaseTest) -> None:
    assert "“No error” means: not this error." in read_page(as_owner, draft)


TEXT = {"detector": "text", "error_phrases": "wrong"}
NUMBER = {"detector": "number", "truth": "495"}


@pytest.mark.parametrize(
    ("chosen", "hidden"),
    [
        ({"stopping": "fixed"}, {"threshold": "a tenth", "most_runs": "3", "design": "0.5 0.5"}),
        ({"stopping": "precision"}, {"runs": "many", "threshold": "0"}),
        ({"stopping": "anytime"}, {"runs": "0", "design": "narrow"}),
        (TEXT, {"truth": "x", "disputed": "1.2.3", "tolerance": "-1", "tolerance_kind": "?", "pick": "any"}),
        (TEXT, {"rule": "sums", "decimal_mark": "dot", "unit": "m" * 41}),
        (NUMBER, {"match": "like", "otherwise": "perhaps", "error_phrases": "phrase\n" * 51}),
        (NUMBER, {"correct_phrases": "phrase\n" * 51}),
    ],
)
def test_what_stands_in_the_fields_of_another_choice_never_blocks_saving(
    as_owner: Client, draft: CaseTest, chosen: dict[str, str], hidden: dict[str, str]
) -> None:
    assert press(as_owner, draft, "save", **chosen, **hidden).status_code == 302
    draft.experiment.refresh_from_db()
    saved = draft.experiment.draft
    for choice in ("detector", "stopping"):
        assert saved[choice]["kind"] == chosen.get(choice, saved[choice]["kind"])
    assert not set(hidden) & set(saved["stopping"])


@pytest.mark.parametrize(("entered", "half_width"), [("5", "0.05"), ("2,5", ""), ("2.5", "0.025"), ("", "")])
def test_an_anytime_test_may_end_when_its_interval_is_narrow_enough(
    as_owner: Client, draft: CaseTest, entered: str, half_width: str
) -> None:
    response = press(as_owner, draft, "save", stopping="anytime", most_runs="400", narrow_enough=entered)
    draft.experiment.refresh_from_db()
    if response.status_code == 200:  # a decimal comma, where the language has a point
        assert "narrow_enough" in response.context["form"].errors
        return
    assert draft.experiment.draft["stopping"]["half_width"] == half_width
    rule = experiments.build_protocol(draft.case, draft.experiment.draft).stopping
    assert (rule.max_runs, rule.half_width) == (400, Decimal(half_width or 0))


@pytest.mark.parametrize(
    ("chosen", "mistaken"),
    [
        ({"stopping": "anytime"}, {"threshold": "a tenth"}),
        ({"stopping": "anytime"}, {"narrow_enough": "0.1"}),
        ({"stopping": "fixed"}, {"runs": "many"}),
        ({"detector": "number"}, {"truth": "x"}),
        ({"detector": "text"}, {"error_phrases": "phrase\n" * 51}),
        ({"stopping": "at will"}, {}),
    ],
)
def test_a_mistake_in_the_fields_of_the_choice_that_was_made_is_shown(
    as_owner: Client, draft: CaseTest, chosen: dict[str, str], mistaken: dict[str, str]
) -> None:
    response = press(as_owner, draft, "save", **chosen, **mistaken)
    assert list(response.context["form"].errors) == list(mistaken or chosen)


def estimate(client: Client, test: CaseTest, **changes: Any) -> Any:
    """Post the form to the estimate, as htmx does when a field changes."""
    values = {**initial_values(test.experiment.draft), **changes}
    return client.post(
        url("test-effort", test), {name: value for name, value in values.items() if value is not None}
    )


def test_the_page_says_that_its_estimate_is_of_the_saved_draft_and_asks_for_a_new_one_at_a_change(
    as_owner: Client, draft: CaseTest
) -> None:
    page = read_page(as_owner, draft)
    assert "For the saved draft:</strong> 1 arm, at most 12 labelled runs." in page
    assert "Save the draft to have what you have changed estimated.</p></noscript>" in page
    assert f'hx-post="{url("test-effort", draft)}"' in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"runs": "77"}, "As entered above:</strong> 1 arm, at most 77 labelled runs."),
        ({"runs": "77", "question": ""}, "As entered above:</strong> 1 arm, at most 77 labelled runs."),
        ({"temperatures": "0; 1.2"}, "As entered above:</strong> 3 arms, at most 12 labelled runs each."),
        (
            {"stopping": "anytime", "most_runs": "900"},
            "As entered above:</strong> 1 arm, at most 900 labelled",
        ),
        (
            {"stopping": "precision", "threshold": "?"},
            "As entered above:</strong> 1 arm, at most 115 labelled",
        ),
        ({"runs": "many"}, "For the saved draft:</strong> 1 arm, at most 12 labelled runs."),
        ({"runs": ""}, "For the saved draft:</strong> 1 arm, at most 12 labelled runs."),
        ({"temperatures": "hot"}, "For the saved draft:</strong> 1 arm, at most 12 labelled runs."),
    ],
)
def test_a_change_is_estimated_before_it_is_saved(
    as_owner: Client, draft: CaseTest, changes: dict[str, str], said: str
) -> None:
    fragment = estimate(as_owner, draft, **changes).content.decode()
    assert said in fragment
    assert ("contains a mistake" in fragment) is said.startswith("For the saved")
    assert ("<svg" in fragment) is (changes.get("stopping") == "precision")
    before = draft.experiment.draft
    draft.experiment.refresh_from_db()
    assert draft.experiment.draft == before


def test_only_the_team_estimates_and_a_locked_protocol_is_left_as_it_is(
    as_owner: Client, as_stranger: Client, draft: CaseTest
) -> None:
    assert estimate(as_stranger, draft).status_code == 404
    assert as_owner.get(url("test-effort", draft)).status_code == 405
    run_to_seal(draft)
    assert estimate(as_owner, draft, runs="99").status_code == 204


def test_tries_that_wait_say_so_until_their_calls_are_made(as_owner: Client, draft: CaseTest) -> None:
    waits = "3 exploratory runs wait until the endpoint is free."
    press(as_owner, draft, "try")
    assert waits in read_page(as_owner, draft)
    batch = draft.experiment.batches.get()
    held = {"state": "running", "owner": "worker", "leased_until": timezone.now() + LEASE}
    draft.experiment.batches.update(**held)
    assert waits in read_page(as_owner, draft)
    lease_slots(Endpoint.objects.get(), "worker", 1)
    page = read_page(as_owner, draft)
    assert waits not in page
    assert "3 exploratory runs are being made" in page
    assert batch.count == 3


def test_locking_promises_no_more_than_a_place_in_the_queue(as_owner: Client, draft: CaseTest) -> None:
    press(as_owner, draft, "lock")
    assert "as soon as the endpoint is free" in as_owner.get(draft.get_absolute_url()).content.decode()


@pytest.mark.parametrize(("words", "agrees"), [(["Wrong."], True), (["right"], False)])
def test_a_control_whose_true_answer_is_the_words_of_the_error_is_told(
    as_owner: Client, draft: CaseTest, words: list[str], agrees: bool
) -> None:
    detector = {**DETECTOR, "error_phrases": [], "correct_phrases": words, "otherwise": "error"}
    control = {"key": "0a0a0a0a", "purpose": "control", "name": "", "prompt": "Is it so?", "runs": 20}
    changed = {**draft.experiment.draft, "arms": [{**control, "detector": detector}]}
    seen = experiments.draft_sha256(draft.experiment.draft)
    assert experiments.save_draft(draft, changed, seen_sha256=seen)
    assert ("error’s own words" in read_page(as_owner, draft)) is agrees


@pytest.mark.parametrize(("field", "value"), [("temperatures", "0,4"), ("temperature", "0,3")])
def test_a_decimal_comma_is_told_to_be_a_point_in_english(
    as_owner: Client, draft: CaseTest, field: str, value: str
) -> None:
    page = press(as_owner, draft, "save", **{field: value})
    assert page.context["form"].errors[field] == ["Use a point as the decimal sign, not a comma: 0.3."]
    as_owner.cookies["django_language"] = "ru"
    assert press(as_owner, draft, "save", **{field: value}).status_code == 302
