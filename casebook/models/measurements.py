"""The tests of a case: which experiment of the engine belongs to it, and under what number."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext

from casebook.models.cases import Case
from ensemble.models import Experiment


class CaseTest(models.Model):
    """A numbered test of a case. Locked tests are never removed: a report lists every one of them."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tests")
    number = models.PositiveIntegerField()
    experiment = models.OneToOneField(Experiment, on_delete=models.PROTECT, related_name="case_test")

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=("case", "number"), name="one_test_per_number")]

    def __str__(self) -> str:
        return f"{self.case} / {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("casebook:test-detail", args=[self.case.public_id, self.number])

    @property
    def own_name(self) -> str:
        """What its planner called the test; "" for none. Tests once got the title of their case, which is no name."""
        title = self.experiment.title
        return "" if title == self.case.title else title

    @property
    def name(self) -> str:
        """The number, with the test's own name if it has one."""
        number = gettext("Test %(number)s") % {"number": self.number}
        return f"{number}: {self.own_name}" if self.own_name else number
