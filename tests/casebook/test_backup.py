"""The backup that docs/administration.md tells to make is one that can be restored."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")


@pytest.mark.django_db(transaction=True)
def test_a_copy_made_while_casebook_works_is_complete(tmp_path: Path) -> None:
    User.objects.create_user("before")
    source, copy = str(connection.settings_dict["NAME"]), tmp_path / "backup.sqlite3"
    with sqlite3.connect(source, isolation_level=None) as other:  # as the command of the documentation does
        other.execute("VACUUM INTO ?", (str(copy),))
    other.close()
    User.objects.create_user("after")
    restored = sqlite3.connect(copy)
    assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert restored.execute("SELECT username FROM auth_user").fetchall() == [("before",)]
    assert restored.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0
    restored.close()
