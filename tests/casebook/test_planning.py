"""What each stopping rule takes for a question: the published numbers, what a draft would hold, time and cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from casebook.effort import Pace
from casebook.experiments import build_protocol
from casebook.planning import (
    ArmsQuestion,
    BoundQuestion,
    Outlay,
    Question,
    RuleAnswer,
    WidthQuestion,
    answer_question,
    estimate_outlay,
)
from casebook.planning_words import PlanningWords
from casebook.report_numbers import number_writer
from ensemble.models import Endpoint
from ensemble.stats.comparison import runs_per_arm
from ensemble.stats.proportion import clopper_pearson
from ensemble.stats.sequential import confidence_sequence
from ensemble.stopping import decide, rule_is_met
from tests.casebook.cases_for_tests import add_case, add_draft_test


def ask_width(half_width: str, level: str = "0.95") -> WidthQuestion:
    return WidthQuestion(half_width=Decimal(half_width), level=Decimal(level))


def ask_bound(bound: str, level: str = "0.95") -> BoundQuestion:
    return BoundQuestion(bound=Decimal(bound), level=Decimal(level))


def ask_arms(share_a: str, share_b: str, power: str = "0.8", level: str = "0.95") -> ArmsQuestion:
    shares = {"share_a": Decimal(share_a), "share_b": Decimal(share_b)}
    return ArmsQuestion(**shares, power=Decimal(power), level=Decimal(level))


def answer(question: Question, rule: str) -> RuleAnswer:
    return next(found for found in answer_question(question) if found.rule == rule)


@pytest.mark.parametrize(
    ("half_width", "level", "runs"),
    [
        ("0.15", "0.95", 47),
        ("0.1", "0.95", 104),
        ("0.05", "0.95", 402),
        ("0.05", "0.99", 680),
        ("0.02", "0.95", 2449),
    ],
)
def test_a_fixed_number_for_a_width_is_the_published_one(half_width: str, level: str, runs: int) -> None:
    assert answer(ask_width(half_width, level), "fixed").runs == runs


@pytest.mark.parametrize(
    ("half_width", "rule", "expected", "most"),
    [
        ("0.05", "fixed", [402] * 6, 402),
        ("0.05", "precision", [38, 91, 377, 446, 164, 38], 447),
        ("0.05", "anytime", [53, 206, 1124, 1358, 440, 53], 1359),
        ("0.1", "precision", [18, 28, 96, 114, 42, 18], 115),
        ("0.1", "anytime", [24, 48, 244, 297, 87, 24], 298),
    ],
)
def test_the_expected_runs_by_true_share_are_the_published_ones(
    half_width: str, rule: str, expected: list[int], most: int
) -> None:
    found = answer(ask_width(half_width), rule)
    assert [share for share, _ in found.expected] == [0, 0.05, 0.3, 0.5, 0.9, 1]
    assert [round(runs) for _, runs in found.expected] == expected
    assert found.runs == most


def test_the_plan_is_the_widest_on_offer_that_is_narrow_enough() -> None:
    def choose(half_width: str, level: str = "0.95") -> float | None:
        plan = answer(ask_width(half_width, level), "precision").plan
        return plan.half_width if plan else None

    assert [choose(width) for width in ("0.3", "0.12", "0.1", "0.08", "0.05", "0.04")] == [
        0.15, 0.1, 0.1, 0.075, 0.05, None,
    ]  # fmt: skip
    assert [choose(width, "0.99") for width in ("0.3", "0.07", "0.04")] == [0.1, 0.05, None]


def test_a_width_beyond_what_an_anytime_test_may_have_is_not_answered() -> None:
    found = answer(ask_width("0.01"), "anytime")
    assert (found.runs, found.expected, found.stopping) == (None, (), None)


@pytest.mark.parametrize(
    ("bound", "level", "fixed", "threshold"),
    [
        ("0.05", "0.95", 59, 74),
        ("0.01", "0.95", 299, 377),
        ("0.01", "0.99", 459, None),
        ("0.1", "0.95", 29, 36),
    ],
)
def test_clean_runs_to_a_bound_are_the_published_ones(
    bound: str, level: str, fixed: int, threshold: int | None
) -> None:
    question = ask_bound(bound, level)
    assert answer(question, "fixed").runs == fixed
    anytime = answer(question, "anytime").runs
    assert anytime is not None
    ends = [confidence_sequence(0, runs, float(level)).high for runs in (anytime, anytime - 1)]
    assert ends[0] <= float(bound) < ends[1]
    assert threshold is None or answer(question, "threshold").runs == threshold


@pytest.mark.parametrize(
    ("bound", "width", "runs", "suits"),
    [("0.3", 0.15, 12, True), ("0.2", 0.1, 18, True), ("0.1", 0.05, 38, True), ("0.05", 0.05, 38, False)],
)
def test_without_an_error_a_plan_stops_where_it_does_and_reaches_what_it_reaches(
    bound: str, width: float, runs: int, suits: bool
) -> None:
    found = answer(ask_bound(bound), "precision")
    assert found.plan is not None
    assert found.reached is not None
    assert (found.plan.half_width, found.runs, found.suits) == (width, runs, suits)
    assert found.reached == found.plan.interval(0, runs).high
    assert found.plan.stops(0, runs)
    assert not found.plan.stops(0, runs - 1)
    assert (found.reached <= float(bound)) is suits
    assert (found.stopping is not None) is suits


@pytest.mark.parametrize(
    ("shares", "power", "fixed", "anytime"),
    [
        (("0.5", "0.3"), "0.8", 102, 444),
        (("0.05", "0.01"), "0.8", 302, 1278),
        (("0.3", "0.1"), "0.8", 69, 276),
    ],
)
def test_the_runs_per_arm_are_the_published_ones(
    shares: tuple[str, str], power: str, fixed: int, anytime: int
) -> None:
    question = ask_arms(*shares, power)
    assert answer(question, "fixed").runs == fixed
    assert answer(question, "anytime").runs == anytime
    assert answer(question, "precision").runs is None


def test_more_power_and_a_higher_level_take_more_runs_per_arm() -> None:
    runs = answer(ask_arms("0.5", "0.3", "0.9", "0.99"), "fixed").runs
    assert runs == runs_per_arm(0.5, 0.3, 0.9, 0.01)
    assert runs > 102


def test_shares_that_are_too_near_are_not_answered() -> None:
    found = [answer(ask_arms("0.3", "0.301"), rule) for rule in ("fixed", "anytime")]
    assert [(each.runs, each.stopping) for each in found] == [(None, None)] * 2


QUESTIONS: list[Question] = [
    *(ask_width(width, level) for width in ("0.01", "0.05", "0.12", "0.45") for level in ("0.95", "0.99")),
    *(ask_bound(bound, level) for bound in ("0.0005", "0.001", "0.05", "0.5") for level in ("0.95", "0.99")),
    *(ask_arms("0.5", "0.3", "0.9", level) for level in ("0.95", "0.99")),
    ask_arms("0", "1"),
    ask_arms("0.3", "0.301"),
]


@pytest.mark.django_db
def test_every_answer_that_can_be_taken_over_makes_a_protocol_that_keeps_its_promise() -> None:
    test = add_draft_test(add_case(User.objects.create_user("owner")))
    taken = 0
    for question in QUESTIONS:
        for found in answer_question(question):
            if found.stopping is not None:
                draft = {**test.experiment.draft, "stopping": found.stopping}
                rule = build_protocol(test.case, draft).stopping
                check_promise(question, found, rule)
                taken += 1
    assert taken == 29  # none of the others can be locked, or none does it


def check_promise(question: Question, found: RuleAnswer, rule: Any) -> None:
    """A test locked to `rule` does what the answer says; its interval comes from the counts alone."""
    assert found.runs is not None
    assert rule.level == question.level
    if isinstance(question, WidthQuestion):
        interval = confidence_sequence if rule.kind == "anytime" else clopper_pearson
        runs = rule.runs or rule.max_runs
        if rule.kind == "precision":
            assert rule.half_width <= question.half_width
        else:
            worst = interval(runs // 2, runs, float(question.level))
            assert (worst.high - worst.low) / 2 <= float(question.half_width)
    if isinstance(question, BoundQuestion) and found.rule == "threshold":
        assert rule.threshold == question.bound
        assert decide(rule, 0, found.runs).finding == "less"
        assert rule_is_met(rule, 0, found.runs)
    if isinstance(question, BoundQuestion) and found.rule == "anytime":
        assert confidence_sequence(0, rule.max_runs).high <= question.bound


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_answer_has_sentences_without_a_hole_and_a_heading(language: str) -> None:
    with translation.override(language):
        for question in QUESTIONS:
            words = PlanningWords(question=question, numbers=number_writer(language))
            texts = [words.write_question(), *words.list_caveats()]
            for found in answer_question(question):
                sentences = words.explain_answer(found)
                assert sentences
                texts += sentences
            assert all(text and "%(" not in text and "None" not in text for text in texts)
            cyrillic = any("а" <= letter <= "я" for letter in texts[0].lower())
            assert cyrillic is (language == "ru")


def test_a_sentence_says_the_numbers() -> None:
    def explain(question: Question, rule: str) -> str:
        words = PlanningWords(question=question, numbers=number_writer("en"))
        return " ".join(words.explain_answer(answer(question, rule)))

    with translation.override("en"):
        assert "After 402 labelled runs the 95% interval is no wider than ±5 percentage" in explain(
            ask_width("0.05"), "fixed"
        )
        assert "takes 38 to 446 labelled runs on average" in explain(ask_width("0.05"), "precision")
        assert "No plan with a 95% interval as narrow as ±4" in explain(ask_width("0.04"), "precision")
        assert "more than 10,000 labelled runs" in explain(ask_width("0.01"), "anytime")
        assert "Not suited" in explain(ask_bound("0.05"), "precision")
        assert "74 labelled runs without an error decide" in explain(ask_bound("0.05"), "threshold")
        assert "Fisher’s exact test at 5% shows" in explain(ask_arms("0.5", "0.3"), "fixed")
        assert "more than 2,000 labelled runs" in explain(ask_arms("0.3", "0.301"), "fixed")
        assert "locked at a level of 95%" in explain(ask_width("0.05", "0.99"), "fixed")
        assert "locked at" not in explain(ask_width("0.05", "0.99"), "precision")


PACE = Pace(run_seconds=2.0, own_tries=5, prompt_tokens=200.0, answer_tokens=50.0)


def make_endpoint(**changes: Any) -> Endpoint:
    prices = {"prompt_price": Decimal(3), "answer_price": Decimal(15), "currency": "USD"}
    return Endpoint(name="Lab", backend="ollama", **{**prices, **changes})


def test_time_tokens_and_cost_include_the_audit_and_every_arm() -> None:
    # 100 runs and 20 repeats, each 200 × 3 + 50 × 15 dollars a million
    expected = Outlay(seconds=240.0, tokens=30_000.0, cost=Decimal("0.162"))
    assert estimate_outlay(100, 1, PACE, make_endpoint()) == expected
    both = estimate_outlay(100, 2, PACE, make_endpoint())
    assert (both.seconds, both.tokens, both.cost) == (480.0, 60_000.0, Decimal("0.324"))
    assert estimate_outlay(1000, 1, PACE, make_endpoint()).seconds == 2200.0  # a tenth is repeated


@pytest.mark.parametrize(
    ("pace", "changes", "expected"),
    [
        (PACE, {"prompt_price": None, "answer_price": None, "currency": ""}, (240.0, 30_000.0, None)),
        (PACE, {"answer_price": None}, (240.0, 30_000.0, None)),
        (PACE, {"prompt_price": Decimal(0), "answer_price": Decimal(0)}, (240.0, 30_000.0, Decimal(0))),
        (Pace(run_seconds=2.0, own_tries=0), {}, (240.0, None, None)),
        (None, {}, (None, None, None)),
    ],
)
def test_what_is_not_known_is_not_given(
    pace: Pace | None, changes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    outlay = estimate_outlay(100, 1, pace, make_endpoint(**changes))
    assert (outlay.seconds, outlay.tokens, outlay.cost) == expected
    assert estimate_outlay(100, 1, pace, None) == Outlay()


@pytest.mark.parametrize(
    ("outlay", "english", "russian"),
    [
        (Outlay(), "", ""),
        (Outlay(seconds=240.0), "about 4 minutes", "около 4 минут"),
        (Outlay(seconds=1.0, tokens=20_999.2),
         "a minute or less · 21,000 tokens", "не более минуты · 21\u202f000 токенов"),
        (Outlay(cost=Decimal("0.162"), tokens=3.0), "0.17 USD", "0,17 USD"),
        (Outlay(cost=Decimal("0.002")), "under 0.01 USD", "менее 0,01 USD"),
        (Outlay(cost=Decimal("0")), "0 USD", "0 USD"),
        (Outlay(cost=Decimal("1234.501")), "1,234.51 USD", "1\u202f234,51 USD"),
    ],
)  # fmt: skip
def test_a_cost_is_rounded_up_to_the_cent_and_never_to_nothing(
    outlay: Outlay, english: str, russian: str
) -> None:
    for language, expected in (("en", english), ("ru", russian)):
        words = PlanningWords(question=ask_width("0.05"), numbers=number_writer(language))
        with translation.override(language):
            assert words.write_outlay(outlay, "USD") == expected


@pytest.mark.parametrize(
    ("pace", "changes", "said", "unsaid"),
    [
        (PACE, {}, "3 USD for a million prompt tokens", "No price"),
        (PACE, {"prompt_price": None, "answer_price": None, "currency": ""}, "No price is set", "USD"),
        (PACE, {}, "5 exploratory runs of this draft", "tests of"),
        (Pace(run_seconds=2.0, own_tries=0), {}, "does not say how many tokens", "USD"),
        (Pace(run_seconds=2.0, own_tries=0), {}, "Judging by tests of other cases", "of this draft"),
        (Pace(run_seconds=2.0, own_tries=0, of_case=True), {}, "tests of this case", "other cases"),
        (None, {}, "nothing was run yet", "USD"),
    ],
)
def test_it_is_said_where_time_and_cost_come_from(
    pace: Pace | None, changes: dict[str, Any], said: str, unsaid: str
) -> None:
    words = PlanningWords(question=ask_width("0.05"), numbers=number_writer("en"))
    text = " ".join(words.explain_outlay(pace, make_endpoint(**changes)))
    assert said in text
    assert unsaid not in text
    assert words.explain_outlay(pace, None) == ("Time and cost depend on the endpoint: choose one.",)
