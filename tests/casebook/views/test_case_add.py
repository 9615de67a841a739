"""Logging an incident: one form, one case, everything or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override
from pytest_django import Settings

from casebook.models import Case, Incident, Membership
from tests.factories import (
    ANSWER,
    CONVERSATION,
    make_incident_form,
    make_json_upload,
    make_png,
    make_png_upload,
)

URL = "/cases/add/"


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def errors_of(response: Any) -> dict[str, list[str]]:
    """The messages of a refused form by field; the typed text is still in it and nothing was saved."""
    assert response.status_code == 200
    assert Case.objects.count() == 0
    assert stored_files() == []
    errors: dict[str, list[str]] = response.context["form"].errors
    return errors


def test_a_complete_form_becomes_a_case_with_its_incident_and_its_owner(
    as_owner: Client, owner: User
) -> None:
    response = as_owner.post(URL, make_incident_form())
    case = Case.objects.get()
    assert response.status_code == 302
    assert response["Location"] == case.get_absolute_url()
    assert case.memberships.get().role == Membership.Role.OWNER
    assert case.is_owned_by(owner)
    incident = case.incident()
    assert incident.conversation == CONVERSATION  # with LF line ends, as it was typed
    assert incident.occurred_on == "2024-05-12"
    assert str(incident.harm_amount) == "812.02"
    assert [turn.role for turn in incident.disputed_prompt()] == ["user"]


def test_the_smallest_form_is_enough(as_owner: Client) -> None:
    form = dict.fromkeys(make_incident_form(), "") | {
        "title": "T", "product": "P", "conversation": "User: Q\nAssistant: A wrong answer",
        "what_is_wrong": "W", "truth": "R", "harm_kind": "none", "token": str(uuid4()),
    }  # fmt: skip
    as_owner.post(URL, form)
    assert Incident.objects.get().disputed_answer == "A wrong answer"


def test_the_case_speaks_the_language_of_the_interface(as_owner: Client) -> None:
    as_owner.cookies["django_language"] = "ru"
    as_owner.post(URL, make_incident_form())
    assert Case.objects.get().language == "ru"


@pytest.mark.parametrize("name", ["title", "product", "conversation", "what_is_wrong", "truth"])
def test_what_the_rerun_needs_is_required(as_owner: Client, name: str) -> None:
    assert list(errors_of(as_owner.post(URL, make_incident_form(**{name: "  "})))) == [name]


def test_a_refused_form_shows_every_typed_text_again(as_owner: Client) -> None:
    form = make_incident_form(title="", conversation="User: <b>Q</b>\nAssistant: " + ANSWER)
    body = as_owner.post(URL, form).content.decode()
    for name in ("provider", "what_is_wrong", "truth_source", "harm", "disclaimer"):
        assert str(form[name]) in body
    assert "User: &lt;b&gt;Q&lt;/b&gt;" in body


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"occurred_on": "31 February 2024"}, "occurred_on"),
        ({"occurred_on": "2999"}, "occurred_on"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"harm_kind": "bad luck"}, "harm_kind"),
        ({"harm_amount": "a lot"}, "harm_amount"),
        ({"harm_amount": "-5"}, "harm_amount"),
        ({"harm_amount": "NaN"}, "harm_amount"),
        ({"harm_kind": "none"}, "harm_kind"),
        ({"harm_currency": "dollars"}, "harm_currency"),
        ({"harm_currency": ""}, "harm_currency"),
        ({"wrong_statement": "within 30 days"}, "wrong_statement"),
        ({"disputed_answer": "", "conversation": "User: only a question", "wrong_statement": ""}, "disputed_answer"),
        ({"conversation": "User:\nAssistant: an answer to nothing"}, "conversation"),
        ({"title": "t" * 201}, "title"),
        ({"product": "p" * 201}, "product"),
        ({"what_is_wrong": "w" * 1_000_000}, "what_is_wrong"),
        ({"conversation": "c" * 2_000_001}, "conversation"),
        ({"truth": "half\0text"}, "truth"),
        ({"conversation": "User: a\0b\nAssistant: c"}, "conversation"),
        ({"token": "no uuid"}, "token"),
    ],
)  # fmt: skip
def test_one_wrong_field_is_named_and_nothing_is_saved(
    as_owner: Client, changes: dict[str, str], field: str
) -> None:
    assert list(errors_of(as_owner.post(URL, make_incident_form(**changes)))) == [field]


def test_a_text_that_is_too_long_is_refused_with_its_length_and_never_cut(as_owner: Client) -> None:
    errors = errors_of(as_owner.post(URL, make_incident_form(title="t" * 250)))
    assert "200" in errors["title"][0]
    assert "250" in errors["title"][0]
    assert "maxlength" not in as_owner.get(URL).content.decode()


def test_a_lone_surrogate_never_breaks_the_page(as_owner: Client) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nhalf \xed\xa0\x80 character\r\n--x--\r\n'
    )
    response = as_owner.generic("POST", URL, body, content_type="multipart/form-data; boundary=x")
    assert response.status_code == 200
    assert "\ufffd" in response.content.decode()


def test_an_answer_of_one_megabyte_and_200_turns_are_kept_whole(as_owner: Client) -> None:
    answer = "word " * 210_000 + "within 90 days"
    turns = [f"User: question {n}\nAssistant: answer {n}" for n in range(99)]
    conversation = "\n".join([*turns, "User: the last question", f"Assistant: {answer}"])
    response = as_owner.post(URL, make_incident_form(conversation=conversation, disputed_answer=""))
    assert response.status_code == 302
    incident = Incident.objects.get()
    assert len(incident.turns()) == 200
    assert incident.disputed_answer == answer
    assert len(incident.disputed_prompt()) == 199
    assert as_owner.get(response["Location"]).status_code == 200


@pytest.mark.parametrize("typed", ["812,02", "812.02", "1\u00a0812,02"])
def test_russian_forms_accept_the_decimal_comma(as_owner: Client, typed: str) -> None:
    as_owner.cookies["django_language"] = "ru"
    as_owner.post(URL, make_incident_form(harm_amount=typed))
    assert str(Incident.objects.get().harm_amount).endswith("812.02")


def test_a_comma_in_an_english_amount_separates_thousands_only(as_owner: Client) -> None:
    assert list(errors_of(as_owner.post(URL, make_incident_form(harm_amount="0,05")))) == ["harm_amount"]
    as_owner.post(URL, make_incident_form(harm_amount="1,812.02"))
    assert str(Incident.objects.get().harm_amount) == "1812.02"


def test_the_wrong_words_may_differ_in_quotes_case_and_spaces(as_owner: Client) -> None:
    answer = "It is “non-refundable”\nafter the trip"
    as_owner.post(
        URL,
        make_incident_form(
            disputed_answer=answer, wrong_statement='"NON-refundable" after', conversation="Q"
        ),
    )
    assert Case.objects.count() == 1


def test_the_same_form_sent_twice_makes_one_case(as_owner: Client) -> None:
    form = make_incident_form()
    first = as_owner.post(URL, form)
    second = as_owner.post(URL, form)
    assert first["Location"] == second["Location"]
    assert Case.objects.count() == Incident.objects.count() == Membership.objects.count() == 1


def test_the_token_of_a_foreign_case_opens_nothing(as_owner: Client, as_stranger: Client) -> None:
    form = make_incident_form()
    as_owner.post(URL, form)
    response = as_stranger.post(URL, {**form, "title": "Taken over"})
    assert response.status_code == 302
    assert set(Case.objects.values_list("title", flat=True)) == {form["title"], "Taken over"}


# --- Attachments ---------------------------------------------------------------------------------------------


def test_attachments_become_numbered_hashed_exhibits(as_owner: Client, owner: User) -> None:
    form = make_incident_form(attachments=[make_png_upload(), make_json_upload()])
    as_owner.post(URL, form)
    first, second = Case.objects.get().exhibits.all()
    assert (first.number, first.name, first.media_type) == (1, "screen.png", "image/png")
    assert (second.number, second.media_type, second.received_from) == (2, "application/json", owner)
    with first.file.open() as kept:
        assert kept.read() == make_png()
    assert "screen" not in str(first.file.name)  # the uploader's name is no path of ours


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.png", b"<html><script>alert(1)</script></html>"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("program.pdf", b"MZ\x90\x00" + b"\0" * 100),
        ("broken.png", make_png()[:50]),
        ("empty.txt", b""),
    ],
)
def test_a_file_that_lies_or_does_not_belong_here_is_named_and_nothing_is_saved(
    as_owner: Client, name: str, data: bytes
) -> None:
    files = [make_png_upload(), SimpleUploadedFile(name, data, "image/png")]
    response = as_owner.post(URL, make_incident_form(attachments=files))
    errors = errors_of(response)
    assert list(errors) == ["attachments"]
    assert "choose them again" in response.content.decode()


def test_a_file_above_the_limit_is_refused(as_owner: Client, settings: Settings) -> None:
    settings.EXHIBIT_MAX_BYTES = 100
    assert list(errors_of(as_owner.post(URL, make_incident_form(attachments=[make_png_upload()])))) == [
        "attachments"
    ]


def test_files_above_the_quota_of_a_case_are_refused_together(as_owner: Client, settings: Settings) -> None:
    settings.CASE_QUOTA_BYTES = len(make_png()) + 10
    files = [make_png_upload("a.png"), make_png_upload("b.png", "black")]
    errors = errors_of(as_owner.post(URL, make_incident_form(attachments=files)))
    assert list(errors) == ["attachments"]


def test_too_many_files_are_refused_with_the_number_that_is_allowed(as_owner: Client) -> None:
    files = [make_png_upload(f"{n}.png", f"#0000{n:02x}") for n in range(21)]
    errors = errors_of(as_owner.post(URL, make_incident_form(attachments=files)))
    assert "10" in errors["attachments"][0]


def test_the_same_file_chosen_twice_is_pointed_out(as_owner: Client) -> None:
    files = [make_png_upload("a.png"), make_png_upload("b.png")]
    errors = errors_of(as_owner.post(URL, make_incident_form(attachments=files)))
    assert "a.png" in errors["attachments"][0]
    assert "b.png" in errors["attachments"][0]


def test_a_full_disk_is_a_clear_message_and_leaves_nothing_behind(
    as_owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.files.storage import FileSystemStorage

    kept = FileSystemStorage._save

    def fail_at_the_second(self: FileSystemStorage, name: str, content: Any) -> str:
        if stored_files():
            raise OSError(28, "No space left on device")
        return kept(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", fail_at_the_second)
    files = [make_png_upload("a.png"), make_png_upload("b.png", "black")]
    errors = errors_of(as_owner.post(URL, make_incident_form(attachments=files)))
    assert "No space left on device" in errors["attachments"][0]


# --- Preview -------------------------------------------------------------------------------------------------


def test_the_preview_shows_the_turns_and_saves_nothing(as_owner: Client) -> None:
    response = as_owner.post(URL, make_incident_form(preview="1", title=""))
    turns = response.context["exchange"].turns
    assert [(turn.role, turn.is_disputed) for turn in turns] == [
        ("user", False),
        ("assistant", True),
        ("user", False),
    ]
    assert not response.context["form"].errors
    assert "Northwind Air" in response.content.decode()
    assert Case.objects.count() == 0


def test_htmx_asks_for_the_preview_alone(as_owner: Client) -> None:
    response = as_owner.post("/cases/add/preview/", make_incident_form(), headers={"HX-Request": "true"})
    body = response.content.decode()
    assert ANSWER in body
    assert "<html" not in body


def test_a_conversation_that_cannot_be_read_says_why_in_the_preview(as_owner: Client) -> None:
    response = as_owner.post("/cases/add/preview/", {"conversation": "User:\nAssistant: nothing was asked"})
    assert response.context["exchange"].problem


def test_pasted_code_is_shown_as_text(as_owner: Client) -> None:
    form = make_incident_form(
        conversation="User: <script>alert(1)</script>\nAssistant: <img src=x onerror=y>"
    )
    body = as_owner.post("/cases/add/preview/", form).content.decode()
    assert "<script>" not in body
    assert "<img" not in body
    assert "&lt;script&gt;" in body


# --- Access --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("path", [URL, "/cases/add/preview/"])
def test_a_visitor_without_an_account_is_sent_to_the_log_in(client: Client, path: str) -> None:
    response = client.post(path, make_incident_form())
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")
    assert Case.objects.count() == 0


def test_the_form_marks_what_is_required_and_explains_the_marks(as_owner: Client) -> None:
    with override("en"):
        body = as_owner.get(URL).content.decode()
    assert body.count('class="asteriskField"') == 6
    assert "What has an asterisk (*) is needed to rerun the prompt" in body
    assert "How to mark who speaks" in body


def test_an_unknown_speaker_is_named_beside_the_conversation(as_owner: Client) -> None:
    typed = make_incident_form(
        conversation="User: When is the deadline?\r\nTaxBot: Yes, the deadline is 1 May.", disputed_answer=""
    )
    errors = as_owner.post("/cases/add/", typed).context["form"].errors
    assert "disputed_answer" in errors
    assert "“TaxBot:” is not known as a speaker" in errors["conversation"][0]
