"""The samples in the database: loaded once in both languages, updated after an edit, ready to be copied and rerun."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from casebook import experiments
from casebook.intake import copy_case
from casebook.law.cases import load_cases
from casebook.law.reading import Localized
from casebook.models import Case, Incident
from casebook.samples import describe_background, ensure_embedded_endpoint, load_samples
from ensemble.detectors import build_detector
from ensemble.models import Endpoint
from ensemble.protocol import Label, Message

CASES = {case.key: case for case in load_cases()}
every_language = pytest.mark.parametrize("language", ["en", "ru"])


def read_rows() -> list[dict[str, Any]]:
    cases = Case.objects.order_by("pk").values()
    return [*cases, *Incident.objects.order_by("pk").values()]


@pytest.mark.django_db
def test_each_sample_is_loaded_in_both_languages_and_the_first_stands_first() -> None:
    loaded = load_samples()
    assert (loaded.added, loaded.changed, loaded.unchanged) == (8, 0, 0)
    for language in ("en", "ru"):
        assert tuple(Case.objects.samples(language).values_list("sample_key", flat=True)) == tuple(CASES)
    assert Incident.objects.count() == 8


@pytest.mark.django_db
def test_loading_again_writes_nothing() -> None:
    load_samples()
    before = read_rows()
    with CaptureQueriesContext(connection) as queries:
        loaded = load_samples()
    assert (loaded.added, loaded.changed, loaded.unchanged) == (0, 0, 8)
    assert read_rows() == before
    assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


@pytest.mark.django_db
def test_an_edited_file_changes_the_sample_and_keeps_its_address() -> None:
    load_samples()
    before = {row["pk"]: row for row in Case.objects.values("pk", "public_id", "updated_at")}
    edited = replace(
        CASES["cursor"], truth=Localized(en="Any number of devices.", ru=CASES["cursor"].truth.ru)
    )
    loaded = load_samples([*(case for case in CASES.values() if case.key != "cursor"), edited])
    assert (loaded.added, loaded.changed, loaded.unchanged) == (0, 1, 7)
    changed = Case.objects.get(sample_key="cursor", language="en")
    assert changed.incident().truth == "Any number of devices."
    assert changed.public_id == before[changed.pk]["public_id"]
    touched = [row.pk for row in Case.objects.all() if row.updated_at != before[row.pk]["updated_at"]]
    assert touched == [changed.pk]
    assert Incident.objects.count() == 8


@pytest.mark.django_db
def test_a_case_that_cannot_be_stored_leaves_no_half_of_it() -> None:
    too_long = replace(CASES["cursor"], title=Localized(en="Short", ru="Ц" * 201))
    with pytest.raises(ValidationError, match="201"):
        load_samples([too_long])
    assert not Case.objects.exists()


@pytest.mark.django_db
@every_language
def test_a_sample_and_its_copy_rerun_the_reconstructed_prompt(language: str, owner: User) -> None:
    load_samples()
    for key, sample in CASES.items():
        row = Case.objects.get(sample_key=key, language=language)
        system = [Message(role="system", content=sample.system_prompt)] if sample.system_prompt else []
        turns = [Message(role=turn.role, content=turn.text) for turn in sample.conversation]
        assert list(experiments.verbatim_prompt(row)) == [*system, *turns]
        assert experiments.verbatim_prompt(copy_case(row, owner=owner)) == experiments.verbatim_prompt(row)


@pytest.mark.django_db
@every_language
def test_the_proposed_protocol_of_a_copy_is_the_samples_and_can_be_locked(language: str, owner: User) -> None:
    load_samples()
    ensure_embedded_endpoint()
    endpoint = Endpoint.objects.get(backend="embedded")
    for key, sample in CASES.items():
        case = copy_case(Case.objects.get(sample_key=key, language=language), owner=owner)
        draft = experiments.propose_draft(case, endpoint)
        with translation.override(language):
            protocol = experiments.build_protocol(case, draft)
        assert protocol.detector == sample.protocol.detector
        assert protocol.arms[0].sampling == sample.protocol.sampling
        assert protocol.question == sample.protocol.question.text(language)
        assert sample.illustration_notice.text(language) in protocol.notes
        assert len(protocol.arms) == 1 + len(sample.protocol.temperatures)
        stored = case.incident().disputed_answer
        assert build_detector(protocol.detector).detect(stored).label is Label.ERROR


@pytest.mark.django_db
@every_language
def test_the_page_of_a_sample_shows_notice_outcome_limits_and_sources(language: str, client: Client) -> None:
    load_samples()
    client.cookies["django_language"] = language
    for key, sample in CASES.items():
        page = client.get(
            Case.objects.get(sample_key=key, language=language).get_absolute_url()
        ).content.decode()
        for text in (sample.illustration_notice, sample.outcome, sample.legal_note.contrary):
            assert text.text(language).split("“")[0].split("'")[0].split("«")[0] in page
        assert all(source.url in page for source in sample.sources)


@every_language
def test_a_source_is_named_in_the_readers_language_and_its_year_once(language: str) -> None:
    shown: Any = describe_background(CASES["cursor"], language)["sources"]
    titles = {
        "en": ("Headlights library, HD-INC-005", "AI Act of the European Union"),
        "ru": ("Библиотека Headlights, HD-INC-005", "Регламент Европейского союза об ИИ (AI Act)"),
    }
    dates = {row["title"].replace("\u00a0", " "): row["date"] for row in shown}
    assert [dates[title] for title in titles[language]] == ["2025-04", ""]  # “2024/1689” names the year


@pytest.mark.django_db
def test_the_command_loads_samples_and_endpoint_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_samples")
    call_command("load_samples")
    said = capsys.readouterr().out
    assert "8 added, 0 changed, 0 unchanged" in said
    assert "0 added, 0 changed, 8 unchanged" in said
    assert Endpoint.objects.filter(backend="embedded").count() == 1


@pytest.mark.django_db
def test_an_embedded_endpoint_that_an_administrator_changed_is_left_alone() -> None:
    Endpoint.objects.create(name="Ours", backend="embedded", is_enabled=False)
    assert ensure_embedded_endpoint() is False
    assert Endpoint.objects.get().name == "Ours"


@pytest.mark.django_db
def test_the_command_names_the_flaw_of_a_broken_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "cases.yaml"
    broken.write_text("cases: []", encoding="utf-8")
    monkeypatch.setattr("casebook.samples.load_cases", lambda: load_cases(broken))
    with pytest.raises(CommandError, match=r"cases\.yaml: “format” is missing"):
        call_command("load_samples")
