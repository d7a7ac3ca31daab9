"""The negative binomial distribution: failures before the n-th success; moved by `loc`."""

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


def logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Array:
    """The logarithm of the probability of k."""
    k, n, p, loc = float_arrays("nbinom.logpmf", k, n, p, loc)
    y = k - loc
    log_ways = special.gammaln(y + n) - special.gammaln(n) - special.gammaln(y + like(k, 1))
    log_power = special.xlogy(n, p) + special.xlogy(y, like(k, 1) - p)
    return jnp.where(k < loc, -np.inf, log_ways + log_power)


def pmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Array:
    """The probability of k."""
    return lax.exp(logpmf(k, n, p, loc))
