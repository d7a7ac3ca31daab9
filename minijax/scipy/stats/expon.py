"""The exponential distribution, which starts at `loc` and has mean loc + scale."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, loc, scale = float_arrays("expon.logpdf", x, loc, scale)
    return jnp.where(x < loc, -np.inf, lax.neg((x - loc) / scale + lax.log(scale)))


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    x, loc, scale = float_arrays("expon.cdf", x, loc, scale)
    y = (loc - x) / scale
    return jnp.where(x < loc, jnp.zeros_like(y), lax.neg(lax.expm1(y)))


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of cdf."""
    return lax.log1p(lax.neg(sf(x, loc, scale)))


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values above x: 1 - cdf, accurate where that is small."""
    return lax.exp(logsf(x, loc, scale))


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of sf."""
    x, loc, scale = float_arrays("expon.logsf", x, loc, scale)
    y = (loc - x) / scale
    return jnp.where(x < loc, jnp.zeros_like(y), y)


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The inverse of cdf: the value that is not exceeded with probability q."""
    q, loc, scale = float_arrays("expon.ppf", q, loc, scale)
    outside = jnp.isnan(q) | (q < 0) | (q > 1)
    return jnp.where(outside, np.nan, loc - scale * lax.log1p(lax.neg(q)))
