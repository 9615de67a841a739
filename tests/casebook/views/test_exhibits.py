"""Exhibits: taken in as they came, given out as attachments, removed only while nothing was measured."""

from __future__ import annotations

import io
from pathlib import Path

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from casebook.custody import add_exhibits
from casebook.models import Case, Exhibit
from casebook.uploads import inspect_upload
from tests.casebook.cases_for_tests import add_draft_test, run_to_seal
from tests.factories import make_json_upload, make_png, make_png_upload, make_sample


def add_file(case: Case, upload: SimpleUploadedFile, user: User | None = None) -> Exhibit:
    return add_exhibits(case, [inspect_upload(upload)], received_from=user)[0]


def test_files_are_added_with_the_next_numbers_and_one_description(as_teammate: Client, case: Case) -> None:
    add_file(case, make_json_upload())
    form = {
        "attachments": [make_png_upload("a.png"), make_png_upload("b.png", "black")],
        "description": "The screen",
    }
    response = as_teammate.post(case.get_absolute_url() + "exhibits/add/", form)
    assert response.status_code == 302
    assert [(e.number, e.description) for e in case.exhibits.all()] == [
        (1, ""),
        (2, "The screen"),
        (3, "The screen"),
    ]


def test_without_a_file_nothing_is_added(as_owner: Client, case: Case) -> None:
    response = as_owner.post(case.get_absolute_url() + "exhibits/add/", {"description": "The screen"})
    assert list(response.context["form"].errors) == ["attachments"]


def test_the_same_bytes_are_not_taken_in_twice(as_owner: Client, case: Case) -> None:
    for _ in range(2):
        response = as_owner.post(
            case.get_absolute_url() + "exhibits/add/", {"attachments": make_png_upload()}
        )
    assert "exhibit 1" in str(response.context["form"].errors)
    assert case.exhibits.count() == 1


def test_the_quota_counts_what_the_case_has_already(as_owner: Client, case: Case, settings: Settings) -> None:
    add_file(case, make_png_upload())
    settings.CASE_QUOTA_BYTES = len(make_png()) + 10
    response = as_owner.post(
        case.get_absolute_url() + "exhibits/add/", {"attachments": make_png_upload("b.png", "red")}
    )
    assert list(response.context["form"].errors) == ["attachments"]
    assert case.exhibits.count() == 1


def test_a_download_is_an_attachment_with_the_very_bytes(as_teammate: Client, case: Case) -> None:
    add_file(case, make_png_upload("спорный ответ.png"))
    response = as_teammate.get(case.get_absolute_url() + "exhibits/1/")
    assert b"".join(response.streaming_content) == make_png()  # type: ignore[arg-type]
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "private" in response["Cache-Control"]


def test_a_file_that_is_gone_from_the_disk_is_a_404(as_owner: Client, case: Case) -> None:
    exhibit = add_file(case, make_png_upload())
    Path(exhibit.file.path).unlink()
    assert as_owner.get(case.get_absolute_url() + "exhibits/1/").status_code == 404
    assert as_owner.get(case.get_absolute_url() + "exhibits/1/preview/").status_code == 404


def test_a_preview_is_drawn_anew(as_teammate: Client, case: Case) -> None:
    written = io.BytesIO()
    Image.new("RGB", (3000, 2000), "white").save(written, "JPEG", comment=b"a hidden comment")
    add_file(case, SimpleUploadedFile("photo.jpg", written.getvalue()))
    response = as_teammate.get(case.get_absolute_url() + "exhibits/1/preview/")
    assert response["Content-Type"] == "image/png"
    assert b"hidden comment" not in response.content
    assert max(Image.open(io.BytesIO(response.content)).size) < 1000


def test_only_pictures_have_a_preview(as_owner: Client, case: Case) -> None:
    add_file(case, make_json_upload())
    assert as_owner.get(case.get_absolute_url() + "exhibits/1/preview/").status_code == 404


def test_an_exhibit_is_reached_through_its_own_case_only(
    as_stranger: Client, stranger: User, case: Case
) -> None:
    add_file(case, make_png_upload())
    own = Case.objects.create(title="Another")
    own.memberships.create(user=stranger)
    assert as_stranger.get(own.get_absolute_url() + "exhibits/1/").status_code == 404


def test_the_exhibits_of_a_sample_are_public(client: Client, owner: User) -> None:
    sample = make_sample()
    add_file(sample, make_png_upload())
    assert b"".join(client.get(sample.get_absolute_url() + "exhibits/1/")) == make_png()
    assert client.get(sample.get_absolute_url() + "exhibits/1/preview/").status_code == 200


def test_while_nothing_was_measured_an_exhibit_can_go(
    as_owner: Client, case: Case, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    path = Path(add_file(case, make_png_upload()).file.path)
    add_file(case, make_json_upload())
    with django_capture_on_commit_callbacks(execute=True):
        as_owner.post(case.get_absolute_url() + "exhibits/1/delete/")
    assert [exhibit.number for exhibit in case.exhibits.all()] == [2]
    assert not path.exists()


def test_once_a_test_has_run_the_exhibits_stay(as_owner: Client, case: Case) -> None:
    path = Path(add_file(case, make_png_upload()).file.path)
    run_to_seal(add_draft_test(case, runs=2))
    response = as_owner.post(case.get_absolute_url() + "exhibits/1/delete/", follow=True)
    assert "stay on record" in response.content.decode()
    assert case.exhibits.count() == 1
    assert path.exists()


def test_a_hostile_file_name_is_shown_as_text(as_owner: Client, case: Case) -> None:
    add_file(case, make_png_upload('"><script>alert(1)</script>.png'))
    body = as_owner.get(case.get_absolute_url()).content.decode()
    assert "<script>alert" not in body
