"""`manage.py validate`: the whole pipeline against known shares of errors, on a database of its own.

It leaves two files: the page for people, and beside it the numbers that every report prints in its annex.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from casebook.own_database import add_flag, run_with_own_database
from casebook.reporting.annex import COMPUTING
from casebook.reporting.context import ValidationFacts, ValidationLine
from ensemble.ledger import format_time
from ensemble.states import software_versions
from ensemble.validation import MODES, Line, rule_of, validate

HEAD = """\
# Validation annex

`python manage.py validate --tests {tests}` made {tests} complete tests for every line: a protocol is locked, seeds
follow from its hash, a scripted endpoint with the stated share of errors answers, a detector labels, the rule stops,
the result is sealed. Counted is whether the interval of the sealed result holds the true share. A 95% interval must
do so in 95% of tests or more; the range in brackets is what chance leaves open after {tests} tests (Clopper–Pearson).
Made on {day} with {software}.

- *fixed*: 50 labelled runs, Clopper–Pearson interval.
- *precision*: planned precision, ±10 points at 95%.
- *anytime*: confidence sequence, looked at after every run; the test ends when an e-value decides against a threshold
  of 10%, or at 300 runs. A true share of 5% lies under it, 30% over it.

| mode | true share | tests | covered | coverage | mean runs | said “more than 10%” | said “less” | ms per run |
|---|---|---|---|---|---|---|---|---|
"""


class Command(BaseCommand):
    help = "Run complete tests against known shares of errors and write how often the interval held."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--tests", type=int, default=100, help="complete tests for each line (default 100)"
        )
        parser.add_argument("--out", default="docs/validation.md", help="file to write")
        add_flag(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["tests"] < 1:
            raise CommandError("--tests must be at least 1")
        if not options["own_database"]:
            out = Path(options["out"]).resolve()
            run_with_own_database("validate", f"--tests={options['tests']}", f"--out={out}")
            return
        call_command("migrate", verbosity=0)
        lines = []
        for line in validate(options["tests"], MODES):
            lines.append(line)
            self.stdout.write(write_row(line).rstrip())
        write_files(Path(options["out"]), options["tests"], lines)
        self.stdout.write(f"written to {options['out']}")


def write_files(out: Path, tests: int, lines: Sequence[Line]) -> None:
    """The page at `out`, and the facts of the reports' annex beside it, in a file of the same name ending in .json."""
    facts = ValidationFacts(
        made_at=format_time(timezone.now()),
        software=software_versions(),
        tests=tests,
        level=float(rule_of("precision").level),
        fixed_runs=rule_of("fixed").runs,
        half_width=float(rule_of("precision").half_width),
        threshold=float(rule_of("anytime").threshold),
        max_runs=rule_of("anytime").max_runs,
        lines=tuple(
            ValidationLine(
                mode=line.mode, share=str(line.share), covered=line.covered, mean_runs=line.mean_runs
            )
            for line in lines
        ),
    )
    head = HEAD.format(
        tests=tests,
        day=facts.made_at[:10],
        software=", ".join(f"{name} {facts.software[name]}" for name in COMPUTING),
    )
    out.write_text(head + "".join(write_row(line) for line in lines), encoding="utf-8")
    written = json.dumps(asdict(facts), ensure_ascii=False, indent=1)
    out.with_suffix(".json").write_text(written + "\n", encoding="utf-8")


def write_row(line: Line) -> str:
    """One line of the table, in Markdown."""
    coverage = line.coverage
    shares = f"{line.covered / line.tests:.3f} ({coverage.low:.3f}–{coverage.high:.3f})"
    said = f"{line.more} | {line.less}" if line.mode == "anytime" else "– | –"
    values = asdict(line) | {"shares": shares, "said": said}
    return (
        "| {mode} | {share} | {tests} | {covered} | {shares} | {mean_runs:.1f} | {said} | "
        "{milliseconds_per_run:.1f} |\n"
    ).format(**values)
