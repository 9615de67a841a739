from __future__ import annotations

import stat
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def create() -> str:
    output = StringIO()
    call_command("create_demo_account", stdout=output)
    return output.getvalue()


def test_the_demo_account_can_log_in_with_the_printed_password(
    settings: Settings, rf: RequestFactory
) -> None:
    printed = create()
    file = Path(settings.DATA_DIR) / "demo-password"
    password = file.read_text()
    assert printed == f"account demo, password {password}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    user = authenticate(rf.post("/"), username="demo", password=password)
    assert isinstance(user, User)
    assert user.is_staff
    assert not user.is_superuser


def test_creating_it_again_keeps_the_password() -> None:
    assert create() == create()
    assert User.objects.count() == 1


def test_a_password_that_was_changed_stays_and_is_not_printed() -> None:
    create()
    user = User.objects.get()
    user.set_password("my own words")
    user.save()
    assert create() == "account demo, with the password you gave it\n"
    assert User.objects.get().check_password("my own words")


def test_production_has_no_demo_account(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="createsuperuser"):
        create()
    assert not User.objects.exists()
