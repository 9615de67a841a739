"""Runs the web server and the workers of a local install together, and stops them together."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Then they are killed. A worker loses nothing by that (its calls in flight are made again), so nobody need wait
# for a long answer.
GRACE_SECONDS = 8
LOOK_EVERY_SECONDS = 0.2
STDOUT = 1

LIBRARIES_REMEDY = """\
  Debian, Ubuntu:  sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 libgomp1
  Fedora:          sudo dnf install -y pango harfbuzz libgomp
  macOS:           brew install python pango libffi"""


class ServingError(Exception):
    """Casebook cannot be started; the message says why and what to do."""


def require_free_port(port: int) -> None:
    """Fail with a clear message when nothing could listen on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise ServingError(
                f"Port {port} cannot be used ({getattr(error, 'strerror', None) or error}): "
                f"perhaps Casebook or another program runs there.\nChoose another port:  make run PORT={port + 1}"
            ) from error


def find_import_problem(module: str) -> str:
    """Return why `module` cannot be imported (a system library is missing), or "" when it can.

    Asked in a process of its own: a missing system library would otherwise fail in ours, and the import is heavy.
    """
    attempt = subprocess.run(  # noqa: S603 (the modules are named in our own code)
        [sys.executable, "-W", "error:HarfBuzz-Subset:DeprecationWarning", "-c", f"import {module}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = attempt.stderr.strip().splitlines()
    return "" if attempt.returncode == 0 else (lines[-1] if lines else f"exit status {attempt.returncode}")


def read_procfile(path: Path) -> dict[str, list[str]]:
    """Return the commands of a Procfile (`name: command`) by name, as argument lists."""
    lines = path.read_text(encoding="utf-8").splitlines()
    named = (line.partition(":") for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): shlex.split(command) for name, _, command in named}


def run_together(
    commands: Mapping[str, Sequence[str]], *, environment: Mapping[str, str], when_ready: Callable[[], bool]
) -> str:
    """Run the commands until one of them ends or a signal asks us to stop; none is left running.

    `when_ready` is asked again and again until it returns true. Returns the name of the command that ended by
    itself, or "" when we were asked to stop.
    """
    processes: dict[str, subprocess.Popen[bytes]] = {}
    with _noting_stop_signals() as noted:
        try:
            for name, command in commands.items():
                processes[name] = _start_process(command, environment)
            ready, had_terminal = False, os.isatty(STDOUT)
            # A closed terminal signals only the leader of its session. That may be `make`, which then waits for us.
            while not noted and os.isatty(STDOUT) == had_terminal:
                for name, process in processes.items():
                    if process.poll() is not None:
                        return name
                ready = ready or when_ready()
                time.sleep(LOOK_EVERY_SECONDS)
            return ""
        finally:
            _stop_processes(list(processes.values()))


@contextmanager
def _noting_stop_signals() -> Iterator[list[int]]:
    """Collect stop signals in a list instead of dying of them, so that the children can be stopped first."""
    noted: list[int] = []
    before = {
        number: signal.signal(number, lambda received, _: noted.append(received)) for number in STOP_SIGNALS
    }
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start_process(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # In a session of its own: Ctrl-C reaches only us, and we tell each child once (Celery takes a second signal
    # for "drop everything"). The commands are those of our Procfile; this process has no threads.
    return subprocess.Popen(  # noqa: S603
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_follow_parent,  # noqa: PLW1509
    )


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def _follow_parent() -> None:
    """Let the kernel stop the child should we be killed outright (Linux only; other systems have no such wish)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop_processes(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask the process groups to end, and kill those that have not after the grace period."""
    _signal_groups(processes, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        time.sleep(0.05)
    _signal_groups(processes, signal.SIGKILL)
    for process in processes:
        process.wait()


def _signal_groups(processes: Sequence[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for process in processes:
        if process.poll() is None:
            with suppress(ProcessLookupError):  # it may end in this very moment
                os.killpg(process.pid, number)


def answers(port: int, path: str) -> bool:
    """Tell whether the web server on this machine answers `path` with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
