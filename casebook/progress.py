"""How far a running test is: runs made, runs still to be made, the time these take, and what it waits for."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from casebook.report_numbers import NumberWriter
from casebook.sentences import write_sentence
from casebook.waiting import is_idle
from ensemble.models import ArmProgress, Chunk, Experiment, Run, Zone
from ensemble.protocol import StoppingRule

# The pace is that of the last runs, but of a minute at least: bursts and a slow call or two do not shake it.
PACE_RUNS = 100
PACE_WINDOW = timedelta(minutes=1)
FEWEST_FOR_PACE = 5
# With the key of the test, which Django compares with that of the manager: left out, each run would be read again.
PACE_FIELDS = ("experiment_id", "recorded_at", "duration_ms")
# From this share of answers without a label on, and after this many runs, the page tells where the test ends at last.
MANY_UNLABELLED = 0.2
FEWEST_FOR_WARNING = 10


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`target` is the number of labelled runs the rule asks for, or at most asks for when `is_upper_bound`.

    `left` is the expected number of runs still to be made, those of the determinism audit among them.
    """

    labelled: int
    target: int
    is_upper_bound: bool
    made: int
    is_auditing: bool
    audit_done: int
    audit_total: int
    left: int
    seconds_left: float | None
    warning: str  # that the end comes even without enough labels; empty while few are missing

    @property
    def bar(self) -> str:
        """The share that is done, as the value of a progress element: a decimal point in every language."""
        done = self.made + self.audit_done
        return f"{done / (done + self.left) if done else 0.0:.4f}"

    @property
    def minutes_left(self) -> int:
        """Whole minutes, rounded up; 0 when less than one is left."""
        seconds = self.seconds_left or 0.0
        return 0 if seconds < 60 else math.ceil(seconds / 60)


@dataclass(frozen=True, kw_only=True)
class ArmForecast:
    """What an arm has made and is expected to make."""

    made: int
    left: int
    audit_done: int
    audit_total: int
    audit_left: int


def measure_progress(experiment: Experiment, numbers: NumberWriter) -> Progress:
    """Of the arms whose time has come; those of another day are listed by `casebook.waiting`."""
    protocol = experiment.protocol
    arms = [arm for arm in experiment.arms.all() if not arm.is_waiting]
    rules = {arm.position: protocol.rule_of(arm.position) for arm in arms}
    finished = _count_finished(experiment)
    forecasts = [_forecast_arm(experiment, arm, *finished.get(arm.position, (0, 0))) for arm in arms]
    left = sum(forecast.left + forecast.audit_left for forecast in forecasts)
    pace = measure_pace(experiment)
    return Progress(
        labelled=sum(arm.runs for arm in arms),
        target=sum(_target_runs(rules[arm.position], arm) for arm in arms),
        is_upper_bound=any(_may_stop_sooner(rules[arm.position]) for arm in arms if not arm.is_stopped),
        made=sum(forecast.made for forecast in forecasts),
        is_auditing=any(arm.is_stopped for arm in arms),
        audit_done=sum(forecast.audit_done for forecast in forecasts),
        audit_total=sum(forecast.audit_total for forecast in forecasts),
        left=left,
        seconds_left=left / pace if pace else None,
        warning=_warn_of_missing_labels(experiment, arms, numbers),
    )


def _count_finished(experiment: Experiment) -> dict[int, tuple[int, int]]:
    """Finished runs by arm: counted ones and those of the audit."""
    rows = experiment.runs.finished().order_by().values_list("arm")
    counts = rows.annotate(
        counted=Count("pk", filter=Q(zone=Zone.COUNTED)), audited=Count("pk", filter=Q(zone=Zone.AUDIT))
    )
    return {arm: (counted, audited) for arm, counted, audited in counts}


def _target_runs(rule: StoppingRule, arm: ArmProgress) -> int:
    """Runs of the arm when it is done: known once it has stopped; a plan's maximum is only an upper bound."""
    if arm.is_stopped:
        return arm.runs
    return rule.runs if rule.kind == "fixed" else rule.max_runs


def _may_stop_sooner(rule: StoppingRule) -> bool:
    """Whether an arm may end before the largest number of runs: by its precision or by a decision."""
    return rule.kind == "precision" or bool(rule.threshold or rule.half_width)


def _forecast_arm(experiment: Experiment, arm: ArmProgress, made: int, audit_done: int) -> ArmForecast:
    from ensemble.claims import audit_size, audited_indexes

    if arm.is_stopped:
        left, audit_total = 0, len(audited_indexes(experiment, arm))
    else:
        end = expect_end(experiment.protocol.rule_of(arm.position), arm)
        left, audit_total = max(0, end - made), audit_size(experiment.protocol, end)
    audit_left = 0 if arm.audit_note else max(0, audit_total - audit_done)
    return ArmForecast(
        made=made, left=left, audit_done=audit_done, audit_total=audit_total, audit_left=audit_left
    )


