"""What people ask workers for besides tests: queued, claimed by one worker under a lease, then done or failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RequestedWorkQuerySet(models.QuerySet[Any]):
    def open(self) -> RequestedWorkQuerySet:
        """Neither done nor failed."""
        return self.filter(state__in=RequestedWork.OPEN)

    def unclaimed(self) -> RequestedWorkQuerySet:
        """Open, and held by no worker whose lease still runs."""
        return self.open().filter(leased_until__lte=timezone.now())


class RequestedWork(models.Model):
    """State, holder and outcome of a request; `message` says what went wrong."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    OPEN = (State.QUEUED, State.RUNNING)

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    message = models.TextField(blank=True)
    owner = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    objects = RequestedWorkQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("pk",)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @classmethod
    def give_up(cls, pk: int, owner: str, error: Exception) -> None:
        """Note that an unforeseen error ended the work: sweeps would else begin it again and again."""
        message = f"An error of type {type(error).__name__}; the administrator will find it in the log."
        cls.objects.filter(pk=pk, owner=owner).update(
            state=cls.State.FAILED, message=message, leased_until=timezone.now()
        )

    @classmethod
    def claim(cls, pk: int, owner: str, *, until: datetime) -> bool:
        """Take the request over unless somebody holds it or it is done; whether this call did."""
        free = cls.objects.unclaimed().filter(pk=pk)
        return free.update(state=cls.State.RUNNING, owner=owner, leased_until=until) == 1
