"""Exhibits: files in evidence, numbered and hashed on arrival."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casebook.models.cases import Case


def exhibit_path(exhibit: Exhibit, _name: str) -> str:
    """Where the bytes lie: under a name of ours, never the uploader's."""
    return f"exhibits/{exhibit.case.public_id}/{exhibit.public_id}"


class Exhibit(models.Model):
    """A file of a case. The bytes are kept as they came; `sha256` was taken on arrival."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="exhibits")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.PositiveIntegerField()
    name = models.CharField(_("file name"), max_length=200)
    description = models.CharField(_("description"), max_length=300, blank=True)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=exhibit_path)
    received_at = models.DateTimeField(default=timezone.now)
    received_from = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=("case", "number"), name="one_exhibit_per_number")]

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")
