"""Arms of a running test whose time has not come: which they are, and what they wait for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from ensemble.models import Experiment
from ensemble.protocol import Purpose


@dataclass(frozen=True, kw_only=True)
class WaitingArm:
    """`begins` is empty for an arm that a person has to start."""

    position: int
    number: str
    name: str
    begins: datetime | None
    runs: str


def list_waiting(experiment: Experiment, numbers: NumberWriter) -> list[WaitingArm]:
    """The waiting arms in the order of the protocol; none in a draft or a test that is over."""
    if experiment.is_draft or experiment.is_over:
        return []
    return list(_find_waiting(experiment, numbers))


def _find_waiting(experiment: Experiment, numbers: NumberWriter) -> Iterator[WaitingArm]:
    for arm in experiment.arms.all():
        if arm.is_waiting:
            yield WaitingArm(
                position=arm.position,
                number=numbers.write_count(arm.position + 1),
                name=say_arm(arm.name),
                begins=arm.opens_at,
                runs=numbers.write_count(experiment.protocol.rule_of(arm.position).runs),
            )


def find_waiting_arm(experiment: Experiment, position: int, numbers: NumberWriter) -> WaitingArm | None:
    return next((arm for arm in list_waiting(experiment, numbers) if arm.position == position), None)


def ran_today(experiment: Experiment) -> bool:
    """Whether runs of the disputed prompt were already made on this calendar day (UTC), by whatever arm."""
    same = (Purpose.PRIMARY, Purpose.DAY)
    positions = [place for place, arm in enumerate(experiment.protocol.arms) if arm.purpose in same]
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return experiment.runs.counted().filter(arm__in=positions, recorded_at__gte=today).exists()


def is_idle(experiment: Experiment) -> bool:
    """Whether a running test has nothing to do before one of its waiting arms begins."""
    from ensemble.claims import work_is_leased
    from ensemble.sweeping import is_only_waiting  # with it come the statistics

    return is_only_waiting(experiment) and not work_is_leased(experiment)
