"""The exploratory runs of a draft: their labels, and what they say for or against locking it as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from casebook.experiments import build_protocol
from casebook.models import CaseTest
from casebook.report_numbers import NumberWriter
from casebook.reporting.reasons import write_reason
from ensemble.detectors import Detector, build_detector
from ensemble.detectors.base import Finding
from ensemble.errors import ProtocolError
from ensemble.exploring import describe_plan
from ensemble.models import ExploratoryBatch, Run, Slot
from ensemble.protocol import Label, Outcome


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What the latest exploratory runs made with the draft as it is say before it is locked.

    `failed`, `cut_off` and `unclear` part the runs without a label by reason; `all_cut_off` tells that every answer
    was, labelled or not. `is_outdated`: there are runs, but what was sent has changed since, and nothing is counted.
    """

    tries: int = 0
    failed: int = 0
    cut_off: int = 0
    unclear: int = 0
    all_cut_off: bool = False
    error: str = ""  # of the last call that failed
    is_outdated: bool = False

    @property
    def unlabelled(self) -> int:
        return self.failed + self.cut_off + self.unclear

    @property
    def is_warning(self) -> bool:
        """Whether most runs would not count: a test like that ends at its limit, without its planned result."""
        return 2 * self.unlabelled > self.tries


def label_runs(runs: Sequence[Run], detector: Detector) -> list[tuple[Run, Finding | None]]:
    """Each run with what `detector` says of its answer; None for calls that failed and for refusals."""
    found = []
    for run in runs:
        answered = run.outcome in (Outcome.ANSWERED, Outcome.TRUNCATED)
        truncated = run.outcome == Outcome.TRUNCATED
        found.append((run, detector.detect(run.text, truncated=truncated) if answered else None))
    return found


def read_batch(batch: ExploratoryBatch) -> list[Run]:
    """The recorded calls of the batch, failed ones included."""
    last = batch.start + batch.count - 1
    runs = Run.objects.exploratory().filter(experiment=batch.experiment_id, index__range=(batch.start, last))
    return list(runs.defer("raw"))


def is_waiting(batch: ExploratoryBatch) -> bool:
    """Whether the batch has still to wait: for a worker to take it up, or for a free call of its endpoint."""
    if batch.state == ExploratoryBatch.State.QUEUED:
        return True
    calls = Slot.objects.filter(owner=batch.owner, leased_until__gt=timezone.now())
    return batch.state == ExploratoryBatch.State.RUNNING and not calls.exists()


def find_tried_batches(test: CaseTest) -> list[ExploratoryBatch]:
    """The batches that were sent what the draft would send now, the newest first."""
    try:
        # Exploratory runs are of the primary arm: what is wrong with others does not matter here.
        protocol = build_protocol(test.case, {**test.experiment.draft, "arms": []})
    except ProtocolError:
        return []
    sent = _describe_sent(describe_plan(protocol))
    batches = test.experiment.batches.order_by("-pk")
    return [batch for batch in batches if _describe_sent(batch.plan) == sent]


def _describe_sent(plan: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What decides an exploratory run but its label, which the detector as it is now gives: arm and refusals."""
    protocol = plan["protocol"]
    return {**protocol["arms"][0], "name": ""}, protocol["refusal_phrases"]


def advise(test: CaseTest, numbers: NumberWriter) -> Advice | None:
    """None while nothing was tried, or while runs are being made."""
    latest = test.experiment.batches.order_by("-pk").first()
    if latest is None or latest.is_open:
        return None
    tried = find_tried_batches(test)
    return _weigh(tried[0], test, numbers) if tried else Advice(is_outdated=True)


def _weigh(batch: ExploratoryBatch, test: CaseTest, numbers: NumberWriter) -> Advice:
    runs = read_batch(batch)
    answers = [run for run in runs if run.outcome != Outcome.FAILED]
    labelled = label_runs(answers, build_detector(test.experiment.draft["detector"]))
    unclear = [run.outcome for run, finding in labelled if finding and finding.label == Label.UNCLEAR]
    errors = [run.label_reason for run in runs if run.outcome == Outcome.FAILED]
    failed = batch.count - len(answers)
    return Advice(
        tries=batch.count,
        failed=failed,
        cut_off=unclear.count(Outcome.TRUNCATED),
        unclear=unclear.count(Outcome.ANSWERED),
        all_cut_off=bool(answers) and all(run.outcome == Outcome.TRUNCATED for run in answers),
        error=write_reason(batch.message or "".join(errors[-1:]), numbers) if failed else "",
    )
