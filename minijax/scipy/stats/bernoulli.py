"""The Bernoulli distribution: 1 with probability `p`, else 0; moved by `loc`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "logpmf", "pmf", "ppf"]


def logpmf(k: Any, p: Any, loc: Any = 0) -> Array:
    """The logarithm of the probability of k."""
    k, p, loc = float_arrays("bernoulli.logpmf", k, p, loc)
    x = k - loc
    log_probability = special.xlogy(x, p) + special.xlog1py(like(k, 1) - x, -p)
    return jnp.where((x < 0) | (x > 1), -np.inf, log_probability)


def pmf(k: Any, p: Any, loc: Any = 0) -> Array:
    """The probability of k."""
    return lax.exp(logpmf(k, p, loc))


def cdf(k: Any, p: Any) -> Array:
    """The probability of values up to k."""
    k, p = float_arrays("bernoulli.cdf", k, p)
    invalid = jnp.isnan(k) | jnp.isnan(p) | (p < 0) | (p > 1)
    zero, one = like(k, 0), like(k, 1)
    return jnp.select([invalid, k < 0, k < 1, k >= 1], [np.nan, zero, one - p, one])


def ppf(q: Any, p: Any) -> Array:
    """The inverse of cdf: the value that is not exceeded with probability q."""
    q, p = float_arrays("bernoulli.ppf", q, p)
    invalid = jnp.isnan(q) | jnp.isnan(p) | (p < 0) | (p > 1) | (q < 0) | (q > 1)
    return jnp.where(invalid, np.nan, jnp.where(q <= 1 - p, like(q, 0), like(q, 1)))
