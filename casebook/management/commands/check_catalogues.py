"""Checks that every visible text has its Russian, for developers (needs requirements-dev.txt)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Fail unless the catalogues hold every text of the sources, translated, and are compiled."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--compile", action="store_true", help="write the .mo files first")

    def handle(self, *args: Any, **options: Any) -> None:
        # polib is a tool of developers: an installation does without it.
        import polib

        from casebook.catalogues import collect_messages, find_problems

        messages = collect_messages(settings.BASE_DIR)
        problems: list[str] = []
        for language in sorted(code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE):
            folder = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES"
            if not (folder / "django.po").exists():
                raise CommandError(f"There is no catalogue {folder}/django.po: run `make messages`.")
            if options["compile"]:
                polib.pofile(str(folder / "django.po")).save_as_mofile(str(folder / "django.mo"))
            problems += [f"{language}: {problem}" for problem in find_problems(messages, folder)]
        if problems:
            raise CommandError("\n".join([*problems, f"{len(problems)} problems in the catalogues"]))
        self.stdout.write(f"{len(messages)} texts, all translated and compiled.")
