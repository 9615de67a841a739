"""Dates of incidents are read as people write them, in two languages, and never guessed."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.dates import ImpreciseDate, ImpreciseDateError, format_imprecise_date, parse_imprecise_date

TODAY = date(2024, 5, 31)

imprecise_dates = st.builds(
    lambda day, parts, about: ImpreciseDate(
        year=day.year, month=day.month if parts else None, day=day.day if parts == 2 else None, about=about
    ),
    st.dates(date(1950, 1, 1), TODAY),
    st.integers(0, 2),
    st.booleans(),
)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("2024", "2024"),
        ("2024-05", "2024-05"),
        ("2024-5-1", "2024-05-01"),
        ("2024-05-12", "2024-05-12"),
        ("2024/05/12", "2024-05-12"),
        ("12.05.2024", "2024-05-12"),
        ("12.05.2024 г.", "2024-05-12"),
        ("05.2024", "2024-05"),
        ("13/05/2024", "2024-05-13"),
        ("05/13/2024", "2024-05-13"),
        ("05/05/2024", "2024-05-05"),
        ("May 2024", "2024-05"),
        ("about May 2024", "~2024-05"),
        ("12 May 2024", "2024-05-12"),
        ("May 12, 2024", "2024-05-12"),
        ("the 12th of May 2024", "2024-05-12"),
        ("in Sept. 2023", "2023-09"),
        ("c. 2024", "~2024"),
        ("~2024-05", "~2024-05"),
        ("≈ 2024", "~2024"),
        ("12 мая 2024", "2024-05-12"),
        ("12-го мая 2024 года", "2024-05-12"),
        ("май 2024", "2024-05"),
        ("в мае 2024 г.", "2024-05"),
        ("около 2024-05", "~2024-05"),
        ("Примерно в июле 2023 года", "~2023-07"),
        ("ок. 2023", "~2023"),
        ("янв. 2024", "2024-01"),
        (" 2024\u00a0г. ", "2024"),
        ("２０２４", "2024"),
    ],
)
def test_a_date_is_read_as_people_write_it(written: str, canonical: str) -> None:
    assert str(parse_imprecise_date(written, today=TODAY)) == canonical


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("12/05/2024", "Day or month first"),
        ("31.02.2024", "no such date"),
        ("2024-13", "no such date"),
        ("30 февраля 2024", "no such date"),
        ("2024-06", "future"),
        ("2025", "future"),
        ("about 2025", "future"),
        ("1949", "too early"),
        ("", "Write a day"),
        ("yesterday", "Write a day"),
        ("May", "Write a day"),
        ("12", "Write a day"),
        ("12 2024", "Write a day"),
        ("1.2.23", "Write a day"),
        ("2023 2024", "Write a day"),
        ("about", "Write a day"),
        ("ma 2024", "Write a day"),
    ],
)
def test_what_is_no_date_is_refused_with_advice(written: str, complaint: str) -> None:
    with pytest.raises(ImpreciseDateError, match=complaint):
        parse_imprecise_date(written, today=TODAY)


def test_the_running_month_and_year_are_not_the_future() -> None:
    assert str(parse_imprecise_date("2024", today=date(2024, 1, 1))) == "2024"
    assert str(parse_imprecise_date("May 2024", today=date(2024, 5, 1))) == "2024-05"


@pytest.mark.parametrize(
    ("canonical", "english", "russian"),
    [
        ("2024-05-12", "12\u00a0May\u00a02024", "12\u00a0мая\u00a02024\u00a0г."),
        ("2024-05", "May\u00a02024", "май\u00a02024\u00a0г."),
        ("~2024-05", "about May\u00a02024", "около мая\u00a02024\u00a0г."),
        ("2024", "2024", "2024\u00a0г."),
        ("~2024-03-01", "about 1\u00a0March\u00a02024", "около 1\u00a0марта\u00a02024\u00a0г."),
    ],
)
def test_a_date_is_written_in_both_languages(canonical: str, english: str, russian: str) -> None:
    assert format_imprecise_date(canonical, "en") == english
    assert format_imprecise_date(canonical, "ru") == russian


def test_a_text_that_is_no_canonical_date_is_shown_as_it_is() -> None:
    assert format_imprecise_date("some day", "en") == "some day"
    assert format_imprecise_date("2024-02-31", "ru") == "2024-02-31"


def test_dates_sort_from_coarse_to_fine() -> None:
    dates = [
        ImpreciseDate.from_canonical(text)
        for text in ("2024-06", "2024-05-01", "~2024-05", "2024", "2023-12-31")
    ]
    assert [str(found) for found in sorted(dates, key=lambda found: found.sort_key)] == [
        "2023-12-31",
        "2024",
        "~2024-05",
        "2024-05-01",
        "2024-06",
    ]


def test_a_day_needs_its_month() -> None:
    with pytest.raises(ValueError, match="month"):
        ImpreciseDate(year=2024, day=3)


@given(imprecise_dates)
def test_every_way_of_writing_a_date_is_read_back(written: ImpreciseDate) -> None:
    assert ImpreciseDate.from_canonical(str(written)) == written
    for text in (str(written), written.format("en"), written.format("ru")):
        assert parse_imprecise_date(text, today=TODAY) == written


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ImpreciseDateError):
        assert parse_imprecise_date(text, today=TODAY).earliest() <= TODAY
