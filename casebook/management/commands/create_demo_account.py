"""Creates the account that a newcomer to a local install logs in with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from casebook.environment import read_or_create_secret

USERNAME = "demo"


class Command(BaseCommand):
    help = "Create the staff account 'demo' with a random password (local installs only), and print both."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("A production install has no demo account: create yours with createsuperuser.")
        self.stdout.write(create_demo_account())


def create_demo_account() -> str:
    """Return how to log in. A password that its owner has changed stays, and is not known here."""
    password = read_or_create_secret(settings.DATA_DIR / "demo-password", random_bytes=9)
    user, created = get_user_model().objects.get_or_create(username=USERNAME, defaults={"is_staff": True})
    if created:
        user.set_password(password)
        user.save()
    elif not user.check_password(password):
        return f"account {USERNAME}, with the password you gave it"
    return f"account {USERNAME}, password {password}"
