"""Pareto's distribution, of density b y**-(b + 1) for y = (x - loc) / scale >= 1."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


def logpdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, b, loc, scale = float_arrays("pareto.logpdf", x, b, loc, scale)
    y = (x - loc) / scale
    log_density = lax.neg(lax.log(scale / b) + (b + like(x, 1)) * lax.log(y))
    return jnp.where(x < loc + scale, -np.inf, log_density)


def pdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, b, loc, scale))


def cdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    x, b, loc, scale = float_arrays("pareto.cdf", x, b, loc, scale)
    y = (x - loc) / scale
    return jnp.where(x < loc + scale, like(x, 0), like(x, 1) - y ** lax.neg(b))


def logcdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of cdf."""
    x, b, loc, scale = float_arrays("pareto.logcdf", x, b, loc, scale)
    y = (x - loc) / scale
    return jnp.where(x < loc + scale, -np.inf, lax.log1p(lax.neg(y ** lax.neg(b))))


def sf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values above x: 1 - cdf, accurate where that is small."""
    return lax.exp(logsf(x, b, loc, scale))


def logsf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of sf."""
    x, b, loc, scale = float_arrays("pareto.logsf", x, b, loc, scale)
    y = (x - loc) / scale
    return jnp.where(x < loc + scale, like(x, 0), lax.neg(b * lax.log(y)))


def ppf(q: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The inverse of cdf: the value that is not exceeded with probability q."""
    q, b, loc, scale = float_arrays("pareto.ppf", q, b, loc, scale)
    value = loc + scale * (like(q, 1) - q) ** lax.neg(like(q, 1) / b)
    return jnp.where(jnp.isnan(q) | (q < 0) | (q > 1), np.nan, value)
