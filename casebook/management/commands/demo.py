"""`manage.py demo --out DIR`: the main job without a browser, by the worker's own code, on a database of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from casebook.models import CaseTest, Report
from casebook.own_database import add_flag, run_with_own_database
from casebook.report_numbers import number_writer
from casebook.reporting.context import find_primary

EXPLORATORY_RUNS = 5


def describe_result(document: Mapping[str, Any]) -> list[str]:
    """What `result.json` says of the primary arm, in English: the rate, the audit's share, the protocol hash."""
    arm, numbers = find_primary(document), number_writer("en")
    rate, audit = "no labelled run, so no rate", "determinism audit: no seed was repeated"
    if arm["runs"]:
        share = numbers.write_share(arm["errors"] / arm["runs"])
        rate = f"{arm['errors']} of {arm['runs']} labelled runs wrong: {share}"
    if arm["runs"] and arm["interval"]:
        low, high = (numbers.write_share(arm["interval"][end]) for end in ("low", "high"))
        rate += f" ({numbers.write_level(arm['interval']['level'])} interval {low} to {high})"
    if repeats := arm["audit"]["repeats"]:
        identical = arm["audit"]["identical"]
        share = numbers.write_share(identical / repeats)
        audit = f"determinism audit: {identical} of {repeats} repeated seeds gave the identical text: {share}"
    return [rate, audit, f"protocol hash: {document['protocol_sha256']}"]


class Command(BaseCommand):
    help = "Copy a sample case, lock its protocol, run it on the embedded model, and write the report to a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, help="folder for the four files")
        parser.add_argument("--runs", type=int, default=100, help="labelled runs to make (default 100)")
        parser.add_argument("--sample", default="moffatt", help="key of the sample case (default moffatt)")
        parser.add_argument("--language", default="en", choices=["en", "ru"], help="language of the report")
        add_flag(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["runs"] < 1:
            raise CommandError("--runs must be at least 1")
        if not options["own_database"]:
            values = {name: options[name] for name in ("runs", "sample", "language")}
            values["out"] = str(Path(options["out"]).resolve())
            run_with_own_database("demo", *(f"--{name}={value}" for name, value in values.items()))
            return
        folder = Path(options["out"])
        folder.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        call_command("load_samples", verbosity=0)
        test = self._make_test(options["sample"], options["runs"])
        self._run_test(test)
        report = self._render_report(test, options["language"])
        self._write_files(test, report, folder)
        for line in describe_result(report.result.document):
            self.stdout.write(line)

    def _make_test(self, sample: str, runs: int) -> CaseTest:
        from django.contrib.auth import get_user_model

        from casebook import experiments
        from casebook.intake import copy_case
        from casebook.models import Case
        from ensemble.models import Endpoint

        source = Case.objects.filter(is_sample=True, sample_key=sample, language="en").first()
        if source is None:
            keys = sorted(set(Case.objects.filter(is_sample=True).values_list("sample_key", flat=True)))
            raise CommandError(f"there is no sample “{sample}”; there are: {', '.join(keys)}")
        user = get_user_model().objects.create_user("demo")
        case = copy_case(source, owner=user)
        endpoint = Endpoint.objects.get(backend="embedded")
        test = experiments.add_test(case, title=case.title, operator="demo", endpoint=endpoint)
        stopping = {"kind": "fixed", "runs": runs}
        draft = {**test.experiment.draft, "stopping": stopping, "temperatures": []}
        experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
        return test

    def _run_test(self, test: CaseTest) -> None:
        """Exploratory runs, locking, and the worker's own loop until the result is sealed."""
        from casebook import experiments
        from ensemble.exploring import request_runs, run_batch
        from ensemble.models import Experiment
        from ensemble.runner import work_on
        from ensemble.states import lock_protocol

        protocol = experiments.build_protocol(test.case, test.experiment.draft)
        run_batch(request_runs(test.experiment, protocol, EXPLORATORY_RUNS), "demo")
        lock_protocol(test.experiment, protocol, earlier=experiments.earlier_tests(test), by="demo")
        self.stdout.write(f"protocol locked: {test.experiment.protocol_sha256}")
        experiment, shown = test.experiment, ""
        while experiment.state != Experiment.State.SEALED:
            experiment = Experiment.objects.get(pk=experiment.pk)
            work_on(experiment, "demo")
            arm = experiment.arms.get(position=0)
            progress = f"{arm.errors} errors in {arm.runs} labelled runs"
            if progress != shown:  # the audit and the sealing take turns of their own
                self.stdout.write(progress)
            shown = progress
            if experiment.state == Experiment.State.PAUSED:
                raise CommandError(experiment.reason)
        test.experiment.refresh_from_db()

    def _render_report(self, test: CaseTest, language: str) -> Report:
        from casebook.reports import render_report, request_report

        report = request_report(
            case=test.case, test=test, language=language, requested_by=test.case.members.get()
        )
        render_report(report.pk, "demo")
        report.refresh_from_db()
        if report.state != Report.State.READY:
            raise CommandError(report.message)
        return report

    def _write_files(self, test: CaseTest, report: Report, folder: Path) -> None:
        from ensemble.ledger import export_lines

        with report.file.open("rb") as file:
            (folder / "report.pdf").write_bytes(file.read())
        (folder / "result.json").write_bytes(report.result.document_json.encode("utf-8"))
        (folder / "protocol.json").write_bytes(test.experiment.protocol_json.encode("utf-8"))
        lines = "".join(f"{line}\n" for line in export_lines(test.experiment))
        (folder / "ledger.jsonl").write_bytes(lines.encode("utf-8"))
        self.stdout.write(f"written to {folder}: report.pdf, result.json, protocol.json, ledger.jsonl")
