"""Django's admin: records can be looked at, and nothing of them is changed by hand."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db.models import ProtectedError
from django.test import Client

from casebook.models import Case, Membership
from ensemble.models import LedgerEntry
from tests.casebook.cases_for_tests import add_draft_test, run_to_seal
from tests.casebook.views.conftest import log_in


@pytest.fixture
def as_superuser(db: None) -> Client:
    return log_in(User.objects.create_superuser("root"))


def test_the_ledger_can_be_read_and_not_changed(as_superuser: Client, case: Case) -> None:
    run_to_seal(add_draft_test(case, runs=2))
    entry = LedgerEntry.objects.order_by("seq")[0]
    path = f"/admin/ensemble/ledgerentry/{entry.pk}/"
    page = as_superuser.get(path + "change/")
    assert entry.sha256 in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert as_superuser.post(path + "change/", {"kind": "run"}).status_code == 403
    assert as_superuser.post(path + "delete/", {"post": "yes"}).status_code == 403
    assert as_superuser.get("/admin/ensemble/ledgerentry/add/").status_code == 403


@pytest.mark.parametrize(
    "page", ["", "ensemble/ledgerentry/", "ensemble/experiment/", "ensemble/workerpulse/"]
)
def test_the_lists_open(as_superuser: Client, case: Case, page: str) -> None:
    add_draft_test(case)
    assert as_superuser.get(f"/admin/{page}").status_code == 200


def test_the_admin_shows_no_case(as_superuser: Client, case: Case) -> None:
    assert as_superuser.get("/admin/casebook/case/").status_code == 404


def test_it_is_closed_to_others(as_owner: Client) -> None:
    assert as_owner.get("/admin/")["Location"].startswith("/admin/login/")


def test_the_last_owner_of_a_case_cannot_be_deleted(as_superuser: Client, owner: User, case: Case) -> None:
    path = f"/admin/auth/user/{owner.pk}/delete/"
    page = as_superuser.get(path).content.decode()
    assert "The last owner of 1 case: nobody could open it any more." in page
    assert case.title not in page
    as_superuser.post(path, {"post": "yes"})
    marked = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
    as_superuser.post("/admin/auth/user/", marked)
    with pytest.raises(ProtectedError):
        owner.delete()
    assert case.is_owned_by(User.objects.get(pk=owner.pk))


def test_two_owners_of_a_case_cannot_be_deleted_together(owner: User, teammate: User, case: Case) -> None:
    case.memberships.update(role="owner")
    with pytest.raises(ProtectedError):
        User.objects.filter(pk__in=(owner.pk, teammate.pk)).delete()
    assert case.memberships.count() == 2


def test_an_owner_who_is_not_the_last_and_a_member_can_be_deleted(
    as_superuser: Client, owner: User, teammate: User, stranger: User, case: Case
) -> None:
    case.memberships.filter(user=teammate).update(role="owner")
    case.memberships.create(user=stranger)
    for user in (owner, stranger):
        assert as_superuser.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}).status_code == 302
    assert [membership.user for membership in case.memberships.all()] == [teammate]


def test_a_case_is_deleted_with_its_owner_s_membership(case: Case) -> None:
    case.delete()
    assert not Membership.objects.exists()
