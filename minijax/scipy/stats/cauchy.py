"""Cauchy's distribution with median `loc` and half-width `scale`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, loc, scale = float_arrays("cauchy.logpdf", x, loc, scale)
    y = (x - loc) / scale
    return lax.neg(lax.log(like(x, np.pi) * scale) + lax.log1p(y * y))


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    x, loc, scale = float_arrays("cauchy.cdf", x, loc, scale)
    return like(x, 0.5) + like(x, 1.0) / like(x, np.pi) * jnp.arctan((x - loc) / scale)


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of cdf."""
    return lax.log(cdf(x, loc, scale))


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values above x: 1 - cdf, accurate where that is small."""
    x, loc, scale = float_arrays("cauchy.sf", x, loc, scale)
    return cdf(-x, -loc, scale)


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of sf."""
    x, loc, scale = float_arrays("cauchy.logsf", x, loc, scale)
    return logcdf(-x, -loc, scale)


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The inverse of cdf: the value that is not exceeded with probability q."""
    q, loc, scale = float_arrays("cauchy.ppf", q, loc, scale)
    return lax.tan(like(q, np.pi) * q - like(q, np.pi / 2)) * scale + loc


def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The inverse of sf."""
    q, loc, scale = float_arrays("cauchy.isf", q, loc, scale)
    return lax.tan(like(q, np.pi / 2) - like(q, np.pi) * q) * scale + loc
