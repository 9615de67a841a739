"""The report prints what every further arm was locked to do, its prompt in full."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string

from casebook import experiments
from casebook.report_numbers import number_writer
from casebook.reporting.plan import write_limit
from casebook.reporting.planned_arms import ARM_CHARACTERS, PlannedArm, list_planned
from casebook.reporting.view import build_view
from casebook.reports import collect_facts
from ensemble.protocol import BY_HAND, Protocol, SaltedText
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal, work_to_seal
from tests.ensemble.experiments import DETECTOR, add_scripted_endpoint

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>\u202e\x07 May one claim it?"
ENTRIES: dict[str, dict[str, Any]] = {
    "endpoint": {"purpose": "endpoint"},
    "ordinary use": {"purpose": "ordinary use", "prompt": HOSTILE, "origin": {"written_by": "anna"}},
    "no system": {"purpose": "after notice", "system": ""},
    "control": {
        "purpose": "control",
        "prompt": "Capital of France?",
        "detector": {**DETECTOR, "error_phrases": []},
    },
    "long": {"purpose": "paraphrase", "prompt": "x" * (ARM_CHARACTERS + 1)},
    "day": {"purpose": "day", "begins": BY_HAND, "runs": 9},
}


def build(owner: User, *names: str) -> Protocol:
    test = add_draft_test(add_case(owner, system_prompt="Be brief."))
    other = add_scripted_endpoint(name="other")
    arms = [{**ENTRIES[name], **({"endpoint": other.pk} if name == "endpoint" else {})} for name in names]
    return experiments.build_protocol(test.case, {**test.experiment.draft, "arms": arms})


def limit_of(protocol: Protocol) -> str:
    salted = [SaltedText(text=text, salt=b"") for text in protocol.texts()]
    return write_limit(protocol.document(salted), number_writer("en"))


def plan(protocol: Protocol) -> list[PlannedArm]:
    salted = [SaltedText(text=text, salt=b"") for text in protocol.texts()]
    texts = {item.sha256: item.text for item in salted}
    return list(list_planned(protocol.document(salted), texts, number_writer("en")))


def rows(arm: PlannedArm) -> dict[str, str]:
    return {row.label: row.value for row in arm.rows}


@pytest.mark.parametrize(("arm", "has_own"), [("endpoint", False), ("day", True)])
def test_the_limit_tells_of_arms_with_a_number_of_runs_of_their_own(
    owner: User, arm: str, has_own: bool
) -> None:
    protocol = build(owner, arm)
    said = "an arm with a number of runs of its own, after twice that number."
    assert limit_of(protocol).endswith(said) is has_own
    assert (protocol.rule_of(1).max_indexes == 18) is has_own


def test_an_arm_tells_only_in_what_it_differs(owner: User) -> None:
    endpoint, day = plan(build(owner, "endpoint", "day"))
    assert set(rows(endpoint)) == {"What it is for", "Model", "Text"}
    assert "other" in rows(endpoint)["Model"]
    assert set(rows(day)) == {"What it is for", "Stopping rule", "Begins", "Text"}
    assert rows(day)["Begins"] == "when somebody starts it"
    assert "9 labelled runs" in rows(day)["Stopping rule"]
    assert {arm.rest for arm in (endpoint, day)} == {"Its messages are those of arm 1, word for word."}


def test_an_own_text_is_quoted_in_full_with_its_writer(owner: User) -> None:
    ordinary, bare = plan(build(owner, "ordinary use", "no system"))
    assert [(quote.speaker, quote.text, quote.note) for quote in ordinary.sent] == [("User", HOSTILE, "")]
    assert rows(ordinary)["Text"] == "written by anna"
    assert ordinary.rest == "All other messages that it sends are those of arm 1, word for word."
    assert bare.sent == ()
    assert bare.rest.endswith("It has no system prompt.")


def test_a_text_too_long_for_paper_says_so_with_its_hash(owner: User) -> None:
    quote = plan(build(owner, "long"))[0].sent[0]
    assert len(quote.text) == ARM_CHARACTERS
    assert quote.sha256 in quote.note


def test_an_own_detector_is_printed_whole(owner: User) -> None:
    control = plan(build(owner, "control"))[0]
    assert {"Means no error": "right", "If neither is found": "unclear"}.items() <= {
        row.label: row.value for row in control.detector
    }.items()


def test_another_temperature_names_the_one_value_that_differs(owner: User) -> None:
    test = add_draft_test(add_case(owner))
    protocol = experiments.build_protocol(test.case, {**test.experiment.draft, "temperatures": ["0.2"]})
    assert rows(plan(protocol)[0])["temperature"] == "0.2"


def test_the_report_prints_every_prompt_escaped_and_what_people_did_with_waiting_arms(owner: User) -> None:
    test = add_draft_test(add_case(owner, system_prompt="Be brief."))
    arms = [ENTRIES["ordinary use"], {**ENTRIES["day"], "runs": 3}, {**ENTRIES["day"], "runs": 3}]
    seen = experiments.draft_sha256(test.experiment.draft)
    assert experiments.save_draft(test, {**test.experiment.draft, "arms": arms}, seen_sha256=seen)
    experiments.lock_and_run(test, by="owner")
    assert experiments.open_or_skip_arm(test, 2, "open", by="anna")
    assert experiments.open_or_skip_arm(test, 3, "skip", by="anna", reason="It closes.")
    sealed = work_to_seal(test)
    result = sealed.experiment.latest_result()
    assert result is not None
    view = build_view(collect_facts(sealed, result, language="en"))
    assert [row.value for row in view.events] == [
        "started by anna (arm 3)",
        "given up before its first run by anna (arm 4): “It closes.” (as recorded in the ledger)",
    ]
    page = render_to_string("casebook/report/_protocol.html", {"view": view})
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "U+202E" in page
    assert "U+0007" in page


def test_a_test_with_one_arm_lists_no_further_ones(owner: User) -> None:
    sealed = run_to_seal(add_draft_test(add_case(owner)))
    result = sealed.experiment.latest_result()
    assert result is not None
    view = build_view(collect_facts(sealed, result, language="en"))
    assert view.planned_arms == ()
    assert "The further arms" not in render_to_string("casebook/report/_protocol.html", {"view": view})
