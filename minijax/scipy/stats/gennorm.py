"""The generalised normal distribution, of density proportional to exp(-|x|**beta)."""

from __future__ import annotations

from typing import Any

from minijax import lax
from minijax.array import Array
from minijax.scipy.special.operands import float_arrays

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, beta: Any) -> Array:
    """The logarithm of the density at x."""
    x, beta = float_arrays("gennorm.logpdf", x, beta)
    return lax.log(0.5 * beta) - lax.lgamma(1 / beta) - lax.abs(x) ** beta


def pdf(x: Any, beta: Any) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, beta))


def cdf(x: Any, beta: Any) -> Array:
    """The probability of values up to x."""
    x, beta = float_arrays("gennorm.cdf", x, beta)
    return 0.5 * (1 + lax.sign(x) * lax.igamma(1 / beta, lax.abs(x) ** beta))
