"""Who may see and change a case. To everybody else it does not exist: the answer is 404, never 403."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from casebook.models import Case, Exhibit, Report


def find_case(request: HttpRequest, public_id: UUID) -> Case:
    """A case that the visitor may read: one of their teams' cases, or a sample."""
    return get_object_or_404(Case.objects.visible_to(request.user), public_id=public_id)


def find_team_case(request: HttpRequest, public_id: UUID) -> Case:
    """A case that the visitor may change. Samples belong to nobody and are not found here."""
    return get_object_or_404(Case.objects.for_user(request.user), public_id=public_id)


def find_owned_case(request: HttpRequest, public_id: UUID) -> Case:
    """A case that the visitor owns. A teammate knows that it exists and is told that this is the owners' (403)."""
    case = find_team_case(request, public_id)
    if not case.is_owned_by(request.user):
        raise PermissionDenied
    return case


def find_sample(public_id: UUID) -> Case:
    return get_object_or_404(Case, public_id=public_id, is_sample=True)


def find_exhibit(case: Case, number: int) -> Exhibit:
    return get_object_or_404(case.exhibits, number=number)


def find_report(case: Case, report_id: UUID) -> Report:
    return get_object_or_404(case.reports.select_related("result"), public_id=report_id)


def is_on_team(case: Case, user: Any) -> bool:
    """Whether `user` may change `case`, for pages that everybody may read."""
    return Case.objects.for_user(user).filter(pk=case.pk).exists()
