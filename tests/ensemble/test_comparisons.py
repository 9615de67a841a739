from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ensemble.comparisons import compare_arms, difference_of_sequences
from ensemble.protocol import Purpose, StoppingRule
from ensemble.stats.comparison import holm, miettinen_nurminen, newcombe
from tests.ensemble.experiments import add_scripted_endpoint, make_arm, make_protocol, run_to_seal

FIXED = StoppingRule(kind="fixed", runs=100)


def arm(position: int, errors: int, runs: int, **changes: Any) -> dict[str, Any]:
    values = {"purpose": "temperature" if position else "primary", "deterministic": False}
    return {
        "position": position,
        "errors": errors,
        "runs": runs,
        "interval_kind": "clopper-pearson",
        **values,
        **changes,
    }


def test_fixed_arms_are_compared_by_interval_and_exact_test() -> None:
    (found,) = compare_arms([arm(0, 37, 100), arm(1, 12, 100)], FIXED)
    assert (found["arm"], found["against"], found["family"], found["test"]) == (1, 0, 1, "boschloo")
    assert found["difference"]["low"] == newcombe(12, 100, 37, 100).low == pytest.approx(-0.359838, abs=1e-6)
    assert found["beside"]["high"] == miettinen_nurminen(12, 100, 37, 100).high
    assert found["p_value"] == found["p_holm"] == pytest.approx(3.634e-5, rel=1e-3)


def test_several_arms_are_adjusted_together() -> None:
    found = compare_arms([arm(0, 37, 100), arm(1, 12, 100), arm(2, 30, 100), arm(3, 36, 100)], FIXED)
    assert [c["p_holm"] for c in found] == holm([c["p_value"] for c in found])
    assert {c["family"] for c in found} == {3}
    assert found[0]["p_holm"] == pytest.approx(3 * found[0]["p_value"])


def test_an_arm_that_was_cut_short_stays_in_the_declared_family() -> None:
    """Stopping an arm must not make the other comparisons look surer than the locked protocol allows."""
    cut = arm(3, 4, 11, interval_kind="confidence sequence")
    found = compare_arms([arm(0, 37, 100), arm(1, 12, 100), arm(2, 30, 100), cut], FIXED)
    assert found[0]["p_holm"] == pytest.approx(3 * found[0]["p_value"])
    assert found[1]["p_holm"] == pytest.approx(2 * found[1]["p_value"])
    assert (found[2]["p_value"], found[2]["p_holm"]) == (None, None)


def test_beyond_the_reach_of_boschloo_fisher_takes_over() -> None:
    (found,) = compare_arms([arm(0, 480, 1000), arm(1, 430, 1000)], FIXED)
    assert found["test"] == "fisher"
    assert found["p_value"] == pytest.approx(0.027762, rel=1e-4)


@pytest.mark.parametrize("kind", ["confidence sequence", "planned precision"])
def test_arms_of_any_other_stop_get_an_interval_that_holds_at_any_stop_and_no_test(kind: str) -> None:
    rule = replace(FIXED, kind="anytime", max_runs=100)
    (found,) = compare_arms([arm(0, 12, 100, interval_kind=kind), arm(1, 37, 100, interval_kind=kind)], rule)
    assert (found["p_value"], found["p_holm"], found["beside"], found["test"]) == (None, None, None, "")
    assert found["difference"]["low"] == pytest.approx(-0.048, abs=5e-4)
    assert found["difference"]["high"] == pytest.approx(0.509, abs=5e-4)


def test_an_arm_that_did_not_meet_its_rule_takes_the_fixed_n_methods_away() -> None:
    (found,) = compare_arms([arm(0, 5, 100), arm(1, 3, 60, interval_kind="confidence sequence")], FIXED)
    assert found["difference"]["method"] == "two confidence sequences"


def test_a_greedy_arm_is_one_run_and_is_not_compared() -> None:
    assert compare_arms([arm(0, 5, 100), arm(1, 100, 100, deterministic=True)], FIXED) == []
    assert compare_arms([arm(0, 5, 100, deterministic=True), arm(1, 7, 100)], FIXED) == []


def test_without_runs_nothing_is_known() -> None:
    interval = difference_of_sequences(0, 0, 3, 10)
    mirrored = difference_of_sequences(3, 10, 0, 0)
    assert interval.estimate is None
    assert (interval.low, interval.high) == (-mirrored.high, -mirrored.low)
    assert difference_of_sequences(0, 0, 0, 0).low == -1


@pytest.mark.django_db
def test_the_result_of_a_test_compares_its_arms_and_tells_variety_and_drift() -> None:
    endpoint = add_scripted_endpoint()
    warm = make_arm(endpoint)
    hot = replace(
        warm,
        name="hotter",
        purpose=Purpose.TEMPERATURE,
        sampling=replace(warm.sampling, temperature=Decimal("1.2")),
    )
    document = run_to_seal(make_protocol(endpoint, runs=40, arms=(warm, hot))).latest_result().document
    (comparison,) = document["comparisons"]
    assert comparison["difference"]["runs"] == 80
    first = document["arms"][0]
    assert first["diversity"]["groups"] == first["groups_total"] == 2
    assert 1 < first["diversity"]["effective_answers"] <= 2
    assert first["diversity"]["novelty_bound"] == pytest.approx(1 - 0.05 ** (1 / 20))
    assert first["halves"]["first"]["runs"] == first["halves"]["second"]["runs"] == 20
    assert first["halves"]["first"]["errors"] + first["halves"]["second"]["errors"] == first["errors"]
    assert first["halves"]["drifted"] == (first["halves"]["p_value"] < 0.01)
