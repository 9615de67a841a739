"""Help: the documentation, readable without an account."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from casebook.guide import PAGES, USER_GUIDE, open_guide


@require_safe
def show_guide(request: HttpRequest, name: str = USER_GUIDE) -> HttpResponse:
    if name not in PAGES:
        raise Http404
    guide = open_guide(name, get_language() or "en")
    return render(request, "casebook/help.html", {"guide": guide, "is_user_guide": name == USER_GUIDE})
