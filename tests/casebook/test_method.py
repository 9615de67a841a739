"""The method section of a report is the text of docs/methods.md, as far as it concerns the result."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings

from casebook.guide import open_guide, open_marked
from casebook.reporting.annex import load_validation
from casebook.reporting.context import context_from_json
from casebook.reporting.method import build_method, find_topics
from casebook.reporting.rendering import write_html
from tests.casebook.appraisal_examples import make_appraisal
from tests.casebook.report_examples import make_context
from tests.casebook.report_shapes import SHAPES

LANGUAGES = ("en", "ru")
TOPICS = {
    "middle": {"fixed", "wilson", "band", "sequence", "audit", "variety", "drift"},
    "zero": {"fixed", "wilson", "zero", "sequence", "audit", "variety", "drift"},
    "precision": {"precision", "sequence", "audit", "variety", "drift"},
    "anytime": {"anytime", "sequence", "audit", "variety", "drift"},
    "anytime more": {"anytime", "sequence", "decision", "audit", "variety", "drift"},
    "deterministic": {"audit", "deterministic"},
    "three arms": {"fixed", "wilson", "sequence", "audit", "tests", "variety", "drift"},
    "three arms, cancelled": {"fixed", "sequence", "audit", "sequences", "variety", "drift", "band"},
}


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).strip()


@pytest.mark.parametrize("shape", TOPICS)
def test_only_what_the_result_holds_is_explained(shape: str) -> None:
    assert find_topics(make_context(shape)) == TOPICS[shape] | {"always"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_marked_part_has_a_topic_that_some_report_has(language: str) -> None:
    marked = {part.topic for part in open_marked("methods", language).parts}
    reached = set().union(*(find_topics(make_context(shape)) for shape in SHAPES))
    reached |= find_topics(
        make_context("two arms", appraisal=make_appraisal(arm=1, cost="10", currency="EUR"))
    )
    # A fixed rule's name is a topic; that of an anytime test is explained under its sequence.
    assert marked <= reached
    assert reached - marked == {"anytime"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "shape", ["middle", "precision", "anytime more", "three arms", "three arms, cancelled"]
)
def test_the_section_is_the_page_word_for_word(shape: str, language: str) -> None:
    context = make_context(shape, language)
    page = plain(str(open_guide("methods", language).html))
    html = write_html(context)
    view = build_method(context)
    numberless = re.compile(r"\[[\d, ]+\]")
    for part in view.parts:
        assert numberless.sub("[]", plain(part.html)) in numberless.sub("[]", page)
        assert part.html in html
    for reference in view.references:
        assert plain(reference) in page
    assert "in the report" not in page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_references_are_numbered_as_they_are_named(shape: str, language: str) -> None:
    view = build_method(make_context(shape, language))
    named = re.findall(
        r"\[([\d, ]+)\]", " ".join(re.sub("<code>[^<]*</code>", "", p.html) for p in view.parts)
    )
    numbers = [int(number) for each in named for number in each.split(", ")]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(view.references) + 1))


def test_a_reference_keeps_its_work_when_its_number_changes() -> None:
    context = make_context("three arms")
    view = build_method(context)
    part = next(part for part in view.parts if part.topic == "tests")
    place = int(
        re.search(r"Newcombe's interval of the difference, method 10 \[(\d+)\]", unescape(part.html))[1]
    )  # type: ignore[index]
    assert view.references[place - 1].startswith("Newcombe, R. G. (1998)")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_markdown_is_left_over(language: str) -> None:
    for shape in ("middle", "three arms", "anytime more", "precision", "deterministic"):
        for part in build_method(make_context(shape, language)).parts:
            assert not re.search(r"\*|\|---|`|^#", re.sub(r"<code>.*?</code>", "", part.html))
            assert "style=" not in part.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_annex_prints_what_validate_left_and_stays_as_it_was_frozen(language: str) -> None:
    facts = load_validation()
    assert facts is not None
    context = replace(make_context("middle", language), validation=facts)
    again = context_from_json(json.loads(json.dumps(context.document())))
    assert again == context
    html = write_html(context)
    assert html == write_html(again)
    annex = plain(html.partition('id="validation"')[2])
    assert len(facts.lines) == 21
    for line in facts.lines:
        mean = f"{line.mean_runs:.1f}"
        assert f"{line.covered} {mean if language == 'en' else mean.replace('.', ',')}" in annex
    assert 'id="validation"' not in write_html(make_context("middle", language))


def test_the_annex_is_the_table_of_the_page() -> None:
    facts = load_validation()
    assert facts is not None
    page = Path(settings.BASE_DIR, "docs", "validation.md").read_text(encoding="utf-8")
    for line in facts.lines:
        row = rf"^\| {line.mode} \| {line.share} \| {facts.tests} \| {line.covered} \| [^|]* \| {line.mean_runs:.1f} \|"
        assert re.search(row, page, re.MULTILINE)
    assert f"Made on {facts.made_at[:10]}" in page


def test_a_report_without_a_validation_has_no_annex(tmp_path: Path) -> None:
    assert load_validation(tmp_path / "none.json") is None
