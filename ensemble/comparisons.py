"""Arms of a test against its primary arm: the family that the locked protocol declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ensemble.protocol import COMPARED, StoppingRule
from ensemble.stats.boschloo_exact import MAX_RUNS as BOSCHLOO_MAX_RUNS
from ensemble.stats.boschloo_exact import boschloo
from ensemble.stats.comparison import fisher, holm, miettinen_nurminen, newcombe
from ensemble.stats.interval import Interval
from ensemble.stats.sequential import confidence_sequence

Document = dict[str, Any]


def compare_arms(arms: Sequence[Mapping[str, Any]], rule: StoppingRule) -> list[Document]:
    """The difference of every arm of the family to the primary one, in the order of the arms, as in the result.

    Arms that met a fixed number of runs: Newcombe's interval with Miettinen and Nurminen's and an exact test beside
    it; p-values are adjusted by Holm over the whole family, an untested comparison counting like one with p = 1: who
    stops an arm makes no other look surer. Any other arms: an interval from their two
    confidence sequences, which holds whenever they stopped, and no test. A greedy arm is one run and is not compared.
    """
    primary = next((arm for arm in arms if arm["purpose"] == "primary"), None)
    others = [arm for arm in arms if arm["purpose"] in COMPARED]
    if primary is None or primary["deterministic"]:
        return []
    found = [_compare(arm, primary, rule) for arm in others if not arm["deterministic"]]
    p_values = [comparison["p_value"] for comparison in found]
    adjusted = holm([1.0 if p_value is None else p_value for p_value in p_values])
    return [
        {**comparison, "p_holm": None if comparison["p_value"] is None else p_holm, "family": len(found)}
        for comparison, p_holm in zip(found, adjusted, strict=True)
    ]


def _compare(arm: Mapping[str, Any], primary: Mapping[str, Any], rule: StoppingRule) -> Document:
    counts = (arm["errors"], arm["runs"], primary["errors"], primary["runs"])
    level = float(rule.level)
    fixed = rule.kind == "fixed" and all(
        each["interval_kind"] == "clopper-pearson" for each in (arm, primary)
    )
    base = {"arm": arm["position"], "against": primary["position"]}
    if not fixed:
        interval = difference_of_sequences(*counts, level)
        return {**base, "difference": interval.document(), "beside": None, "p_value": None, "test": ""}
    exact, test = (
        (boschloo, "boschloo") if max(counts[1], counts[3]) <= BOSCHLOO_MAX_RUNS else (fisher, "fisher")
    )
    return {
        **base,
        "difference": newcombe(*counts, level).document(),
        "beside": miettinen_nurminen(*counts, level).document(),
        "p_value": exact(*counts),
        "test": test,
    }


def difference_of_sequences(
    errors_a: int, runs_a: int, errors_b: int, runs_b: int, level: float = 0.95
) -> Interval:
    """The difference of two error rates, a − b, from a confidence sequence of each at half the error (Bonferroni).

    It holds at any stopping of either arm, and is wide for that. Statistics as `confidence_sequence`.
    """
    each = (1 + level) / 2
    a = confidence_sequence(errors_a, runs_a, each)
    b = confidence_sequence(errors_b, runs_b, each)
    estimate = None if a.estimate is None or b.estimate is None else a.estimate - b.estimate
    return Interval(
        estimate=estimate,
        low=max(-1.0, a.low - b.high),
        high=min(1.0, a.high - b.low),
        level=level,
        method="two confidence sequences",
        errors=errors_a + errors_b,
        runs=runs_a + runs_b,
        notes=(),
    )
