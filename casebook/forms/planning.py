"""“How many runs do I need?”: the question as form fields in an address that can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from casebook.forms.protocol_fields import EndpointField, NumberTextField
from casebook.planning import ArmsQuestion, BoundQuestion, Question, WidthQuestion
from ensemble.models import Endpoint

# A fresh page answers this; what a shared address leaves out is taken from here.
FIRST_QUESTION = {
    "question": "width",
    "half_width": "5",
    "bound": "1",
    "share_a": "30",
    "share_b": "10",
    "power": "80",
    "level": "95",
}
FIELDS_OF_QUESTIONS = {
    "width": ("half_width",),
    "bound": ("bound",),
    "arms": ("share_a", "share_b", "power"),
}


class PlanningForm(forms.Form):
    """Shares and widths are in percent, as people say them; `read_question` gives them as shares."""

    question = forms.ChoiceField(
        label=_("What do you want to know?"),
        choices=[
            ("width", _("The share of errors, with a stated precision")),
            ("bound", _("That the share is small, should no error occur")),
            ("arms", _("Whether two arms differ")),
        ],
        widget=forms.RadioSelect,
    )
    half_width = NumberTextField(
        label=_("Precision, ± percentage points"),
        required=False,
        min_value=1,
        max_value=45,
        decimal_places=2,
    )
    bound = NumberTextField(
        label=_("The share is at most, percent"),
        required=False,
        min_value=0.05,
        max_value=50,
        decimal_places=3,
    )
    share_a = NumberTextField(
        label=_("True share in one arm, percent"),
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
    )
    share_b = NumberTextField(
        label=_("True share in the other, percent"),
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
    )
    power = forms.ChoiceField(
        label=_("Chance to show the difference"),
        choices=[("80", _("80 percent")), ("90", _("90 percent"))],
        required=False,
    )
    level = forms.ChoiceField(label=_("Level"), choices=[("95", _("95 percent")), ("99", _("99 percent"))])
    endpoint = EndpointField(
        label=_("Endpoint"), queryset=Endpoint.objects.none(), required=False, empty_label=_("none")
    )

    def __init__(self, asked: Mapping[str, Any], *, user: Any, endpoint: Endpoint | None) -> None:
        usable = Endpoint.objects.usable_by(user)
        first: dict[str, Any] = dict(FIRST_QUESTION)
        if endpoint is not None and usable.filter(pk=endpoint.pk).exists():
            first["endpoint"] = endpoint.pk
        super().__init__({**first, **asked})
        field = self.fields["endpoint"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = usable

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        asked = data.get("question", "")
        for question, names in FIELDS_OF_QUESTIONS.items():
            for name in names:
                if question != asked:
                    self.errors.pop(name, None)  # a mistake where nobody looks
                elif data.get(name) in (None, "") and name not in self.errors:
                    self.add_error(name, _("Enter a number."))
        if asked == "arms" and not self.errors and data["share_a"] == data["share_b"]:
            self.add_error("share_b", _("The two shares must differ."))
        return data

    def read_question(self) -> Question:
        data = self.cleaned_data
        level = _read_share(data["level"])
        if data["question"] == "width":
            return WidthQuestion(half_width=_read_share(data["half_width"]), level=level)
        if data["question"] == "bound":
            return BoundQuestion(bound=_read_share(data["bound"]), level=level)
        shares = {name: _read_share(data[name]) for name in ("share_a", "share_b", "power")}
        return ArmsQuestion(**shares, level=level)


def _read_share(percent: Decimal | str) -> Decimal:
    return Decimal(percent) / 100
