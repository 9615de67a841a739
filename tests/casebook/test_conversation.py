"""Pasted conversations become turns word for word, and turns become text that reads back."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casebook.conversation import (
    ConversationError,
    Turn,
    disputed_prompt,
    format_conversation,
    parse_conversation,
)

USER_MARKS = [
    "User",
    "You",
    "Human",
    "Me",
    "Customer",
    "Q",
    "Пользователь",
    "Вы",
    "Я",
    "Клиент",
    "Вопрос",
    "USER",
]
ASSISTANT_MARKS = [
    "AI",
    "Assistant",
    "Bot",
    "ChatGPT",
    "ChatGPT 4o",
    "GPT-4o mini",
    "Claude",
    "Claude 3.5 Sonnet",
    "Google Gemini 2.5 Pro",
    "Microsoft Copilot",
    "Grok",
    "GigaChat",
    "Алиса",
    "YandexGPT",
    "ИИ",
    "Ассистент",
    "Помощник",
]


def pairs(turns: tuple[Turn, ...]) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in turns]


def turn(role: str, content: str) -> Turn:
    return Turn(role=role, content=content)


@pytest.mark.parametrize("mark", USER_MARKS)
def test_marks_of_people_are_known(mark: str) -> None:
    assert pairs(parse_conversation(f"{mark}: Hello\nthere")) == [("user", "Hello\nthere")]


@pytest.mark.parametrize("mark", ASSISTANT_MARKS)
def test_marks_of_assistants_are_known(mark: str) -> None:
    assert pairs(parse_conversation(f"User: Hi\n{mark}: Hello")) == [("user", "Hi"), ("assistant", "Hello")]


@pytest.mark.parametrize(
    "line",
    [
        "User: Hi",
        "**User:** Hi",
        "**User**: Hi",
        "__User__ : Hi",
        "### User: Hi",
        "  user :  Hi",
        "> *User:* Hi",
    ],
)
def test_marks_may_be_set_in_markdown(line: str) -> None:
    assert pairs(parse_conversation(f"{line}\nAI: a")) == [("user", "Hi"), ("assistant", "a")]


@pytest.mark.parametrize(
    "text",
    [
        "You said:\nWhy?\n\nChatGPT said:\n\nBecause.\n",
        "Вы сказали:\nWhy?\nChatGPT сказал:\nBecause.",
        "You\nWhy?\nChatGPT\nBecause.",
        "**User**\n\nWhy?\n\n**Assistant**\n\nBecause.",
        "Q: Why?\nA: Because.",
        "Вопрос: Why?\n\nОтвет: Because.",
        "Why?\nGemini: Because.",
        "\ufeffUser: Why?\r\nAI: Because.\r\n",
    ],
)
def test_what_is_copied_from_chat_pages_is_understood(text: str) -> None:
    assert pairs(parse_conversation(text)) == [("user", "Why?"), ("assistant", "Because.")]


def test_a_system_prompt_has_a_mark_too() -> None:
    assert pairs(parse_conversation("Система: Будь краток.\nВы: Да?")) == [
        ("system", "Будь краток."),
        ("user", "Да?"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "I asked the AI: what now?",
        "The User: a novel",
        "Users: many",
        "A\nB\nЯ",
        "AI is everywhere",
        "user@example.com",
        "You: me and us"[3:],
        "Claude said today: no",
        "Gemini is great here",
    ],
)
def test_a_mark_inside_a_sentence_is_no_mark(text: str) -> None:
    assert pairs(parse_conversation(text)) == [("user", text)]


def test_answer_as_a_heading_inside_an_answer_is_no_mark() -> None:
    text = "User: 128+367?\nAI: Add them.\n**Answer:** 495\nA: done\nОтвет: 495"
    assert pairs(parse_conversation(text))[1] == (
        "assistant",
        "Add them.\n**Answer:** 495\nA: done\nОтвет: 495",
    )


def test_contents_are_kept_verbatim_except_for_blank_lines_around_them() -> None:
    content = "  indented \n\n\n\t- item\n> quote: **bold**   \n```\ncode\n```"
    text = f"User:\n\n{content}\n \n\nAI: ok"
    assert pairs(parse_conversation(text)) == [("user", content), ("assistant", "ok")]


def test_a_backslash_makes_a_mark_ordinary_text() -> None:
    assert pairs(parse_conversation("Continue:\n\\User: Hi\n\\\\AI: x\n\\n")) == [
        ("user", "Continue:\nUser: Hi\n\\AI: x\n\\n")
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        (" \n\t\n", "is empty"),
        ("User:\n\nAI: x", "Turn 1 is empty"),
        ("User: x\nAI:", "Turn 2 is empty"),
        ("User: x\nAI:\n \nUser: y", "Turn 2 is empty"),
        ("Some words\nUser: x", "before the first role mark"),
    ],
)
def test_what_is_no_conversation_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(ConversationError, match=complaint):
        parse_conversation(text)


roles = st.sampled_from(["system", "user", "assistant"])
words = st.sampled_from(
    [
        "User:",
        "\\User:",
        "\\\\AI: x",
        "**Ответ:** 4",
        "You",
        "A:",
        " Claude 3:",
        "text",
        "",
        " ",
        "  code",
        "### User",
        "\\",
    ]
)
any_line = st.text(st.characters(exclude_characters="\r\n", exclude_categories=()), max_size=20)
contents = st.lists(words | any_line, min_size=1, max_size=6).map(
    lambda lines: (
        "\n".join(["first", *lines, "last"])
        if not lines[0].strip() or not lines[-1].strip()
        else "\n".join(lines)
    )
)
conversations = st.lists(st.builds(Turn, role=roles, content=contents), min_size=1, max_size=6).map(tuple)


@given(conversations, st.sampled_from(["en", "ru"]))
@example((Turn(role="assistant", content="User:"), Turn(role="assistant", content="\\A: b")), "ru")
def test_written_conversations_read_back(turns: tuple[Turn, ...], language: str) -> None:
    assert parse_conversation(format_conversation(turns, language)) == turns


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["en", "ru"]))
def test_whatever_is_understood_can_be_written_and_read_back(text: str, language: str) -> None:
    try:
        turns = parse_conversation(text)
    except ConversationError:
        return
    assert parse_conversation(format_conversation(turns, language)) == turns


def test_two_hundred_turns_and_a_megabyte_are_read_at_once() -> None:
    turns = tuple(
        turn(("user", "assistant")[number % 2], f"line {number}\n" + "x " * 2500 + ".")
        for number in range(200)
    )
    started = time.process_time()
    assert parse_conversation(format_conversation(turns, "en")) == turns
    assert parse_conversation("\\" * 1_000_000)[0].role == "user"
    assert time.process_time() - started < 1


QUESTION, WRONG, AGAIN, MORE = (
    turn("user", "May I?"),
    turn("assistant", "Yes, you  may.\nGo on."),
    turn("user", "Sure?"),
    turn("assistant", "Sure."),
)


def test_the_disputed_prompt_ends_before_the_disputed_answer() -> None:
    turns = (QUESTION, WRONG, AGAIN, MORE)
    assert disputed_prompt(turns, "Yes, you may. Go on.") == (QUESTION,)
    assert disputed_prompt(turns, "Sure.") == (QUESTION, WRONG, AGAIN)


def test_a_part_of_the_answer_is_enough_and_equality_wins() -> None:
    turns = (QUESTION, WRONG, AGAIN, MORE)
    assert disputed_prompt(turns, "you may") == (QUESTION,)
    longer = turn("assistant", "Sure. As I said.")
    assert disputed_prompt((QUESTION, MORE, AGAIN, longer), "Sure.") == (QUESTION,)


def test_an_answer_that_was_not_pasted_follows_the_last_question() -> None:
    assert disputed_prompt((QUESTION,), "Yes.") == (QUESTION,)
    assert disputed_prompt((QUESTION, WRONG, AGAIN, MORE), "Never heard of") == (QUESTION, WRONG, AGAIN)
    assert disputed_prompt((QUESTION, WRONG), "") == (QUESTION,)


def test_words_of_the_user_are_never_taken_for_the_answer() -> None:
    assert disputed_prompt((QUESTION, WRONG, turn("user", "Sure.")), "Sure.") == (
        QUESTION,
        WRONG,
        turn("user", "Sure."),
    )


def test_without_any_question_nothing_was_sent() -> None:
    assert disputed_prompt((MORE,), "other") == ()


@pytest.mark.parametrize(("product", "label"), [("ParkBuddy", "parkbuddy"), (" ТурБот ", "**ТурБот**")])
def test_the_product_of_the_incident_is_a_speaker(product: str, label: str) -> None:
    text = f"User: May I?\n{label}: Yes.\nUser: Sure?\n{label}: No."
    roles = ["user", "assistant", "user", "assistant"]
    assert [found.role for found in parse_conversation(text, product)] == roles
    assert [found.role for found in parse_conversation(text)] == ["user", "user"]


def test_the_name_of_the_product_without_a_colon_escaped_or_within_a_line_is_no_mark() -> None:
    text = "User: Hello,\nParkBuddy\n\\ParkBuddy: this is quoted\nis ParkBuddy: here"
    (found,) = parse_conversation(text, "ParkBuddy")
    assert found.content == "Hello,\nParkBuddy\nParkBuddy: this is quoted\nis ParkBuddy: here"
    written = format_conversation([found], "en", "ParkBuddy")
    assert parse_conversation(written, "ParkBuddy") == (found,)


@pytest.mark.parametrize("product", ["User", "a|b (c", "x" * 500, "#.*", "ChatGPT"])
def test_no_name_of_a_product_changes_other_marks(product: str) -> None:
    found = parse_conversation("User: Hi\nChatGPT\nHello", product)
    assert pairs(found) == [("user", "Hi"), ("assistant", "Hello")]
