"""The pages of the further arms of a draft: the list in the editor, a form for each kind, who may use them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from casebook import experiments
from casebook.arm_purposes import PURPOSES
from casebook.arms import OFFERED
from casebook.forms.protocol import initial_values
from casebook.models import Case, CaseTest
from ensemble.errors import ProtocolError
from ensemble.ledger import format_time
from ensemble.models import Endpoint, Experiment
from ensemble.protocol import BY_HAND
from tests.casebook.cases_for_tests import add_case, add_draft_test
from tests.casebook.views.conftest import log_in
from tests.ensemble.experiments import DETECTOR, add_scripted_endpoint

pytestmark = pytest.mark.django_db

PROMPT = "Did Ann Lee take the refund?"
VALID: dict[str, dict[str, Any]] = {
    "ordinary use": {"name": "", "system": "Be brief.", "prompt": "Who took the refund?", "endpoint": ""},
    "before notice": {"name": "", "system": "Be kind.", "prompt": PROMPT, "endpoint": ""},
    "after notice": {"name": "", "system": "Check facts.", "prompt": PROMPT, "endpoint": ""},
    "disclaimer": {"name": "", "system": "Be brief.\n\nMay be wrong.", "endpoint": ""},
    "irrelevant name": {"name": "", "old": "Ann Lee", "new": "Eve Ray"},
    "control": {
        "name": "",
        "prompt": "What is the capital of France?",
        "truth_kind": "words",
        "words": "Paris",
        "truth": "",
        "tolerance": "0",
        "pick": "last",
        "runs": "20",
        "answers": "",
    },
    "paraphrase": {"prompt": "Was it Ann Lee who took the refund?", "runs": "25"},
    "day": {"start": "at", "at": "", "zone": "America/Vancouver", "runs": "30"},
}


@pytest.fixture
def draft(owner: User, teammate: User) -> CaseTest:
    case = add_case(
        owner,
        teammate,
        conversation=f"User: {PROMPT}\nAssistant: Yes, that is wrong.",
        system_prompt="Be brief.",
        disclaimer="May be wrong.",
        time_zone="America/Vancouver",
    )
    return add_draft_test(case)


def url(name: str, test: CaseTest, *more: Any) -> str:
    return reverse(f"casebook:{name}", args=[test.case.public_id, test.number, *more])


def add_url(test: CaseTest, purpose: str) -> str:
    return f"{url('arm-add', test)}?{urlencode({'purpose': purpose})}"


def entries(test: CaseTest) -> list[dict[str, Any]]:
    return list(Experiment.objects.get(pk=test.experiment_id).draft.get("arms", []))


def seen(test: CaseTest) -> str:
    return experiments.draft_sha256(Experiment.objects.get(pk=test.experiment_id).draft)


def fill(test: CaseTest, purpose: str, **changes: Any) -> dict[str, Any]:
    values = {"seen_sha256": seen(test), "key": "0a0a0a0a", "action": "save", **VALID.get(purpose, {})}
    if purpose == "day":
        values["at"] = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    return {**values, **changes}


def save(client: Client, test: CaseTest, purpose: str, **changes: Any) -> Any:
    return client.post(add_url(test, purpose), fill(test, purpose, **changes))


def read(client: Client, address: str) -> str:
    return str(client.get(address).content.decode())


@pytest.mark.parametrize("purpose", [purpose.value for purpose in OFFERED])
def test_each_kind_has_a_page_that_says_what_it_is_for_and_what_it_answers(
    as_owner: Client, draft: CaseTest, purpose: str
) -> None:
    page, words = read(as_owner, add_url(draft, purpose)), PURPOSES[next(p for p in OFFERED if p == purpose)]
    for text in (words.title, words.use, words.objection):
        assert escape(str(text)) in page
    editor = read(as_owner, url("test-edit", draft))
    assert f'value="add-arm {purpose}"' in editor
    assert escape(str(words.objection)) in editor


@pytest.mark.parametrize("purpose", list(VALID))
def test_a_valid_form_becomes_an_arm_that_can_be_locked(
    as_owner: Client, draft: CaseTest, purpose: str
) -> None:
    response = save(as_owner, draft, purpose)
    assert response.status_code == 302, response.context["form"].errors
    assert [entry["purpose"] for entry in entries(draft)] == [purpose]
    draft.experiment.refresh_from_db()
    protocol = experiments.build_protocol(draft.case, draft.experiment.draft)
    assert protocol.arms[1].purpose == purpose
    assert as_owner.get(response.url).status_code == 200
    assert as_owner.get(url("test-edit", draft)).context["arm_lines"][1].problem == ""


def test_texts_are_filled_in_word_for_word_and_stay_as_recorded_where_nobody_changes_them(
    as_owner: Client, draft: CaseTest
) -> None:
    form = as_owner.get(add_url(draft, "ordinary use")).context["form"]
    assert (form.initial["system"], form.initial["prompt"]) == ("Be brief.", PROMPT)
    save(as_owner, draft, "ordinary use")
    entry = entries(draft)[0]
    assert (entry["system"], entry["prompt"]) == (None, "Who took the refund?")
    assert entry["origin"]["written_by"] == "owner"


def test_the_disclaimer_of_the_incident_is_put_beneath_the_system_prompt(
    as_owner: Client, draft: CaseTest
) -> None:
    form = as_owner.get(add_url(draft, "disclaimer")).context["form"]
    assert form.initial["system"] == "Be brief.\n\nMay be wrong."
    draft.case.incidents.update(disclaimer="")
    assert "records no disclaimer" in read(as_owner, add_url(draft, "disclaimer"))


@pytest.mark.parametrize(
    ("purpose", "changes", "told"),
    [
        ("ordinary use", {"prompt": ""}, ("prompt", "required")),
        ("ordinary use", {"prompt": PROMPT}, ("__all__", "asks the same of the same model")),
        ("ordinary use", {"prompt": "x" * 100_001}, ("prompt", "at most 100000")),
        ("ordinary use", {"prompt": "a\0b"}, ("prompt", "cannot be stored")),
        ("ordinary use", {"endpoint": "99999"}, ("endpoint", "valid choice")),
        ("ordinary use", {"name": "x" * 41}, ("name", "at most 40")),
        ("ordinary use", {"key": "../../etc"}, ("key", "valid value")),
        ("disclaimer", {"system": "Be brief."}, ("__all__", "asks the same of the same model")),
        ("irrelevant name", {"old": ""}, ("old", "required")),
        ("irrelevant name", {"new": "Eve\nRay"}, ("new", "as many replacements")),
        ("irrelevant name", {"old": "Ann\nAnn", "new": "Eve\nRay"}, ("old", "twice")),
        ("irrelevant name", {"old": "Nobody"}, ("old", "none of these names")),
        ("irrelevant name", {"old": "ann lee"}, ("old", "none of these names")),
        ("control", {"prompt": ""}, ("prompt", "required")),
        ("control", {"words": ""}, ("words", "Enter the true answer")),
        ("control", {"truth_kind": "number"}, ("truth", "Enter the true number")),
        ("control", {"truth_kind": "number", "truth": "many"}, ("truth", "number")),
        ("control", {"runs": "0"}, ("runs", "greater than or equal to 1")),
        ("control", {"runs": "10001"}, ("runs", "less than or equal to 10000")),
        ("paraphrase", {"prompt": PROMPT}, ("prompt", "the disputed prompt itself")),
        ("paraphrase", {"prompt": f" {PROMPT}\r\n"}, ("prompt", "the disputed prompt itself")),
        ("paraphrase", {"runs": ""}, ("runs", "required")),
        ("day", {"at": ""}, ("at", "Enter the date and time")),
        ("day", {"at": "soon"}, ("at", "valid date/time")),
        ("day", {"at": f"{datetime.now(UTC).year - 1}-01-01T10:00"}, ("at", "has passed")),
        ("day", {"at": "2020-01-01T10:00"}, ("at", "has passed")),
        ("day", {"at": "0001-01-01T00:00", "zone": "Europe/Moscow"}, ("at", "has passed")),
        ("day", {"at": "9999-12-31T23:59"}, ("at", "within a year")),
        ("day", {"at": "2999-01-01T10:00"}, ("at", "within a year")),
        ("day", {"zone": "Atlantis"}, ("zone", "no time zone with this name")),
        ("day", {"start": "whenever"}, ("start", "valid choice")),
    ],
)
def test_one_mistake_is_told_beside_its_field_and_saves_nothing(
    as_owner: Client, draft: CaseTest, purpose: str, changes: dict[str, str], told: tuple[str, str]
) -> None:
    field, message = told
    response = save(as_owner, draft, purpose, **changes)
    assert response.status_code == 200
    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert message in " ".join(errors[field])
    assert entries(draft) == []


def test_a_time_that_the_clocks_leave_out_is_refused(as_owner: Client, draft: CaseTest) -> None:
    year = timezone.now().year + (timezone.now().month > 3)
    second_sunday = next(day for day in range(8, 15) if datetime(year, 3, day).weekday() == 6)
    response = save(as_owner, draft, "day", at=f"{year}-03-{second_sunday:02}T02:30")
    assert "does not exist" in " ".join(response.context["form"].errors["at"])


def test_a_day_is_kept_in_utc_and_shown_in_its_zone(as_owner: Client, draft: CaseTest) -> None:
    year = timezone.now().year + 1
    at = f"{year}-01-05T09:00" if timezone.now() > datetime(year - 1, 1, 6, tzinfo=UTC) else ""
    response = save(as_owner, draft, "day", at=at)
    entry = entries(draft)[0]
    assert (entry["begins"], entry["zone"]) == (f"{year}-01-05T17:00:00.000Z", "America/Vancouver")
    assert f'value="{at}"' in read(as_owner, response.url)


def test_a_day_started_by_hand_needs_no_time(as_owner: Client, draft: CaseTest) -> None:
    assert save(as_owner, draft, "day", start=BY_HAND, at="rubbish", zone="Atlantis").status_code == 302
    assert (entries(draft)[0]["begins"], entries(draft)[0]["zone"]) == (BY_HAND, "")


def test_a_control_with_a_number_compares_numbers(as_owner: Client, draft: CaseTest) -> None:
    values = {"truth_kind": "number", "words": "", "truth": "1234.5", "tolerance": "0.5"}
    assert save(as_owner, draft, "control", **values).status_code == 302
    detector = entries(draft)[0]["detector"]
    assert (detector["kind"], detector["truth"], detector["tolerance"]) == ("number", "1234.5", "0.5")


def test_a_detector_is_tried_on_sample_answers_and_nothing_is_saved(
    as_owner: Client, draft: CaseTest
) -> None:
    values = fill(draft, "control", action="detect", answers="It is Paris.\nLyon\nI can't help with that.")
    response = as_owner.post(add_url(draft, "control"), values)
    labels = [finding.label for _, finding in response.context["findings"]]
    assert labels == [
        "no error",
        "error",
        "error",
    ]  # as in a run: whoever refuses does not give the known answer
    assert "labels a refusal as it labels any other answer" in response.content.decode()
    assert entries(draft) == []


def test_a_name_replaced_in_the_detector_is_shown(as_owner: Client, draft: CaseTest) -> None:
    changed = {**draft.experiment.draft, "detector": {**DETECTOR, "error_phrases": ["Ann Lee took it"]}}
    assert experiments.save_draft(draft, changed, seen_sha256=seen(draft))
    page = read(as_owner, save(as_owner, draft, "irrelevant name").url)
    assert "Eve Ray took it" in page
    assert "<del>Ann Lee</del><ins>Eve Ray</ins>" in page
    assert "No phrase of the detector" not in page


def test_a_name_that_the_detector_does_not_hold_is_pointed_out(as_owner: Client, draft: CaseTest) -> None:
    assert "No phrase of the detector" in read(as_owner, save(as_owner, draft, "irrelevant name").url)


def test_the_changed_words_are_marked(as_owner: Client, draft: CaseTest) -> None:
    page = read(as_owner, save(as_owner, draft, "paraphrase", prompt="Did Ann Lee steal it?").url)
    assert "<del>take the refund</del><ins>steal it</ins>" in page


def test_hostile_texts_are_escaped_wherever_they_stand(as_owner: Client, draft: CaseTest) -> None:
    hostile = '<script>alert("x")</script>\u202e'
    response = save(as_owner, draft, "ordinary use", prompt=hostile, name=hostile)
    for address in (response.url, url("test-edit", draft)):
        page = read(as_owner, address)
        assert "<script>alert" not in page
        assert "U+202E" in page


def test_a_second_click_saves_the_same_arm_once(as_owner: Client, draft: CaseTest) -> None:
    values = fill(draft, "paraphrase")
    for _ in range(2):
        assert as_owner.post(add_url(draft, "paraphrase"), values).status_code == 302
    assert len(entries(draft)) == 1


def test_another_paraphrase_is_added_from_the_page_of_one(as_owner: Client, draft: CaseTest) -> None:
    assert 'value="save-another"' in read(as_owner, add_url(draft, "paraphrase"))
    assert 'value="save-another"' not in read(as_owner, add_url(draft, "control"))
    response = save(as_owner, draft, "paraphrase", action="save-another")
    assert response.url == add_url(draft, "paraphrase")
    form = as_owner.get(response.url).context["form"]
    assert form.initial["key"] != entries(draft)[0]["key"]
    assert form.initial["runs"] == 25


def test_a_stale_form_is_told_and_saved_at_the_second_try(
    as_owner: Client, as_teammate: Client, draft: CaseTest
) -> None:
    values = fill(draft, "paraphrase")
    save(as_teammate, draft, "control", key="0b0b0b0b")
    response = as_owner.post(add_url(draft, "paraphrase"), values)
    assert "changed in the meantime" in response.content.decode()
    assert len(entries(draft)) == 1
    again = {**values, "seen_sha256": response.context["form"]["seen_sha256"].value()}
    assert as_owner.post(add_url(draft, "paraphrase"), again).status_code == 302
    assert [entry["purpose"] for entry in entries(draft)] == ["control", "paraphrase"]


def test_an_arm_is_changed_under_its_key_and_names_both_writers(
    as_owner: Client, as_teammate: Client, draft: CaseTest
) -> None:
    address = save(as_owner, draft, "paraphrase").url
    values = fill(draft, "paraphrase", prompt="Was the refund taken by Ann Lee?")
    assert as_teammate.post(address, values).status_code == 302
    entry = entries(draft)[0]
    assert (len(entries(draft)), entry["prompt"]) == (1, "Was the refund taken by Ann Lee?")
    assert entry["origin"]["written_by"] == "owner, teammate"


def test_an_arm_is_removed_by_post_with_the_draft_as_it_was_seen(as_owner: Client, draft: CaseTest) -> None:
    save(as_owner, draft, "paraphrase")
    address = url("arm-remove", draft, "0a0a0a0a")
    assert as_owner.get(address).status_code == 405
    as_owner.post(address, {"seen_sha256": "0" * 64})
    assert len(entries(draft)) == 1
    response = as_owner.post(address, {"seen_sha256": seen(draft)})
    assert response.url == f"{url('test-edit', draft)}#arms"
    assert entries(draft) == []
    assert as_owner.post(address, {"seen_sha256": seen(draft)}).status_code == 302


def press(client: Client, test: CaseTest, action: str, **changes: Any) -> Any:
    """Press a button of the editor."""
    test.experiment.refresh_from_db()
    values = {**initial_values(test.experiment.draft), "count": "3", "answers": "", "action": action}
    posted = {name: value for name, value in values.items() if value is not None and value is not False}
    return client.post(url("test-edit", test), {**posted, **changes})


def test_the_buttons_of_the_list_save_the_editor_first(as_owner: Client, draft: CaseTest) -> None:
    response = press(as_owner, draft, "add-arm ordinary use", question="Changed?")
    assert response.url == add_url(draft, "ordinary use")
    assert Experiment.objects.get(pk=draft.experiment_id).draft["question"] == "Changed?"
    save(as_owner, draft, "paraphrase")
    assert press(as_owner, draft, "edit-arm 0a0a0a0a").url == url("arm-edit", draft, "0a0a0a0a")
    assert press(as_owner, draft, "propose-arms").url == url("proposal-list", draft)
    assert press(as_owner, draft, "remove-arm 0a0a0a0a").url == f"{url('test-edit', draft)}#arms"
    assert entries(draft) == []


def test_saving_the_editor_keeps_the_arms(as_owner: Client, draft: CaseTest) -> None:
    save(as_owner, draft, "paraphrase")
    press(as_owner, draft, "save", question="Changed?")
    assert len(entries(draft)) == 1


def test_the_list_names_every_arm_with_its_endpoint_runs_beginning_and_author(
    as_owner: Client, draft: CaseTest
) -> None:
    press(as_owner, draft, "save", temperatures="0.2")
    save(as_owner, draft, "paraphrase")
    save(as_owner, draft, "day", key="0b0b0b0b", start=BY_HAND)
    lines = as_owner.get(url("test-edit", draft)).context["arm_lines"]
    assert [(line.number, line.name, line.runs, line.begins, line.author) for line in lines] == [
        (1, "as recorded, default sampling", "", "at once", "as recorded"),
        (2, "temperature 0.2", "", "at once", "as recorded"),
        (3, "paraphrase 1", "25", "at once", "written by owner"),
        (4, "day 2", "30", "when somebody starts it", "as recorded"),
    ]
    assert {line.endpoint for line in lines} == {"script"}


def test_an_arm_whose_time_has_passed_is_marked_and_hinders_locking(
    as_owner: Client, draft: CaseTest
) -> None:
    past = format_time(timezone.now() - timedelta(hours=1))
    arms = [{"key": "0a0a0a0a", "purpose": "day", "begins": past, "zone": "UTC", "runs": 5}]
    experiments.save_draft(draft, {**draft.experiment.draft, "arms": arms}, seen_sha256=seen(draft))
    assert "has passed" in as_owner.get(url("test-edit", draft)).context["arm_lines"][1].problem
    response = press(as_owner, draft, "lock")
    assert "its time has passed" in response.content.decode()
    assert Experiment.objects.get(pk=draft.experiment_id).is_draft


def test_only_endpoints_that_a_person_may_use_are_offered_and_locked(
    as_owner: Client, as_teammate: Client, draft: CaseTest, teammate: User
) -> None:
    closed = add_scripted_endpoint(name="closed")
    Endpoint.objects.filter(pk=closed.pk).update(is_open=False)
    values = {"name": "", "endpoint": str(closed.pk)}
    assert "endpoint" in save(as_owner, draft, "endpoint", **values).context["form"].errors
    closed.users.add(teammate)
    assert save(as_teammate, draft, "endpoint", **values).status_code == 302
    assert "you may not use its endpoint" in press(as_owner, draft, "lock").content.decode()
    assert Experiment.objects.get(pk=draft.experiment_id).is_draft
    assert press(as_teammate, draft, "lock").status_code == 302
    assert not Experiment.objects.get(pk=draft.experiment_id).is_draft


@pytest.mark.parametrize("name", ["arm-add", "proposal-list", "proposal-poll"])
def test_strangers_find_no_page_of_an_arm(
    as_stranger: Client, as_teammate: Client, client: Client, draft: CaseTest, name: str
) -> None:
    address = add_url(draft, "paraphrase") if name == "arm-add" else url(name, draft)
    assert as_stranger.get(address).status_code == 404
    assert client.get(address).status_code == 302
    assert as_teammate.get(address).status_code == 200


def test_strangers_change_nothing(as_stranger: Client, as_owner: Client, draft: CaseTest) -> None:
    assert save(as_stranger, draft, "paraphrase").status_code == 404
    save(as_owner, draft, "paraphrase")
    edit, remove = (url(name, draft, "0a0a0a0a") for name in ("arm-edit", "arm-remove"))
    assert as_stranger.post(edit, fill(draft, "paraphrase")).status_code == 404
    assert as_stranger.post(remove, {"seen_sha256": seen(draft)}).status_code == 404
    assert len(entries(draft)) == 1


def test_an_unknown_kind_or_key_is_not_found(as_owner: Client, draft: CaseTest) -> None:
    assert as_owner.get(add_url(draft, "primary")).status_code == 404
    assert as_owner.get(url("arm-add", draft)).status_code == 404
    assert as_owner.get(url("arm-edit", draft, "ffffffff")).status_code == 404


def test_an_arm_saved_while_somebody_locks_is_not_left_out(as_owner: Client, draft: CaseTest) -> None:
    """Locking freezes what its page has read; an arm that a teammate saved after that must not vanish."""
    read_before = CaseTest.objects.select_related("experiment", "case").get(pk=draft.pk)
    save(as_owner, draft, "paraphrase")
    with pytest.raises(ProtocolError, match="nothing was locked"):
        experiments.lock_and_run(read_before, by="owner")
    read_before.experiment.refresh_from_db()
    assert read_before.experiment.is_draft
    experiments.lock_and_run(read_before, by="owner")
    assert [arm.purpose for arm in read_before.experiment.protocol.arms] == ["primary", "paraphrase"]


def test_a_locked_test_leads_to_its_page(as_owner: Client, draft: CaseTest) -> None:
    save(as_owner, draft, "paraphrase")
    values = fill(draft, "paraphrase", key="0c0c0c0c", prompt="Another one?")
    draft.experiment.refresh_from_db()
    experiments.lock_and_run(draft, by="owner")
    assert as_owner.post(add_url(draft, "paraphrase"), values).url == url("test-detail", draft)
    assert as_owner.get(url("proposal-list", draft)).url == url("test-detail", draft)
    assert len(entries(draft)) == 1


def test_without_an_endpoint_an_arm_leads_back_to_the_editor(as_owner: Client, draft: CaseTest) -> None:
    Endpoint.objects.update(is_enabled=False)
    response = as_owner.get(add_url(draft, "paraphrase"), follow=True)
    assert "Choose an endpoint that is in use" in response.content.decode()


def test_a_page_of_an_arm_is_in_russian_too(draft: CaseTest, owner: User) -> None:
    client = log_in(owner)
    client.cookies["django_language"] = "ru"
    assert "Контрольный запрос с известным верным ответом" in read(client, add_url(draft, "control"))


def test_one_case_does_not_show_the_arms_of_another(as_owner: Client, case: Case, draft: CaseTest) -> None:
    save(as_owner, draft, "paraphrase")
    other = experiments.add_test(case, operator="owner", endpoint=Endpoint.objects.get())
    assert as_owner.get(url("arm-edit", other, "0a0a0a0a")).status_code == 404
