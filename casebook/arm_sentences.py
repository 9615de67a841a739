"""Sentences on the model of an arm, how varied its answers are, whether its share drifted, and how arms differ.

They are part of `casebook.sentences.SENTENCES`, by whose rules they are written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

ARM_SENTENCES: dict[str, Any] = {
    # --- what the model tested is to the product of the incident ------------------------------------------------
    "model.embedded": _(
        "The model tested is the small demonstration model built into Casebook (%(model)s), not the product named in "
        "the incident."
    ),
    "model.endpoint": _(
        "The model tested is %(model)s at the endpoint “%(endpoint)s”. Whether it is the model of the product named "
        "in the incident is a statement of the operator; the test does not show it."
    ),
    "model.scripted": _(
        "No language model was tested: the answers were written beforehand, to test the instrument itself."
    ),
    "model.beyond": _(
        "The prompt is wholly or partly in Russian, which this model does not understand. Its answers to this prompt "
        "mean nothing."
    ),
    "variety.amount": _(
        "Answers: %(answers)s. By their frequencies they amount to %(effective)s equally frequent ones; two of them "
        "picked at random are the same with a probability of %(repeat)s."
    ),
    "variety.disputed": _(
        "The disputed answer itself, but for case, spaces and punctuation at its end, was given in %(count)s of "
        "%(runs)s runs (%(level)s confidence sequence of the share: %(low)s to %(high)s)."
    ),
    "variety.undisputed": _(
        "The disputed answer itself was not given word for word in any of the runs (%(runs)s; %(level)s confidence "
        "sequence of the share: %(low)s to %(high)s). An answer may hold the same error in other words."
    ),
    "variety.novelty": _(
        "With %(level)s confidence, a further run gives an answer not seen in the first half of the runs with a chance "
        "of at most %(bound)s."
    ),
    "variety.unseen": _(
        "Estimated from the answers seen once: a further run gives one not seen in any run with a chance of "
        "%(unseen)s, and there are about %(chao)s different answers or more."
    ),
    "drift.seen": _(
        "Of the labelled runs, the first half had %(first)s errors of %(first_runs)s, the second %(second)s of "
        "%(second_runs)s (Fisher’s exact test, %(p)s; the alarm is set at %(alpha)s). The share may have changed "
        "during the test; one rate for all runs is then an average."
    ),
    "drift.none": _(
        "Of the labelled runs, the first half had %(first)s errors of %(first_runs)s, the second %(second)s of "
        "%(second_runs)s: no change of the share during the test is shown (Fisher’s exact test, %(p)s)."
    ),
    # --- arms against the primary one ---------------------------------------------------------------------------
    "comparison.differ": _(
        "In arm %(arm)s the share of errors was %(difference)s than in arm %(other)s (%(level)s interval of the "
        "difference: %(range)s)."
    ),
    "comparison.not_shown": _(
        "Between arm %(arm)s and arm %(other)s no difference is shown; that is not proof that there is none "
        "(%(level)s interval of the difference, arm %(arm)s against arm %(other)s: %(range)s)."
    ),
    "comparison.unclear": _(
        "The interval and the adjusted p-value do not agree here; a difference counts as shown only when both show it."
    ),
    "comparison.unknown": _(
        "Arm %(arm)s and arm %(other)s cannot be compared: one of them has no labelled run."
    ),
    "comparison.sequences": _(
        "Each interval comes from the confidence sequences of two arms and holds whenever they stopped. There is no "
        "p-value."
    ),
    "comparison.family": _(
        "Comparisons in this test: %(count)s. Each interval holds for itself, not for all of them together."
    ),
}
