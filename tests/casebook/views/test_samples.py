"""Sample cases: read by all, in both languages, and copied to be run."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from casebook.intake import copy_case
from casebook.models import Case
from casebook.samples import load_samples
from tests.factories import make_sample


@pytest.mark.django_db
def test_a_visitor_finds_the_samples_of_the_active_language(client: Client) -> None:
    make_sample("en")
    make_sample("ru")
    for path in ("/", "/samples/"):
        assert [case.language for case in client.get(path).context["samples"]] == ["en"]
    client.cookies["django_language"] = "ru"
    assert [case.language for case in client.get("/samples/").context["samples"]] == ["ru"]


@pytest.mark.django_db
def test_without_samples_the_page_says_how_they_are_loaded(client: Client) -> None:
    assert "load_samples" in client.get("/samples/").content.decode()


@pytest.mark.django_db
def test_a_sample_in_another_language_links_to_its_twin(client: Client) -> None:
    english, russian = make_sample("en"), make_sample("ru")
    assert client.get(russian.get_absolute_url()).context["twin"] == english
    assert client.get(english.get_absolute_url()).context["twin"] is None


def test_a_copy_is_ones_own_case_with_the_sample_s_text_and_notice(as_owner: Client, owner: User) -> None:
    sample = make_sample()
    response = as_owner.post(sample.get_absolute_url() + "copy/", {"token": str(uuid4())})
    copy = Case.objects.for_user(owner).get()
    assert response["Location"] == copy.get_absolute_url()
    assert copy.is_owned_by(owner)
    assert not copy.is_sample
    assert (copy.title, copy.language, copy.copied_from) == (sample.title, sample.language, sample.sample_key)
    assert copy.incident().conversation == sample.incident().conversation
    assert copy.illustration_notice in as_owner.get(copy.get_absolute_url()).content.decode()


def test_a_second_click_finds_the_first_copy(as_owner: Client, owner: User) -> None:
    sample = make_sample()
    token = as_owner.get(sample.get_absolute_url()).context["copy_token"]
    first = as_owner.post(sample.get_absolute_url() + "copy/", {"token": str(token)})
    second = as_owner.post(sample.get_absolute_url() + "copy/", {"token": str(token)})
    assert first["Location"] == second["Location"]
    assert Case.objects.for_user(owner).count() == 1


@pytest.mark.parametrize("token", ["", "no uuid"])
def test_a_copy_without_a_token_is_a_copy_all_the_same(as_owner: Client, owner: User, token: str) -> None:
    as_owner.post(make_sample().get_absolute_url() + "copy/", {"token": token})
    assert Case.objects.for_user(owner).count() == 1


def test_who_had_to_log_in_first_finds_the_sample_again(as_owner: Client, owner: User) -> None:
    sample = make_sample()
    assert as_owner.get(sample.get_absolute_url() + "copy/")["Location"] == sample.get_absolute_url()
    assert not Case.objects.for_user(owner).exists()


@pytest.mark.django_db
def test_copying_needs_an_account(client: Client) -> None:
    sample = make_sample()
    response = client.post(sample.get_absolute_url() + "copy/")
    assert response["Location"].startswith("/account/login/")
    assert Case.objects.count() == 1


def test_the_language_switch_of_a_sample_leads_to_its_twin(client: Client, db: None) -> None:
    english, russian = make_sample("en"), make_sample("ru")
    page = client.get(english.get_absolute_url()).content.decode()
    (target,) = re.findall(r'formaction="([^"]+)"\s+name="language"\s+value="ru"', page)
    response = client.post(target, {"language": "ru"}, follow=True)
    assert response.redirect_chain[-1][0] == russian.get_absolute_url()
    assert response.context["case"] == russian
    (here,) = re.findall(r'formaction="([^"]+)"\s+name="language"\s+value="en"', page)
    assert client.post(here, {"language": "en"})["Location"] == english.get_absolute_url()


def test_the_language_switch_of_another_page_brings_it_back_as_it_is(as_owner: Client) -> None:
    page = as_owner.get("/cases/?q=a%26b&page=2").content.decode()
    (target,) = re.findall(r'formaction="([^"]+)"\s+name="language"\s+value="ru"', page)
    assert as_owner.post(target, {"language": "ru"})["Location"] == "/cases/?q=a%26b&page=2"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_copy_shows_its_notice_in_the_reader_s_language(
    as_owner: Client, owner: User, language: str
) -> None:
    notices = {"en": "It says nothing about the airline.", "ru": "Это ничего не говорит об авиакомпании."}
    sample, twin = make_sample("en"), make_sample("ru")
    twin.background |= {"illustration_notice": notices["ru"], "outcome": "Иск удовлетворён."}
    twin.save()
    copy = copy_case(sample, owner=owner)
    as_owner.cookies["django_language"] = language
    page = as_owner.get(copy.get_absolute_url()).content.decode()
    assert [key for key, notice in notices.items() if notice in page] == [language]
    assert "The claim succeeded." in page  # the rest stays as it was recorded


def test_a_notice_without_a_translation_is_shown_as_recorded(as_owner: Client, owner: User) -> None:
    copy = copy_case(make_sample("en"), owner=owner)
    as_owner.cookies["django_language"] = "ru"
    assert "It says nothing about the airline." in as_owner.get(copy.get_absolute_url()).content.decode()


def test_dates_and_amounts_of_a_page_are_written_in_the_reader_s_language(client: Client, db: None) -> None:
    sample = make_sample("ru")
    source = {"title": "Решение", "date": "2024-02-14", "note": "прочитано"}
    amounts = [{"what": "взыскано", "amount": "1234.50", "currency": "CAD"}]
    sample.background |= {"checked_on": "2026-11-23", "sources": [source], "amounts": amounts}
    sample.save()
    sample.incidents.update(harm_kind="money", harm_amount="9812.50", harm_currency="CAD")
    client.cookies["django_language"] = "ru"
    page = (
        client.get(sample.get_absolute_url()).content.decode().replace("\u00a0", " ").replace("\u202f", " ")
    )
    for written in ("14 февраля 2024 г.", "23 ноября 2026 г.", "1 234,50 CAD", "9 812,50 CAD"):
        assert written in page
    assert "г.." not in page
    assert "2026-11-23" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_card_of_the_constructed_sample_tells_what_happened(client: Client, language: str) -> None:
    load_samples()
    client.cookies["django_language"] = language
    page = client.get("/").content.decode()
    assert {"en": "instead of 495.", "ru": "вместо 495."}[language] in page
    lede = client.get("/samples/").content.decode()
    assert {"en": "and a constructed example", "ru": "и\xa0вымышленный пример"}[language] in lede
