"""The protocol editor: a draft as form fields and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from casebook.experiments import (
    DEFAULT_ANYTIME_RUNS,
    LARGEST_ANYTIME_RUNS,
    LARGEST_FIXED_RUNS,
    LARGEST_HALF_WIDTH,
    LARGEST_THRESHOLD,
    LEAST_ANYTIME_RUNS,
    LEAST_HALF_WIDTH,
    LEAST_THRESHOLD,
    Draft,
    draft_sha256,
)
from casebook.forms.fields import PlainTextField
from casebook.forms.protocol_fields import (
    EndpointField,
    LinesField,
    NumberTextField,
    design_choices,
    is_unwell,
)
from casebook.report_numbers import number_writer
from ensemble.detectors import build_detector
from ensemble.errors import ProtocolError
from ensemble.models import Endpoint
from ensemble.protocol import Sampling, decimal_text

MOST_TEMPERATURES = 6
MOST_REFUSALS = 300

# Fields that only one choice uses: the page hides them with the others, so what stands in them must not matter.
_TEXT_FIELDS = (
    "match",
    "error_phrases",
    "correct_phrases",
    "otherwise",
    "ignore_case",
    "fold_yo",
    "whole_words",
)
_NUMBER_FIELDS = ("rule", "truth", "disputed", "tolerance", "tolerance_kind", "pick", "decimal_mark", "unit")
FIELDS_OF_CHOICES = {
    "detector": {"text": _TEXT_FIELDS, "number": _NUMBER_FIELDS},
    "stopping": {
        "fixed": ("runs",),
        "precision": ("design",),
        "anytime": ("most_runs", "threshold", "narrow_enough"),
    },
}
# What decides how many runs a test may take.
PLANNING_FIELDS = {"temperatures", "stopping", *chain.from_iterable(FIELDS_OF_CHOICES["stopping"].values())}


class ProtocolForm(forms.Form):
    """Everything of a protocol that a person decides. The disputed prompt itself is not among it: it is verbatim."""

    seen_sha256 = forms.CharField(widget=forms.HiddenInput)
    title = PlainTextField(
        label=_("Name of the test"),
        required=False,
        max_length=80,
        help_text=_(
            "Tells this test from the others of the case, on pages and in reports, for example “temperature 0”. "
            "Without a name it is called by its number."
        ),
    )
    question = PlainTextField(
        label=_("What the test is to find out"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    endpoint = EndpointField(label=_("Endpoint"), queryset=Endpoint.objects.none())

    temperature = NumberTextField(label=_("Temperature"), min_value=0, max_value=5, decimal_places=3)
    top_p = NumberTextField(label="top_p", min_value=0, max_value=1, decimal_places=4)
    top_k = forms.IntegerField(label="top_k", min_value=0, max_value=100_000)
    min_p = NumberTextField(label="min_p", min_value=0, max_value=1, decimal_places=4)
    repeat_penalty = NumberTextField(
        label=_("Repeat penalty"), min_value=Decimal("0.1"), max_value=5, decimal_places=3
    )
    max_tokens = forms.IntegerField(label=_("Longest answer, tokens"), min_value=1, max_value=32_768)
    context_length = forms.IntegerField(label=_("Context length, tokens"), min_value=128, max_value=1_048_576)
    stop = LinesField(label=_("Stop sequences, one per line"), required=False)
    temperatures = PlainTextField(
        label=_("Other temperatures"),
        required=False,
        help_text=_(
            "Each adds an arm to the test: the same prompt at this temperature, with as many runs and a result of its "
            "own. Separate them with spaces or semicolons: 0; 0.3; 1.2"
        ),
    )

    detector = forms.ChoiceField(
        label=_("What decides"),
        choices=[
            ("text", _("Words of the answer")),
            ("number", _("A number in the answer")),
        ],
        widget=forms.RadioSelect,
    )
    match = forms.ChoiceField(
        label=_("How to look for them"),
        choices=[
            ("contains", _("as words, anywhere in the answer")),
            ("starts with", _("as words, at the start of the answer")),
            ("pattern", _("as patterns (RE2 regular expressions), anywhere")),
        ],
        required=False,
    )
    error_phrases = LinesField(label=_("These mean the error, one per line"), required=False)
    correct_phrases = LinesField(label=_("These mean that the error is absent, one per line"), required=False)
    otherwise = forms.ChoiceField(
        label=_("Label of an answer with none of these"),
        choices=[("no error", _("no error")), ("unclear", _("unclear")), ("error", _("error"))],
        required=False,
        help_text=_(
            "“No error” means: not this error. The answer may be wrong in another way. Where the error can also be put "
            "in words that are not listed, “unclear” is the better choice: such answers are shown apart and count "
            "neither way."
        ),
    )
    ignore_case = forms.BooleanField(label=_("Upper and lower case count as the same"), required=False)
    fold_yo = forms.BooleanField(label=_("Russian ё counts as е"), required=False)
    whole_words = forms.BooleanField(label=_("Whole words only"), required=False)

    rule = forms.ChoiceField(
        label=_("The answer is an error if its number"),
        choices=[
            ("differs", _("differs from the true number")),
            ("equals disputed", _("equals the disputed number")),
        ],
        required=False,
    )
    truth = NumberTextField(label=_("True number"), required=False)
    disputed = NumberTextField(label=_("Disputed number"), required=False)
    tolerance = NumberTextField(label=_("Tolerance"), required=False, min_value=0)
    tolerance_kind = forms.ChoiceField(
        label=_("The tolerance is"),
        choices=[("absolute", _("an amount")), ("relative", _("a share of the true number"))],
        required=False,
    )
    pick = forms.ChoiceField(
        label=_("Which number of the answer counts"),
        choices=[
            ("first", _("the first")),
            ("last", _("the last")),
            ("only", _("the only one; if there are several, the answer is unclear")),
        ],
        required=False,
    )
    decimal_mark = forms.ChoiceField(
        label=_("Decimal mark in answers"),
        choices=[("auto", _("as the answer shows")), ("point", _("point")), ("comma", _("comma"))],
        required=False,
    )
    unit = PlainTextField(
        label=_("Unit that must stand with the number, if any"), required=False, max_length=40
    )

    refusal_phrases = LinesField(
        label=_("An answer that opens with one of these is a refusal, one per line"),
        required=False,
        most=MOST_REFUSALS,
    )
    stopping = forms.ChoiceField(
        label=_("Stopping rule"),
        choices=[
            ("fixed", _("A fixed number of runs")),
            ("precision", _("Planned precision")),
            ("anytime", _("Anytime")),
        ],
        widget=forms.RadioSelect,
    )
    runs = forms.IntegerField(
        label=_("Labelled runs in each arm"), required=False, min_value=1, max_value=LARGEST_FIXED_RUNS
    )
    design = forms.ChoiceField(label=_("Precision"), choices=design_choices, required=False)
    most_runs = forms.IntegerField(
        label=_("Largest number of labelled runs in each arm"),
        required=False,
        min_value=LEAST_ANYTIME_RUNS,
        max_value=LARGEST_ANYTIME_RUNS,
    )
    threshold = NumberTextField(
        label=_("Threshold, percent"),
        required=False,
        min_value=(LEAST_THRESHOLD * 100).normalize(),
        max_value=(LARGEST_THRESHOLD * 100).normalize(),
        decimal_places=2,
        help_text=_(
            "Decides whether the share of errors is over or under it; an arm ends as soon as that is decided. "
            "Empty: no decision."
        ),
    )
    narrow_enough = NumberTextField(
        label=_("Narrow enough at, ± percentage points"),
        required=False,
        min_value=(LEAST_HALF_WIDTH * 100).normalize(),
        max_value=(LARGEST_HALF_WIDTH * 100).normalize(),
        decimal_places=2,
        help_text=_("An arm ends as soon as its interval is as narrow as this. Empty: no such end."),
    )

    def __init__(self, posted: Mapping[str, Any] | None, *, user: Any, draft: Draft) -> None:
        super().__init__(posted, initial=initial_values(draft))
        self._draft = draft
        endpoint = self.fields["endpoint"]
        assert isinstance(endpoint, forms.ModelChoiceField)
        endpoint.queryset = Endpoint.objects.usable_by(user)

    def has_unwell_endpoint(self) -> bool:
        endpoint = self.fields["endpoint"]
        assert isinstance(endpoint, forms.ModelChoiceField)
        return any(is_unwell(choice) for choice in endpoint.queryset or ())

    def clean_temperatures(self) -> list[str]:
        parts = self.cleaned_data["temperatures"].replace(";", " ").split()
        field = NumberTextField(min_value=0, max_value=5, decimal_places=3)
        values = [decimal_text(field.clean(part)) for part in parts]
        if len(values) > MOST_TEMPERATURES:
            raise ValidationError(_("At most %(most)s other temperatures.") % {"most": MOST_TEMPERATURES})
        return list(dict.fromkeys(values))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._forget_unchosen(data)
        if data.get("stopping") == "fixed" and not data.get("runs") and "runs" not in self.errors:
            self.add_error("runs", _("Enter the number of runs."))
        if data.get("stopping") == "anytime" and not data.get("most_runs") and "most_runs" not in self.errors:
            self.add_error("most_runs", _("Enter the largest number of runs."))
        if not self.errors:
            self._check_detector(data)
        return data

    def _forget_unchosen(self, data: Mapping[str, Any]) -> None:
        """Mistakes in fields of a choice that was not made: nobody sees them, and nothing reads the values."""
        for choice, fields in FIELDS_OF_CHOICES.items():
            unchosen = [names for value, names in fields.items() if value != data.get(choice)]
            for name in chain.from_iterable(unchosen):
                self.errors.pop(name, None)

    def _check_detector(self, data: Mapping[str, Any]) -> None:
        try:
            build_detector(_detector_spec(data))
        except ProtocolError as error:
            self.add_error(error.field if error.field in self.fields else "detector", str(error))

    def draft(self) -> Draft:
        """The draft that these fields describe; what no field of this form shows stays as it was."""
        return {**self._draft, **draft_from_fields(self.cleaned_data)}

    def read_plan(self) -> Draft | None:
        """The draft as entered, to estimate its runs; None while what decides them is mistaken.

        Mistakes elsewhere leave the saved values.
        """
        if self.is_valid():
            return self.draft()
        if not PLANNING_FIELDS.isdisjoint(self.errors):
            return None
        data = self.cleaned_data
        return {**self._draft, "temperatures": data["temperatures"], "stopping": _stopping_of(data)}


def draft_from_fields(data: Mapping[str, Any]) -> Draft:
    sampling = Sampling(
        temperature=data["temperature"],
        top_p=data["top_p"],
        top_k=data["top_k"],
        min_p=data["min_p"],
        repeat_penalty=data["repeat_penalty"],
        max_tokens=data["max_tokens"],
        context_length=data["context_length"],
        stop=tuple(data["stop"]),
    )
    return {
        "title": data["title"],
        "question": data["question"],
        "endpoint": data["endpoint"].pk,
        "sampling": sampling.document(),
        "temperatures": data["temperatures"],
        "detector": _detector_spec(data),
        "refusal_phrases": data["refusal_phrases"],
        "stopping": _stopping_of(data),
    }


def _stopping_of(data: Mapping[str, Any]) -> dict[str, Any]:
    if data["stopping"] == "fixed":
        return {"kind": "fixed", "runs": data["runs"]}
    if data["stopping"] == "anytime":
        return {
            "kind": "anytime",
            "max_runs": data["most_runs"],
            "threshold": _share_of(data["threshold"]),
            "half_width": _share_of(data["narrow_enough"]),
        }
    half_width, level = data["design"].split() if data["design"] else ("0.1", "0.95")
    return {"kind": "precision", "half_width": half_width, "level": level}


def _detector_spec(data: Mapping[str, Any]) -> dict[str, Any]:
    if data["detector"] == "text":
        names = ("error_phrases", "correct_phrases", "ignore_case", "fold_yo", "whole_words")
        choices = {"match": data["match"] or "contains", "otherwise": data["otherwise"] or "no error"}
        return {"kind": "text", **choices, **{name: data[name] for name in names}}
    numbers = {name: _number_text(data[name]) for name in ("truth", "disputed")}
    return {
        "kind": "number",
        "rule": data["rule"] or "differs",
        **{name: value for name, value in numbers.items() if value is not None},
        "tolerance": _number_text(data["tolerance"]) or "0",
        "tolerance_kind": data["tolerance_kind"] or "absolute",
        "pick": data["pick"] or "last",
        "decimal_mark": data["decimal_mark"] or "auto",
        "unit": data["unit"],
    }


def _number_text(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)


def initial_values(draft: Draft) -> dict[str, Any]:
    """Form values for a draft. Fields of the detector that is not chosen get their defaults."""
    detector, stopping = draft["detector"], draft["stopping"]
    numbers = number_writer(get_language() or "en")
    sampling = Sampling.from_document(draft["sampling"])
    return {
        "seen_sha256": draft_sha256(draft),
        "title": draft.get("title", ""),
        "question": draft["question"],
        "endpoint": draft["endpoint"],
        **{name: getattr(sampling, name) for name in Sampling.__dataclass_fields__ if name != "stop"},
        "stop": "\n".join(sampling.stop),
        "temperatures": "; ".join(map(numbers.write_decimal, draft["temperatures"])),
        "detector": detector["kind"],
        "match": "contains",
        "otherwise": "no error",
        "ignore_case": True,
        "fold_yo": True,
        "whole_words": True,
        "rule": "differs",
        "tolerance": "0",
        "pick": "last",
        **{name: value for name, value in detector.items() if name != "kind"},
        "error_phrases": "\n".join(detector.get("error_phrases", [])),
        "correct_phrases": "\n".join(detector.get("correct_phrases", [])),
        "refusal_phrases": "\n".join(draft["refusal_phrases"]),
        "stopping": stopping["kind"],
        "runs": stopping.get("runs", 100),
        "most_runs": stopping.get("max_runs", DEFAULT_ANYTIME_RUNS),
        "threshold": _percent_of(stopping.get("threshold")),
        "narrow_enough": _percent_of(stopping.get("half_width")) if stopping["kind"] == "anytime" else None,
        "design": f"{stopping.get('half_width', '0.1')} {stopping.get('level', '0.95')}",
    }


def _share_of(percent: Decimal | None) -> str:
    return "" if percent is None else decimal_text(percent / 100)


def _percent_of(share: str | None) -> Decimal | None:
    return Decimal(decimal_text(Decimal(share) * 100)) if share else None


class TryOutForm(forms.Form):
    """How many exploratory runs to make; kept with the draft, as are the sample answers."""

    count = forms.IntegerField(label=_("Exploratory runs"), min_value=1, max_value=20, initial=5)


class SampleAnswersForm(forms.Form):
    """Answers to try the detector on."""

    answers = PlainTextField(
        label=_("Sample answers"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One answer per line. Their labels appear below after “Save and try the detector”."),
    )
