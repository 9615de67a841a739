"""The forms of the further arms: which fields an arm has follows from what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from casebook.arm_drafts import new_key
from casebook.arms import LARGEST_OWN_RUNS, OWN_RUNS, ArmDraft, find_last_question
from casebook.forms.fields import PlainTextField
from casebook.forms.protocol_fields import EndpointField, LinesField
from casebook.renaming import rename_text
from ensemble.models import Endpoint
from ensemble.protocol import Message, Purpose

LONGEST_TEXT = 100_000
LONGEST_NAME = 40
MOST_NAMES = 10


@dataclass(frozen=True, kw_only=True)
class ArmSetting:
    """What a form is filled in from: `entry` is empty for a new arm, `messages` are the disputed prompt."""

    user: Any
    draft_sha256: str
    entry: ArmDraft
    messages: tuple[Message, ...]
    disclaimer: str
    time_zone: str
    runs: int  # proposed, for arms with a number of their own

    @property
    def system(self) -> str:
        return "\n\n".join(message.content for message in self.messages if message.role == "system")

    @property
    def question(self) -> str:
        """The user's last message."""
        return self.messages[find_last_question(self.messages)].content


class ArmForm(forms.Form):
    """What every arm has. Subclasses add fields, their first values, and what these mean for the entry."""

    purpose: ClassVar[Purpose]
    seen_sha256 = forms.CharField(widget=forms.HiddenInput)
    # That of the entry; a new arm's comes with its form, so that a second click saves the same arm again.
    key = forms.RegexField("^[0-9a-f]{8}$", widget=forms.HiddenInput)

    def __init__(self, posted: Mapping[str, Any] | None, *, setting: ArmSetting) -> None:
        self.setting = setting
        super().__init__(posted, initial=self.initial_values(setting))
        if isinstance(endpoint := self.fields.get("endpoint"), forms.ModelChoiceField):
            endpoint.queryset = Endpoint.objects.usable_by(setting.user)
            known = setting.entry.get("endpoint")
            if known and not endpoint.queryset.filter(pk=known).exists():
                endpoint.help_text = _(
                    "You may not use the endpoint that this arm has now: saving replaces it."
                )

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        return {"seen_sha256": setting.draft_sha256, "key": setting.entry.get("key") or new_key()}

    def entry(self) -> dict[str, Any]:
        """What the fields say, in the keys of an entry of the draft."""
        return {}


class NamedArmForm(ArmForm):
    """An arm whose kind alone may not tell it from others."""

    name = PlainTextField(
        label=_("Short name"),
        required=False,
        max_length=LONGEST_NAME,
        help_text=_("Tells arms of one kind apart. It is printed in the report."),
    )

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        return {**super().initial_values(setting), "name": setting.entry.get("name", "")}

    def entry(self) -> dict[str, Any]:
        return {**super().entry(), "name": self.cleaned_data["name"]}


class EndpointArmForm(NamedArmForm):
    purpose = Purpose.ENDPOINT
    endpoint = EndpointField(label=_("Endpoint"), queryset=Endpoint.objects.none())

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        return {**super().initial_values(setting), "endpoint": setting.entry.get("endpoint")}

    def entry(self) -> dict[str, Any]:
        return {**super().entry(), "endpoint": self.cleaned_data["endpoint"].pk}


class SystemArmForm(NamedArmForm):
    """An own system prompt, filled in with the recorded one; what is left as it was stays “as recorded”."""

    system = PlainTextField(
        label=_("System prompt"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Empty: this arm has none."),
    )
    endpoint = EndpointField(
        label=_("Endpoint"),
        queryset=Endpoint.objects.none(),
        required=False,
        empty_label=_("that of the primary arm"),
    )

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        known = setting.entry.get("system")
        system = setting.system if known is None else known
        endpoint = setting.entry.get("endpoint")
        return {**super().initial_values(setting), "system": system, "endpoint": endpoint}

    def entry(self) -> dict[str, Any]:
        endpoint = self.cleaned_data["endpoint"]
        return {
            **super().entry(),
            "system": keep_changed(self.cleaned_data["system"], self.setting.system),
            "endpoint": endpoint.pk if endpoint else None,
        }


class DisclaimerArmForm(SystemArmForm):
    """The system prompt with the disclaimer of the incident beneath it."""

    purpose = Purpose.DISCLAIMER

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        values = super().initial_values(setting)
        if setting.entry:
            return values
        return {**values, "system": "\n\n".join(filter(None, (setting.system, setting.disclaimer)))}


class TextsArmForm(SystemArmForm):
    """The user's last message besides."""

    prompt = PlainTextField(
        label=_("The user’s last message"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 5})
    )
    field_order = ("name", "system", "prompt", "endpoint")

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        known = setting.entry.get("prompt")
        prompt = setting.question if known is None else known
        return {**super().initial_values(setting), "prompt": prompt}

    def entry(self) -> dict[str, Any]:
        prompt = keep_changed(self.cleaned_data["prompt"], self.setting.question)
        return {**super().entry(), "prompt": prompt}


