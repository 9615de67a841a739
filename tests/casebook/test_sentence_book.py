"""docs/sentences.md lists every sentence as it is, and no sentence makes a claim that must not be made."""

from __future__ import annotations

import re
from functools import cache

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy

from casebook.reporting.view import build_view
from casebook.sentences import SENTENCES, write_sentence
from tests.casebook.forbidden_claims import CLAIMS, DENIALS, Claim, find_claims
from tests.casebook.report_examples import make_context
from tests.casebook.report_shapes import SHAPES
from tests.casebook.sentence_book import (
    DOCUMENT,
    LANGUAGES,
    Written,
    list_forms,
    record_examples,
    write_document,
)
from tests.casebook.sentence_uses import USES

COUNTS = (1, 2, 5, 21)
record = cache(record_examples)


def render(language: str) -> dict[tuple[str, str], str]:
    """Every sentence of every shape of result, in every plural form, by its id and its text."""
    written: list[Written] = record(language)
    found = {}
    with translation.override(language):
        for use in written:
            counts = (use.n, *COUNTS) if use.n is not None else (None,)
            for n in counts:
                text = write_sentence(use.sentence_id, n, **use.facts)
                found[use.sentence_id, text] = text
    return found


def test_the_document_is_that_of_the_templates() -> None:
    """`make sentences` writes it."""
    assert DOCUMENT.read_text(encoding="utf-8") == write_document()


def test_every_template_is_explained_and_nothing_else_is() -> None:
    assert set(USES) == set(SENTENCES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_stands_in_the_document_and_is_rendered_with_a_result(language: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    rendered = {sentence_id for sentence_id, _ in render(language)}
    for sentence_id in SENTENCES:
        assert f"### {sentence_id}\n" in text
        assert sentence_id in rendered
        for form in list_forms(sentence_id, language).values():
            assert f": {form}\n" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_rendered_sentence_has_a_blank_left(language: str) -> None:
    for (sentence_id, _), text in render(language).items():
        assert not re.search(r"%\(|\{\w+\}|None|nan\b", text), sentence_id


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_makes_a_claim_that_must_not_be_made(language: str) -> None:
    made = {key: find_claims(text, language) for key, text in render(language).items()}
    assert {key: claims for key, claims in made.items() if claims} == {}


@pytest.mark.parametrize("claim", CLAIMS, ids=[f"{claim.language} {claim.number}" for claim in CLAIMS])
def test_the_scan_catches_every_such_claim(claim: Claim) -> None:
    for text in claim.caught:
        assert any(found.startswith(f"{claim.number}:") for found in find_claims(text, claim.language)), text
    for pattern in claim.patterns:
        assert any(re.search(pattern, text, re.IGNORECASE) for text in claim.caught), pattern


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_claim_of_the_list_has_its_patterns_in_both_languages(language: str) -> None:
    assert [claim.number for claim in CLAIMS if claim.language == language] == list(range(1, 11))


def test_the_scan_finds_a_claim_that_somebody_puts_into_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    added = gettext_lazy("The true share is the share of all users whom the product errs on.")
    monkeypatch.setitem(SENTENCES, "share.meaning", added)
    made = {key[0]: find_claims(text, "en") for key, text in render("en").items()}
    assert made["share.meaning"] == ["5: product errs", "5: all users"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_denial_is_one_of_a_sentence_in_use(language: str) -> None:
    texts = " ".join(render(language).values())
    for denial in DENIALS[language]:
        assert denial in texts


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_rate_stands_without_its_rule_its_end_and_the_runs_left_out(shape: str, language: str) -> None:
    with translation.override(language):
        one = build_view(make_context(shape, language)).one
    assert one.finding
    assert one.interval
    assert one.rule
    assert one.ended
    assert len(one.ran) >= 10
