"""A conversation pasted as text with role marks, as turns; and turns as such a text.

A mark is a role's name at the start of a line with a colon behind it, or alone on its line: "User: …", "**AI:** …",
"ChatGPT said:", "Вы сказали:". With a colon the name of the incident's product is a mark, too. A backslash before it
makes it ordinary text. The pair question / answer counts only in a conversation that begins with it: models head their
results with "Answer:", too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _

ROLES = ("system", "user", "assistant")

_USERS = r"user|you|human|me|customer|client|пользователь|вы|я|клиент|человек"
_SYSTEMS = r"system|system\ prompt|система|системный\ промпт|системная\ инструкция"
_ASSISTANTS = (
    r"ai|ai\ assistant|assistant|bot|chatbot|chat\ bot|ии|ассистент|бот|чат-бот|чатбот|помощник|нейросеть"
)
# Products, perhaps with maker and version: "Google Gemini 2.5 Pro".
_PRODUCTS = (
    r"(?:(?:microsoft|google|meta|openai|anthropic|yandex|яндекс)\ )?"
    r"(?:chatgpt|gpt|claude|gemini|bard|copilot|bing|grok|deepseek|perplexity|llama|mistral|le\ chat|qwen|kimi"
    r"|gigachat|гигачат|alice|алиса|yandexgpt|yandex\ gpt|яндексgpt)"
    r"(?:[\ -](?:[\w.]*\d[\w.]*|plus|pro|mini|nano|turbo|flash|lite|max|ultra|sonnet|opus|haiku|fast)){0,4}"
)
_QUESTIONS, _ANSWERS = r"question|q|вопрос", r"answer|a|ответ"
_MARK = rf"""
    [ \t\u00a0\u200b\u200e\ufeff]*+ (?P<escape>\\*+) (?:\#{{1,6}}[ ]+|>[ ])? (?P<bold>\*\*|__|\*|_)?
    (?: (?P<user>{_USERS}) | (?P<system>{_SYSTEMS}) | (?P<assistant>{_ASSISTANTS}|{_PRODUCTS}|PRODUCT)
      | (?P<question>{_QUESTIONS}) | (?P<answer>{_ANSWERS}) )
    (?:[ ](?:said|says|wrote|сказал[аи]?))?
    (?(bold)
        (?: (?P=bold)[ \t]* (?::(?P<behind>.*))? | :(?P=bold)(?P<after>.*) )
      | [ \t]* (?::(?P<beside>.*))?
    )
    """
_LONGEST_SPEAKER = 60
_ROLE_OF = {
    "user": "user",
    "question": "user",
    "system": "system",
    "assistant": "assistant",
    "answer": "assistant",
}
_SINGLE_LETTER = re.compile(r"[\W_]*\w[\W_]*")  # "A" or "Я" alone on a line is no mark; "A:" is

# What looks like the mark of a speaker with another name: "TaxBot: …", "**Tax Bot:** …".
_UNKNOWN_SPEAKER = re.compile(
    r"[ \t]*(?:\*\*|__)?(?P<name>(?=[^\W\d_])[\w.-]{1,24}(?: [\w.-]{1,24})?)(?:\*\*|__)?:(?:\*\*|__)?(?:\s.*)?"
)

_WRITTEN = {
    "en": {"system": "System", "user": "User", "assistant": "Assistant"},
    "ru": {"system": "Система", "user": "Пользователь", "assistant": "Ассистент"},
}


@lru_cache(maxsize=64)
def _compile_marks(product: str) -> re.Pattern[str]:
    """The marks, with the name of a product among those of the assistant."""
    named = f"|{re.escape(product)}" if 0 < len(product) <= _LONGEST_SPEAKER else ""
    return re.compile(_MARK.replace("|PRODUCT", named), re.VERBOSE | re.IGNORECASE | re.DOTALL)


class ConversationError(ValueError):
    """A text that is no conversation; the message says where, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn. Role: `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class _Mark:
    kind: str  # a key of _ROLE_OF
    escape: int  # where a backslash would stand
    is_escaped: bool
    rest: str


def parse_conversation(text: str, product: str = "") -> tuple[Turn, ...]:
    """The turns of a pasted conversation; a text without any mark is one turn of the user.

    Contents are kept verbatim except for blank lines around them and line ends, which become LF. Raises
    `ConversationError` for an empty text, an empty turn, and text before a first mark that is not an assistant's
    (before an assistant's it is the user's turn).
    """
    if not text.strip():
        raise ConversationError(_("The conversation is empty."))
    blocks = list(_split_blocks(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), product.strip()))
    if len(blocks) > 1 and not blocks[0].content:
        del blocks[0]  # nothing stands before the first mark
    elif len(blocks) > 1 and blocks[1].role != "assistant":
        raise ConversationError(
            _("There is text before the first role mark. Begin with a line such as “User:”. %(hint)s")
            % {"hint": explain_unknown_speaker(blocks[:1]) or _hint()}
        )
    for number, turn in enumerate(blocks, start=1):
        if not turn.content:
            message = _("Turn %(number)s is empty: nothing follows its mark. %(hint)s")
            raise ConversationError(message % {"number": number, "hint": _hint()})
    return tuple(blocks)


def explain_unknown_speaker(turns: Sequence[Turn]) -> str:
    """What to do about lines of the user that seem to be spoken by somebody of another name; empty without any.

    Of several names the message has the most frequent, then the first. Answers are not searched: in them such lines
    head the items of a list.
    """
    lines = (line for turn in turns if turn.role == "user" for line in turn.content.split("\n"))
    matches = (_UNKNOWN_SPEAKER.fullmatch(line) for line in lines if _read_mark(line) is None)
    names = Counter(match["name"] for match in matches if match and match["name"][0].isupper())
    if not names:
        return ""
    message = _("“%(speaker)s:” is not known as a speaker. Begin the AI's lines with “Assistant:”.")
    return message % {"speaker": names.most_common(1)[0][0]}


def _hint() -> str:
    return _("If a line only looks like a mark, put a backslash before it: “\\Answer:”.")


def _split_blocks(lines: Sequence[str], product: str) -> Iterator[Turn]:
    """The text before the first mark as a turn of the user, then the turns as marked; contents may be empty."""
    role, block = "user", list[str]()
    kinds = _find_kinds(lines, product)
    for line in lines:
        mark = _read_mark(line, product)
        if mark is None:
            block.append(line)
        elif mark.is_escaped:
            block.append(line[: mark.escape] + line[mark.escape + 1 :])
        elif mark.kind not in kinds:
            block.append(line)
        else:
            yield Turn(role=role, content=_join_lines(block))
            role, block = _ROLE_OF[mark.kind], [mark.rest] if mark.rest else []
    yield Turn(role=role, content=_join_lines(block))


def _find_kinds(lines: Sequence[str], product: str) -> frozenset[str]:
    """The kinds of mark that count: question and answer only if the first mark is one of them."""
    marks = (_read_mark(line, product) for line in lines)
    first = next((mark.kind for mark in marks if mark and not mark.is_escaped), "")
    pair = frozenset(("question", "answer"))
    return frozenset(_ROLE_OF) if first in pair else frozenset(_ROLE_OF) - pair


def _read_mark(line: str, product: str = "") -> _Mark | None:
    match = _compile_marks(product).fullmatch(line)
    if match is None:
        return None
    rest = next((match[name] for name in ("behind", "after", "beside") if match[name] is not None), None)
    is_product = product and _compile_marks("").fullmatch(line) is None
    if rest is None and (is_product or _SINGLE_LETTER.fullmatch(line)):
        return None
    kind = next(name for name in _ROLE_OF if match[name])
    return _Mark(
        kind=kind,
        escape=match.start("escape"),
        is_escaped=bool(match["escape"]),
        rest=(rest or "").lstrip(" \t\u00a0"),
    )


def _join_lines(lines: Sequence[str]) -> str:
    """The lines without blank ones at either end."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return "\n".join(lines[filled[0] : filled[-1] + 1]) if filled else ""


def format_conversation(turns: Sequence[Turn], language: str, product: str = "") -> str:
    """The turns as a text that `parse_conversation` reads back, with marks in `language` ("en", "ru").

    What comes back is equal for every turn that `parse_conversation` could have returned.
    """
    written = _WRITTEN["ru" if language.startswith("ru") else "en"]
    return "\n\n".join(f"{written[turn.role]}:\n{_escape_marks(turn.content, product)}" for turn in turns)


def _escape_marks(content: str, product: str) -> str:
    lines = content.split("\n")
    marks = [_read_mark(line, product.strip()) for line in lines]
    return "\n".join(
        line if mark is None else f"{line[: mark.escape]}\\{line[mark.escape :]}"
        for line, mark in zip(lines, marks, strict=True)
    )


def disputed_prompt(turns: Sequence[Turn], disputed_answer: str) -> tuple[Turn, ...]:
    """The turns that were sent to obtain the disputed answer.

    Everything before the assistant's turn that equals it, else before the last one that contains it, white space
    aside; if there is none, everything up to the last turn of the user.
    """
    answer = " ".join(disputed_answer.split())
    said = {
        number: " ".join(turn.content.split())
        for number, turn in enumerate(turns)
        if turn.role == "assistant"
    }
    equal = [number for number, content in said.items() if content == answer]
    holding = [number for number, content in said.items() if answer and answer in content]
    asked = [number + 1 for number, turn in enumerate(turns) if turn.role == "user"]
    end = (equal or holding or asked or [0])[-1]
    return tuple(turns[:end])
