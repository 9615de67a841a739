"""Correcting a case: what two people type at once is never lost without a word."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from casebook.models import Case
from tests.factories import make_incident_form


def edit_form(client: Client, case: Case, **changes: Any) -> dict[str, Any]:
    """The form as a browser opened it now, with changes."""
    version = client.get(case.get_absolute_url() + "edit/").context["form"].initial["version"]
    return make_incident_form(version=version, **changes)


def test_the_form_comes_filled_in_as_the_case_stands(as_owner: Client, case: Case) -> None:
    case.incidents.update(occurred_on="~2024-05", harm_amount="1234.5", harm_currency="EUR")
    form = as_owner.get(case.get_absolute_url() + "edit/").context["form"]
    assert form["title"].value() == "Refund after the trip"
    assert form["conversation"].value() == case.incident().conversation
    assert form["occurred_on"].value() == "about May 2024"


def test_what_the_form_shows_can_be_saved_as_it_is(as_owner: Client, case: Case) -> None:
    money = {"harm_kind": "money", "harm_amount": "1234.5", "harm_currency": "EUR"}
    case.incidents.update(occurred_on="~2024-05", **money)
    as_owner.cookies["django_language"] = "ru"
    form = as_owner.get(case.get_absolute_url() + "edit/").context["form"]
    fields = {field.html_name: field.value() or "" for field in form}
    assert as_owner.post(case.get_absolute_url() + "edit/", fields).status_code == 302
    incident = case.incident()
    assert (incident.occurred_on, str(incident.harm_amount)) == ("~2024-05", "1234.50")


def test_a_teammate_corrects_the_case(as_teammate: Client, case: Case) -> None:
    form = edit_form(as_teammate, case, title="Corrected", truth="Corrected, too")
    response = as_teammate.post(case.get_absolute_url() + "edit/", form)
    case.refresh_from_db()
    assert response["Location"] == case.get_absolute_url()
    assert (case.title, case.incident().truth) == ("Corrected", "Corrected, too")


def test_a_stale_form_is_stopped_with_both_versions_at_hand(
    as_owner: Client, as_teammate: Client, case: Case
) -> None:
    stale = edit_form(as_owner, case, truth="mine")
    as_teammate.post(case.get_absolute_url() + "edit/", edit_form(as_teammate, case, truth="theirs"))
    response = as_owner.post(case.get_absolute_url() + "edit/", stale)
    body = response.content.decode()
    assert case.incident().truth == "theirs"
    assert response.context["changed_fields"] == ["What is true"]
    assert "Somebody saved this case after you opened it" in body
    assert ">\nmine<" in body or ">mine<" in body


def test_saving_a_stale_form_again_replaces_the_other_version(
    as_owner: Client, as_teammate: Client, case: Case
) -> None:
    stale = edit_form(as_owner, case, truth="mine")
    as_teammate.post(case.get_absolute_url() + "edit/", edit_form(as_teammate, case, truth="theirs"))
    form = as_owner.post(case.get_absolute_url() + "edit/", stale).context["form"]
    again = {field.html_name: field.value() or "" for field in form}
    assert as_owner.post(case.get_absolute_url() + "edit/", again).status_code == 302
    assert case.incident().truth == "mine"


@pytest.mark.parametrize("version", ["", "yesterday", "2024-01-01T00:00:00", "2024-01-01T00:00:00+00:00"])
def test_a_form_that_does_not_tell_its_version_is_stale(as_owner: Client, case: Case, version: str) -> None:
    form = make_incident_form(version=version, truth="mine")
    assert as_owner.post(case.get_absolute_url() + "edit/", form).status_code == 200
    assert case.incident().truth == "right"


def test_the_second_click_on_save_finds_a_newer_version_and_loses_nothing(
    as_owner: Client, case: Case
) -> None:
    form = edit_form(as_owner, case, truth="mine")
    assert as_owner.post(case.get_absolute_url() + "edit/", form).status_code == 302
    response = as_owner.post(case.get_absolute_url() + "edit/", form)
    assert response.context["changed_fields"] == []
    assert case.incident().truth == "mine"


def test_a_refused_correction_keeps_the_saved_text(as_owner: Client, case: Case) -> None:
    response = as_owner.post(
        case.get_absolute_url() + "edit/", edit_form(as_owner, case, truth="", title="New")
    )
    case.refresh_from_db()
    assert list(response.context["form"].errors) == ["truth"]
    assert (case.title, case.incident().truth) == ("Refund after the trip", "right")


def test_old_wrong_words_are_not_checked_again_unless_they_are_touched(as_owner: Client, case: Case) -> None:
    case.incidents.update(wrong_statement="words of a sample")
    answer = case.incident().disputed_answer
    untouched = edit_form(as_owner, case, wrong_statement="words of a sample", disputed_answer=answer)
    assert as_owner.post(case.get_absolute_url() + "edit/", untouched).status_code == 302
    touched = edit_form(as_owner, case, wrong_statement="other words", disputed_answer=answer)
    response = as_owner.post(case.get_absolute_url() + "edit/", touched)
    assert list(response.context["form"].errors) == ["wrong_statement"]


def test_the_preview_of_a_correction_saves_nothing(as_owner: Client, case: Case) -> None:
    response = as_owner.post(
        case.get_absolute_url() + "edit/", edit_form(as_owner, case, truth="new", preview="1")
    )
    assert response.context["exchange"].turns
    assert response.context["form"]["truth"].value() == "new"
    assert case.incident().truth == "right"
