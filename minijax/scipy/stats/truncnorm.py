"""The standard normal distribution cut off at `a` and `b`, then stretched by `scale` and moved by `loc`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays
from minijax.scipy.stats import norm

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, a, b, loc, scale = float_arrays("truncnorm.logpdf", x, a, b, loc, scale)
    log_density = norm.logpdf(x, loc, scale) - _log_mass(a, b)
    y = (x - loc) / scale
    log_density = jnp.where((y < a) | (y > b), -np.inf, log_density)
    return jnp.where(a >= b, np.nan, log_density)


def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, a, b, loc, scale))


def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    return lax.exp(logcdf(x, a, b, loc, scale))


def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of cdf."""
    x, a, b, loc, scale = float_arrays("truncnorm.logcdf", x, a, b, loc, scale)
    x, a, b = jnp.broadcast_arrays(x, a, b)
    y = (x - loc) / scale
    total = _log_mass(a, b)
    below, above = _log_mass(a, y) - total, _log_mass(y, b) - total
    # Close to 1 the complement is the accurate one.
    value = jnp.select([y >= b, y <= a, below > -0.1, y > a], [0, -np.inf, jnp.log1p(-jnp.exp(above)), below])
    return jnp.where(a >= b, np.nan, value)


def sf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values above x: 1 - cdf, accurate where that is small."""
    return lax.exp(logsf(x, a, b, loc, scale))


def logsf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of sf."""
    x, a, b, loc, scale = float_arrays("truncnorm.logsf", x, a, b, loc, scale)
    return logcdf(-x, -b, -a, -loc, scale)


def _log_mass(a: Array, b: Array) -> Array:
    """The logarithm of the probability that a standard normal variable lies between a and b."""
    a, b = jnp.broadcast_arrays(a, b)
    right = a > 0
    tails = [special.log_ndtr(jnp.where(right, -a, b)), special.log_ndtr(jnp.where(right, -b, a))]
    signs = jnp.stack([jnp.ones_like(a), -jnp.ones_like(a)])
    one_sided = special.logsumexp(jnp.stack(tails), b=signs, axis=0)
    across = jnp.log1p(-special.ndtr(a) - special.ndtr(-b))
    return jnp.where((b <= 0) | right, one_sided, across)
