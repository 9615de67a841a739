"""What the recorded answers of an arm look like: groups, how diverse they are, whether their two halves differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ensemble.detectors.normalise import group_key
from ensemble.models import Run
from ensemble.protocol import Label, encode_text, sha256_hex
from ensemble.run_facts import RunFacts, count_labels
from ensemble.stats.comparison import fisher
from ensemble.stats.diversity import (
    chao1,
    effective_answers,
    entropy,
    novelty_bound,
    repeat_probability,
    unseen_mass,
)
from ensemble.stats.sequential import confidence_sequence

GROUPS_SHOWN = 50
GROUP_TEXT_CHARACTERS = 2000
DRIFT_ALPHA = 0.01  # of the test whether the halves differ: an alarm that seldom rings without cause


def describe_groups(runs: Sequence[RunFacts]) -> dict[str, Any]:
    """Answers grouped by normalised text, the most frequent first; ties in seed order."""
    groups: dict[tuple[str, str], list[RunFacts]] = {}
    for run in runs:
        groups.setdefault((run.group_sha256, run.label), []).append(run)
    ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0].index))
    shown = ordered[:GROUPS_SHOWN]
    texts = dict(Run.objects.filter(pk__in=[group[0].pk for group in shown]).values_list("pk", "text"))
    return {
        "groups": [
            {
                "text": texts[group[0].pk][:GROUP_TEXT_CHARACTERS],
                "characters": len(texts[group[0].pk]),
                "count": len(group),
                "label": group[0].label,
                "first_index": group[0].index,
            }
            for group in shown
        ],
        "groups_total": len(ordered),
        "distinct_answers": len({run.answer_sha256 for run in runs}),
    }


def describe_diversity(runs: Sequence[RunFacts], level: float) -> dict[str, Any]:
    """How many answers the runs amount to, in seed order, answers being the same after normalisation.

    `novelty_bound` is the split rule's one-sided limit for the chance of an answer not seen in the first half.
    """
    answers = [run.group_sha256 for run in runs]
    counts = list(Counter(answers).values())
    half = len(answers) // 2
    return {
        "answers": len(answers),
        "groups": len(counts),
        "entropy": entropy(counts),
        "effective_answers": effective_answers(counts),
        "repeat_probability": repeat_probability(counts),
        "chao1": chao1(counts),
        "unseen_mass": unseen_mass(counts),
        "novelty_bound": novelty_bound(answers[:half], answers[half:], level) if half else None,
        "level": level,
    }


def count_named(runs: Sequence[RunFacts], answer: str, level: float) -> dict[str, Any] | None:
    """How often an answer that the protocol names was given, the same after normalisation; None without one.

    Its share has the confidence sequence, as the number of runs that have an answer is not fixed beforehand.
    """
    if not answer or not runs:
        return None
    named = sha256_hex(encode_text(group_key(answer)))
    count = sum(run.group_sha256 == named for run in runs)
    interval = confidence_sequence(count, len(runs), level)
    return {"count": count, "runs": len(runs), "low": interval.low, "high": interval.high, "level": level}


def compare_halves(runs: Sequence[RunFacts]) -> dict[str, Any] | None:
    """Whether the share of errors drifted: the first half against the second, by Fisher's exact test.

    None with fewer than two labelled runs. The binomial model asks for one share in all runs.
    """
    labelled = [run for run in runs if run.label in (Label.ERROR, Label.NO_ERROR)]
    half = len(labelled) // 2
    if not half:
        return None
    first, second = count_labels(labelled[:half]), count_labels(labelled[half:])
    p_value = fisher(first.errors, first.runs, second.errors, second.runs)
    return {
        "first": asdict(first),
        "second": asdict(second),
        "p_value": p_value,
        "alpha": DRIFT_ALPHA,
        "drifted": p_value < DRIFT_ALPHA,
    }
