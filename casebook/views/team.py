"""The team of a case: its owners add and remove people."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from casebook.access import find_owned_case
from casebook.forms.team import AddMemberForm
from casebook.team import LastOwnerError, add_member, remove_member


@require_http_methods(["GET", "HEAD", "POST"])
def member_add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    case = find_owned_case(request, public_id)
    form = AddMemberForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = form.cleaned_data["username"]
        try:
            add_member(case, user=user, role=form.cleaned_data["role"])
        except LastOwnerError:
            form.add_error("role", _("This is the only owner: make somebody else an owner first."))
        else:
            messages.success(request, _("%(name)s is on the team.") % {"name": user.get_username()})
            return redirect(f"{case.get_absolute_url()}#team")
    return render(request, "casebook/member_add.html", {"case": case, "form": form})


@require_POST
def member_remove(request: HttpRequest, public_id: UUID, membership_id: int) -> HttpResponse:
    case = find_owned_case(request, public_id)
    try:
        membership = remove_member(case, membership_id=membership_id)
    except LastOwnerError:
        messages.error(request, _("This is the only owner: make somebody else an owner first."))
    else:
        if membership is not None:
            name = membership.user.get_username()
            messages.success(request, _("%(name)s has left the team.") % {"name": name})
            if membership.user == request.user:
                return redirect("casebook:case-list")
    return redirect(f"{case.get_absolute_url()}#team")
