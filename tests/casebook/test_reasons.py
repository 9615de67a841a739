"""The engine's own reasons are told in the reader's language; everybody else's stay as recorded."""

from __future__ import annotations

import pytest
from django.utils import translation

from casebook.report_numbers import number_writer
from casebook.reporting.reasons import write_label_reason, write_reason
from ensemble.detectors import build_detector
from ensemble.errors import EndpointError
from ensemble.models import ArmProgress, Endpoint, Experiment
from ensemble.protocol import JsonValue, StoppingRule
from ensemble.recording import stop_of
from ensemble.runner import endpoint_of
from tests.ensemble.experiments import add_scripted_endpoint, lock_new, make_protocol, work_until_idle


def tell(recorded: str, language: str = "ru") -> str:
    with translation.override(language):
        return write_reason(recorded, number_writer(language))


def test_the_limit_of_runs_is_told_by_its_numbers() -> None:
    arm = ArmProgress(prefix=12_000, unlabelled=11_900)
    stop = stop_of(arm, StoppingRule(kind="fixed", runs=6_000))
    assert stop is not None
    kind, recorded = stop
    assert kind == "limit"
    assert tell(recorded, "en") == "12,000 runs were made, without a label: 11,900."
    assert tell(recorded) == "Выполнено 12\u202f000 прогонов, без метки — 11\u202f900."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "renamed"}, "Подключения «script» больше нет."),
        ({"is_enabled": False}, "Подключение «script» отключено."),
        ({"model": "another"}, "У подключения «script» теперь другая модель"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_told(change: dict[str, object], told: str) -> None:
    add_scripted_endpoint()
    Endpoint.objects.update(**change)
    with pytest.raises(EndpointError) as raised:
        endpoint_of("script", "scripted", "script")
    assert tell(str(raised.value)).startswith(told)


@pytest.mark.django_db
def test_a_changed_endpoint_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from ensemble import identities
    from ensemble.runner import work_on

    monkeypatch.setattr(identities, "CHECK_EVERY", identities.CHECK_EVERY * 0)
    endpoint = add_scripted_endpoint(concurrency=1)
    experiment = lock_new(make_protocol(endpoint, runs=200))
    work_on(experiment, "worker")
    answers = [{"text": "other", "share": "1"}]
    Endpoint.objects.update(options={"distribution": answers})
    experiment = work_until_idle(Experiment.objects.get(pk=experiment.pk))
    assert experiment.ended_as == "failed"
    assert "during the test" in experiment.reason
    assert tell(experiment.reason) != experiment.reason
    assert tell(experiment.reason, "en") == experiment.reason


@pytest.mark.parametrize(
    "recorded",
    [
        "",
        "lunch",
        "HTTP 500: 3 runs were made, 2 of them without a label",
        "The model changed during the test: x",
    ],
)
def test_other_words_stay_as_they_were_recorded(recorded: str) -> None:
    assert tell(recorded) == recorded


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ('contains "45 days"', 'содержит "45 days"'),
        ('contains both "30 days" and "10 days"', 'содержит и "30 days", и "10 days"'),
        (
            'contains "no refund", but was cut off: the rest could say the error',
            'содержит "no refund", но ответ обрезан: ошибка могла быть в остатке',
        ),
        ("contains none of the phrases", "не содержит ни одной из фраз"),
        ("47 differs from the true number", "47 отличается от верного числа"),
        ("words of a person", "words of a person"),
    ],
)
def test_why_an_answer_has_its_label_is_told_in_the_readers_language(recorded: str, told: str) -> None:
    with translation.override("ru"):
        assert write_label_reason(recorded) == told


def test_every_reason_a_detector_gives_is_known() -> None:
    phrases: dict[str, JsonValue] = {
        "error_phrases": ["a b"],
        "correct_phrases": ["c d"],
        "otherwise": "unclear",
    }
    flags: dict[str, JsonValue] = {"ignore_case": True, "fold_yo": True, "whole_words": True}
    number: dict[str, JsonValue] = {
        "kind": "number", "truth": "5", "disputed": "7", "tolerance": "0", "tolerance_kind": "absolute",
        "decimal_mark": "auto",
    }  # fmt: skip
    specs: list[dict[str, JsonValue]] = [
        {"kind": "text", "match": match, **phrases, **flags}
        for match in ("contains", "starts with", "pattern")
    ]
    specs += [
        number | {"rule": rule, "pick": pick, "unit": unit}
        for rule in ("differs", "equals disputed")
        for pick in ("first", "last", "only")
        for unit in ("", "kg")
    ]
    answers = ("", "a b", "c d", "a b and c d", "x", "5", "7", "9", "5 and 7", "a", "c d x", "x" * 200_000)
    with translation.override("ru"):
        for spec in specs:
            for answer in answers:
                for truncated in (False, True):
                    reason = build_detector(spec).detect(answer, truncated=truncated).reason
                    assert write_label_reason(reason) != reason, reason
