"""The validation annex of a report: how often the intervals of complete tests held a share that was known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from casebook.report_numbers import NumberWriter
from casebook.reporting.context import ValidationFacts, ValidationLine, read_validation
from casebook.sentences import write_sentence

FILE = Path(settings.BASE_DIR, "docs", "validation.json")
# What decides about the numbers, of everything that took part.
COMPUTING = ("casebook", "python", "numpy", "scipy")
MODES = ("fixed", "precision", "anytime")


@dataclass(frozen=True, kw_only=True)
class ValidationRow:
    """A known share; `cells` hold the covered tests and the mean number of runs, mode after mode."""

    share: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ValidationView:
    made: str
    rules: str
    meaning: str
    rows: tuple[ValidationRow, ...]


def load_validation(path: Path = FILE) -> ValidationFacts | None:
    """What `manage.py validate` left beside its page; None where it was never run."""
    if not path.exists():
        return None
    return read_validation(json.loads(path.read_text(encoding="utf-8")))


def build_validation(facts: ValidationFacts | None, numbers: NumberWriter) -> ValidationView | None:
    """The annex; None in reports frozen before it was printed."""
    if facts is None:
        return None
    written = {
        "date": numbers.write_minute(datetime.fromisoformat(facts.made_at)),
        "software": ", ".join(f"{name} {facts.software[name]}" for name in COMPUTING),
        "tests": numbers.write_count(facts.tests),
        "level": numbers.write_level(facts.level),
        "fixed_runs": numbers.write_count(facts.fixed_runs),
        "half_width": numbers.write_decimal(f"{facts.half_width * 100:g}"),
        "threshold": numbers.write_level(facts.threshold),
        "max_runs": numbers.write_count(facts.max_runs),
    }
    lines = {(line.share, line.mode): line for line in facts.lines}
    return ValidationView(
        made=write_sentence("validation.made", **written),
        rules=write_sentence("validation.rules", **written),
        meaning=write_sentence("validation.meaning", **written),
        rows=tuple(
            ValidationRow(
                share=numbers.write_level(float(share)),
                cells=tuple(
                    cell for mode in MODES for cell in _write_cells(lines.get((share, mode)), numbers)
                ),
            )
            for share in dict.fromkeys(line.share for line in facts.lines)
        ),
    )


def _write_cells(line: ValidationLine | None, numbers: NumberWriter) -> tuple[str, str]:
    if line is None:
        return "–", "–"
    return numbers.write_count(line.covered), numbers.write_decimal(f"{line.mean_runs:.1f}")
