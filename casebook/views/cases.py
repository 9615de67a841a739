"""Cases: the list, logging an incident, the case page, correcting, copying and deleting."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casebook.access import find_case, find_owned_case, find_sample, find_team_case, is_on_team
from casebook.custody import CustodyError
from casebook.forms.exhibits import AddExhibitsForm
from casebook.forms.incidents import EditIncidentForm, LogIncidentForm
from casebook.forms.reports import RequestReportForm
from casebook.forms.search import SearchCasesForm
from casebook.forms.team import AddMemberForm
from casebook.headlines import find_case_headlines, find_leading_test, find_test_headlines
from casebook.intake import (
    CaseChangedError,
    CaseMeasuredError,
    copy_case,
    delete_case,
    log_incident,
    update_incident,
)
from casebook.main_path import STEPS, find_next_step
from casebook.models import Case
from casebook.previews import preview_exchange, show_exchange
from casebook.team import find_only_owner

CASES_PER_PAGE = 20


@require_safe
@login_required
def case_list(request: HttpRequest) -> HttpResponse:
    search = SearchCasesForm({"q": request.GET.get("q", "")})
    own = Case.objects.for_user(request.user)
    found = own.matching(search.words()).with_measurements()
    page = Paginator(found, CASES_PER_PAGE).get_page(request.GET.get("page"))
    headlines = find_case_headlines(page)
    context = {
        "search": search,
        "page": page,
        "rows": [(case, headlines.get(case.pk)) for case in page],
        "has_cases": bool(page.paginator.count) or own.exists(),
    }
    return render(request, "casebook/case_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def case_add(request: HttpRequest) -> HttpResponse:
    """The long form. Its button “Show how it is read” brings it back with the conversation as it was understood."""
    if request.method != "POST":
        return render(request, "casebook/case_add.html", {"form": LogIncidentForm()})
    if "preview" in request.POST:
        return _show_incident_form(request, LogIncidentForm(initial=request.POST.dict()))
    form = LogIncidentForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show_incident_form(request, form)
    case = form.new_case(get_language() or "en")
    uploads = form.cleaned_data["attachments"]
    try:
        case = log_incident(case=case, incident=form.instance, uploads=uploads, owner=request.user)
    except CustodyError as error:
        form.add_error("attachments", str(error))
        return _show_incident_form(request, form)
    messages.success(request, _("The incident is logged. This is its case."))
    return redirect(case)


def _show_incident_form(request: HttpRequest, form: LogIncidentForm) -> HttpResponse:
    context = {
        "form": form,
        "exchange": preview_exchange(request.POST),
        "files_were_chosen": bool(request.FILES),
    }
    return render(request, "casebook/case_add.html", context)


@require_POST
@login_required
def conversation_preview(request: HttpRequest) -> HttpResponse:
    """The fragment that shows how a pasted conversation is understood, before anything is saved."""
    return render(
        request, "casebook/_conversation_preview.html", {"exchange": preview_exchange(request.POST)}
    )


@require_safe
def case_detail(request: HttpRequest, public_id: UUID) -> HttpResponse:
    case = Case.objects.with_measurements().get(pk=find_case(request, public_id).pk)
    incident = case.incident()
    may_edit = is_on_team(case, request.user)
    tests = list(case.tests.all())
    headlines = find_test_headlines(tests)
    leading = find_leading_test(tests)
    language = get_language() or "en"
    context = {
        "case": case,
        "incident": incident,
        "exchange": show_exchange(incident),
        "may_edit": may_edit,
        "is_owner": may_edit and case.is_owned_by(request.user),
        "only_owner": find_only_owner(case) if may_edit else None,
        "is_draft": case.is_draft(),
        "tests": [(test, headlines.get(test.pk)) for test in tests],
        "headline": headlines.get(leading.pk) if leading else None,
        "steps": STEPS,
        "next": find_next_step(case) if may_edit else None,
        "exhibit_form": AddExhibitsForm(),
        "member_form": AddMemberForm(),
        "report_form": RequestReportForm(case, initial={"language": language, "test": leading}),
        "twin": case.twin_in(language),
        "copy_token": uuid4(),
    }
    return render(request, "casebook/case_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def case_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    case = find_team_case(request, public_id)
    form = EditIncidentForm.of_case(case, request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"case": case, "form": form, "exchange": preview_exchange(request.POST)}
    if "preview" in request.POST:
        context["form"] = EditIncidentForm(instance=case.incident(), initial=request.POST.dict())
    elif form.is_valid():
        case.title, case.summary = form.cleaned_data["title"], form.cleaned_data["summary"]
        try:
            update_incident(case=case, incident=form.instance, seen=form.seen_version())
        except CaseChangedError:
            current = find_team_case(request, public_id)
            context |= {"case": current, "changed_fields": form.take_over(current)}
        else:
            messages.success(request, _("The case is saved."))
            return redirect(case)
    return render(request, "casebook/case_edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def case_delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    case = find_owned_case(request, public_id)
    if request.method != "POST":
        return render(request, "casebook/case_delete.html", {"case": case, "is_draft": case.is_draft()})
    try:
        delete_case(case)
    except CaseMeasuredError:
        messages.error(
            request, _("Something of this case was run: it stays on record and cannot be deleted.")
        )
        return redirect(case)
    messages.success(request, _("The case “%(title)s” has been deleted.") % {"title": case.title})
    return redirect("casebook:case-list")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def case_copy(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Make the sample a case of the visitor's own. The page's token makes a second click find the first copy.

    Who had to log in first comes back with GET, and finds the sample and its button again.
    """
    sample = find_sample(public_id)
    if request.method != "POST":
        return redirect(sample)
    case = copy_case(sample, owner=request.user, token=request.POST.get("token", ""))
    messages.success(request, _("This copy is yours: its prompt can be rerun, and its text can be changed."))
    return redirect(case)
