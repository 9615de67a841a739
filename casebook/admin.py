"""Django's admin: accounts, and a look at records that nobody changes by hand.

Cases are not here: they are their team's. Endpoints have pages of their own, which check what is entered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from ensemble.models import Experiment, LedgerEntry, WorkerPulse

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """Rows can be looked at; the application alone writes them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("experiment_id", "seq", "kind", "sha256")
    list_filter = ("kind",)
    fields = ("experiment_id", "seq", "kind", "sha256")  # a line may hold what people wrote


@admin.register(Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "state", "ended_as", "created_at", "locked_at", "ended_at")
    list_filter = ("state",)
    fields = ("public_id", "state", "ended_as", "protocol_sha256", "created_at", "locked_at", "ended_at")


@admin.register(WorkerPulse)
class WorkerPulseAdmin(ReadOnlyAdmin):
    list_display = ("name", "queues", "seen_at")
