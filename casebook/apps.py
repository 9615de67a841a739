from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CasebookConfig(AppConfig):
    name = "casebook"
    verbose_name = _("Casebook")

    def ready(self) -> None:
        from casebook import checks  # noqa: F401  (importing registers the system checks)
