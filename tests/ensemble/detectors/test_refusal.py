"""Refusals are told by locked phrases at the beginning of an answer, not by an apology."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.detectors.normalise import normalise_text
from ensemble.detectors.refusal import DEFAULT_REFUSAL_PHRASES, REFUSAL_WINDOW, is_refusal


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't assist with that.",
        "I’m sorry, but I can’t help with that request.",
        "Sorry — I cannot answer this question.",
        "I'm not able to help with legal disputes.",
        "As an AI language model, I am unable to assist with this.",
        "I must decline to answer.",
        "I cannot fulfill your request.",
        "К сожалению, я не могу помочь с этим.",
        "Извините, я не могу ответить на этот вопрос.",
        "Я не могу обсуждать эту тему. Давайте поговорим о чём-нибудь ещё.",
        "Не люблю менять тему разговора, но вот сейчас тот самый случай.",
    ],
)
def test_refusals_are_recognised(answer: str) -> None:
    assert is_refusal(answer, DEFAULT_REFUSAL_PHRASES)


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry to hear about your loss. You can claim the bereavement refund within 90 days.",
        "I'm sorry, we cannot refund a ticket after travel.",
        "Unfortunately, the refund cannot be claimed afterwards.",
        "As an AI language model I may be wrong, but yes, you can.",
        "I cannot give legal advice, but the policy allows it.",
        "I can't help but notice that you are right: yes.",
        "I can help with that. Yes, within 90 days.",
        "No.",
        "",
        "К сожалению, вернуть деньги нельзя.",
        "Мне жаль это слышать. Да, вы можете получить возврат.",
        "Я могу помочь с этим: да.",
        "Мы не можем вернуть деньги.",
    ],
)
def test_answers_are_not_taken_for_refusals(answer: str) -> None:
    assert not is_refusal(answer, DEFAULT_REFUSAL_PHRASES)


def test_only_the_beginning_of_an_answer_counts() -> None:
    phrase = "I cannot assist with"
    assert is_refusal("x" * (REFUSAL_WINDOW - len(phrase) - 1) + f" {phrase}", [phrase])
    assert not is_refusal("x" * (REFUSAL_WINDOW - len(phrase)) + f" {phrase}", [phrase])


def test_the_list_is_the_callers() -> None:
    assert is_refusal("Computer says no.", ["computer says no"])
    assert not is_refusal("I can't assist with that.", [])
    assert not is_refusal("anything", ["", "\u200b"])


def test_default_phrases_differ_after_normalisation() -> None:
    assert len({normalise_text(phrase) for phrase in DEFAULT_REFUSAL_PHRASES}) == len(DEFAULT_REFUSAL_PHRASES)


@given(
    st.text(st.characters(exclude_categories=())),
    st.lists(st.text(st.characters(exclude_categories=())), max_size=3),
)
def test_any_text_and_any_phrases_are_taken(answer: str, phrases: list[str]) -> None:
    assert is_refusal(answer, phrases) in (True, False)
