"""The list of cases and the first page: one's own cases, found by words, with what was measured."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from casebook import experiments
from casebook.models import Case
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal, work_to_seal
from tests.factories import make_sample


def titles(client: Client, query: str = "") -> list[str]:
    return [case.title for case, _headline in client.get(f"/cases/{query}").context["rows"]]


def test_each_person_finds_their_own_cases(
    as_owner: Client, as_teammate: Client, as_stranger: Client, case: Case
) -> None:
    make_sample()
    assert titles(as_owner) == titles(as_teammate) == [case.title]
    assert titles(as_stranger) == []


@pytest.mark.django_db
def test_a_visitor_is_sent_to_the_log_in(client: Client) -> None:
    assert client.get("/cases/")["Location"].startswith("/account/login/")


def test_an_empty_list_says_what_to_do_next(as_owner: Client) -> None:
    body = as_owner.get("/cases/").content.decode()
    assert "No cases yet" in body
    assert "/cases/add/" in body


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=refund", True),
        ("?q=TRIP+help", True),
        ("?q=refund+nonsense", False),
        ("?q=%00", True),
        ("?q=%ED%A0%80", False),
        ("?q=100%25", False),
        ("?page=99", True),
        ("?page=x", True),
    ],
)
def test_the_search_needs_every_word(as_owner: Client, case: Case, query: str, found: bool) -> None:
    assert bool(titles(as_owner, query)) is found


def test_a_search_without_a_hit_offers_the_whole_list(as_owner: Client, case: Case) -> None:
    assert "No case contains all of these words" in as_owner.get("/cases/?q=nonsense").content.decode()


def test_long_lists_have_pages_that_keep_the_search(as_owner: Client, owner: User) -> None:
    for _ in range(21):
        add_case(owner)
    first = as_owner.get("/cases/?q=refund")
    assert len(first.context["rows"]) == 20
    assert "?q=refund&amp;page=2" in first.content.decode()
    assert len(titles(as_owner, "?q=refund&page=2")) == 1


def test_a_sealed_test_shows_its_rate_and_a_draft_shows_none(as_owner: Client, case: Case) -> None:
    sealed = run_to_seal(add_draft_test(case, runs=4, answers=["wrong"] * 12))
    headline = as_owner.get("/cases/").context["rows"][0][1]
    assert (headline.test, headline.errors, headline.runs) == (sealed, 4, 4)
    body = as_owner.get("/cases/").content.decode()
    assert "4 of 4 runs in test 1" in body
    assert "cb-badge-sealed" in body


def test_a_later_cancelled_test_does_not_take_over_the_headline(as_owner: Client, case: Case) -> None:
    completed = run_to_seal(add_draft_test(case, runs=4, answers=["wrong"] * 12))
    later = add_draft_test(case, runs=4, name="second script")
    experiments.lock_and_run(later, by="owner")
    experiments.steer(later, "cancel", by="owner")
    later = work_to_seal(later)
    assert later.experiment.ended_as == "cancelled"
    assert as_owner.get("/cases/").context["rows"][0][1].test == completed
    page = as_owner.get(case.get_absolute_url())
    assert (page.context["headline"].test, page.context["next"].test) == (completed, completed)
    assert page.context["report_form"]["test"].value() == completed.pk


def test_only_a_cancelled_test_is_the_headline_itself(as_owner: Client, case: Case) -> None:
    test = add_draft_test(case, runs=4)
    experiments.lock_and_run(test, by="owner")
    experiments.steer(test, "cancel", by="owner")
    work_to_seal(test)
    headline = as_owner.get("/cases/").context["rows"][0][1]
    assert headline.test == test
    assert (headline.runs, headline.share, headline.low, headline.high) == (0, "", "", "")
    assert "No interval is given" in headline.certainty
    assert "0% – 100%" not in as_owner.get(case.get_absolute_url()).content.decode()


def test_a_page_of_cases_takes_the_same_number_of_queries_however_many_there_are(
    as_owner: Client, owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        add_case(owner)
    with django_assert_max_num_queries(14):
        as_owner.get("/cases/")


def test_the_first_page_tells_a_person_what_waits(as_owner: Client, case: Case) -> None:
    assert "Plan a test of how often the error recurs" in as_owner.get("/").content.decode()


@pytest.mark.django_db
def test_the_first_page_is_public_and_tells_nothing_of_cases(client: Client, case: Case) -> None:
    body = client.get("/").content.decode()
    assert case.title not in body
    assert "we warned you" in body
