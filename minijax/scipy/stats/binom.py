"""The binomial distribution: successes in `n` trials that succeed with probability `p`; moved by `loc`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays

__all__ = ["logpmf", "pmf"]


def logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Array:
    """The logarithm of the probability of k."""
    k, n, p, loc = float_arrays("binom.logpmf", k, n, p, loc)
    y = k - loc
    log_ways = special.gammaln(n + 1) - (special.gammaln(y + 1) + special.gammaln(n - y + 1))
    log_power = special.xlogy(y, p) + special.xlog1py(n - y, lax.neg(p))
    log_probability = jnp.where((y == 0) & (n == 0) | (log_power == 0), 0.0, log_ways + log_power)
    return jnp.where((k >= loc) & (k < loc + n + 1), log_probability, -np.inf)


def pmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Array:
    """The probability of k."""
    return lax.exp(logpmf(k, n, p, loc))
