"""docs/sentences.md: every sentence about a number, with its use and an example of a real result, in both languages.

`make sentences` writes the document anew; a test fails while it is stale. The examples come from the results of
`report_shapes.SHAPES`, rendered by the code of the reports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "sentences.md"
LANGUAGES = {"en": "English", "ru": "Russian"}
# Numbers that bring out every plural form of both languages.
FORMS = {"en": (1, 2), "ru": (1, 2, 5)}
HEAD = """\
# Sentences about numbers

Pages and reports state a number in one of these {count} sentences and in no other. Each has an id, one shape of result
for which it is used, and a reviewed text in English and Russian; `{{name}}` stands for a number that is written in the
language of the reader. Where the text follows a count, every form is given. Examples are of the results with which the
tests render every report. None of the sentences makes a claim that the report says must not be made; the test suite
looks for such claims in all of them. `make sentences` writes this page: whoever adds or changes a sentence says in
`tests/casebook/sentence_uses.py` when it is used, sees to it that an example needs it, and runs it.
"""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A sentence as some result of an example needed it."""

    sentence_id: str
    n: int | None
    facts: dict[str, str]
    shape: str


@contextmanager
def record_sentences(found: list[Written], shape: str) -> Iterator[None]:
    """Note every sentence that is written meanwhile, whichever module writes it."""
    from casebook.sentences import write_sentence

    def record(sentence_id: str, n: int | None = None, /, **facts: str) -> str:
        found.append(Written(sentence_id=sentence_id, n=n, facts=facts, shape=shape))
        return write_sentence(sentence_id, n, **facts)

    users = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("casebook.") and getattr(module, "write_sentence", None) is write_sentence
    ]
    with ExitStack() as stack:
        for module in users:
            if module.__name__ != "casebook.sentences":
                stack.enter_context(patch.object(module, "write_sentence", record))
        yield


def record_examples(language: str) -> list[Written]:
    """Every sentence of the reports on all shapes of results, and of the pages of running tests."""
    from django.utils import translation

    from casebook import progress  # noqa: F401  what is not imported yet cannot be recorded
    from casebook.report_numbers import number_writer
    from casebook.reporting.annex import load_validation
    from casebook.reporting.appraisal import build_appraisal
    from casebook.reporting.view import build_view
    from tests.casebook.appraisal_examples import list_every_shape as list_appraised
    from tests.casebook.planning_examples import write_planning
    from tests.casebook.report_examples import (
        make_context,
        make_context_with_a_wrong_seed,
        make_hostile_context,
    )
    from tests.casebook.report_shapes import SHAPES

    contexts = {shape: make_context(shape, language) for shape in SHAPES}
    contexts |= {"wrong seed": make_context_with_a_wrong_seed(language)}
    contexts |= {"hostile texts": make_hostile_context(language)}
    contexts |= {"validation": replace(contexts["middle"], validation=load_validation())}
    found: list[Written] = []
    numbers = number_writer(language)
    with translation.override(language):
        for shape, context in contexts.items():
            with record_sentences(found, shape):
                build_view(context)
        with record_sentences(found, "appraisal"):
            for context in list_appraised(language):
                build_appraisal(context, numbers)
        with record_sentences(found, "planning"):
            write_planning(language)
        with record_sentences(found, "running test"):
            write_pages(contexts, language)
        with record_sentences(found, "planning"):
            write_planning(language)
    return found


