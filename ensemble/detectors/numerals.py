"""Reading the numbers of a text, as English and Russian write them, in exact decimals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact

from ensemble.detectors.normalise import compose_text, fold_typography

MAX_DIGITS = 100  # with their separators; longer runs are keys or noise, not quantities
EXACT = Context(prec=1_000, traps=[Inexact])  # holds whatever is computed with two such numbers

_SPACE = re.compile(r"[^\S\n ]")
_FOREIGN_DIGIT = re.compile(r"[^\W\D0-9]")  # full-width, Arabic-Indic …
_PLAIN_MARKS = str.maketrans("．，％＋＄٫٬", ".,%+$.,")
_CYRILLIC, _LATIN = re.compile("[А-Яа-яЁё]"), re.compile("[A-Za-z]")

_SCALE = re.compile(
    r"""[ -]?(?: (?P<e3>thousand|тыс(?:\.|яч[аи]?)?) | (?P<e6>million|mln|млн\.?|миллион(?:а|ов)?)
               | (?P<e9>billion|bn|млрд\.?|миллиард(?:а|ов)?) | (?P<e12>trillion|трлн\.?|триллион(?:а|ов)?) )(?!\w)
    | (?P<attached_e3>k)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_MONEY_SCALE = re.compile(r"(?:(?P<e6>m)|(?P<e9>b))(?!\w)", re.IGNORECASE)  # "$5m", but "5m" is a length

_CODES = "USD|EUR|GBP|CAD|AUD|CHF|JPY|CNY|RUB"
_EXPONENT = r"[eE][-+]?\d{1,2}(?!\w)"
# Tokens in order of preference. Possessive quantifiers: no text makes the expression go over it twice.
_TOKEN = re.compile(
    rf"""
      https?://\S++                                                       # skipped: addresses,
    | \d{{4}}-\d\d-\d\d(?!\d) | \d{{1,2}}/\d{{1,2}}/\d{{2,4}}(?!\d)       # dates,
    | \d{{1,2}}:\d\d(?::\d\d)?(?!\d)                                      # times,
    | (?!(?:{_CODES})\d)[^\W\d_]\w*+(?:[-.]?\d\w*+)*+                     # words, GPT-4o, v1.2,
    | \d++(?:st|nd|rd|th)(?!\w)                                           # ordinals,
    | \d++-(?:й|я|е|го|му|м|ми|х|ой|ый|ая|ое|ые|ого|ому|ым|ых|ю)(?!\w)
    | \d++(?!{_EXPONENT})(?:_|[^\W\d]++\d)\w++                            # and identifiers
    | (?P<sign>(?<![\w)\]%$€£¥₽])[-+])?
      (?P<currency>(?:{_CODES}|[$€£¥₽₹₴])\ ?(?P<inner_sign>-)?)?
      (?P<digits> \d{{1,3}}(?:\ \d{{3}}(?!\d))++(?:[.,]\d++)? | \d++(?:[.,']\d++)*+ | (?<![\w.])\.\d++ )
      (?P<exponent>{_EXPONENT})?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SEPARATOR = re.compile("([.,' ])")


@dataclass(frozen=True, kw_only=True)
class FoundNumber:
    """A number and where it stands in the text made plain: digits from `start`, all that belongs to it up to `end`."""

    value: Decimal
    start: int
    end: int


def make_plain(text: str) -> str:
    """`text` with ASCII digits, signs and spaces; the text in which `find_numbers` counts its positions."""
    plain = fold_typography(compose_text(text)).translate(_PLAIN_MARKS)
    plain = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match.group())), plain)
    # LaTeX writes groups of thousands as 1{,}234 and 1\,234.
    return _SPACE.sub(" ", plain).replace("{,}", ",").replace("\\,", " ")


def find_numbers(plain: str, *, decimal_mark: str = "auto") -> list[FoundNumber]:
    """The numbers of a text from `make_plain`, in order.

    Read: 1,234.5 · 1.234,5 · 1 234,5 · 1'234 · −5 · $880 · −$5 · 880 USD · 12 руб. · 5 % · 1.2e6 · 10k · $5m, and
    thousand, million, billion, trillion, тыс., млн, млрд, трлн behind a number. Not read: numbers within words or
    identifiers (GPT-4, v1.2, 5f2c), ordinals, dates, times, addresses, several marks that are no grouping (1.2.3), runs
    of more than `MAX_DIGITS` digits, number words, powers of ten with ×. A fraction 12/3 is two numbers; so is a
    range 10–20. Three digits behind a space continue the number before it.

    `decimal_mark` settles what one comma or point before exactly three digits means. `auto`: as the other numbers of
    the text show it, else comma where Cyrillic letters outnumber Latin ones, else point.
    """
    tokens = [match for match in _TOKEN.finditer(plain) if match["digits"]]
    mark = {"point": ".", "comma": ","}.get(decimal_mark) or _choose_mark(plain, tokens)
    found = (_read_token(plain, token, mark) for token in tokens)
    return [number for number in found if number is not None]


def _choose_mark(plain: str, tokens: Iterable[re.Match[str]]) -> str:
    for token in tokens:
        shown = _shown_mark(token["digits"])
        if shown:
            return shown
    return "," if len(_CYRILLIC.findall(plain)) > len(_LATIN.findall(plain)) else "."


def _shown_mark(digits: str) -> str:
    """The decimal mark that a number gives away, `""` if it could be read either way or has none."""
    marks = [character for character in digits if character in ".,"]
    if not marks:
        return ""
    value = _read_digits(digits, ".")
    if value is None or value != _read_digits(digits, ","):
        return ""
    if marks.count(marks[-1]) == 1:
        return marks[-1]
    return "." if marks[-1] == "," else ","


def _read_token(plain: str, token: re.Match[str], mark: str) -> FoundNumber | None:
    value = _read_digits(token["digits"], mark)
    if value is None:
        return None
    scale = _SCALE.match(plain, token.end()) or (token["currency"] and _MONEY_SCALE.match(plain, token.end()))
    power = int(token["exponent"][1:]) if token["exponent"] else 0
    if scale:
        power += int(str(scale.lastgroup).rpartition("e")[2])
    if power:
        value = EXACT.scaleb(value, power)
    if "-" in (token["sign"], token["inner_sign"]):
        value = value.copy_negate()
    end = scale.end() if scale else token.end()
    return FoundNumber(value=value, start=token.start("digits"), end=end)


def _read_digits(digits: str, mark: str) -> Decimal | None:
    """The value of digits with separators; None if they are no number (1.2.3, 12.05.2024) or too long."""
    if len(digits) > MAX_DIGITS:
        return None
    if digits.isdigit():
        return Decimal(digits)
    groups = _SEPARATOR.split(digits)
    separators, groups = groups[1::2], groups[::2]
    grouped = _are_thousands(groups, separators)
    if grouped and (len(separators) > 1 or separators[-1] != mark):
        return Decimal("".join(groups))
    last = separators.pop()
    whole = not separators or _are_thousands(groups[:-1], separators)
    if last not in ".," or last in separators or not whole:
        return None
    return Decimal("".join(groups[:-1]) + "." + groups[-1])


def _are_thousands(groups: list[str], separators: list[str]) -> bool:
    """Whether the groups are one to three digits and then threes, all parted alike."""
    first, *others = groups
    return (
        len(set(separators)) == 1
        and 1 <= len(first) <= 3
        and not first.startswith("0")
        and all(len(group) == 3 for group in others)
    )
