"""Requests that cannot be answered get a page of ours that says what to do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from pytest_django import Settings

from casebook.views import health


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("something private")


urlpatterns = [path("fail", fail), path("", include("casebook.urls"))]
handler500 = "casebook.views.errors.show_server_error"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_address_that_leads_nowhere_gets_our_page(language: str, client: Client) -> None:
    response = client.get("/nowhere", headers={"accept-language": language})
    assert response.status_code == 404
    assert f'<html lang="{language}"' in response.content.decode()


@pytest.mark.django_db
def test_a_form_beyond_the_limit_is_told_so(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    browser = Client(enforce_csrf_checks=True)
    browser.get("/account/login/")  # the page with the form sets the cookie
    response = browser.post("/account/login/", {"username": "x" * 1001})
    assert response.status_code == 413
    assert "413.html" in [template.name for template in response.templates]


@pytest.mark.django_db
def test_a_request_with_too_many_fields_is_refused(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5
    response = Client().post("/account/login/", {f"field{n}": "" for n in range(6)})
    assert response.status_code == 400
    assert "400.html" in [template.name for template in response.templates]


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused(owner: User) -> None:
    response = Client(enforce_csrf_checks=True).post("/account/login/", {"username": "owner"})
    assert response.status_code == 403


@override_settings(ROOT_URLCONF=__name__)
def test_a_failure_shows_nothing_private_and_needs_no_database(client: Client) -> None:
    client.raise_request_exception = False
    response = client.get("/fail")
    assert response.status_code == 500
    assert response.content
    assert b"private" not in response.content


def test_an_installation_without_its_database_is_not_healthy(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("no such server")

    monkeypatch.setattr(health.connection, "cursor", refuse)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["status"] == "database unreachable"
