"""The result of a test in one line, for lists: what was counted, never more than the sealed result holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import get_language

from casebook.models import Case, CaseTest
from casebook.report_numbers import number_writer
from casebook.reporting.claims import write_decision, write_ending, write_finding, write_interval
from casebook.reporting.plan import write_rule
from casebook.reporting.tested_model import write_tested_model
from ensemble.models import Experiment, SealedResult


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What the latest sealed result of a test says of its primary arm, written for the reader.

    `share` is empty when no run has a label, `low` and `high` when the result gives no interval. The sentences are
    those of the report: `finding`, `certainty`, the `decision` of an anytime test against its threshold, how the
    arm `ended` under which `rule`, and what model was `tested`.
    """

    test: CaseTest
    errors: int
    runs: int
    share: str
    low: str
    high: str
    finding: str
    certainty: str
    decision: str
    rule: str
    ended: str
    tested: str


def find_test_headlines(tests: Iterable[CaseTest]) -> dict[int, Headline]:
    """The headlines of the sealed tests among `tests`, by primary key of the test; two queries."""
    by_experiment = {
        test.experiment_id: test for test in tests if test.experiment.state == Experiment.State.SEALED
    }
    versions = SealedResult.objects.filter(experiment__in=by_experiment).order_by("version")
    newest = dict(versions.values_list("experiment_id", "pk"))
    results = SealedResult.objects.filter(pk__in=newest.values())
    return {
        by_experiment[result.experiment_id].pk: _read_headline(by_experiment[result.experiment_id], result)
        for result in results
    }


def find_case_headlines(cases: Iterable[Case]) -> dict[int, Headline]:
    """The headline of the leading test of each case that has one, by primary key of the case.

    The case page lists every test: a list of cases has room for one.
    """
    leading = [test for case in cases if (test := find_leading_test(case.tests.all()))]
    return {headline.test.case_id: headline for headline in find_test_headlines(leading).values()}


def find_leading_test(tests: Iterable[CaseTest]) -> CaseTest | None:
    """The test that speaks for its case: the newest sealed one that was completed, else the newest sealed one.

    A later test that was cancelled, failed or is still open takes nothing away from a completed one.
    """
    sealed = (test for test in tests if test.experiment.state == Experiment.State.SEALED)
    return max(
        sealed,
        key=lambda test: (test.experiment.ended_as == Experiment.State.COMPLETED, test.number),
        default=None,
    )


def _read_headline(test: CaseTest, result: SealedResult) -> Headline:
    document = result.document
    arm = document["arms"][0]
    numbers = number_writer(get_language() or "en")
    errors, runs = arm["errors"], arm["runs"]
    interval = arm["interval"] if runs else None
    return Headline(
        test=test,
        errors=errors,
        runs=runs,
        share=numbers.write_share(errors / runs) if runs else "",
        low=numbers.write_share(interval["low"]) if interval else "",
        high=numbers.write_share(interval["high"]) if interval else "",
        finding=write_finding(arm, numbers),
        certainty=write_interval(arm, document["experiment"]["ended_as"], numbers),
        decision="".join(write_decision(arm, numbers)[:1]),
        rule=write_rule(document["protocol"]["stopping"], numbers),
        ended=write_ending(arm, document["experiment"]["ended_as"], numbers),
        tested=write_tested_model(arm),
    )
