"""Cases, their teams and their incidents."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.deletion import Collector
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from casebook.conversation import Turn, disputed_prompt, parse_conversation


class CaseQuerySet(models.QuerySet["Case"]):
    def for_user(self, user: Any) -> CaseQuerySet:
        """The cases of whose team `user` is a member; samples are not among them."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(is_sample=False, memberships__user=user)

    def samples(self, language: str) -> CaseQuerySet:
        return self.filter(is_sample=True, language=language)

    def visible_to(self, user: Any) -> CaseQuerySet:
        """What `user` may read: the cases of their teams, and every sample."""
        if not user.is_authenticated:
            return self.filter(is_sample=True)
        return self.filter(models.Q(is_sample=True) | models.Q(memberships__user=user)).distinct()

    def matching(self, words: str) -> CaseQuerySet:
        """Cases in which every word of `words` occurs, in the title, the parties or the incident."""
        found = self
        for word in words.split():
            found = found.filter(
                models.Q(title__icontains=word)
                | models.Q(incidents__product__icontains=word)
                | models.Q(incidents__provider__icontains=word)
                | models.Q(incidents__deployer__icontains=word)
                | models.Q(incidents__what_is_wrong__icontains=word)
            )
        return found.distinct()

    def with_measurements(self) -> CaseQuerySet:
        """Incidents, tests and reports at hand, without the long documents of results and reports."""
        from casebook.models.reports import Report

        reports = Report.objects.select_related("result__experiment__case_test").defer(
            "context", "result__document_json"
        )
        return self.prefetch_related(
            "incidents", "tests__experiment__arms", models.Prefetch("reports", queryset=reports)
        )


class Case(models.Model):
    """The file: incidents, exhibits, tests and reports, visible to its team only (samples excepted)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("summary"), blank=True, max_length=5000)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="en")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    is_sample = models.BooleanField(default=False)
    sample_key = models.CharField(max_length=40, blank=True)
    copied_from = models.CharField(max_length=40, blank=True)  # the sample's key, so that its notice stays
    # Data of a sample: outcome, legal note, sources, illustration notice, suggested protocol (casebook.law.cases).
    background = models.JSONField(default=dict, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="cases")

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ("-updated_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("sample_key", "language"),
                condition=models.Q(is_sample=True),
                name="one_sample_per_language",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("casebook:case-detail", args=[self.public_id])

    @property
    def illustration_notice(self) -> str:
        """Why a sample, or a copy of one, says nothing about the named provider's product; for today's reader."""
        return self.notice_in(get_language() or "en")

    def notice_in(self, language: str) -> str:
        """The notice in `language` if the sample has it so, otherwise as it is recorded; empty if there is none."""
        samples = {} if self.language == language else self._sample_backgrounds()
        return str(samples.get(language, self.background).get("illustration_notice", ""))

    def question_in(self, question: str, language: str) -> str:
        """`question` in `language` if it is word for word the one that the sample proposes, otherwise as it is."""
        proposed = {
            code: (background.get("protocol") or {}).get("question")
            for code, background in self._sample_backgrounds().items()
        }
        return str(proposed.get(language) or question) if question in proposed.values() else question

    def _sample_backgrounds(self) -> dict[str, dict[str, Any]]:
        """The background of the sample that this case is, or was copied from, by language."""
        key = self.sample_key or self.copied_from
        rows = Case.objects.filter(is_sample=True, sample_key=key) if key else Case.objects.none()
        return dict(rows.values_list("language", "background"))

    def twin_in(self, language: str) -> Case | None:
        """The same sample in another language; None for a case that is none, or is in `language` already."""
        if not self.is_sample or self.language == language:
            return None
        return Case.objects.samples(language).filter(sample_key=self.sample_key).first()

    def incident(self) -> Incident:
        """The case's first incident: the disputed exchange that its tests rerun."""
        return self.incidents.order_by("pk")[0]

    def is_owned_by(self, user: Any) -> bool:
        return bool(
            user.is_authenticated and self.memberships.filter(user=user, role=Membership.Role.OWNER).exists()
        )

    def is_draft(self) -> bool:
        """Whether nothing was measured yet: only such a case can be deleted."""
        return not self.tests.filter(experiment__ledger__isnull=False).exists()


def protect_last_owners(collector: Collector, field: Any, memberships: Any, using: str) -> None:
    """Delete the memberships of deleted people, unless a case would be left that nobody owns (`ProtectedError`)."""
    leaving = [membership.pk for membership in memberships]
    owners = Membership.objects.using(using).filter(role=Membership.Role.OWNER)
    left = owners.exclude(pk__in=leaving).filter(case=models.OuterRef("case"))
    last = owners.filter(~models.Exists(left), pk__in=leaving)
    if last:
        raise models.ProtectedError("A case would be left without an owner.", set(last))
    models.CASCADE(collector, field, memberships, using)


class Membership(models.Model):
    """A person's place in the team of a case."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MEMBER = "member", _("member")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=protect_last_owners, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("added_at", "pk")
        constraints = [models.UniqueConstraint(fields=("case", "user"), name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}"  # no title: the admin shows it, and sees no cases


class Incident(models.Model):
    """One dated disputed exchange with an AI system, the harm it did and the warning that was shown."""

    class Harm(models.TextChoices):
        NONE = "none", _("none known")
        MONEY = "money", _("loss of money")
        REPUTATION = "reputation", _("reputation")
        HEALTH = "health", _("health")
        RIGHTS = "rights", _("loss of a right or a deadline")
        DISTRESS = "distress", _("distress")
        OTHER = "other", _("other")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="incidents")
    product = models.CharField(_("product"), max_length=200)
    provider = models.CharField(_("provider"), max_length=200, blank=True)
    deployer = models.CharField(_("deployer"), max_length=200, blank=True)
    # Canonical text of casebook.dates: "2024-05-12", "2024-05", "~2024"; empty when unknown.
    occurred_on = models.CharField(_("date of the incident"), max_length=12, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    interface = models.CharField(_("interface used"), max_length=200, blank=True)
    system_prompt = models.TextField(_("system prompt, if known"), blank=True)
    conversation = models.TextField(_("conversation"))
    disputed_answer = models.TextField(_("disputed answer"))
    what_is_wrong = models.TextField(_("what is wrong in it"))
    wrong_statement = models.CharField(_("the wrong words"), max_length=500, blank=True)
    truth = models.TextField(_("what is true"))
    truth_source = models.TextField(_("source of the truth"), blank=True)
    harm_kind = models.CharField(_("kind of harm"), max_length=12, choices=Harm.choices, default=Harm.NONE)
    harm_amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2, null=True, blank=True)
    harm_currency = models.CharField(_("currency"), max_length=3, blank=True)
    harm = models.TextField(_("harm in words"), blank=True)
    disclaimer = models.TextField(_("text of the disclaimer"), blank=True)
    disclaimer_place = models.CharField(_("where it was shown"), max_length=300, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.product} {self.occurred_on}".strip()

    def turns(self) -> tuple[Turn, ...]:
        return parse_conversation(self.conversation, self.product)

    def disputed_prompt(self) -> tuple[Turn, ...]:
        """The messages that were sent to obtain the disputed answer, the system prompt first if it is known."""
        turns = disputed_prompt(self.turns(), self.disputed_answer)
        system = (Turn(role="system", content=self.system_prompt),) if self.system_prompt.strip() else ()
        return system + turns