def write_pages(contexts: dict[str, Any], language: str) -> None:
    """What the pages of running tests say and reports do not."""
    from casebook import progress
    from casebook.report_numbers import number_writer
    from casebook.reporting import claims
    from casebook.reporting.context import find_primary
    from ensemble.models import ArmProgress
    from ensemble.protocol import StoppingRule

    numbers = number_writer(language)
    for context in contexts.values():
        arm = find_primary(context.result)
        for kind in ("", "rule", "limit"):
            unsealed = {**arm, "stop": {"kind": kind, "reason": ""}}
            claims.write_running(unsealed, context.result["protocol"]["stopping"]["kind"], numbers)
        claims.write_running_groups(arm, numbers)
        for each in context.result["arms"]:
            claims.write_running(each, each["stopping"]["kind"], numbers)
    rule = StoppingRule(kind="fixed", runs=100)
    arms = [ArmProgress(position=place, prefix=60, runs=40, errors=10, unlabelled=20) for place in (0, 1)]
    for some in (arms[:1], arms):
        experiment: Any = SimpleNamespace(protocol=SimpleNamespace(rule_of=lambda _position: rule, arms=some))
        progress._warn_of_missing_labels(experiment, some, numbers)


def choose_examples(written: list[Written]) -> dict[str, Written]:
    """For each sentence the first use, if possible one that counts more than one thing in an ordinary case."""
    best: dict[str, tuple[bool, bool]] = {}
    chosen: dict[str, Written] = {}
    for use in written:
        rank = (use.shape != "hostile texts", use.n is None or use.n > 1)
        if use.sentence_id not in chosen or rank > best[use.sentence_id]:
            best[use.sentence_id], chosen[use.sentence_id] = rank, use
    return chosen


class Blanks(dict[str, Any]):
    """Facts of which each is its own name in braces."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def list_forms(sentence_id: str, language: str) -> dict[str, str]:
    """The texts of a sentence with blanks for the facts, keyed by the count that brings them out if it matters."""
    from django.utils import translation

    from casebook.sentences import SENTENCES

    with translation.override(language):
        forms = {str(n): str(SENTENCES[sentence_id] % Blanks(n=n)) for n in FORMS[language]}
    return forms if len(set(forms.values())) > 1 else {"": forms["1"]}


def list_unexplained() -> list[str]:
    from casebook.sentences import SENTENCES
    from tests.casebook.sentence_uses import USES

    return [sentence_id for sentence_id in SENTENCES if sentence_id not in USES]


def write_document() -> str:
    """The text of docs/sentences.md. Raises `LookupError` for a sentence without a use or an example."""
    from casebook.sentences import SENTENCES
    from tests.casebook.sentence_uses import GROUPS, USES

    examples = {language: choose_examples(record_examples(language)) for language in LANGUAGES}
    problems = [
        *(f"{each}: say in tests/casebook/sentence_uses.py when it is used" for each in list_unexplained()),
        *(
            f"{each}: its group needs a heading there"
            for each in SENTENCES
            if each.partition(".")[0] not in GROUPS
        ),
        *(
            f"{each}: no result in tests/casebook/report_shapes.py needs it"
            for each in SENTENCES
            if any(each not in found for found in examples.values())
        ),
    ]
    if problems:
        raise LookupError("\n" + "\n".join(problems))
    parts = [HEAD.format(count=len(SENTENCES))]
    for group, heading in GROUPS.items():
        ids = [each for each in SENTENCES if each.partition(".")[0] == group]
        if ids:
            parts.append(f"## {heading}\n")
        parts += [write_entry(each, USES[each], examples) for each in ids]
    return "\n".join(parts)


def write_entry(sentence_id: str, use: str, examples: dict[str, dict[str, Written]]) -> str:
    from django.utils import translation

    from casebook.sentences import write_sentence

    lines = [f"### {sentence_id}", use, ""]
    for language, name in LANGUAGES.items():
        for number, text in list_forms(sentence_id, language).items():
            lines.append(f"- {name}{f', {number}' if number else ''}: {text}")
        example = examples[language][sentence_id]
        with translation.override(language):
            written = write_sentence(sentence_id, example.n, **example.facts)
        lines.append(f"- Example (“{example.shape}”): *{written}*")
    return "\n".join(lines) + "\n"


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "casebook.settings")
    django.setup()
    DOCUMENT.write_text(write_document(), encoding="utf-8")
    print(f"written: {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
