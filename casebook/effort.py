"""What a stopping rule is expected to take: runs at several true rates, and time as far as it was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import Any

from django.db.models import Avg, Q
from django.utils.translation import gettext, ngettext

from casebook.arms import entries_of, runs_of
from casebook.experiments import Draft, offered_plan
from casebook.models import Case, CaseTest
from casebook.tryouts import find_tried_batches, read_batch
from ensemble.models import Endpoint, Experiment, ExploratoryBatch, Run, Zone
from ensemble.protocol import Protocol

EXPECTED_AT = (0.0, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0)
LATEST_TESTS = (
    20  # how many locked tests are searched for the endpoint; older ones say little of its speed today
)
LATEST_BATCHES = 5


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What a run takes: seconds of wall clock, calls being made at once, and tokens, None where nobody counted them.

    `own_tries` is how many exploratory runs of the draft tell it, 0 when other tests do; `of_case` tells that these
    are tests of the same case.
    """

    run_seconds: float
    own_tries: int
    of_case: bool = False
    prompt_tokens: float | None = None
    answer_tokens: float | None = None


@dataclass(frozen=True, kw_only=True)
class Effort:
    """`expected` holds (true rate, mean number of runs), nothing where it is not known beforehand.

    `most` is the largest number of labelled runs of an arm, `own` those of arms with a number of their own.
    """

    expected: tuple[tuple[float, float], ...]
    most: int
    arms: int
    pace: Pace | None
    own: tuple[int, ...] = ()

    @property
    def time(self) -> str:
        """The time of the largest number of runs and of the audit, all arms together; "" when nothing is known."""
        if self.pace is None:
            return ""
        calls = count_calls(self.most) * self.arms + sum(map(count_calls, self.own))
        return write_duration(calls * self.pace.run_seconds)

    @property
    def own_total(self) -> int:
        return sum(self.own)


def count_calls(runs: float) -> float:
    """The calls of an arm with so many labelled runs: these and their determinism audit."""
    audited = math.ceil(runs * float(Protocol.audit_share))
    return runs + min(runs, max(Protocol.audit_minimum, audited))


def write_duration(seconds: float) -> str:
    """A length of time in words, rounded up: people plan by it."""
    minutes, hours = math.ceil(seconds / 60), math.ceil(seconds / 3600)
    if minutes <= 1:
        return gettext("a minute or less")
    if minutes <= 90:
        return ngettext("about %(count)s minute", "about %(count)s minutes", minutes) % {"count": minutes}
    if hours <= 48:
        return ngettext("about %(count)s hour", "about %(count)s hours", hours) % {"count": hours}
    days = math.ceil(hours / 24)
    return ngettext("about %(count)s day", "about %(count)s days", days) % {"count": days}


def estimate_effort(test: CaseTest) -> Effort:
    """The expected number of runs of the test's draft, and their time."""
    draft = test.experiment.draft
    most, expected = _expect_runs(draft["stopping"])
    runs = [runs_of(entry) for entry in entries_of(draft)]
    return Effort(
        expected=expected,
        most=most,
        arms=1 + len(draft["temperatures"]) + runs.count(0),
        pace=measure_pace(test, draft),
        own=tuple(count for count in runs if count),
    )


def _expect_runs(stopping: Mapping[str, Any]) -> tuple[int, tuple[tuple[float, float], ...]]:
    """The largest number of labelled runs of an arm, and the mean numbers at several true rates."""
    if stopping["kind"] == "precision":
        plan = offered_plan(stopping["half_width"], stopping["level"])
        return plan.max_runs, tuple((p, plan.expected_runs(p)) for p in EXPECTED_AT)
    most = int(stopping["runs"] if stopping["kind"] == "fixed" else stopping["max_runs"])
    if stopping["kind"] == "anytime" and (stopping.get("threshold") or stopping.get("half_width")):
        return most, ()
    return most, tuple((p, float(most)) for p in EXPECTED_AT)


def measure_pace(test: CaseTest, draft: Draft) -> Pace | None:
    """From the exploratory runs of this draft; else as `measure_endpoint`; None when nothing was run."""
    endpoint = Endpoint.objects.filter(pk=draft["endpoint"]).first() if draft["endpoint"] else None
    if endpoint is None:
        return None
    for batch in find_tried_batches(test):
        runs = [run for run in read_batch(batch) if run.outcome != "failed"]
        if runs:
            return _measure_batch(batch, runs, endpoint, own_tries=len(runs))
    return measure_endpoint(endpoint, test.case)


def measure_endpoint(endpoint: Endpoint, case: Case) -> Pace | None:
    """From the latest locked test of the case on this endpoint with this model, else from its exploratory runs.

    Else from tests of other cases in the same way, else None.
    """
    ways = product((True, False), (_measure_locked, _measure_tries))
    found = (measure(endpoint, case, of_case=of_case) for of_case, measure in ways)
    return next(chain.from_iterable(found), None)


def _measure_batch(
    batch: ExploratoryBatch, runs: Sequence[Run], endpoint: Endpoint, *, own_tries: int = 0
) -> Pace:
    seconds = sum(run.seconds for run in runs) / len(runs)
    return Pace(
        run_seconds=seconds / min(batch.count, endpoint.concurrency),
        own_tries=own_tries,
        prompt_tokens=_average(run.prompt_tokens for run in runs),
        answer_tokens=_average(run.completion_tokens for run in runs),
    )


def _average(counts: Iterable[int | None]) -> float | None:
    known = [count for count in counts if count is not None]
    return sum(known) / len(known) if known else None


def _measure_locked(endpoint: Endpoint, case: Case, *, of_case: bool) -> Iterator[Pace]:
    """Newest first: what locked tests took on this endpoint with this model, over all their arms there.

    Of the tests of the case, or of those of others, whose prompts and answers are others.
    """
    mine = Q(case_test__case=case)
    locked = Experiment.objects.filter(mine if of_case else ~mine).exclude(locked_at=None)
    for experiment in locked.order_by("-locked_at")[:LATEST_TESTS]:
        arms = [
            position
            for position, arm in enumerate(experiment.protocol_document["arms"])
            if (arm["endpoint"], arm["model"]) == (endpoint.name, endpoint.model)
        ]
        runs = Run.objects.filter(experiment=experiment, zone=Zone.COUNTED, arm__in=arms).finished()
        means = runs.aggregate(*map(Avg, ("duration_ms", "prompt_tokens", "completion_tokens")))
        if means["duration_ms__avg"] is not None:
            yield Pace(
                run_seconds=means["duration_ms__avg"] / 1000 / endpoint.concurrency,
                own_tries=0,
                of_case=of_case,
                prompt_tokens=means["prompt_tokens__avg"],
                answer_tokens=means["completion_tokens__avg"],
            )


def _measure_tries(endpoint: Endpoint, case: Case, *, of_case: bool) -> Iterator[Pace]:
    """Newest first: exploratory runs on this endpoint with this model, of the tests of the case or of other tests."""
    mine = Q(experiment__case_test__case=case)
    batches = ExploratoryBatch.objects.filter(mine if of_case else ~mine).filter(
        plan__protocol__arms__0__endpoint=endpoint.name, plan__protocol__arms__0__model=endpoint.model
    )
    for batch in batches.order_by("-pk")[:LATEST_BATCHES]:
        tried = [run for run in read_batch(batch) if run.outcome != "failed"]
        if tried:
            yield replace(_measure_batch(batch, tried, endpoint), of_case=of_case)
