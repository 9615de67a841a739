"""Reports from a real small test: asked for once, rendered by one worker, the same bytes again."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.utils import timezone

from casebook import reports
from casebook.intake import copy_case
from casebook.models import Case, CaseTest, Report
from casebook.reporting.context import context_from_json
from casebook.reporting.rendering import render_context, write_html
from casebook.reports import MOST_CLAIMS, ReportError, build_context, render_report, request_report
from ensemble import tasks
from ensemble.ledger import find_break
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal
from tests.factories import make_sample

State = Report.State


@pytest.fixture
def case(owner: User) -> Case:
    return add_case(
        owner,
        harm_amount=Decimal("812.02"),
        harm_currency="CAD",
        occurred_on="2024-05",
        disclaimer="May be wrong.",
    )


@pytest.fixture
def sealed(case: Case) -> CaseTest:
    return run_to_seal(add_draft_test(case))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The reports for which a worker was asked."""
    found: list[int] = []
    monkeypatch.setattr(tasks, "enqueue_on_commit", lambda _task, key: found.append(key))
    return found


def ask(test: CaseTest, owner: User, language: str = "en") -> Report:
    return request_report(case=test.case, test=test, language=language, requested_by=owner)


def context_of(test: CaseTest) -> dict[str, Any]:
    result = test.experiment.latest_result()
    assert result is not None
    return build_context(test, result, language="en")


def test_the_context_holds_the_case_the_test_and_the_stored_texts(sealed: CaseTest) -> None:
    context = context_from_json(context_of(sealed))
    result = sealed.experiment.latest_result()
    assert result is not None
    assert context.case.title == "Refund after the trip"
    assert context.incident.harm_amount == "812.02"
    assert context.incident.prompt_is_verbatim
    assert context.result_json == result.document_json
    assert context.protocol_json == sealed.experiment.protocol_json
    assert context.ledger_head == result.ledger_head
    assert [(item.number, item.ended_as) for item in context.tests] == [(1, "completed")]
    assert context.tests[0].arms[0].runs == context.result["arms"][0]["runs"] == 12


def test_the_context_is_json_and_the_same_whenever_it_is_built(sealed: CaseTest) -> None:
    context = context_of(sealed)
    assert json.loads(json.dumps(context)) == context
    assert context_of(CaseTest.objects.get(pk=sealed.pk)) == context


def test_the_published_head_is_the_end_of_an_unbroken_chain(sealed: CaseTest) -> None:
    lines = list(sealed.experiment.ledger.values_list("line", flat=True))
    assert find_break(lines) is None
    last = sealed.experiment.ledger.order_by("-seq")[0]
    assert (last.kind, last.sha256) == ("sealed", context_of(sealed)["ledger_head"])


def test_a_case_edited_since_no_longer_counts_as_verbatim(sealed: CaseTest) -> None:
    incident = sealed.case.incident()
    incident.conversation = "User: Something else?\nAssistant: Yes, that is wrong."
    incident.save()
    context = context_from_json(context_of(CaseTest.objects.get(pk=sealed.pk)))
    assert not context.incident.prompt_is_verbatim
    assert "differ from those recorded" in write_html(context)


def test_a_test_cancelled_before_is_listed_in_the_report(owner: User, case: Case) -> None:
    from casebook import experiments

    first = add_draft_test(case)
    experiments.lock_and_run(first, by="owner")
    experiments.steer(first, "cancel", by="owner")
    second = run_to_seal(add_draft_test(case, name="second script"))
    context = context_from_json(context_of(second))
    assert [(item.number, item.ended_as) for item in context.tests] == [(1, "cancelled"), (2, "completed")]
    assert context.result["earlier_tests"][0]["number"] == 1


def test_asking_twice_makes_one_report(
    sealed: CaseTest, owner: User, teammate: User, asked: list[int]
) -> None:
    report = ask(sealed, owner)
    assert ask(sealed, teammate) == report
    assert Report.objects.count() == 1
    assert set(asked) == {report.pk}


def test_another_language_or_a_changed_case_makes_another_report(
    sealed: CaseTest, owner: User, asked: list[int]
) -> None:
    first, second = ask(sealed, owner), ask(sealed, owner, "ru")
    sealed.case.title = "Another title"
    sealed.case.save()
    third = ask(CaseTest.objects.get(pk=sealed.pk), owner)
    assert len({first.pk, second.pk, third.pk}) == 3


def test_a_test_without_a_sealed_result_has_no_report(case: Case, owner: User) -> None:
    with pytest.raises(ReportError):
        ask(add_draft_test(case), owner)


