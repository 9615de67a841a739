"""Paraphrases that a model proposed, and what people made of them before the protocol was locked."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casebook.models.measurements import CaseTest
from ensemble.models import Endpoint, RequestedWork


class ProposalRequest(RequestedWork):
    """One request for paraphrases of the disputed prompt; `seed` is that of the first, the others follow from it."""

    test = models.ForeignKey(CaseTest, on_delete=models.CASCADE, related_name="proposal_requests")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed_by = models.CharField(max_length=300)  # endpoint (model), as they were called then
    prompt = models.TextField()  # the message that was to be put into other words
    count = models.PositiveSmallIntegerField()
    seed = models.PositiveIntegerField()
    requested_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"{self.test}: {self.count} paraphrases by {self.proposed_by}"


class Proposal(models.Model):
    """One proposed paraphrase. `raw` is the model's answer as it came; `text` what it offers as a paraphrase.

    `approved_text` is what a person made of it and approved; empty for one that was not.
    """

    class Problem(models.TextChoices):
        """Why a proposal cannot be approved as it is."""

        EMPTY = "empty", _("The answer is empty.")
        REFUSED = "refused", _("The model refused.")
        CUT_OFF = "cut off", _("The answer was cut off.")
        VERBATIM = "verbatim", _("This is the disputed prompt itself.")
        DUPLICATE = "duplicate", _("Another proposal or paraphrase of this test says the same.")
        ECHO = "echo", _("It repeats the instruction that the model was given.")
        UNRELATED = "unrelated", _("It shares no word of meaning with the question.")

    class Decision(models.TextChoices):
        APPROVED = "approved", _("approved")
        DISCARDED = "discarded", _("discarded")

    request = models.ForeignKey(ProposalRequest, on_delete=models.CASCADE, related_name="proposals")
    number = models.PositiveSmallIntegerField()
    raw = models.TextField(blank=True)
    text = models.TextField(blank=True)
    problem = models.CharField(max_length=10, choices=Problem.choices, blank=True)
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    approved_text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("request", "number")
        constraints = [models.UniqueConstraint(fields=("request", "number"), name="one_proposal_per_number")]

    def __str__(self) -> str:
        return f"{self.request} #{self.number}"

    @property
    def decided_text(self) -> str:
        """The text that was approved, else what was discarded."""
        return self.approved_text or self.text
