"""The further arms as they were locked: what each is for, what it sends, how it is labelled, when it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext

from casebook.arm_purposes import PURPOSES
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.arm_words import write_beginning, write_origin
from casebook.reporting.lines import Row, list_sampling
from casebook.reporting.plan import list_detector, write_model, write_rule
from casebook.reporting.quotes import Quote, quote_text
from casebook.reporting.words import ROLES, say
from ensemble.protocol import DETECTED_REFUSALS, Purpose

Document = Mapping[str, Any]

# Prompts of arms are printed whole; only what nobody would read through on paper is cut, with a statement and a hash.
ARM_CHARACTERS = 20_000


@dataclass(frozen=True, kw_only=True)
class PlannedArm:
    """A further arm. `sent` are its messages that differ from arm 1's, `rest` says what the others are."""

    number: str
    name: str
    rows: tuple[Row, ...]
    detector: tuple[Row, ...]  # empty: that of the test
    sent: tuple[Quote, ...]
    rest: str


def list_planned(
    protocol: Document, texts: Mapping[str, str], numbers: NumberWriter
) -> tuple[PlannedArm, ...]:
    """Every arm but the primary one; `texts` maps the hashes in the protocol to the texts kept beside it."""
    primary, *others = protocol["arms"]
    return tuple(_plan_arm(arm, primary, protocol, texts, numbers) for arm in others)


def _plan_arm(
    arm: Document, primary: Document, protocol: Document, texts: Mapping[str, str], numbers: NumberWriter
) -> PlannedArm:
    return PlannedArm(
        number=numbers.write_count(arm["position"] + 1),
        name=say_arm(arm["name"]),
        rows=list_terms(arm, protocol, numbers),
        detector=list_own_detector(arm, protocol, numbers),
        sent=_quote_own(arm, primary, texts, numbers),
        rest=_describe_rest(arm, primary),
    )


def list_terms(arm: Document, protocol: Document, numbers: NumberWriter) -> tuple[Row, ...]:
    """What the arm is for, and every term in which it differs from arm 1 besides its text and its detector."""
    primary = protocol["arms"][0]
    found = [(gettext("What it is for"), str(PURPOSES[Purpose(arm["purpose"])].use))]
    if write_model(arm) != write_model(primary):
        found.append((gettext("Model"), write_model(arm)))
    own, known = list_sampling(arm["sampling"], numbers), list_sampling(primary["sampling"], numbers)
    found += [(row.label, row.value) for row in own if row not in known]
    if arm.get("stopping"):
        found.append((gettext("Stopping rule"), write_rule(arm["stopping"], numbers)))
    if arm.get("begins"):
        found.append((gettext("Begins"), write_beginning(arm["begins"], numbers)))
    found.append((gettext("Text"), write_origin(arm["purpose"], arm.get("origin"))))
    return tuple(Row(label=label, value=value) for label, value in found)


def list_own_detector(arm: Document, protocol: Document, numbers: NumberWriter) -> tuple[Row, ...]:
    """Every value that decides a label of this arm, where they are not those of the test."""
    if not arm.get("detector"):
        return ()
    rows = list_detector({**protocol, "detector": arm["detector"]}, numbers)
    if arm["purpose"] not in DETECTED_REFUSALS:
        return rows
    nothing = gettext("nothing: the detector labels a refusal as it labels any other answer")
    return (*rows[:-1], replace(rows[-1], value=nothing))


def _own_messages(arm: Document, primary: Document) -> list[Document]:
    """The messages of the arm that the primary one does not send in the same role."""
    known = [(message["role"], message["text_sha256"]) for message in primary["messages"]]
    return [message for message in arm["messages"] if (message["role"], message["text_sha256"]) not in known]


def _quote_own(
    arm: Document, primary: Document, texts: Mapping[str, str], numbers: NumberWriter
) -> tuple[Quote, ...]:
    return tuple(
        quote_text(
            texts[message["text_sha256"]], numbers, speaker=say(ROLES, message["role"]), most=ARM_CHARACTERS
        )
        for message in _own_messages(arm, primary)
        if message["text_sha256"] in texts
    )


def _describe_rest(arm: Document, primary: Document) -> str:
    """In words, what the arm sends besides its own messages, and whether it does without the system prompt."""
    own, sent = len(_own_messages(arm, primary)), len(arm["messages"])
    if not own:
        rest = gettext("Its messages are those of arm 1, word for word.")
    elif own < sent:
        rest = gettext("All other messages that it sends are those of arm 1, word for word.")
    else:
        rest = gettext("It sends nothing else.")
    lacks = _has_system(primary) and not _has_system(arm)
    return f"{rest} {gettext('It has no system prompt.')}" if lacks else rest


def _has_system(arm: Document) -> bool:
    return any(message["role"] == "system" for message in arm["messages"])
