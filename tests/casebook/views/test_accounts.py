"""Accounts: signing up, logging in, the account page, the export of everything about a person."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from casebook.custody import add_exhibits
from casebook.models import Case
from casebook.uploads import inspect_upload
from ensemble.endpoints import ensure_default_endpoint
from tests.casebook.cases_for_tests import add_case, add_draft_test
from tests.casebook.views.conftest import log_in
from tests.factories import make_png_upload

PASSWORD = "a long enough 7"
FORM = {"username": "newcomer", "email": "", "password1": PASSWORD, "password2": PASSWORD}


@pytest.mark.django_db
def test_signing_up_logs_in(client: Client) -> None:
    response = client.post("/account/signup/", FORM, follow=True)
    assert response.context["user"] == User.objects.get(username="newcomer")
    assert not response.context["user"].is_staff


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "two words"),
        ("username", "nul\0"),
        ("password2", "other"),
        ("email", "no mail"),
    ],
)
def test_a_wrong_field_makes_no_account(client: Client, field: str, value: str) -> None:
    response = client.post("/account/signup/", {**FORM, field: value})
    assert list(response.context["form"].errors) == [field]
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_weak_password_is_refused(client: Client) -> None:
    response = client.post("/account/signup/", {**FORM, "password1": "12345678", "password2": "12345678"})
    assert response.context["form"].errors
    assert not User.objects.exists()


@pytest.mark.django_db
def test_where_sign_up_is_closed_nobody_gets_in(client: Client, settings: Settings) -> None:
    settings.OPEN_SIGNUP = False
    assert client.get("/account/signup/").status_code == 403
    assert client.post("/account/signup/", FORM).status_code == 403
    assert not User.objects.exists()


def test_the_same_name_cannot_be_taken_twice(client: Client, owner: User) -> None:
    response = client.post("/account/signup/", {**FORM, "username": owner.username})
    assert list(response.context["form"].errors) == ["username"]


def test_the_account_page_belongs_to_its_person(as_owner: Client, client: Client) -> None:
    assert "owner@example.org" in as_owner.get("/account/").content.decode()
    assert client.get("/account/").status_code == 302
    assert client.get("/account/export/").status_code == 302


def test_the_export_holds_everything_about_the_person(as_owner: Client, owner: User, teammate: User) -> None:
    case = add_case(owner, teammate, harm_amount="12.50", harm_currency="EUR")
    add_exhibits(case, [inspect_upload(make_png_upload())], received_from=owner)
    add_draft_test(case)
    ensure_default_endpoint().users.add(owner)
    response = as_owner.get("/account/export/")
    document = json.loads(response.content)
    assert response["Content-Disposition"].startswith("attachment")
    assert document["account"]["email"] == "owner@example.org"
    assert document["cases"][0]["role"] == "owner"
    assert document["cases"][0]["incidents"][0]["conversation"] == case.incident().conversation
    assert document["exhibits_received_from_me"][0]["name"] == "screen.png"
    assert document["tests_operated_by_me"][0]["title"] == case.title
    assert document["endpoints_opened_to_me"] == ["Embedded model"]


def test_the_export_holds_nothing_of_others(stranger: User, owner: User) -> None:
    case = add_case(owner)
    add_exhibits(case, [inspect_upload(make_png_upload())], received_from=owner)
    document = json.loads(log_in(stranger).get("/account/export/").content)
    assert (
        document["cases"] == document["exhibits_received_from_me"] == document["tests_operated_by_me"] == []
    )
    assert str(case.public_id) not in json.dumps(document)


def test_the_log_of_sign_ins_is_exported(owner: User) -> None:
    client = Client()
    client.post("/account/login/", {"username": "owner", "password": "correct horse 7"})
    signed_in = json.loads(client.get("/account/export/").content)["sign_ins"]["succeeded"]
    assert [row["ip_address"] for row in signed_in] == ["127.0.0.1"]


def test_a_new_password_comes_by_mail(client: Client, owner: User) -> None:
    client.post("/account/password_reset/", {"email": owner.email})
    link = next(word for word in mail.outbox[0].body.split() if "/account/reset/" in word)
    page = client.get(link.split("testserver")[1], follow=True)
    path = page.redirect_chain[-1][0]
    client.post(path, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


@pytest.mark.django_db
def test_an_unknown_address_is_not_given_away(client: Client) -> None:
    response = client.post("/account/password_reset/", {"email": "nobody@example.org"})
    assert response.status_code == 302
    assert mail.outbox == []


def test_the_password_is_changed_by_who_knows_it(as_owner: Client, owner: User) -> None:
    form = {"old_password": "correct horse 7", "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert as_owner.post("/account/password_change/", {**form, "old_password": "wrong"}).status_code == 200
    assert as_owner.post("/account/password_change/", form).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_who_logged_out_sees_no_case(as_owner: Client, owner: User) -> None:
    case: Case = add_case(owner)
    as_owner.post("/account/logout/")
    assert as_owner.get(case.get_absolute_url()).status_code == 404
