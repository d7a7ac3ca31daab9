"""The chi-square distribution with `df` degrees of freedom, moved by `loc` and stretched by `scale`."""

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


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, df, loc, scale = float_arrays("chi2.logpdf", x, df, loc, scale)
    two = like(x, 2)
    y, half = (x - loc) / scale, df / two
    log_normalizer = lax.lgamma(half) + lax.log(two) * df / two
    log_density = lax.neg(log_normalizer) - lax.log(scale) + ((half - like(x, 1)) * lax.log(y) - y / two)
    return jnp.where(x < loc, -np.inf, log_density)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, df, loc, scale))


def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    x, df, loc, scale = float_arrays("chi2.cdf", x, df, loc, scale)
    return special.gammainc(df / 2, lax.clamp(like(x, 0), (x - loc) / (scale * 2), like(x, np.inf)))


def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of cdf."""
    return lax.log(cdf(x, df, loc, scale))


def sf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values above x: 1 - cdf, accurate where that is small."""
    x, df, loc, scale = float_arrays("chi2.sf", x, df, loc, scale)
    return special.gammaincc(df / 2, lax.clamp(like(x, 0), (x - loc) / (scale * 2), like(x, np.inf)))


def logsf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of sf."""
    return lax.log(sf(x, df, loc, scale))
