"""The report as its templates print it: every number written out, every figure drawn, every long text cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter, number_writer
from casebook.reporting.annex import ValidationView, build_validation
from casebook.reporting.appraisal import AppraisalView, build_appraisal
from casebook.reporting.arms import ArmView, build_arm, build_arms
from casebook.reporting.claims import write_ending, write_finding
from casebook.reporting.clusters import ClustersView, build_clusters
from casebook.reporting.comparisons import ComparisonsView, build_comparisons
from casebook.reporting.context import LedgerEvent, ReportContext, TestFacts, find_primary
from casebook.reporting.drawings import draw_interval_of
from casebook.reporting.incident import IncidentView, build_incident
from casebook.reporting.lines import Row, RunLine, list_runs
from casebook.reporting.method import MethodView, build_method
from casebook.reporting.plan import PlanLine, list_detector, list_plan, write_model, write_rule
from casebook.reporting.planned_arms import PlannedArm, list_planned
from casebook.reporting.quotes import Quote, quote_text
from casebook.reporting.reasons import quote_reason
from casebook.reporting.tested_model import write_model_warning, write_tested_model
from casebook.reporting.words import EVENTS, EVENTS_BY, ROLES, STATES, say
from casebook.sentences import write_sentence
from casebook.visible import shorten_text
from ensemble.protocol import derive_seed, encode_text, sha256_hex

Document = Mapping[str, Any]

RUNS_LISTED = 500
TITLE_CHARACTERS = 64
LONG_TITLE = 80
QUESTION_CHARACTERS = 250
REASON_CHARACTERS = 100
NOTABLE_ARMS = 4  # on page 1; all of them stand in section 4


@dataclass(frozen=True, kw_only=True)
class TestLine:
    """A locked test of the case in the table of all of them."""

    __test__ = False

    number: str
    name: str
    is_this: bool
    locked_at: str
    ended_at: str
    state: str
    protocol: str
    exploratory: str
    arms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunTable:
    arm_name: str
    note: str
    runs: tuple[RunLine, ...]


@dataclass(frozen=True, kw_only=True)
class ExhibitLine:
    number: str
    name: str
    description: str
    media_type: str
    size: str
    sha256: str
    received_at: str


@dataclass(frozen=True, kw_only=True)
class PageOne:
    """What a lawyer needs if nothing else is read."""

    question: str
    k_of_n: str
    share: str
    finding: str
    interval: str
    decision: str
    others: tuple[Row, ...]  # further arms that a reader of this page must know of
    meaning: str
    figure: SafeString | None
    prompt: str
    model: str
    tested: str  # what that model is to the product of the incident
    warning: str  # that it cannot read the prompt; mostly empty
    between: str
    rule: str
    ended: str
    ran: tuple[Row, ...]
    anchors: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """`context` for texts that are printed as they are; everything else ready to print."""

    context: ReportContext
    title: str
    short_title: str
    short_hash: str
    has_long_title: bool
    subject: str
    test_name: str
    reason: str
    sealed_at: str
    as_of: str
    one: PageOne
    locked_question: str
    incident: IncidentView
    plan: tuple[PlanLine, ...]
    detector: tuple[Row, ...]
    sent: tuple[Quote, ...]
    planned_arms: tuple[PlannedArm, ...]
    tests: tuple[TestLine, ...]
    events: tuple[Row, ...]
    arms: tuple[ArmView, ...]
    differences: ComparisonsView | None
    clusters: tuple[ClustersView, ...]
    appraisal: AppraisalView | None
    method: MethodView
    validation: ValidationView | None
    exhibits: tuple[ExhibitLine, ...]
    software: tuple[Row, ...]
    seeds: str
    runs: tuple[RunTable, ...]

    @property
    def prints_every_answer(self) -> bool:
        """Whether the list of answers leaves none out and cuts none."""
        return all(arm.has_every_answer for arm in self.arms)

    @property
    def has_zero(self) -> bool:
        return any(arm.zero for arm in self.arms)


def build_view(context: ReportContext) -> ReportView:
    """The view in the active language, which must be the context's. Raises `ValueError` for broken hashes."""
    _check_hashes(context)
    numbers, result = number_writer(context.language), context.result
    primary = find_primary(result)
    return ReportView(
        context=context,
        title=context.case.title,
        short_title=shorten_text(context.case.title, TITLE_CHARACTERS),
        short_hash=result["protocol_sha256"][:12],
        has_long_title=len(context.case.title) > LONG_TITLE,
        subject=gettext("How often a disputed answer of an AI system recurs"),
        test_name=_find_test_name(context),
        reason=_write_reason(result["experiment"], numbers),
        sealed_at=numbers.write_moment(context.sealed_at),
        as_of=numbers.write_moment(context.as_of),
        one=_build_page_one(context, primary, numbers),
        locked_question=_find_locked_question(context),
        incident=build_incident(context, numbers),
        plan=list_plan(context, primary, numbers),
        detector=list_detector(result["protocol"], numbers),
        sent=() if context.incident.prompt_is_verbatim else _quote_sent(result, primary, numbers),
        planned_arms=list_planned(
            result["protocol"], {key: item["text"] for key, item in result["texts"].items()}, numbers
        ),
        tests=tuple(_write_test(test, context, numbers) for test in context.tests),
        events=tuple(_write_event(event, numbers) for event in context.events),
        arms=build_arms(result, numbers),
        differences=build_comparisons(result, numbers),
        clusters=build_clusters(result, numbers),
        appraisal=build_appraisal(context, numbers),
        method=build_method(context),
        validation=build_validation(context.validation, numbers),
        exhibits=_list_exhibits(context, numbers),
        software=_list_software(result),
        seeds=_check_seeds(result, numbers),
        runs=_list_run_tables(result, numbers),
    )