def keep_changed(text: str, recorded: str) -> str | None:
    """None for the recorded text, which a form gives back without the white space around it."""
    return None if text == recorded.strip() or text == recorded else text


class NameArmForm(NamedArmForm):
    """Pairs of names: a name to replace and what takes its place."""

    purpose = Purpose.IRRELEVANT_NAME
    old = LinesField(
        label=_("Names to replace, one per line"),
        most=MOST_NAMES,
        help_text=_(
            "As they are written in the prompt and in the phrases of the detector, in every form that occurs: the "
            "whole name, the surname alone, inflected forms. Upper and lower case differ."
        ),
    )
    new = LinesField(
        label=_("Their replacements, in the same order"),
        most=MOST_NAMES,
        help_text=_("The name of nobody who is known: an invented one, of the same kind and origin."),
    )

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        pairs = setting.entry.get("replace") or []
        names = {name: "\n".join(pair[place] for pair in pairs) for place, name in enumerate(("old", "new"))}
        return {**super().initial_values(setting), **names}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "old" in data and "new" in data:
            if len(data["old"]) != len(data["new"]):
                self.add_error("new", _("Give as many replacements as names."))
            elif twice := [name for name in data["old"] if data["old"].count(name) > 1]:
                self.add_error("old", _("“%(name)s” stands there twice.") % {"name": twice[0]})
            elif not self._occurs(data):
                self.add_error("old", _("The disputed prompt holds none of these names, written like this."))
        return data

    def _occurs(self, data: Mapping[str, Any]) -> bool:
        pairs = list(zip(data["old"], data["new"], strict=True))
        texts = [message.content for message in self.setting.messages]
        return any(rename_text(text, pairs) != text for text in texts)

    def entry(self) -> dict[str, Any]:
        pairs = zip(self.cleaned_data["old"], self.cleaned_data["new"], strict=True)
        return {**super().entry(), "replace": [list(pair) for pair in pairs]}


class OwnRunsForm(ArmForm):
    """An arm with a number of runs of its own."""

    runs = forms.IntegerField(label=_("Labelled runs"), min_value=1, max_value=LARGEST_OWN_RUNS)

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        runs = setting.entry.get("runs") or setting.runs or OWN_RUNS[self.purpose]
        return {**super().initial_values(setting), "runs": runs}

    def entry(self) -> dict[str, Any]:
        return {**super().entry(), "runs": self.cleaned_data["runs"]}


class ParaphraseArmForm(OwnRunsForm):
    purpose = Purpose.PARAPHRASE
    prompt = PlainTextField(
        label=_("The same question in other words"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "It takes the place of the user’s last message. Keep every name, number, date and condition; best written "
            "by somebody who has not seen which wordings fail."
        ),
    )
    runs = forms.IntegerField(
        label=_("Labelled runs"),
        min_value=1,
        max_value=LARGEST_OWN_RUNS,
        help_text=_(
            "One number for all paraphrases of this test: a change here changes it for each of them."
        ),
    )

    def initial_values(self, setting: ArmSetting) -> dict[str, Any]:
        prompt = setting.entry.get("prompt")
        return {**super().initial_values(setting), "prompt": setting.question if prompt is None else prompt}

    def clean_prompt(self) -> str:
        text: str = self.cleaned_data["prompt"]
        if keep_changed(text, self.setting.question) is None:
            raise ValidationError(_("This is the disputed prompt itself: put it into other words."))
        return text

    def entry(self) -> dict[str, Any]:
        return {**super().entry(), "prompt": self.cleaned_data["prompt"]}
