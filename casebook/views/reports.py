"""Reports: requesting one, watching it being rendered, downloading it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from casebook.access import find_case, find_report, find_team_case
from casebook.downloads import send_stored
from casebook.forms.reports import RequestReportForm
from casebook.models import Report


@require_POST
def report_add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    from casebook.reports import (  # builds on the statistics: too heavy for every page
        ReportError,
        request_report,
    )

    case = find_team_case(request, public_id)
    form = RequestReportForm(case, request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a test whose result is sealed, and a language."))
        return redirect(f"{case.get_absolute_url()}#reports")
    try:
        report = request_report(case=case, **form.cleaned_data, requested_by=request.user)
    except ReportError as error:
        messages.error(request, str(error))
        return redirect(f"{case.get_absolute_url()}#reports")
    return redirect("casebook:report-detail", case.public_id, report.public_id)


@require_safe
def report_detail(request: HttpRequest, public_id: UUID, report_id: UUID) -> HttpResponse:
    """The page of a report; while it is being rendered, htmx asks for its progress again and again."""
    case = find_case(request, public_id)
    report = find_report(case, report_id)
    under_way = report.state in (Report.State.QUEUED, Report.State.RENDERING)
    asked_by_htmx = getattr(request, "htmx", False)
    template = "casebook/_report_progress.html" if asked_by_htmx else "casebook/report_detail.html"
    return render(request, template, {"case": case, "report": report, "under_way": under_way})


@require_safe
def report_download(request: HttpRequest, public_id: UUID, report_id: UUID) -> FileResponse:
    case = find_case(request, public_id)
    report = find_report(case, report_id)
    if report.state != Report.State.READY:
        raise Http404
    name = f"{slugify(case.title, allow_unicode=True) or 'case'}-{report.language}.pdf"
    return send_stored(report.file, name, "application/pdf")
