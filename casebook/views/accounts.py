"""Accounts: signing up, one's own page, and everything the installation knows about oneself."""

from __future__ import annotations

import json

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from casebook.forms.accounts import SignUpForm
from casebook.personal_data import collect_personal_data


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def signup(request: HttpRequest) -> HttpResponse:
    """Open on a local install; closed in production unless the settings open it."""
    if not settings.OPEN_SIGNUP:
        return render(request, "casebook/signup.html", {"form": None}, status=403)
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = form.save()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("casebook:home")
    return render(request, "casebook/signup.html", {"form": form})


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    return render(request, "casebook/account.html")


@never_cache
@require_safe
@login_required
def account_export(request: HttpRequest) -> HttpResponse:
    """Everything about the person who asks, as a JSON file."""
    document = collect_personal_data(request.user)
    body = json.dumps(document, ensure_ascii=False, indent=1, default=str)
    name = f"casebook-{timezone.now():%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="application/json; charset=utf-8", headers=headers)
