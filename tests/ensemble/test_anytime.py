"""The anytime mode: a confidence sequence at every look, and a decision against a threshold by e-values."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from ensemble.protocol import StoppingRule
from ensemble.stats.sequential import (
    clean_runs_to_sequence_bound,
    confidence_sequence,
    e_value_above,
    e_value_below,
)
from ensemble.stopping import decide, headline_interval, rule_is_met
from tests.ensemble.experiments import add_scripted_endpoint, make_protocol, run_to_seal


def anytime(**changes: Any) -> StoppingRule:
    return StoppingRule(kind="anytime", **{"max_runs": 500, **changes})


def first_stop(rule: StoppingRule, labels: list[bool]) -> int:
    return next(n for n in range(1, len(labels) + 1) if rule_is_met(rule, sum(labels[:n]), n))


def test_the_rule_comes_back_from_its_document() -> None:
    for rule in (anytime(), anytime(threshold=Decimal("0.05")), anytime(half_width=Decimal("0.1"))):
        assert StoppingRule.from_document(rule.document()) == rule


@pytest.mark.parametrize(("threshold", "clean_runs"), [("0.05", 74), ("0.1", 36), ("0.2", 17), ("0.5", 10)])
def test_clean_runs_decide_for_less_as_soon_as_published(threshold: str, clean_runs: int) -> None:
    rule = anytime(threshold=Decimal(threshold))
    assert (
        first_stop(rule, [False] * 500) == clean_runs
    )  # at 0.5 six would do, but none decides before the tenth
    assert decide(rule, 0, clean_runs).finding == "less"


def test_errors_alone_decide_for_more_at_the_tenth_run() -> None:
    rule = anytime(threshold=Decimal("0.05"))
    assert decide(rule, 9, 9).finding == "undecided"
    assert first_stop(rule, [True] * 20) == 10
    assert decide(rule, 10, 10).finding == "more"


def test_a_decision_carries_both_e_values_and_what_was_needed() -> None:
    decision = decide(anytime(threshold=Decimal("0.2")), 30, 100)
    assert math.exp(decision.log_e_above) == pytest.approx(e_value_above(30, 100, 0.2))
    assert math.exp(decision.log_e_below) == pytest.approx(e_value_below(30, 100, 0.2))
    assert math.exp(decision.log_e_needed) == pytest.approx(20)
    assert decision.finding == "undecided"


def test_without_threshold_or_width_only_the_maximum_stops() -> None:
    assert first_stop(anytime(max_runs=30), [False] * 30) == 30


def test_a_wished_width_stops_as_soon_as_the_sequence_has_it() -> None:
    rule = anytime(half_width=Decimal("0.05"))
    runs = first_stop(rule, [False] * 100)
    widths = [confidence_sequence(0, n).high / 2 for n in (runs - 1, runs)]
    assert widths[0] > 0.05 >= widths[1]
    assert runs == 53  # statistics literature: KT sequence, p = 0


@pytest.mark.parametrize("bound", [0.5, 0.1, 0.01])
def test_clean_runs_bring_the_sequence_down_to_a_bound_and_one_less_does_not(bound: float) -> None:
    runs = clean_runs_to_sequence_bound(bound)
    assert confidence_sequence(0, runs).high <= bound < confidence_sequence(0, runs - 1).high


def test_deciding_wrongly_is_rare_however_often_one_looks() -> None:
    """At a share just at the threshold, 400 tests looked at after every run: at most 5 % on either side, and noise."""
    rule = anytime(threshold=Decimal("0.3"), max_runs=300)
    random = np.random.default_rng(20261123)
    errors = np.cumsum(random.random((400, 300)) < 0.3, axis=1)
    findings = [
        next(
            (f for n in range(10, 301) if (f := decide(rule, int(row[n - 1]), n).finding) != "undecided"),
            "undecided",
        )
        for row in errors
    ]
    for wrong in ("more", "less"):
        assert findings.count(wrong) <= 400 * 0.05 + 3 * math.sqrt(400 * 0.05 * 0.95)


@pytest.mark.django_db
def test_a_test_against_a_threshold_ends_with_its_decision() -> None:
    rule = anytime(threshold=Decimal("0.1"))
    endpoint = add_scripted_endpoint(
        distribution=[{"text": "wrong", "share": "0.6"}, {"text": "right", "share": "0.4"}]
    )
    experiment = run_to_seal(make_protocol(endpoint, stopping=rule))
    labels = list(experiment.runs.counted().order_by("index").values_list("label", flat=True))
    arm = experiment.latest_result().document["arms"][0]
    assert arm["n_stop"] == first_stop(rule, [label == "error" for label in labels])
    assert arm["decision"]["finding"] == "more"
    assert arm["interval_kind"] == "confidence sequence"
    assert arm["interval"]["low"] == headline_interval(rule, arm["errors"], arm["runs"]).low


@pytest.mark.django_db
def test_a_test_that_reaches_its_maximum_is_undecided() -> None:
    rule = anytime(threshold=Decimal("0.3"), max_runs=20)
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), stopping=rule))
    arm = experiment.latest_result().document["arms"][0]
    assert (arm["runs"], arm["stop"]["kind"], arm["decision"]["finding"]) == (20, "rule", "undecided")
