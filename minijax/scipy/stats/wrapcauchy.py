"""Cauchy's distribution wrapped around the circle, of an angle in [0, 2 pi]. NaN unless 0 < c < 1."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_arrays

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, c: Any) -> Array:
    """The logarithm of the density at x."""
    x, c = float_arrays("wrapcauchy.logpdf", x, c)
    log_density = jnp.log(1 - c * c) - jnp.log(2 * np.pi) - jnp.log(1 + c * c - 2 * c * jnp.cos(x))
    inside = (x >= 0) & (x <= like(x, 2 * np.pi))
    return jnp.where((c > 0) & (c < 1), jnp.where(inside, log_density, -np.inf), np.nan)


def pdf(x: Any, c: Any) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, c))
