from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnsembleConfig(AppConfig):
    name = "ensemble"
    verbose_name = _("Measuring engine")
