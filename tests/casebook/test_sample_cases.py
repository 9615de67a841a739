"""The sample casebook: the file is read strictly, is complete in both languages and runs on the embedded model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import fields
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from casebook.law.cases import CASES_FILE, HARM_KINDS, SampleCase, load_cases
from casebook.law.reading import DataError, Localized, read_yaml
from casebook.models import Incident
from ensemble.detectors import build_detector
from ensemble.protocol import Label, Message, Sampling

DOCUMENT = read_yaml(CASES_FILE)
CASES = {case.key: case for case in load_cases()}
KEYS = ("moffatt", "walters", "cursor", "arithmetic")
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())

Row = dict[str, Any]


def find_texts(value: Any) -> list[Localized]:
    """Every text in two languages inside a sample."""
    if isinstance(value, Localized):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in find_texts(item)]
    if hasattr(value, "__dataclass_fields__"):
        return [text for field in fields(value) for text in find_texts(getattr(value, field.name))]
    return []


def find_money(text: str) -> set[Decimal]:
    """The amounts that an English text names in Canadian dollars."""
    return {Decimal(found) for found in re.findall(r"CAD (\d+(?:\.\d\d)?)", text)}


# The loader


def load_changed(tmp_path: Path, change: Callable[[Row], object]) -> tuple[SampleCase, ...]:
    """The cases of the shipped file after `change` was made to its first one."""
    document = deepcopy(DOCUMENT)
    change(document["cases"][0])
    path = tmp_path / "cases.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    return load_cases(path)


def test_an_untouched_copy_of_the_file_is_read(tmp_path: Path) -> None:
    assert load_changed(tmp_path, lambda row: None) == tuple(CASES.values())


REFUSED: dict[str, tuple[Callable[[Row], object], str]] = {
    "a missing field": (lambda row: row.pop("truth"), r"\(moffatt\): “truth” is missing"),
    "an unknown field": (lambda row: row.update(thruth="x"), r"\(moffatt\): “thruth” is not a known field"),
    "a missing language": (lambda row: row["outcome"].pop("ru"), "outcome: “ru” is missing"),
    "an empty text": (lambda row: row["title"].update(en=" "), "title: “en” is empty"),
    "a third language": (lambda row: row["title"].update(de="x"), "title: “de” is not a known field"),
    "a text that YAML took for a number": (lambda row: row["harm"].update(amount=650.88), "text in quotes"),
    "a yes that YAML took for true": (lambda row: row.update(wrong_statement=True), "text in quotes"),
    "a day that does not exist": (lambda row: row.update(occurred_on="2022-11-31"), "is no date"),
    "a date in words": (lambda row: row.update(occurred_on="November 2022"), "occurred_on"),
    "a key with capitals": (lambda row: row.update(key="Moffatt"), "“key” does not have the form"),
    "an unknown kind of harm": (lambda row: row["harm"].update(kind="anger"), "must be one of none, money"),
    "an amount without a currency": (lambda row: row["harm"].update(currency=""), "“currency” must be given"),
    "a currency without an amount": (lambda row: row["harm"].update(amount=""), "“currency” must be given"),
    "an amount with three decimals": (lambda row: row["harm"].update(amount="650.881"), "“amount” does not"),
    "a role that does not exist": (lambda row: row["conversation"][0].update(role="bot"), "conversation 1"),
    "a conversation that ends with an answer": (
        lambda row: row["conversation"].pop(),
        "“conversation” must begin",
    ),
    "two turns of the user in a row": (lambda row: row["conversation"].pop(1), "must alternate"),
    "no conversation": (lambda row: row.update(conversation=[]), "“conversation” must begin"),
    "a source without citation and address": (lambda row: row["sources"][0].update(citation=""), "sources 1"),
    "an address without encryption": (
        lambda row: row["sources"][1].update(url="http://x.org"),
        "“url” does not",
    ),
    "no source": (lambda row: row.update(sources=[]), "“sources” is empty"),
    "a list that is none": (lambda row: row.update(sources="x"), "“sources” must be a list"),
    "a mapping that is none": (lambda row: row.update(harm="x"), "harm: must hold named fields"),
    "a detector of an unknown kind": (lambda row: row["protocol"].update(detector={"kind": "luck"}), "luck"),
    "a detector that is none": (
        lambda row: row["protocol"].update(detector="yes"),
        "“detector” is not valid",
    ),
    "a detector blind to the error": (
        lambda row: row["protocol"]["detector"].update(error_phrases=["Surely"]),
        "calls the disputed answer “unclear”",
    ),
    "wrong words that were never said": (lambda row: row.update(wrong_statement="x"), "does not stand in"),
    "a sampling value that is no decimal": (
        lambda row: row["protocol"]["sampling"].update(temperature="hot"),
        "“temperature” does not have the form",
    ),
    "no token at all": (lambda row: row["protocol"]["sampling"].update(max_tokens=0), "above zero"),
    "a temperature without quotes": (
        lambda row: row["protocol"].update(temperatures=[0.5]),
        "temperatures: “1”",
    ),
    "a flag in words": (lambda row: row.update(is_constructed="no"), "must be true or false"),
    "a key that another case has": (
        lambda row: row.update(key="walters"),
        "two cases with the key “walters”",
    ),
}


@pytest.mark.parametrize("flaw", REFUSED)
def test_a_flaw_in_the_file_is_refused_and_named(flaw: str, tmp_path: Path) -> None:
    change, message = REFUSED[flaw]
    with pytest.raises(DataError, match=message):
        load_changed(tmp_path, change)


def test_a_field_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text("format: casebook-cases/1\nformat: casebook-cases/1\ncases: []\n", encoding="utf-8")
    with pytest.raises(DataError, match="“format” stands twice"):
        load_cases(path)


def test_a_date_without_quotes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    text = CASES_FILE.read_text(encoding="utf-8")
    path.write_text(text.replace('occurred_on: "2022-11-11"', "occurred_on: 2022-11-11"), encoding="utf-8")
    with pytest.raises(DataError, match=r"“occurred_on” must be a text in quotes, not datetime\.date"):
        load_cases(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "format: casebook-cases/2\ncases: []", "a: [", "a: !!python/name:os.getcwd"]
)
def test_what_is_no_file_of_cases_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"cases\.yaml"):
        load_cases(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        load_cases(tmp_path / "cases.yaml")


# The content


def test_the_casebook_holds_four_cases_of_which_one_is_constructed() -> None:
    assert tuple(CASES) == KEYS
    assert [key for key, case in CASES.items() if case.is_constructed] == ["arithmetic"]


@every_case
def test_every_text_is_there_in_both_languages(case: SampleCase) -> None:
    texts = find_texts(case)
    assert len(texts) > 20
    assert [text.en for text in texts if re.search("[а-яё]", text.en, re.IGNORECASE)] == []
    latin = [text.ru for text in texts if not re.search("[а-яё]", text.ru, re.IGNORECASE)]
    names = {"Air Canada", "ChatGPT", "OpenAI", "Anysphere (Cursor)", "128 + 367 = 495"}
    untranslated = {text.ru for source in case.sources for text in (source.title, source.citation)}
    assert set(latin) <= names | untranslated
    assert all(text.en != text.ru for text in texts if text.ru not in latin)


@every_case
def test_no_source_says_the_same_twice_in_title_and_citation(case: SampleCase) -> None:
    for source in case.sources:
        for language in ("en", "ru"):
            title, citation = source.title.text(language), source.citation.text(language)
            words = re.findall(r"\w+", citation)
            assert not [pair for pair in pairwise(words) if re.search(rf"{pair[0]}\W+{pair[1]}\b", title)]


def test_a_source_may_keep_its_title_but_not_lose_one_of_two_languages(tmp_path: Path) -> None:
    cases = load_changed(tmp_path, lambda row: row["sources"][0].update(title="Moffatt v. Air Canada"))
    assert cases[0].sources[0].title == Localized(en="Moffatt v. Air Canada", ru="Moffatt v. Air Canada")
    with pytest.raises(DataError, match="title: “ru” is missing"):
        load_changed(tmp_path, lambda row: row["sources"][0].update(title={"en": "Moffatt"}))


# Where a line must not break: a no-break space belongs there.
BREAKS = r"№ |[а-яё»“] —|\d (?:г\.|евро|канадск|ст\.)|(?:ст|п)\. \d| РФ"


@every_case
def test_russian_texts_are_typeset_as_russian(case: SampleCase) -> None:
    for text in find_texts(case):
        assert re.findall(BREAKS, text.ru) == [], text.ru
        assert not re.search(r"\s-\s|--|\.\.\.|  |\"", text.ru), text.ru
        assert text.ru.count("«") == text.ru.count("»")


@every_case
def test_the_notice_says_what_the_sample_is_not(case: SampleCase) -> None:
    assert "illustration" in case.illustration_notice.en
    assert "small" in case.illustration_notice.en
    assert "иллюстрация" in case.illustration_notice.ru
    assert "небольш" in case.illustration_notice.ru
    if not case.is_constructed:
        assert "reconstructed" in case.illustration_notice.en
        assert "реконструирован" in case.illustration_notice.ru
        assert re.search("[Nn]othing measured here says anything", case.illustration_notice.en)


def test_the_sample_about_a_real_person_asks_about_invented_names_and_says_so() -> None:
    walters = CASES["walters"]
    prompt = " ".join(turn.text for turn in walters.conversation) + walters.disputed_answer.text
    for name in ("Northmere Foundation", "Senator Quill"):
        assert name in prompt
        assert name in walters.illustration_notice.en
        assert name in walters.illustration_notice.ru
    assert not re.search("Walters|Riehl|OpenAI|ChatGPT", prompt)


@every_case
def test_the_disputed_answer_says_that_it_is_not_a_transcript(case: SampleCase) -> None:
    note = case.disputed_answer.note
    assert re.search("[Rr]econstructed|Invented", note.en)
    assert re.search("Реконструкция|Вымышлено", note.ru)


@every_case
def test_a_legal_note_comes_with_what_speaks_against_it(case: SampleCase) -> None:
    assert len(case.legal_note.contrary.en) > 100
    assert case.legal_note.confidence in ("medium", "low")  # no decision was read in full
    assert case.checked_on == "2026-11-23"
    assert all(source.read in ("primary", "secondary", "constructed") for source in case.sources)


def test_the_award_in_moffatt_adds_up_and_the_texts_name_the_same_sums() -> None:
    moffatt = CASES["moffatt"]
    claimed, damages, interest, fees, total = (row.amount for row in moffatt.amounts)
    assert (claimed, damages, interest, fees, total) == tuple(
        map(Decimal, ("880.00", "650.88", "36.14", "125.00", "812.02"))
    )
    assert damages + interest + fees == total
    assert moffatt.harm.amount == damages
    assert find_money(moffatt.outcome.en) == {damages, interest, fees, total}
    assert find_money(moffatt.harm.text.en) == {claimed, damages}
    for amount in ("650,88", "36,14", "125", "812,02"):
        assert amount in moffatt.outcome.ru
    assert {row.currency for row in moffatt.amounts} == {moffatt.harm.currency} == {"CAD"}


def test_the_court_facts_are_those_that_were_checked() -> None:
    moffatt, walters, cursor = (CASES[key] for key in KEYS[:3])
    assert "2024 BCCRT 149" in moffatt.sources[0].citation.en
    assert moffatt.sources[0].date == "2024-02-14"
    assert "23-A-04860-2" in walters.sources[0].citation.en
    assert walters.sources[0].date == "2025-05-19"
    assert "19 May 2025" in walters.outcome.en
    assert "No decision of a court" in cursor.outcome.en
    assert moffatt.occurred_on == "2022-11-11"
    assert cursor.occurred_on == "~2025-04"


def test_the_constructed_example_counts_to_495() -> None:
    detector = build_detector(CASES["arithmetic"].protocol.detector)
    assert detector.detect(f"128 + 367 = {128 + 367}").label is Label.NO_ERROR
    assert detector.detect("128 + 367 = 496").label is Label.ERROR
    assert CASES["arithmetic"].harm.amount == 495 - Decimal(CASES["arithmetic"].disputed_answer.text)


# Answers of the embedded model, as they came, with the label that a person gives them.
READ_BY_EYE = [
    ("moffatt", "Yes.", Label.ERROR),
    ("moffatt", "No.", Label.NO_ERROR),
    ("moffatt", "No, you cannot claim the bereavement fare after travel.", Label.NO_ERROR),
    ("walters", "The defendant is the Northmere Foundation.", Label.ERROR),
    ("walters", "The defendant is the Northmere Foundation's CEO, John Smith.", Label.ERROR),
    ("walters", "The defendant is Senator Quill.", Label.NO_ERROR),
    ("walters", "The defendant is the Senator Quill.", Label.NO_ERROR),
    ("cursor", "Yes.", Label.ERROR),
    ("cursor", "One subscription is limited to one device.", Label.ERROR),
    ("cursor", "No.", Label.NO_ERROR),
    ("cursor", "One subscription may be used on any number of devices.", Label.NO_ERROR),
    ("arithmetic", "367 + 128 = 514", Label.ERROR),
    ("arithmetic", "495", Label.NO_ERROR),
]


@pytest.mark.parametrize(("key", "answer", "label"), READ_BY_EYE)
def test_the_detectors_label_answers_as_a_person_does(key: str, answer: str, label: Label) -> None:
    assert build_detector(CASES[key].protocol.detector).detect(answer).label is label


@every_case
def test_zones_and_kinds_of_harm_are_those_of_the_incident_form(case: SampleCase) -> None:
    assert ZoneInfo(case.time_zone).key == case.time_zone
    assert case.harm.kind in HARM_KINDS
    assert set(HARM_KINDS) == set(Incident.Harm.values)


# On the embedded model

RUNS = 16
# Bounds far outside what 16 runs can show if the sample still works: they catch a prompt or detector that broke.
EXPECTED_ERRORS = {
    "moffatt": range(9),
    "walters": range(3, 17),
    "cursor": range(12),
    "arithmetic": range(13, 17),
}


@pytest.mark.model
@every_case
def test_answers_of_the_embedded_model_get_labels(case: SampleCase) -> None:
    from ensemble.backends import open_backend
    from ensemble.backends.base import CompletionRequest, EndpointConfig

    system = [Message(role="system", content=case.system_prompt)] if case.system_prompt else []
    messages = (*system, *(Message(role=turn.role, content=turn.text) for turn in case.conversation))
    backend = open_backend(EndpointConfig(name="embedded", backend="embedded", concurrency=8))
    detector = build_detector(case.protocol.detector)

    def label_run(seed: int) -> Label:
        sampling: Sampling = case.protocol.sampling
        answer = backend.complete(CompletionRequest(messages=messages, sampling=sampling, seed=seed))
        return detector.detect(answer.text, truncated=answer.finish_reason != "stop").label

    with ThreadPoolExecutor(8) as pool:
        labels = list(pool.map(label_run, range(RUNS)))
    assert labels.count(Label.UNCLEAR) <= 3
    assert labels.count(Label.ERROR) in EXPECTED_ERRORS[case.key]
