"""The closed set of sentences about numbers: each shape of result gets the right one, in both languages."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from casebook import (
    appraisal_sentences,
    arm_sentences,
    cluster_sentences,
    planning_sentences,
    planning_words,
    rule_sentences,
    sentences,
    validation_sentences,
)
from casebook.reporting import (
    annex,
    appraisal,
    claims,
    clusters,
    comparisons,
    explanations,
    lines,
    loss,
    plan,
    quotes,
    reasons,
    strength,
    tested_model,
    uses,
    variety,
    view,
)
from casebook.reporting.annex import load_validation
from casebook.reporting.context import find_primary
from casebook.reporting.view import build_view
from casebook.sentences import SENTENCES, write_sentence
from tests.casebook.appraisal_examples import list_every_shape
from tests.casebook.planning_examples import write_planning
from tests.casebook.report_examples import make_context, make_context_with_a_wrong_seed, make_hostile_context
from tests.casebook.report_shapes import SHAPES

LANGUAGES = ("en", "ru")
FINDINGS = {
    "middle": ("finding.rate", "interval.fixed", "ended.rule"),
    "zero": ("finding.zero", "interval.fixed", "ended.rule"),
    "all": ("finding.all", "interval.fixed", "ended.rule"),
    "precision": ("finding.rate", "interval.precision", "ended.rule"),
    "anytime": ("finding.rate", "interval.anytime", "ended.rule"),
    "anytime more": ("finding.rate", "interval.anytime", "ended.rule"),
    "anytime less": ("finding.zero", "interval.anytime", "ended.rule"),
    "anytime narrow": ("finding.rate", "interval.anytime", "ended.rule"),
    "anytime narrow or less": ("finding.rate", "interval.anytime", "ended.rule"),
    "anytime undecided": ("finding.rate", "interval.anytime", "ended.undecided"),
    "cancelled": ("finding.interim", "interval.sequence", "ended.cancelled"),
    "failed": ("finding.interim_zero", "interval.sequence", "ended.failed"),
    "test failed": ("finding.interim", "interval.sequence", "ended.early"),
    "limit": ("finding.rate", "interval.sequence", "ended.limit"),
    "identity": ("finding.interim_all", "interval.sequence", "ended.identity"),
    "deterministic": ("finding.deterministic", "interval.deterministic", "ended.rule"),
    "two arms": ("finding.rate", "interval.fixed", "ended.rule"),
    "three arms": ("finding.rate", "interval.fixed", "ended.rule"),
    "three arms, cancelled": ("finding.interim", "interval.sequence", "ended.cancelled"),
    "interval and test disagree": ("finding.rate", "interval.fixed", "ended.rule"),
    "paraphrases": ("finding.rate", "interval.fixed", "ended.rule"),
    "two paraphrases, cut short": ("finding.rate", "interval.fixed", "ended.rule"),
    "three days and a control": ("finding.rate", "interval.fixed", "ended.rule"),
    "six days": ("finding.rate", "interval.fixed", "ended.rule"),
    "two paraphrases and two days, the model changed": ("finding.rate", "interval.fixed", "ended.rule"),
    "two days that are one": ("finding.rate", "interval.fixed", "ended.rule"),
    "six days, one of them given up": ("finding.rate", "interval.fixed", "ended.rule"),
    "a day without the first": ("finding.unlabelled", "interval.none", "ended.limit"),
    "a paraphrase and a day, cut short": ("finding.rate", "interval.fixed", "ended.rule"),
    "drift": ("finding.rate", "interval.fixed", "ended.rule"),
    "nothing labelled": ("finding.unlabelled", "interval.none", "ended.limit"),
    "no runs": ("finding.no_runs", "interval.none", "ended.cancelled"),
    "number": ("finding.rate", "interval.fixed", "ended.rule"),
    "long": ("finding.rate", "interval.fixed", "ended.rule"),
    "endpoint": ("finding.rate", "interval.fixed", "ended.rule"),
    "scripted": ("finding.rate", "interval.fixed", "ended.rule"),
    "Russian prompt": ("finding.rate", "interval.fixed", "ended.rule"),
}


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the sentences written while the test runs, in order."""
    found: list[str] = []

    def record(sentence_id: str, n: int | None = None, /, **facts: str) -> str:
        found.append(sentence_id)
        return write_sentence(sentence_id, n, **facts)

    for module in (
        annex, appraisal, claims, clusters, comparisons, explanations, lines, loss, plan, planning_words, quotes,
        reasons, strength,
        tested_model, uses, variety, view,
    ):  # fmt: skip
        if hasattr(module, "write_sentence"):
            monkeypatch.setattr(module, "write_sentence", record)
    return found


def read_templates() -> dict[str, list[str]]:
    """The literal texts of every sentence, read from the sources."""
    tables = (
        sentences,
        appraisal_sentences,
        arm_sentences,
        cluster_sentences,
        planning_sentences,
        validation_sentences,
        rule_sentences,
    )
    return {key: texts for table in tables for key, texts in read_table(table.__file__).items()}


