"""What stands before the first Python package: finding a Python, and telling what is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def find_python(folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask on a machine whose only programs are those in `folder`."""
    shell = shutil.which("sh")
    assert shell
    return subprocess.run(
        [shell, str(ROOT / ".ci" / "find-python")],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def add_program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_machine_without_python_is_told_how_to_get_it(tmp_path: Path) -> None:
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert all(command in done.stderr for command in ("apt-get install", "dnf install", "brew install"))


def test_a_python_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    add_program(tmp_path, "python3", "exit 1")  # what an older one answers to the question for its version
    add_program(tmp_path, "python3.12", f'exec {sys.executable} "$@"')
    done = find_python(tmp_path)
    assert (done.returncode, done.stdout) == (0, "python3.12\n")


def test_make_help_lists_every_command() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = [line.split()[1] for line in done.stdout.splitlines()]
    assert listed == [
        "help",
        "run",
        "test",
        "lint",
        "format",
        "bench",
        "demo",
        "messages",
        "sentences",
        "clean",
    ]
