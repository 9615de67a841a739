"""Strict reading of a detector's specification: what is not understood is refused, never ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ensemble.errors import ProtocolError
from ensemble.protocol import JsonValue


def check_keys(
    spec: Mapping[str, JsonValue], *, kind: str, known: Sequence[str], needed: Sequence[str]
) -> None:
    """Refuses a spec of another kind, with a key that means nothing, or without one that is needed."""
    if spec.get("kind") != kind:
        raise ProtocolError(f"This is not a detector of the kind “{kind}”.", field="kind")
    unknown = sorted(str(key) for key in spec if key != "kind" and key not in known)
    if unknown:
        raise ProtocolError(f"A {kind} detector has no setting “{unknown[0]}”.", field=unknown[0])
    for key in needed:
        if key not in spec:
            raise ProtocolError(f"The setting “{key}” of the {kind} detector is missing.", field=key)


def read_choice(spec: Mapping[str, JsonValue], key: str, choices: Sequence[str]) -> str:
    value = spec.get(key, choices[0])
    if not isinstance(value, str) or value not in choices:
        allowed = ", ".join(f"“{choice}”" for choice in choices)
        raise ProtocolError(f"“{key}” must be one of {allowed}.", field=key)
    return value


def read_flag(spec: Mapping[str, JsonValue], key: str) -> bool:
    """A setting that is on unless switched off."""
    value = spec.get(key, True)
    if not isinstance(value, bool):
        raise ProtocolError(f"“{key}” must be true or false.", field=key)
    return value


def read_text(spec: Mapping[str, JsonValue], key: str, *, longest: int) -> str:
    """A text that may be empty and is so by default."""
    return check_text(spec.get(key, ""), key, longest=longest)


def read_texts(spec: Mapping[str, JsonValue], key: str, *, longest: int, most: int) -> tuple[str, ...]:
    """A list of texts, none of them blank; empty by default."""
    values = spec.get(key, [])
    if not isinstance(values, list | tuple):
        raise ProtocolError(f"“{key}” must be a list of texts.", field=key)
    if len(values) > most:
        raise ProtocolError(f"“{key}” holds {len(values)} entries; at most {most} are allowed.", field=key)
    texts = tuple(check_text(value, key, longest=longest) for value in values)
    if any(not text.strip() for text in texts):
        raise ProtocolError(f"“{key}” holds an empty entry.", field=key)
    return texts


def check_text(value: JsonValue, key: str, *, longest: int) -> str:
    if not isinstance(value, str):
        raise ProtocolError(f"“{key}” must hold text.", field=key)
    if len(value) > longest:
        raise ProtocolError(
            f"“{key}” holds {len(value)} characters; at most {longest} are allowed.", field=key
        )
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ProtocolError(f"“{key}” holds a lone surrogate, which is not a character.", field=key)
    return value
