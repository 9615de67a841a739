"""Another name in place of a name: in the messages of an arm, and in what its detector looks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import re2

Pairs = Sequence[Sequence[str]]

_LISTS = ("error_phrases", "correct_phrases")


def rename_text(text: str, pairs: Pairs) -> str:
    """`text` with every old name replaced by its new one, as whole words and all at once, the longest first."""
    names = {pair[0]: pair[1] for pair in pairs}
    if not names:
        return text
    longest_first = sorted(names, key=len, reverse=True)
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return found.sub(lambda match: names[match[0]], text)


def rename_detector(spec: Mapping[str, Any], pairs: Pairs) -> dict[str, Any]:
    """The specification with its phrases, patterns and unit renamed; equal to `spec` where no name stands in it."""
    renamed = dict(spec)
    if spec.get("match") == "pattern":
        pairs = [_escape_new(pair, old) for pair in pairs for old in _write_in_pattern(pair[0])]
    for key in _LISTS:
        if spec.get(key):
            renamed[key] = [rename_text(phrase, pairs) for phrase in spec[key]]
    if spec.get("unit"):
        renamed["unit"] = rename_text(spec["unit"], pairs)
    return renamed


def _write_in_pattern(name: str) -> set[str]:
    """The ways in which a pattern may hold a name: as it is, or with its signs escaped."""
    escaped = re2.escape(name)
    return {name, escaped, escaped.replace(r"\ ", " ")}


def _escape_new(pair: Sequence[str], old: str) -> tuple[str, str]:
    """The new name in a pattern stands for itself, whatever signs it holds."""
    return old, re2.escape(pair[1])
