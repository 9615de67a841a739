"""Who sees and changes a case: its owner, a teammate, a stranger, and a visitor without an account."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from casebook.models import Case
from tests.casebook.views.conftest import log_in
from tests.factories import make_incident_form, make_sample

TEAM_PAGES = ["", "edit/", "exhibits/add/"]
OWNER_PAGES = ["delete/", "team/add/"]
TEAM_POSTS = ["edit/", "exhibits/add/", "exhibits/1/delete/", "reports/add/"]
OWNER_POSTS = ["delete/", "team/add/", "team/1/remove/"]


@pytest.mark.parametrize("page", TEAM_PAGES)
def test_the_whole_team_reads_and_works(as_owner: Client, as_teammate: Client, case: Case, page: str) -> None:
    assert as_owner.get(case.get_absolute_url() + page).status_code == 200
    assert as_teammate.get(case.get_absolute_url() + page).status_code == 200


@pytest.mark.parametrize("page", OWNER_PAGES)
def test_owners_alone_delete_and_change_the_team(
    as_owner: Client, as_teammate: Client, case: Case, page: str
) -> None:
    assert as_owner.get(case.get_absolute_url() + page).status_code == 200
    assert as_teammate.get(case.get_absolute_url() + page).status_code == 403


@pytest.mark.parametrize("page", OWNER_POSTS)
def test_a_teammate_who_posts_as_an_owner_changes_nothing(as_teammate: Client, case: Case, page: str) -> None:
    assert as_teammate.post(case.get_absolute_url() + page, {"username": "stranger"}).status_code == 403
    assert Case.objects.filter(pk=case.pk).exists()
    assert case.memberships.count() == 2


@pytest.mark.parametrize("page", [*TEAM_PAGES, *OWNER_PAGES, "exhibits/1/", "exhibits/1/preview/"])
def test_to_a_stranger_and_to_a_visitor_the_case_does_not_exist(
    as_stranger: Client, client: Client, case: Case, page: str
) -> None:
    assert as_stranger.get(case.get_absolute_url() + page).status_code == 404
    assert client.get(case.get_absolute_url() + page).status_code == 404


@pytest.mark.parametrize("page", [*TEAM_POSTS, *OWNER_POSTS])
def test_nobody_else_can_post_to_it(as_stranger: Client, client: Client, case: Case, page: str) -> None:
    for visitor in (as_stranger, client):
        assert visitor.post(case.get_absolute_url() + page, make_incident_form()).status_code == 404


def test_an_administrator_is_a_stranger_to_cases(as_administrator: Client, case: Case) -> None:
    assert as_administrator.get(case.get_absolute_url()).status_code == 404


def test_a_case_can_be_copied_by_nobody(as_owner: Client, case: Case) -> None:
    assert as_owner.post(case.get_absolute_url() + "copy/").status_code == 404


@pytest.mark.django_db
def test_a_sample_is_read_by_all_and_changed_by_none(
    client: Client, as_stranger: Client, as_owner: Client
) -> None:
    sample = make_sample()
    for visitor in (client, as_stranger, as_owner):
        response = visitor.get(sample.get_absolute_url())
        assert response.status_code == 200
        assert "It says nothing about the airline." in response.content.decode()
        for page in (*TEAM_POSTS, *OWNER_POSTS):
            assert visitor.post(sample.get_absolute_url() + page, make_incident_form()).status_code == 404


def test_even_a_member_of_a_sample_cannot_change_it(owner: User) -> None:
    sample = make_sample()
    sample.memberships.create(user=owner, role="owner")
    assert log_in(owner).get(sample.get_absolute_url() + "edit/").status_code == 404


def test_reading_never_changes_anything(as_owner: Client, case: Case) -> None:
    for page in ("exhibits/1/delete/", "team/1/remove/", "reports/add/"):
        assert as_owner.get(case.get_absolute_url() + page).status_code == 405
