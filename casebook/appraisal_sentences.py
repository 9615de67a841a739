"""Sentences of an appraisal: measured facts beside the five explanations, many uses, strength of evidence, cost.

They are part of `casebook.sentences.SENTENCES`, by whose rules they are written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

APPRAISAL_SENTENCES: dict[str, Any] = {
    "appraisal.deterministic": _(
        "At these settings nothing is left to chance: the runs are one observation, and nothing is computed from "
        "their number."
    ),
    "appraisal.unlabelled": _("No counted run has a label, so nothing is computed."),
    # --- five explanations: the measured facts that bear on each -------------------------------------------------
    "rival.chance": ngettext_lazy(
        "If the true share were %(share)s, %(runs)s run would show no error with a probability of %(chance)s.",
        "If the true share were %(share)s, %(runs)s runs would show no error with a probability of %(chance)s.",
        "n",
    ),
    "rival.needed": _(
        "Runs without an error, their number fixed beforehand, that bring the one-sided bound down to %(share)s: "
        "%(needed)s."
    ),
    "rival.needed_sequence": _(
        "Runs without an error that bring the end of the confidence sequence down to %(share)s: %(needed)s."
    ),
    "rival.single": _(
        "A single rerun of the prompt shows no error with a probability of %(miss)s (%(level)s interval: %(low)s to "
        "%(high)s)."
    ),
    "rival.dated": _(
        "The incident is dated %(incident)s; the runs were made %(between)s. Which model answered in the incident was "
        "not measured."
    ),
    "rival.undated": _(
        "The incident has no recorded date; the runs were made %(between)s. Which model answered in the incident was "
        "not measured."
    ),
    "rival.changed_prompt": _("The messages sent differ from those recorded in the incident."),
    "rival.system": _("The messages sent begin with a system prompt."),
    "rival.no_system": _(
        "No system prompt was sent. Whatever the product put before the conversation is missing."
    ),
    "rival.bare": _("A run has no memory of other conversations, no search and no tools."),
    "rival.variant": _(
        "Every run of the primary arm went to one model: %(model)s. The region, the account and the variant of the "
        "incident were not measured."
    ),
    "rival.exhibits": ngettext_lazy(
        "The case has %(count)s exhibit. Its hash shows that the file was not altered since it arrived, not that it "
        "is genuine.",
        "The case has %(count)s exhibits. Their hashes show that the files were not altered since they arrived, not "
        "that they are genuine.",
        "n",
    ),
    "rival.no_exhibits": _(
        "The case has no exhibit: the conversation is what the case team typed or pasted."
    ),
    "rival.detector": _(
        "Besides these five: the detector may have missed the error. Its rule and the answers are shown with the "
        "result; counted runs without a label: %(unlabelled)s."
    ),
    # --- many uses ----------------------------------------------------------------------------------------------
    "exposure.chance": ngettext_lazy(
        "At the measured share, %(uses)s use would meet the error with a probability of %(chance)s; the result’s "
        "%(level)s interval allows from %(low)s to %(high)s.",
        "At the measured share, at least one of %(uses)s uses would meet the error with a probability of %(chance)s; "
        "the result’s %(level)s interval allows from %(low)s to %(high)s.",
        "n",
    ),
    "exposure.chance_same": ngettext_lazy(
        "At the measured share, %(uses)s use would meet the error with a probability of %(chance)s; at both ends of "
        "the result’s %(level)s interval the probability is %(low)s.",
        "At the measured share, at least one of %(uses)s uses would meet the error with a probability of %(chance)s; "
        "at both ends of the result’s %(level)s interval the probability is %(low)s.",
        "n",
    ),
    "exposure.expected": _(
        "The expected number of errors among them is %(expected)s; the interval allows from %(low)s to %(high)s."
    ),
    "exposure.zero": ngettext_lazy(
        "No error was measured. For %(uses)s use the result’s %(level)s interval allows any probability from %(low)s "
        "to %(high)s that it meets the error, and up to %(expected)s expected errors.",
        "No error was measured. For %(uses)s uses the result’s %(level)s interval allows any probability from %(low)s "
        "to %(high)s that at least one meets the error, and up to %(expected)s expected errors.",
        "n",
    ),
    "exposure.silent": ngettext_lazy(
        "So many runs without an error (%(runs)s) say nothing about %(uses)s use.",
        "So many runs without an error (%(runs)s) say nothing about %(uses)s uses.",
        "n",
    ),
    "exposure.all": ngettext_lazy(
        "Every counted run showed the error. For %(uses)s use the result’s %(level)s interval allows any probability "
        "from %(low)s to %(high)s that it meets the error, and %(expected)s expected errors or more.",
        "Every counted run showed the error. For %(uses)s uses the result’s %(level)s interval allows any probability "
        "from %(low)s to %(high)s that at least one meets the error, and %(expected)s expected errors or more.",
        "n",
    ),
    "exposure.sequence": _("The interval is the confidence sequence, which holds whenever the test ended."),
    "exposure.caveat": _(
        "This is arithmetic, not a measurement: it assumes that every use is this very prompt, independent of the "
        "others, at the same share. Where the share differs between uses, the probability is higher than the one for "
        "their mean share; where one build of unknown share serves all uses, averaging over it gives a lower one."
    ),
    # --- strength of evidence -----------------------------------------------------------------------------------
    "evidence.e_values": _(
        "The e-value against “%(threshold)s or less” is %(e_above)s, against “%(threshold)s or more” %(e_below)s."
    ),
    "evidence.e_meaning": _(
        "An e-value is what a stake of one has become in a fair bet against the statement. If the statement is true, "
        "it ever reaches %(needed)s with a probability of at most %(miss)s, however often one looks and whenever one "
        "stops."
    ),
    "evidence.afterwards": _(
        "The threshold of %(threshold)s was chosen after the result was known. The guarantee does not cover that "
        "choice, so that nothing is decided here."
    ),
    "evidence.beforehand": _(
        "The protocol named the threshold of %(threshold)s before the first counted run."
    ),
    "evidence.over": _(
        "The findings are %(factor)s times more probable if the true share is over %(threshold)s than if it is "
        "%(threshold)s or less."
    ),
    "evidence.not_over": _(
        "The findings are %(factor)s times more probable if the true share is %(threshold)s or less than if it is "
        "over %(threshold)s."
    ),
    "evidence.even": _(
        "The findings are about as probable if the true share is over %(threshold)s as if it is %(threshold)s or less."
    ),
    "evidence.prior": _(
        "This factor, a Bayes factor, depends on how the possible shares are weighed beforehand and on the threshold: "
        "the table gives two weightings and further thresholds. It is not the probability that the share is over the "
        "threshold."
    ),
    # --- the loss from which a costlier arm pays ------------------------------------------------------------------
    "loss.pays": ngettext_lazy(
        "If arm %(arm)s costs %(cost)s more than arm %(other)s over %(uses)s use, it pays where one error costs "
        "%(loss)s or more; the %(level)s interval of the difference allows from %(low)s to %(high)s.",
        "If arm %(arm)s costs %(cost)s more than arm %(other)s over %(uses)s uses, it pays where one error costs "
        "%(loss)s or more; the %(level)s interval of the difference allows from %(low)s to %(high)s.",
        "n",
    ),
    "loss.not_estimable": _(
        "The interval of the difference between arm %(arm)s and arm %(other)s includes zero, so the loss from which "
        "arm %(arm)s pays is not estimable."
    ),
    "loss.none": _(
        "In arm %(arm)s the share of errors was higher than in arm %(other)s: there is no loss from which it would "
        "pay."
    ),
    "loss.meaning": _(
        "What an error costs was not measured, nor whether anybody had to bear the cost of avoiding it. The same "
        "assumptions hold as for many uses."
    ),
}
