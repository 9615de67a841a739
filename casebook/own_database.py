"""Starts a management command again in a process whose data folder is new, so that no existing data is touched."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

FLAG = "--own-database"


def add_flag(parser: CommandParser) -> None:
    """The option by which a command knows that this process has a new database already."""
    parser.add_argument(FLAG, action="store_true", help="this process has a new database already")


def run_with_own_database(command: str, *arguments: str) -> None:
    """Run `manage.py command arguments` with a new, temporary database. Raises CommandError when it fails."""
    with tempfile.TemporaryDirectory(prefix=f"casebook-{command}-") as folder:
        # What .env says is in our environment already; reading it again would bring its database back.
        own = {"CASEBOOK_ENV_FILE": os.devnull, "CASEBOOK_DATA_DIR": folder}
        own["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL_FILE"} | own
        manage = str(settings.BASE_DIR / "manage.py")
        again = [sys.executable, manage, command, *arguments, FLAG]
        finished = subprocess.run(again, env=environment, check=False)  # noqa: S603
    if finished.returncode:
        raise CommandError(f"“{command}” failed; the message above says why")
