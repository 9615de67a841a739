"""Sentences of “How many runs do I need?”: what each kind of rule takes, and what the numbers do not promise.

They are part of `casebook.sentences.SENTENCES`, by whose rules they are written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

PLANNING_SENTENCES: dict[str, Any] = {
    # --- a width --------------------------------------------------------------------------------------------------
    "planning.width.fixed": ngettext_lazy(
        "After %(runs)s labelled run the %(level)s interval is no wider than ±%(width)s percentage points, whatever "
        "the share of errors is.",
        "After %(runs)s labelled runs the %(level)s interval is no wider than ±%(width)s percentage points, whatever "
        "the share of errors is.",
        "n",
    ),
    "planning.width.precision": _(
        "The plan of ±%(plan)s percentage points takes %(least)s to %(greatest)s labelled runs on average, depending "
        "on the true share of errors, and never more than %(most)s."
    ),
    "planning.width.no_plan": _(
        "No plan with a %(level)s interval as narrow as ±%(width)s percentage points is on offer."
    ),
    "planning.width.anytime": _(
        "The %(level)s confidence sequence takes %(least)s to %(greatest)s labelled runs on average to become as "
        "narrow as ±%(width)s percentage points, depending on the true share of errors, and never more than %(most)s."
    ),
    # --- a bound, no error having occurred ------------------------------------------------------------------------
    "planning.bound.fixed": ngettext_lazy(
        "If %(runs)s labelled run is not an error, the true share is at most %(bound)s with %(level)s confidence, as "
        "a one-sided bound.",
        "If none of %(runs)s labelled runs is an error, the true share is at most %(bound)s with %(level)s confidence, "
        "as a one-sided bound.",
        "n",
    ),
    "planning.bound.precision": ngettext_lazy(
        "Without an error the plan of ±%(plan)s percentage points stops after %(runs)s labelled run, and its %(level)s "
        "interval then ends at %(high)s.",
        "Without an error the plan of ±%(plan)s percentage points stops after %(runs)s labelled runs, and its "
        "%(level)s interval then ends at %(high)s.",
        "n",
    ),
    "planning.bound.precision_short": ngettext_lazy(
        "Not suited: without an error even the narrowest plan on offer, ±%(plan)s percentage points, stops after "
        "%(runs)s labelled run, and its %(level)s interval then ends at %(high)s.",
        "Not suited: without an error even the narrowest plan on offer, ±%(plan)s percentage points, stops after "
        "%(runs)s labelled runs, and its %(level)s interval then ends at %(high)s.",
        "n",
    ),
    "planning.bound.anytime": ngettext_lazy(
        "If %(runs)s labelled run is not an error, the %(level)s confidence sequence ends at %(bound)s or below.",
        "If none of %(runs)s labelled runs is an error, the %(level)s confidence sequence ends at %(bound)s or below.",
        "n",
    ),
    "planning.bound.threshold": ngettext_lazy(
        "With %(bound)s as the threshold, %(runs)s labelled run without an error decides that the true share is under "
        "it, and the test ends. With errors it takes longer, or nothing is decided.",
        "With %(bound)s as the threshold, %(runs)s labelled runs without an error decide that the true share is under "
        "it, and the test ends. With errors it takes longer, or nothing is decided.",
        "n",
    ),
    "planning.bound.no_error": _(
        "These numbers hold only if no error occurs. After a single error the bound lies higher."
    ),
    # --- two arms -------------------------------------------------------------------------------------------------
    "planning.arms.fixed": ngettext_lazy(
        "If the true shares are %(a)s and %(b)s, Fisher’s exact test at %(alpha)s shows the difference with a chance "
        "of at least %(power)s once each arm has %(runs)s labelled run.",
        "If the true shares are %(a)s and %(b)s, Fisher’s exact test at %(alpha)s shows the difference with a chance "
        "of at least %(power)s once each arm has %(runs)s labelled runs.",
        "n",
    ),
    "planning.arms.precision": _(
        "No number can be named beforehand: each arm ends as soon as its own interval is narrow enough, whether or not "
        "the arms differ."
    ),
    "planning.arms.anytime": ngettext_lazy(
        "If the true shares are %(a)s and %(b)s, the %(level)s interval of the difference, made of two confidence "
        "sequences, shows it with a chance of at least %(power)s once each arm has %(runs)s labelled run.",
        "If the true shares are %(a)s and %(b)s, the %(level)s interval of the difference, made of two confidence "
        "sequences, shows it with a chance of at least %(power)s once each arm has %(runs)s labelled runs.",
        "n",
    ),
    "planning.arms.family": _(
        "These numbers are for one comparison. If a test has several further arms, its p-values are adjusted for their "
        "number, and each comparison needs more runs."
    ),
    # --- limits and caveats ---------------------------------------------------------------------------------------
    "planning.too_many": _(
        "It may take more than %(limit)s labelled runs, and no more are offered for this."
    ),
    "planning.level": _(
        "Tests by this rule are locked at a level of %(level)s, so this one cannot be taken over."
    ),
    "planning.labelled": _(
        "Only runs labelled “error” or “no error” are counted. Answers without a label come on top."
    ),
    "planning.average": _(
        "An average is no promise: a single test may take more runs, up to the largest number."
    ),
    "planning.scope": _(
        "All this is for one prompt, sent to one build of a model with the same settings throughout."
    ),
    # --- time and cost --------------------------------------------------------------------------------------------
    "planning.outlay.arm": _("Time, tokens and cost are those of one arm, its determinism audit included."),
    "planning.outlay.arms": _(
        "Time, tokens and cost are those of both arms, their determinism audit included."
    ),
    "planning.pace.own": ngettext_lazy(
        "Judging by %(tries)s exploratory run of this draft, a run is finished every %(seconds)s s.",
        "Judging by %(tries)s exploratory runs of this draft, a run is finished every %(seconds)s s.",
        "n",
    ),
    "planning.pace.case": _(
        "Judging by earlier tests of this case on this endpoint with this model, a run is finished every %(seconds)s s."
    ),
    "planning.pace.earlier": _(
        "Judging by tests of other cases on this endpoint with this model, whose prompts and answers may be shorter or "
        "longer, a run is finished every %(seconds)s s."
    ),
    "planning.pace.unknown": _(
        "Time and cost are not known: nothing was run yet on this endpoint with this model. A few exploratory runs "
        "will tell."
    ),
    "planning.pace.no_endpoint": _("Time and cost depend on the endpoint: choose one."),
    "planning.tokens.known": _(
        "On average a run takes %(prompt)s tokens for the prompt and %(answer)s for the answer."
    ),
    "planning.tokens.unknown": _(
        "The endpoint does not say how many tokens a run takes, so no cost is given."
    ),
    "planning.price.known": _(
        "The cost follows from the prices of the endpoint: %(prompt)s for a million prompt tokens, %(answer)s for a "
        "million answer tokens."
    ),
    "planning.price.unknown": _("No price is set for this endpoint, so tokens are given and no cost."),
}
