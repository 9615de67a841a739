"""Asking a model for paraphrases, and deciding on one of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from casebook.forms.arms import LONGEST_TEXT
from casebook.forms.fields import PlainTextField
from casebook.forms.protocol_fields import EndpointField
from casebook.proposals import MOST_PROPOSALS
from ensemble.models import Endpoint


class ProposalRequestForm(forms.Form):
    """Which model is asked, and how often."""

    endpoint = EndpointField(
        label=_("Endpoint that proposes"),
        queryset=Endpoint.objects.none(),
        help_text=_("It need not be the one that is tested; a larger model writes better ones."),
    )
    count = forms.IntegerField(
        label=_("Number of paraphrases"), min_value=1, max_value=MOST_PROPOSALS, initial=5
    )

    def __init__(self, posted: Any, *, user: Any, endpoint: int | None) -> None:
        super().__init__(posted, initial={"endpoint": endpoint})
        field = self.fields["endpoint"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Endpoint.objects.usable_by(user)
        self.has_embedded_endpoint = field.queryset.filter(backend=Endpoint.Kind.EMBEDDED).exists()


class ProposalForm(forms.Form):
    """A proposal to approve, as it is or edited."""

    seen_sha256 = forms.CharField(widget=forms.HiddenInput)
    text = PlainTextField(
        label=_("Text"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
