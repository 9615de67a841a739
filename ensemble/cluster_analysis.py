"""Paraphrases and days of a test as clusters: how far the share of errors depends on the wording or on the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ensemble.models import Experiment
from ensemble.protocol import Label, Outcome, Purpose
from ensemble.run_facts import count_labels, load_facts
from ensemble.stats.beta_binomial import predictive_range
from ensemble.stats.clusters import accordance, cluster_interval, concordance, intraclass_correlation
from ensemble.stats.interval import Interval
from ensemble.stats.proportion import clopper_pearson
from ensemble.stats.sequential import confidence_sequence

Document = dict[str, Any]

LEAST_CLUSTERS = 5  # fewer are shown one by one: what a pooled interval rests on is how clusters differ


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The counts of an arm; `is_complete` when it has the number of runs that was fixed beforehand."""

    arm: int
    errors: int
    runs: int
    is_complete: bool


def analyse_clusters(experiment: Experiment, arms: Sequence[Mapping[str, Any]]) -> Document:
    """The paraphrases among `arms`, and the primary arm with its repeats on other days; None where there are none.

    The disputed prompt is no paraphrase of itself: it was chosen because it had failed. Day 1 is the primary arm,
    with as many of its first labelled runs as the other days have. A greedy arm is one run and no cluster.
    Models are never pooled.
    """
    level = float(experiment.protocol.stopping.level)
    paraphrases = [_cluster_of(arm) for arm in _usable(arms, Purpose.PARAPHRASE)]
    days = [_cluster_of(arm) for arm in _usable(arms, Purpose.DAY)]
    if days:
        size = max(day.runs for day in days)
        days = [_first_day(experiment, arm, size) for arm in _usable(arms, Purpose.PRIMARY)] + days
    return {"paraphrases": describe_clusters(paraphrases, level), "days": describe_clusters(days, level)}


def _usable(arms: Sequence[Mapping[str, Any]], purpose: Purpose) -> list[Mapping[str, Any]]:
    return [arm for arm in arms if arm["purpose"] == purpose and arm["runs"] and not arm["deterministic"]]


def _cluster_of(arm: Mapping[str, Any]) -> Cluster:
    met = arm["interval_kind"] == "clopper-pearson"
    return Cluster(arm=arm["position"], errors=arm["errors"], runs=arm["runs"], is_complete=met)


def _first_day(experiment: Experiment, arm: Mapping[str, Any], size: int) -> Cluster:
    """The primary arm's first `size` labelled runs, so that no rule of its own decides how many there are."""
    facts = load_facts(experiment, arm["position"], zone="counted")
    finished = [run for run in facts if run.outcome != Outcome.FAILED and run.index < arm["n_stop"]]
    labelled = [run for run in finished if run.label in (Label.ERROR, Label.NO_ERROR)][:size]
    counts = count_labels(labelled)
    complete = counts.runs == size and arm["stop"]["kind"] in ("rule", "limit")
    return Cluster(arm=arm["position"], errors=counts.errors, runs=counts.runs, is_complete=complete)


def describe_clusters(clusters: Sequence[Cluster], level: float = 0.95) -> Document | None:
    """What the counts of the clusters say together; None without clusters.

    `interval` estimates the mean share of errors over clusters of this kind, `new_cluster` where the share of
    another one lies; both need five clusters, each with the number of runs fixed beforehand. `accordance` and
    `concordance` are the probabilities that two runs of one cluster, or of two clusters, agree; `intraclass` is how
    alike runs of one cluster are. Each cluster has its own interval: exact where its runs are complete, else the
    confidence sequence.
    """
    if not clusters:
        return None
    errors, sizes = [cluster.errors for cluster in clusters], [cluster.runs for cluster in clusters]
    rates = [error / size for error, size in zip(errors, sizes, strict=True)]
    complete = all(cluster.is_complete for cluster in clusters)
    pooled = complete and len(clusters) >= LEAST_CLUSTERS
    return {
        "clusters": [
            {**asdict(cluster), "interval": _document(_limits(cluster, level))} for cluster in clusters
        ],
        "complete": complete,
        "needed": LEAST_CLUSTERS,
        "lowest": min(rates),
        "highest": max(rates),
        "interval": _document(cluster_interval(errors, sizes, level)) if pooled else None,
        "new_cluster": _document(predictive_range(errors, sizes, level)) if pooled else None,
        "intraclass": intraclass_correlation(errors, sizes),
        "accordance": accordance(errors, sizes),
        "concordance": concordance(errors, sizes),
    }


def _limits(cluster: Cluster, level: float) -> Interval:
    interval = clopper_pearson if cluster.is_complete else confidence_sequence
    return interval(cluster.errors, cluster.runs, level)


def _document(interval: Interval) -> Document:
    return {**asdict(interval), "notes": list(interval.notes)}
