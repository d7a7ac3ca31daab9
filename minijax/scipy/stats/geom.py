"""The geometric distribution: the number of the first success, 1, 2, ...; moved by `loc`."""

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


def logpmf(k: Any, p: Any, loc: Any = 0) -> Array:
    """The logarithm of the probability of k."""
    k, p, loc = float_arrays("geom.logpmf", k, p, loc)
    x = k - loc
    return jnp.where(x <= 0, -np.inf, special.xlog1py(x - like(k, 1), -p) + lax.log(p))


def pmf(k: Any, p: Any, loc: Any = 0) -> Array:
    """The probability of k."""
    return lax.exp(logpmf(k, p, loc))
