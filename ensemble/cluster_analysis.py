"""Paraphrases and days of a test as clusters: how far the share of errors depends on the wording or on the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ensemble.backends.base import Identity
from ensemble.models import Experiment
from ensemble.protocol import Label, Purpose
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
    began_at: str = ""  # UTC, when its model was looked at before the first run


def analyse_clusters(experiment: Experiment, arms: Sequence[Mapping[str, Any]]) -> Document:
    """The paraphrases among `arms`, and the primary arm with its repeats on other days; None where there are none.

    The disputed prompt is no paraphrase of itself: it was chosen because it had failed. Day 1 is the primary arm,
    with as many of its first labelled runs as are planned for the other days. A greedy arm is one run and no cluster.
    Models are never pooled: neither arms on other endpoints than the primary one, nor a model that was changed.
    """
    level = float(experiment.protocol.stopping.level)
    paraphrases = _find_arms(arms, Purpose.PARAPHRASE)
    days = _find_arms(arms, Purpose.DAY)
    if days:
        days = _find_arms(arms, Purpose.PRIMARY) + days
    return {
        "paraphrases": _describe_arms(experiment, paraphrases, level),
        "days": _describe_arms(experiment, days, level),
    }


def _find_arms(arms: Sequence[Mapping[str, Any]], purpose: Purpose) -> list[Mapping[str, Any]]:
    """The arms that the protocol has for this purpose on the model of the primary one, whatever came of them."""
    primary = next((_model_of(arm) for arm in arms if arm["purpose"] == Purpose.PRIMARY), None)
    known = [arm for arm in arms if primary is None or _model_of(arm) == primary]
    return [arm for arm in known if arm["purpose"] == purpose and not arm["deterministic"]]


def _model_of(arm: Mapping[str, Any]) -> tuple[str, str, str]:
    return arm["endpoint"], arm["backend"], arm["model"]


def _describe_arms(
    experiment: Experiment, arms: Sequence[Mapping[str, Any]], level: float
) -> Document | None:
    size = max(
        (arm["stopping"].get("runs", arm["runs"]) for arm in arms if arm["purpose"] == Purpose.DAY), default=0
    )
    clusters = [
        _first_day(experiment, arm, size) if arm["purpose"] == Purpose.PRIMARY else _cluster_of(arm)
        for arm in arms
        if arm["runs"]
    ]
    found = describe_clusters(clusters, level, planned=len(arms), same_model=_is_same_model(arms))
    return found if found is None or not size else _keep_days_apart(found)


def _keep_days_apart(found: Document) -> Document:
    """Runs made on one calendar day (UTC) say nothing about days, whatever their arms are called."""
    dates = [cluster["began_at"][:10] for cluster in found["clusters"]]
    if len(set(dates)) == len(dates):
        return {**found, "different_days": True}
    return {**found, "different_days": False, "interval": None, "new_cluster": None}


def _is_same_model(arms: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the model that answered first in each arm was the same one; a change within an arm ends that arm."""
    found = [Identity(**arm["identity"]["first"]) for arm in arms if arm["identity"]["first"]]
    return all(identity.same_model(found[0]) for identity in found)


def _cluster_of(arm: Mapping[str, Any]) -> Cluster:
    met = arm["interval_kind"] == "clopper-pearson"
    return Cluster(
        arm=arm["position"],
        errors=arm["errors"],
        runs=arm["runs"],
        is_complete=met,
        began_at=arm["identity"]["first_at"] or "",
    )


def _first_day(experiment: Experiment, arm: Mapping[str, Any], size: int) -> Cluster:
    """The primary arm's first `size` labelled runs, so that no rule of its own decides how many there are."""
    facts = load_facts(experiment, arm["position"], zone="counted")
    counted = [run for run in facts if run.index < arm["n_stop"]]
    labelled = [run for run in counted if run.label in (Label.ERROR, Label.NO_ERROR)][:size]
    counts = count_labels(labelled)
    complete = counts.runs == size and arm["stop"]["kind"] in ("rule", "limit")
    return Cluster(
        arm=arm["position"],
        errors=counts.errors,
        runs=counts.runs,
        is_complete=complete,
        began_at=arm["identity"]["first_at"] or "",
    )


def describe_clusters(
    clusters: Sequence[Cluster],
    level: float = 0.95,
    *,
    planned: int | None = None,
    same_model: bool = True,
) -> Document | None:
    """What the counts of the clusters say together; None without clusters.

    `interval` estimates the mean share of errors over clusters of this kind, `new_cluster` where the share of
    another one lies; both need one model and five clusters, each with the number of runs fixed beforehand, and none
    missing of those `planned`: whoever gives up an arm may have seen the others. `accordance` and
    `concordance` are the probabilities that two runs of one cluster, or of two clusters, agree; `intraclass` is how
    alike runs of one cluster are. Each cluster has its own interval: exact where its runs are complete, else the
    confidence sequence.
    """
    if not clusters:
        return None
    errors, sizes = [cluster.errors for cluster in clusters], [cluster.runs for cluster in clusters]
    rates = [error / size for error, size in zip(errors, sizes, strict=True)]
    complete = len(clusters) == (planned or len(clusters)) and all(each.is_complete for each in clusters)
    pooled = complete and same_model and len(clusters) >= LEAST_CLUSTERS
    return {
        "clusters": [
            {**asdict(cluster), "interval": _limits(cluster, level).document()} for cluster in clusters
        ],
        "complete": complete,
        "same_model": same_model,
        "needed": LEAST_CLUSTERS,
        "lowest": min(rates),
        "highest": max(rates),
        "interval": cluster_interval(errors, sizes, level).document() if pooled else None,
        "new_cluster": predictive_range(errors, sizes, level).document() if pooled else None,
        "intraclass": intraclass_correlation(errors, sizes),
        "accordance": accordance(errors, sizes),
        "concordance": concordance(errors, sizes),
    }


def _limits(cluster: Cluster, level: float) -> Interval:
    interval = clopper_pearson if cluster.is_complete else confidence_sequence
    return interval(cluster.errors, cluster.runs, level)
