"""The binomial distribution of `n` trials whose probability has the beta distribution of shapes `a` and `b`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays

__all__ = ["logpmf", "pmf"]


def logpmf(k: Any, n: Any, a: Any, b: Any, loc: Any = 0) -> Array:
    """The logarithm of the probability of k."""
    k, n, a, b, loc = float_arrays("betabinom.logpmf", k, n, a, b, loc)
    y = lax.floor(k) - loc
    log_ways = lax.neg(lax.log1p(n) + special.betaln(n - y + like(y, 1), y + like(y, 1)))
    log_probability = log_ways + (special.betaln(y + a, n - y + b) - special.betaln(a, b))
    log_probability = jnp.where((y == 0) & (n == 0), 0.0, log_probability)
    outside = (y < lax.neg(loc)) | (y > n) | (y + a <= 0)
    invalid = (n < 0) | (a <= 0) | (b <= 0)
    return jnp.where(invalid, np.nan, jnp.where(outside, -np.inf, log_probability))


def pmf(k: Any, n: Any, a: Any, b: Any, loc: Any = 0) -> Array:
    """The probability of k."""
    return lax.exp(logpmf(k, n, a, b, loc))
