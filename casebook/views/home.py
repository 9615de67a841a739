"""The first page: what Casebook is; for those who are logged in, their cases and what waits."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from casebook.main_path import find_next_step
from casebook.models import Case

RECENT_CASES = 5


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    cases = Case.objects.for_user(request.user).with_measurements()[:RECENT_CASES]
    context = {
        "cases": [(case, find_next_step(case)) for case in cases],
        "samples": Case.objects.samples(get_language() or "en").with_measurements(),
    }
    return render(request, "casebook/home.html", context)


@require_safe
def sample_list(request: HttpRequest) -> HttpResponse:
    samples = Case.objects.samples(get_language() or "en").with_measurements()
    return render(request, "casebook/sample_list.html", {"samples": samples})
