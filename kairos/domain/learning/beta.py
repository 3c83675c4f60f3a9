"""The Beta distribution: how sure one can be of a share after so many yes and no. Pure."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log

from kairos.domain.hindsight import Interval

TAIL = 0.025
"""What lies outside of an interval on each side: intervals hold 95 %."""
_STEPS, _CLOSE, _LEAST = 400, 1e-13, 1e-300
_HALVINGS = 40


@lru_cache(maxsize=4_096)
def below(a: float, b: float, x: float) -> float:
    """The probability that a Beta(a, b) value is at most x: the regularized incomplete beta function, by its
    continued fraction (Abramowitz and Stegun, 26.5.8). `a` and `b` are above 0."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x > (a + 1) / (a + b + 2):  # the fraction converges on the other side
        return max(0.0, 1.0 - front * _fraction(b, a, 1.0 - x) / b)
    return min(1.0, front * _fraction(a, b, x) / a)


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of `below`, by Lentz's method."""
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _not_zero(1.0 + term * d)
            c = _not_zero(1.0 + term / c)
            found *= c * d
        if abs(c * d - 1.0) < _CLOSE:
            break
    return found


def _not_zero(value: float) -> float:
    return value if abs(value) > _LEAST else _LEAST


def credible(a: float, b: float) -> Interval:
    """The mean of Beta(a, b), with the ends of its 95 % interval (as much on either side)."""
    return Interval(a / (a + b), _quantile(a, b, TAIL), _quantile(a, b, 1 - TAIL))


@lru_cache(maxsize=4_096)
def _quantile(a: float, b: float, share: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(a, b, middle) < share else (low, middle)
    return (low + high) / 2
