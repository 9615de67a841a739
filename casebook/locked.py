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
from casebook.reporting.planned_arms import list_own_detector, list_terms
from casebook.reporting.tested_model import write_model_warning, write_tested_model
from casebook.text_changes import MessageChange, compare_messages
from ensemble.models import Experiment
from ensemble.protocol import Message, Protocol


@dataclass(frozen=True, kw_only=True)
class LockedPrompt:
    """Messages that are sent; `sha256` is the hash that the editor shows of the disputed prompt."""

    messages: tuple[Message, ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class LockedArm:
    """`changes` compares its messages with those of arm 1 word by word; empty where they are the same."""

    number: int
    name: str
    sampling: tuple[Row, ...]
    has_own_sampling: bool  # other values than arm 1
    terms: tuple[Row, ...]
    detector: tuple[Row, ...]  # its own; empty where it has that of the test
    changes: tuple[MessageChange, ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class LockedProtocol:
    """Everything that was locked. `prompt` is that of the primary arm; models that several share stand there once.

    `tested` says what the model of the primary arm is to the product; `warning`, mostly empty, that it cannot read
    the prompt.
    """

    models: tuple[str, ...]
    prompt: LockedPrompt
    arms: tuple[LockedArm, ...]
    detector: Row
    labelling: tuple[Row, ...]
    rules: tuple[Row, ...]
    shares_sampling: bool  # some further arm has the sampling values of arm 1
    tested: str
    warning: str


def view_locked(experiment: Experiment, numbers: NumberWriter) -> LockedProtocol:
    document, protocol = experiment.protocol_document, experiment.protocol
    sent = protocol.arms[0].messages
    detector, *labelling = list_detector(document, numbers)
    primary = protocol.arms[0]
    return LockedProtocol(
        models=tuple(dict.fromkeys(write_model(arm) for arm in document["arms"])),
        prompt=LockedPrompt(messages=sent, sha256=prompt_sha256(sent)),
        arms=tuple(_view_arm(arm, document, protocol, numbers) for arm in document["arms"]),
        detector=detector,
        labelling=tuple(labelling),
        rules=_list_rules(document, numbers),
        shares_sampling=[arm.sampling for arm in protocol.arms].count(primary.sampling) > 1,
        tested=write_tested_model(document["arms"][0]),
        warning=write_model_warning(primary.backend, (message.content for message in primary.messages)),
    )


def _view_arm(
    arm: dict[str, Any], document: dict[str, Any], protocol: Protocol, numbers: NumberWriter
) -> LockedArm:
    recorded, sent = protocol.arms[0].messages, protocol.arms[arm["position"]].messages
    return LockedArm(
        number=arm["position"] + 1,
        name=say_arm(arm["name"]),
        sampling=list_sampling(arm["sampling"], numbers),
        has_own_sampling=arm["sampling"] != document["arms"][0]["sampling"],
        terms=list_terms(arm, document, numbers),
        detector=list_own_detector(arm, document, numbers),
        changes=() if sent == recorded else compare_messages(recorded, sent),
        sha256=prompt_sha256(sent),
    )


def _list_rules(document: dict[str, Any], numbers: NumberWriter) -> tuple[Row, ...]:
    attempts = gettext("at most %(count)s") % {"count": numbers.write_count(document["max_attempts"])}
    found = (
        (gettext("Stopping rule"), write_rule(document["stopping"], numbers)),
        (gettext("Limit"), write_limit(document, numbers)),
        (gettext("Attempts per run"), attempts),
        (gettext("Seeds"), gettext("from the protocol hash, one per run")),
        (gettext("Determinism audit"), write_audit_plan(document["audit"], numbers)),
    )
    return tuple(Row(label=label, value=value) for label, value in found)
