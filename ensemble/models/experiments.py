"""A test: its state, its locked protocol, the progress of its arms and the work that is claimed."""

from __future__ import annotations

import json
import uuid
from functools import cached_property
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ensemble.models.requests import RequestedWork
from ensemble.protocol import JsonValue, Protocol, SaltedText


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    def unfinished(self) -> ExperimentQuerySet:
        """Tests that still need a worker: to run, or to be sealed."""
        states = Experiment.State
        return self.filter(
            state__in=(states.LOCKED, states.RUNNING, states.COMPLETED, states.CANCELLED, states.FAILED)
        )


class Experiment(models.Model):
    """A test. It is planned as a draft, locked once, run, and sealed; every change of state is in its ledger."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        LOCKED = "locked", _("locked")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")
        SEALED = "sealed", _("sealed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=200)
    operator = models.CharField(max_length=150)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT, db_index=True)
    ended_as = models.CharField(max_length=12, blank=True)  # completed, cancelled or failed; kept when sealed
    reason = models.TextField(blank=True)  # why it is paused, cancelled or failed, for people
    draft = models.JSONField(default=dict, blank=True)
    protocol_json = models.TextField(blank=True)  # canonical; its SHA-256 is the protocol hash
    protocol_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    locked_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ExperimentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_over(self) -> bool:
        return bool(self.ended_as)

    @cached_property
    def protocol_document(self) -> dict[str, JsonValue]:
        """The locked protocol as it was hashed."""
        document: dict[str, JsonValue] = json.loads(self.protocol_json)
        return document

    @cached_property
    def protocol(self) -> Protocol:
        texts = {item.sha256: item.text for item in self.texts.all()}
        return Protocol.from_document(self.protocol_document, texts)

    def latest_result(self) -> SealedResult | None:
        return self.results.order_by("-version").first()


class ProtocolText(models.Model):
    """A text that the locked protocol refers to by its salted hash, with the salt."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="texts")
    sha256 = models.CharField(max_length=64)
    salt = models.BinaryField(max_length=16)
    text = models.TextField()

    def __str__(self) -> str:
        return self.sha256

    def salted(self) -> SaltedText:
        return SaltedText(text=self.text, salt=bytes(self.salt))


class ArmProgress(models.Model):
    """How far an arm has come. The counts are those of the longest finished prefix in seed order.

    `prefix` runs from index 0 on are finished without a gap; `errors`, `runs` and `unlabelled` count their labels.
    Once `stopped_at` is set they stay as they were at the stop.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="arms")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    next_index = models.PositiveIntegerField(default=0)  # the first index no chunk covers yet
    prefix = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    runs = models.PositiveIntegerField(default=0)
    unlabelled = models.PositiveIntegerField(default=0)
    stopped_at = models.PositiveIntegerField(null=True, blank=True)  # indexes 0 … stopped_at−1 count
    # "rule": the locked rule was met; "limit": index limit; "failed": a call stayed failed; "identity": model changed;
    # "skipped": an arm of another day that a person gave up before its first run
    stop_kind = models.CharField(max_length=10, blank=True)
    stop_reason = models.TextField(blank=True)
    audit_next = models.PositiveIntegerField(default=0)
    audit_note = models.TextField(blank=True)  # why the determinism audit could not be made
    # Runs, audit and the last look at the model are done: what that model becomes later is another arm's matter.
    is_closed = models.BooleanField(default=False)
    opens_at = models.DateTimeField(
        null=True, blank=True
    )  # no run before; empty while a person has to start it

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=("experiment", "position"), name="one_progress_per_arm")
        ]

    def __str__(self) -> str:
        return f"{self.experiment} / {self.name}"

    @property
    def is_stopped(self) -> bool:
        return bool(self.stop_kind)

    @property
    def is_waiting(self) -> bool:
        """Whether its time has not come, or nobody has started it."""
        return not self.is_stopped and (self.opens_at is None or self.opens_at > timezone.now())


class Chunk(models.Model):
    """A range of run indexes of an arm that one worker holds under a lease.

    `claims` counts how often it was taken; `abandoned` tells that the owner before died holding it.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="chunks")
    zone = models.CharField(max_length=12)
    arm = models.PositiveSmallIntegerField()
    start = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    owner = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField()
    claims = models.PositiveIntegerField(default=1)
    abandoned = models.BooleanField(default=False)
    finished = models.BooleanField(default=False)

    class Meta:
        ordering = ("zone", "arm", "start")
        constraints = [
            models.UniqueConstraint(
                fields=("experiment", "zone", "arm", "start"), name="chunks_do_not_overlap"
            )
        ]
        indexes = [models.Index(fields=("experiment", "finished"))]

    def __str__(self) -> str:
        return f"{self.zone} arm {self.arm} [{self.start}, {self.start + self.size})"


class ExploratoryBatch(RequestedWork):
    """A handful of runs asked for while the test is a draft; `plan` is the draft's protocol with its texts."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="batches")
    plan = models.JSONField()
    count = models.PositiveSmallIntegerField()
    start = models.PositiveIntegerField()  # exploratory runs are numbered through all batches of the test

    def __str__(self) -> str:
        return f"{self.experiment}: {self.count} exploratory runs"

    def protocol(self) -> Protocol:
        return Protocol.from_document(self.plan["protocol"], self.plan["texts"])


class SealedResult(models.Model):
    """A frozen result: what `result.json` holds. Sealing again makes another version."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="results")
    version = models.PositiveSmallIntegerField(default=1)
    document_json = models.TextField()
    sha256 = models.CharField(max_length=64)
    ledger_head = models.CharField(max_length=64)  # after the `sealed` entry
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("experiment", "version"), name="one_result_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.experiment} v{self.version}"

    @cached_property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.document_json)
        return document
