"""The protocol editor's page: what its buttons do, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from casebook import experiments
from casebook.arm_buttons import follow_button
from casebook.arm_list import list_arms, list_offers
from casebook.arms import check_before_locking, list_agreeing_controls
from casebook.draft_sections import list_differing
from casebook.effort import Effort, estimate_effort
from casebook.figures import (
    ExpectedRuns,
    ExpectedRunsFigure,
    draw_both_widths,
    draw_expected_runs,
)
from casebook.forms.protocol import ProtocolForm, SampleAnswersForm, TryOutForm
from casebook.models import CaseTest
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter, number_writer
from casebook.reporting.reasons import write_reason
from casebook.tryouts import advise, is_waiting, label_runs
from ensemble.detectors import build_detector
from ensemble.detectors.base import Finding
from ensemble.errors import EnsembleError, ProtocolError
from ensemble.models import Endpoint

# What the engine answers, in its English, when something else went first.
ENGINE_REFUSALS = (
    gettext_noop("Exploratory runs are still being made. Lock the protocol when they are done."),
    gettext_noop("Exploratory runs are already being made."),
    gettext_noop("The protocol is locked: no exploratory runs any more."),
    gettext_noop("This protocol is locked already."),
)


@dataclass
class EditorPage:
    """One request to the editor of a draft test."""

    request: HttpRequest
    test: CaseTest
    form: ProtocolForm = field(init=False)
    answers: SampleAnswersForm = field(init=False)
    tryout: TryOutForm = field(init=False)

    def __post_init__(self) -> None:
        posted = self.request.POST if self.request.method == "POST" else None
        draft = self.test.experiment.draft
        self.form = ProtocolForm(posted, user=self.request.user, draft=draft)
        self.form.fields["title"].widget.attrs["placeholder"] = _("Test %(number)s") % {
            "number": self.test.number
        }
        self.answers = SampleAnswersForm(posted, initial=draft.get("tryout"))
        self.tryout = TryOutForm(posted, initial=draft.get("tryout"))

    def act(self) -> HttpResponse | None:
        """Save, then do what the pressed button says; None when the page is to be shown again."""
        if not self._save():
            return None if self.test.experiment.is_draft else redirect(self.test)
        actions = {"try": self._try_out, "detect": self._try_detector, "lock": self._lock}
        if leads := follow_button(self.request, self.test):
            return leads
        action = actions.get(self.request.POST.get("action", ""), self._report_saved)
        try:
            return action()
        except ProtocolError as error:
            self.form.add_error(error.field if error.field in self.form.fields else None, str(error))
        except EnsembleError as error:
            messages.warning(self.request, _(str(error)))
        return None

    def _save(self) -> bool:
        if not self.form.is_valid():
            return False
        seen = self.form.cleaned_data["seen_sha256"]
        draft = {**self.form.draft(), "tryout": self._read_tryout()}
        if experiments.save_draft(self.test, draft, seen_sha256=seen):
            self._refresh_seen()
            return True
        self.test.experiment.refresh_from_db()
        self.form.add_error(None, self._explain_conflict(draft))
        self._refresh_seen()  # saving again is then a decision, not an accident
        return False

    def _explain_conflict(self, entered: dict[str, Any]) -> str:
        sections = list_differing(entered, self.test.experiment.draft)
        if not sections:
            return _(
                "This draft was changed in the meantime, in another window or by a teammate. "
                "Compare, and save again to keep what you see here."
            )
        return _(
            "This draft was changed in the meantime, in another window or by a teammate. What you see here differs "
            "from what is saved in these sections: %(sections)s. Compare, and save again to keep what you see here."
        ) % {"sections": ", ".join(_("“%(name)s”") % {"name": name} for name in sections)}

    def _read_tryout(self) -> dict[str, Any]:
        """Sample answers and number of runs as typed; what is not valid stays as it was, and hinders its own button."""
        kept = dict(self.test.experiment.draft.get("tryout") or {})
        for form in (self.answers, self.tryout):
            if form.is_valid():
                kept |= form.cleaned_data
        return kept

    def _report_saved(self) -> HttpResponse:
        messages.success(self.request, _("The draft is saved."))
        return self._reload()

    def _reload(self, fragment: str = "") -> HttpResponse:
        response = redirect("casebook:test-edit", self.test.case.public_id, self.test.number)
        if fragment:
            response["Location"] += f"#{fragment}"
        return response

    def _try_out(self) -> HttpResponse | None:
        if not self.tryout.is_valid():
            return None
        experiments.try_out(self.test, self.tryout.cleaned_data["count"])
        return self._reload("tryouts")

    def _try_detector(self) -> None:
        """Saving was all: the page shows the labels of the saved sample answers."""

    def _list_findings(self) -> list[tuple[str, Finding]]:
        draft = self.test.experiment.draft
        lines = (draft.get("tryout") or {}).get("answers", "").splitlines()
        return experiments.try_detector(
            draft["detector"], draft["refusal_phrases"], [line for line in lines if line.strip()]
        )

    def _refresh_seen(self) -> None:
        posted = self.request.POST.copy()
        posted["seen_sha256"] = experiments.draft_sha256(self.test.experiment.draft)
        self.form.data = posted

    def _lock(self) -> HttpResponse:
        check_before_locking(self.test.experiment.draft, self.request.user)
        experiments.lock_and_run(self.test, by=self.request.user.get_username())
        messages.success(
            self.request, _("The protocol is locked. Its runs begin as soon as the endpoint is free.")
        )
        return redirect(self.test)

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """The endpoint of the saved draft."""
        return Endpoint.objects.filter(pk=self.test.experiment.draft["endpoint"] or 0).first()

    @cached_property
    def numbers(self) -> NumberWriter:
        return number_writer(get_language() or "en")

    def context(self) -> dict[str, Any]:
        case = self.test.case
        prompt = experiments.verbatim_prompt(case)
        return {
            "form": self.form,
            "answers_form": self.answers,
            "tryout_form": self.tryout,
            "findings": self._list_findings(),
            "prompt": prompt,
            "prompt_sha256": experiments.prompt_sha256(prompt),
            "begun_from": self.test.experiment.draft.get("begun_from"),
            "may_delete": experiments.may_delete(self.test.experiment),
            "arm_lines": list_arms(self.test, self.numbers),
            "arm_offers": list_offers(),
            **self.tryout_context(),
        }

    def tryout_context(self) -> dict[str, Any]:
        """The exploratory runs as the detector labels them now, and what they say of the draft: advice and effort."""
        experiment = self.test.experiment
        runs = list(experiment.runs.exploratory().defer("raw").order_by("-index", "-attempt"))
        batch = experiment.batches.order_by("-pk").first()
        prompt = experiments.verbatim_prompt(self.test.case)
        return {
            "case": self.test.case,
            "test": self.test,
            "model_is_too_small": experiments.is_beyond_embedded_model(experiment.draft, prompt),
            "batch": batch,
            "batch_message": write_reason(batch.message, self.numbers) if batch else "",
            "batch_is_open": batch is not None and batch.is_open,
            "batch_waits": batch is not None and is_waiting(batch),
            "exploratory": label_runs(runs, build_detector(experiment.draft["detector"])),
            "advice": advise(self.test, self.numbers),
            "agreeing_controls": [say_arm(name) for name in list_agreeing_controls(experiment.draft)],
            "endpoint": self.endpoint,
            "sampling": experiment.draft["sampling"],
            **self.effort_context(),
        }

    def entered_effort_context(self) -> dict[str, Any]:
        """The estimate for what the form holds, which stays unsaved; for the saved draft if that cannot be read."""
        entered = self.form.read_plan()
        if entered is not None:
            self.test.experiment.draft = entered
        return {**self.effort_context(), "is_entered": entered is not None, "is_mistaken": entered is None}

    def effort_context(self) -> dict[str, Any]:
        """The expected runs and time of the draft at hand."""
        effort = estimate_effort(self.test)
        return {"effort": effort, "effort_figure": self._draw_effort(effort)}

    def _draw_effort(self, effort: Effort) -> str:
        """Expected runs at several true rates; only the plan of a precision says them beforehand."""
        if self.test.experiment.draft["stopping"]["kind"] != "precision":
            return ""
        rows = tuple(ExpectedRuns(share=share, runs=runs) for share, runs in effort.expected)
        figure = ExpectedRunsFigure(figure_id="expected-runs", labels=self.numbers.labels, rows=rows)
        return draw_both_widths(draw_expected_runs, figure)
