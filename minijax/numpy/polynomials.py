"""Polynomials as vectors of coefficients, the one of the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import maximum, true_divide
from minijax.numpy.axes import require_known, static_int
from minijax.numpy.convolving import convolve
from minijax.numpy.creation import full, zeros
from minijax.numpy.editing import trim_zeros
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.joining import concatenate
from minijax.numpy.manipulation import atleast_1d
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes, promote_dtypes_inexact
from minijax.numpy.ranges import arange

__all__ = ["polyadd", "polyder", "polydiv", "polyint", "polymul", "polysub", "polyval"]

# --------------------------------------------------------------------------- values, sums


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


# --------------------------------------------------------------------------- products and quotients


def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Array:
    """The product of two polynomials.

    trim_leading_zeros: leave out leading coefficients that are zero first (the polynomials must not be traced).
    """
    a1, a2 = promote_dtypes_inexact(*ensure_arraylike("polymul", a1, a2))
    if trim_leading_zeros and (len(a1) > 1 or len(a2) > 1):
        a1, a2 = trim_zeros(a1, trim="f"), trim_zeros(a2, trim="f")
    a1, a2 = [a if len(a) else zeros(1, a.dtype) for a in (a1, a2)]
    return convolve(a1, a2, mode="full")


def polydiv(u: Any, v: Any, *, trim_leading_zeros: bool = False) -> tuple[Array, Array]:
    """Quotient and remainder of two polynomials; the remainder has the length of u.

    trim_leading_zeros: leave out the remainder's leading coefficients that are nearly zero (u must not be traced).
    """
    u, v = promote_dtypes_inexact(*ensure_arraylike("polydiv", u, v))
    steps = len(u) - len(v) + 1
    scale = 1.0 / v[0]
    quotient = zeros(max(steps, 1), u.dtype)
    for k in range(steps):
        leading = scale * u[k]
        quotient = IndexUpdateRef(quotient, k).set(leading)
        u = IndexUpdateRef(u, slice(k, k + len(v))).add(-leading * v)
    if trim_leading_zeros:
        u = _without_small_leading(u)
    return quotient, u


def _without_small_leading(p: Array) -> Array:
    """p without the leading coefficients that are at most the square root of the dtype's precision."""
    tiny = np.sqrt(np.asarray(dtypes.finfo(p.dtype).eps, p.dtype))
    kept = np.abs(np.asarray(require_known(p, "a polynomial whose leading zeros jnp.polydiv is to trim"))) >= tiny
    return p[int(kept.argmax()) if kept.any() else len(p) :]


# --------------------------------------------------------------------------- calculus


def polyint(p: Any, m: int = 1, k: Any = None) -> Array:
    """The m-th antiderivative; k: one constant of integration for each step, the first one first, or one for all."""
    m = static_int(m, "the 'm' argument of jnp.polyint")
    p, k = promote_dtypes_inexact(*ensure_arraylike("polyint", p, 0 if k is None else k))
    if m < 0:
        raise ValueError(f"polyint: the order of the integral must not be negative, got m={m}. See jnp.polyder.")
    k = atleast_1d(k)
    k = full((m,), k[0]) if len(k) == 1 else k
    if k.shape != (m,):
        raise ValueError(f"polyint: k must be a scalar or a vector of length 1 or m={m}, got shape {k.shape}.")
    if not m:
        return p
    steps = arange(len(p) + m, dtype=p.dtype)[None] - arange(m, dtype=p.dtype)[:, None]
    return true_divide(concatenate((p, k)), maximum(1, steps).prod(0)[::-1])


def polyder(p: Any, m: int = 1) -> Array:
    """The m-th derivative."""
    p = ensure_arraylike("polyder", p)
    m = static_int(m, "the 'm' argument of jnp.polyder")
    (p,) = promote_dtypes_inexact(p)
    if m < 0:
        raise ValueError(f"polyder: the order of the derivative must not be negative, got m={m}. See jnp.polyint.")
    if not m:
        return p
    factors = arange(m, len(p), dtype=p.dtype)[None] - arange(m, dtype=p.dtype)[:, None]
    return p[:-m] * factors.prod(0)[::-1]
