"""How an exchange is laid out: what was sent, the disputed answer at its place, what came after."""

from __future__ import annotations

from django.contrib.auth.models import User

from casebook.previews import Exchange, preview_exchange, show_exchange
from tests.casebook.cases_for_tests import add_case


def layout(exchange: Exchange | None) -> list[tuple[str, str]]:
    assert exchange is not None
    marks = {(True, False): "sent", (False, True): "disputed", (False, False): "after"}
    return [(marks[turn.is_sent, turn.is_disputed], turn.content) for turn in exchange.turns]


def preview(conversation: str, disputed_answer: str = "", system_prompt: str = "") -> Exchange | None:
    return preview_exchange(
        {"conversation": conversation, "disputed_answer": disputed_answer, "system_prompt": system_prompt}
    )


def test_what_follows_the_disputed_answer_is_not_sent() -> None:
    exchange = preview("User: Q1\nAssistant: A1\nUser: Q2\nAssistant: A2\nUser: thanks", "A2")
    assert layout(exchange) == [
        ("sent", "Q1"), ("sent", "A1"), ("sent", "Q2"), ("disputed", "A2"), ("after", "thanks"),
    ]  # fmt: skip


def test_a_conversation_that_ends_with_an_answer_needs_no_other() -> None:
    assert layout(preview("User: Q\nAssistant: A")) == [("sent", "Q"), ("disputed", "A")]


def test_a_disputed_passage_is_shown_in_its_whole_answer() -> None:
    exchange = preview("User: Q\nAssistant: Hello. The wrong words. Bye.", "The wrong  words.")
    assert layout(exchange) == [("sent", "Q"), ("disputed", "Hello. The wrong words. Bye.")]


def test_an_answer_that_differs_from_the_conversation_is_shown_beside_it() -> None:
    exchange = preview("User: Q\nAssistant: one thing", "another thing")
    assert layout(exchange) == [("sent", "Q"), ("disputed", "another thing"), ("after", "one thing")]


def test_text_without_marks_is_the_user_s_message() -> None:
    assert layout(preview("May I?", "Yes.")) == [("sent", "May I?"), ("disputed", "Yes.")]


def test_a_known_system_prompt_comes_first() -> None:
    assert layout(preview("May I?", "Yes.", "Be brief.\r\n"))[0] == ("sent", "Be brief.")


def test_nothing_typed_is_nothing_to_show() -> None:
    assert preview(" \r\n ") is None


def test_what_cannot_be_read_says_why() -> None:
    exchange = preview("User:\nAssistant: an answer to nothing")
    assert exchange is not None
    assert exchange.problem
    assert not exchange.turns


def test_a_nul_never_reaches_the_page() -> None:
    assert layout(preview("a\0b")) == [("sent", "a\N{REPLACEMENT CHARACTER}b")]


def test_a_saved_incident_is_laid_out_in_the_same_way(owner: User) -> None:
    case = add_case(owner, system_prompt="Be brief.")
    assert [mark for mark, _ in layout(show_exchange(case.incident()))] == ["sent", "sent", "disputed"]


def test_a_speaker_of_an_unknown_name_is_pointed_out() -> None:
    exchange = preview("User: When is the deadline?\nTaxBot: Yes, the deadline is 1 May.")
    assert exchange is not None
    assert "“TaxBot:” is not known as a speaker" in exchange.hint


def test_an_answer_with_headings_raises_no_doubt_of_its_speaker() -> None:
    exchange = preview("User: This?\nHttps://example.org\nAssistant: Two.\nOption One: wait.\nPlan: pay.")
    assert exchange is not None
    assert exchange.hint == ""
