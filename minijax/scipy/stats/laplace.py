"""Laplace's distribution with mean `loc` and density exp(-|x - loc| / scale) / (2 scale)."""

from __future__ import annotations

from typing import Any

from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, loc, scale = float_arrays("laplace.logpdf", x, loc, scale)
    return lax.neg(lax.abs(x - loc) / scale + lax.log(like(x, 2) * scale))


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The probability of values up to x."""
    x, loc, scale = float_arrays("laplace.cdf", x, loc, scale)
    y = (x - loc) / scale
    half = like(x, 0.5)
    return lax.select(y <= 0, half * lax.exp(y), like(x, 1) - half * lax.exp(lax.neg(y)))
