"""The long form: a case and its incident, in sections."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from casebook.conversation import ConversationError, explain_unknown_speaker, parse_conversation
from casebook.forms.exhibits import ExhibitFilesField
from casebook.forms.fields import (
    AmountField,
    ImpreciseDateField,
    PlainTextField,
    TimeZoneField,
    name_time_zones,
)
from casebook.models import Case, Incident
from casebook.phrases import contains_phrase

if TYPE_CHECKING:
    IncidentModelForm = forms.ModelForm[Incident]
else:
    IncidentModelForm = forms.ModelForm

# An answer of 1 MB and a conversation of 200 long turns fit; the rest is written by people.
LONG_TEXT = 2_000_000
PEOPLES_TEXT = 20_000
CURRENCIES = (
    "EUR",
    "USD",
    "GBP",
    "CAD",
    "CHF",
    "CNY",
    "KZT",
    "RUB",
    "UAH",
)  # offered; any other can be typed
LONG_FIELDS = ("conversation", "disputed_answer", "system_prompt")


@dataclass(frozen=True, kw_only=True)
class Section:
    """Some fields of the form under a heading; fields of one row stand side by side."""

    key: str
    title: Any
    help: Any
    rows: tuple[tuple[str, ...], ...]


SECTIONS = (
    Section(
        key="case",
        title=_("What happened"),
        help=_("Who used which product, and when. Everything can be corrected later."),
        rows=(
            ("title",),
            ("product", "interface"),
            ("provider", "deployer"),
            ("occurred_on", "time_zone"),
            ("summary",),
        ),
    ),
    Section(
        key="exchange",
        title=_("What was said"),
        help=_("Paste the conversation up to the disputed answer, word for word: its prompt will be rerun."),
        rows=(("conversation",), ("disputed_answer",), ("system_prompt",)),
    ),
    Section(
        key="error",
        title=_("What is wrong"),
        help=_("From this, Casebook proposes the rule that will recognise the error in other answers."),
        rows=(("what_is_wrong",), ("wrong_statement",), ("truth",), ("truth_source",)),
    ),
    Section(
        key="harm",
        title=_("The harm"),
        help=_("As far as it is known today."),
        rows=(("harm_kind",), ("harm_amount", "harm_currency"), ("harm",)),
    ),
    Section(
        key="warning",
        title=_("The warning"),
        help=_("Any notice that the AI may be wrong: its exact words, and where the user saw it."),
        rows=(("disclaimer",), ("disclaimer_place",)),
    ),
)
FILES_SECTION = Section(
    key="files",
    title=_("Files"),
    help=_(
        "Screenshots, exports, letters. Each is numbered and hashed on arrival and kept exactly as received."
    ),
    rows=(("attachments",),),
)

HELP_TEXTS = {
    "product": _("The name the user saw."),
    "interface": _("Website, app, telephone, API…"),
    "provider": _("Who makes the AI system, if known."),
    "deployer": _("Who offered it to the user, if that was somebody else."),
    "occurred_on": _(
        "A day, a month or a year, exact or approximate: 2024-05-12, 2024-05, 2024, about 2024."
    ),
    "time_zone": _("Where the user was. Example: Europe/Moscow."),
    "disputed_answer": _("Leave empty if the conversation ends with it."),
    "system_prompt": _("The hidden instruction to the model. Usually nobody knows it: leave it empty then."),
    "what_is_wrong": _("In your own words."),
    "wrong_statement": _(
        "A phrase from the disputed answer, word for word, that any answer with this error would contain."
    ),
    "truth_source": _("A link, a document, a statute: where this can be checked, and when you checked it."),
    "disclaimer": _("Leave empty if there was none."),
    "disclaimer_place": _("In the answer, below the input field, in the terms of use…"),
}
LABELS = {
    "disclaimer": _("Text of the notice"),
    "disclaimer_place": _("Where it was shown"),
    "harm": _("The harm in words"),
    "wrong_statement": _("The wrong words"),
}
CONVERSATION_EXAMPLE = _("User: May I claim the refund after the trip?\nAssistant: Yes, within 90 days.")
ROWS = {
    "conversation": 9,
    "disputed_answer": 5,
    "system_prompt": 2,
    "summary": 2,
    "truth_source": 2,
    "harm": 3,
}


def make_form_field(column: models.Field[Any, Any], **options: Any) -> forms.Field | None:
    """The form field of a model field: every free text becomes a `PlainTextField`."""
    if isinstance(column, models.TextField):
        limit = LONG_TEXT if column.name in LONG_FIELDS else PEOPLES_TEXT
        rows = {"rows": ROWS.get(column.name, 3)}
        widget = forms.Textarea(attrs=rows)
        return column.formfield(form_class=PlainTextField, max_length=limit, widget=widget, **options)
    if isinstance(column, models.DecimalField):
        return column.formfield(form_class=AmountField, localize=True, min_value=0, **options)
    if isinstance(column, models.CharField) and not column.choices:
        return column.formfield(form_class=PlainTextField, **options)
    return column.formfield(**options)


class IncidentForm(IncidentModelForm):
    """A case and its first incident. Text that fails a check is shown again, with what is wrong beside it."""

    title = PlainTextField(
        label=_("Title"),
        max_length=200,
        help_text=_("Short, as it will appear on the report, for example “Refund denied by chatbot”."),
    )
    summary = PlainTextField(
        label=_("Summary"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One or two sentences for the list of cases."),
    )
    occurred_on = ImpreciseDateField(
        label=_("Date of the incident"), required=False, help_text=HELP_TEXTS["occurred_on"]
    )
    time_zone = TimeZoneField(label=_("Time zone"), required=False, help_text=HELP_TEXTS["time_zone"])

    class Meta:
        model = Incident
        exclude = ("case",)
        formfield_callback = staticmethod(make_form_field)
        help_texts = HELP_TEXTS
        labels = LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["disputed_answer"].required = False
        self.fields["conversation"].widget.attrs["placeholder"] = CONVERSATION_EXAMPLE
        self.fields["harm_currency"].widget.attrs.update({"list": "currencies", "autocomplete": "off"})
        self.fields["time_zone"].widget.attrs.update({"list": "time-zones", "autocomplete": "off"})

    def sections(self) -> Iterator[tuple[Section, list[list[BoundField]]]]:
        for section in self.layout():
            yield section, [[self[name] for name in row] for row in section.rows]

    def layout(self) -> tuple[Section, ...]:
        return SECTIONS

    def currencies(self) -> tuple[str, ...]:
        return CURRENCIES

    def time_zones(self) -> list[str]:
        """Names to choose from: those of places, and UTC."""
        places = (name for name in name_time_zones().values() if "/" in name and "Etc" not in name)
        return [*places, "UTC"]

    def clean_conversation(self) -> str:
        text: str = self.cleaned_data["conversation"]
        try:
            parse_conversation(text, str(self["product"].value() or ""))
        except ConversationError as error:
            raise ValidationError(str(error)) from error
        return text

    def clean_harm_currency(self) -> str:
        code: str = self.cleaned_data["harm_currency"].upper()
        if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise ValidationError(_("Use the three letters of the currency: EUR, USD, RUB."))
        return code

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        self._take_last_answer(cleaned)
        self._check_wrong_words(cleaned)
        self._check_amount(cleaned)
        return cleaned

    def _take_last_answer(self, cleaned: dict[str, Any]) -> None:
        """A conversation that ends with an answer names the disputed one, unless another was pasted."""
        if cleaned.get("disputed_answer") or "conversation" not in cleaned:
            return
        turns = parse_conversation(cleaned["conversation"], cleaned.get("product", ""))
        if turns and turns[-1].role == "assistant":
            cleaned["disputed_answer"] = turns[-1].content
        else:
            message = _("Paste the disputed answer: the conversation does not end with an answer by the AI.")
            self.add_error("disputed_answer", message)
            if hint := explain_unknown_speaker(turns):
                self.add_error("conversation", hint)

    def _check_amount(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("harm_amount") is None:
            return
        if not cleaned.get("harm_currency", "missing"):
            self.add_error("harm_currency", _("Give the currency of the amount."))
        if cleaned.get("harm_kind") == Incident.Harm.NONE:
            message = _("An amount is given: choose the kind of harm it measures, or leave the amount empty.")
            self.add_error("harm_kind", message)

    def _check_wrong_words(self, cleaned: dict[str, Any]) -> None:
        words, answer = cleaned.get("wrong_statement"), cleaned.get("disputed_answer")
        touched = {"wrong_statement", "disputed_answer"} & set(self.changed_data)
        if words and answer and touched and not contains_phrase(answer, words):
            message = _("These words do not occur in the disputed answer. Copy them from it, word for word.")
            self.add_error("wrong_statement", message)


class LogIncidentForm(IncidentForm):
    """A new case. `token` becomes the case's public id, so that a second click on “Save” finds the first."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    attachments = ExhibitFilesField(required=False, label=_("Attachments"))

    def layout(self) -> tuple[Section, ...]:
        return (*SECTIONS, FILES_SECTION)

    def new_case(self, language: str) -> Case:
        """The case that a valid form describes, not saved yet."""
        cleaned = self.cleaned_data
        return Case(
            public_id=cleaned["token"], title=cleaned["title"], summary=cleaned["summary"], language=language
        )


class EditIncidentForm(IncidentForm):
    """An existing case; `version` tells whether somebody saved it since the form was opened."""

    version = forms.CharField(widget=forms.HiddenInput, required=False)

    @classmethod
    def of_case(cls, case: Case, data: Mapping[str, Any] | None = None) -> EditIncidentForm:
        initial = {"title": case.title, "summary": case.summary, "version": case.updated_at.isoformat()}
        return cls(data, instance=case.incident(), initial=initial)

    def seen_version(self) -> datetime | None:
        """When the case had last been saved as this form was opened; None when the form does not tell."""
        try:
            seen = datetime.fromisoformat(self.cleaned_data["version"])
        except ValueError:
            return None
        return seen if seen.tzinfo else None

    def take_over(self, current: Case) -> list[str]:
        """Let the next save of this form replace `current`; the labels of the fields in which the two differ."""
        saved = EditIncidentForm.of_case(current)
        typed = {name: self.data[name] for name in self.data}
        self.data = {**typed, "version": current.updated_at.isoformat()}
        names = [name for name in self.fields if name != "version"]
        return [str(self[name].label) for name in names if saved[name].initial != self.cleaned_data.get(name)]
