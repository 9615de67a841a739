from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from casebook.management.commands.validate import write_row
from casebook.reporting.annex import load_validation
from ensemble.stats.proportion import clopper_pearson
from ensemble.validation import KNOWN_SHARES, MODES, Line


def test_a_row_tells_coverage_with_its_range() -> None:
    line = Line(
        mode="anytime",
        share=Decimal("0.3"),
        tests=100,
        covered=97,
        coverage=clopper_pearson(97, 100),
        mean_runs=41.26,
        more=99,
        less=1,
        milliseconds_per_run=2.04,
    )
    assert write_row(line) == ("| anytime | 0.3 | 100 | 97 | 0.970 (0.915–0.994) | 41.3 | 99 | 1 | 2.0 |\n")


@pytest.mark.django_db
def test_the_table_is_written_with_a_line_for_every_mode_and_share(tmp_path: Path) -> None:
    out = tmp_path / "validation.md"
    call_command("validate", tests=1, out=str(out), own_database=True, verbosity=0)
    text = out.read_text(encoding="utf-8")
    assert "1 complete tests" in text
    facts = load_validation(tmp_path / "validation.json")
    assert facts is not None
    assert (facts.tests, facts.fixed_runs, facts.half_width, facts.threshold, facts.max_runs) == (
        1,
        50,
        0.1,
        0.1,
        300,
    )
    assert {(line.mode, line.share) for line in facts.lines} == {
        (m, str(s)) for m in MODES for s in KNOWN_SHARES
    }
    assert text.count("\n| fixed |") == text.count("\n| precision |") == text.count("\n| anytime |") == 7


def test_no_tests_at_all_are_refused() -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("validate", tests=0)
