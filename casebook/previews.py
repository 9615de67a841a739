"""How a pasted conversation is understood, shown before it is saved and on the page of its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from casebook.conversation import (
    ConversationError,
    Turn,
    disputed_prompt,
    explain_unknown_speaker,
    parse_conversation,
)
from casebook.models import Incident


@dataclass(frozen=True, kw_only=True)
class ShownTurn:
    """A turn of the exchange. `is_sent`: the reruns send it; `is_disputed`: it is the disputed answer."""

    role: str
    content: str
    is_sent: bool
    is_disputed: bool


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """The turns with the disputed answer at its place.

    `problem` says why the text cannot be understood, `hint` what may have been understood wrongly.
    """

    turns: tuple[ShownTurn, ...] = ()
    problem: str = ""
    hint: str = ""


def show_exchange(incident: Incident) -> Exchange:
    """The exchange of a saved incident."""
    return _arrange(incident.turns(), incident.system_prompt, incident.disputed_answer)


def preview_exchange(typed: Mapping[str, str]) -> Exchange | None:
    """The exchange of an unsaved form; None while there is no conversation in it."""
    conversation = _clean_lines(typed.get("conversation", ""))
    if not conversation:
        return None
    try:
        turns = parse_conversation(conversation, typed.get("product", ""))
    except ConversationError as error:
        return Exchange(problem=str(error))
    exchange = _arrange(
        turns, _clean_lines(typed.get("system_prompt", "")), _clean_lines(typed.get("disputed_answer", ""))
    )
    return replace(exchange, hint=explain_unknown_speaker(turns))


def _clean_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}").strip()


def _arrange(turns: Sequence[Turn], system_prompt: str, disputed_answer: str) -> Exchange:
    answer = disputed_answer
    if not answer and turns and turns[-1].role == "assistant":
        answer = turns[-1].content
    sent = disputed_prompt(turns, answer)
    rest = list(turns[len(sent) :])
    if rest and rest[0].role == "assistant" and _holds(rest[0].content, answer):
        answer = rest.pop(0).content  # the answer as it stands in the conversation, with its surroundings
    shown = [_turn("system", system_prompt, is_sent=True)] if system_prompt else []
    shown += [_turn(turn.role, turn.content, is_sent=True) for turn in sent]
    if answer:
        shown.append(ShownTurn(role="assistant", content=answer, is_sent=False, is_disputed=True))
    return Exchange(turns=(*shown, *(_turn(turn.role, turn.content, is_sent=False) for turn in rest)))


def _holds(text: str, part: str) -> bool:
    return " ".join(part.split()) in " ".join(text.split())


def _turn(role: str, content: str, *, is_sent: bool) -> ShownTurn:
    return ShownTurn(role=role, content=content, is_sent=is_sent, is_disputed=False)
