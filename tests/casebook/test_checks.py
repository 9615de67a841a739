from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from casebook import checks


def ids(messages: list[CheckMessage]) -> list[str | None]:
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_a_data_folder_that_cannot_be_written_is_an_error(settings: Settings) -> None:
    assert checks.check_data_dir() == []
    settings.DATA_DIR = settings.DATA_DIR / "missing"
    assert ids(checks.check_data_dir()) == ["casebook.E001"]


def test_a_secret_key_that_others_can_read_is_noticed(settings: Settings) -> None:
    file = Path(settings.DATA_DIR) / "secret-key"
    file.write_text("key")
    file.chmod(0o600)
    assert checks.check_secret_key_file() == []
    file.chmod(0o644)
    assert ids(checks.check_secret_key_file()) == ["casebook.W001"]


def test_missing_pdf_libraries_are_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert checks.check_pdf_libraries() == []
    # What a machine without Pango does: importing WeasyPrint fails when it looks for the library.
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (message,) = checks.check_pdf_libraries()
    assert ids([message]) == ["casebook.W002"]
    assert "libpango-1.0-0" in message.msg
    assert all(command in str(message.hint) for command in ("apt-get install", "dnf install", "brew install"))


@pytest.mark.parametrize("production", [True, False])
@pytest.mark.parametrize(
    ("check", "change", "warning"),
    [
        (checks.check_mail, {"EMAIL_HOST": ""}, "casebook.W004"),
        (checks.check_static_manifest, {"STATIC_ROOT": "/nowhere"}, "casebook.E002"),
    ],
)
def test_only_production_needs(
    check: Any, change: dict[str, str], warning: str, production: bool, settings: Settings
) -> None:
    settings.PRODUCTION = production
    for name, value in change.items():
        setattr(settings, name, value)
    assert ids(check()) == ([warning] if production else [])
