"""Questions of “How many runs do I need?” that between them need every one of its sentences."""

from __future__ import annotations

from decimal import Decimal

from casebook.effort import Pace
from casebook.planning import ArmsQuestion, BoundQuestion, Question, WidthQuestion, answer_question
from casebook.planning_words import PlanningWords
from casebook.report_numbers import number_writer
from ensemble.models import Endpoint

LEVELS = (Decimal("0.95"), Decimal("0.99"))
QUESTIONS: tuple[Question, ...] = (
    *(WidthQuestion(half_width=Decimal(width), level=LEVELS[0]) for width in ("0.05", "0.01")),
    *(WidthQuestion(half_width=Decimal(width), level=LEVELS[1]) for width in ("0.05", "0.12")),
    *(BoundQuestion(bound=Decimal(bound), level=level) for bound in ("0.2", "0.05") for level in LEVELS),
    ArmsQuestion(share_a=Decimal("0.5"), share_b=Decimal("0.3"), power=Decimal("0.8"), level=LEVELS[0]),
    ArmsQuestion(share_a=Decimal("0.3"), share_b=Decimal("0.301"), power=Decimal("0.9"), level=LEVELS[0]),
)
COUNTED = Pace(run_seconds=1.5, own_tries=5, prompt_tokens=212.0, answer_tokens=64.5)
UNCOUNTED = Pace(run_seconds=1.5, own_tries=0)
OF_CASE = Pace(run_seconds=1.5, own_tries=0, of_case=True)


def write_planning(language: str) -> list[str]:
    """Every sentence that the page says to these questions, in the active language, which must be `language`."""
    prices = {"prompt_price": Decimal("0.15"), "answer_price": Decimal("0.6"), "currency": "USD"}
    priced, free = Endpoint(name="Lab", **prices), Endpoint(name="Own machine")
    known = (
        (COUNTED, priced),
        (COUNTED, free),
        (UNCOUNTED, priced),
        (OF_CASE, free),
        (None, priced),
        (None, None),
    )
    texts: list[str] = []
    for question in QUESTIONS:
        words = PlanningWords(question=question, numbers=number_writer(language))
        for answer in answer_question(question):
            texts += words.explain_answer(answer)
        for pace, endpoint in known:
            texts += words.explain_outlay(pace, endpoint)
        texts += words.list_caveats()
    return texts
