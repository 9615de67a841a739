"""kill -9 of the worker, again and again: nothing is lost, nothing is counted twice, the chain holds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEATHS = (
    ("claimed", 1),
    ("arrived", 2),
    ("committed", 2),
    ("inside", 3),
    ("timer", 40),
    ("written", 4),
    ("arrived", 3),
    ("timer", 80),
    ("inside", 1),
    ("committed", 3),
    ("arrived", 1),
    ("timer", 15),
)


def environment_of(folder: Path) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return environment | {
        "CASEBOOK_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "casebook.settings",
        "PYTHONPATH": str(ROOT),
    }


def run_worker(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests/ensemble/crash_worker.py"), *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment_of(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def start_worker(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "tests/ensemble/crash_worker.py"), "work", "never", "0"]
    return subprocess.Popen(command, cwd=ROOT, env=environment_of(folder), stderr=subprocess.PIPE, text=True)


def dump(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(run_worker(folder, "dump").stdout)
    return facts


def test_a_test_killed_at_many_moments_equals_an_undisturbed_one(tmp_path: Path) -> None:
    prepared, calm, stormy = tmp_path / "prepared", tmp_path / "calm", tmp_path / "stormy"
    prepared.mkdir()
    made = run_worker(prepared, "prepare")
    assert made.returncode == 0, made.stderr
    shutil.copytree(prepared, calm)
    shutil.copytree(prepared, stormy)

    assert run_worker(calm, "work", "never", 0).returncode == 0
    killed = 0
    for moment, number in DEATHS:
        killed += run_worker(stormy, "work", moment, number).returncode == -signal.SIGKILL
    finished = run_worker(stormy, "work", "never", 0)
    assert finished.returncode == 0, finished.stderr
    assert killed >= 10, f"only {killed} of the workers were killed before the test was over"

    expected, found = dump(calm), dump(stormy)
    assert found["state"] == "sealed"
    assert found["results"] == 1
    assert found["break"] is None
    assert found["indexes"] == list(range(300)) == expected["indexes"]
    assert found["run_entries"] == 300
    assert (found["seeds"], found["labels"]) == (expected["seeds"], expected["labels"])
    assert found["stopped_at"] == 300
    assert found["remade"] > 0 == expected["remade"]


def test_three_workers_on_one_test_make_each_run_once_and_keep_to_the_endpoints_concurrency(
    tmp_path: Path,
) -> None:
    assert run_worker(tmp_path, "prepare").returncode == 0
    workers = [start_worker(tmp_path) for _ in range(3)]
    for worker in workers:
        _, complaints = worker.communicate(timeout=120)
        assert worker.returncode == 0, complaints
    found = dump(tmp_path)
    assert (found["state"], found["results"], found["break"]) == ("sealed", 1, None)
    assert found["indexes"] == list(range(300))
    assert found["run_entries"] == 300
    assert found["most_at_once"] <= 8
