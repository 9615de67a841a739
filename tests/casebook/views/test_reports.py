"""Reports: requested from the case, watched, downloaded by its team."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client

from casebook.models import Case, CaseTest, Report
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal


@pytest.fixture
def test_(case: Case) -> CaseTest:
    return run_to_seal(add_draft_test(case, runs=3))


def request_report(client: Client, test: CaseTest, /, **changes: Any) -> Any:
    form = {"test": test.pk, "language": "en", **changes}
    return client.post(test.case.get_absolute_url() + "reports/add/", form)


def make_ready(report: Report) -> None:
    report.file.save("report.pdf", ContentFile(b"%PDF-1.7 the bytes"), save=False)
    report.state = Report.State.READY
    report.save()


def test_a_sealed_test_can_be_reported(as_teammate: Client, teammate: User, test_: CaseTest) -> None:
    response = request_report(as_teammate, test_)
    report = Report.objects.get()
    assert response["Location"] == f"{test_.case.get_absolute_url()}reports/{report.public_id}/"
    assert (report.language, report.requested_by, report.state) == ("en", teammate, "queued")


def test_asking_twice_makes_one_report(as_owner: Client, test_: CaseTest) -> None:
    assert request_report(as_owner, test_)["Location"] == request_report(as_owner, test_)["Location"]
    assert Report.objects.count() == 1


@pytest.mark.parametrize("changes", [{"language": "fr"}, {"test": ""}, {"test": "999999"}, {"test": "a\0"}])
def test_a_wrong_request_makes_nothing_and_says_so(
    as_owner: Client, test_: CaseTest, changes: dict[str, str]
) -> None:
    response = request_report(as_owner, test_, **changes)
    assert response["Location"] == test_.case.get_absolute_url() + "#reports"
    assert "sealed" in as_owner.get(test_.case.get_absolute_url()).content.decode()
    assert not Report.objects.exists()


def test_a_test_that_is_not_sealed_is_not_on_offer(as_owner: Client, case: Case) -> None:
    draft = add_draft_test(case)
    assert "can be requested once" in as_owner.get(case.get_absolute_url()).content.decode()
    request_report(as_owner, draft)
    assert not Report.objects.exists()


def test_the_test_of_another_case_is_not_on_offer(as_owner: Client, stranger: User, case: Case) -> None:
    foreign = run_to_seal(add_draft_test(add_case(stranger), runs=3))
    response = as_owner.post(case.get_absolute_url() + "reports/add/", {"test": foreign.pk, "language": "en"})
    assert response["Location"].endswith("#reports")
    assert not Report.objects.exists()


def test_the_page_polls_only_while_there_is_something_to_wait_for(as_owner: Client, test_: CaseTest) -> None:
    path = request_report(as_owner, test_)["Location"]
    page = as_owner.get(path).content.decode()
    assert "hx-get" in page
    assert "No worker is running" in page
    report = Report.objects.get()
    make_ready(report)
    fragment = as_owner.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in fragment
    assert "<html" not in fragment
    assert f"{path}download/" in fragment


def test_a_report_that_failed_says_why(as_owner: Client, test_: CaseTest) -> None:
    path = request_report(as_owner, test_)["Location"]
    Report.objects.update(state=Report.State.FAILED, message="The disk is full.")
    page = as_owner.get(path).content.decode()
    assert "The disk is full." in page
    assert "hx-get" not in page


def test_the_download_is_an_attachment(as_teammate: Client, test_: CaseTest) -> None:
    path = request_report(as_teammate, test_)["Location"] + "download/"
    assert as_teammate.get(path).status_code == 404
    make_ready(Report.objects.get())
    response = as_teammate.get(path)
    assert b"".join(response) == b"%PDF-1.7 the bytes"
    assert response["Content-Disposition"] == 'attachment; filename="refund-after-the-trip-en.pdf"'
    assert response["Content-Type"] == "application/pdf"


def test_strangers_and_visitors_find_no_report(
    as_owner: Client, as_stranger: Client, client: Client, test_: CaseTest
) -> None:
    path = request_report(as_owner, test_)["Location"]
    make_ready(Report.objects.get())
    for visitor in (as_stranger, client):
        assert visitor.get(path).status_code == 404
        assert visitor.get(path + "download/").status_code == 404
        assert request_report(visitor, test_).status_code == 404


def test_a_report_is_reached_through_its_own_case_only(
    as_owner: Client, as_stranger: Client, stranger: User, test_: CaseTest
) -> None:
    request_report(as_owner, test_)
    report, own = Report.objects.get(), add_case(stranger)
    assert as_stranger.get(f"{own.get_absolute_url()}reports/{report.public_id}/").status_code == 404


def test_the_case_lists_its_reports(as_owner: Client, test_: CaseTest) -> None:
    path = request_report(as_owner, test_)["Location"]
    assert path in as_owner.get(test_.case.get_absolute_url()).content.decode()
