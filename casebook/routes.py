"""The URLs of Casebook's own pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Casebook")


app_name = "casebook"
urlpatterns: list[URLPattern] = [path("", home, name="home")]
