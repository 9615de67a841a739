"""Paraphrases proposed by a model: asking for them, watching them arrive, approving and discarding them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casebook import experiments
from casebook.forms.proposals import ProposalForm, ProposalRequestForm
from casebook.models import CaseTest, Proposal
from casebook.proposals import ProposalError, approve, discard, request_proposals
from casebook.report_numbers import number_writer
from casebook.reporting.reasons import write_reason
from casebook.views.arms import find_draft


def open_proposals(test: CaseTest) -> HttpResponse:
    return redirect("casebook:proposal-list", test.case.public_id, test.number)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def proposal_list(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The form that asks a model for paraphrases, and all that were proposed for this draft."""
    test = find_draft(request, public_id, number)
    if not test.experiment.is_draft:
        return redirect(test)
    posted = request.POST if request.method == "POST" else None
    form = ProposalRequestForm(posted, user=request.user, endpoint=test.experiment.draft["endpoint"])
    if form.is_valid():
        data = form.cleaned_data
        try:
            request_proposals(test, data["endpoint"], data["count"], by=request.user.get_username())
        except ProposalError as error:
            messages.warning(request, str(error))
        return open_proposals(test)
    return render(request, "casebook/proposal_list.html", {**list_context(test), "form": form})


@require_safe
@login_required
@never_cache
def proposal_poll(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The proposals as a fragment that is polled while they are made."""
    test = find_draft(request, public_id, number)
    return render(request, "casebook/_proposals.html", list_context(test))


def list_context(test: CaseTest) -> dict[str, Any]:
    latest = test.proposal_requests.order_by("-pk").first()
    proposals = Proposal.objects.filter(request__test=test).select_related("request")
    seen = experiments.draft_sha256(test.experiment.draft)
    forms = [
        (
            proposal,
            ProposalForm(
                initial={"text": proposal.text, "seen_sha256": seen}, auto_id=f"id_{proposal.pk}_%s"
            ),
        )
        for proposal in proposals.order_by("-request", "number")
    ]
    return {
        "case": test.case,
        "test": test,
        "latest": latest,
        "is_open": latest is not None and latest.is_open,
        "made": latest.proposals.count() if latest else 0,
        "message": write_reason(latest.message, number_writer(get_language() or "en")) if latest else "",
        "undecided": [pair for pair in forms if not pair[0].decision],
        "decided": [proposal for proposal, _form in forms if proposal.decision],
    }


@require_POST
@login_required
def proposal_decide(request: HttpRequest, public_id: UUID, number: int, pk: int) -> HttpResponse:
    """Approve a proposal as it stands in the form, or discard it."""
    test = find_draft(request, public_id, number)
    proposal = get_object_or_404(
        Proposal.objects.select_related("request__test__case"), pk=pk, request__test=test
    )
    if not test.experiment.is_draft:
        return redirect(test)
    form = ProposalForm(request.POST)
    try:
        if request.POST.get("action") == "discard":
            discard(proposal, by=request.user.get_username())
        elif not form.is_valid():
            problems = [error for errors in form.errors.values() for error in errors]
            messages.warning(request, " ".join(map(str, problems)))
        else:
            _approve(request, proposal, form)
    except ProposalError as error:
        messages.warning(request, str(error))
    return open_proposals(test)


def _approve(request: HttpRequest, proposal: Proposal, form: ProposalForm) -> None:
    data = form.cleaned_data
    if approve(proposal, data["text"], by=request.user.get_username(), seen_sha256=data["seen_sha256"]):
        messages.success(request, _("The paraphrase is an arm of the draft now."))
    else:
        messages.warning(
            request, _("This draft was changed in the meantime: nothing was approved. Look at it again.")
        )
