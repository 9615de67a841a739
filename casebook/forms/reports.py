"""Asking for a report of a sealed test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from casebook.models import Case, CaseTest

if TYPE_CHECKING:
    TestChoiceField = forms.ModelChoiceField[CaseTest]
else:
    TestChoiceField = forms.ModelChoiceField


class SealedTestField(TestChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class RequestReportForm(forms.Form):
    test = SealedTestField(label=_("Test"), queryset=CaseTest.objects.none(), empty_label=None)
    language = forms.ChoiceField(label=_("Language of the report"), choices=settings.LANGUAGES)

    def __init__(self, case: Case, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sealed = case.tests.filter(experiment__results__isnull=False).select_related("experiment").distinct()
        self.has_tests = sealed.exists()
        field = self.fields["test"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = sealed.order_by("-number")
