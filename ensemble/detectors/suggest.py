"""A first detector from a person's own words about the error: a proposal to be tried out and edited."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import SequenceMatcher
from typing import NamedTuple

from ensemble.detectors.normalise import compose_text, normalise_text
from ensemble.detectors.numerals import find_numbers, make_plain
from ensemble.detectors.phrases import find_phrase
from ensemble.detectors.text import MAX_PHRASE_LENGTH, MAX_PHRASES
from ensemble.protocol import JsonValue

_QUOTED = re.compile('«([^«»]+)»|“([^“”]+)”|„([^„“”]+)[“”]|"([^"]+)"|`([^`]+)`')
_YES_OR_NO = re.compile(r"[\W_]*+(yes|no|да|нет)(?!\w)", re.IGNORECASE)
_OPPOSITES = {"yes": "no", "no": "yes", "да": "нет", "нет": "да"}
_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC_WORD = re.compile(r"[А-Яа-яЁё]+")
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря)"
)
_DAY_MONTH = re.compile(rf"(\d{{1,2}}) ({_MONTH})", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"({_MONTH}) (\d{{1,2}})", re.IGNORECASE)
_EDGES = " \t\n.,;:!?…*_"
# Longer texts are read to here: the comparison word by word takes their product.
_MAX_DESCRIPTION, _MAX_ANSWER, _MAX_WORDS = 2_000, 10_000, 300
_SHORT = 6  # words up to which a description is taken for the phrase itself
_TELLING = 3  # words in a row, shared by description and answer, that are no accident


def suggest_detector(wrong: str, true: str, disputed_answer: str) -> dict[str, JsonValue]:
    """A detector specification from what is wrong, what is true, and the disputed answer.

    A number in both → `number`, any other number than the true one being the error. An answer that opens with yes or no
    (да, нет), wrongly → `text`, starts with. Otherwise `text`, contains: quoted parts of the description first, then
    words that it shares with the answer. Where nothing at all is known the phrase list is empty, to be filled in.
    """
    wrong, true = (
        compose_text(wrong[:_MAX_DESCRIPTION]).strip(),
        compose_text(true[:_MAX_DESCRIPTION]).strip(),
    )
    answer = compose_text(disputed_answer[:_MAX_ANSWER]).strip()
    return (
        _suggest_number(wrong, true, answer)
        or _suggest_start(wrong, true, answer)
        or _suggest_content(wrong, true, answer)
    )


def _suggest_number(wrong: str, true: str, answer: str) -> dict[str, JsonValue] | None:
    words = _WORD.findall(f"{wrong} {true} {answer}")
    cyrillic = sum(map(bool, map(_CYRILLIC_WORD.fullmatch, words))) * 2 > len(words)
    mark = "comma" if cyrillic else "auto"
    found, wanted = _read_only_number(wrong, mark), _read_only_number(true, mark)
    if found is None or wanted is None or found.value == wanted.value:
        return None
    # A number within a sentence is an amount of what the other text counts, or it may be anything.
    if not (found.is_bare and wanted.is_bare) and (not found.unit or found.unit != wanted.unit):
        return None
    disputed, truth = found.value, wanted.value
    values = [number.value for number in find_numbers(make_plain(answer), decimal_mark=mark)]
    if answer and disputed not in (values[:1] + values[-1:]):
        return None  # no pick would take the disputed number out of the disputed answer
    pick = "first" if values and values[-1] != disputed else "last"
    return {
        "kind": "number",
        "rule": "differs",
        "truth": format(truth, "f"),
        "disputed": format(disputed, "f"),
        "tolerance": "0",
        "tolerance_kind": "absolute",
        "pick": pick,
        "decimal_mark": mark,
        "unit": "",
    }


class _Number(NamedTuple):
    """The only number of a text: bare if at most a unit stands with it; `unit` is the word that follows."""

    value: Decimal
    is_bare: bool
    unit: str


def _read_only_number(text: str, mark: str) -> _Number | None:
    plain = make_plain(text)
    numbers = find_numbers(plain, decimal_mark=mark)
    if len(numbers) != 1 or len(format(numbers[0].value, "f")) > 50:
        return None
    before, after = plain[: numbers[0].start], plain[numbers[0].end :]
    words = _WORD.findall(before + after)
    dated = any(re.fullmatch(_MONTH, word, re.IGNORECASE) for word in words)  # a date is no amount
    if dated or re.search(r"\d", before + after):
        return None
    unit = _WORD.match(after.lstrip())
    return _Number(numbers[0].value, len(words) <= 1, unit[0].lower() if unit else "")


def _suggest_start(wrong: str, true: str, answer: str) -> dict[str, JsonValue] | None:
    claimed, right, said = (_read_yes_or_no(text) for text in (wrong, true, answer))
    said = said if answer else claimed
    opposed = said and (claimed == said or (not claimed and right == _OPPOSITES[said]))
    if not said or not opposed or right == said:
        return None
    return _text_spec("starts with", [said], [_OPPOSITES[said]], "unclear")


def _read_yes_or_no(text: str) -> str:
    match = _YES_OR_NO.match(text)
    return match[1].lower() if match else ""


def _suggest_content(wrong: str, true: str, answer: str) -> dict[str, JsonValue]:
    compared = normalise_text(answer)
    errors = _find_quotes(wrong) or _find_said(wrong, answer)
    errors = _spell_date(wrong) or [phrase for phrase in errors if _occurs(phrase, compared)] or errors
    short = [true] if len(true.split()) <= _SHORT else []
    corrects = _find_quotes(true) or _spell_date(true) or _keep_phrases(short)
    known = {normalise_text(phrase) for phrase in errors}
    # What the disputed answer says as well cannot tell a right answer from it.
    corrects = [p for p in corrects if normalise_text(p) not in known and not _occurs(p, compared)]
    said = any(_occurs(phrase, compared) for phrase in errors)
    return _text_spec("contains", errors, corrects, "no error" if said and not corrects else "unclear")


def _find_quotes(text: str) -> list[str]:
    parts = ("".join(filter(None, match.groups())) for match in _QUOTED.finditer(text))
    return _keep_phrases(parts)


def _spell_date(text: str) -> list[str]:
    """A text that is a day and a month, in both orders: “1 May” and “May 1”; empty if it is anything else."""
    text = _trim(text)
    date = _DAY_MONTH.fullmatch(text) or _MONTH_DAY.fullmatch(text)
    return [text, f"{date[2]} {date[1]}"] if date else []


def _find_said(wrong: str, answer: str) -> list[str]:
    """The description itself if the answer says it, else the words they share, else the description."""
    if not wrong:
        return _keep_phrases(re.split(r"(?<=[.!?…])\s|\n", answer, maxsplit=1)[:1])
    shared = "" if _occurs(wrong, normalise_text(answer)) else _find_shared_words(wrong, answer)
    return _keep_phrases([shared or wrong])


def _find_shared_words(description: str, answer: str) -> str:
    """The longest run of words that both hold, as the answer writes it; empty if it is too short to tell anything."""
    words = answer.split()[: 2 * _MAX_WORDS]
    described = [_trim(normalise_text(word)) for word in description.split()[:_MAX_WORDS]]
    answered = [_trim(normalise_text(word)) for word in words]
    run = SequenceMatcher(None, described, answered, autojunk=False).find_longest_match()
    shared = _trim(" ".join(words[run.b : run.b + run.size]))
    return shared if run.size >= _TELLING or re.search(r"\d", shared) else ""


def _keep_phrases(parts: Iterable[str]) -> list[str]:
    """The parts that can stand in a detector's list of phrases."""
    trimmed = (_trim(part)[:MAX_PHRASE_LENGTH] for part in parts)
    return list(dict.fromkeys(phrase for phrase in trimmed if normalise_text(phrase)))[:MAX_PHRASES]


def _occurs(phrase: str, compared: str) -> bool:
    return find_phrase(compared, normalise_text(phrase), whole_words=True)


def _text_spec(match: str, errors: list[str], corrects: list[str], otherwise: str) -> dict[str, JsonValue]:
    return {
        "kind": "text",
        "match": match,
        "error_phrases": errors,
        "correct_phrases": corrects,
        "otherwise": otherwise,
        "ignore_case": True,
        "fold_yo": True,
        "whole_words": True,
    }


def _trim(text: str) -> str:
    return text.strip(_EDGES)
