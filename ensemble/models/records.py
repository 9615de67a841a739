"""What is recorded once and never changed: runs and ledger entries."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from ensemble.models.experiments import Experiment
from ensemble.protocol import Label, Outcome


class Zone(models.TextChoices):
    """Which account a run belongs to: only counted runs enter the result's rate."""

    COUNTED = "counted", _("counted")
    EXPLORATORY = "exploratory", _("exploratory")
    AUDIT = "audit", _("determinism audit")


class RunQuerySet(models.QuerySet["Run"]):
    def finished(self) -> RunQuerySet:
        """Runs whose answer arrived; a call that failed is kept but finishes nothing."""
        return self.exclude(outcome=Outcome.FAILED)

    def counted(self) -> RunQuerySet:
        return self.filter(zone=Zone.COUNTED)

    def exploratory(self) -> RunQuerySet:
        return self.filter(zone=Zone.EXPLORATORY)

    def audited(self) -> RunQuerySet:
        return self.filter(zone=Zone.AUDIT)


class Run(models.Model):
    """One call to the model under one arm and one seed, with its answer, outcome and label.

    `text` is what can be shown and stored anywhere (NUL and lone surrogates replaced); the exact bytes are in `raw`,
    and `answer_sha256` is over the exact UTF-8 answer without a salt and serves the audit. The
    salted hashes that the ledger publishes follow from `salts` (16 bytes each for request, response and text).
    """

    OUTCOMES = [(item.value, item.value) for item in Outcome]
    LABELS = [(item.value, item.value) for item in Label]

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="runs")
    zone = models.CharField(max_length=12, choices=Zone.choices)
    arm = models.PositiveSmallIntegerField()
    index = models.PositiveIntegerField()
    seed = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField(default=1)
    remade = models.BooleanField(
        default=False
    )  # a worker died here before: the call may have been made twice
    outcome = models.CharField(max_length=10, choices=OUTCOMES)
    label = models.CharField(max_length=10, choices=LABELS, blank=True)
    label_reason = models.TextField(blank=True)
    text = models.TextField(blank=True)
    text_sha256 = models.CharField(max_length=64, blank=True)  # salted, as in the ledger
    answer_sha256 = models.CharField(max_length=64, blank=True)
    group_sha256 = models.CharField(max_length=64, blank=True)  # of the normalised answer
    raw = models.BinaryField(default=b"")
    salts = models.BinaryField(max_length=48)
    finish_reason = models.CharField(max_length=40, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(default=0)
    warm = models.BooleanField(null=True)
    reported_model = models.CharField(max_length=200, blank=True)
    remote = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("zone", "arm", "index", "attempt")
        constraints = [
            models.UniqueConstraint(
                fields=("experiment", "zone", "arm", "index"),
                condition=~models.Q(outcome="failed"),
                name="one_answer_per_index",
            ),
            models.UniqueConstraint(
                fields=("experiment", "zone", "arm", "index", "attempt"), name="one_row_per_attempt"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zone} arm {self.arm} run {self.index}"

    @property
    def seconds(self) -> float:
        return self.duration_ms / 1000

    @property
    def arm_number(self) -> int:
        """The arm as people count: from 1."""
        return self.arm + 1


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def delete(self) -> NoReturn:
        raise TypeError("Ledger entries are never deleted.")

    def update(self, **_kwargs: Any) -> NoReturn:
        raise TypeError("Ledger entries are never changed.")


class LedgerEntry(models.Model):
    """One line of a test's append-only chain; `ensemble.ledger` writes and checks it."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="ledger")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    line = models.TextField()  # canonical JSON, without the newline
    sha256 = models.CharField(max_length=64)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        ordering = ("seq",)
        constraints = [models.UniqueConstraint(fields=("experiment", "seq"), name="ledger_without_gaps")]
        indexes = [models.Index(fields=("experiment", "kind"))]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Ledger entries are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Ledger entries are never deleted.")
