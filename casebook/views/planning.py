"""“How many runs do I need?”, for a case or for one of its draft tests."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from casebook.access import find_team_case
from casebook.planning_page import PlanningPage
from casebook.views.tests import find_test


@require_safe
@login_required
@never_cache
def case_planning(request: HttpRequest, public_id: UUID) -> HttpResponse:
    page = PlanningPage(request, find_team_case(request, public_id))
    return render(request, "casebook/test_planning.html", page.context())


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def test_planning(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """GET answers and saves nothing; POST takes one of the answers over into the draft."""
    test = find_test(find_team_case(request, public_id), number)
    if not test.experiment.is_draft:
        return redirect(test)
    page = PlanningPage(request, test.case, test)
    if request.method == "POST":
        return page.take_over(request.POST.get("rule", ""), seen_sha256=request.POST.get("seen_sha256", ""))
    return render(request, "casebook/test_planning.html", page.context())
