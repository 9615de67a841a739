from __future__ import annotations

import ast
import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from casebook import environment

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "CASEBOOK_PRODUCTION": "1",
    "SECRET_KEY": "a-production-key-of-more-than-fifty-characters-0123456789",
    "ALLOWED_HOSTS": "casebook.example.org",
    "DATABASE_URL": "postgresql://casebook:pässword@127.0.0.1:5432/casebook",
    "EMAIL_HOST": "mail.example.org",
}


def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an environment that has nothing of ours but `variables`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments], env=kept | {"CASEBOOK_ENV_FILE": os.devnull} | variables,
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def find_variables_read() -> dict[str, bool]:
    """Return the names that our code reads from the environment, and whether each is a secret."""
    found = {}
    for path in (ROOT / "casebook").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            name = node.args[0]
            if node.func.id.startswith("read_") and isinstance(name, ast.Constant):
                found[name.value] = node.func.id in ("read_secret", "read_database")
    return found


def test_the_example_file_lists_exactly_the_variables_that_are_read() -> None:
    text = (ROOT / ".env.example").read_text()
    listed = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)) - {"CASEBOOK_KEY_EXAMPLE"}
    read = find_variables_read()
    assert listed == set(read)
    assert {f"{name}_FILE" for name, secret in read.items() if secret} == set(
        re.findall(r"\(or (\w+)\)", text)
    )


def test_the_example_file_can_be_read_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    environment.load_environment_file(ROOT / ".env.example")
    assert dict(os.environ) == before


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEBOOK_TRY_A", "outside")
    monkeypatch.setenv("CASEBOOK_TRY_B", "removed at the end")
    monkeypatch.delenv("CASEBOOK_TRY_B")
    file = tmp_path / "env"
    file.write_text('# comment\n\nCASEBOOK_TRY_A=inside\nexport CASEBOOK_TRY_B = "two words # and = signs"\n')
    environment.load_environment_file(file)
    assert environment.read_text("CASEBOOK_TRY_A") == "outside"
    assert environment.read_text("CASEBOOK_TRY_B") == "two words # and = signs"
    monkeypatch.setenv("CASEBOOK_TRY_B", "")  # so that the undoing removes it


def test_a_line_that_is_no_assignment_is_named(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("\nDEBUG\n")
    with pytest.raises(ImproperlyConfigured, match="env, line 2"):
        environment.load_environment_file(file)


@pytest.mark.parametrize(
    ("text", "flag"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False), ("", True)]
)
def test_a_flag_is_read_in_the_usual_spellings(
    text: str, flag: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEBOOK_TRY", text)
    assert environment.read_flag("CASEBOOK_TRY", default=True) is flag


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda: environment.read_flag("CASEBOOK_TRY", default=True), "maybe"),
        (lambda: environment.read_whole_number("CASEBOOK_TRY", 1), "1.5"),
        (lambda: environment.read_whole_number("CASEBOOK_TRY", 1, minimum=1), "0"),
        (lambda: environment.read_choice("CASEBOOK_TRY", "a", ("a", "b")), "c"),
        (lambda: environment.read_text("CASEBOOK_TRY"), " "),
        (lambda: environment.read_list("CASEBOOK_TRY"), ""),
    ],
)
def test_a_bad_value_fails_with_the_name_of_the_variable(
    read: object, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEBOOK_TRY", text)
    assert callable(read)
    with pytest.raises(ImproperlyConfigured, match="CASEBOOK_TRY"):
        read()


def test_a_list_loses_its_blanks_and_empty_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEBOOK_TRY", " a.example , ,b.example,")
    assert environment.read_list("CASEBOOK_TRY") == ["a.example", "b.example"]


def test_a_secret_comes_from_the_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("CASEBOOK_TRY_FILE", str(tmp_path / "key"))
    assert environment.read_secret("CASEBOOK_TRY") == "from a file"


@pytest.mark.parametrize("content", [None, "\n"], ids=["missing", "empty"])
def test_a_secret_file_without_a_secret_fails(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    monkeypatch.setenv("CASEBOOK_TRY_FILE", str(tmp_path / "key"))
    with pytest.raises(ImproperlyConfigured, match="CASEBOOK_TRY_FILE"):
        environment.read_secret("CASEBOOK_TRY", "default")


def test_a_secret_given_twice_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEBOOK_TRY", "one")
    monkeypatch.setenv("CASEBOOK_TRY_FILE", str(tmp_path / "key"))
    with pytest.raises(ImproperlyConfigured, match="not both"):
        environment.read_secret("CASEBOOK_TRY")


def test_a_database_url_names_host_password_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEBOOK_TRY", "postgresql://me:p%40ss@db.example:6543/cases?sslmode=require")
    assert environment.read_database("CASEBOOK_TRY") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "cases", "USER": "me", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": 6543,
        "OPTIONS": {"sslmode": "require"},
    }  # fmt: skip


def test_a_database_url_with_four_slashes_is_an_absolute_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEBOOK_TRY", "sqlite:////data/a%20b.sqlite3")
    assert environment.read_database("CASEBOOK_TRY")["NAME"] == "/data/a b.sqlite3"


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/d", "postgresql://u:secret@h", "sqlite://", "postgresql://u:secret@h:x/d"]
)
def test_an_unusable_database_url_fails_without_showing_the_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEBOOK_TRY", url)
    with pytest.raises(ImproperlyConfigured, match="CASEBOOK_TRY") as caught:
        environment.read_database("CASEBOOK_TRY")
    assert "secret" not in str(caught.value)


