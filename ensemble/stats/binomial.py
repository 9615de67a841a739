"""Binomial chances over arrays of counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Counts = int | NDArray[np.int64]


def log_choices(runs: Counts, errors: Counts) -> Floats:
    """Return log C(runs, errors), elementwise."""
    clean = np.subtract(runs, errors)
    result: Floats = (
        special.gammaln(np.add(runs, 1)) - special.gammaln(np.add(errors, 1)) - special.gammaln(clean + 1)
    )
    return result


def binomial_chances(runs: Counts, errors: Counts, rate: float | Floats) -> Floats:
    """Return the chance of `errors` among `runs` independent runs that err at `rate`, elementwise."""
    log_chances = special.xlogy(errors, rate) + special.xlog1py(np.subtract(runs, errors), np.negative(rate))
    chances: Floats = np.exp(log_choices(runs, errors) + log_chances)
    return chances
