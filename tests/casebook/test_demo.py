"""The demonstration without a browser: what it prints is what `result.json` says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from casebook.management.commands.demo import Command, describe_result
from tests.casebook.report_examples import make_result

ROOT = Path(__file__).resolve().parents[2]


def test_the_finding_is_the_primary_arm_s() -> None:
    document, _ = make_result("middle")
    arm = document["arms"][0]
    rate, audit, protocol = describe_result(document)
    assert rate.startswith(f"{arm['errors']} of {arm['runs']} labelled runs wrong: ")
    assert "% (95% interval " in rate
    assert audit.startswith(f"determinism audit: {arm['audit']['identical']} of {arm['audit']['repeats']} ")
    assert protocol == f"protocol hash: {document['protocol_sha256']}"


def test_without_a_labelled_run_there_is_no_rate() -> None:
    document, _ = make_result("middle")
    document["arms"][0] |= {"errors": 0, "runs": 0}
    document["arms"][0]["audit"] |= {"repeats": 0}
    rate, audit, _ = describe_result(document)
    assert (rate, audit) == ("no labelled run, so no rate", "determinism audit: no seed was repeated")


@pytest.mark.model
@pytest.mark.slow
def test_the_command_prints_no_line_twice_and_ends_with_the_finding(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", f"--out={tmp_path}", "--runs=3"],
        cwd=ROOT, env=os.environ | {"CASEBOOK_DATA_DIR": str(tmp_path / "data")},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(set(lines)) == len(lines)
    assert lines[-3:] == describe_result(json.loads((tmp_path / "result.json").read_text("utf-8")))


@pytest.mark.django_db
def test_an_unknown_sample_is_answered_with_the_keys_there_are() -> None:
    call_command("load_samples", verbosity=0)
    with pytest.raises(CommandError, match=r"there are: arithmetic, cursor, moffatt, walters$"):
        Command()._make_test("none", 1)
