"""The arms of a draft as the editor lists them, and the kinds of arm it offers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext

from casebook.arm_purposes import PURPOSES
from casebook.arms import (
    OFFERED,
    ArmDraft,
    build_arm,
    entries_of,
    is_in_the_past,
    name_entries,
    require_difference,
    runs_of,
    temperature_arms,
)
from casebook.experiments import Draft, build_primary
from casebook.models import CaseTest
from casebook.neutral_names import say_arm, say_endpoint
from casebook.report_numbers import NumberWriter
from casebook.reporting.arm_words import write_beginning, write_origin
from ensemble.errors import ProtocolError
from ensemble.protocol import Arm, Purpose, StoppingRule


@dataclass(frozen=True, kw_only=True)
class ArmLine:
    """An arm of a draft. `key` is empty for one that has no page of its own; `problem` hinders locking.

    `use` stands with the first arm of its kind only.
    """

    number: int
    name: str
    use: Any
    key: str = ""
    endpoint: str = ""
    runs: str = ""
    begins: str = ""
    author: str = ""
    problem: str = ""
    text: str = ""  # of a paraphrase


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A kind of arm that can be added."""

    purpose: str
    title: Any
    use: Any
    objection: Any


def list_offers() -> list[Offer]:
    """The kinds of arm, in the order in which the editor offers them."""
    return [
        Offer(purpose=purpose.value, title=words.title, use=words.use, objection=words.objection)
        for purpose in OFFERED
        for words in [PURPOSES[purpose]]
    ]


def list_arms(test: CaseTest, numbers: NumberWriter) -> list[ArmLine]:
    """Every arm of the draft as it was saved, in the order of the protocol; none while there is no primary arm."""
    draft = test.experiment.draft
    try:
        primary = build_primary(test.case, draft)
    except ProtocolError:
        return []
    arms = [primary, *temperature_arms(primary, draft["temperatures"])]
    lines = [_describe(number, arm, numbers) for number, arm in enumerate(arms, 1)]
    entries = entries_of(draft)
    for entry, name in zip(entries, name_entries(entries), strict=True):
        lines.append(_describe_entry(len(lines) + 1, entry, name, arms=arms, draft=draft, numbers=numbers))
    told: set[str] = set()
    return [_tell_use_once(line, told) for line in lines]


def _tell_use_once(line: ArmLine, told: set[str]) -> ArmLine:
    use = str(line.use)
    if use in told:
        return replace(line, use="")
    told.add(use)
    return line


def _describe(number: int, arm: Arm, numbers: NumberWriter, **more: Any) -> ArmLine:
    return ArmLine(
        number=number,
        name=say_arm(arm.name),
        use=PURPOSES[arm.purpose].use,
        endpoint=say_endpoint(arm.endpoint, arm.backend),
        begins=write_beginning(arm.begins, numbers),
        author=write_origin(arm.purpose, arm.origin.document() if arm.origin else None),
        **more,
    )


def _describe_entry(
    number: int, entry: ArmDraft, name: str, *, arms: list[Arm], draft: Draft, numbers: NumberWriter
) -> ArmLine:
    """The line of an entry; what cannot be built tells why."""
    more = {
        "key": entry.get("key", ""),
        "text": entry["prompt"] if entry["purpose"] == Purpose.PARAPHRASE else "",
        "runs": numbers.write_count(runs_of(entry)) if runs_of(entry) else "",
    }
    try:
        arm = build_arm(arms[0], entry, name=name, level=StoppingRule.level, detector=draft["detector"])
        require_difference(arm, arms)
    except ProtocolError as error:
        use = PURPOSES[Purpose(entry["purpose"])].use
        return ArmLine(number=number, name=say_arm(name), use=use, problem=str(error), **more)
    arms.append(arm)
    problem = gettext("Its time has passed: choose a later one.") if is_in_the_past(entry) else ""
    return _describe(number, arm, numbers, problem=problem, **more)
