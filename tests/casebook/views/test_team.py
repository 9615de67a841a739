"""The team of a case: owners add and remove, and one owner always stays."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from casebook.models import Case, Membership


def membership_of(case: Case, user: User) -> Membership:
    return case.memberships.get(user=user)


def test_a_person_is_added_by_user_name_and_sees_the_case(
    as_owner: Client, as_stranger: Client, case: Case
) -> None:
    response = as_owner.post(
        case.get_absolute_url() + "team/add/", {"username": " stranger ", "role": "member"}
    )
    assert response.status_code == 302
    assert as_stranger.get(case.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("username", ["nobody", "Stranger", "", "a\0b"])
def test_an_unknown_name_is_named_and_adds_nobody(
    as_owner: Client, stranger: User, case: Case, username: str
) -> None:
    response = as_owner.post(case.get_absolute_url() + "team/add/", {"username": username, "role": "member"})
    assert list(response.context["form"].errors) == ["username"]
    assert case.memberships.count() == 2


def test_a_closed_account_is_not_added(as_owner: Client, stranger: User, case: Case) -> None:
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    response = as_owner.post(
        case.get_absolute_url() + "team/add/", {"username": "stranger", "role": "member"}
    )
    assert list(response.context["form"].errors) == ["username"]


def test_adding_somebody_twice_is_harmless(as_owner: Client, case: Case) -> None:
    for _ in range(2):
        as_owner.post(case.get_absolute_url() + "team/add/", {"username": "teammate", "role": "member"})
    assert case.memberships.count() == 2


def test_adding_a_member_again_with_another_role_changes_the_role(
    as_owner: Client, teammate: User, case: Case
) -> None:
    as_owner.post(case.get_absolute_url() + "team/add/", {"username": "teammate", "role": "owner"})
    assert membership_of(case, teammate).role == Membership.Role.OWNER


def test_a_removed_member_no_longer_finds_the_case(
    as_owner: Client, as_teammate: Client, teammate: User, case: Case
) -> None:
    as_owner.post(f"{case.get_absolute_url()}team/{membership_of(case, teammate).pk}/remove/")
    assert as_teammate.get(case.get_absolute_url()).status_code == 404


def test_removing_twice_is_harmless(as_owner: Client, teammate: User, case: Case) -> None:
    path = f"{case.get_absolute_url()}team/{membership_of(case, teammate).pk}/remove/"
    as_owner.post(path)
    assert as_owner.post(path).status_code == 302
    assert case.memberships.count() == 1


def test_the_last_owner_stays(as_owner: Client, owner: User, case: Case) -> None:
    path = f"{case.get_absolute_url()}team/{membership_of(case, owner).pk}/remove/"
    assert "only owner" in as_owner.post(path, follow=True).content.decode()
    as_owner.post(case.get_absolute_url() + "team/add/", {"username": "owner", "role": "member"})
    assert membership_of(case, owner).role == Membership.Role.OWNER


def test_an_owner_leaves_when_there_is_another(
    as_owner: Client, owner: User, teammate: User, case: Case
) -> None:
    case.memberships.filter(user=teammate).update(role=Membership.Role.OWNER)
    response = as_owner.post(f"{case.get_absolute_url()}team/{membership_of(case, owner).pk}/remove/")
    assert response["Location"] == "/cases/"
    assert case.memberships.get().user == teammate


def test_a_membership_of_another_case_is_not_touched(as_owner: Client, stranger: User, case: Case) -> None:
    other = Case.objects.create(title="Another")
    membership = other.memberships.create(user=stranger)
    as_owner.post(f"{case.get_absolute_url()}team/{membership.pk}/remove/")
    assert other.memberships.count() == 1


def test_the_only_owner_is_not_offered_to_be_removed(
    as_owner: Client, owner: User, teammate: User, case: Case
) -> None:
    addresses = [
        f"{case.get_absolute_url()}team/{membership_of(case, user).pk}/remove/" for user in (owner, teammate)
    ]
    page = as_owner.get(case.get_absolute_url()).content.decode()
    assert [address in page for address in addresses] == [False, True]
    case.memberships.update(role=Membership.Role.OWNER)
    page = as_owner.get(case.get_absolute_url()).content.decode()
    assert [address in page for address in addresses] == [True, True]
