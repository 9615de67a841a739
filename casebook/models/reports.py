"""Reports: a frozen context and the PDF that is rendered from it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casebook.models.cases import Case
from ensemble.models import SealedResult


def report_path(report: Report, _name: str) -> str:
    return f"reports/{report.case.public_id}/{report.public_id}.pdf"


class Report(models.Model):
    """A PDF evidence report. `context` is everything it prints, so rendering it again gives the same bytes."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RENDERING = "rendering", _("rendering")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    result = models.ForeignKey(SealedResult, on_delete=models.PROTECT, related_name="reports")
    language = models.CharField(max_length=5, choices=settings.LANGUAGES)
    context = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    message = models.TextField(blank=True)
    file = models.FileField(upload_to=report_path, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    pages = models.PositiveIntegerField(null=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    owner = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField(default=timezone.now)
    claims = models.PositiveSmallIntegerField(
        default=0
    )  # how often a worker began to render it since it was asked for

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.case} ({self.language})"
