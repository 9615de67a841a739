"""Model endpoints: administrators add, change and check them; nobody else sees them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from casebook import experiments
from casebook.models import Case
from ensemble.endpoints import ensure_default_endpoint
from ensemble.models import Endpoint
from ensemble.tasks import check_endpoint
from tests.casebook.cases_for_tests import add_draft_test
from tests.ensemble.experiments import DISTRIBUTION

ADD = "/endpoints/add/"


def make_form(**changes: Any) -> dict[str, Any]:
    form = {
        "name": "Lab",
        "backend": "ollama",
        "url": "http://127.0.0.1:11434",
        "model": "llama3.2:3b",
        "key_variable": "",
        "options": "",
        "concurrency": "2",
        "timeout_seconds": "60",
        "is_enabled": "on",
        "usernames": "",
    }
    return {**form, **changes}


def make_scripted_form(**changes: Any) -> dict[str, Any]:
    script = {
        "backend": "scripted",
        "url": "",
        "model": "",
        "options": json.dumps({"distribution": DISTRIBUTION}),
    }
    return make_form(**{**script, **changes})


def test_a_valid_form_adds_an_endpoint_and_asks_for_its_check(as_administrator: Client) -> None:
    assert as_administrator.post(ADD, make_form())["Location"] == "/endpoints/"
    endpoint = Endpoint.objects.get()
    assert (endpoint.name, endpoint.model, endpoint.concurrency) == ("Lab", "llama3.2:3b", 2)
    assert not endpoint.is_open
    assert endpoint.check_state == "queued"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 81}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"backend": "telepathy"}, "backend"),
        ({"url": ""}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "not an address"}, "url"),
        ({"url": "127.0.0.1:11434"}, "url"),
        ({"url": "http://name:secret@127.0.0.1:11434"}, "url"),
        ({"model": ""}, "model"),
        ({"key_variable": "SECRET_KEY"}, "key_variable"),
        ({"concurrency": "0"}, "concurrency"),
        ({"concurrency": "65"}, "concurrency"),
        ({"timeout_seconds": "0"}, "timeout_seconds"),
        ({"usernames": "nobody"}, "usernames"),
    ],
)
def test_one_wrong_field_is_named(as_administrator: Client, changes: dict[str, str], field: str) -> None:
    response = as_administrator.post(ADD, make_form(**changes))
    assert list(response.context["form"].errors) == [field]
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    "options",
    ["", "no json", "[1]", '{"distribution": "\\u0000"}', '{"a": "\\ud800"}', '{"a": NaN}', '{"unknown": 1}'],
)
def test_a_script_that_cannot_be_played_is_refused(as_administrator: Client, options: str) -> None:
    response = as_administrator.post(ADD, make_scripted_form(options=options))
    assert list(response.context["form"].errors) == ["options"]


def test_a_script_is_kept(as_administrator: Client) -> None:
    as_administrator.post(ADD, make_scripted_form())
    assert Endpoint.objects.get().options == {"distribution": DISTRIBUTION}


def test_what_a_kind_has_no_use_for_is_not_kept(as_administrator: Client) -> None:
    form = make_form(backend="embedded", url="http://127.0.0.1:1", key_variable="nonsense", options="")
    as_administrator.post(ADD, form)
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.key_variable, endpoint.options) == ("", "", {})
    assert endpoint.model == "SmolLM2-135M-Instruct"


def test_options_of_a_kind_are_kept(as_administrator: Client) -> None:
    as_administrator.post(ADD, make_form(backend="embedded", options='{"bit_exact": true}'))
    assert Endpoint.objects.get().options == {"bit_exact": True}


def test_the_people_named_may_use_it(as_administrator: Client, owner: User, stranger: User) -> None:
    as_administrator.post(ADD, make_form(usernames="owner"))
    assert list(Endpoint.objects.usable_by(owner)) == [Endpoint.objects.get()]
    assert not Endpoint.objects.usable_by(stranger).exists()


def test_an_open_endpoint_serves_everybody(as_administrator: Client, stranger: User) -> None:
    as_administrator.post(ADD, make_form(is_open="on"))
    assert Endpoint.objects.usable_by(stranger).exists()


def test_a_name_is_taken_once(as_administrator: Client) -> None:
    as_administrator.post(ADD, make_form())
    assert list(as_administrator.post(ADD, make_form()).context["form"].errors) == ["name"]
    assert Endpoint.objects.count() == 1


def test_an_endpoint_is_changed(as_administrator: Client, owner: User) -> None:
    as_administrator.post(ADD, make_form(usernames="owner"))
    path = f"/endpoints/{Endpoint.objects.get().pk}/edit/"
    assert as_administrator.get(path).context["form"]["usernames"].value() == "owner"
    as_administrator.post(path, make_form(model="qwen3:4b"))
    endpoint = Endpoint.objects.get()
    assert endpoint.model == "qwen3:4b"
    assert not endpoint.users.exists()


def test_while_a_locked_test_uses_it_it_stays_the_model_that_it_is(
    as_administrator: Client, case: Case
) -> None:
    test = add_draft_test(case)
    endpoint = Endpoint.objects.get()
    path = f"/endpoints/{endpoint.pk}/edit/"
    same = make_scripted_form(name=endpoint.name, model=endpoint.model, options=json.dumps(endpoint.options))
    assert as_administrator.post(path, {**same, "model": "other"}).status_code == 302
    Endpoint.objects.update(model=endpoint.model)
    experiments.lock_and_run(test, by="owner")
    for changes in ({"name": "New name"}, {"model": "other"}, {"options": '{"answers": ["right"]}'}):
        assert list(as_administrator.post(path, {**same, **changes}).context["form"].errors) == list(changes)
    assert as_administrator.post(path, {**same, "concurrency": "3"}).status_code == 302


def test_a_check_is_queued_for_a_worker_and_polled(
    as_administrator: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    as_administrator.post(ADD, make_scripted_form())
    path = f"/endpoints/{Endpoint.objects.get().pk}/check/"
    with django_capture_on_commit_callbacks(execute=True) as messages:
        assert as_administrator.post(path)["Location"] == "/endpoints/"
    assert len(messages) == 1
    waiting = as_administrator.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" in waiting
    check_endpoint(Endpoint.objects.get().pk)
    assert Endpoint.objects.get().check_state == "ok"
    done = as_administrator.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "That is" in done
    assert "hx-get" not in done


def test_a_failed_check_shows_the_endpoint_s_own_words_as_text(as_administrator: Client) -> None:
    endpoint = ensure_default_endpoint()
    Endpoint.objects.filter(pk=endpoint.pk).update(check_state="failed", check_message="<b>refused</b>")
    assert "&lt;b&gt;refused&lt;/b&gt;" in as_administrator.get("/endpoints/").content.decode()


def test_a_wrong_address_is_answered_with_the_form_of_a_right_one(as_administrator: Client) -> None:
    response = as_administrator.post(ADD, make_form(url="ollama:11434"))
    assert "http://host:11434" in response.context["form"].errors["url"][0]


@pytest.mark.parametrize(
    "url", ["http://ollama:11434", "https://models.example.org/ollama", "http://[::1]:11434"]
)
def test_an_address_may_be_that_of_a_container_a_site_or_a_number(as_administrator: Client, url: str) -> None:
    assert as_administrator.post(ADD, make_form(url=url)).status_code == 302
    assert Endpoint.objects.get().url == url


def test_an_endpoint_whose_check_failed_is_marked_until_it_answers(as_administrator: Client) -> None:
    endpoint = ensure_default_endpoint()
    for state, marks in (("failed", 1), ("queued", 0)):
        Endpoint.objects.filter(pk=endpoint.pk).update(check_state=state)
        assert as_administrator.get("/endpoints/").content.decode().count("cb-badge-failed") == marks
    path = f"/endpoints/{endpoint.pk}/check/"
    Endpoint.objects.filter(pk=endpoint.pk).update(check_state="failed")
    fragment = as_administrator.get(path, headers={"HX-Request": "true"}).content.decode()
    assert f'<small id="endpoint_mark_{endpoint.pk}" hx-swap-oob="true"><span class="cb-badge' in fragment


@pytest.mark.parametrize("page", ["", "add/", "{pk}/edit/", "{pk}/check/"])
def test_administrators_only(as_owner: Client, client: Client, page: str) -> None:
    path = "/endpoints/" + page.format(pk=ensure_default_endpoint().pk)
    assert as_owner.get(path).status_code == 403
    assert as_owner.post(path, make_form()).status_code in (403, 405)
    assert client.get(path)["Location"].startswith("/account/login/")
    assert Endpoint.objects.get().check_state == ""


def test_a_missing_endpoint_is_a_404(as_administrator: Client) -> None:
    assert as_administrator.get("/endpoints/999/edit/").status_code == 404
    assert as_administrator.post("/endpoints/999/check/").status_code == 404


@pytest.mark.django_db
def test_the_default_endpoint_is_made_once_and_left_as_it_was_changed() -> None:
    endpoint = ensure_default_endpoint()
    assert (endpoint.backend, endpoint.concurrency) == ("embedded", 8)
    Endpoint.objects.update(name="Renamed", is_enabled=False)
    assert ensure_default_endpoint() == endpoint
    assert Endpoint.objects.get().name == "Renamed"


@pytest.mark.parametrize(
    ("prices", "field"),
    [
        (("-1", "1", "USD"), "prompt_price"),
        (("cheap", "1", "USD"), "prompt_price"),
        (("1", "1" * 9, "USD"), "answer_price"),
        (("1", "", "USD"), "answer_price"),
        (("", "1", ""), "prompt_price"),
        (("", "", "USD"), "prompt_price"),
        (("1", "1", ""), "currency"),
        (("1", "1", "US$"), "currency"),
        (("1", "1", "dollars"), "currency"),
    ],
)
def test_prices_are_complete_or_missing(
    as_administrator: Client, prices: tuple[str, str, str], field: str
) -> None:
    names = ("prompt_price", "answer_price", "currency")
    response = as_administrator.post(ADD, make_form(**dict(zip(names, prices, strict=True))))
    assert list(response.context["form"].errors) == [field]


def test_prices_are_kept_shown_and_can_be_cleared(as_administrator: Client) -> None:
    as_administrator.post(ADD, make_form(prompt_price="0.075", answer_price="1,200", currency="usd"))
    endpoint = Endpoint.objects.get()
    assert (endpoint.prompt_price, endpoint.answer_price, endpoint.currency) == (
        Decimal("0.075"),
        Decimal(1200),
        "USD",
    )
    page = as_administrator.get("/endpoints/").content.decode()
    assert "0.075 USD for a million prompt tokens, 1200 USD for a million answer tokens" in page
    form = as_administrator.get(f"/endpoints/{endpoint.pk}/edit/").content.decode()
    assert 'value="0.075"' in form
    as_administrator.post(f"/endpoints/{endpoint.pk}/edit/", make_form())
    endpoint.refresh_from_db()
    assert (endpoint.prompt_price, endpoint.answer_price, endpoint.currency) == (None, None, "")
    assert not endpoint.has_prices


def test_a_price_is_typed_and_shown_as_russian_writes_it(as_administrator: Client) -> None:
    russian = {"accept-language": "ru"}
    prices = {"prompt_price": "12,5", "answer_price": "1 200,25", "currency": "RUB"}
    as_administrator.post(ADD, make_form(**prices), headers=russian)
    endpoint = Endpoint.objects.get()
    assert (endpoint.prompt_price, endpoint.answer_price) == (Decimal("12.5"), Decimal("1200.25"))
    form = as_administrator.get(f"/endpoints/{endpoint.pk}/edit/", headers=russian)
    assert 'value="12,5"' in form.content.decode()
    again = {name: form.context["form"][name].value() for name in ("prompt_price", "answer_price")}
    assert as_administrator.post(ADD, make_form(**prices, name="2"), headers=russian).status_code == 302
    assert again == {"prompt_price": Decimal("12.5"), "answer_price": Decimal("1200.25")}
