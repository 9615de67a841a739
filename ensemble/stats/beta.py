"""The Beta distribution where the package needs it: exact binomial limits and logarithms of far tails."""

from __future__ import annotations

import math
import sys

from scipy import special

_LARGEST_LOG = math.log(sys.float_info.max)
_UNDERFLOW = 1e-290
_MAX_TERMS = 100_000


def exact_limits(errors: float, runs: float, tail: float) -> tuple[float, float]:
    """Return the Clopper–Pearson limits, each leaving `tail` outside; the counts may be fractional.

    Clopper & Pearson (1934), Biometrika 26:404–413; fractional counts as in Korn & Graubard (1998).
    """
    if runs <= 0:
        return 0.0, 1.0
    low = 0.0 if errors <= 0 else float(special.betaincinv(errors, runs - errors + 1, tail))
    high = 1.0 if errors >= runs else float(special.betainccinv(errors + 1, runs - errors, tail))
    return low, high


def exponentiate(log_value: float) -> float:
    """Return exp of a logarithm, infinite beyond the floating range."""
    return math.exp(log_value) if log_value <= _LARGEST_LOG else math.inf


def log_beta(a: float, b: float) -> float:
    """Return log B(a, b)."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def log_lower_tail(x: float, a: float, b: float) -> float:
    """Return log P(Beta(a, b) ≤ x), finite for every 0 < x < 1 however small the probability."""
    lower = float(special.betainc(a, b, x))
    if lower > 0.5:
        return math.log1p(-float(special.betaincc(a, b, x)))
    if lower > _UNDERFLOW:
        return math.log(lower)
    return _log_far_lower_tail(x, a, b)


def log_upper_tail(x: float, a: float, b: float) -> float:
    """Return log P(Beta(a, b) > x), finite for every 0 < x < 1 however small the probability."""
    upper = float(special.betaincc(a, b, x))
    if upper > 0.5:
        return math.log1p(-float(special.betainc(a, b, x)))
    if upper > _UNDERFLOW:
        return math.log(upper)
    return _log_far_lower_tail(1.0 - x, b, a)


def _log_far_lower_tail(x: float, a: float, b: float) -> float:
    """Return log I_x(a, b) far below the mean, by the continued fraction of DLMF 8.17.22 (Lentz's method)."""
    front = a * math.log(x) + b * math.log1p(-x) - math.log(a) - log_beta(a, b)
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    fraction = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d)
            c = 1.0 + term / c
            change *= c * d
        fraction *= change
        if abs(change - 1.0) < 1e-15:
            return front + math.log(fraction)
    raise ArithmeticError(f"the Beta({a}, {b}) tail at {x} did not converge")
