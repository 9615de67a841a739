"""Every sentence in which a report states a number, by id. Nothing else composes claims.

One template per shape of result, reviewed in both languages. `n` is the count that the plural form follows; all other
facts arrive as finished strings (`casebook.reporting` writes numbers and shares in the report's language).
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from casebook.appraisal_sentences import APPRAISAL_SENTENCES
from casebook.arm_sentences import ARM_SENTENCES
from casebook.cluster_sentences import CLUSTER_SENTENCES
from casebook.planning_sentences import PLANNING_SENTENCES
from casebook.rule_sentences import RULE_SENTENCES
from casebook.validation_sentences import VALIDATION_SENTENCES

SENTENCES: dict[str, Any] = {
    # --- what was found: one of these stands at the top of page 1 and of each arm -------------------------------
    "finding.rate": ngettext_lazy(
        "The error recurred in %(errors)s of %(runs)s rerun of the prompt: %(share)s.",
        "The error recurred in %(errors)s of %(runs)s reruns of the prompt: %(share)s.",
        "n",
    ),
    "finding.zero": ngettext_lazy(
        "The error did not recur in %(runs)s rerun of the prompt.",
        "The error did not recur in any of %(runs)s reruns of the prompt.",
        "n",
    ),
    "finding.all": ngettext_lazy(
        "The error recurred in %(runs)s of %(runs)s rerun of the prompt.",
        "The error recurred in every one of %(runs)s reruns of the prompt.",
        "n",
    ),
    "finding.interim": ngettext_lazy(
        "Until the test ended early, the error had recurred in %(errors)s of %(runs)s rerun: %(share)s.",
        "Until the test ended early, the error had recurred in %(errors)s of %(runs)s reruns: %(share)s.",
        "n",
    ),
    "finding.interim_zero": ngettext_lazy(
        "Until the test ended early, the error had not recurred in %(runs)s rerun.",
        "Until the test ended early, the error had not recurred in any of %(runs)s reruns.",
        "n",
    ),
    "finding.interim_all": ngettext_lazy(
        "Until the test ended early, the error had recurred in %(runs)s of %(runs)s rerun.",
        "Until the test ended early, the error had recurred in every one of %(runs)s reruns.",
        "n",
    ),
    "finding.deterministic": ngettext_lazy(
        "At these settings nothing is left to chance, so %(runs)s rerun counts as one observation. The "
        "label was “error” in %(errors)s.",
        "At these settings nothing is left to chance, so %(runs)s reruns count as one observation. The "
        "label was “error” in %(errors)s of them.",
        "n",
    ),
    "finding.unlabelled": ngettext_lazy(
        "There is no rate: the detector could not label the %(count)s answer given.",
        "There is no rate: the detector could not label any of the %(count)s answers.",
        "n",
    ),
    "finding.no_runs": _("There is no rate: no counted run was finished."),
    # --- while a test runs: shown on its page only --------------------------------------------------------------
    "running.rate": ngettext_lazy(
        "So far the error recurred in %(errors)s of %(runs)s rerun: %(share)s.",
        "So far the error recurred in %(errors)s of %(runs)s reruns: %(share)s.",
        "n",
    ),
    "running.none": _("No run has been counted yet."),
    "running.unlabelled": ngettext_lazy(
        "%(unlabelled)s of the first %(runs)s runs has no label and brings the end no nearer. The test ends at the "
        "latest after %(limit)s runs, 2 × %(planned)s, with or without enough labels.",
        "%(unlabelled)s of the first %(runs)s runs have no label and bring the end no nearer. The test ends at the "
        "latest after %(limit)s runs, 2 × %(planned)s, with or without enough labels.",
        "n",
    ),
    "running.unlabelled_arms": ngettext_lazy(
        "%(unlabelled)s of the first %(runs)s runs of arm %(arm)s has no label and brings the end no nearer. That arm "
        "ends at the latest after %(limit)s runs, 2 × %(planned)s, with or without enough labels.",
        "%(unlabelled)s of the first %(runs)s runs of arm %(arm)s have no label and bring the end no nearer. That arm "
        "ends at the latest after %(limit)s runs, 2 × %(planned)s, with or without enough labels.",
        "n",
    ),
    "running.groups": ngettext_lazy(
        "%(total)s different answer so far.",
        "%(total)s different answers so far.",
        "n",
    ),
    "running.groups_drawn": ngettext_lazy(
        "%(total)s different answer so far; the figure shows the %(drawn)s most frequent.",
        "%(total)s different answers so far; the figure shows the %(drawn)s most frequent.",
        "n",
    ),
    "running.sequence": _(
        "While the test runs, only the %(level)s confidence sequence is shown: %(low)s to %(high)s. It stays valid "
        "however often one looks; the planned interval comes when the locked rule is met."
    ),
    "running.met": _(
        "The rule is met: the planned interval comes with the sealed result. Until then only the %(level)s confidence "
        "sequence is shown: %(low)s to %(high)s."
    ),
    "running.missed": _(
        "The arm ended without meeting its rule, so there will be no planned interval. The %(level)s confidence "
        "sequence remains: %(low)s to %(high)s. It is valid whenever one stops."
    ),
    "running.anytime": _(
        "So far the %(level)s confidence sequence runs from %(low)s to %(high)s. It stays valid however often one "
        "looks and whenever one stops."
    ),
    "finding.varied": ngettext_lazy(
        "The answers differed nevertheless (%(count)s different one): something besides the sampling "
        "changed them.",
        "The answers differed nevertheless (%(count)s different ones): something besides the sampling "
        "changed them.",
        "n",
    ),
    # --- how sure: exactly one beside each finding --------------------------------------------------------------
    "interval.fixed": _(
        "The %(level)s interval for the true share runs from %(low)s to %(high)s. A method like this misses the "
        "true share in at most %(miss)s of tests."
    ),
    "interval.precision": _(
        "The %(level)s interval for the true share runs from %(low)s to %(high)s. It was worked out for "
        "exactly this stopping rule: wherever the rule may stop, the true share is missed in at most "
        "%(miss)s of tests."
    ),
    "interval.sequence": _(
        "The test did not reach its planned end, so only the confidence sequence is given: at %(level)s "
        "the true share lies between %(low)s and %(high)s, whenever one stops."
    ),
    "interval.anytime": _(
        "The %(level)s confidence sequence for the true share runs from %(low)s to %(high)s. However often one looks "
        "and whenever one stops, a sequence like this ever misses the true share in at most %(miss)s of tests."
    ),
    "interval.deterministic": _(
        "No interval is given: repeats of one observation do not make it more certain."
    ),
    "interval.none": _(
        "No interval is given: without labelled runs every share from %(low)s to %(high)s is possible."
    ),
    "share.meaning": _(
        "The true share is the share of all seeds for which this prompt, sent to this model with these settings, "
        "brings the error back."
    ),
    # --- none of n ----------------------------------------------------------------------------------------------
    "zero.compatible": ngettext_lazy(
        "0 of %(runs)s run is compatible with a true share of up to %(high)s. It does not show that the error "
        "cannot happen.",
        "0 of %(runs)s runs is compatible with a true share of up to %(high)s. It does not show that the error "
        "cannot happen.",
        "n",
    ),
    "zero.one_sided": _(
        "As a one-sided bound: with %(level)s confidence the true share is at most %(bound)s."
    ),
    # --- the determinism audit, as locked -----------------------------------------------------------------------
    "audit.planned": _("%(minimum)s seeds, or %(share)s of the counted runs if that is more."),
    # --- how the arm ended --------------------------------------------------------------------------------------
    "ended.rule": ngettext_lazy(
        "The rule was met after %(runs)s labelled run.",
        "The rule was met after %(runs)s labelled runs.",
        "n",
    ),
    "ended.undecided": ngettext_lazy(
        "The largest number of runs was reached, %(runs)s labelled run, and nothing was decided.",
        "The largest number of runs was reached, %(runs)s labelled runs, and nothing was decided.",
        "n",
    ),
    "ended.limit": ngettext_lazy(
        "The arm reached its limit of %(limit)s run without meeting the rule: too many answers had no label.",
        "The arm reached its limit of %(limit)s runs without meeting the rule: too many answers had no label.",
        "n",
    ),
    "reason.limit": ngettext_lazy(
        "%(runs)s run was made, without a label: %(unlabelled)s.",
        "%(runs)s runs were made, without a label: %(unlabelled)s.",
        "n",
    ),
    "ended.failed": _("The arm ended before its rule was met: a call kept failing."),
    "ended.identity": _("The arm was stopped: the model behind the endpoint changed while the test ran."),
    "ended.cancelled": _("The test was cancelled by its operator before the rule was met."),
    "ended.skipped": _("The arm was given up before its first run."),
    "ended.early": _("The test failed before the rule was met."),
    # --- the prompt ---------------------------------------------------------------------------------------------
    "prompt.verbatim": _("The messages sent are those recorded in the incident, word for word."),
    "prompt.changed": _(
        "The messages sent differ from those recorded in the incident; both are printed in this report."
    ),
    # --- answers without a label, refusals, what was finished besides -------------------------------------------
    "band.none": _("Every counted run has a label, so nothing had to be assumed about missing ones."),
    "band.some": ngettext_lazy(
        "%(count)s counted run has no label and is not in the share. Whatever it was, the true share lies between "
        "%(low)s and %(high)s, sampling error included.",
        "%(count)s counted runs have no label and are not in the share. Whatever they were, the true share lies "
        "between %(low)s and %(high)s, sampling error included.",
        "n",
    ),
    "band.absent": ngettext_lazy(
        "%(count)s counted run has no label and is not in the share.",
        "%(count)s counted runs have no label and are not in the share.",
        "n",
    ),
    "substantive.rate": ngettext_lazy(
        "Leaving refusals out, the error recurred in %(errors)s of %(runs)s answer: %(share)s, interval "
        "from %(low)s to %(high)s.",
        "Leaving refusals out, the error recurred in %(errors)s of %(runs)s answers: %(share)s, interval "
        "from %(low)s to %(high)s.",
        "n",
    ),
    "substantive.same": _("No answer was a refusal, so leaving refusals out changes nothing."),
    "substantive.plain": ngettext_lazy(
        "Leaving refusals out, the error recurred in %(errors)s of %(runs)s answer.",
        "Leaving refusals out, the error recurred in %(errors)s of %(runs)s answers.",
        "n",
    ),
    "completed.same": _("No run beyond the counted ones was finished."),
    "completed.more": ngettext_lazy(
        "Runs are made several at a time: %(more)s further run finished after the count had stopped. Over "
        "all finished runs the error recurred in %(errors)s of %(runs)s; confidence sequence from %(low)s "
        "to %(high)s.",
        "Runs are made several at a time: %(more)s further runs finished after the count had stopped. Over "
        "all finished runs the error recurred in %(errors)s of %(runs)s; confidence sequence from %(low)s "
        "to %(high)s.",
        "n",
    ),
    "completed.plain": ngettext_lazy(
        "Runs are made several at a time: %(more)s further run finished after the count had stopped. Over "
        "all finished runs the error recurred in %(errors)s of %(runs)s.",
        "Runs are made several at a time: %(more)s further runs finished after the count had stopped. Over "
        "all finished runs the error recurred in %(errors)s of %(runs)s.",
        "n",
    ),
    # --- determinism audit --------------------------------------------------------------------------------------
    "audit.none": _("No seed was repeated, so nothing is known about determinism."),
    "audit.identical": ngettext_lazy(
        "%(repeats)s seed was repeated and gave the identical text again.",
        "%(repeats)s seeds were repeated; every one gave the identical text again.",
        "n",
    ),
    "audit.some": ngettext_lazy(
        "%(repeats)s seed was repeated; identical text: %(identical)s, same label: %(same)s.",
        "%(repeats)s seeds were repeated; identical text: %(identical)s, same label: %(same)s.",
        "n",
    ),
    "audit.share": _(
        "The share of seeds that repeat exactly lies between %(low)s and %(high)s (%(level)s interval)."
    ),
    "audit.cache": _(
        "A server may keep what it worked out of the prompt in an earlier run and use it again, which can change an "
        "answer slightly. Runs in which it did so: %(warm)s; in which it did not: %(cold)s; not stated: %(unknown)s."
    ),
    # --- identity of the model ----------------------------------------------------------------------------------
    "identity.same": ngettext_lazy(
        "The endpoint reported the same model at the %(checks)s check made.",
        "The endpoint reported the same model at each of the %(checks)s checks made before, during and "
        "after the runs.",
        "n",
    ),
    "identity.once": _(
        "The endpoint was asked once which model it runs; a change after that would go unnoticed."
    ),
    "identity.changed": _(
        "The endpoint reported a different model during the test; the runs after that are not counted."
    ),
    "identity.not_asked": _("No run was made, so the model was not asked for its identity."),
    "identity.unknown": _("The endpoint does not say which model it runs."),
    "identity.gap": _("A change made and reversed between two checks would go unnoticed."),
    # --- answers and lists --------------------------------------------------------------------------------------
    "groups.all": ngettext_lazy(
        "%(total)s different answer was given.",
        "%(total)s different answers were given; all are shown.",
        "n",
    ),
    "groups.listed": ngettext_lazy(
        "%(total)s different answer was given; the figure shows the %(drawn)s most frequent, the list beneath all.",
        "%(total)s different answers were given; the figure shows the %(drawn)s most frequent, the list beneath all.",
        "n",
    ),
    "groups.some": ngettext_lazy(
        "%(total)s different answer was given; the figure shows the %(drawn)s most frequent, the list beneath the "
        "%(listed)s most frequent.",
        "%(total)s different answers were given; the figure shows the %(drawn)s most frequent, the list beneath the "
        "%(listed)s most frequent.",
        "n",
    ),
    "groups.none": _("No answer was given."),
    "seeds.duplicate": ngettext_lazy(
        "%(count)s run drew a seed that another run had drawn before. Seeds are drawn with replacement, so "
        "both count.",
        "%(count)s runs drew a seed that another run had drawn before. Seeds are drawn with replacement, "
        "so all count.",
        "n",
    ),
    "seeds.checked": ngettext_lazy(
        "Checked while this report was made: the %(count)s listed seed follows from the protocol hash.",
        "Checked while this report was made: all %(count)s listed seeds follow from the protocol hash.",
        "n",
    ),
    "seeds.wrong": ngettext_lazy(
        "Warning: %(count)s listed seed does not follow from the protocol hash.",
        "Warning: %(count)s listed seeds do not follow from the protocol hash.",
        "n",
    ),
    "calls.retried": ngettext_lazy(
        "%(count)s call failed and was made again with the same seed.",
        "%(count)s calls failed and were made again with the same seed.",
        "n",
    ),
    "calls.remade": ngettext_lazy(
        "%(count)s run may have been called twice, because a worker stopped midway; the answer recorded "
        "first is the one that counts.",
        "%(count)s runs may have been called twice, because a worker stopped midway; the answer recorded "
        "first is the one that counts.",
        "n",
    ),
    "runs.all": ngettext_lazy(
        "The %(total)s recorded run.", "All %(total)s recorded runs, in the order of their seeds.", "n"
    ),
    "runs.some": ngettext_lazy(
        "The first %(shown)s of %(total)s recorded run.",
        "The first %(shown)s of %(total)s recorded runs, in the order of their seeds. The others are in the attached "
        "result.json, as far as it lists them, and in the ledger.",
        "n",
    ),
    "runs.none": _("No run was recorded."),
    "turns.disputed": _("The disputed answer, printed below."),
    "turns.omitted": ngettext_lazy(
        "%(count)s turn of the conversation is left out here.",
        "%(count)s turns of the conversation are left out here.",
        "n",
    ),
    "text.cut_plain": ngettext_lazy(
        "Cut here: %(shown)s of %(total)s character shown.",
        "Cut here: %(shown)s of %(total)s characters shown.",
        "n",
    ),
    "text.cut": ngettext_lazy(
        "Cut here: %(shown)s of %(total)s character shown. SHA-256 of the whole text: %(sha256)s",
        "Cut here: %(shown)s of %(total)s characters shown. SHA-256 of the whole text: %(sha256)s",
        "n",
    ),
    **APPRAISAL_SENTENCES,
    **ARM_SENTENCES,
    **CLUSTER_SENTENCES,
    **PLANNING_SENTENCES,
    **RULE_SENTENCES,
    **VALIDATION_SENTENCES,
}


def write_sentence(sentence_id: str, n: int | None = None, /, **facts: str) -> str:
    """The sentence in the active language; `n` chooses the plural form. Raises `KeyError` for what is missing."""
    return str(SENTENCES[sentence_id] % {**facts, **({} if n is None else {"n": n})})
