"""The columns of recorded runs that the statistics need, and the counts of a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ensemble.models import Experiment, Run
from ensemble.protocol import Label


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """The columns of a run that the result needs; texts are fetched only for the groups shown."""

    pk: int
    index: int
    seed: int
    attempt: int
    remade: bool
    outcome: str
    label: str
    answer_sha256: str
    group_sha256: str
    text_sha256: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    duration_ms: int
    warm: bool | None


FIELDS = tuple(RunFacts.__dataclass_fields__)


def load_facts(experiment: Experiment, position: int, *, zone: str) -> list[RunFacts]:
    """The runs of an arm in a zone, failed calls included, in seed order."""
    rows = Run.objects.filter(experiment=experiment, zone=zone, arm=position).order_by("index", "attempt")
    return [RunFacts(**row) for row in rows.values(*FIELDS)]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The counts of a test: `runs` are labelled *error* or *no error*, a refusal being *no error*."""

    errors: int
    runs: int
    unlabelled: int


def count_labels(runs: Sequence[RunFacts]) -> Counts:
    labels = Counter(run.label for run in runs)
    errors = labels[Label.ERROR]
    return Counts(errors=errors, runs=errors + labels[Label.NO_ERROR], unlabelled=labels[Label.UNCLEAR])
