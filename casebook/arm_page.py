"""The page of one further arm of a draft: its form, what it sends beside the disputed prompt, how it is labelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from casebook import experiments
from casebook.arm_buttons import open_new_arm
from casebook.arm_drafts import put_entry, sign_entry
from casebook.arm_purposes import PURPOSES
from casebook.arms import (
    MOST_ARMS,
    ArmDraft,
    build_arm,
    entries_of,
    name_entries,
    require_difference,
    temperature_arms,
)
from casebook.forms.arm_kinds import ControlArmForm, open_form
from casebook.forms.arms import ArmForm, ArmSetting
from casebook.models import CaseTest
from casebook.neutral_names import say_arm
from casebook.report_numbers import number_writer
from casebook.reporting.arm_words import write_origin
from casebook.reporting.planned_arms import list_own_detector
from casebook.text_changes import compare_messages
from ensemble.detectors.base import Finding
from ensemble.errors import ProtocolError
from ensemble.protocol import DETECTED_REFUSALS, Arm, Purpose, StoppingRule

# What a control changes of a conversation is all of it, and a day changes nothing.
COMPARED_TEXTS = frozenset(Purpose) - {Purpose.CONTROL, Purpose.DAY, Purpose.ENDPOINT}


@dataclass
class ArmPage:
    """One request to the page of an arm; `entry` is empty for a new one."""

    request: HttpRequest
    test: CaseTest
    purpose: Purpose
    entry: ArmDraft = field(default_factory=dict)
    form: ArmForm = field(init=False)
    findings: list[tuple[str, Finding]] = field(default_factory=list, init=False)
    entered: Arm | None = field(default=None, init=False)  # the arm as the form holds it, once that is valid

    def __post_init__(self) -> None:
        posted = self.request.POST if self.request.method == "POST" else None
        self.form = open_form(self.purpose, posted, self._setting())

    def _setting(self) -> ArmSetting:
        draft, incident = self.test.experiment.draft, self.test.case.incident()
        alike = [entry for entry in entries_of(draft) if entry["purpose"] == self.purpose]
        return ArmSetting(
            user=self.request.user,
            draft_sha256=experiments.draft_sha256(draft),
            entry=self.entry,
            messages=self.primary.messages,
            disclaimer=incident.disclaimer.strip(),
            time_zone=incident.time_zone,
            runs=alike[0].get("runs") or 0 if alike else 0,
        )

    @cached_property
    def primary(self) -> Arm:
        """Raises `ProtocolError` while the draft has no endpoint or the case no prompt."""
        return experiments.build_primary(self.test.case, self.test.experiment.draft)

    def act(self) -> HttpResponse | None:
        """Save the arm or try its detector; None when the page is to be shown again."""
        if not self.form.is_valid():
            return None
        entry = self._read_entry()
        try:
            self.entered = self._build(entry)
        except ProtocolError as error:
            self.form.add_error(error.field if error.field in self.form.fields else None, str(error))
            return None
        if self.request.POST.get("action") == "detect":
            self.findings = self._try_detector()
            return None
        return self._save(entry)

    def _read_entry(self) -> dict[str, Any]:
        known = {"key": self.entry.get("key") or self.form.cleaned_data["key"], "purpose": self.purpose.value}
        entry = {**self.entry, **self.form.entry(), **known}
        return sign_entry(entry, self.entry, self.request.user.get_username())

    def _build(self, entry: ArmDraft) -> Arm:
        """The arm of the entry. `ProtocolError` when it is wrong, or no other than the primary one or a temperature."""
        draft = self.test.experiment.draft
        entries = [entry if other.get("key") == entry.get("key") else other for other in entries_of(draft)]
        if entry not in entries:
            entries.append(entry)
        name = name_entries(entries)[entries.index(entry)]
        arm = build_arm(self.primary, entry, name=name, level=StoppingRule.level, detector=draft["detector"])
        others = [self.primary, *temperature_arms(self.primary, draft["temperatures"])]
        require_difference(arm, others)
        if len(others) + len(entries) > MOST_ARMS:
            raise ProtocolError(_("A test has at most %(most)s arms.") % {"most": MOST_ARMS})
        return arm

    def _try_detector(self) -> list[tuple[str, Finding]]:
        assert self.entered is not None
        draft = self.test.experiment.draft
        lines = self.form.cleaned_data.get("answers", "").splitlines()
        detector = self.entered.detector or draft["detector"]
        phrases = () if self.purpose in DETECTED_REFUSALS else draft["refusal_phrases"]
        return experiments.try_detector(detector, phrases, [x for x in lines if x.strip()])

    def _save(self, entry: ArmDraft) -> HttpResponse | None:
        draft = put_entry(self.test.experiment.draft, entry)
        if experiments.save_draft(self.test, draft, seen_sha256=self.form.cleaned_data["seen_sha256"]):
            messages.success(self.request, _("The arm is saved."))
            if self.request.POST.get("action") == "save-another":
                return open_new_arm(self.test, self.purpose.value)
            return redirect("casebook:arm-edit", self.test.case.public_id, self.test.number, entry["key"])
        self.test.experiment.refresh_from_db()
        if not self.test.experiment.is_draft:
            return redirect(self.test)
        self.form.add_error(
            None,
            _(
                "This draft was changed in the meantime, in another window or by a teammate. "
                "Compare, and save again to keep what you see here."
            ),
        )
        posted = self.request.POST.copy()
        posted["seen_sha256"] = experiments.draft_sha256(self.test.experiment.draft)
        self.form.data = posted  # saving again is then a decision, not an accident
        return None

    def context(self) -> dict[str, Any]:
        arm = self.entered or self._saved_arm()
        return {
            "case": self.test.case,
            "test": self.test,
            "purpose": self.purpose.value,
            "words": PURPOSES[self.purpose],
            "key": self.entry.get("key", ""),
            "form": self.form,
            "findings": self.findings,
            "has_trial": isinstance(self.form, ControlArmForm),
            "name": say_arm(arm.name) if arm else "",
            "origin": write_origin(self.purpose, self.entry.get("origin")) if self.entry else "",
            **self._describe_arm(arm),
        }

    def _saved_arm(self) -> Arm | None:
        if not self.entry or self.request.method == "POST":
            return None
        try:
            return self._build(self.entry)
        except ProtocolError as error:
            messages.warning(self.request, str(error))
            return None

    def _describe_arm(self, arm: Arm | None) -> dict[str, Any]:
        """What is sent beside the disputed prompt, and the detector where it is another."""
        if arm is None:
            return {}
        draft = self.test.experiment.draft
        numbers = number_writer(get_language() or "en")
        described = {"detector": arm.detector, "purpose": arm.purpose}
        renames = self.purpose == Purpose.IRRELEVANT_NAME
        return {
            "changes": compare_messages(self.primary.messages, arm.messages)
            if self.purpose in COMPARED_TEXTS
            else (),
            "prompt": arm.messages if self.purpose == Purpose.CONTROL else (),
            "detector": list_own_detector(described, draft, numbers),
            "keeps_detector": renames and arm.detector is None,
        }
