"""The page “How many runs do I need?”: its answers in words, a table and figures, and taking one over."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from casebook import experiments
from casebook.effort import Pace, measure_endpoint, measure_pace
from casebook.figures import ExpectedRuns, ExpectedRunsFigure, draw_both_widths, draw_expected_runs
from casebook.forms.planning import PlanningForm
from casebook.models import Case, CaseTest
from casebook.planning import ArmsQuestion, Question, RuleAnswer, answer_question, estimate_outlay
from casebook.planning_words import RULE_NAMES, PlanningWords
from casebook.report_numbers import NumberWriter, number_writer
from ensemble.models import Endpoint


@dataclass(frozen=True, kw_only=True)
class AnswerView:
    """One rule's answer in words; `outlay` is the time and cost of its number of runs, or of the most if `is_most`."""

    rule: str
    name: str
    sentences: tuple[str, ...]
    outlay: str
    is_most: bool
    can_use: bool


@dataclass(frozen=True, kw_only=True)
class Cell:
    runs: str
    outlay: str


@dataclass(frozen=True, kw_only=True)
class ShareRow:
    """What each rule of the table takes if this is the true share of errors; the last row has the most."""

    share: str
    cells: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, kw_only=True)
class NamedFigure:
    name: str
    figure: SafeString


@dataclass
class PlanningPage:
    """One request to the page of a case, or of one of its draft tests."""

    request: HttpRequest
    case: Case
    test: CaseTest | None = None
    form: PlanningForm = field(init=False)

    def __post_init__(self) -> None:
        user = self.request.user
        asked = self.request.GET.dict()
        self.form = PlanningForm(asked, user=user, endpoint=self._propose_endpoint())

    def _propose_endpoint(self) -> Endpoint | None:
        """That of the draft; for a case as a whole the one that its next test would be planned for."""
        if self.test is None:
            return experiments.choose_endpoint(self.case, self.request.user)
        return Endpoint.objects.filter(pk=self.test.experiment.draft["endpoint"] or 0).first()

    @cached_property
    def question(self) -> Question | None:
        return self.form.read_question() if self.form.is_valid() else None

    @cached_property
    def answers(self) -> tuple[RuleAnswer, ...]:
        return answer_question(self.question) if self.question else ()

    @cached_property
    def endpoint(self) -> Endpoint | None:
        chosen: Endpoint | None = self.form.cleaned_data.get("endpoint")
        return chosen

    @cached_property
    def pace(self) -> Pace | None:
        if self.endpoint is None:
            return None
        if self.test is not None and self.test.experiment.draft["endpoint"] == self.endpoint.pk:
            return measure_pace(self.test, self.test.experiment.draft)
        return measure_endpoint(self.endpoint, self.case)

    @cached_property
    def numbers(self) -> NumberWriter:
        return number_writer(get_language() or "en")

    @cached_property
    def words(self) -> PlanningWords:
        assert self.question is not None
        return PlanningWords(question=self.question, numbers=self.numbers)

    def take_over(self, rule: str, *, seen_sha256: str) -> HttpResponse:
        """Save the answer of this rule as the draft's stopping rule, unless the draft was changed meanwhile."""
        assert self.test is not None
        stopping = next((answer.stopping for answer in self.answers if answer.rule == rule), None)
        if stopping is None:
            raise Http404
        draft = {**self.test.experiment.draft, "stopping": stopping}
        if not experiments.save_draft(self.test, draft, seen_sha256=seen_sha256):
            messages.warning(
                self.request,
                _(
                    "This draft was changed in the meantime, so nothing was taken over. Look at it, then try again."
                ),
            )
            return redirect(self.request.get_full_path())
        messages.success(self.request, _("The stopping rule is taken over into the draft."))
        response = redirect("casebook:test-edit", self.case.public_id, self.test.number)
        response["Location"] += "#div_id_stopping"
        return response

    def context(self) -> dict[str, Any]:
        context = {"case": self.case, "test": self.test, "form": self.form}
        if self.question is None:
            return context
        seen = experiments.draft_sha256(self.test.experiment.draft) if self.test else ""
        return {
            **context,
            "seen_sha256": seen,
            "heading": self.words.write_question(),
            "answers": [self._view_answer(answer) for answer in self.answers],
            "table": self._tabulate(),
            "rule_names": [RULE_NAMES[answer.rule] for answer in self._tabled()],
            "figures": self._draw_figures(),
            "caveats": self.words.list_caveats(),
            "basis": self.words.explain_outlay(self.pace, self.endpoint),
        }

    def _view_answer(self, answer: RuleAnswer) -> AnswerView:
        return AnswerView(
            rule=answer.rule,
            name=str(RULE_NAMES[answer.rule]),
            sentences=self.words.explain_answer(answer),
            outlay="" if answer.runs is None or not answer.suits else self._write_outlay(answer.runs),
            is_most=bool(answer.expected) and answer.rule != "fixed",
            can_use=self.test is not None and answer.stopping is not None,
        )

    def _write_outlay(self, runs: float) -> str:
        arms = 2 if isinstance(self.question, ArmsQuestion) else 1
        outlay = estimate_outlay(runs, arms, self.pace, self.endpoint)
        return self.words.write_outlay(outlay, self.endpoint.currency if self.endpoint else "")

    def _tabled(self) -> list[RuleAnswer]:
        return [answer for answer in self.answers if answer.expected]

    def _tabulate(self) -> list[ShareRow]:
        """Expected runs by true share, a column for each rule, with the most in the last row."""
        answers = self._tabled()
        names = [str(RULE_NAMES[answer.rule]) for answer in answers]
        by_share = zip(*(answer.expected for answer in answers), strict=True)
        rows = [(self.numbers.write_level(row[0][0]), [runs for _share, runs in row]) for row in by_share]
        if rows:
            rows.append((_("at most"), [float(answer.runs or 0) for answer in answers]))
        return [
            ShareRow(share=share, cells=tuple(zip(names, map(self._write_cell, runs), strict=True)))
            for share, runs in rows
        ]

    def _write_cell(self, runs: float) -> Cell:
        return Cell(runs=self.numbers.write_count(round(runs)), outlay=self._write_outlay(math.ceil(runs)))

    def _draw_figures(self) -> list[NamedFigure]:
        """Of the rules whose number of runs depends on the true share, each with the fixed number to compare."""
        fixed = next((answer.runs for answer in self.answers if answer.rule == "fixed"), None)
        varying = [answer for answer in self._tabled() if answer.rule != "fixed"]
        return [
            NamedFigure(name=str(RULE_NAMES[answer.rule]), figure=_draw_figure(answer, fixed, self.numbers))
            for answer in varying
        ]


def _draw_figure(answer: RuleAnswer, fixed: int | None, numbers: NumberWriter) -> SafeString:
    rows = tuple(ExpectedRuns(share=share, runs=runs) for share, runs in answer.expected)
    figure = ExpectedRunsFigure(
        figure_id=f"expected-runs-{answer.rule}",
        labels=numbers.labels,
        rows=rows,
        fixed_runs=fixed,
        heading=_("runs until it is narrow enough, on average") if answer.rule == "anytime" else "",
    )
    return draw_both_widths(draw_expected_runs, figure)
