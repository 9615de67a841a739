"""Model endpoints, for administrators: list, add, change, check."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from casebook.forms.endpoints import EndpointForm
from casebook.neutral_names import say_endpoint
from ensemble.endpoints import count_tests_under_way
from ensemble.models import Endpoint
from ensemble.tasks import check_endpoint, enqueue_on_commit


def administrators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let administrators in, send visitors to the log-in, tell others that they may not."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not getattr(request.user, "is_staff", False):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@administrators_only
def endpoint_list(request: HttpRequest) -> HttpResponse:
    endpoints = Endpoint.objects.prefetch_related("users")
    return render(request, "casebook/endpoint_list.html", {"endpoints": endpoints})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def endpoint_add(request: HttpRequest) -> HttpResponse:
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _save_and_check(request, form)
    return render(request, "casebook/endpoint_edit.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def endpoint_edit(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk)
    form = EndpointForm(request.POST if request.method == "POST" else None, instance=endpoint)
    if form.is_valid():
        return _save_and_check(request, form)
    context = {"form": form, "endpoint": endpoint, "tests_under_way": count_tests_under_way(endpoint)}
    return render(request, "casebook/endpoint_edit.html", context)


def _save_and_check(request: HttpRequest, form: EndpointForm) -> HttpResponse:
    with transaction.atomic():
        endpoint = form.save()
        _queue_check(endpoint)
    name = say_endpoint(endpoint.name, endpoint.backend)
    messages.success(request, _("“%(name)s” is saved and is being checked.") % {"name": name})
    return redirect("casebook:endpoint-list")


def _queue_check(endpoint: Endpoint) -> None:
    with transaction.atomic():
        Endpoint.objects.filter(pk=endpoint.pk).update(
            check_state="queued", check_message="", check_report={}
        )
        enqueue_on_commit(check_endpoint, endpoint.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def endpoint_check(request: HttpRequest, pk: int) -> HttpResponse:
    """POST asks a worker for a check; GET is the state of the last one, which the list polls."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    if request.method == "POST":
        _queue_check(endpoint)
        endpoint.refresh_from_db()
    if getattr(request, "htmx", False):
        return render(request, "casebook/_endpoint_check.html", {"endpoint": endpoint, "is_fragment": True})
    return redirect("casebook:endpoint-list")
