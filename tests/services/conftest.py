"""Private servers for tests: a PostgreSQL and a Redis that nobody else reaches, gone when the tests are done."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

POSTGRESQL_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


def find_program(name: str, folders: tuple[str, ...] = ()) -> str:
    """Return the program's path. Without it the test is skipped on a laptop, and fails where it must run."""
    candidates = [
        Path(folder) / name for pattern in folders for folder in sorted(glob.glob(pattern), reverse=True)
    ]
    found = shutil.which(name) or next((str(path) for path in candidates if path.exists()), None)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} must be installed here")
    pytest.skip(f"{name} is not installed")


def run_as_postgres(*command: str) -> None:
    """Run a command of PostgreSQL, which refuses to work as root."""
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryFile("w+") as output:  # not a pipe: the server inherits it and keeps it open
        done = subprocess.run(
            command, user=user, cwd="/", stdout=output, stderr=output, check=False, timeout=120
        )
        output.seek(0)
        assert done.returncode == 0, output.read()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A DATABASE_URL of an empty database; the server listens on a socket in a folder of its own only."""
    initdb, pg_ctl = (find_program(name, POSTGRESQL_FOLDERS) for name in ("initdb", "pg_ctl"))
    with tempfile.TemporaryDirectory(prefix="casebook-pg-") as folder:  # short: a socket's path has a limit
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        run_as_postgres(initdb, "--pgdata", data, "--username", "casebook", "--auth", "trust", "--encoding", "UTF8",
                        "--locale", "C", "--no-sync")  # fmt: skip
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run_as_postgres(
            pg_ctl, "--pgdata", data, "--wait", "--log", f"{folder}/log", "--options", options, "start"
        )
        try:
            yield f"postgresql://casebook@/postgres?host={quote(folder)}"
        finally:
            run_as_postgres(pg_ctl, "--pgdata", data, "--wait", "--mode", "immediate", "stop")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A CELERY_BROKER_URL of an empty Redis on a free port of this machine."""
    program = find_program("redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            program,
            "--bind",
            "127.0.0.1",
            "--port",
            str(port),
            "--save",
            "",
            "--dir",
            tmp_path_factory.mktemp("redis"),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            wait_for_redis(client)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_redis(client: redis.Redis) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.05)
        else:
            return
