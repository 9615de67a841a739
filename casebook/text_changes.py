"""Two texts word by word: what an arm's prompt leaves out of the disputed one, and what it adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ensemble.protocol import Message

# Texts that are longer, or that differ in more places, are shown whole, one after the other.
MOST_WORDS = 1_500
MOST_CHANGES = 300
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
    fits = before and after and max(len(before), len(after)) <= MOST_WORDS
    spans = _list_spans(before, after) if fits else None
    return _join([("removed", old), ("added", new)] if spans is None else _mark(spans))


def _list_spans(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]] | None:
    """The two texts in turns of what differs and of what is alike; None where too much differs."""
    reached = _find_path(before, after)
    if reached is None:
        return None
    spans, done, put = [], 0, 0
    alike = [*_list_alike(before, after, reached), (len(before), len(after))]
    for _shift, group in groupby(
        enumerate(alike), key=lambda pair: (pair[1][0] - pair[0], pair[1][1] - pair[0])
    ):
        places = [place for _number, place in group]
        i, k = places[0]
        spans.append(("".join(before[done:i]), "".join(after[put:k])))
        done, put = i + len(places), k + len(places)
        spans.append(("".join(before[i:done]), "".join(after[k:put])))
    return [span for span in spans if any(span)]


def _find_path(before: Sequence[str], after: Sequence[str]) -> list[dict[int, int]] | None:
    """How far each diagonal is reached with 0, 1, 2 … words taken out or put in; None beyond MOST_CHANGES.

    Myers (1986), Algorithmica 1:251-266: its time grows with the changes alone, whatever the words are.
    """
    reached: list[dict[int, int]] = []
    last = {1: 0}
    for changes in range(MOST_CHANGES + 1):
        now: dict[int, int] = {}
        for diagonal in range(-changes, changes + 1, 2):
            place = _step(last, diagonal)
            while (
                place < len(before)
                and place - diagonal < len(after)
                and before[place] == after[place - diagonal]
            ):
                place += 1
            now[diagonal] = place
        reached.append(now)
        if now.get(len(before) - len(after), 0) >= len(before):
            return reached
        last = now
    return None


def _step(last: dict[int, int], diagonal: int) -> int:
    """Where the diagonal is entered: a word put in from the one above, or a word taken out from the one below."""
    return max(last.get(diagonal + 1, -1), last.get(diagonal - 1, -2) + 1)


def _list_alike(
    before: Sequence[str], after: Sequence[str], reached: Sequence[dict[int, int]]
) -> list[tuple[int, int]]:
    """The places of the words that stay, in both texts: the path walked back from the ends."""
    found, place, diagonal = [], len(before), len(before) - len(after)
    for changes in range(len(reached) - 1, -1, -1):
        last = reached[changes - 1] if changes else {1: 0}
        entered = _step(last, diagonal)
        found += [(at, at - diagonal) for at in range(place - 1, entered - 1, -1)]
        place = last.get(diagonal + 1, -1)
        diagonal += 1
        if place != entered:
            place, diagonal = entered - 1, diagonal - 2
    return found[::-1]


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
