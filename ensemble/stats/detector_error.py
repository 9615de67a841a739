"""The detector is part of the measurement: its agreement with people, and error rates corrected for its mistakes."""

from __future__ import annotations

from ensemble.stats.agreement import cohen_kappa, gwet_ac1, krippendorff_alpha
from ensemble.stats.double_samples import double_sampling, ppi, ppi_plus_plus
from ensemble.stats.prevalence import guaranteed_prevalence, lang_reiczigel

__all__ = [
    "cohen_kappa",
    "double_sampling",
    "guaranteed_prevalence",
    "gwet_ac1",
    "krippendorff_alpha",
    "lang_reiczigel",
    "ppi",
    "ppi_plus_plus",
]
