"""The locked protocol of a test, in the words of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from casebook.experiments import prompt_sha256
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.lines import Row, list_sampling
from casebook.reporting.plan import list_detector, write_audit_plan, write_limit, write_model, write_rule
from ensemble.models import Experiment
from ensemble.protocol import Message


@dataclass(frozen=True, kw_only=True)
class LockedPrompt:
    """Messages that are sent; `sha256` is the hash that the editor shows of the disputed prompt."""

    messages: tuple[Message, ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class LockedArm:
    number: int
    name: str
    sampling: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class LockedProtocol:
    """Everything that was locked. Models and prompts that several arms share stand there once."""

    models: tuple[str, ...]
    prompts: tuple[LockedPrompt, ...]
    arms: tuple[LockedArm, ...]
    detector: Row
    labelling: tuple[Row, ...]
    rules: tuple[Row, ...]


def view_locked(experiment: Experiment, numbers: NumberWriter) -> LockedProtocol:
    document, protocol = experiment.protocol_document, experiment.protocol
    prompts = dict.fromkeys(arm.messages for arm in protocol.arms)
    detector, *labelling = list_detector(document, numbers)
    return LockedProtocol(
        models=tuple(dict.fromkeys(write_model(arm) for arm in document["arms"])),
        prompts=tuple(LockedPrompt(messages=sent, sha256=prompt_sha256(sent)) for sent in prompts),
        arms=tuple(
            LockedArm(
                number=arm["position"] + 1,
                name=say_arm(arm["name"]),
                sampling=list_sampling(arm["sampling"], numbers),
            )
            for arm in document["arms"]
        ),
        detector=detector,
        labelling=tuple(labelling),
        rules=_list_rules(document, numbers),
    )


def _list_rules(document: dict[str, Any], numbers: NumberWriter) -> tuple[Row, ...]:
    attempts = gettext("at most %(count)s") % {"count": numbers.write_count(document["max_attempts"])}
    found = (
        (gettext("Stopping rule"), write_rule(document["stopping"], numbers)),
        (gettext("Limit"), write_limit(document["stopping"], numbers)),
        (gettext("Attempts per run"), attempts),
        (gettext("Seeds"), gettext("from the protocol hash, one per run")),
        (gettext("Determinism audit"), write_audit_plan(document["audit"], numbers)),
    )
    return tuple(Row(label=label, value=value) for label, value in found)
