"""Where a case stands on the main path, and what its team can do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from casebook.models import Case, CaseTest, Report
from ensemble.models import Experiment

State = Experiment.State
ENDING = (State.COMPLETED, State.CANCELLED, State.FAILED)


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """One thing to do: `action` names the link or button that the page offers with it.

    Actions: `add-test`, `open-test` (with `test`), `request-report`, `open-report` (with `report`).
    """

    number: int  # of STEPS, from 1
    text: Any
    action: str
    is_waiting: bool  # for a person; otherwise for a worker, or for nobody
    test: CaseTest | None = None
    report: Report | None = None


STEPS = (
    _("Log the incident"),
    _("Plan a test"),
    _("Lock and run"),
    _("Read the result"),
    _("Request the report"),
)

ON_TEST = {
    State.DRAFT: (3, _("Test %(number)s is a draft: try it, then lock and run it."), True),
    State.LOCKED: (3, _("Test %(number)s is locked and waits for a worker."), False),
    State.RUNNING: (3, _("Test %(number)s is running."), False),
    State.PAUSED: (3, _("Test %(number)s is paused: resume or cancel it."), True),
}


def find_next_step(case: Case) -> NextStep:
    """What comes next in this case: the newest test decides, then the reports.

    Tests that were cancelled or failed decide only in a case without a completed one.
    """
    tests = list(case.tests.all())
    if any(_ending(test) == State.COMPLETED for test in tests):
        tests = [test for test in tests if _ending(test) not in (State.CANCELLED, State.FAILED)]
    test = max(tests, key=lambda test: test.number, default=None)
    if test is None:
        text = _("The incident is logged. Plan a test of how often the error recurs.")
        return NextStep(number=2, text=text, action="add-test", is_waiting=True)
    state = State(test.experiment.state)
    if state in ENDING:
        text = _("Test %(number)s has ended; its result is being sealed.")
        return _on_test(test, number=4, text=text, is_waiting=False)
    if state in ON_TEST:
        number, text, is_waiting = ON_TEST[state]
        return _on_test(test, number=number, text=text, is_waiting=is_waiting)
    return _on_report(case, test)


def _ending(test: CaseTest) -> str:
    """How the test ended; its state while it has not."""
    return test.experiment.ended_as or test.experiment.state


def _on_test(test: CaseTest, *, number: int, text: Any, is_waiting: bool) -> NextStep:
    return NextStep(
        number=number,
        text=text % {"number": test.number},
        action="open-test",
        is_waiting=is_waiting,
        test=test,
    )


def _on_report(case: Case, test: CaseTest) -> NextStep:
    """The newest test is sealed: a report can be requested, is being rendered, or is there."""
    own = [report for report in case.reports.all() if report.result.experiment_id == test.experiment_id]
    if not own:
        sealed = _("The result of test %(number)s is sealed. Read it, then request the report.")
        text = sealed % {"number": test.number}
        return NextStep(number=5, text=text, action="request-report", is_waiting=True, test=test)
    report = own[0]
    if report.state == Report.State.READY:
        ready = _("The report is ready.")
        return NextStep(number=6, text=ready, action="open-report", is_waiting=False, report=report)
    failed = report.state == Report.State.FAILED
    said = _("The report could not be rendered.") if failed else _("The report is being rendered.")
    return NextStep(number=5, text=said, action="open-report", is_waiting=failed, report=report)
