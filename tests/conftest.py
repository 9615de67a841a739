"""What every test shares: three people with three rights, folders of its own, a queue that leads nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation
from pytest_django import Settings

from casebook.celery import app as celery_app


@pytest.fixture(autouse=True, scope="session")
def _keep_messages_in_memory() -> None:
    """A message about a test's rows must never reach the worker of an installation in this folder."""
    celery_app.conf.update(broker_url="memory://", broker_transport_options={})


@pytest.fixture(autouse=True)
def _own_folders_and_quick_passwords(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    settings.DATA_DIR.mkdir()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _begin_in_the_default_language() -> None:
    """A page read in Russian leaves its language behind in the thread; the next test must not inherit it."""
    translation.deactivate()


def _make_user(username: str, **fields: Any) -> User:
    return User.objects.create_user(username, f"{username}@example.org", "correct horse 7", **fields)


@pytest.fixture
def owner(db: None) -> User:
    """Owns the case of the test."""
    return _make_user("owner")


@pytest.fixture
def teammate(db: None) -> User:
    """Belongs to the team of the case."""
    return _make_user("teammate")


@pytest.fixture
def stranger(db: None) -> User:
    """Has an account and nothing to do with the case."""
    return _make_user("stranger")


@pytest.fixture
def administrator(db: None) -> User:
    """May add endpoints."""
    return _make_user("administrator", is_staff=True)
