"""The processes of a local install, started and stopped for real."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebook import serving

ROOT = Path(__file__).resolve().parents[2]
# Two children, one of which would rather not stop: it ignores the polite signal.
SUPERVISOR = r"""
import os, sys
from casebook import serving
serving.GRACE_SECONDS = 1
ended = serving.run_together(
    {
        "web": [sys.executable, "-c", "import os, time; os.write(1, b'web\\n'); time.sleep(60)"],
        "worker": [sys.executable, "-c", sys.argv[1]],
    },
    environment=os.environ,
    when_ready=lambda: os.write(1, b"ready\n") > 0,
)
print("ended", ended or "as asked", flush=True)
"""
STUBBORN = r"""
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b'worker\n')
time.sleep(60)
"""
POLITE = STUBBORN.replace("signal.SIG_IGN", "signal.SIG_DFL")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def supervisors() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that a test starts; none survives the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def start_supervisor(supervisors: list[subprocess.Popen[str]], worker: str) -> subprocess.Popen[str]:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, worker],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    supervisors.append(supervisor)
    assert supervisor.stdout
    assert {supervisor.stdout.readline().strip() for _ in range(3)} == {"ready", "web", "worker"}
    return supervisor


def read_rest(supervisor: subprocess.Popen[str]) -> str:
    """Return what is printed until every process that shares the pipe has ended."""
    output, _ = supervisor.communicate(timeout=20)
    return output


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
@pytest.mark.parametrize("worker", [POLITE, STUBBORN], ids=["polite", "stubborn"])
def test_a_stop_signal_leaves_no_process_behind(
    number: signal.Signals, worker: str, supervisors: list[subprocess.Popen[str]]
) -> None:
    supervisor = start_supervisor(supervisors, worker)
    supervisor.send_signal(number)
    assert read_rest(supervisor) == "ended as asked\n"
    assert supervisor.returncode == 0


def test_an_impatient_second_signal_changes_nothing(supervisors: list[subprocess.Popen[str]]) -> None:
    supervisor = start_supervisor(supervisors, STUBBORN)
    supervisor.send_signal(signal.SIGINT)
    time.sleep(0.3)
    supervisor.send_signal(signal.SIGINT)
    assert read_rest(supervisor) == "ended as asked\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent has died")
def test_children_follow_a_parent_that_was_killed_outright(supervisors: list[subprocess.Popen[str]]) -> None:
    supervisor = start_supervisor(supervisors, POLITE)
    supervisor.kill()
    assert read_rest(supervisor) == ""


def test_when_one_process_ends_the_others_are_stopped_and_it_is_named(
    supervisors: list[subprocess.Popen[str]],
) -> None:
    supervisor = start_supervisor(supervisors, "import os, time; os.write(1, b'worker\\n'); time.sleep(1)")
    assert read_rest(supervisor) == "ended worker\n"


def test_a_taken_port_is_refused_with_the_remedy(free_port: int) -> None:
    serving.require_free_port(free_port)
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        with pytest.raises(
            serving.ServingError, match=f"Port {free_port} cannot be used.*\n.*PORT={free_port + 1}"
        ):
            serving.require_free_port(free_port)


def test_an_impossible_port_is_refused() -> None:
    with pytest.raises(serving.ServingError, match="Port 99999 cannot be used"):
        serving.require_free_port(99999)


def test_the_procfile_has_the_web_server_and_workers_for_every_queue() -> None:
    commands = serving.read_procfile(ROOT / "casebook" / "Procfile")
    assert list(commands) == ["web", "worker", "reports"]
    queues = [command[command.index("--queues") + 1] for name, command in commands.items() if name != "web"]
    assert queues == ["exploratory,runs", "reports"]


@pytest.mark.slow
def test_an_installation_starts_from_nothing_answers_and_stops(
    tmp_path: Path, free_port: int, supervisors: list[subprocess.Popen[str]]
) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = kept | {
        "CASEBOOK_ENV_FILE": os.devnull, "CASEBOOK_DATA_DIR": str(tmp_path / "fresh"), "PORT": str(free_port),
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    supervisors.append(server)
    assert server.stdout
    lines = []
    while not any(f"Casebook is ready:  http://127.0.0.1:{free_port}" in line for line in lines):
        line = server.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    password = (tmp_path / "fresh" / "demo-password").read_text()
    assert f"(account demo, password {password})" in lines[-1]
    assert serving.answers(free_port, "/")
    server.send_signal(signal.SIGINT)
    rest = read_rest(server)
    assert "superuser" not in rest  # Celery warns root of it
    assert rest.endswith("Casebook has stopped.\n")
    assert server.returncode == 0
    serving.require_free_port(free_port)
