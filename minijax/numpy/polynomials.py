"""Polynomials as vectors of coefficients, the one of the highest power first."""

from __future__ import annotations

from typing import Any

from minijax import lax
from minijax.array import Array
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes

__all__ = ["polyadd", "polysub", "polyval"]


def polyval(p: Any, x: Any, *, unroll: int = 16) -> Array:
    """The value of the polynomial p at x, by Horner's scheme; further axes of p broadcast against x."""
    p, x = promote_dtypes(*ensure_arraylike("polyval", p, x))
    y = lax.full_like(x, 0, shape=lax.broadcast_shapes(p.shape[1:], x.shape))
    for i in range(p.shape[0]):
        y = y * x + p[i]
    return y


def polyadd(a1: Any, a2: Any) -> Array:
    """The sum of two polynomials."""
    a1, a2 = promote_dtypes(*ensure_arraylike("polyadd", a1, a2))
    longer, shorter = (a1, a2) if a2.shape[0] <= a1.shape[0] else (a2, a1)
    return IndexUpdateRef(longer, slice(-shorter.shape[0], None)).add(shorter)


def polysub(a1: Any, a2: Any) -> Array:
    """The difference of two polynomials."""
    a1, a2 = promote_dtypes(*ensure_arraylike("polysub", a1, a2))
    return polyadd(a1, -a2)
