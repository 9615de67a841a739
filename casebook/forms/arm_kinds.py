"""The forms of controls and of repeats on another day, and which form an arm of each kind has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casebook.forms.arms import (
    LONGEST_TEXT,
    ArmForm,
    ArmSetting,
    DisclaimerArmForm,
    EndpointArmForm,
    NameArmForm,
    NamedArmForm,
    OwnRunsForm,
    ParaphraseArmForm,
    TextsArmForm,
)
from casebook.forms.fields import PlainTextField, TimeZoneField
from casebook.forms.protocol_fields import LinesField, NumberTextField
from ensemble.ledger import format_time
from ensemble.protocol import BY_HAND, Purpose, decimal_text

LATEST_BEGINNING = timedelta(days=366)
LOCAL_TIME = "%Y-%m-%dT%H:%M"  # what a browser's field for date and time sends and takes
TYPED_TIMES = (LOCAL_TIME, "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M")
_PASSED = _("This time has passed. Choose a later one.")
_LATE = _("Choose a time within a year from now.")
_CYRILLIC = re.compile("[А-Яа-яЁё]")


class OrdinaryUseForm(TextsArmForm):
    purpose = Purpose.ORDINARY_USE


class BeforeNoticeForm(TextsArmForm):
    purpose = Purpose.BEFORE_NOTICE


class AfterNoticeForm(TextsArmForm):
    purpose = Purpose.AFTER_NOTICE


class ControlArmForm(NamedArmForm, OwnRunsForm):
    """A question of its own with a detector of its own: the error is that the true answer is absent."""

    purpose = Purpose.CONTROL
    prompt = PlainTextField(
        label=_("Question"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Of the same kind and difficulty as the disputed one. The recorded system prompt is kept."
        ),
    )
    truth_kind = forms.ChoiceField(
        label=_("The true answer is"),
        choices=[("words", _("words")), ("number", _("a number"))],
        initial="words",
        widget=forms.RadioSelect,
    )
    words = LinesField(
        label=_("The true answer, every way to write it, one per line"),
        required=False,
        help_text=_("An answer with none of them counts as an error."),
    )
    truth = NumberTextField(
        label=_("True number"),
        required=False,
        help_text=_("Another number counts as an error; an answer without a number is unclear."),
    )
    tolerance = NumberTextField(label=_("Tolerance"), required=False, min_value=0)
    pick = forms.ChoiceField(
        label=_("Which number of the answer counts"),
        choices=[
            ("first", _("the first")),
            ("last", _("the last")),
            ("only", _("the only one; if there are several, the answer is unclear")),
        ],
        required=False,
    )
    answers = PlainTextField(
        label=_("Sample answers"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One answer per line, to try the detector on. They are not saved."),
    )
    field_order = ("name", "prompt", "truth_kind", "words", "truth", "tolerance", "pick", "runs", "answers")

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        detector = setting.entry.get("detector") or {}
        return {
            **super().initial_values(setting),
            "prompt": setting.entry.get("prompt", ""),
            "truth_kind": "number" if detector.get("kind") == "number" else "words",
            "words": "\n".join(detector.get("correct_phrases", [])),
            "truth": detector.get("truth"),
            "tolerance": detector.get("tolerance", "0"),
            "pick": detector.get("pick", "last"),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        numeric = data.get("truth_kind") == "number"
        for name in ("words",) if numeric else ("truth", "tolerance"):
            self.errors.pop(name, None)  # of a field that the choice hides
        if numeric and data.get("truth") is None and "truth" not in self.errors:
            self.add_error("truth", _("Enter the true number."))
        if not numeric and not data.get("words") and "words" not in self.errors:
            self.add_error("words", _("Enter the true answer."))
        return data

    def detector(self) -> dict[str, Any]:
        """The arm's own detector."""
        data = self.cleaned_data
        if data["truth_kind"] == "words":
            flags = dict.fromkeys(("ignore_case", "fold_yo", "whole_words"), True)
            phrases = {"error_phrases": [], "correct_phrases": data["words"]}
            return {"kind": "text", "match": "contains", **phrases, "otherwise": "error", **flags}
        return {
            "kind": "number",
            "rule": "differs",
            "truth": decimal_text(data["truth"]),
            "tolerance": decimal_text(data["tolerance"] or 0),
            "tolerance_kind": "absolute",
            "pick": data["pick"] or "last",
            "decimal_mark": "comma" if _CYRILLIC.search(data["prompt"]) else "auto",
            "unit": "",
        }

    def entry(self) -> dict[str, Any]:
        return {**super().entry(), "prompt": self.cleaned_data["prompt"], "detector": self.detector()}


