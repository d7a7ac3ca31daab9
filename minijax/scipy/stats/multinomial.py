"""The multinomial distribution: how often each category occurs in `n` draws with probabilities `p`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.promotion import array_of, promote_args_numeric
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays

__all__ = ["logpmf", "pmf"]


def logpmf(x: Any, n: Any, p: Any) -> Array:
    """The logarithm of the probability of the counts x[..., :]. ValueError for floats."""
    (p,) = float_arrays("multinomial.logpmf", p)
    x, n = map(array_of, promote_args_numeric("multinomial.logpmf", x, n))
    if not dtypes.is_integer(x.dtype):
        raise ValueError(f"multinomial: x and n must be of integer type, got {x.dtype}. Write x.astype('int32').")
    x, n = x.astype(p.dtype), n.astype(p.dtype)
    terms = special.xlogy(x, p) - special.gammaln(x + 1)
    log_probability = special.gammaln(n + 1) + jnp.sum(terms, axis=-1)
    return jnp.where(jnp.sum(x) == n, log_probability, -np.inf)


def pmf(x: Any, n: Any, p: Any) -> Array:
    """The probability of x."""
    return lax.exp(logpmf(x, n, p))
