from __future__ import annotations

import math

import pytest
from django.utils import translation

from casebook.report_numbers import number_writer

EN, RU = number_writer("en"), number_writer("ru")


@pytest.mark.parametrize(
    ("share", "english", "russian"),
    [
        (0.0, "0%", "0\u00a0%"),
        (1.0, "100%", "100\u00a0%"),
        (0.294, "29.4%", "29,4\u00a0%"),
        (0.0362, "3.6%", "3,6\u00a0%"),
        (0.0044, "0.44%", "0,44\u00a0%"),
        (0.00025, "0.03%", "0,03\u00a0%"),
        (0.999, "99.90%", "99,90\u00a0%"),
        (0.99996, "99.996%", "99,996\u00a0%"),
    ],
)
def test_a_share_has_sensible_decimals_in_each_language(share: float, english: str, russian: str) -> None:
    assert EN.write_share(share) == english
    assert RU.write_share(share) == russian


@pytest.mark.parametrize("share", [1e-9, 1e-5, 0.00004, 0.99996, 1 - 1e-9])
def test_a_share_is_never_rounded_to_nothing_or_everything(share: float) -> None:
    digits = EN.write_share(share).rstrip("%")
    assert float(digits.lstrip("<>")) not in (0.0, 100.0)


@pytest.mark.parametrize(
    ("e_value", "english", "russian"),
    [
        (20, "20", "20"),
        (19.99, "19.9", "19,9"),
        (20.44, "20.4", "20,4"),
        (0.04, "under 0.1", "менее 0,1"),
        (999_999, "999,999", "999\u202f999"),
        (1e9, "over 1,000,000", "более 1\u202f000\u202f000"),
    ],
)
def test_an_e_value_is_never_rounded_up_to_what_decides(e_value: float, english: str, russian: str) -> None:
    assert EN.write_e_value(math.log(e_value)) == english
    with translation.override("ru"):
        assert RU.write_e_value(math.log(e_value)) == russian


def test_counts_are_grouped_as_the_language_does() -> None:
    assert EN.write_count(12345) == "12,345"
    assert RU.write_count(12345) == "12\u202f345"


def test_a_level_has_no_idle_zeros() -> None:
    assert [EN.write_level(level) for level in (0.95, 0.975, 1 - 0.95)] == ["95%", "97.5%", "5%"]


def test_times_are_in_utc_and_days_are_written_once() -> None:
    with translation.override("ru"):
        written = RU.write_moment("2026-05-12T17:03:05.250+03:00").replace("\u00a0", " ")
    assert written.startswith("12 мая 2026")
    assert written.endswith(", 14:03:05 UTC")
    period = EN.write_period("2026-05-12T14:00:13.000Z", "2026-05-12T14:04:40.000Z")
    assert period == "12 May 2026, 14:00:13 – 14:04:40 UTC"
    assert EN.write_moment(None) == "–"


def test_amounts_and_sizes_are_written_in_the_language() -> None:
    assert EN.write_amount("812.02", "CAD") == "812.02 CAD"
    assert RU.write_amount("60000", "RUB") == "60\u202f000 RUB"
    assert EN.write_amount("1234.50", "CAD") == "1,234.50 CAD"
    assert RU.write_amount("1234.50", "CAD") == "1\u202f234,50 CAD"
    assert EN.write_amount("", "CAD") == ""
    assert EN.write_size(348_120) == "348.1 kB"
