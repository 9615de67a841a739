"""The form of an appraisal: who may fill it in, what it takes, and that nothing that was signed is lost."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from casebook.appraisals import AppraisalChangedError, find_appraisal, save_appraisal
from casebook.intake import copy_case
from casebook.models import Appraisal, Case, CaseTest
from casebook.reports import build_context, request_report
from tests.casebook.cases_for_tests import add_draft_test, run_to_seal
from tests.casebook.views.conftest import log_in
from tests.factories import make_sample

CLEAN = [{"text": "That is right.", "share": "1"}]
EXPLANATIONS = ("rare", "changed", "context", "variant", "record")


@pytest.fixture
def sealed(case: Case) -> CaseTest:
    return run_to_seal(add_draft_test(case, distribution=CLEAN))


@pytest.fixture
def with_arms(case: Case) -> CaseTest:
    from casebook import experiments

    test = add_draft_test(case)
    draft = {**test.experiment.draft, "temperatures": ["0.4"]}
    experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
    return run_to_seal(CaseTest.objects.get(pk=test.pk))


def url(test: CaseTest, name: str = "test-appraise", *more: Any) -> str:
    return reverse(f"casebook:{name}", args=[test.case.public_id, test.number, *more])


def answers(**changes: Any) -> dict[str, Any]:
    """What a browser posts from an untouched form, plus `changes`."""
    empty: dict[str, Any] = {"seen": "0", "uses": "", "uses_source": "", "threshold": ""}
    for key in EXPLANATIONS:
        empty |= {f"{key}_finding": "unexamined", f"{key}_text": ""}
    return {**empty, **changes}


def current(test: CaseTest) -> Appraisal:
    found = find_appraisal(test)
    assert found is not None
    return found


def test_a_test_whose_error_did_not_recur_puts_the_explanations_forward(
    as_owner: Client, sealed: CaseTest
) -> None:
    page = as_owner.get(sealed.get_absolute_url()).content.decode()
    assert "Five explanations compete for that" in page
    form = as_owner.get(url(sealed)).content.decode()
    assert "0 of 12 runs is compatible with a true share of up to" in form
    assert "The messages sent are those recorded in the incident, word for word." in form
    as_owner.post(url(sealed), answers(uses="10", uses_source="assumed"))
    assert (
        "Five explanations compete for that" not in as_owner.get(sealed.get_absolute_url()).content.decode()
    )


def test_an_error_that_recurs_often_puts_nothing_forward_but_the_form_is_there(
    as_owner: Client, with_arms: CaseTest
) -> None:
    page = as_owner.get(with_arms.get_absolute_url()).content.decode()
    assert "Five explanations compete for that" not in page
    assert url(with_arms) in page


def test_what_is_filled_in_is_signed_dated_and_shown(as_teammate: Client, sealed: CaseTest) -> None:
    posted = answers(
        changed_finding="supported",
        changed_text="Release notes, exhibit 2 <script>",
        uses="1,000",
        uses_source="disclosed",
        threshold="5",
    )
    response = as_teammate.post(url(sealed), posted)
    assert response["Location"] == sealed.get_absolute_url() + "#appraisal"
    saved = current(sealed)
    assert (saved.version, saved.signed_by, saved.uses, saved.threshold) == (
        1,
        "teammate",
        1000,
        Decimal("0.05"),
    )
    assert saved.explanations == {
        "changed": {"finding": "supported", "text": "Release notes, exhibit 2 <script>"}
    }
    page = as_teammate.get(sealed.get_absolute_url()).content.decode()
    assert re.search(
        r"Version 1, written by <bdi[^>]*>teammate</bdi> on .* UTC, after the result was sealed", page
    )
    assert "Release notes, exhibit 2 &lt;script&gt;" in page
    assert "No error was measured. For 1,000 uses" in page


def test_the_form_comes_back_filled_in_and_saving_it_unchanged_adds_no_version(
    as_owner: Client, with_arms: CaseTest
) -> None:
    posted = answers(
        rare_finding="open",
        uses="500",
        uses_source="x",
        threshold="2.5",
        arm="1",
        cost="25,000.50",
        currency="eur",
    )
    as_owner.post(url(with_arms), posted)
    form = as_owner.get(url(with_arms)).context["form"]
    fields = {field.html_name: "" if field.value() is None else field.value() for field in form}
    assert (fields["seen"], str(fields["threshold"]), fields["currency"]) == (1, "2.5", "EUR")
    assert as_owner.post(url(with_arms), fields).status_code == 302
    assert with_arms.appraisals.count() == 1


def test_a_russian_reader_may_write_commas_and_spaces(as_owner: Client, with_arms: CaseTest) -> None:
    as_owner.cookies["django_language"] = "ru"
    posted = answers(
        uses="10\u00a0000", uses_source="отчёт", threshold="2,5", arm="1", cost="1 250,05", currency="rub"
    )
    assert as_owner.post(url(with_arms), posted).status_code == 302
    saved = current(with_arms)
    assert (saved.uses, saved.threshold, saved.cost) == (10_000, Decimal("0.025"), Decimal("1250.05"))
    page = as_owner.get(with_arms.get_absolute_url()).content.decode()
    assert "Много обращений" in page
    assert "10\u202f000" in page
    assert as_owner.get(url(with_arms)).context["form"]["cost"].value() == Decimal("1250.05")


@pytest.mark.parametrize("typed", ["0,05", "0.05"])
def test_a_threshold_typed_as_a_fraction_is_refused_with_its_bounds(
    as_owner: Client, sealed: CaseTest, typed: str
) -> None:
    as_owner.cookies["django_language"] = "ru"
    response = as_owner.post(url(sealed), answers(threshold=typed))
    assert list(response.context["form"].errors) == ["threshold"]
    assert not sealed.appraisals.exists()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, ["__all__"]),
        ({"uses": "10"}, ["uses_source"]),
        ({"uses_source": "somewhere"}, ["uses"]),
        ({"uses": "1.5", "uses_source": "x"}, ["uses"]),
        ({"uses": "0", "uses_source": "x"}, ["uses"]),
        ({"uses": "1000000001", "uses_source": "x"}, ["uses"]),
        ({"threshold": "100"}, ["threshold"]),
        ({"rare_finding": "excluded"}, ["rare_text"]),
        ({"rare_finding": "supported"}, ["rare_text"]),
        ({"rare_text": "looked at"}, ["rare_finding"]),
        ({"rare_finding": "proved"}, ["rare_finding"]),
        ({"rare_finding": "open", "rare_text": "NUL \0"}, ["rare_text"]),
        ({"cost": "5", "arm": "1", "currency": "EUR"}, ["uses"]),
        ({"cost": "5", "uses": "10", "uses_source": "x"}, ["arm", "currency"]),
        ({"cost": "0", "arm": "1", "currency": "EUR", "uses": "9", "uses_source": "x"}, ["cost"]),
        ({"cost": "5", "arm": "7", "currency": "EUR", "uses": "9", "uses_source": "x"}, ["arm"]),
        ({"cost": "5", "arm": "1", "currency": "€", "uses": "9", "uses_source": "x"}, ["currency"]),
    ],
)
def test_what_does_not_fit_together_is_refused_and_nothing_is_saved(
    as_owner: Client, with_arms: CaseTest, changes: dict[str, str], fields: list[str]
) -> None:
    response = as_owner.post(url(with_arms), answers(**changes))
    assert sorted(response.context["form"].errors) == sorted(fields)
    assert not with_arms.appraisals.exists()


def test_a_stale_form_is_told_and_overwrites_nothing(
    as_owner: Client, as_teammate: Client, sealed: CaseTest
) -> None:
    as_teammate.post(url(sealed), answers(uses="10", uses_source="theirs"))
    response = as_owner.post(url(sealed), answers(uses="20", uses_source="mine"))
    assert "Somebody saved this appraisal after you opened it" in response.content.decode()
    assert response.context["changed_fields"] == ["Number of uses", "Where this number comes from"]
    assert current(sealed).uses == 10
    form = response.context["form"]
    assert (form["uses"].value(), form["seen"].value()) == ("20", "1")
    again = {field.html_name: field.value() or "" for field in form}
    assert as_owner.post(url(sealed), again).status_code == 302
    assert [(each.uses, each.signed_by) for each in sealed.appraisals.all()] == [
        (10, "teammate"),
        (20, "owner"),
    ]


def test_a_second_click_adds_no_second_version(as_owner: Client, sealed: CaseTest) -> None:
    for _ in range(2):
        assert as_owner.post(url(sealed), answers(uses="10", uses_source="x")).status_code == 302
    assert sealed.appraisals.count() == 1


def test_the_version_in_between_is_seen_even_without_the_form(sealed: CaseTest) -> None:
    values = {**Appraisal(test=sealed).answers(), "uses": 5, "uses_source": "x"}
    save_appraisal(sealed, values, seen=0, by="owner")
    with pytest.raises(AppraisalChangedError):
        save_appraisal(sealed, {**values, "uses": 6}, seen=0, by="teammate")


def test_earlier_versions_stay_and_can_be_read(as_owner: Client, sealed: CaseTest) -> None:
    as_owner.post(url(sealed), answers(uses="10", uses_source="first guess"))
    as_owner.post(url(sealed), answers(seen="1", uses="20", uses_source="disclosed"))
    page = as_owner.get(sealed.get_absolute_url()).content.decode()
    assert url(sealed, "appraisal-version", 1) in page
    assert "first guess" not in page
    assert "first guess" in as_owner.get(url(sealed, "appraisal-version", 1)).content.decode()
    assert as_owner.get(url(sealed, "appraisal-version", 3)).status_code == 404


def test_an_appraisal_can_be_withdrawn_but_not_unmade(as_owner: Client, sealed: CaseTest) -> None:
    as_owner.post(url(sealed), answers(uses="10", uses_source="x"))
    assert as_owner.post(url(sealed), answers(seen="1")).status_code == 302
    assert current(sealed).is_withdrawn
    page = as_owner.get(sealed.get_absolute_url()).content.decode()
    assert "With this version the appraisal was withdrawn" in page
    assert url(sealed, "appraisal-version", 1) in page


def test_only_the_team_finds_the_form(
    client: Client, as_teammate: Client, as_stranger: Client, sealed: CaseTest
) -> None:
    as_teammate.post(url(sealed), answers(uses="10", uses_source="x"))
    for page in (url(sealed), url(sealed, "appraisal-version", 1)):
        assert as_teammate.get(page).status_code == 200
        assert as_stranger.get(page).status_code == 404
    assert as_stranger.post(url(sealed), answers(seen="1", threshold="5")).status_code == 404
    assert client.get(url(sealed)).status_code == 302
    assert client.get(url(sealed, "appraisal-version", 1)).status_code == 404
    assert sealed.appraisals.count() == 1


def test_the_appraisal_of_a_sample_is_read_and_not_written(client: Client, owner: User) -> None:
    sample = make_sample()
    test = run_to_seal(add_draft_test(copy_case(sample, owner=owner)))
    CaseTest.objects.filter(pk=test.pk).update(case=sample)
    test = CaseTest.objects.get(pk=test.pk)
    save_appraisal(test, {"uses": 7, "uses_source": "assumed"}, seen=0, by="owner")
    page = client.get(test.get_absolute_url()).content.decode()
    assert "Where the number comes from:" in page
    assert url(test) not in page
    assert log_in(owner).get(url(test)).status_code == 404


def test_nothing_is_appraised_before_the_result_is_sealed(as_owner: Client, case: Case) -> None:
    from casebook import experiments

    test = add_draft_test(case)
    assert as_owner.get(url(test))["Location"] == test.get_absolute_url()
    experiments.lock_and_run(test, by="owner")
    assert as_owner.post(url(test), answers(uses="1", uses_source="x")).status_code == 302
    assert not test.appraisals.exists()
    assert "appraisal" not in as_owner.get(test.get_absolute_url()).content.decode()


def test_a_greedy_test_is_asked_for_explanations_only(as_owner: Client, case: Case) -> None:
    from casebook import experiments

    test = add_draft_test(case)
    draft = {**test.experiment.draft, "sampling": {**test.experiment.draft["sampling"], "temperature": "0"}}
    assert experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
    test = run_to_seal(CaseTest.objects.get(pk=test.pk))
    form = as_owner.get(url(test)).context["form"]
    assert "rare_finding" in form.fields
    assert not {"uses", "threshold", "cost"} & set(form.fields)
    assert as_owner.post(url(test), answers(rare_finding="open", uses="7")).status_code == 302
    assert current(test).uses is None
    assert "the runs are one observation" in as_owner.get(url(test)).content.decode()


def test_a_report_is_frozen_with_its_appraisal_and_a_change_makes_a_new_one(
    as_owner: Client, sealed: CaseTest, owner: User
) -> None:
    def ask() -> Any:
        fresh = CaseTest.objects.get(pk=sealed.pk)
        return request_report(case=fresh.case, test=fresh, language="en", requested_by=owner)

    before = ask()
    as_owner.post(url(sealed), answers(uses="10", uses_source="first"))
    first = ask()
    as_owner.post(url(sealed), answers(seen="1", uses="20", uses_source="second"))
    second = ask()
    assert before.context["appraisal"] is None
    assert [each.context["appraisal"]["uses"] for each in (first, second)] == [10, 20]
    assert ask() == second
    assert len({before.pk, first.pk, second.pk}) == 3
    assert before.context["as_of"] < first.context["as_of"] < second.context["as_of"]


def test_the_sealed_result_and_the_ledger_know_nothing_of_an_appraisal(
    as_owner: Client, sealed: CaseTest
) -> None:
    result = sealed.experiment.latest_result()
    assert result is not None
    head = build_context(sealed, result, language="en")["ledger_head"]
    as_owner.post(url(sealed), answers(threshold="5"))
    after = build_context(CaseTest.objects.get(pk=sealed.pk), result, language="en")
    assert (after["ledger_head"], after["result_sha256"]) == (head, result.sha256)
    assert sealed.experiment.ledger.order_by("-seq")[0].kind == "sealed"