def _list_software(result: Document) -> tuple[Row, ...]:
    return tuple(Row(label=name, value=version) for name, version in sorted(result["software"].items()))


def _find_test_name(context: ReportContext) -> str:
    return next((_find_name(t, context) for t in context.tests if t.number == context.test_number), "")


def _find_locked_question(context: ReportContext) -> str:
    """The question as the protocol words it, when page 1 has it in another language."""
    locked = str(context.result["protocol"]["question"])
    return "" if context.question in ("", locked) else locked


def _write_reason(experiment: Document, numbers: NumberWriter) -> str:
    """Why the test did not end by its rules."""
    if experiment["ended_as"] == "completed":
        return ""
    return quote_reason(experiment["reason"], numbers, most=REASON_CHARACTERS)


def _check_hashes(context: ReportContext) -> None:
    """A report never prints a hash that its own attachments do not have."""
    if sha256_hex(encode_text(context.result_json)) != context.result_sha256:
        raise ValueError("result.json does not have the hash under which it was sealed")
    if sha256_hex(encode_text(context.protocol_json)) != context.result["protocol_sha256"]:
        raise ValueError("protocol.json does not have the hash that was locked")


def _build_page_one(context: ReportContext, arm: Document, numbers: NumberWriter) -> PageOne:
    result = context.result
    ended_as = result["experiment"]["ended_as"]
    view = build_arm(arm, ended_as, numbers)
    shown = bool(arm["runs"]) and not arm["deterministic"]
    verbatim = context.incident.prompt_is_verbatim
    return PageOne(
        question=shorten_text(context.question or result["protocol"]["question"], QUESTION_CHARACTERS),
        k_of_n=view.k_of_n if arm["runs"] else "",
        share=numbers.write_share(arm["errors"] / arm["runs"]) if shown else "",
        finding=view.finding,
        interval=view.interval,
        decision="".join(view.decision[:1]),
        others=_list_notable(result, arm, numbers),
        meaning=write_sentence("share.meaning") if shown else "",
        figure=draw_interval_of(arm, numbers, "page1-interval"),
        prompt=write_sentence("prompt.verbatim" if verbatim else "prompt.changed"),
        model=write_model(arm),
        tested=write_tested_model(arm),
        warning=write_model_warning(arm["backend"], _list_sent_texts(result, arm)),
        between=_write_period(result["experiment"], numbers),
        rule=write_rule(result["protocol"]["stopping"], numbers),
        ended=view.ended,
        ran=_list_ran(context, arm, numbers),
        anchors=_list_anchors(context, numbers),
    )


