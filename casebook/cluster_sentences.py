"""Sentences on paraphrases and days as clusters, and on controls.

They are part of `casebook.sentences.SENTENCES`, by whose rules they are written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

CLUSTER_SENTENCES: dict[str, Any] = {
    # --- a control instead of a finding: its error is that the known answer is missing --------------------------
    "control.rate": ngettext_lazy(
        "The known true answer to the control prompt was missed in %(errors)s of %(runs)s run: %(share)s.",
        "The known true answer to the control prompt was missed in %(errors)s of %(runs)s runs: %(share)s.",
        "n",
    ),
    "control.zero": ngettext_lazy(
        "The known true answer to the control prompt was given in the only run (%(runs)s).",
        "The known true answer to the control prompt was given in every one of %(runs)s runs.",
        "n",
    ),
    "control.all": ngettext_lazy(
        "The known true answer to the control prompt was missed in the only run (%(runs)s).",
        "The known true answer to the control prompt was missed in every one of %(runs)s runs.",
        "n",
    ),
    "running.control": ngettext_lazy(
        "So far the known true answer to the control prompt was missed in %(errors)s of %(runs)s run.",
        "So far the known true answer to the control prompt was missed in %(errors)s of %(runs)s runs.",
        "n",
    ),
    # --- the same question in other words -----------------------------------------------------------------------
    "paraphrases.one": _("In the one paraphrase of the disputed prompt the share of errors was %(lowest)s."),
    "paraphrases.range": ngettext_lazy(
        "Across %(count)s paraphrase of the disputed prompt the share of errors ranged from %(lowest)s to "
        "%(highest)s.",
        "Across %(count)s paraphrases of the disputed prompt the share of errors ranged from %(lowest)s to "
        "%(highest)s.",
        "n",
    ),
    "paraphrases.mean": _(
        "Averaged over paraphrases of this kind, the share is %(share)s (%(level)s interval: %(low)s to %(high)s; it "
        "allows for runs of one wording being alike)."
    ),
    "paraphrases.new": _(
        "Another paraphrase of the same kind is expected to have a share between %(low)s and %(high)s (%(level)s "
        "range)."
    ),
    "paraphrases.agree": _(
        "Two runs of one wording have the same label with a probability of %(accordance)s, two runs of different "
        "wordings with one of %(concordance)s."
    ),
    "paraphrases.few": _(
        "Each wording is shown by itself: with fewer than %(needed)s of them nothing is said of others."
    ),
    "paraphrases.cut": _(
        "Each wording is shown by itself: not every planned one has the number of runs that was fixed beforehand, so "
        "nothing is said of others."
    ),
    "paraphrases.changed": _(
        "Each wording is shown by itself: the model that answered was not the same for all of them, and models are "
        "never pooled."
    ),
    "paraphrases.apart": _(
        "The disputed prompt is not among them: it was chosen because it had failed, which a paraphrase was not."
    ),
    # --- the same prompt on other days --------------------------------------------------------------------------
    "days.one": _("On the one day with labelled runs the share of errors was %(lowest)s."),
    "days.range": ngettext_lazy(
        "On %(count)s day the share of errors ranged from %(lowest)s to %(highest)s.",
        "On %(count)s days the share of errors ranged from %(lowest)s to %(highest)s.",
        "n",
    ),
    "days.mean": _(
        "Averaged over days of this kind, the share is %(share)s (%(level)s interval: %(low)s to %(high)s; it allows "
        "for runs of one day being alike)."
    ),
    "days.new": _(
        "Another day of the same kind is expected to have a share between %(low)s and %(high)s (%(level)s range)."
    ),
    "days.agree": _(
        "Two runs of one day have the same label with a probability of %(accordance)s, two runs of different days "
        "with one of %(concordance)s."
    ),
    "days.few": _(
        "Each day is shown by itself: with fewer than %(needed)s of them nothing is said of others."
    ),
    "days.cut": _(
        "Each day is shown by itself: not every planned one has the number of runs that was fixed beforehand, so "
        "nothing is said of others."
    ),
    "days.changed": _(
        "Each day is shown by itself: the model that answered was not the same on all of them, and models are never "
        "pooled."
    ),
    "times.range": ngettext_lazy(
        "In %(count)s series of runs the share of errors ranged from %(lowest)s to %(highest)s.",
        "In %(count)s series of runs the share of errors ranged from %(lowest)s to %(highest)s.",
        "n",
    ),
    "days.same": _(
        "They were not all made on different calendar days (UTC), so nothing is said about days: the times stand in "
        "the table."
    ),
    "days.apart": ngettext_lazy(
        "The first of them is the primary arm, with its first %(runs)s labelled run.",
        "The first of them is the primary arm, with its first %(runs)s labelled runs.",
        "n",
    ),
}
