from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

PASSWORD = "correct horse 7"  # of every user in conftest.py


def log_in(username: str, password: str, address: str = "203.0.113.5") -> HttpResponse:
    return Client().post("/account/login/", {"username": username, "password": password}, REMOTE_ADDR=address)


@pytest.fixture
def _guessed_too_often(owner: User, settings: Settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in("owner", "a guess")


@pytest.mark.usefixtures("_guessed_too_often")
def test_after_too_many_guesses_even_the_right_password_is_refused_for_a_while() -> None:
    response = log_in("owner", PASSWORD)
    assert response.status_code == 429
    assert "registration/locked_out.html" in [template.name for template in response.templates]


@pytest.mark.usefixtures("_guessed_too_often")
def test_the_owner_can_still_log_in_from_elsewhere() -> None:
    assert log_in("owner", PASSWORD, address="198.51.100.7").status_code == 302


@pytest.mark.usefixtures("_guessed_too_often")
def test_others_behind_the_same_address_can_still_log_in(teammate: User) -> None:
    assert log_in("teammate", PASSWORD).status_code == 302


def test_a_success_clears_the_count(owner: User, settings: Settings) -> None:
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            log_in("owner", "a guess")
        assert log_in("owner", PASSWORD).status_code == 302
