"""Tests of a case: the protocol editor, the live page and result, the runs, and the files of a test."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casebook import experiments
from casebook.access import find_case, find_team_case, is_on_team
from casebook.downloads import download
from casebook.editor import EditorPage
from casebook.live import latest_runs, measure_progress, view_arms
from casebook.models import Case, CaseTest
from casebook.report_numbers import number_writer
from casebook.reporting.plan import list_detector, write_rule
from ensemble.ledger import export_lines
from ensemble.models import Endpoint, Experiment, Run

RUNS_PER_PAGE = 50
SHOWN_CHARACTERS = 20_000
State = Experiment.State


def find_test(case: Case, number: int) -> CaseTest:
    return get_object_or_404(case.tests.select_related("experiment", "case"), number=number)


@require_POST
@login_required
def test_add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    case = find_team_case(request, public_id)
    endpoint = Endpoint.objects.usable_by(request.user).order_by("pk").first()
    test = experiments.add_test(
        case, title=case.title, operator=request.user.get_username(), endpoint=endpoint
    )
    return redirect("casebook:test-edit", case.public_id, test.number)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def test_edit(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The protocol editor. Every button first saves the form, so that nothing typed is lost."""
    test = find_test(find_team_case(request, public_id), number)
    if not test.experiment.is_draft:
        return redirect(test)
    page = EditorPage(request, test)
    if request.method == "POST":
        response = page.act()
        if response is not None:
            return response
    return render(request, "casebook/test_edit.html", page.context())


@require_safe
@login_required
@never_cache
def test_tryouts(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The exploratory runs of a draft, as a fragment that is polled while they are made."""
    test = find_test(find_team_case(request, public_id), number)
    return render(request, "casebook/_tryouts.html", EditorPage(request, test).tryout_context())


@require_POST
@login_required
def test_delete(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    case = find_team_case(request, public_id)
    if experiments.delete_draft(find_test(case, number)):
        messages.success(request, _("The draft is deleted."))
    else:
        messages.error(request, _("This test was run or locked, so it stays on record."))
    return redirect(case)


@require_safe
@never_cache
def test_detail(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """A locked test: live while it runs, then its result."""
    case = find_case(request, public_id)
    test = find_test(case, number)
    if test.experiment.is_draft:
        return redirect("casebook:test-edit", case.public_id, number)
    return render(request, "casebook/test_detail.html", detail_context(request, test))


@require_safe
@never_cache
def test_live(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The live part of the page as a fragment; once the test is sealed the whole page is asked for instead."""
    test = find_test(find_case(request, public_id), number)
    if test.experiment.state == State.SEALED:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "casebook/_live.html", detail_context(request, test))


def detail_context(request: HttpRequest, test: CaseTest) -> dict[str, Any]:
    numbers = number_writer(get_language() or "en")
    experiment = test.experiment
    return {
        "case": test.case,
        "test": test,
        "experiment": experiment,
        "result": experiment.latest_result(),
        "arms": view_arms(experiment, numbers),
        "progress": None if experiment.is_over else measure_progress(experiment),
        "latest": latest_runs(test),
        "can_steer": is_on_team(test.case, request.user),
        "exploratory_runs": experiment.runs.exploratory().count(),
        "rule": write_rule(experiment.protocol_document["stopping"], numbers),
        "detector_rows": list_detector(experiment.protocol_document, numbers),
    }


@require_POST
@login_required
def test_steer(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """Pause, resume or cancel."""
    test = find_test(find_team_case(request, public_id), number)
    action = request.POST.get("action", "")
    if action not in ("pause", "resume", "cancel"):
        raise Http404
    if not experiments.steer(test, action, by=request.user.get_username()):
        messages.warning(request, _("The test had moved on already; this is its state now."))
    return redirect(test)


@require_safe
def run_list(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    case = find_case(request, public_id)
    test = find_test(case, number)
    runs = test.experiment.runs.defer("raw").order_by("zone", "arm", "index", "attempt")
    label = request.GET.get("label", "")
    if label:
        runs = runs.filter(label=label)
    page = Paginator(runs, RUNS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "casebook/run_list.html", {"case": case, "test": test, "page": page, "label": label}
    )


@require_safe
def run_detail(request: HttpRequest, public_id: UUID, number: int, run_id: int) -> HttpResponse:
    case = find_case(request, public_id)
    test = find_test(case, number)
    run = get_object_or_404(Run, pk=run_id, experiment=test.experiment)
    shown = run.text[:SHOWN_CHARACTERS]
    context = {
        "case": case,
        "test": test,
        "run": run,
        "shown_text": shown,
        "hidden_characters": len(run.text) - len(shown),
    }
    return render(request, "casebook/run_detail.html", context)


@require_safe
def test_file(request: HttpRequest, public_id: UUID, number: int, name: str) -> HttpResponse:
    """`protocol.json`, `result.json` and `ledger.jsonl` of a test, byte for byte as stored."""
    test = find_test(find_case(request, public_id), number)
    experiment, result = test.experiment, test.experiment.latest_result()
    if name == "protocol.json" and experiment.protocol_json:
        return download(experiment.protocol_json.encode("utf-8"), name, "application/json")
    if name == "result.json" and result is not None:
        return download(result.document_json.encode("utf-8"), name, "application/json")
    if name == "ledger.jsonl" and experiment.ledger.exists():
        lines = "".join(f"{line}\n" for line in export_lines(experiment))
        return download(lines.encode("utf-8"), name, "application/jsonl")
    raise Http404
