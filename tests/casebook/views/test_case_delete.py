"""Deleting a case: possible only while nothing was measured."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from casebook.custody import add_exhibits
from casebook.models import Case
from casebook.uploads import inspect_upload
from ensemble.models import Experiment
from tests.casebook.cases_for_tests import add_draft_test, run_to_seal
from tests.factories import make_png_upload


def test_a_draft_goes_with_its_files_and_its_draft_tests(
    as_owner: Client,
    owner: User,
    case: Case,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    add_exhibits(case, [inspect_upload(make_png_upload())], received_from=owner)
    add_draft_test(case)
    kept = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    with django_capture_on_commit_callbacks(execute=True):
        response = as_owner.post(case.get_absolute_url() + "delete/")
    assert response["Location"] == "/cases/"
    assert not Case.objects.filter(pk=case.pk).exists()
    assert not Experiment.objects.exists()
    assert len(kept) == 1
    assert not kept[0].exists()


def test_the_page_asks_first(as_owner: Client, case: Case) -> None:
    assert "Delete for good" in as_owner.get(case.get_absolute_url() + "delete/").content.decode()
    assert Case.objects.filter(pk=case.pk).exists()


def test_a_case_in_which_something_ran_stays(as_owner: Client, case: Case) -> None:
    run_to_seal(add_draft_test(case))
    assert "Delete for good" not in as_owner.get(case.get_absolute_url() + "delete/").content.decode()
    response = as_owner.post(case.get_absolute_url() + "delete/")
    assert response["Location"] == case.get_absolute_url()
    assert case.tests.count() == 1


def test_deleting_twice_finds_nothing_the_second_time(as_owner: Client, case: Case) -> None:
    as_owner.post(case.get_absolute_url() + "delete/")
    assert as_owner.post(case.get_absolute_url() + "delete/").status_code == 404
