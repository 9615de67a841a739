"""The further arms of a draft: what each asks, of which model, when, and what it is for.

An entry of `draft["arms"]` has a stable `key`, its `purpose`, and what it changes: `name`, `endpoint` (None: that of
the primary arm), `system` and `prompt` (None: as recorded), `replace` (pairs of an old and a new name), `detector`,
`runs`, `begins` and `zone`, `origin`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from casebook.neutral_names import ARM_KINDS, TEMPERATURE, say_arm
from casebook.renaming import rename_detector, rename_text
from ensemble.detectors import build_detector
from ensemble.detectors.normalise import group_key
from ensemble.errors import ProtocolError
from ensemble.models import Endpoint
from ensemble.protocol import BY_HAND, Arm, Message, Origin, Purpose, StoppingRule, decimal_text

# Purposes a person adds in the editor, in the order they are offered; other temperatures have a field of their own.
OFFERED = (
    Purpose.ENDPOINT,
    Purpose.ORDINARY_USE,
    Purpose.BEFORE_NOTICE,
    Purpose.AFTER_NOTICE,
    Purpose.DISCLAIMER,
    Purpose.IRRELEVANT_NAME,
    Purpose.CONTROL,
    Purpose.PARAPHRASE,
    Purpose.DAY,
)
# Arms with a number of runs of their own, and the number proposed.
OWN_RUNS = {Purpose.CONTROL: 20, Purpose.PARAPHRASE: 20, Purpose.DAY: 50}
NUMBERED = (Purpose.PARAPHRASE, Purpose.DAY)
MOST_ARMS = 40
LARGEST_OWN_RUNS = 10_000

ArmDraft = Mapping[str, Any]
Draft = Mapping[str, Any]


def build_arms(primary: Arm, draft: Draft, level: Decimal) -> tuple[Arm, ...]:
    """The primary arm and the further ones of the draft. `ProtocolError` says which arm is wrong, and how."""
    arms = [primary, *temperature_arms(primary, draft["temperatures"])]
    for entry, name in zip(entries_of(draft), name_entries(entries_of(draft)), strict=True):
        arm = build_arm(primary, entry, name=name, level=level, detector=draft["detector"])
        require_difference(arm, arms)
        arms.append(arm)
    if len(arms) > MOST_ARMS:
        raise ProtocolError(_("A test has at most %(most)s arms.") % {"most": MOST_ARMS})
    return tuple(arms)


def entries_of(draft: Draft) -> list[ArmDraft]:
    return list(draft.get("arms", []))


def temperature_arms(primary: Arm, temperatures: Sequence[str]) -> Iterator[Arm]:
    for text in dict.fromkeys(temperatures):
        temperature = Decimal(text)
        if temperature != primary.sampling.temperature:
            name = TEMPERATURE % {"value": decimal_text(temperature)}
            sampling = replace(primary.sampling, temperature=temperature)
            yield replace(primary, name=name, purpose=Purpose.TEMPERATURE, sampling=sampling)


def name_entries(entries: Sequence[ArmDraft]) -> list[str]:
    """Neutral names; days count from the primary arm, which is day 1."""
    seen: Counter[str] = Counter({Purpose.DAY: 1})
    names = []
    for entry in entries:
        purpose = Purpose(entry["purpose"])
        seen[purpose] += 1
        number = f" {seen[purpose]}" if purpose in NUMBERED or seen[purpose] > 1 else ""
        own = f": {entry['name']}" if entry.get("name") else ""
        names.append(f"{ARM_KINDS[purpose]}{number}{own}")
    return names


def build_arm(
    primary: Arm, entry: ArmDraft, *, name: str, level: Decimal, detector: Mapping[str, Any]
) -> Arm:
    """The arm that an entry of the draft describes: the primary one with what the entry changes.

    `detector` is that of the test.
    """
    purpose = Purpose(entry["purpose"])
    endpoint = _find_endpoint(entry, name) if entry.get("endpoint") else None
    arm = replace(
        primary,
        name=name,
        purpose=purpose,
        messages=tuple(_messages(primary.messages, purpose, entry)),
        detector=_own_detector(entry, detector),
        stopping=_own_rule(purpose, entry, level),
        begins=_beginning(purpose, entry, name),
        origin=Origin(**entry["origin"]) if entry.get("origin") else None,
    )
    if endpoint:
        arm = replace(arm, endpoint=endpoint.name, backend=endpoint.backend, model=endpoint.model)
    return arm


def _find_endpoint(entry: ArmDraft, name: str) -> Endpoint:
    endpoint = Endpoint.objects.filter(pk=entry["endpoint"], is_enabled=True).first()
    if endpoint is None:
        raise _wrong(name, _("choose an endpoint that is in use."))
    return endpoint


def _wrong(name: str, what: str) -> ProtocolError:
    return ProtocolError(_("Arm “%(name)s”: %(what)s") % {"name": say_arm(name), "what": what})


def _messages(verbatim: Sequence[Message], purpose: Purpose, entry: ArmDraft) -> Iterator[Message]:
    """The disputed conversation with the entry's changes; a control asks its own question, without the conversation."""
    system, prompt = entry.get("system"), entry.get("prompt")
    last = find_last_question(verbatim)
    if system:
        yield Message(role="system", content=system)
    for place, message in enumerate(verbatim):
        is_system = message.role == "system"
        if (is_system and system is not None) or (
            purpose == Purpose.CONTROL and not is_system and place != last
        ):
            continue
        content = prompt if place == last and prompt is not None else message.content
        yield replace(message, content=rename_text(content, entry.get("replace") or ()))


