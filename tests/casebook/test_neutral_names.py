from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from casebook import experiments
from casebook.experiments import build_protocol
from casebook.neutral_names import say_arm, say_endpoint, say_proposer
from tests.casebook.cases_for_tests import add_case, add_draft_test


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_protocol_names_its_arms_alike_in_every_language(owner: User, language: str) -> None:
    test = add_draft_test(add_case(owner))
    draft = {**test.experiment.draft, "temperatures": ["0.35", "0"]}
    with translation.override(language):
        protocol = build_protocol(test.case, draft)
    assert [arm.name for arm in protocol.arms] == [
        "as recorded, default sampling",
        "temperature 0.35",
        "temperature 0",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"max_tokens": 512}, "as recorded, default sampling"),
        ({"max_tokens": 1, "context_length": 4096}, "as recorded, default sampling"),
        ({"max_tokens": 512, "top_k": 1}, "as recorded, chosen sampling"),
        ({"temperature": "0"}, "as recorded, chosen sampling"),
        ({"stop": ["\n"]}, "as recorded, chosen sampling"),
    ],
)
def test_the_primary_arm_does_not_claim_defaults_that_were_changed(
    owner: User, changes: dict[str, object], name: str
) -> None:
    test = add_draft_test(add_case(owner))
    draft = test.experiment.draft
    protocol = build_protocol(test.case, {**draft, "sampling": {**draft["sampling"], **changes}})
    assert protocol.arms[0].name == name


@pytest.mark.parametrize(
    ("stored", "english", "russian"),
    [
        ("temperature 0.35", "temperature 0.35", "температура 0,35"),
        ("температура 0,35", "temperature 0.35", "температура 0,35"),
        ("temperature 0", "temperature 0", "температура 0"),
        (
            "as recorded, default sampling",
            "as recorded, default sampling",
            "запрос из дела, параметры генерации по\xa0умолчанию",
        ),
        (
            "as recorded, chosen sampling",
            "as recorded, chosen sampling",
            "запрос из дела, заданные параметры генерации",
        ),
        ("temperature rising", "temperature rising", "temperature rising"),
        ("", "", ""),
    ],
)
def test_known_names_are_said_in_the_readers_language_and_others_stay(
    stored: str, english: str, russian: str
) -> None:
    assert say_arm(stored) == english
    with translation.override("ru"):
        assert say_arm(stored) == russian


def test_names_locked_in_russian_are_known() -> None:
    with translation.override("ru"):
        stored = say_arm("as recorded, default sampling")
        assert stored != "as recorded, default sampling"
    assert say_arm(stored) == "as recorded, default sampling"


def test_only_the_endpoint_that_casebook_made_is_translated() -> None:
    with translation.override("ru"):
        assert say_endpoint("Embedded model", "embedded") == "Встроенная модель"
        assert say_endpoint("Embedded model", "ollama") == "Embedded model"
        assert say_endpoint("Мой сервер", "embedded") == "Мой сервер"
        assert say_proposer("Embedded model (SmolLM2 (small))") == "Встроенная модель (SmolLM2 (small))"
        assert say_proposer("Embedded model") == "Встроенная модель"
        assert say_proposer("Мой сервер (llama3)") == "Мой сервер (llama3)"


@pytest.mark.django_db
def test_an_arm_at_the_primary_temperature_is_made_once(owner: User) -> None:
    test = add_draft_test(add_case(owner))
    primary = experiments.build_protocol(test.case, test.experiment.draft).arms[0]
    draft = {**test.experiment.draft, "temperatures": [str(Decimal(primary.sampling.temperature))]}
    assert len(build_protocol(test.case, draft).arms) == 1
