"""The search field above the list of cases."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from casebook.forms.fields import PlainTextField


class SearchCasesForm(forms.Form):
    q = PlainTextField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("title, product, party or error")}),
    )

    def words(self) -> str:
        """What to look for; nothing when the field holds something that cannot be looked for."""
        return str(self.cleaned_data["q"]) if self.is_valid() else ""
