"""The regularised incomplete beta function. It is computed in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.arithmetic import neg
from minijax.primitives.families import def_jvp, in_float64, like, nary
from minijax.primitives.gamma_functions import lgamma, lgamma_kernel
from minijax.primitives.incomplete_gamma import iterate
from minijax.primitives.transcendental import exp, log, log1p

__all__ = ["betainc"]


def betainc(a: Any, b: Any, x: Any) -> Array:
    """I_x(a, b): the probability that a variable with the beta distribution of shapes a and b is below x.

    NaN for negative a and b and for x outside [0, 1]. Differentiable with respect to x; ValueError for a, b.
    """
    return regularized_incomplete_beta_p.bind(a, b, x)


_SMALL = 2.0**-53
_MOST_FRACTIONS = 600


def _numerator(count: int, a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """That of the continued fraction's count-th term (https://dlmf.nist.gov/8.17.E23, the first one being 1)."""
    m = (count - 1) // 2
    if count == 1:
        return np.ones_like(x)
    if count == 2:
        return -(a + b) * x / (a + 1.0)
    odd_end = a + 2 * m
    if count % 2:
        return m * (b - m) * x / ((odd_end - 1.0) * odd_end)
    return -(a + m) * (a + b + m) * x / (odd_end * (odd_end + 1.0))


def _fraction(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The continued fraction by Lentz' method, as modified by Thompson and Barnett (1986)."""

    def step(count: int, a: Any, b: Any, x: Any, c: Any, d: Any, h: Any) -> Any:
        numerator = _numerator(count, a, b, x)
        c = 1.0 + numerator / c
        c = np.where(np.abs(c) < _SMALL, _SMALL, c)
        d = 1.0 + numerator * d
        d = 1.0 / np.where(np.abs(d) < _SMALL, _SMALL, d)
        factor = c * d
        return (a, b, x, c, d, h * factor), np.abs(factor - 1.0) >= _SMALL

    start = np.full_like(x, _SMALL)
    *_, h = iterate(step, (a, b, x, start, np.zeros_like(x), start), _MOST_FRACTIONS)
    return h


def _value(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """For x < (a + 1) / (a + b + 2), where the fraction converges quickly."""
    log_ratio = lgamma_kernel(b) - lgamma_kernel(a + b)
    log_power = np.log1p(-x) * b
    # a gamma(a) tends to 1 for a -> 0.
    tiny = a < 2.0**-1021
    factor = np.where(
        tiny, np.exp(log_power - log_ratio), np.exp(np.log(x) * a + log_power - (lgamma_kernel(a) + log_ratio)) / a
    )
    return _fraction(a, b, x) * factor


def _betainc_kernel(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    shape = np.broadcast_shapes(a.shape, b.shape, x.shape)
    a, b, x = [np.broadcast_to(v, shape).ravel() for v in (a, b, x)]
    quick = x < (a + 1.0) / (a + b + 2.0)
    value = _value(np.where(quick, a, b), np.where(quick, b, a), np.where(quick, x, 1.0 - x))
    value = np.where(quick, value, 1.0 - value)
    # The distribution's limits: all of it at 0, or at 1.
    at_zero, at_one = (a == 0) | (b == np.inf), (b == 0) | (a == np.inf)
    value = np.where(at_one & (x != 1) | at_zero & (x == 0), 0.0, value)
    value = np.where(at_zero & (x != 0) | at_one & (x == 1), 1.0, value)
    outside = (a < 0) | (b < 0) | (x < 0) | (x > 1) | at_zero & at_one | np.isnan(a) | np.isnan(b) | np.isnan(x)
    return np.where(outside, np.nan, value).reshape(shape)


def _no_tangent(t: Any, a: Any, b: Any, x: Any) -> Any:
    raise ValueError(
        "betainc has no derivative with respect to a and b: differentiate with respect to x, its argument 2, only, "
        "or put lax.stop_gradient around the others."
    )


def _tangent(t: Any, a: Any, b: Any, x: Any) -> Any:
    log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    log_density = (b - like(b, 1)) * log1p(neg(x)) + (a - like(a, 1)) * log(x) - log_beta
    return exp(log_density) * t


regularized_incomplete_beta_p = nary("regularized_incomplete_beta", in_float64(_betainc_kernel), ("f", "f", "f"))
def_jvp(regularized_incomplete_beta_p, _no_tangent, _no_tangent, _tangent)
