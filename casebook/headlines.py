"""The result of a test in one line, for lists: what was counted, never more than the sealed result holds."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language

from casebook.models import Case, CaseTest
from casebook.report_numbers import number_writer
from ensemble.models import SealedResult


@dataclass(frozen=True, kw_only=True)
class Headline:
    """Counts of the primary arm at its stop. `share` and the interval's ends are written in percent for the reader.

    `share` is empty when no run has a label, `low` and `high` when the result gives no interval.
    """

    test: CaseTest
    errors: int
    runs: int
    share: str
    low: str
    high: str
    ended_as: str


def find_headline(test: CaseTest) -> Headline | None:
    """The headline of the test's latest sealed result; None before the test is sealed."""
    results: list[SealedResult] = sorted(test.experiment.results.all(), key=lambda result: -result.version)
    if not results:
        return None
    document = results[0].document
    arm = document["arms"][0]
    writer = number_writer(get_language() or "en")
    errors, runs, interval = arm["errors"], arm["runs"], arm["interval"]
    return Headline(
        test=test,
        errors=errors,
        runs=runs,
        share=writer.write_share(errors / runs) if runs else "",
        low=writer.write_share(interval["low"]) if interval else "",
        high=writer.write_share(interval["high"]) if interval else "",
        ended_as=document["experiment"]["ended_as"],
    )


def find_case_headline(case: Case) -> Headline | None:
    """The headline of the newest sealed test of the case. The case page shows every test, also those before it."""
    for test in sorted(case.tests.all(), key=lambda test: -test.number):
        headline = find_headline(test)
        if headline is not None:
            return headline
    return None
