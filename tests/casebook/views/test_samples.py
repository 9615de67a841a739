"""Sample cases: read by all, in both languages, and copied to be run."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from casebook.models import Case
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
