"""Appraisals: what a person makes of a sealed result, signed and dated, apart from the measurement."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casebook.models.measurements import CaseTest


class Explanation(models.TextChoices):
    """The five rival explanations of an error that did not recur, or seldom."""

    RARE = "rare", _("The error is rare: the true share is low")
    CHANGED = "changed", _("The model was changed or corrected since")
    CONTEXT = "context", _("Part of the context is missing: memory, system prompt, retrieval, tools")
    VARIANT = "variant", _("Another region, account or variant was served")
    RECORD = "record", _("The record of the original answer was altered, or the answer was provoked")


class Finding(models.TextChoices):
    """What a person found about an explanation."""

    UNEXAMINED = "unexamined", _("not examined")
    EXCLUDED = "excluded", _("examined and excluded")
    OPEN = "open", _("cannot be excluded")
    SUPPORTED = "supported", _("supported")


class Appraisal(models.Model):
    """One version of the appraisal of a test. Versions are added and never changed; the latest one is current.

    `explanations` holds for each examined `Explanation` its finding and the text beside it. `threshold` is a share,
    `arm` the position of a further arm that costs `cost` more than the primary one over all `uses`.
    """

    test = models.ForeignKey(CaseTest, on_delete=models.PROTECT, related_name="appraisals")
    version = models.PositiveIntegerField()
    explanations = models.JSONField(default=dict)
    uses = models.PositiveBigIntegerField(null=True)
    uses_source = models.TextField(blank=True)
    threshold = models.DecimalField(max_digits=6, decimal_places=5, null=True)
    arm = models.PositiveSmallIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    signed_by = models.CharField(max_length=150)  # a user name: the signature outlives the account
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("version",)
        constraints = [models.UniqueConstraint(fields=("test", "version"), name="one_appraisal_per_version")]

    def __str__(self) -> str:
        return f"{self.test}, appraisal {self.version}"

    def answers(self) -> dict[str, Any]:
        """What was filled in, by field."""
        return {name: getattr(self, name) for name in ANSWERS}

    @property
    def is_withdrawn(self) -> bool:
        """Whether everything was taken out again."""
        return not any(self.answers().values())


ANSWERS = ("explanations", "uses", "uses_source", "threshold", "arm", "cost", "currency")
