from __future__ import annotations

from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from casebook.text_changes import MOST_WORDS, compare_messages, compare_texts
from ensemble.protocol import Message

WORDS = st.lists(st.sampled_from(["May", " ", "I", "claim", "it", "?", "\n", "потом"]), max_size=30).map(
    "".join
)


@given(old=WORDS, new=WORDS)
def test_taking_out_and_putting_in_leads_from_one_text_to_the_other(old: str, new: str) -> None:
    parts = compare_texts(old, new)
    assert "".join(part.text for part in parts if part.kind != "added") == old
    assert "".join(part.text for part in parts if part.kind != "removed") == new
    assert (old == new) == all(part.kind == "same" for part in parts)


def test_what_both_texts_say_is_not_marked() -> None:
    parts = compare_texts("May I claim it later?", "Can I claim it?")
    assert [(part.kind, part.text) for part in parts] == [
        ("removed", "May"),
        ("added", "Can"),
        ("same", " I claim it"),
        ("removed", " later"),
        ("same", "?"),
    ]


def test_long_texts_stand_one_after_the_other() -> None:
    old = "a " * MOST_WORDS
    assert [part.kind for part in compare_texts(old, old + "b")] == ["removed", "added"]


def test_what_is_alike_is_as_long_as_it_can_be() -> None:
    parts = compare_texts("one two three four five", "zero one three four six five")
    kept = "".join(part.text for part in parts if part.kind == "same")
    assert kept.split() == ["one", "three", "four", "five"]


def test_texts_that_differ_in_very_many_places_stand_one_after_the_other() -> None:
    """Their comparison ends after a number of changes: words that recur hundreds of times took it half a minute."""
    for old, new in ((".,", ",.;"), ("a b ", "b  c"), ("a ", "a b ")):
        began = perf_counter()
        parts = compare_texts(old * 370, new * 370)
        assert [part.kind for part in parts] == ["removed", "added"]
        assert perf_counter() - began < 2


def test_messages_are_compared_role_by_role() -> None:
    old = (
        Message(role="user", content="A"),
        Message(role="assistant", content="B"),
        Message(role="user", content="C"),
    )
    new = (Message(role="system", content="S"), *old[:2], Message(role="user", content="D"))
    changes = compare_messages(old, new)
    assert [(change.role, change.is_same, change.text) for change in changes] == [
        ("system", False, "S"),
        ("user", True, "A"),
        ("assistant", True, "B"),
        ("user", False, "D"),
    ]


def test_a_system_prompt_that_is_left_out_is_shown_as_removed() -> None:
    user = Message(role="user", content="A")
    change = compare_messages((Message(role="system", content="S"), user), (user,))[0]
    assert (change.role, change.text, [part.kind for part in change.parts]) == ("system", "", ["removed"])
