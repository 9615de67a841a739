"""System checks: what is wrong with this installation, each with an id and the remedy.

`manage.py check` asks the quick questions (also before every migration); `check --deploy` asks all.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from casebook.serving import LIBRARIES_REMEDY, find_import_problem


@register(Tags.files)
def check_data_dir(**_: Any) -> list[CheckMessage]:
    """The database, the queue and the uploads are written there."""
    try:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR):
            return []
    except OSError as error:
        return [
            Error(
                f"The data folder {settings.DATA_DIR} cannot be written: {error.strerror}.",
                hint="Make it writable for this user, or name another one in CASEBOOK_DATA_DIR.",
                id="casebook.E001",
            )
        ]


@register(Tags.security)
def check_secret_key_file(**_: Any) -> list[CheckMessage]:
    """Whoever reads the generated secret key can sign in as anybody."""
    path = Path(settings.DATA_DIR) / "secret-key"
    if os.name != "posix" or not path.exists() or not path.stat().st_mode & 0o077:
        return []
    return [
        Warning(
            f"Other users of this machine can read {path}.",
            hint=f"chmod 600 {path}",
            id="casebook.W001",
        )
    ]


@register(Tags.compatibility, deploy=True)
def check_pdf_libraries(**_: Any) -> list[CheckMessage]:
    """Reports are typeset by WeasyPrint, which needs libraries of the system."""
    problem = find_import_problem("weasyprint")
    if not problem:
        return []
    return [
        Warning(
            f"PDF reports cannot be rendered here: {problem}",
            hint=f"Install the system libraries:\n{LIBRARIES_REMEDY}",
            id="casebook.W002",
        )
    ]


@register(Tags.database, deploy=True)
def check_production_database(**_: Any) -> list[CheckMessage]:
    """SQLite lets one process write at a time, and cannot be shared by several machines."""
    if not settings.PRODUCTION or not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    return [
        Warning(
            "A production install on SQLite serves a handful of people on one machine.",
            hint="Name a PostgreSQL database in DATABASE_URL; keep SQLite only if that is enough.",
            id="casebook.W003",
        )
    ]


@register(deploy=True)
def check_mail(**_: Any) -> list[CheckMessage]:
    """Without mail nobody can reset a password, and people must ask an administrator."""
    if not settings.PRODUCTION or settings.EMAIL_HOST:
        return []
    return [
        Warning(
            "No mail server is named, so password-reset messages are not sent.",
            hint="Set EMAIL_HOST (and EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD).",
            id="casebook.W004",
        )
    ]


@register(Tags.staticfiles, deploy=True)
def check_static_manifest(**_: Any) -> list[CheckMessage]:
    """In production the names of static files carry a hash, which the manifest knows: without it no page opens."""
    if not settings.PRODUCTION or (Path(settings.STATIC_ROOT or "") / "staticfiles.json").exists():
        return []
    return [
        Error(
            f"The static files have not been collected into {settings.STATIC_ROOT}.",
            hint="Run: python manage.py collectstatic --noinput",
            id="casebook.E002",
        )
    ]
