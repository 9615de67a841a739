"""Two texts word by word: what an arm's prompt leaves out of the disputed one, and what it adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ensemble.protocol import Message

# Comparing takes the product of the lengths: longer texts are shown whole, one after the other.
MOST_WORDS = 1_500
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stretch of a text; `kind` is `same`, `removed` or `added`."""

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class MessageChange:
    """A message of an arm beside that of the disputed prompt; `is_same` when both are word for word alike."""

    role: str
    parts: tuple[Part, ...]

    @property
    def is_same(self) -> bool:
        return all(part.kind == "same" for part in self.parts)

    @property
    def text(self) -> str:
        """The message as the arm sends it; empty for one that it leaves out."""
        return "".join(part.text for part in self.parts if part.kind != "removed")


def compare_texts(old: str, new: str) -> tuple[Part, ...]:
    """What to take out of `old`, and what to put in, to get `new`."""
    if old == new:
        return (Part(kind="same", text=old),)
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > MOST_WORDS or not before or not after:
        return _join([("removed", old), ("added", new)])
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    spans = [("".join(before[i:j]), "".join(after[k:m])) for _kind, i, j, k, m in matcher.get_opcodes()]
    return _join(_mark(spans))


def _mark(spans: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What is alike and what is not; white space between two changes belongs to them, so that phrases stay whole."""
    removed = added = ""
    for place, (old, new) in enumerate(spans):
        if old != new or (old.isspace() and 0 < place < len(spans) - 1):
            removed, added = removed + old, added + new
            continue
        yield from (("removed", removed), ("added", added), ("same", old))
        removed = added = ""
    yield from (("removed", removed), ("added", added))


def _join(found: Iterable[tuple[str, str]]) -> tuple[Part, ...]:
    return tuple(Part(kind=kind, text=text) for kind, text in found if text)


def compare_messages(old: Sequence[Message], new: Sequence[Message]) -> tuple[MessageChange, ...]:
    """The system prompts beside each other, then the turns; where the turns differ in number, all of `new` is added."""
    before, after = _split(old), _split(new)
    systems = [("system", before[0], after[0])] if before[0] or after[0] else []
    pairs = zip(before[1], after[1], strict=False) if len(before[1]) == len(after[1]) else ()
    turns = [(sent.role, known.content, sent.content) for known, sent in pairs]
    if len(before[1]) != len(after[1]):
        turns = [(sent.role, "", sent.content) for sent in after[1]]
    return tuple(
        MessageChange(role=role, parts=compare_texts(known, sent)) for role, known, sent in (*systems, *turns)
    )


def _split(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """The system prompt, "" for none, and the turns."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    return system, [message for message in messages if message.role != "system"]
