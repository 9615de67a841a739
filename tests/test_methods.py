"""docs/methods.md and its Russian twin: every worked number is computed again, and the two say the same."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ensemble import stats
from ensemble.stats.interval import Interval

TEXT = (Path(__file__).parents[1] / "docs" / "methods.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+)` \| ([\d.]+(?: to [\d.]+)?) \|$", TEXT, re.MULTILINE)
NAMES = {name: getattr(stats, name) for name in dir(stats) if not name.startswith("_")}


def rounded(value: float, printed: str) -> Decimal:
    return round(Decimal(value), max(0, -Decimal(printed).as_tuple().exponent))  # type: ignore[operator]


@pytest.mark.parametrize(("call", "printed"), ROWS)
def test_a_worked_number_is_what_the_function_gives(call: str, printed: str) -> None:
    found: Any = eval(call, {"__builtins__": {}}, NAMES)
    numbers = [found.low, found.high] if isinstance(found, Interval) else [found]
    shown = printed.split(" to ")
    assert [rounded(n, p) for n, p in zip(numbers, shown, strict=True)] == [Decimal(p) for p in shown]


def test_every_line_of_the_tables_is_checked() -> None:
    assert len(ROWS) == len(re.findall(r"^\| `", TEXT, re.MULTILINE)) >= 28


def test_the_russian_page_has_the_same_parts_numbers_and_references() -> None:
    russian = (Path(__file__).parents[1] / "docs" / "methods.ru.md").read_text(encoding="utf-8")

    def list_rows(text: str) -> list[str]:
        found = re.findall(r"^\| `(.+)` \| (.+) \|$", text, re.MULTILINE)
        return [f"{call}: {gives.replace(',', '.').replace('–', ' to ')}" for call, gives in found]

    def list_marks(text: str) -> list[str]:
        return re.findall(r"^\[in the report\]: # \((\w+)\)$|^(#+) ", text, re.MULTILINE)

    assert list_rows(russian) == list_rows(TEXT)
    assert list_marks(russian) == list_marks(TEXT)
    assert re.findall(r"\[[\d, ]+\]", russian) == re.findall(r"\[[\d, ]+\]", TEXT)
    assert russian.partition("## Литература")[2] == TEXT.partition("## References")[2]


@pytest.mark.parametrize("errors", [6, 0, 20])
def test_the_comparison_prints_our_numbers_and_inspects(errors: int) -> None:
    interval = stats.clopper_pearson(errors, 20)
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| {errors} of 20 |"))
    assert f"{errors / 20:.1%} ({interval.low:.1%} to {interval.high:.1%})" in row
    share = 1 - errors / 20
    deviation = (
        20 / 19 * share * (1 - share)
    ) ** 0.5  # Inspect: sample standard deviation over the root of n
    assert f"| {share:.3f} and {deviation / 20**0.5:.3f} |" in row