def _list_notable(result: Document, primary: Document, numbers: NumberWriter) -> tuple[Row, ...]:
    """Controls, whose answer is known, and arms that did not end by their rule: nobody should miss these."""
    ended_as = result["experiment"]["ended_as"]
    notable = [
        arm
        for arm in result["arms"]
        if arm is not primary and (arm["purpose"] == "control" or arm["stop"]["kind"] != "rule")
    ]
    return tuple(
        Row(
            label=f"{arm['position'] + 1}. {say_arm(arm['name'])}",
            value=f"{write_finding(arm, numbers)} {write_ending(arm, ended_as, numbers)}",
        )
        for arm in notable[:NOTABLE_ARMS]
    )


def _write_period(experiment: Document, numbers: NumberWriter) -> str:
    start = experiment["started_at"] or experiment["locked_at"]
    return numbers.write_period(start, experiment["ended_at"])


def _list_ran(context: ReportContext, arm: Document, numbers: NumberWriter) -> tuple[Row, ...]:
    """Everything that was run, whether it counts or not: the denominator."""
    result, done = context.result, arm["all_completed"]
    others = [other for other in result["arms"] if other is not arm]
    after = done["runs"] + done["unlabelled"] - arm["runs"] - arm["unlabelled"]
    earlier = sum(test.locked_at < (result["experiment"]["locked_at"] or "") for test in context.tests)
    found = [
        (gettext("Counted runs with a label"), arm["runs"]),
        (gettext("– of these labelled “error”"), arm["errors"]),
        (gettext("Counted runs without a label"), arm["unlabelled"]),
        (gettext("Finished after the count stopped"), max(after, 0)),
        (gettext("Calls that failed"), done["outcomes"]["failed"]),
        (gettext("Seeds repeated for the audit"), arm["audit"]["repeats"]),
        (gettext("Runs of the other arms"), sum(o["runs"] + o["unlabelled"] for o in others)),
        (gettext("Exploratory runs before locking"), result["exploratory_runs"]),
        (gettext("Exploratory runs, all tests of the case"), context.exploratory_runs),
        (gettext("Earlier locked tests of the case"), earlier),
    ]
    return tuple(Row(label=label, value=numbers.write_count(count)) for label, count in found)


def _list_anchors(context: ReportContext, numbers: NumberWriter) -> tuple[Row, ...]:
    result = context.result
    return (
        Row(label=gettext("Protocol locked"), value=numbers.write_moment(result["experiment"]["locked_at"])),
        Row(label=gettext("SHA-256 of the protocol"), value=result["protocol_sha256"], is_hash=True),
        Row(label=gettext("Result sealed"), value=numbers.write_moment(context.sealed_at)),
        Row(label=gettext("SHA-256 of the result"), value=context.result_sha256, is_hash=True),
        Row(label=gettext("Head of the ledger"), value=context.ledger_head, is_hash=True),
    )


def _list_sent_texts(result: Document, arm: Document) -> list[str]:
    """The messages that were sent, as far as the result still holds them."""
    messages = result["protocol"]["arms"][arm["position"]]["messages"]
    kept = [result["texts"].get(message["text_sha256"]) for message in messages]
    return [item["text"] for item in kept if item]


