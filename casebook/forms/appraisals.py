"""The form in which a person appraises a sealed result: five explanations, many uses, a threshold, a cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from casebook.experiments import LARGEST_THRESHOLD, LEAST_THRESHOLD
from casebook.forms.fields import AmountField, PlainTextField
from casebook.forms.incidents import CURRENCIES
from casebook.forms.protocol_fields import NumberTextField
from casebook.models import Appraisal
from casebook.models.appraisals import Explanation, Finding

MOST_USES = 1_000_000_000
LONGEST_TEXT = 4000
FINDINGS_WITH_REASON = (Finding.EXCLUDED, Finding.SUPPORTED)
LOSS_FIELDS = ("arm", "cost", "currency")


class WholeNumberField(AmountField):
    """A count as people write it, thousands set apart or not; cleans to an int."""

    default_error_messages = {
        "invalid": _("Enter a whole number."),
        "max_decimal_places": _("Enter a whole number."),
    }

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return None if found is None else int(found)


class AppraisalForm(forms.Form):
    """Every part may be left empty. `seen` is the version that the form was opened with, 0 for none."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    uses = WholeNumberField(
        label=_("Number of uses"),
        required=False,
        min_value=1,
        max_value=MOST_USES,
        decimal_places=0,
        localize=True,
    )
    uses_source = PlainTextField(
        label=_("Where this number comes from"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Disclosure by the provider, published figures, an assumption: say which."),
    )
    threshold = NumberTextField(
        label=_("Threshold, percent"),
        required=False,
        min_value=(LEAST_THRESHOLD * 100).normalize(),
        max_value=(LARGEST_THRESHOLD * 100).normalize(),
        decimal_places=2,
        help_text=_("5 stands for 5 percent."),
    )
    arm = forms.TypedChoiceField(label=_("The costlier arm"), required=False, coerce=int, empty_value=None)
    cost = AmountField(
        label=_("Extra cost of this arm over all uses"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=14,
        decimal_places=2,
        localize=True,
        help_text=_("In total, for the number of uses given above."),
    )
    currency = PlainTextField(label=_("Currency"), required=False, max_length=3)

    def __init__(
        self,
        posted: Mapping[str, Any] | None,
        *,
        current: Appraisal | None,
        arms: Sequence[tuple[int, str]],
        has_numbers: bool,
    ) -> None:
        """`arms` are those whose extra cost can be set against a difference; without `has_numbers` nothing is asked
        from which a number would have to follow."""
        super().__init__(posted, initial=_initial_values(current))
        self._current = current
        for number, explanation in enumerate(Explanation, start=1):
            self._add_explanation(number, explanation)
        self.fields["currency"].widget.attrs.update({"list": "currencies", "autocomplete": "off"})
        choice = self.fields["arm"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", "–"), *((str(position), f"{position + 1}. {name}") for position, name in arms)]
        unasked = LOSS_FIELDS if has_numbers else ("uses", "uses_source", "threshold", *LOSS_FIELDS)
        for name in () if has_numbers and arms else unasked:
            del self.fields[name]

    def _add_explanation(self, number: int, explanation: Explanation) -> None:
        self.fields[f"{explanation}_finding"] = forms.ChoiceField(
            label=gettext("Explanation %(number)s: what was found") % {"number": number},
            choices=Finding.choices,
            initial=Finding.UNEXAMINED,
            required=False,
        )
        self.fields[f"{explanation}_text"] = PlainTextField(
            label=gettext("Explanation %(number)s: what was done, or which exhibit shows it")
            % {"number": number},
            required=False,
            max_length=LONGEST_TEXT,
            widget=forms.Textarea(attrs={"rows": 2}),
        )

    def explanations(self) -> Iterator[tuple[Explanation, BoundField, BoundField]]:
        for explanation in Explanation:
            yield explanation, self[f"{explanation}_finding"], self[f"{explanation}_text"]

    def currencies(self) -> tuple[str, ...]:
        return CURRENCIES

    def clean_currency(self) -> str:
        code: str = self.cleaned_data["currency"].upper()
        if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise ValidationError(_("Use the three letters of the currency: EUR, USD, RUB."))
        return code

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for explanation in Explanation:
            self._check_explanation(data, explanation)
        self._check_together(data, ("uses", "uses_source"))
        self._check_loss(data)
        if not self.errors and self._current is None and not any(self.answers().values()):
            raise ValidationError(_("Fill in at least one part: there is nothing to save yet."))
        return data

    def _check_explanation(self, data: Mapping[str, Any], explanation: Explanation) -> None:
        finding, text = data.get(f"{explanation}_finding"), data.get(f"{explanation}_text")
        if finding in FINDINGS_WITH_REASON and text == "":
            self.add_error(f"{explanation}_text", _("Say what was done, or which exhibit shows it."))
        if finding in ("", Finding.UNEXAMINED) and text:
            self.add_error(f"{explanation}_finding", _("Say what was found."))

    def _check_loss(self, data: Mapping[str, Any]) -> None:
        self._check_together(data, LOSS_FIELDS)
        if data.get("cost") and not data.get("uses") and "uses" not in self.errors:
            self.add_error("uses", _("The extra cost is over a number of uses: give it."))

    def _check_together(self, data: Mapping[str, Any], names: Sequence[str]) -> None:
        """Of fields that belong together, all are filled in or none."""
        given = [data.get(name) not in (None, "") or name in self.errors for name in names]
        for name, is_given in zip(names, given, strict=True):
            if any(given) and not is_given and name in self.fields:
                self.add_error(name, _("Fill this in too, or empty the fields that go with it."))

    def answers(self) -> dict[str, Any]:
        """What is filled in, by field of `Appraisal`."""
        data, threshold = self.cleaned_data, self.cleaned_data.get("threshold")
        return {
            "explanations": {
                explanation.value: {
                    "finding": data[f"{explanation}_finding"],
                    "text": data[f"{explanation}_text"],
                }
                for explanation in Explanation
                if data.get(f"{explanation}_finding") not in ("", None, Finding.UNEXAMINED)
            },
            "uses": data.get("uses"),
            "uses_source": data.get("uses_source", ""),
            "threshold": None if threshold is None else threshold / 100,
            "arm": data.get("arm"),
            "cost": data.get("cost"),
            "currency": data.get("currency", ""),
        }

    def take_over(self, current: Appraisal) -> list[str]:
        """Let the next save of this form follow `current`; the labels of the fields in which the two differ."""
        saved = _initial_values(current)
        typed = {name: self.data[name] for name in self.data}
        self.data = {**typed, "seen": str(current.version)}
        names = [name for name in self.fields if name != "seen"]
        return [
            str(self.fields[name].label)
            for name in names
            if (saved.get(name) or None) != (self.cleaned_data.get(name) or None)
        ]


def _initial_values(current: Appraisal | None) -> dict[str, Any]:
    if current is None:
        return {"seen": 0}
    threshold = current.threshold
    values: dict[str, Any] = {
        "seen": current.version,
        "uses": current.uses,
        "uses_source": current.uses_source,
        "threshold": None if threshold is None else (threshold * 100).normalize(),
        "arm": current.arm,
        "cost": current.cost,
        "currency": current.currency,
    }
    for explanation in Explanation:
        found = current.explanations.get(explanation.value, {"finding": Finding.UNEXAMINED.value, "text": ""})
        values |= {f"{explanation}_finding": found["finding"], f"{explanation}_text": found["text"]}
    return values
