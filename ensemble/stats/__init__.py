"""Statistics of repeated runs: pure functions on counts, each naming its method and source.

The public names are loaded when first used, so that `ensemble.stats.interval` alone costs no numerical library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ensemble.stats.clusters import *  # noqa: F403
    from ensemble.stats.comparison import *  # noqa: F403
    from ensemble.stats.designs import *  # noqa: F403
    from ensemble.stats.detector_error import *  # noqa: F403
    from ensemble.stats.diversity import *  # noqa: F403
    from ensemble.stats.exposure import *  # noqa: F403
    from ensemble.stats.interval import *  # noqa: F403
    from ensemble.stats.precision import *  # noqa: F403
    from ensemble.stats.proportion import *  # noqa: F403
    from ensemble.stats.sequence_runs import *  # noqa: F403
    from ensemble.stats.sequential import *  # noqa: F403
    from ensemble.stats.voting import *  # noqa: F403

_PUBLIC_NAMES = {
    "interval": ("Interval", "Note"),
    "proportion": (
        "clopper_pearson",
        "wilson",
        "jeffreys",
        "clean_runs_to_bound",
        "runs_for_half_width",
        "missing_label_band",
    ),
    "sequential": (
        "PrecisionPlan",
        "clean_runs_to_sequence_bound",
        "confidence_sequence",
        "confidence_sequence_path",
        "e_value_above",
        "e_value_below",
        "log_e_value_above",
        "log_e_value_below",
        "log_two_arm_e_value",
        "plan_precision",
        "two_arm_e_value",
    ),
    "sequence_runs": (
        "SequenceWait",
        "clean_runs_to_decision",
        "runs_per_arm_by_sequences",
        "wait_for_width",
    ),
    "designs": ("OFFERED_PLANS", "find_offered_plan"),
    "clusters": (
        "accordance",
        "cluster_interval",
        "concordance",
        "identical_share",
        "intraclass_correlation",
    ),
    "comparison": (
        "boschloo",
        "fisher",
        "holm",
        "mcnemar",
        "miettinen_nurminen",
        "newcombe",
        "newcombe_paired",
        "runs_per_arm",
        "tango",
    ),
    "detector_error": (
        "cohen_kappa",
        "double_sampling",
        "guaranteed_prevalence",
        "gwet_ac1",
        "krippendorff_alpha",
        "lang_reiczigel",
        "ppi",
        "ppi_plus_plus",
    ),
    "diversity": (
        "chao1",
        "effective_answers",
        "entropy",
        "novelty_bound",
        "repeat_probability",
        "unseen_mass",
    ),
    "voting": ("all_of", "at_least_one", "vote_error", "vote_error_bracket"),
    "exposure": (
        "at_least_one_user",
        "bayes_factor",
        "break_even_loss",
        "expected_occurrences",
        "log_bayes_factor",
    ),
}
_MODULE_OF = {name: module for module, names in _PUBLIC_NAMES.items() for name in names}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - computed from the table above


if not TYPE_CHECKING:  # type checkers see the names themselves, not a function that returns Any

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
