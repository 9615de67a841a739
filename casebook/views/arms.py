"""The further arms of a test: their pages while it is a draft, and those of another day while it runs."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from casebook import experiments
from casebook.access import find_team_case
from casebook.arm_buttons import open_editor, remove_arm
from casebook.arm_drafts import find_entry
from casebook.arm_page import ArmPage
from casebook.arms import OFFERED
from casebook.forms.waiting import GiveUpForm
from casebook.models import CaseTest
from casebook.report_numbers import number_writer
from casebook.views.tests import find_test
from casebook.waiting import find_waiting_arm, ran_today
from ensemble.errors import ProtocolError
from ensemble.protocol import Purpose


def find_draft(request: HttpRequest, public_id: UUID, number: int) -> CaseTest:
    """The test, for those who may change it."""
    return find_test(find_team_case(request, public_id), number)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def arm_add(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """A new arm; `purpose` in the address says of which kind."""
    test = find_draft(request, public_id, number)
    wanted = request.GET.get("purpose", "")
    if wanted not in [purpose.value for purpose in OFFERED]:
        raise Http404
    return _serve(request, test, lambda: ArmPage(request, test, Purpose(wanted)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def arm_edit(request: HttpRequest, public_id: UUID, number: int, key: str) -> HttpResponse:
    test = find_draft(request, public_id, number)
    entry = find_entry(test.experiment.draft, key)
    if entry is None:
        if request.method != "POST":
            raise Http404
        messages.warning(request, _("This arm was removed in the meantime."))
        return open_editor(test)
    return _serve(request, test, lambda: ArmPage(request, test, Purpose(entry["purpose"]), entry))


def _serve(request: HttpRequest, test: CaseTest, opening: Callable[[], ArmPage]) -> HttpResponse:
    """Show the page or do what its button says; without a primary arm there is nothing to differ from."""
    if not test.experiment.is_draft:
        return redirect(test)
    try:
        page = opening()
    except ProtocolError as error:
        messages.warning(request, str(error))
        return open_editor(test)
    response = page.act() if request.method == "POST" else None
    return response or render(request, "casebook/arm_edit.html", page.context())


@require_POST
@login_required
def arm_remove(request: HttpRequest, public_id: UUID, number: int, key: str) -> HttpResponse:
    test = find_draft(request, public_id, number)
    remove_arm(request, test, key, seen_sha256=request.POST.get("seen_sha256", ""))
    return open_editor(test) if test.experiment.is_draft else redirect(test)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def arm_start(request: HttpRequest, public_id: UUID, number: int, position: int) -> HttpResponse:
    """Ask whether a waiting arm is to begin now; the answer starts it."""
    return _steer_waiting(request, find_draft(request, public_id, number), position, "open")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def arm_give_up(request: HttpRequest, public_id: UUID, number: int, position: int) -> HttpResponse:
    """Ask whether the test is to end without a waiting arm, and why; the answer gives it up."""
    return _steer_waiting(request, find_draft(request, public_id, number), position, "skip")


def _steer_waiting(request: HttpRequest, test: CaseTest, position: int, action: str) -> HttpResponse:
    waiting = find_waiting_arm(test.experiment, position, number_writer(get_language() or "en"))
    if waiting is None:
        messages.warning(request, _("The arm had moved on already; this is its state now."))
        return redirect(test)
    form = GiveUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        by, reason = request.user.get_username(), form.cleaned_data["reason"]
        if not experiments.open_or_skip_arm(test, position, action, by=by, reason=reason):
            messages.warning(request, _("The arm had moved on already; this is its state now."))
        return redirect(test)
    context = {"case": test.case, "test": test, "arm": waiting, "action": action, "form": form}
    context["ran_today"] = action == "open" and ran_today(test.experiment)
    return render(request, "casebook/arm_waiting.html", context)
