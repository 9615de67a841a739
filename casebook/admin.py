"""Django's admin: accounts, and a look at records that nobody changes by hand.

Cases are not here: they are their team's. Endpoints have pages of their own, which check what is entered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import ngettext

from ensemble.models import Experiment, LedgerEntry, WorkerPulse

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    PlainUserAdmin = UserAdmin[User]
else:
    ModelAdmin, PlainUserAdmin = admin.ModelAdmin, UserAdmin

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(PlainUserAdmin):
    """Django's, except that it says what to do when deleting somebody would leave a case without an owner."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        if not protected:
            return to_delete, counts, perms_needed, protected
        # Only memberships are protected (`protect_last_owners`); their cases are none of the administrator's business.
        reason = ngettext(
            "The last owner of %(count)s case: nobody could open it any more. Have another member made its owner "
            "first, or do not delete the account but clear “Active”.",
            "The last owner of %(count)s cases: nobody could open them any more. Have another member made the owner "
            "of each first, or do not delete the account but clear “Active”.",
            len(protected),
        )
        return to_delete, counts, perms_needed, [reason % {"count": len(protected)}]


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
