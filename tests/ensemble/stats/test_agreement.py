from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble.stats.detector_error import cohen_kappa, gwet_ac1, krippendorff_alpha

tables = st.integers(2, 4).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 30), min_size=size, max_size=size), min_size=size, max_size=size
    )
)


def list_pairs(table):
    """The labels behind a table, one pair per unit."""
    return [
        (row, column)
        for row, line in enumerate(table)
        for column, count in enumerate(line)
        for _ in range(count)
    ]


def approx_or_none(value):
    return None if value is None else pytest.approx(value, rel=1e-6, abs=1e-9)


@given(table=tables)
def test_agreement_does_not_care_who_is_first_nor_how_categories_are_ordered(table):
    swapped = [list(column) for column in zip(*table, strict=True)]
    turned = [row[::-1] for row in table[::-1]]
    for measure in (cohen_kappa, gwet_ac1):
        value = measure(table)
        assert value is None or -1 - 1e-9 <= value <= 1 + 1e-9
        assert measure(swapped) == approx_or_none(value)
        assert measure(turned) == approx_or_none(value)


@given(shares=st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_full_agreement_is_one(shares):
    table = [
        [count if row == column else 0 for column in range(len(shares))] for row, count in enumerate(shares)
    ]
    assert cohen_kappa(table) == pytest.approx(1)
    assert gwet_ac1(table) == pytest.approx(1)
    assert krippendorff_alpha(list_pairs(table)) == pytest.approx(1)


@given(
    rows=st.lists(st.integers(1, 9), min_size=2, max_size=3),
    columns=st.lists(st.integers(1, 9), min_size=2, max_size=3),
)
def test_independent_labels_have_a_kappa_of_zero(rows, columns):
    size = min(len(rows), len(columns))
    table = [[row * column for column in columns[:size]] for row in rows[:size]]
    assert cohen_kappa(table) == pytest.approx(0, abs=1e-12)


@given(table=tables.filter(lambda table: sum(map(sum, table)) > 0))
def test_agreement_beyond_chance_follows_from_the_single_labels(table):
    pairs, size = list_pairs(table), len(table)
    observed = np.mean([a == b for a, b in pairs])
    first, second = np.array(pairs).T
    by_chance = float((first[:, None] == second).mean())  # labels of two units taken at random
    expected = None if by_chance == 1 else pytest.approx((observed - by_chance) / (1 - by_chance), abs=1e-9)
    assert cohen_kappa(table) == expected
    pooled = np.array(pairs).ravel()
    shares = [float((pooled == category).mean()) for category in range(size)]
    by_chance = np.mean([share * (1 - share) for share in shares]) * size / (size - 1)
    assert gwet_ac1(table) == pytest.approx((observed - by_chance) / (1 - by_chance), abs=1e-9)


@given(units=st.lists(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=4), max_size=8))
def test_alpha_compares_pairs_within_units_with_pairs_of_all_labels(units):
    kept = [[label for label in unit if label is not None] for unit in units]
    kept = [unit for unit in kept if len(unit) > 1]
    labels = [label for unit in kept for label in unit]
    among_all = [a != b for a, b in permutations(labels, 2)]
    if not any(among_all):
        assert krippendorff_alpha(units) is None
        return
    within = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in kept)
    expected = 1 - within / len(labels) / np.mean(among_all)
    assert krippendorff_alpha(units) == pytest.approx(expected, abs=1e-9)


@given(table=tables.filter(lambda table: sum(map(sum, table)) > 1))
def test_alpha_of_two_raters_is_scotts_pi_corrected_for_the_sample(table):
    pairs, size = list_pairs(table), len(table)
    pooled = [sum(a == k for a, _ in pairs) + sum(b == k for _, b in pairs) for k in range(size)]
    by_chance = sum((count / (2 * len(pairs))) ** 2 for count in pooled)
    if by_chance == 1:
        assert krippendorff_alpha(pairs) is None
        return
    observed = sum(a == b for a, b in pairs) / len(pairs)
    scott = (observed - by_chance) / (1 - by_chance)
    assert krippendorff_alpha(pairs) == pytest.approx(1 - (1 - scott) * (1 - 1 / (2 * len(pairs))), abs=1e-9)


def test_what_does_not_exist_is_none():
    assert cohen_kappa([[0, 0], [0, 0]]) is None
    assert gwet_ac1([[0, 0], [0, 0]]) is None
    assert cohen_kappa([[7]]) is None
    assert gwet_ac1([[7]]) == 1
    assert cohen_kappa([[10**9, 0], [0, 0]]) is None
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([[1, None], [None, 0], [None, None]]) is None
    assert krippendorff_alpha([["error", "error"], ["error", "error"]]) is None


@pytest.mark.parametrize("table", [[], [[1, 2]], [[1, 2], [3]], [[1], [2]]])
def test_a_table_that_is_not_square_is_refused(table):
    for measure in (cohen_kappa, gwet_ac1):
        with pytest.raises(ValueError, match=r"^table: "):
            measure(table)


def test_a_table_of_anything_but_counts_is_refused():
    for measure in (cohen_kappa, gwet_ac1):
        with pytest.raises(ValueError, match=r"^table\[1\]\[0\]: "):
            measure([[1, 2], [-3, 4]])