def read_table(source: str) -> dict[str, list[str]]:
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    table = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    found = {}
    for key, call in zip(table.keys, table.values, strict=True):
        if key is None:  # the other table, unpacked
            continue
        assert isinstance(key, ast.Constant)
        assert isinstance(call, ast.Call)
        texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        found[key.value] = [text for text in texts if text != "n"]
    return found


def test_every_shape_is_tested() -> None:
    assert set(FINDINGS) == set(SHAPES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_result_gets_its_finding_its_interval_and_its_end(
    shape: str, language: str, used: list[str]
) -> None:
    context = make_context(shape, language)
    with translation.override(language):
        arm = find_primary(context.result)
        numbers = view.number_writer(language)
        claims.write_finding(arm, numbers)
        claims.write_interval(arm, context.result["experiment"]["ended_as"], numbers)
        claims.write_ending(arm, context.result["experiment"]["ended_as"], numbers)
    assert tuple(used) == FINDINGS[shape]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_reached_by_some_result(language: str, used: list[str]) -> None:
    contexts = [make_context(shape, language) for shape in SHAPES]
    contexts += [make_hostile_context(language), make_context_with_a_wrong_seed(language)]
    contexts += list_every_shape(language)
    contexts += [replace(contexts[0], validation=load_validation())]
    with translation.override(language):
        for context in contexts:
            build_view(context)
        write_planning(language)
    of_reports = {sentence_id for sentence_id in SENTENCES if not sentence_id.startswith("running.")}
    assert of_reports - set(used) == set()


@pytest.mark.parametrize("sentence_id", SENTENCES)
def test_singular_and_plural_hold_the_same_facts(sentence_id: str) -> None:
    forms = [set(re.findall(r"%\((\w+)\)s", text)) for text in read_templates()[sentence_id]]
    assert all(form == forms[0] for form in forms)


@pytest.mark.parametrize("sentence_id", SENTENCES)
def test_no_sentence_holds_a_number_a_court_word_or_a_bare_percent_sign(sentence_id: str) -> None:
    for text in read_templates()[sentence_id]:
        plain = re.sub(r"%\(\w+\)s", "", text)
        assert "%" not in plain
        assert not re.search(r"\b(judge|verdict|trial|defendant|reproducib)", plain, re.IGNORECASE)


def test_the_plural_form_follows_the_count() -> None:
    facts = {"errors": "1", "runs": "1", "share": "100%"}
    assert "of 1 rerun of" in write_sentence("finding.rate", 1, **facts)
    assert "of 21 reruns of" in write_sentence("finding.rate", 21, **{**facts, "runs": "21"})


def test_a_missing_fact_is_an_error() -> None:
    with pytest.raises(KeyError):
        write_sentence("finding.rate", 3, errors="1")
    with pytest.raises(KeyError):
        write_sentence("finding.invented", 3)


def test_a_cancelled_test_says_that_its_end_was_not_reached_even_in_an_arm_that_met_its_rule() -> None:
    arm: Any = find_primary(make_context("anytime").result)
    numbers = view.number_writer("en")
    assert "did not reach its planned end" in claims.write_interval(arm, "cancelled", numbers)
    assert "did not reach its planned end" not in claims.write_interval(arm, "failed", numbers)


def test_a_running_anytime_test_promises_no_other_interval() -> None:
    arm: Any = find_primary(make_context("anytime").result)
    numbers = view.number_writer("en")
    going_on = {**arm, "stop": {"kind": "", "reason": ""}}
    assert "the planned interval comes when" in claims.write_running(going_on, "precision", numbers)[1]
    assert claims.write_running(arm, "anytime", numbers)[1].endswith("looks and whenever one stops.")


@pytest.mark.parametrize("kind", ["limit", "failed", "identity"])
def test_an_arm_that_missed_its_rule_is_promised_no_planned_interval_while_others_run(kind: str) -> None:
    arm: Any = {**find_primary(make_context("limit").result), "stop": {"kind": kind, "reason": ""}}
    said = claims.write_running(arm, "fixed", view.number_writer("en"))[1]
    assert "there will be no planned interval" in said
    assert "comes" not in said


def test_an_arm_that_met_its_rule_waits_for_the_sealed_result() -> None:
    arm: Any = find_primary(make_context("middle").result)
    said = claims.write_running(arm, "fixed", view.number_writer("en"))[1]
    assert said.startswith("The rule is met: the planned interval comes with the sealed result.")


def test_the_numbers_of_a_sentence_are_those_of_the_result() -> None:
    context = make_context("zero")
    arm: Any = find_primary(context.result)
    numbers = view.number_writer("en")
    assert claims.write_finding(arm, numbers) == "The error did not recur in any of 100 reruns of the prompt."
    assert "from 0% to 3.6%" in claims.write_interval(arm, "completed", numbers)
    compatible, bound = claims.write_zero(arm, numbers)
    assert compatible.startswith("0 of 100 runs is compatible with a true share of up to 3.6%.")
    assert bound.endswith("with 95% confidence the true share is at most 3.0%.")
