"""Giving up an arm that waits."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from casebook.forms.fields import PlainTextField


class GiveUpForm(forms.Form):
    reason = PlainTextField(
        label=_("Why"),
        required=False,
        max_length=300,
        help_text=_("It is recorded in the ledger and printed in the report."),
    )
