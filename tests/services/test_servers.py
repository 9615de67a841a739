"""PostgreSQL and Redis by environment variables alone: the main job, done by the worker that `make run` starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from casebook.serving import read_procfile

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def environment(postgresql_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "CASEBOOK_ENV_FILE": os.devnull, "CASEBOOK_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT),
        "DATABASE_URL": postgresql_url, "CELERY_BROKER_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "casebook.settings",
    }  # fmt: skip


def run_python(environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def start_worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    program, *arguments = read_procfile(ROOT / "casebook" / "Procfile")["worker"]
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [PROGRAMS / program, *arguments], cwd=ROOT, env=environment, stderr=output, stdout=output
        )
        try:
            yield worker
        finally:
            worker.kill()
            worker.wait()


def wait_until_sealed(connection: psycopg.Connection, log: Path) -> None:
    deadline = time.monotonic() + 60
    while connection.execute("SELECT state FROM ensemble_experiment").fetchone() != ("sealed",):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def test_a_locked_test_is_run_and_sealed_on_postgresql_and_redis(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    run_python(environment, "manage.py", "migrate", "--verbosity", "0")
    run_python(environment, "tests/services/lock_a_test.py")
    with (
        redis.Redis.from_url(environment["CELERY_BROKER_URL"]) as broker,
        psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection,
    ):
        assert broker.llen("runs") == 1
        with start_worker(environment, log) as worker:
            wait_until_sealed(connection, log)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=30) == 0, log.read_text()
        counted = (
            "SELECT count(*), count(DISTINCT index), min(index) FROM ensemble_run WHERE zone = 'counted'"
        )
        count, distinct, first = connection.execute(counted).fetchone() or (0, 0, -1)
        assert count == distinct >= 60
        assert first == 0
    assert not list(tmp_path.glob("*.sqlite3*"))
