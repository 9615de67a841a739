from __future__ import annotations

import pytest

from casebook.renaming import rename_detector, rename_text
from ensemble.detectors import build_detector
from tests.ensemble.experiments import DETECTOR


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("Ann told Annabel that Ann was ill.", "Eve told Annabel that Eve was ill."),
        ("Ann-Marie", "Eve-Marie"),
        ("Иван видел Ивана", "Пётр видел Петра"),
        ("ann", "ann"),
        ("a.b and axb", "c and axb"),
        ("", ""),
    ],
)
def test_names_are_replaced_as_whole_words_and_all_at_once(text: str, renamed: str) -> None:
    pairs = [["Ann", "Eve"], ["Eve", "Ann"], ["Иван", "Пётр"], ["Ивана", "Петра"], ["a.b", "c"]]
    assert rename_text(text, pairs) == renamed


def test_a_name_that_contains_another_is_replaced_first() -> None:
    assert rename_text("Ann Lee and Lee", [["Lee", "Ray"], ["Ann Lee", "Eve Ray"]]) == "Eve Ray and Ray"


def test_nothing_is_renamed_without_pairs() -> None:
    assert rename_text("Ann", []) == "Ann"
    assert rename_detector(DETECTOR, []) == DETECTOR


def test_a_name_put_into_a_pattern_stands_for_itself() -> None:
    spec = {**DETECTOR, "match": "pattern", "error_phrases": [r"J\. Lee took \d+"], "correct_phrases": []}
    renamed = rename_detector(spec, [["J. Lee", "K+ (Ray)"]])
    assert build_detector(renamed).detect("K+ (Ray) took 5").label == "error"
    assert build_detector(renamed).detect("KK (Ray) took 5").label == "unclear"


def test_the_unit_of_a_number_is_renamed_too() -> None:
    spec = {"kind": "number", "rule": "differs", "truth": "5", "unit": "Annas"}
    assert rename_detector(spec, [["Annas", "Evas"]])["unit"] == "Evas"
