"""The sentences of “How many runs do I need?” with their numbers, in the active language."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from math import ceil

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from casebook.effort import Pace, write_duration
from casebook.experiments import LARGEST_ANYTIME_RUNS
from casebook.planning import (
    LOCKED_LEVEL,
    ArmsQuestion,
    BoundQuestion,
    Outlay,
    Question,
    RuleAnswer,
    WidthQuestion,
)
from casebook.report_numbers import NumberWriter
from casebook.sentences import write_sentence
from ensemble.models import Endpoint
from ensemble.protocol import decimal_text
from ensemble.stats.fisher_exact import MAX_PLANNED_RUNS

RULE_NAMES = {
    "fixed": _("A fixed number of runs"),
    "precision": _("Planned precision"),
    "anytime": _("Anytime"),
    "threshold": _("Anytime, with a threshold"),
}
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class PlanningWords:
    """Writes about the answers to one question."""

    question: Question
    numbers: NumberWriter

    def write_question(self) -> str:
        """The question as a heading."""
        level = self._write_share(self.question.level)
        if isinstance(self.question, WidthQuestion):
            width = self._write_points(self.question.half_width)
            return gettext("The share of errors to ±%(width)s percentage points, at a level of %(level)s") % {
                "width": width, "level": level,
            }  # fmt: skip
        if isinstance(self.question, BoundQuestion):
            bound = self._write_share(self.question.bound)
            return gettext("A share of errors of at most %(bound)s if none occurs, at a level of %(level)s") % {
                "bound": bound, "level": level,
            }  # fmt: skip
        a, b = self._write_share(self.question.share_a), self._write_share(self.question.share_b)
        return gettext("Two arms with %(a)s and %(b)s errors, at a level of %(level)s") % {
            "a": a, "b": b, "level": level,
        }  # fmt: skip

    def explain_answer(self, answer: RuleAnswer) -> tuple[str, ...]:
        """What the rule takes, and what keeps it from being taken over."""
        if isinstance(self.question, WidthQuestion):
            sentences = self._explain_width(self.question, answer)
        elif isinstance(self.question, BoundQuestion):
            sentences = self._explain_bound(self.question, answer)
        else:
            sentences = self._explain_arms(self.question, answer)
        if answer.runs is None or answer.rule == "precision" or float(self.question.level) == LOCKED_LEVEL:
            return sentences
        return (*sentences, write_sentence("planning.level", level=self.numbers.write_level(LOCKED_LEVEL)))

    def _explain_width(self, question: WidthQuestion, answer: RuleAnswer) -> tuple[str, ...]:
        facts = {
            "level": self._write_share(question.level),
            "width": self._write_points(question.half_width),
        }
        if answer.runs is None:
            if answer.rule == "precision":
                return (write_sentence("planning.width.no_plan", **facts),)
            return (self._write_too_many(LARGEST_ANYTIME_RUNS),)
        if answer.rule == "fixed":
            runs = self.numbers.write_count(answer.runs)
            return (write_sentence("planning.width.fixed", answer.runs, runs=runs, **facts),)
        means = [runs for _share, runs in answer.expected]
        spread = {
            "least": self.numbers.write_count(round(min(means))),
            "greatest": self.numbers.write_count(round(max(means))),
            "most": self.numbers.write_count(answer.runs),
        }
        if answer.plan is not None:
            return (write_sentence("planning.width.precision", plan=self._write_plan(answer), **spread),)
        return (write_sentence("planning.width.anytime", **facts, **spread),)

    def _explain_bound(self, question: BoundQuestion, answer: RuleAnswer) -> tuple[str, ...]:
        if answer.runs is None:
            return (self._write_too_many(LARGEST_ANYTIME_RUNS),)
        facts = {
            "runs": self.numbers.write_count(answer.runs),
            "level": self._write_share(question.level),
            "bound": self._write_share(question.bound),
        }
        if answer.rule != "precision":
            return (write_sentence(f"planning.bound.{answer.rule}", answer.runs, **facts),)
        sentence = "planning.bound.precision" if answer.suits else "planning.bound.precision_short"
        high = self.numbers.write_share(answer.reached)
        plan = self._write_plan(answer)
        return (write_sentence(sentence, answer.runs, plan=plan, high=high, **facts),)

    def _explain_arms(self, question: ArmsQuestion, answer: RuleAnswer) -> tuple[str, ...]:
        if answer.rule == "precision":
            return (write_sentence("planning.arms.precision"),)
        if answer.runs is None:
            return (
                self._write_too_many(MAX_PLANNED_RUNS if answer.rule == "fixed" else LARGEST_ANYTIME_RUNS),
            )
        facts = {
            "a": self._write_share(question.share_a),
            "b": self._write_share(question.share_b),
            "power": self._write_share(question.power),
            "level": self._write_share(question.level),
            "alpha": self._write_share(1 - question.level),
            "runs": self.numbers.write_count(answer.runs),
        }
        return (write_sentence(f"planning.arms.{answer.rule}", answer.runs, **facts),)

    def list_caveats(self) -> tuple[str, ...]:
        of_question = {
            WidthQuestion: "planning.average",
            BoundQuestion: "planning.bound.no_error",
            ArmsQuestion: "planning.arms.family",
        }
        ids = (of_question[type(self.question)], "planning.labelled", "planning.scope")
        return tuple(write_sentence(sentence_id) for sentence_id in ids)

    def explain_outlay(self, pace: Pace | None, endpoint: Endpoint | None) -> tuple[str, ...]:
        """Where time, tokens and cost come from, or why they are missing."""
        if endpoint is None:
            return (write_sentence("planning.pace.no_endpoint"),)
        if pace is None:
            return (write_sentence("planning.pace.unknown"),)
        scope = "planning.outlay.arms" if isinstance(self.question, ArmsQuestion) else "planning.outlay.arm"
        return (write_sentence(scope), self._explain_pace(pace), *self._explain_cost(pace, endpoint))

    def _explain_pace(self, pace: Pace) -> str:
        digits = 2 if pace.run_seconds < 10 else 0
        seconds = self.numbers.labels.format_number(pace.run_seconds, digits)
        if not pace.own_tries:
            basis = "planning.pace.case" if pace.of_case else "planning.pace.earlier"
            return write_sentence(basis, seconds=seconds)
        tries = self.numbers.write_count(pace.own_tries)
        return write_sentence("planning.pace.own", pace.own_tries, tries=tries, seconds=seconds)

    def _explain_cost(self, pace: Pace, endpoint: Endpoint) -> tuple[str, ...]:
        if pace.prompt_tokens is None or pace.answer_tokens is None:
            return (write_sentence("planning.tokens.unknown"),)
        tokens = write_sentence(
            "planning.tokens.known",
            prompt=self.numbers.write_count(ceil(pace.prompt_tokens)),
            answer=self.numbers.write_count(ceil(pace.answer_tokens)),
        )
        if endpoint.prompt_price is None or endpoint.answer_price is None:
            return (tokens, write_sentence("planning.price.unknown"))
        prices = {
            name: f"{self.numbers.write_decimal(decimal_text(price))} {endpoint.currency}"
            for name, price in (("prompt", endpoint.prompt_price), ("answer", endpoint.answer_price))
        }
        return (tokens, write_sentence("planning.price.known", **prices))

    def write_outlay(self, outlay: Outlay, currency: str) -> str:
        """Time and cost, without a price time and tokens; "" when nothing is known."""
        parts = [] if outlay.seconds is None else [write_duration(outlay.seconds)]
        if outlay.cost is not None:
            parts.append(self._write_cost(outlay.cost, currency))
        elif outlay.tokens is not None:
            tokens = ceil(outlay.tokens)
            count = self.numbers.write_count(tokens)
            parts.append(ngettext("%(count)s token", "%(count)s tokens", tokens) % {"count": count})
        return " · ".join(parts)

    def _write_cost(self, cost: Decimal, currency: str) -> str:
        """Rounded up to the cent: people plan by it."""
        if 0 < cost < CENT:
            return gettext("under %(number)s") % {"number": self.numbers.write_amount(str(CENT), currency)}
        return self.numbers.write_amount(str(cost.quantize(CENT, ROUND_CEILING)), currency)

    def _write_too_many(self, limit: int) -> str:
        return write_sentence("planning.too_many", limit=self.numbers.write_count(limit))

    def _write_plan(self, answer: RuleAnswer) -> str:
        assert answer.plan is not None
        return self._write_points(Decimal(decimal_text(answer.plan.half_width)))

    def _write_share(self, share: Decimal) -> str:
        return self.numbers.write_level(float(share))

    def _write_points(self, share: Decimal) -> str:
        return self.numbers.write_points(decimal_text(share))
