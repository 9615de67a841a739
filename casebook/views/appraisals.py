"""The appraisal of a sealed test: the form, and its earlier versions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from casebook.access import find_case, find_team_case
from casebook.appraisals import AppraisalChangedError, find_appraisal, save_appraisal
from casebook.appraised import find_basis, show_appraisal
from casebook.forms.appraisals import AppraisalForm
from casebook.views.tests import find_test


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def test_appraise(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The form. Every save adds a version, signed with the name of the account; a stale form overwrites nothing."""
    test = find_test(find_team_case(request, public_id), number)
    basis = find_basis(test)
    if basis is None:
        return redirect(test)
    current = find_appraisal(test)
    posted = request.POST if request.method == "POST" else None
    form = AppraisalForm(posted, current=current, arms=basis.arms, has_numbers=not basis.obstacle)
    context = {"case": test.case, "test": test, "form": form, "basis": basis, "current": current}
    if form.is_valid():
        seen, by = form.cleaned_data["seen"], request.user.get_username()
        try:
            save_appraisal(test, form.answers(), seen=seen, by=by)
        except AppraisalChangedError:
            latest = find_appraisal(test)
            context["changed_fields"] = form.take_over(latest) if latest else []
        else:
            messages.success(request, _("The appraisal is saved under your name."))
            return redirect(f"{test.get_absolute_url()}#appraisal")
    context["explanations"] = [
        (explanation.label, basis.bearing[explanation.value], finding, text)
        for explanation, finding, text in form.explanations()
    ]
    return render(request, "casebook/test_appraisal.html", context)


@require_safe
def appraisal_version(request: HttpRequest, public_id: UUID, number: int, version: int) -> HttpResponse:
    """One version of an appraisal as it was signed; nothing that was signed is ever lost."""
    test = find_test(find_case(request, public_id), number)
    found = get_object_or_404(test.appraisals, version=version)
    context = {"case": test.case, "test": test, "appraisal": show_appraisal(test, found)}
    return render(request, "casebook/test_appraisal_version.html", context)
