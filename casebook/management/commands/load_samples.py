"""Loads the sample casebook; harmless to repeat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from casebook.law.reading import DataError
from casebook.samples import ensure_embedded_endpoint, load_samples


class Command(BaseCommand):
    help = "Load or update the sample cases in both languages, and add the endpoint of the embedded model."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_samples()
        except DataError as error:
            raise CommandError(str(error)) from error
        is_new = ensure_embedded_endpoint()
        if options["verbosity"]:
            added, changed = f"{loaded.added} added", f"{loaded.changed} changed"
            self.stdout.write(f"Sample cases: {added}, {changed}, {loaded.unchanged} unchanged.")
            self.stdout.write(f"Embedded endpoint: {'added' if is_new else 'there already'}.")
