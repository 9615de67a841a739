"""The buttons of the editor's list of arms: they save the form like every button of it, then lead to an arm's page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from casebook import experiments
from casebook.arm_drafts import drop_entry, find_entry
from casebook.models import CaseTest


def open_editor(test: CaseTest) -> HttpResponse:
    """Back to the list of arms in the editor."""
    response = redirect("casebook:test-edit", test.case.public_id, test.number)
    response["Location"] += "#arms"
    return response


def open_new_arm(test: CaseTest, purpose: str) -> HttpResponse:
    """To the form of a new arm of this kind."""
    response = redirect("casebook:arm-add", test.case.public_id, test.number)
    response["Location"] += "?" + urlencode({"purpose": purpose})
    return response


def follow_button(request: HttpRequest, test: CaseTest) -> HttpResponse | None:
    """Where the pressed button leads, the draft being saved; None for buttons that are none of ours."""
    action, _space, which = request.POST.get("action", "").partition(" ")
    place = (test.case.public_id, test.number)
    if action == "add-arm":
        return open_new_arm(test, which)
    if action == "edit-arm" and find_entry(test.experiment.draft, which):
        return redirect("casebook:arm-edit", *place, which)
    if action == "remove-arm":
        remove_arm(request, test, which, seen_sha256=experiments.draft_sha256(test.experiment.draft))
        return open_editor(test)
    return redirect("casebook:proposal-list", *place) if action == "propose-arms" else None


def remove_arm(request: HttpRequest, test: CaseTest, key: str, *, seen_sha256: str) -> None:
    """Take the arm out of the draft, and say what came of it."""
    draft = test.experiment.draft
    if find_entry(draft, key) is None:
        messages.warning(request, _("This arm was removed in the meantime."))
    elif experiments.save_draft(test, drop_entry(draft, key), seen_sha256=seen_sha256):
        messages.success(request, _("The arm is removed."))
    else:
        messages.warning(
            request, _("This draft was changed in the meantime: nothing was removed. Look at it again.")
        )
        test.experiment.refresh_from_db()
