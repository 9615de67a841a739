"""Texts of the case as they are quoted: cut where they are too long, with a statement and the hash of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casebook.report_numbers import NumberWriter
from casebook.reporting.context import TurnFacts
from casebook.reporting.words import ROLES, say
from casebook.sentences import write_sentence
from casebook.visible import cut_text, find_direction
from ensemble.protocol import encode_text, sha256_hex

QUOTE_CHARACTERS = 5000
FIRST_TURNS, LAST_TURNS = 10, 30


@dataclass(frozen=True, kw_only=True)
class Quote:
    """`speaker` is empty for a text that nobody says; `note` tells what was cut or left out."""

    speaker: str
    text: str
    direction: str
    note: str
    sha256: str = ""


def quote_text(text: str, numbers: NumberWriter, *, speaker: str = "", most: int = QUOTE_CHARACTERS) -> Quote:
    """The text, or its beginning of `most` characters with a statement of what is missing."""
    cut, digest = cut_text(text, most), sha256_hex(encode_text(text))
    facts = {
        "shown": numbers.write_count(len(cut.shown)),
        "total": numbers.write_count(cut.total),
        "sha256": digest,
    }
    note = write_sentence("text.cut", cut.total, **facts) if cut.is_cut else ""
    return Quote(
        speaker=speaker, text=cut.shown, direction=find_direction(cut.shown), note=note, sha256=digest
    )


def quote_turns(turns: Sequence[TurnFacts], disputed_answer: str, numbers: NumberWriter) -> tuple[Quote, ...]:
    """The conversation; of a long one the beginning and the end, with the number of turns between.

    The disputed answer is not quoted here: it has a place of its own.
    """
    quotes = [_quote_turn(turn, disputed_answer, numbers) for turn in _ends(turns)]
    omitted = len(turns) - len(quotes)
    if omitted:
        note = write_sentence("turns.omitted", omitted, count=numbers.write_count(omitted))
        quotes.insert(FIRST_TURNS, Quote(speaker="", text="", direction="ltr", note=note))
    return tuple(quotes)


def _quote_turn(turn: TurnFacts, disputed_answer: str, numbers: NumberWriter) -> Quote:
    speaker = say(ROLES, turn.role)
    if turn.role == "assistant" and turn.content.strip() == disputed_answer.strip():
        return Quote(speaker=speaker, text="", direction="ltr", note=write_sentence("turns.disputed"))
    return quote_text(turn.content, numbers, speaker=speaker)


def _ends(turns: Sequence[TurnFacts]) -> Sequence[TurnFacts]:
    if len(turns) <= FIRST_TURNS + LAST_TURNS:
        return turns
    return (*turns[:FIRST_TURNS], *turns[-LAST_TURNS:])
