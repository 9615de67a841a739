"""Typed readers of environment variables: each fails loudly, with the variable's name."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

FLAGS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
BASE_DIR = Path(__file__).resolve().parent.parent


def load_environment() -> None:
    """Read the file .env beside manage.py, or the one that CASEBOOK_ENV_FILE names, when it is there."""
    load_environment_file(Path(read_text("CASEBOOK_ENV_FILE", str(BASE_DIR / ".env"))))


def load_environment_file(path: Path) -> None:
    """Set the variables that `path` lists as NAME=value lines and the environment does not set already."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        entry = line.strip().removeprefix("export ").lstrip()
        if not entry or entry.startswith("#"):
            continue
        name, mark, value = entry.partition("=")
        if not mark or not name.strip().isidentifier():
            raise ImproperlyConfigured(f"{path}, line {number}: expected NAME=value")
        os.environ.setdefault(name.strip(), _unquote_value(value.strip()))


def _unquote_value(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def read_text(name: str, default: str | None = None) -> str:
    """Return the variable, or `default` when it is unset or empty; without a default it is required."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"The environment variable {name} is required")
    return default


def read_secret(name: str, default: str | None = None) -> str:
    """Like `read_text`, and also from the file that NAME_FILE names (secrets of containers are files)."""
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return read_text(name, default)
    if os.environ.get(name, "").strip():
        raise ImproperlyConfigured(f"Set either {name} or {name}_FILE, not both")
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error}") from error
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is empty")
    return value


def read_flag(name: str, *, default: bool) -> bool:
    """Return a yes/no variable: 1, true, yes, on / 0, false, no, off."""
    value = read_text(name, "1" if default else "0").lower()
    if value not in FLAGS:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}")
    return FLAGS[value]


def read_whole_number(name: str, default: int, *, minimum: int = 0) -> int:
    """Return a whole number that is at least `minimum`."""
    value = read_text(name, str(default))
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}")
    return number


def read_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return one of `choices`."""
    value = read_text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def read_list(name: str, default: list[str] | None = None) -> list[str]:
    """Return a comma-separated variable as a list without empty items; without a default it is required."""
    value = read_text(name, None if default is None else ",".join(default))
    return [item.strip() for item in value.split(",") if item.strip()]


def read_database(name: str, default: str | None = None) -> dict[str, Any]:
    """Return Django's settings for a URL such as sqlite:////data/db.sqlite3 or postgresql://me:pw@host/name.

    Options follow the question mark: postgresql:///casebook?host=/run/postgresql&sslmode=require. The error
    never repeats the URL, which holds a password.
    """
    try:
        url = urlsplit(read_secret(name, default))
        port = url.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a URL") from error
    path, options = unquote(url.path[1:]), dict(parse_qsl(url.query))
    if url.scheme == "sqlite" and path and not url.hostname:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options}
    if url.scheme in ("postgres", "postgresql") and path:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": path,
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": port or "",
            "OPTIONS": options,
        }
    raise ImproperlyConfigured(f"{name} must be sqlite:///path or postgresql://user:password@host:port/name")


def read_or_create_secret(path: Path, *, random_bytes: int = 50) -> str:
    """Return the secret kept in `path`, readable by its owner only; created on first use.

    Several processes may start at once: each writes a private file and links it to `path`, which succeeds for
    exactly one, and then all read what stands there. A reader never meets a half-written file.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(random_bytes))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its secret is the one
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
