"""The beta distribution with shapes `a` and `b`, on [loc, loc + scale]."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, a, b, loc, scale = float_arrays("beta.logpdf", x, a, b, loc, scale)
    y = (x - loc) / scale
    log_power = special.xlogy(a - like(x, 1), y) + special.xlog1py(b - like(x, 1), lax.neg(y))
    log_density = lax.neg(special.betaln(a, b)) + log_power - lax.log(scale)
    log_density = jnp.where((x > loc + scale) | (x < loc), -np.inf, log_density)
    return jnp.where((a <= 0) | (b <= 0) | (scale <= 0), np.nan, log_density)


def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, a, b, loc, scale))


def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    x, a, b, loc, scale = float_arrays("beta.cdf", x, a, b, loc, scale)
    return special.betainc(a, b, lax.clamp(like(x, 0), (x - loc) / scale, like(x, 1)))


def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of cdf."""
    return lax.log(cdf(x, a, b, loc, scale))


def sf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values above x: 1 - cdf, accurate where that is small."""
    x, a, b, loc, scale = float_arrays("beta.sf", x, a, b, loc, scale)
    return special.betainc(b, a, 1 - lax.clamp(like(x, 0), (x - loc) / scale, like(x, 1)))


def logsf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of sf."""
    return lax.log(sf(x, a, b, loc, scale))
