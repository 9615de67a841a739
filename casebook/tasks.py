"""Celery tasks of the web application: rendering reports on a queue of their own, proposing paraphrases."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from ensemble.owners import owner_name


@shared_task
def render_report(report_id: int) -> None:
    from casebook.reports import (
        render_report as render,  # WeasyPrint comes with it: only when a report is rendered
    )

    render(report_id, owner_name())


@shared_task
def sweep_reports() -> None:
    """Put back into the queue the reports that are not rendered and that no worker holds."""
    from casebook.models import Report
    from ensemble.sweeping import free_leases

    free_leases(Report)
    waiting = Report.objects.filter(state__in=("queued", "rendering"), leased_until__lte=timezone.now())
    for report_id in waiting.values_list("pk", flat=True):
        render_report.delay(report_id)


@shared_task
def propose_paraphrases(request_id: int) -> None:
    from casebook.proposals import make_proposals

    make_proposals(request_id, owner_name())


@shared_task
def sweep_proposals() -> None:
    """Put back into the queue the requests for paraphrases that are not done and that no worker holds."""
    from casebook.models import ProposalRequest
    from ensemble.sweeping import free_leases

    free_leases(ProposalRequest)
    for request_id in ProposalRequest.objects.unclaimed().values_list("pk", flat=True):
        propose_paraphrases.delay(request_id)