def test_a_report_is_rendered_stored_and_the_same_bytes_when_rendered_again(
    sealed: CaseTest, owner: User, asked: list[int]
) -> None:
    report = ask(sealed, owner)
    assert render_report(report.pk, "worker")
    report.refresh_from_db()
    with report.file.open("rb") as file:
        content = file.read()
    again = render_context(context_from_json(report.context))
    assert (report.state, report.sha256, report.pages) == (State.READY, again.sha256, again.pages)
    assert content == again.content
    document = pikepdf.open(io.BytesIO(content))
    attached = document.attachments
    assert attached["result.json"].get_file().read_bytes() == report.result.document_json.encode()
    assert attached["protocol.json"].get_file().read_bytes() == sealed.experiment.protocol_json.encode()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work around the rendering is tested; what is rendered stands in other tests."""
    from casebook.pdf import RenderedPdf
    from casebook.reporting import rendering

    monkeypatch.setattr(rendering, "render_context", lambda _: RenderedPdf(content=b"%PDF-1.7", pages=1))


def test_a_report_that_is_ready_is_not_rendered_again(
    sealed: CaseTest, owner: User, asked: list[int], quick: None
) -> None:
    report = ask(sealed, owner)
    assert render_report(report.pk, "first")
    assert not render_report(report.pk, "second")
    assert not render_report(10**6, "nobody")


def test_a_report_that_another_worker_renders_is_left_alone_until_its_lease_ends(
    sealed: CaseTest, owner: User, asked: list[int], quick: None
) -> None:
    report = ask(sealed, owner)
    lease = timezone.now() + timedelta(minutes=1)
    Report.objects.filter(pk=report.pk).update(state=State.RENDERING, owner="first", leased_until=lease)
    assert not render_report(report.pk, "second")
    Report.objects.filter(pk=report.pk).update(leased_until=timezone.now())
    assert render_report(report.pk, "second")


def test_a_worker_that_lost_its_lease_leaves_no_file_behind(
    sealed: CaseTest, owner: User, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from casebook.pdf import RenderedPdf
    from casebook.reporting import rendering

    report = ask(sealed, owner)

    def lose_the_lease(_: Any) -> RenderedPdf:
        Report.objects.filter(pk=report.pk).update(owner="second")
        return RenderedPdf(content=b"%PDF-1.7", pages=1)

    monkeypatch.setattr(rendering, "render_context", lose_the_lease)
    assert not render_report(report.pk, "first")
    report.refresh_from_db()
    assert (report.state, report.owner, report.file.name) == (State.RENDERING, "second", "")
    assert not [path for path in Path(default_storage.path("")).rglob("*.pdf") if path.is_file()]


def test_a_failure_is_told_and_asking_again_tries_again(
    sealed: CaseTest, owner: User, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = ask(sealed, owner)

    def fill_the_disk(*_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(reports, "_store", fill_the_disk)
        assert not render_report(report.pk, "worker")
    report.refresh_from_db()
    assert report.state == State.FAILED
    assert report.message == "The file could not be stored: No space left on device."
    assert ask(sealed, owner) == report
    report.refresh_from_db()
    assert (report.state, report.message) == (State.QUEUED, "")


def test_a_report_that_always_ends_its_worker_is_given_up(
    sealed: CaseTest, owner: User, asked: list[int], quick: None
) -> None:
    report = ask(sealed, owner)
    died = {"state": State.RENDERING, "owner": "killed", "leased_until": timezone.now()}
    Report.objects.filter(pk=report.pk).update(claims=MOST_CLAIMS - 1, **died)
    assert render_report(report.pk, "last try")
    Report.objects.filter(pk=report.pk).update(claims=MOST_CLAIMS, **died)
    assert not render_report(report.pk, "one too many")
    report.refresh_from_db()
    assert (report.state, report.message[:29]) == (State.FAILED, "Rendering was started 3 times")
    assert ask(sealed, owner) == report
    assert render_report(report.pk, "asked again")


def test_a_result_that_does_not_match_its_hash_is_never_printed(
    sealed: CaseTest, owner: User, asked: list[int]
) -> None:
    report = ask(sealed, owner)
    altered = {
        **report.context,
        "result_json": report.context["result_json"].replace('"errors": ', '"errors":  '),
    }
    Report.objects.filter(pk=report.pk).update(context=altered)
    assert not render_report(report.pk, "worker")
    report.refresh_from_db()
    assert report.state == State.FAILED
    assert "ValueError" in report.message


def test_a_report_whose_file_is_lost_is_made_again(
    sealed: CaseTest, owner: User, asked: list[int], quick: None
) -> None:
    report = ask(sealed, owner)
    assert render_report(report.pk, "worker")
    report.refresh_from_db()
    default_storage.delete(report.file.name or "")
    assert ask(sealed, owner).state == State.QUEUED
    assert render_report(report.pk, "worker")


@pytest.fixture
def copied(owner: User) -> CaseTest:
    """A sealed test of a copy of the English sample, planned with the question that the sample proposes."""
    for language, notice, question in (
        ("en", "An illustration.", "How often?"),
        ("ru", "Это пример.", "Как часто?"),
    ):
        sample = make_sample(language)
        sample.background = {"illustration_notice": notice, "protocol": {"question": question}}
        sample.save()
    sample = Case.objects.get(is_sample=True, language="en")
    return run_to_seal(add_draft_test(copy_case(sample, owner=owner)))


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("An illustration.", "How often?")), ("ru", ("Это пример.", "Как часто?"))]
)
def test_the_report_of_a_copied_sample_has_notice_and_question_in_its_own_language(
    copied: CaseTest, owner: User, asked: list[int], language: str, words: tuple[str, str]
) -> None:
    context = context_from_json(ask(copied, owner, language).context)
    assert (context.case.illustration_notice, context.question) == words
    page = write_html(context)
    assert all(text in page for text in words)
    assert "How often?" in page  # as the locked protocol words it


def test_a_question_of_the_team_s_own_stays_as_it_was_locked(
    copied: CaseTest, owner: User, asked: list[int]
) -> None:
    Case.objects.filter(is_sample=True, language="en").update(
        background={"protocol": {"question": "Another?"}}
    )
    assert ask(copied, owner, "ru").context["question"] == "How often?"


def test_a_report_from_before_questions_were_frozen_shows_that_of_the_protocol(sealed: CaseTest) -> None:
    document = context_of(sealed)
    question = document.pop("question")
    assert question
    assert question in write_html(context_from_json(document))
