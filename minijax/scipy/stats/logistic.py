"""The logistic distribution with mean `loc`, whose distribution function is expit((x - loc) / scale)."""

from __future__ import annotations

from typing import Any

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy import special
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "isf", "logpdf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, loc, scale = float_arrays("logistic.logpdf", x, loc, scale)
    half = (x - loc) / scale / like(x, 2)
    return like(x, -2) * jnp.logaddexp(half, lax.neg(half)) - lax.log(scale)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    x, loc, scale = float_arrays("logistic.cdf", x, loc, scale)
    return special.expit((x - loc) / scale)


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values above x: 1 - cdf, accurate where that is small."""
    x, loc, scale = float_arrays("logistic.sf", x, loc, scale)
    return special.expit(lax.neg((x - loc) / scale))


def ppf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The inverse of cdf: the value that is not exceeded with probability x."""
    x, loc, scale = float_arrays("logistic.ppf", x, loc, scale)
    return special.logit(x) * scale + loc


def isf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The inverse of sf."""
    x, loc, scale = float_arrays("logistic.isf", x, loc, scale)
    return lax.neg(special.logit(x)) * scale + loc
