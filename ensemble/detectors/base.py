"""What every detector offers: it maps an answer to a label with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ensemble.protocol import Label


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A label and why it was given, in a few words for a reader of the run."""

    label: Label
    reason: str


class Detector(Protocol):
    """A pure function of the answer. `version` names rule and revision and is recorded with every label.

    `truncated` says that the answer was cut off: what the missing rest could change is *unclear*, never *no error*.
    """

    version: str

    def detect(self, answer: str, *, truncated: bool = False) -> Finding: ...
