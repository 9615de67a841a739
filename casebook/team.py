"""Who belongs to the team of a case."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from casebook.models import Case, Membership


class LastOwnerError(Exception):
    """The only owner of a case cannot leave it: nobody could change its team any more."""


def add_member(case: Case, *, user: Any, role: str) -> bool:
    """Put `user` on the team, or give a member another role. Returns whether anything changed."""
    with transaction.atomic():
        _hold_team(case)
        membership = case.memberships.filter(user=user).first()
        if membership is None:
            case.memberships.create(user=user, role=role)
            return True
        if membership.role == role:
            return False
        _refuse_last_owner(case, membership)
        membership.role = role
        membership.save(update_fields=["role"])
        return True


def remove_member(case: Case, *, membership_id: int) -> Membership | None:
    """Take a person off the team; None when they had left already. Raises `LastOwnerError`."""
    with transaction.atomic():
        _hold_team(case)
        membership = case.memberships.select_related("user").filter(pk=membership_id).first()
        if membership is not None:
            _refuse_last_owner(case, membership)
            membership.delete()
        return membership


def find_only_owner(case: Case) -> Membership | None:
    """The owner who cannot be removed; None when there are several, and any of them can."""
    owners = list(case.memberships.filter(role=Membership.Role.OWNER)[:2])
    return owners[0] if len(owners) == 1 else None


def _hold_team(case: Case) -> None:
    """Make changes of one team wait for each other: two owners must not remove one another at once."""
    Case.objects.select_for_update().get(pk=case.pk)


def _refuse_last_owner(case: Case, membership: Membership) -> None:
    if membership == find_only_owner(case):
        raise LastOwnerError
