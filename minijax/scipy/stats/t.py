"""Student's t distribution with `df` degrees of freedom, moved by `loc` and stretched by `scale`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import lax
from minijax.array import Array
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_arrays

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The logarithm of the density at x."""
    x, df, loc, scale = float_arrays("t.logpdf", x, df, loc, scale)
    y, half = (x - loc) / scale, df / like(x, 2)
    exponent = half + like(x, 0.5)
    log_width = lax.log(scale * scale * like(x, np.pi) * df) / like(x, 2)
    log_normalizer = lax.lgamma(half) + log_width - lax.lgamma(exponent)
    return lax.neg(log_normalizer + exponent * lax.log1p(y * y / df))


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Array:
    """The density at x."""
    return lax.exp(logpdf(x, df, loc, scale))
