"""Tests of a case: the protocol editor, the live page and result, the runs, and the files of a test."""

from __future__ import annotations

from http import HTTPStatus
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
from casebook.appraised import show_appraisal
from casebook.downloads import download
from casebook.editor import EditorPage
from casebook.live import choose_pause, latest_answers, view_arms, view_clusters, view_differences
from casebook.locked import view_locked
from casebook.models import Case, CaseTest
from casebook.neutral_names import say_arm
from casebook.progress import find_rival, measure_progress
from casebook.report_numbers import number_writer
from casebook.reporting.reasons import quote_reason
from casebook.run_lists import list_runs
from casebook.waiting import is_idle, list_waiting
from ensemble.ledger import export_lines
from ensemble.models import Experiment, Run, Zone

RUNS_PER_PAGE = 50
SHOWN_CHARACTERS = 20_000
State = Experiment.State


def find_test(case: Case, number: int) -> CaseTest:
    return get_object_or_404(case.tests.select_related("experiment", "case"), number=number)


@require_POST
@login_required
def test_add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    case = find_team_case(request, public_id)
    endpoint = experiments.choose_endpoint(case, request.user)
    test = experiments.add_test(case, operator=request.user.get_username(), endpoint=endpoint)
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
    context = {**EditorPage(request, test).tryout_context(), "is_polled": True}
    return render(request, "casebook/_tryouts.html", context)


@require_POST
@login_required
def test_effort(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The expected runs and time of the form as it is entered, as a fragment; nothing is saved."""
    test = find_test(find_team_case(request, public_id), number)
    if not test.experiment.is_draft:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, "casebook/_effort.html", EditorPage(request, test).entered_effort_context())


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def test_delete(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """GET asks whether the draft is to be deleted, or says why it cannot be; POST deletes it."""
    case = find_team_case(request, public_id)
    test = find_test(case, number)
    if request.method != "POST":
        context = {"case": case, "test": test, "may_delete": experiments.may_delete(test.experiment)}
        return render(request, "casebook/test_delete.html", context)
    if experiments.delete_draft(test):
        messages.success(request, _("The draft is deleted."))
    else:
        messages.error(request, _("This test was tried or locked: it stays on record and cannot be deleted."))
    return redirect(case)


@require_safe
@never_cache
def test_detail(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """A locked test: live while it runs, then its result."""
    case = find_case(request, public_id)
    test = find_test(case, number)
    if test.experiment.is_draft:
        return redirect("casebook:test-edit", case.public_id, number)
    context = {
        **live_context(request, test),
        "locked": view_locked(test.experiment, number_writer(get_language() or "en")),
        "appraisal": show_appraisal(test),
        "exploratory_runs": test.experiment.runs.exploratory().count(),
    }
    return render(request, "casebook/test_detail.html", context)


@require_safe
@never_cache
def test_live(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The live part of the page as a fragment; once the test is sealed the whole page is asked for instead."""
    test = find_test(find_case(request, public_id), number)
    if test.experiment.state == State.SEALED:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "casebook/_live.html", live_context(request, test))


def live_context(request: HttpRequest, test: CaseTest) -> dict[str, Any]:
    """What changes while a test runs: read again every few seconds, so nothing else belongs here."""
    numbers = number_writer(get_language() or "en")
    experiment = test.experiment
    result, waits = experiment.latest_result(), is_idle(experiment)
    return {
        "case": test.case,
        "test": test,
        "experiment": experiment,
        "result": result,
        "arms": view_arms(experiment, result, numbers),
        "differences": view_differences(result, numbers),
        "clusters": view_clusters(result, numbers),
        "progress": None if experiment.is_over else measure_progress(experiment, numbers),
        "waiting": list_waiting(experiment, numbers),
        "is_idle": waits,
        "pause": choose_pause(experiment, is_idle=waits),
        "reason": quote_reason(experiment.reason, numbers),
        "latest": latest_answers(experiment),
        "can_steer": is_on_team(test.case, request.user),
        **_find_waiting(request, experiment),
    }


def _find_waiting(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    """Whether the test waits for another one, and which one, if the visitor may see that."""
    rival = find_rival(experiment)
    if rival is None:
        return {"is_waiting": False, "rival": None}
    seen = CaseTest.objects.filter(experiment=rival, case__in=Case.objects.visible_to(request.user))
    return {"is_waiting": True, "rival": seen.select_related("case", "experiment").first()}


@require_POST
@login_required
def test_steer(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """Pause or resume."""
    test = find_test(find_team_case(request, public_id), number)
    action = request.POST.get("action", "")
    if action not in ("pause", "resume"):
        raise Http404
    return _steer(request, test, action)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def test_cancel(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """Ask before a test is ended for ever; the answer cancels it."""
    test = find_test(find_team_case(request, public_id), number)
    experiment = test.experiment
    if request.method == "POST" and not experiment.is_draft:
        return _steer(request, test, "cancel")
    if experiment.is_draft or experiment.is_over:
        return redirect(test)
    context = {
        "case": test.case,
        "test": test,
        "experiment": experiment,
        "made": experiment.runs.counted().finished().count(),
        "labelled": sum(arm.runs for arm in experiment.arms.all()),
    }
    return render(request, "casebook/test_cancel.html", context)


def _steer(request: HttpRequest, test: CaseTest, action: str) -> HttpResponse:
    if not experiments.steer(test, action, by=request.user.get_username()):
        messages.warning(request, _("The test had moved on already; this is its state now."))
    return redirect(test)


@require_safe
def run_list(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    case = find_case(request, public_id)
    test = find_test(case, number)
    label = request.GET.get("label", "")
    runs = list_runs(test.experiment, label)
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
        "arm_name": _name_arm(test.experiment, run),
        "shown_text": shown,
        "hidden_characters": len(run.text) - len(shown),
    }
    return render(request, "casebook/run_detail.html", context)


def _name_arm(experiment: Experiment, run: Run) -> str:
    """The arm of a run; exploratory runs are made before any arm is locked."""
    if run.zone == Zone.EXPLORATORY:
        return ""
    return say_arm(experiment.protocol_document["arms"][run.arm]["name"])


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
