"""The list of all runs of a test: the counted ones first, what does not count clearly apart."""

from __future__ import annotations

from django.db.models import Case, IntegerField, OuterRef, QuerySet, Subquery, Value, When

from ensemble.models import ArmProgress, Experiment, Run, Zone

READING_ORDER = (Zone.COUNTED, Zone.AUDIT, Zone.EXPLORATORY)


def list_runs(experiment: Experiment, label: str = "") -> QuerySet[Run]:
    """Every call, by zone, arm, seed order and attempt, without the raw answers; only those with `label` if given.

    Each has `stopped_at`, the number of its arm's runs that count: a run of the counted zone from there on does not.
    """
    place = Case(
        *(When(zone=zone, then=Value(place)) for place, zone in enumerate(READING_ORDER)),
        output_field=IntegerField(),
    )
    arm = ArmProgress.objects.filter(experiment=experiment, position=OuterRef("arm"))
    runs = experiment.runs.defer("raw").annotate(stopped_at=Subquery(arm.values("stopped_at")))
    chosen = runs.filter(label=label) if label else runs
    return chosen.order_by(place, "arm", "index", "attempt")