class DayArmForm(OwnRunsForm):
    """When the disputed prompt is sent again; entered in a zone that is named, kept in UTC."""

    purpose = Purpose.DAY
    start = forms.ChoiceField(
        label=_("It begins"),
        choices=[("at", _("by itself, at this time")), (BY_HAND, _("when somebody of the team starts it"))],
        initial="at",
        widget=forms.RadioSelect,
        help_text=_(
            "The test stays open until then; its result is sealed when the last day is done or given up."
        ),
    )
    at = forms.DateTimeField(
        label=_("Date and time"),
        required=False,
        input_formats=TYPED_TIMES,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_TIME),
    )
    zone = TimeZoneField(label=_("Time zone"), required=False, help_text=_("Example: Europe/Moscow."))
    field_order = ("start", "at", "zone", "runs")

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        begins, zone = (
            setting.entry.get("begins") or "",
            setting.entry.get("zone") or setting.time_zone or "UTC",
        )
        known = datetime.fromisoformat(begins) if begins not in ("", BY_HAND) else None
        return {
            **super().initial_values(setting),
            "start": BY_HAND if begins == BY_HAND else "at",
            "at": known.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if known else None,
            "zone": zone,
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("start") == BY_HAND:
            for name in ("at", "zone"):
                self.errors.pop(name, None)
        elif not self.errors and not data.get("at"):
            self.add_error("at", _("Enter the date and time."))
        elif not self.errors:
            self._check_time(data)
        return data

    def _check_time(self, data: dict[str, Any]) -> None:
        entered, zone = data["at"].replace(tzinfo=None), ZoneInfo(data["zone"] or "UTC")
        years = entered.year - timezone.now().year
        if abs(years) > 2:  # the first year and the last have no time in other zones
            self.add_error("at", _LATE if years > 0 else _PASSED)
            return
        at = entered.replace(tzinfo=zone).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) != entered:
            self.add_error(
                "at", _("This time does not exist there: the clocks are put forward. Choose another.")
            )
        elif at <= timezone.now():
            self.add_error("at", _PASSED)
        elif at > timezone.now() + LATEST_BEGINNING:
            self.add_error("at", _LATE)
        data["begins"] = format_time(at)

    def entry(self) -> dict[str, Any]:
        data, by_hand = self.cleaned_data, self.cleaned_data["start"] == BY_HAND
        begins = BY_HAND if by_hand else data["begins"]
        zone = "" if by_hand else data["zone"] or "UTC"
        return {**super().entry(), "begins": begins, "zone": zone}


FORMS: dict[Purpose, type[ArmForm]] = {
    form.purpose: form
    for form in (
        EndpointArmForm,
        OrdinaryUseForm,
        BeforeNoticeForm,
        AfterNoticeForm,
        DisclaimerArmForm,
        NameArmForm,
        ControlArmForm,
        ParaphraseArmForm,
        DayArmForm,
    )
}


def open_form(purpose: Purpose, posted: Mapping[str, Any] | None, setting: ArmSetting) -> ArmForm:
    """The form of an arm of this kind."""
    return FORMS[purpose](posted, setting=setting)
