"""Sentences of the annex that tells how the measuring itself was tested.

They are part of `casebook.sentences.SENTENCES`, by whose rules they are written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

VALIDATION_SENTENCES: dict[str, Any] = {
    "validation.made": _(
        "Complete tests made for each mode and each share in the table: %(tests)s (on %(date)s; %(software)s). As in a "
        "test of a case, a protocol was locked, seeds followed from its hash, answers came and got their labels, the "
        "rule stopped, and the result was sealed. Only the answers were scripted, so that the true share is known."
    ),
    "validation.rules": _(
        "Fixed number: %(fixed_runs)s labelled runs. Planned precision: ±%(half_width)s percentage points at "
        "%(level)s. Anytime: looked at after every run and ended by a decision against a threshold of "
        "%(threshold)s, or at %(max_runs)s runs."
    ),
    "validation.meaning": _(
        "Covered are the tests whose interval holds the true share. The intervals are stated at %(level)s: in the long "
        "run at least that share of tests must be covered. In a line of %(tests)s tests the count varies a little by "
        "chance."
    ),
}