def test_a_secret_is_made_once_however_many_start_together(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret-key"
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: environment.read_or_create_secret(path), range(64)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret-key"]


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"])
def test_production_does_not_start_without(missing: str, tmp_path: Path) -> None:
    variables = {name: value for name, value in PRODUCTION.items() if name != missing}
    done = run_python("-c", "import casebook.settings", CASEBOOK_DATA_DIR=str(tmp_path), **variables)
    assert done.returncode != 0
    assert done.stderr.rstrip().endswith(f"The environment variable {missing} is required")


def test_a_complete_production_install_passes_every_check(tmp_path: Path, settings: Settings) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    # Without the compression of production, which takes long and fails never.
    manifest = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": manifest}
    call_command("collectstatic", interactive=False, verbosity=0)
    variables = PRODUCTION | {
        "CASEBOOK_DATA_DIR": str(tmp_path),
        "CASEBOOK_STATIC_DIR": str(tmp_path / "static"),
    }
    checked = run_python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **variables)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout == "System check identified no issues (0 silenced).\n"


def test_an_incomplete_production_install_is_told_what_is_missing(tmp_path: Path) -> None:
    variables = PRODUCTION | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "EMAIL_HOST": ""}
    variables |= {"CASEBOOK_DATA_DIR": str(tmp_path), "CASEBOOK_STATIC_DIR": str(tmp_path / "none")}
    done = run_python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **variables)
    assert done.returncode != 0
    assert {"casebook.W003", "casebook.W004", "casebook.E002"} <= set(
        re.findall(r"casebook\.[EW]\d+", done.stderr)
    )


def test_a_local_install_makes_its_own_key_and_serves_this_machine_only(tmp_path: Path) -> None:
    code = "from casebook.settings import *; print(ALLOWED_HOSTS, DEBUG, OPEN_SIGNUP, len(SECRET_KEY) > 50)"
    done = run_python("-c", code, CASEBOOK_DATA_DIR=str(tmp_path / "own"))
    assert done.stdout == "['127.0.0.1', 'localhost', '[::1]'] False True True\n", done.stderr
    assert (tmp_path / "own" / "secret-key").exists()
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700


def test_every_answer_forbids_inline_code_and_foreign_content(client: Client) -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in client.get("/nowhere")["Content-Security-Policy"].split(";")
    )
    assert (
        policy["default-src"]
        == policy["object-src"]
        == policy["base-uri"]
        == policy["frame-ancestors"]
        == "'none'"
    )
    assert {
        policy[name] for name in ("script-src", "style-src", "font-src", "connect-src", "form-action")
    } == {"'self'"}
    assert policy["img-src"] == "'self' data:"


def test_plain_http_is_redirected_except_for_the_health_check(settings: Settings, db: None) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/account/login/").status_code == 301
    assert Client().get("/healthz").status_code == 200


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
@pytest.mark.django_db
def test_sqlite_waits_for_its_turn_and_survives_a_power_cut() -> None:
    with connection.cursor() as cursor:
        values = {}
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            cursor.execute(f"PRAGMA {name}")
            values[name] = cursor.fetchone()[0]
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
