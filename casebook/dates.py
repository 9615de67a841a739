"""Dates as people remember them: a day, a month or a year, exact or only about; in English and Russian."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language
from django.utils.translation import gettext as _

FIRST_YEAR = 1950  # no computer answered anybody before

_JOINED = "\u00a0"  # a date is not broken between its parts
_ENGLISH = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Nominative and genitive: "май 2024", but "12 мая 2024", "около мая 2024".
_RUSSIAN = (
    ("январь", "января"),
    ("февраль", "февраля"),
    ("март", "марта"),
    ("апрель", "апреля"),
    ("май", "мая"),
    ("июнь", "июня"),
    ("июль", "июля"),
    ("август", "августа"),
    ("сентябрь", "сентября"),
    ("октябрь", "октября"),
    ("ноябрь", "ноября"),
    ("декабрь", "декабря"),
)
_ABOUT = re.compile(
    r"(?:~|≈|(?:about|around|approximately|approx\.?|circa|ca?\.|roughly|около|ок\.|примерно|приблизительно)(?!\w))\s*"
)
_FILLERS = frozenset(("of", "the", "in", "on", "в", "г", "г.", "год", "года", "году"))
_CANONICAL = re.compile(r"(~?)([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})(?:[-./](?P<month>[0-9]{1,2})(?:[-./](?P<day>[0-9]{1,2}))?)?")
_YEAR_LAST = re.compile(r"(?:(?P<day>[0-9]{1,2})[-.])?(?P<month>[0-9]{1,2})[-./](?P<year>[0-9]{4})")
_SLASHES = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_DAY_WORD = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th|-?го|\.)?")


class ImpreciseDateError(ValueError):
    """A text that is no date of an incident; the message says what to write instead."""


@dataclass(frozen=True, kw_only=True)
class ImpreciseDate:
    """A year, perhaps with month and day; `about` when it may have been somewhat earlier or later."""

    year: int
    month: int | None = None
    day: int | None = None
    about: bool = False

    def __post_init__(self) -> None:
        if self.day is not None and self.month is None:
            raise ValueError("a day needs a month")
        self.earliest()  # raises ValueError for a day that does not exist

    def earliest(self) -> date:
        """The first day that the date, taken as exact, may mean."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def sort_key(self) -> tuple[int, int, int]:
        """A year comes before its months, a month before its days."""
        return self.year, self.month or 0, self.day or 0

    def __str__(self) -> str:
        """The canonical text: "2024-05-12", "2024-05", "2024", with "~" in front of one that is only about."""
        parts = [f"{self.year:04}", *(f"{part:02}" for part in (self.month, self.day) if part is not None)]
        return "~" * self.about + "-".join(parts)

    @classmethod
    def from_canonical(cls, text: str) -> ImpreciseDate:
        """The date of a canonical text; `ValueError` for any other."""
        match = _CANONICAL.fullmatch(text)
        if not match:
            raise ValueError(f"not the canonical text of a date: {text!r}")
        year, month, day = (int(part) if part else None for part in match.groups()[1:])
        return cls(year=year or 0, month=month, day=day, about=bool(match[1]))

    def format(self, language: str) -> str:
        """The date as `language` ("en", "ru") writes it."""
        return self._format_russian() if language.startswith("ru") else self._format_english()

    def _format_english(self) -> str:
        day = f"{self.day}{_JOINED}" if self.day else ""
        month = f"{_ENGLISH[self.month - 1]}{_JOINED}" if self.month else ""
        return f"{'about ' * self.about}{day}{month}{self.year}"

    def _format_russian(self) -> str:
        day = f"{self.day}{_JOINED}" if self.day else ""
        month = f"{_RUSSIAN[self.month - 1][bool(self.day) or self.about]}{_JOINED}" if self.month else ""
        return f"{'около ' * self.about}{day}{month}{self.year}{_JOINED}г."


def format_imprecise_date(canonical: str, language: str | None = None) -> str:
    """A canonical text as the reader's language writes it; a text that is none is returned as it is."""
    try:
        found = ImpreciseDate.from_canonical(canonical)
    except ValueError:
        return canonical
    return found.format(language or get_language() or "en")


def parse_imprecise_date(text: str, *, today: date) -> ImpreciseDate:
    """The date that a person wrote: "about May 2024", "2024", "12.05.2024", "12 мая 2024", "около 2024-05".

    Raises `ImpreciseDateError` for what is no date, could be two, does not exist, or lies after `today`.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").split())
    rest = _ABOUT.sub("", plain, count=1) if _ABOUT.match(plain) else plain
    year, month, day = _read_numbers(rest) or _read_words(rest)
    try:
        found = ImpreciseDate(year=year, month=month, day=day, about=rest != plain)
    except ValueError:
        raise ImpreciseDateError(_("There is no such date. Check the day and the month.")) from None
    if found.year < FIRST_YEAR:
        raise ImpreciseDateError(
            _("The year is too early: no AI system answered anybody before %(year)s.") % {"year": FIRST_YEAR}
        )
    if found.earliest() > today:
        raise ImpreciseDateError(_("This date lies in the future. Check the year."))
    return found


def _read_numbers(text: str) -> tuple[int, int | None, int | None] | None:
    slashes = _SLASHES.fullmatch(text)
    if slashes:
        return _read_slashes(*map(int, slashes.groups()))
    match = _YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(_drop_year_word(text))
    if not match:
        return None
    month, day = (int(match[part]) if match[part] else None for part in ("month", "day"))
    return int(match["year"]), month, day


def _read_slashes(first: int, second: int, year: int) -> tuple[int, int, int]:
    """12/05/2024 is a day in May in Europe and in December in America: refused unless it can only be one."""
    if first <= 12 and second <= 12 and first != second:
        raise ImpreciseDateError(
            _("Day or month first? Write the date as year-month-day, such as 2024-05-12.")
        )
    day, month = (first, second) if second <= 12 else (second, first)
    return year, month, day


def _drop_year_word(text: str) -> str:
    return re.sub(r"\s?(?:г\.?|год[ау]?)$", "", text)


def _read_words(text: str) -> tuple[int, int | None, int | None]:
    """Day, month name and year in any order; month and day may be missing."""
    parts: dict[str, int] = {}
    for word in re.split(r"[\s,]+", text):
        if word in _FILLERS or not word:
            continue
        kind, value = _read_word(word)
        if kind in parts:
            raise _unknown_date()
        parts[kind] = value
    if "year" not in parts or ("day" in parts and "month" not in parts):
        raise _unknown_date()
    return parts["year"], parts.get("month"), parts.get("day")


def _read_word(word: str) -> tuple[str, int]:
    if re.fullmatch("[0-9]{4}", word):
        return "year", int(word)
    day = _DAY_WORD.fullmatch(word)
    if day:
        return "day", int(day[1])
    month = _find_month(word.rstrip("."))
    if month is None:
        raise _unknown_date()
    return "month", month


def _find_month(word: str) -> int | None:
    """The month of a name in any case form, or of its first three letters or more."""
    for number, (english, (russian, russian_of)) in enumerate(zip(_ENGLISH, _RUSSIAN, strict=True), start=1):
        names = (english.lower(), russian, russian_of, f"{russian_of[:-1]}е")
        if len(word) >= 3 and any(name.startswith(word) for name in names):
            return number
    return None


def _unknown_date() -> ImpreciseDateError:
    return ImpreciseDateError(
        _("Write a day, a month or a year, such as 2024-05-12, 12 May 2024, May 2024, 2024 or “about 2024”.")
    )
