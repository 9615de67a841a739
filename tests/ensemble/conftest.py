from __future__ import annotations

from collections.abc import Sequence

import pytest

from ensemble import states
from ensemble.protocol import SaltedText


@pytest.fixture(autouse=True)
def _same_salts_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocol hashes, and with them seeds and scripted answers, are the same in every run of the suite."""

    def salt_texts(texts: Sequence[str]) -> list[SaltedText]:
        return [SaltedText(text=text, salt=bytes(16)) for text in texts]

    monkeypatch.setattr(states, "salt_texts", salt_texts)
