"""Prepares a local install and serves it: what `make run` does."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from casebook import serving
from casebook.environment import read_whole_number
from casebook.management.commands.create_demo_account import create_demo_account

# Celery warns of root in every worker. Theirs is what Casebook itself queues on this machine.
ROOT_IS_FINE = "ignore:You're running the worker with superuser privileges"
PROCFILE = Path(__file__).resolve().parents[2] / "Procfile"


class Command(BaseCommand):
    help = "Prepare the database, then run the web server and the workers together on 127.0.0.1 (PORT, default 8000)."
    requires_system_checks: list[str] = []  # run after the port was found free

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("This serves a local install. For a server, see docs/administration.md.")
        port = read_whole_number("PORT", 8000, minimum=1)
        try:
            serving.require_free_port(port)
        except serving.ServingError as error:
            raise CommandError(str(error)) from error
        login = self._prepare()
        ended = serving.run_together(
            serving.read_procfile(PROCFILE),
            environment=self._make_environment(port),
            when_ready=lambda: self._announce(port, login),
        )
        if ended:
            raise CommandError(
                f"The process '{ended}' ended unexpectedly, so the others were stopped (see above)."
            )
        self.stdout.write("Casebook has stopped.")

    def _prepare(self) -> str:
        """Make the database, the samples and the account ready; return how to log in."""
        self._tell("Preparing the database and the sample cases …")
        for purpose, module in (("PDF reports", "weasyprint"), ("The embedded model", "xllamacpp")):
            if problem := serving.find_import_problem(module):
                raise CommandError(
                    f"{purpose}: system libraries are missing here ({problem}).\n"
                    f"Install them with one command, then start again:\n{serving.LIBRARIES_REMEDY}"
                )
        self.check()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_samples", verbosity=0)
        login = create_demo_account()
        connections.close_all()  # from here on, the children work with the database
        return login

    def _make_environment(self, port: int) -> dict[str, str]:
        programs = str(Path(sys.executable).parent)
        path = os.pathsep.join((programs, os.environ.get("PATH", "")))
        heeded = os.environ.get("PYTHONWARNINGS", "")
        warnings = ",".join(filter(None, (heeded, ROOT_IS_FINE)))
        return os.environ | {
            "PATH": path,
            "PORT": str(port),
            "WEB_HOST": "127.0.0.1",
            "PYTHONWARNINGS": warnings,
        }

    def _announce(self, port: int, login: str) -> bool:
        if not serving.answers(port, "/healthz"):
            return False
        self._tell(f"\nCasebook is ready:  http://127.0.0.1:{port}   ({login})\nStop it with Ctrl-C.\n")
        return True

    def _tell(self, message: str) -> None:
        self.stdout.write(message)
        self.stdout.flush()
