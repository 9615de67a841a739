"""Sentences on the stopping rule as it was locked, and on the decision of an anytime test against its threshold.

They are part of `casebook.sentences.SENTENCES`, by whose rules they are written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

RULE_SENTENCES: dict[str, Any] = {
    # --- the stopping rule, as locked ---------------------------------------------------------------------------
    "rule.fixed": ngettext_lazy(
        "Fixed before the first counted run: stop at %(runs)s labelled run.",
        "Fixed before the first counted run: stop at %(runs)s labelled runs.",
        "n",
    ),
    "rule.precision": ngettext_lazy(
        "Fixed before the first counted run: stop as soon as the interval is no wider than ±%(half_width)s "
        "percentage points, not before %(min_runs)s labelled runs; at most %(max_runs)s run is needed.",
        "Fixed before the first counted run: stop as soon as the interval is no wider than ±%(half_width)s "
        "percentage points, not before %(min_runs)s labelled runs; at most %(max_runs)s runs are needed.",
        "n",
    ),
    "rule.anytime": _(
        "Fixed before the first counted run: an interval that stays valid however often one looks and whenever one "
        "stops; labelled runs: %(max_runs)s."
    ),
    "rule.anytime_threshold": _(
        "Fixed before the first counted run: stop as soon as it is decided whether the true share is over or under "
        "%(threshold)s; labelled runs: at least %(min_runs)s, at most %(max_runs)s."
    ),
    "rule.anytime_width": _(
        "Fixed before the first counted run: stop as soon as the interval, which stays valid however often one looks, "
        "is no wider than ±%(half_width)s percentage points; labelled runs: at least %(min_runs)s, at most "
        "%(max_runs)s."
    ),
    "rule.anytime_both": _(
        "Fixed before the first counted run: stop as soon as it is decided whether the true share is over or under "
        "%(threshold)s, or the interval is no wider than ±%(half_width)s percentage points; labelled runs: at least "
        "%(min_runs)s, at most %(max_runs)s."
    ),
    "rule.limit": ngettext_lazy(
        "Each arm ends after %(limit)s run at the latest, whether or not the answers have a label.",
        "Each arm ends after %(limit)s runs at the latest, whether or not the answers have a label.",
        "n",
    ),
    "rule.limit_own": ngettext_lazy(
        "Each arm ends at the latest after %(limit)s run, whether or not the answers have a label; an arm with a "
        "number of runs of its own, after twice that number.",
        "Each arm ends at the latest after %(limit)s runs, whether or not the answers have a label; an arm with a "
        "number of runs of its own, after twice that number.",
        "n",
    ),
    # --- the decision of an anytime test against its threshold --------------------------------------------------
    "decision.more": _(
        "Decided: the true share is over %(threshold)s. The e-value against “%(threshold)s or less” is %(e_above)s; "
        "%(e_needed)s or more decides."
    ),
    "decision.more_meaning": _(
        "If the true share were %(threshold)s or less, at most %(miss)s of such tests would decide that it is more, "
        "however often one looks."
    ),
    "decision.less": _(
        "Decided: the true share is under %(threshold)s. The e-value against “%(threshold)s or more” is %(e_below)s; "
        "%(e_needed)s or more decides."
    ),
    "decision.less_meaning": _(
        "If the true share were %(threshold)s or more, at most %(miss)s of such tests would decide that it is less, "
        "however often one looks."
    ),
    "decision.undecided": _(
        "Not decided: whether the true share is over or under %(threshold)s. The e-value is %(e_above)s against "
        "“%(threshold)s or less” and %(e_below)s against “%(threshold)s or more”; %(e_needed)s or more decides."
    ),
    "decision.undecided_meaning": _(
        "It does not follow that the true share is close to %(threshold)s. A decision also takes the least number of "
        "runs that the protocol names."
    ),
}
