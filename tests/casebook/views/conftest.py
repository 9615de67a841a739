"""The case of these tests: it belongs to the owner, the teammate is on its team, the stranger is not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from casebook.models import Case
from tests.casebook.cases_for_tests import add_case


@pytest.fixture
def case(owner: User, teammate: User) -> Case:
    return add_case(owner, teammate)


@pytest.fixture
def as_owner(owner: User) -> Client:
    return log_in(owner)


@pytest.fixture
def as_teammate(teammate: User) -> Client:
    return log_in(teammate)


@pytest.fixture
def as_stranger(stranger: User) -> Client:
    return log_in(stranger)


@pytest.fixture
def as_administrator(administrator: User) -> Client:
    return log_in(administrator)


def log_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
