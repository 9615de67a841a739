"""Model endpoints, the leases on their concurrency, and the pulse of the workers."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ensemble.backends.base import EndpointConfig

PULSE_STALE_AFTER = timedelta(seconds=45)  # three sweeps: one may be late while the machine is busy


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def usable_by(self, user: Any) -> EndpointQuerySet:
        """Endpoints that are switched on and that `user` may spend calls on."""
        enabled = self.filter(is_enabled=True)
        if user.is_staff:
            return enabled
        return enabled.filter(models.Q(is_open=True) | models.Q(users=user)).distinct()


class Endpoint(models.Model):
    """A server and a model on it. Administrators add endpoints and say who may use them."""

    class Kind(models.TextChoices):
        EMBEDDED = "embedded", _("embedded model (SmolLM2-135M-Instruct)")
        OLLAMA = "ollama", _("Ollama server")
        SCRIPTED = "scripted", _("scripted answers (for tests of the instrument)")

    name = models.CharField(_("name"), max_length=80, unique=True)
    backend = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    model = models.CharField(_("model"), max_length=200, blank=True)
    # Django's URLValidator knows no host without a dot, such as the name of a container.
    url = models.CharField(
        _("server address"),
        max_length=300,
        blank=True,
        validators=[
            RegexValidator(
                r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$",
                _(
                    "Write the address as http://host:11434 or https://host, without a name or password in it."
                ),
            )
        ],
    )
    concurrency = models.PositiveSmallIntegerField(
        _("calls at once"), default=1, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    timeout_seconds = models.PositiveIntegerField(
        _("time-out of a call, seconds"),
        default=120,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
    )
    key_variable = models.CharField(
        _("environment variable that holds the key"),
        max_length=80,
        blank=True,
        validators=[
            RegexValidator(r"^CASEBOOK_KEY_[A-Z0-9_]+$", _("Use a name that starts with CASEBOOK_KEY_."))
        ],
    )
    options = models.JSONField(_("options"), default=dict, blank=True)
    # What calls cost, for planning only: no protocol, ledger or result holds it. Empty: not known.
    prompt_price = models.DecimalField(
        _("price of a million prompt tokens"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    answer_price = models.DecimalField(
        _("price of a million answer tokens"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    currency = models.CharField(
        _("currency of the prices"),
        max_length=3,
        blank=True,
        validators=[
            RegexValidator(r"^[A-Z]{3}$", _("Use the three letters of the currency, for example USD."))
        ],
    )
    is_enabled = models.BooleanField(_("in use"), default=True)
    is_open = models.BooleanField(_("open to every account"), default=True)
    users = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="endpoints")
    checked_at = models.DateTimeField(null=True, blank=True)
    check_state = models.CharField(max_length=10, blank=True)  # "", "queued", "ok", "failed"
    check_message = models.TextField(blank=True)
    check_report = models.JSONField(default=dict, blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def has_prices(self) -> bool:
        return self.prompt_price is not None and self.answer_price is not None

    def config(self) -> EndpointConfig:
        """The frozen configuration that the engine works with; the key is read from the environment now."""
        return EndpointConfig(
            name=self.name,
            backend=self.backend,
            model=self.model,
            url=self.url,
            concurrency=self.concurrency,
            timeout_seconds=float(self.timeout_seconds),
            api_key=os.environ.get(self.key_variable, "") if self.key_variable else "",
            options=self.options,
        )


class Slot(models.Model):
    """One of an endpoint's simultaneous calls, leased to a worker: no endpoint ever gets more than it allows."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="slots")
    number = models.PositiveSmallIntegerField()
    owner = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("endpoint", "number"), name="one_slot_per_number")]

    def __str__(self) -> str:
        return f"{self.endpoint} #{self.number}"


class WorkerPulse(models.Model):
    """When a worker process was last seen alive, and which queues it serves."""

    name = models.CharField(max_length=120, unique=True)
    queues = models.CharField(max_length=200)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def is_alive(cls, queue: str) -> bool:
        """Whether some worker that serves `queue` was seen lately."""
        recent = cls.objects.filter(seen_at__gte=timezone.now() - PULSE_STALE_AFTER)
        return any(queue in pulse.queues.split(",") for pulse in recent)
