"""The beta function, its logarithm, the incomplete one, and binomial coefficients."""

from __future__ import annotations

from typing import Any

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.scipy.special.gamma_functions import gammaln, gammasgn
from minijax.scipy.special.operands import float_arrays, real_arrays

__all__ = ["beta", "betainc", "betaln", "comb"]


def beta(a: Any, b: Any) -> Array:
    """gamma(a) gamma(b) / gamma(a + b). ValueError for complex numbers."""
    a, b = real_arrays("beta", a, b)
    sign = gammasgn(a) * gammasgn(b) * gammasgn(a + b)
    return sign * lax.exp(betaln(a, b))


def betaln(a: Any, b: Any) -> Array:
    """log|beta(a, b)|, accurate for large a and b too, where three logarithms would cancel."""
    a, b = float_arrays("betaln", a, b)
    a, b = jnp.minimum(a, b), jnp.maximum(a, b)
    plain = lax.lgamma(a) + (lax.lgamma(b) - lax.lgamma(a + b))
    return jnp.where(b < 8, plain, lax.lgamma(a) + _log_gamma_ratio(a, b))


# Coefficients of Stirling's series for log(gamma), of 1 / x, 1 / x**3 ..., minimax for x >= 8 (Didonato and
# Morris, "Significant digit computation of the incomplete beta function ratios", 1992).
_STIRLING = (
    0.833333333333333e-01, -0.277777777760991e-02, 0.793650666825390e-03, -0.595202931351870e-03,
    0.837308034031215e-03, -0.165322962780713e-02,
)  # fmt: skip


def _log_gamma_ratio(a: Array, b: Array) -> Array:
    """log(gamma(b) / gamma(a + b)) for b >= 8 and a <= b: the difference of two Stirling's series."""
    ratio = a / b
    x = ratio / (1 + ratio)
    t = (1.0 / b) ** 2
    # Each term has the factor (1 - x**n) / (1 - x), for n = 1, 3, 5, ...
    geometric, power, total = 1.0, x, _STIRLING[0]
    scale = 1.0
    for c in _STIRLING[1:]:
        geometric = geometric + power + power * x
        power = power * x * x
        scale = scale * t
        total = total + c * geometric * scale
    total = total * (x / b)
    u = (b + (a - 0.5)) * lax.log1p(ratio)
    v = a * (lax.log(b) - 1.0)
    return jnp.where(u <= v, (total - v) - u, (total - u) - v)


def betainc(a: Any, b: Any, x: Any) -> Array:
    """The regularised incomplete beta function. ValueError for complex numbers."""
    a, b, x = real_arrays("betainc", a, b, x)
    return lax.betainc(a, b, x)


def comb(N: Any, k: Any, *, repetition: bool = False) -> Array:
    """In how many ways k of N things can be chosen, each once or, with `repetition`, several times."""
    N, k = float_arrays("comb", N, k)
    if repetition:
        return jnp.where((k == 0) & (N >= 0), 1.0, comb(N + k - 1, k))
    possible = (k <= N) & (N >= 0) & (k >= 0)
    N, k = jnp.where(possible, N, 0.0), jnp.where(possible, k, 0.0)
    ways = lax.exp(gammaln(N + 1) - gammaln(k + 1) - gammaln(N + 1 - k))
    return jnp.where(possible, ways, 0.0)