def expect_end(rule: StoppingRule, arm: ArmProgress) -> int:
    """After how many runs, labelled or not, the arm will stop if errors and labels go on coming as they did."""
    missing = _expect_labelled(rule, arm) - arm.runs
    labelled_share = (arm.runs + 1) / (arm.prefix + 1)
    return min(rule.max_indexes, arm.prefix + math.ceil(missing / labelled_share))


def _expect_labelled(rule: StoppingRule, arm: ArmProgress) -> int:
    if rule.kind == "fixed":
        return rule.runs
    from ensemble.stopping import rule_is_met

    rate = (arm.errors + 1) / (
        arm.runs + 2
    )  # at first a half, where the rule takes longest: the estimate falls
    first = math.ceil(max(arm.runs + 1, rule.min_runs) / rule.check_every) * rule.check_every
    looks = range(first, rule.max_runs + 1, rule.check_every)
    found = bisect_left(looks, True, key=lambda runs: rule_is_met(rule, round(rate * runs), runs))
    return looks[found] if found < len(looks) else rule.max_runs


def measure_pace(experiment: Experiment) -> float:
    """Finished runs per second lately, since the test started or was resumed; 0 while too few tell."""
    runs = experiment.runs.finished().exclude(zone=Zone.EXPLORATORY)
    since, now = _went_on_at(experiment), timezone.now()
    if since is not None:
        runs = runs.filter(recorded_at__gte=since)
    latest: list[Run] = list(runs.order_by("-pk").only(*PACE_FIELDS)[:PACE_RUNS])
    window = runs.filter(recorded_at__gte=now - PACE_WINDOW).order_by("pk")
    if (within := window.count()) > len(latest):
        oldest, count = window.only(*PACE_FIELDS)[0], within
    elif len(latest) >= FEWEST_FOR_PACE:
        oldest, count = latest[-1], len(latest)
    else:
        return 0.0
    began = oldest.recorded_at - timedelta(milliseconds=oldest.duration_ms)
    return count / max((now - began).total_seconds(), 0.001)


def _went_on_at(experiment: Experiment) -> datetime | None:
    """When work last began: at the start, when the test was resumed, or when an arm of another day opened."""
    resumed = experiment.ledger.filter(kind="resumed").order_by("-seq").first()
    began = [datetime.fromisoformat(json.loads(resumed.line)["at"])] if resumed else []
    waited = [arm for arm in experiment.arms.all() if experiment.protocol.arms[arm.position].begins]
    began += [arm.opens_at for arm in waited if arm.opens_at and not arm.is_waiting]
    return max([*began, *([experiment.started_at] if experiment.started_at else [])], default=None)


def _warn_of_missing_labels(experiment: Experiment, arms: list[ArmProgress], numbers: NumberWriter) -> str:
    running = [arm for arm in arms if not arm.is_stopped and arm.prefix >= FEWEST_FOR_WARNING]
    worst = max(running, key=lambda arm: arm.unlabelled / arm.prefix, default=None)
    if worst is None or worst.unlabelled < MANY_UNLABELLED * worst.prefix:
        return ""
    rule = experiment.protocol.rule_of(worst.position)
    facts = {
        "arm": worst.position + 1,
        "unlabelled": worst.unlabelled,
        "runs": worst.prefix,
        "limit": rule.max_indexes,
        "planned": rule.max_indexes // 2,
    }
    sentence_id = "running.unlabelled_arms" if len(experiment.protocol.arms) > 1 else "running.unlabelled"
    written = {name: numbers.write_count(count) for name, count in facts.items()}
    return write_sentence(sentence_id, worst.unlabelled, **written)


def find_rival(experiment: Experiment) -> Experiment | None:
    """The test that works on an endpoint which this one waits for; None if this one is worked on, or no other is."""
    from ensemble.claims import work_is_leased

    waiting = experiment.state in (Experiment.State.LOCKED, Experiment.State.RUNNING)
    if not waiting or work_is_leased(experiment) or is_idle(experiment):
        return None
    wanted = {arm["endpoint"] for arm in experiment.protocol_document["arms"]}
    leased = Chunk.objects.filter(finished=False, leased_until__gt=timezone.now())
    for chunk in leased.exclude(experiment=experiment).select_related("experiment"):
        if chunk.experiment.protocol_document["arms"][chunk.arm]["endpoint"] in wanted:
            return chunk.experiment
    return None
