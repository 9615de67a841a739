"""Reports: freeze what one prints, ask a worker for it, render it to PDF and keep the file."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from casebook.appraisals import find_appraisal, freeze_appraisal
from casebook.models import Appraisal, Case, CaseTest, Exhibit, Report
from casebook.models.reports import report_path
from casebook.reporting.annex import load_validation
from casebook.reporting.context import (
    ArmCounts,
    CaseFacts,
    ExhibitFacts,
    IncidentFacts,
    LedgerEvent,
    ReportContext,
    TestFacts,
    TurnFacts,
    context_from_json,
    find_primary,
)
from ensemble.ledger import format_time
from ensemble.models import LedgerEntry, Run, SealedResult

__all__ = [
    "ReportContext",
    "ReportError",
    "build_context",
    "context_from_json",
    "render_report",
    "request_report",
]

State = Report.State
# Ten times what a long report takes: a worker that died is replaced within minutes, a slow one is not disturbed.
LEASE = timedelta(minutes=5)
# A report whose rendering ends the worker (its memory runs out) must not do so for ever.
MOST_CLAIMS = 3
TOLD_EVENTS = ("amended", "paused", "resumed", "cancelled", "failed", "arm_opened", "arm_skipped")
# Facts of the incident that the report quotes as they stand.
PLAIN_FACTS = (
    *("product", "provider", "deployer", "occurred_on", "time_zone", "interface", "disputed_answer"),
    *("what_is_wrong", "wrong_statement", "truth", "truth_source"),
    *("harm_kind", "harm_currency", "harm", "disclaimer", "disclaimer_place"),
)
log = logging.getLogger(__name__)


class ReportError(Exception):
    """No report can be made of this test; the message says why."""


class RenderingEndedError(Exception):
    """Whoever began to render the report never finished, several times."""


def build_context(test: CaseTest, result: SealedResult, *, language: str) -> dict[str, Any]:
    """Everything the report prints, frozen as JSON."""
    return collect_facts(test, result, language=language).document()


def collect_facts(test: CaseTest, result: SealedResult, *, language: str) -> ReportContext:
    """Everything the report prints: facts of the case, of every locked test, the result and its appraisal.

    It follows from the database alone: nothing in it tells who asked for the report or when.
    """
    case, appraisal = test.case, find_appraisal(test)
    exhibits, tests = list(case.exhibits.all()), _list_locked_tests(case)
    return ReportContext(
        language=language,
        case=_case_facts(case, language),
        incident=_incident_facts(case, result),
        exhibits=tuple(_exhibit_facts(exhibit) for exhibit in exhibits),
        tests=tuple(_test_facts(row) for row in tests),
        events=tuple(_list_events(test)),
        test_number=test.number,
        question=case.question_in(result.document["protocol"]["question"], language),
        exploratory_runs=_count_exploratory(case),
        result_json=result.document_json,
        result_sha256=result.sha256,
        result_version=result.version,
        protocol_json=test.experiment.protocol_json,
        ledger_head=result.ledger_head,
        sealed_at=format_time(result.created_at),
        as_of=format_time(_last_change(case, result, exhibits, tests, appraisal)),
        appraisal=freeze_appraisal(appraisal),
        validation=load_validation(),
    )


def _case_facts(case: Case, language: str) -> CaseFacts:
    return CaseFacts(
        public_id=str(case.public_id),
        title=case.title,
        summary=case.summary,
        illustration_notice=case.notice_in(language),
    )


def _incident_facts(case: Case, result: SealedResult) -> IncidentFacts:
    incident = case.incident()
    sent = [(turn.role, turn.content) for turn in incident.disputed_prompt()]
    return IncidentFacts(
        **{name: getattr(incident, name) for name in PLAIN_FACTS},
        turns=tuple(TurnFacts(role=turn.role, content=turn.content) for turn in _all_turns(incident)),
        harm_amount="" if incident.harm_amount is None else str(incident.harm_amount),
        prompt_is_verbatim=sent == _sent_messages(result.document),
    )


def _all_turns(incident: Any) -> list[Any]:
    """The conversation with the system prompt before it, if that is known and not already its first turn."""
    turns, prompt = list(incident.turns()), list(incident.disputed_prompt())
    has_system = prompt[:1] and prompt[0].role == "system" and (not turns or turns[0].role != "system")
    return [prompt[0], *turns] if has_system else turns


def _sent_messages(document: dict[str, Any]) -> list[tuple[str, str]]:
    planned = document["protocol"]["arms"][find_primary(document)["position"]]
    texts = document["texts"]
    return [(message["role"], texts[message["text_sha256"]]["text"]) for message in planned["messages"]]


def _exhibit_facts(exhibit: Exhibit) -> ExhibitFacts:
    return ExhibitFacts(
        number=exhibit.number,
        name=exhibit.name,
        description=exhibit.description,
        media_type=exhibit.media_type,
        size=exhibit.size,
        sha256=exhibit.sha256,
        received_at=format_time(exhibit.received_at),
    )


def _list_locked_tests(case: Case) -> list[CaseTest]:
    """Every test of the case that was ever locked, cancelled ones included, in the order of locking."""
    locked = case.tests.exclude(experiment__locked_at=None).select_related("experiment")
    return list(locked.order_by("experiment__locked_at", "number"))


def _test_facts(test: CaseTest) -> TestFacts:
    experiment = test.experiment
    assert experiment.locked_at is not None
    return TestFacts(
        number=test.number,
        title=experiment.title,
        state=experiment.state,
        ended_as=experiment.ended_as,
        protocol_sha256=experiment.protocol_sha256,
        locked_at=format_time(experiment.locked_at),
        ended_at=format_time(experiment.ended_at) if experiment.ended_at else "",
        exploratory_runs=experiment.runs.exploratory().count(),
        arms=tuple(
            ArmCounts(name=arm.name, errors=arm.errors, runs=arm.runs, unlabelled=arm.unlabelled)
            for arm in experiment.arms.all()
        ),
    )


def _list_events(test: CaseTest) -> Iterable[LedgerEvent]:
    entries = LedgerEntry.objects.filter(experiment=test.experiment, kind__in=TOLD_EVENTS)
    for line in entries.values_list("line", flat=True):
        entry = json.loads(line)
        told = entry["payload"]
        yield LedgerEvent(
            kind=entry["kind"],
            at=entry["at"],
            reason=told.get("reason", ""),
            arm=told.get("arm"),
            by=told.get("by", "") if "arm" in told else "",
        )


def _count_exploratory(case: Case) -> int:
    return Run.objects.exploratory().filter(experiment__case_test__case=case).count()


def _last_change(
    case: Case,
    result: SealedResult,
    exhibits: list[Exhibit],
    tests: list[CaseTest],
    appraisal: Appraisal | None,
) -> datetime:
    moments = [case.updated_at, result.created_at, *(exhibit.received_at for exhibit in exhibits)]
    moments += [appraisal.signed_at] if appraisal else []
    for test in tests:
        moments += [at for at in (test.experiment.locked_at, test.experiment.ended_at) if at]
    return max(moments)


def request_report(*, case: Case, test: CaseTest, language: str, requested_by: Any) -> Report:
    """Ask a worker for the report of the test's latest result.

    Whoever asks again while nothing that it prints has changed gets the same report; one that failed is tried again.
    Raises `ReportError` when the test has no sealed result.
    """
    from casebook.tasks import render_report as render_task
    from ensemble.tasks import enqueue_on_commit

    result = test.experiment.latest_result()
    if result is None:
        raise ReportError(_("The result of this test is not sealed yet."))
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        context = build_context(test, result, language=language)
        known = Report.objects.filter(case=case, result=result, language=language)
        report = next((found for found in known if found.context == context), None)
        if report is None:
            report = Report.objects.create(
                case=case, result=result, language=language, context=context, requested_by=requested_by
            )
        elif _must_be_rendered_again(report):
            Report.objects.filter(pk=report.pk, state=report.state).update(
                state=State.QUEUED, message="", claims=0
            )
            report.refresh_from_db()
        if report.state == State.QUEUED:
            enqueue_on_commit(render_task, report.pk)
    return report


def _must_be_rendered_again(report: Report) -> bool:
    """Whether it failed, or its file is gone (a backup restored without the media folder)."""
    lost = report.state == State.READY and not report.file.storage.exists(report.file.name or "")
    return report.state == State.FAILED or lost


def render_report(report_id: int, owner: str) -> bool:
    """Render a report that nobody else is rendering and store its file; whether this call did."""
    now = timezone.now()
    free = Q(state=State.QUEUED) | Q(state=State.RENDERING, leased_until__lte=now)
    claimed = Report.objects.filter(free, pk=report_id).update(
        state=State.RENDERING, owner=owner, leased_until=now + LEASE, message="", claims=F("claims") + 1
    )
    if claimed != 1:
        return False
    report = Report.objects.select_related("case").get(pk=report_id)
    try:
        if report.claims > MOST_CLAIMS:
            raise RenderingEndedError
        return _store(report, owner)
    except Exception as error:  # whatever went wrong is told on the page; a report is never left "rendering"
        log.exception("report %s could not be rendered", report.public_id)
        with translation.override(report.language):
            _close(report, owner, state=State.FAILED, message=_describe_failure(error))
        return False


def _store(report: Report, owner: str) -> bool:
    from casebook.reporting.rendering import render_context  # with it come the statistics and WeasyPrint

    rendered = render_context(context_from_json(report.context))
    stored = report.file.storage.save(report_path(report, ""), ContentFile(rendered.content))
    fields = {"file": stored, "sha256": rendered.sha256, "pages": rendered.pages}
    if _close(report, owner, state=State.READY, **fields):
        return True
    report.file.storage.delete(stored)  # the lease ran out and somebody else renders it
    return False


def _close(report: Report, owner: str, **fields: Any) -> bool:
    mine = Report.objects.filter(pk=report.pk, state=State.RENDERING, owner=owner)
    return mine.update(leased_until=timezone.now(), **fields) == 1


def _describe_failure(error: Exception) -> str:
    if isinstance(error, RenderingEndedError):
        return _(
            "Rendering was started %(number)s times and never finished; the computer may be short of memory."
        ) % {"number": MOST_CLAIMS}
    if isinstance(error, OSError):
        return _("The file could not be stored: %(reason)s.") % {
            "reason": error.strerror or type(error).__name__
        }
    return _("An error of type %(kind)s; the administrator will find it in the log.") % {
        "kind": type(error).__name__
    }
