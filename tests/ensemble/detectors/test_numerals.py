"""Numbers are read as English and Russian write them; what is no quantity is left alone."""

from __future__ import annotations

import time
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.detectors.numerals import find_numbers, make_plain


def read(text: str, mark: str = "auto") -> list[str]:
    return [format(number.value, "f") for number in find_numbers(make_plain(text), decimal_mark=mark)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("495", "495"),
        ("It is 495.", "495"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1 234,5", "1234.5"),
        ("1\u00a0234,5", "1234.5"),
        ("1\u202f234\u2009567", "1234567"),
        ("12 345 678,90", "12345678.90"),
        ("1'234", "1234"),
        ("1’234’567.80", "1234567.80"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1234,567", "1234.567"),
        ("0,234", "0.234"),
        ("0.234", "0.234"),
        ("3,5", "3.5"),
        (".5", "0.5"),
        ("wait...5", "5"),
        ("-5", "-5"),
        ("−5", "-5"),
        ("–5", "-5"),
        ("+5", "5"),
        ("x=-5", "-5"),
        ("-.5", "-0.5"),
        ("5%", "5"),
        ("5 %", "5"),
        ("$880", "880"),
        ("US$880", "880"),
        ("USD880", "880"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("880 USD", "880"),
        ("€ 1.234,50", "1234.50"),
        ("12 руб.", "12"),
        ("12руб", "12"),
        ("1.2 million", "1200000"),
        ("1,5 млн руб.", "1500000"),
        ("2 тыс. рублей", "2000"),
        ("3 тысячи", "3000"),
        ("2 миллиарда", "2000000000"),
        ("$10k", "10000"),
        ("10K", "10000"),
        ("$5m", "5000000"),
        ("£2bn", "2000000000"),
        ("5m", "5"),
        ("1.2e5", "120000"),
        ("2E-3", "0.002"),
        ("５９４", "594"),
        ("１，２３４．５", "1234.5"),
        ("١٢٣", "123"),
        ("**495**", "495"),
        ("_495_", "495"),
        (r"\boxed{495}", "495"),
        ("1{,}234", "1234"),
        (r"1\,234", "1234"),
        ("4\u200b95", "495"),
        ("№5", "5"),
        ("(5)", "5"),
        ("90-day", "90"),
        ("1,234th", "1234"),
    ],
)
def test_a_number_is_read_in_every_usual_form(text: str, value: str) -> None:
    assert read(text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "GPT-4",
        "GPT-4o, Claude3 and COVID-19",
        "v1.2.3",
        "1.2.3",
        "192.168.0.1",
        "12.05.2024",
        "2024-05-12",
        "12/05/2024",
        "at 10:30",
        "the 3rd",
        "5-й",
        "5f2c 0x1F",
        "1_000",
        "1,2,3",
        "5'10",
        "https://a.example/123?x=4",
        "9" * 101,
        "½ x²",
        "four",
    ],
)
def test_what_is_no_quantity_is_not_read(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("128+367=495", ["128", "367", "495"]),
        ("128 + 367 = 495.", ["128", "367", "495"]),
        ("7-5", ["7", "5"]),
        ("5*-3", ["5", "-3"]),
        ("10–20", ["10", "20"]),
        ("12/3", ["12", "3"]),
        ("3, 4, 5", ["3", "4", "5"]),
        ("1 234 5678", ["1234", "5678"]),
        ("1\n234", ["1", "234"]),
        ("GPT-4 says 12", ["12"]),
    ],
)
def test_several_numbers_are_read_in_order(text: str, values: list[str]) -> None:
    assert read(text) == values


@pytest.mark.parametrize(
    ("text", "mark", "values"),
    [
        ("1,234", "auto", ["1234"]),
        ("1.234", "auto", ["1.234"]),
        ("Масса 1,234 кг", "auto", ["1.234"]),
        ("Цена 1.234 рубля", "auto", ["1234"]),
        ("1,234 and 3,5", "auto", ["1.234", "3.5"]),
        ("1.234 and 3,5", "auto", ["1234", "3.5"]),
        ("1,234 рубля и 3.5", "auto", ["1234", "3.5"]),
        ("1.234 and 1,234,567", "auto", ["1.234", "1234567"]),
        ("12.05.2024: 1,234", "auto", ["1234"]),
        ("1,234", "comma", ["1.234"]),
        ("1.234", "comma", ["1234"]),
        ("1,234", "point", ["1234"]),
        ("1.234", "point", ["1.234"]),
        ("3,5 and 3.5", "point", ["3.5", "3.5"]),
    ],
)
def test_one_mark_before_three_digits_is_settled_by_what_surrounds_it(
    text: str, mark: str, values: list[str]
) -> None:
    assert read(text, mark) == values


def test_a_number_knows_its_place() -> None:
    plain = make_plain("costs $1.2 million.")
    (number,) = find_numbers(plain)
    assert plain[number.start : number.end] == "1.2 million"


def group(digits: str, separator: str) -> str:
    head = len(digits) % 3 or 3
    return separator.join([digits[:head], *(digits[at : at + 3] for at in range(head, len(digits), 3))])


@given(
    st.integers(1, 10**15),
    st.from_regex("[0-9]{1,2}|[0-9]{4,6}", fullmatch=True),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("\u00a0", ","), ("'", "."), ("", "."), ("", ",")]),
    st.booleans(),
)
def test_every_grouped_decimal_is_read_back(
    whole: int, fraction: str, marks: tuple[str, str], negative: bool
) -> None:
    written = f"{'−' * negative}{group(str(whole), marks[0])}{marks[1]}{fraction}"
    assert read(f"about {written} kg") == [f"{'-' * negative}{whole}.{fraction}"]


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["auto", "point", "comma"]))
def test_any_text_has_finite_numbers_in_order(text: str, mark: str) -> None:
    plain = make_plain(text)
    numbers = find_numbers(plain, decimal_mark=mark)
    places = [place for number in numbers for place in (number.start, number.end)]
    assert places == sorted(places)
    assert all(number.value.is_finite() and abs(number.value) < Decimal("1e300") for number in numbers)


@given(st.text(st.sampled_from("0123456789.,'- e%$kй\u0301１Ａ"), max_size=20))
def test_composed_and_decomposed_text_hold_the_same_numbers(text: str) -> None:
    assert read(unicodedata.normalize("NFD", text)) == read(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    "part",
    ["1", "1.", "a-1", "1a", "$ ", "-", ".1", "http://", "1,2.3'4 ", "1\u0301\u0316", "1:", "1-", "1_"],
)
def test_time_grows_with_the_length_of_hostile_text_alone(part: str) -> None:
    text = "a" + part * (200_000 // len(part))
    started = time.process_time()
    assert len(read(text)) <= len(text)
    assert time.process_time() - started < 2  # going over it twice from every place would take minutes
