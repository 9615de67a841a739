"""The root URLs: our pages are in casebook/routes.py."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from casebook.views.health import report_health

urlpatterns = [
    path("", include("casebook.routes")),
    path("account/", include("django.contrib.auth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("healthz", report_health, name="healthz"),
]

handler400 = "casebook.views.errors.show_bad_request"
handler403 = "casebook.views.errors.show_forbidden"
handler404 = "casebook.views.errors.show_not_found"
handler500 = "casebook.views.errors.show_server_error"