def find_last_question(messages: Sequence[Message]) -> int:
    """The position of the user's last message, which the disputed answer followed."""
    return max(place for place, message in enumerate(messages) if message.role == "user")


def _own_detector(entry: ArmDraft, detector: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The arm's own specification, checked; where a name is replaced, that of the test with the other name."""
    own: Mapping[str, Any] | None = entry.get("detector")
    if entry.get("replace"):
        renamed = rename_detector(detector, entry["replace"])
        own = renamed if renamed != detector else None
    if own is not None:
        build_detector(own)
    return own


def _own_rule(purpose: Purpose, entry: ArmDraft, level: Decimal) -> StoppingRule | None:
    if purpose not in OWN_RUNS:
        return None
    return StoppingRule(kind="fixed", runs=runs_of(entry), level=level)


def runs_of(entry: ArmDraft) -> int:
    """The entry's own number of runs; 0 for one that follows the rule of the test."""
    proposed = OWN_RUNS.get(Purpose(entry["purpose"]), 0)
    return int(entry.get("runs") or proposed) if proposed else 0


def _beginning(purpose: Purpose, entry: ArmDraft, name: str) -> str:
    begins: str = entry.get("begins") or ""
    if purpose == Purpose.DAY and not begins:
        raise _wrong(name, _("say when it begins."))
    if begins and begins != BY_HAND and datetime.fromisoformat(begins).tzinfo is None:
        raise _wrong(name, _("the time it begins has no time zone."))
    return begins


def require_difference(arm: Arm, others: Sequence[Arm]) -> None:
    """An arm that asks the same of the same model is no other condition; only another day makes it one."""
    twin = next((other for other in others if _asks_the_same(arm, other)), None)
    if twin is None or arm.purpose == Purpose.DAY:
        return
    raise _wrong(
        arm.name,
        _("it asks the same of the same model as the arm “%(other)s”. Change its text or its endpoint.")
        % {"other": say_arm(twin.name)},
    )


def _asks_the_same(arm: Arm, other: Arm) -> bool:
    def describe(one: Arm) -> tuple[Any, ...]:
        return one.messages, one.endpoint, one.model, one.sampling

    return other.purpose != Purpose.DAY and describe(arm) == describe(other)


def is_in_the_past(entry: ArmDraft) -> bool:
    """Whether the entry names a time to begin that is over."""
    begins = entry.get("begins") or BY_HAND
    return begins != BY_HAND and datetime.fromisoformat(begins) <= timezone.now()


def check_before_locking(draft: Draft, user: Any) -> None:
    """What holds only for whoever locks, and now: endpoints that `user` may use, days to come. `ProtocolError`."""
    entries = entries_of(draft)
    usable = set(Endpoint.objects.usable_by(user).values_list("pk", flat=True))
    if draft["endpoint"] not in usable:
        raise ProtocolError(_("You may not use the endpoint of this test."), field="endpoint")
    for entry, name in zip(entries, name_entries(entries), strict=True):
        if entry.get("endpoint") and entry["endpoint"] not in usable:
            raise _wrong(name, _("you may not use its endpoint. Choose another, or have it opened to you."))
        if is_in_the_past(entry):
            raise _wrong(name, _("its time has passed. Choose a later one."))


def list_agreeing_controls(draft: Draft) -> list[str]:
    """The names of controls whose true answer is a word that means the error: a model that always says it passes."""
    errors = set(map(group_key, draft["detector"].get("error_phrases", [])))
    entries = entries_of(draft)
    return [
        name
        for entry, name in zip(entries, name_entries(entries), strict=True)
        if entry["purpose"] == Purpose.CONTROL
        and errors & set(map(group_key, entry["detector"].get("correct_phrases", [])))
    ]
