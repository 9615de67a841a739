"""The protocol editor's page: what its buttons do, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from casebook import experiments
from casebook.figures import (
    ExpectedRuns,
    ExpectedRunsFigure,
    draw_both_widths,
    draw_expected_runs,
    find_labels,
)
from casebook.forms.protocol import ProtocolForm, SampleAnswersForm, TryOutForm
from casebook.models import CaseTest
from ensemble.detectors import build_detector
from ensemble.detectors.base import Finding
from ensemble.errors import EnsembleError, ProtocolError
from ensemble.models import Run


@dataclass
class EditorPage:
    """One request to the editor of a draft test."""

    request: HttpRequest
    test: CaseTest
    form: ProtocolForm = field(init=False)
    answers: SampleAnswersForm = field(init=False)
    tryout: TryOutForm = field(init=False)
    findings: list[tuple[str, Finding]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        posted = self.request.POST if self.request.method == "POST" else None
        self.form = ProtocolForm(posted, user=self.request.user, draft=self.test.experiment.draft)
        self.answers = SampleAnswersForm(posted)
        self.tryout = TryOutForm(posted)

    def act(self) -> HttpResponse | None:
        """Save, then do what the pressed button says; None when the page is to be shown again."""
        if not self._save():
            return None if self.test.experiment.is_draft else redirect(self.test)
        actions = {"try": self._try_out, "detect": self._try_detector, "lock": self._lock}
        action = actions.get(self.request.POST.get("action", ""), self._report_saved)
        try:
            return action()
        except ProtocolError as error:
            self.form.add_error(error.field if error.field in self.form.fields else None, str(error))
        except EnsembleError as error:
            messages.warning(self.request, str(error))
        return None

    def _save(self) -> bool:
        if not self.form.is_valid():
            return False
        seen = self.form.cleaned_data["seen_sha256"]
        if experiments.save_draft(self.test, self.form.draft(), seen_sha256=seen):
            return True
        self.test.experiment.refresh_from_db()
        self.form.add_error(
            None,
            _(
                "This draft was changed in the meantime, in another window or by a teammate. "
                "Compare, and save again to keep what you see here."
            ),
        )
        self._refresh_seen()  # saving again is then a decision, not an accident
        return False

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
        if self.answers.is_valid():
            lines = [line for line in self.answers.cleaned_data["answers"].splitlines() if line.strip()]
            self.findings = experiments.try_detector(self.test.experiment.draft["detector"], lines)
        self._refresh_seen()

    def _refresh_seen(self) -> None:
        posted = self.request.POST.copy()
        posted["seen_sha256"] = experiments.draft_sha256(self.test.experiment.draft)
        self.form.data = posted

    def _lock(self) -> HttpResponse:
        experiments.lock_and_run(self.test, by=self.request.user.get_username())
        messages.success(self.request, _("The protocol is locked. Its runs have begun."))
        return redirect(self.test)

    def context(self) -> dict[str, Any]:
        case = self.test.case
        prompt = experiments.verbatim_prompt(case)
        return {
            "case": case,
            "test": self.test,
            "form": self.form,
            "answers_form": self.answers,
            "tryout_form": self.tryout,
            "findings": self.findings,
            "prompt": prompt,
            "prompt_sha256": experiments.prompt_sha256(prompt),
            "model_is_too_small": experiments.is_beyond_embedded_model(self.test.experiment.draft, prompt),
            "effort": experiments.estimate_effort(self.test.experiment.draft),
            "effort_figure": self._draw_effort(),
            **self.tryout_context(),
        }

    def _draw_effort(self) -> str:
        """Expected runs at several true rates; nothing to draw for a fixed number."""
        draft = self.test.experiment.draft
        if draft["stopping"]["kind"] == "fixed":
            return ""
        effort = experiments.estimate_effort(draft)
        rows = tuple(ExpectedRuns(share=share, runs=runs) for share, runs in effort.expected)
        figure = ExpectedRunsFigure(
            figure_id="expected-runs", labels=find_labels(get_language() or "en"), rows=rows
        )
        return draw_both_widths(draw_expected_runs, figure)

    def tryout_context(self) -> dict[str, Any]:
        """The exploratory runs with the labels that the detector, as it now is, gives them."""
        experiment = self.test.experiment
        runs = list(experiment.runs.exploratory().defer("raw").order_by("-index", "-attempt"))
        batch = experiment.batches.order_by("-pk").first()
        return {
            "case": self.test.case,
            "test": self.test,
            "batch": batch,
            "batch_is_open": batch is not None and batch.state in ("queued", "running"),
            "exploratory": self._relabel(runs),
        }

    def _relabel(self, runs: list[Run]) -> list[tuple[Run, Finding | None]]:
        detector = build_detector(self.test.experiment.draft["detector"])
        found = []
        for run in runs:
            answered = run.outcome in ("answered", "truncated")
            truncated = run.outcome == "truncated"
            found.append((run, detector.detect(run.text, truncated=truncated) if answered else None))
        return found