def _quote_sent(result: Document, arm: Document, numbers: NumberWriter) -> tuple[Quote, ...]:
    """The messages that were sent, from the texts the protocol names by hash."""
    planned = result["protocol"]["arms"][arm["position"]]
    return tuple(
        quote_text(
            result["texts"][message["text_sha256"]]["text"], numbers, speaker=say(ROLES, message["role"])
        )
        for message in planned["messages"]
        if message["text_sha256"] in result["texts"]
    )


def _find_name(test: TestFacts, context: ReportContext) -> str:
    """What its planner called the test; the title of the case, which tests once got, is no name."""
    return "" if test.title == context.case.title else test.title


def _write_test(test: TestFacts, context: ReportContext, numbers: NumberWriter) -> TestLine:
    def write_arm(name: str, errors: int, runs: int, unlabelled: int) -> str:
        counts = gettext("%(errors)s of %(runs)s; without a label: %(unlabelled)s") % {
            "errors": numbers.write_count(errors),
            "runs": numbers.write_count(runs),
            "unlabelled": numbers.write_count(unlabelled),
        }
        return f"{say_arm(name)}: {counts}"

    return TestLine(
        number=numbers.write_count(test.number),
        name=_find_name(test, context),
        is_this=test.number == context.test_number,
        locked_at=numbers.write_moment(test.locked_at),
        ended_at=numbers.write_moment(test.ended_at or None),
        state=say(STATES, test.ended_as or test.state),
        protocol=test.protocol_sha256,
        exploratory=gettext("exploratory runs: %(count)s")
        % {"count": numbers.write_count(test.exploratory_runs)},
        arms=tuple(write_arm(arm.name, arm.errors, arm.runs, arm.unlabelled) for arm in test.arms),
    )


def _write_event(event: LedgerEvent, numbers: NumberWriter) -> Row:
    is_signed = event.by and event.kind in EVENTS_BY
    what = say(EVENTS_BY, event.kind) % {"person": event.by} if is_signed else say(EVENTS, event.kind)
    if event.arm is not None:
        what = gettext("%(what)s (arm %(number)s)") % {
            "what": what,
            "number": numbers.write_count(event.arm + 1),
        }
    told = f"{what}: {quote_reason(event.reason, numbers)}" if event.reason else what
    return Row(label=numbers.write_moment(event.at), value=told)


def _list_exhibits(context: ReportContext, numbers: NumberWriter) -> tuple[ExhibitLine, ...]:
    return tuple(
        ExhibitLine(
            number=numbers.write_count(item.number),
            name=item.name,
            description=item.description,
            media_type=item.media_type,
            size=numbers.write_size(item.size),
            sha256=item.sha256,
            received_at=numbers.write_moment(item.received_at),
        )
        for item in context.exhibits
    )


def _check_seeds(result: Document, numbers: NumberWriter) -> str:
    """Derive every listed seed again from the protocol hash."""
    listed = [(arm["position"], run) for arm in result["arms"] for run in arm["runs_list"]]
    if not listed:
        return ""
    sha256 = result["protocol_sha256"]
    wrong = sum(derive_seed(sha256, position, run["index"]) != run["seed"] for position, run in listed)
    sentence_id, count = ("seeds.wrong", wrong) if wrong else ("seeds.checked", len(listed))
    return write_sentence(sentence_id, count, count=numbers.write_count(count))


def _list_run_tables(result: Document, numbers: NumberWriter) -> tuple[RunTable, ...]:
    """A table per arm, primary first, up to the limit in all."""
    primary = find_primary(result)
    left, tables = RUNS_LISTED, []
    for arm in (primary, *(other for other in result["arms"] if other is not primary)):
        runs = list_runs(arm, left, numbers)
        left -= len(runs)
        total = arm["runs_total"]
        facts = {"shown": numbers.write_count(len(runs)), "total": numbers.write_count(total)}
        sentence_id = "runs.none" if not total else "runs.all" if len(runs) == total else "runs.some"
        tables.append(
            RunTable(
                arm_name=say_arm(arm["name"]), note=write_sentence(sentence_id, total, **facts), runs=runs
            )
        )
    return tuple(tables)
