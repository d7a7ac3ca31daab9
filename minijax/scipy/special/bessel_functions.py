"""Bessel functions: the modified ones of orders 0 and 1, and those of the first kind by recurrence."""

from __future__ import annotations

from typing import Any

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.scipy.special.operands import float_array, real_arrays

__all__ = ["bessel_jn", "i0", "i0e", "i1", "i1e"]


def i0e(x: Any) -> Array:
    """exp(-|x|) i0(x), which does not overflow."""
    x = float_array("i0e", x)
    return lax.bessel_i0e(x)


def i0(x: Any) -> Array:
    """The modified Bessel function of the first kind and order 0."""
    x = float_array("i0", x)
    return lax.mul(lax.exp(lax.abs(x)), lax.bessel_i0e(x))


def i1e(x: Any) -> Array:
    """exp(-|x|) i1(x), which does not overflow."""
    x = float_array("i1e", x)
    return lax.bessel_i1e(x)


def i1(x: Any) -> Array:
    """The modified Bessel function of the first kind and order 1."""
    x = float_array("i1", x)
    return lax.mul(lax.exp(lax.abs(x)), lax.bessel_i1e(x))


def bessel_jn(z: Any, *, v: int, n_iter: int = 50) -> Array:
    """Bessel functions of the first kind of orders 0 ... v, stacked along a new first axis.

    By Miller's algorithm: the recurrence is run downwards from the order n_iter, where the values start as
    next to nothing, and the sum J0 + 2 J2 + 2 J4 + ... = 1 gives the scale. ValueError for complex z.
    """
    (z,) = real_arrays("bessel_jn", jnp.asarray(z))
    v, n_iter = static_int(v, "the argument v of bessel_jn"), static_int(n_iter, "the argument n_iter of bessel_jn")

    def body(carry: Any, k: Any) -> Any:
        above, here, total = carry
        below = 2.0 * (k + 1.0) * here / z - above
        total = jnp.where(jnp.mod(k, 2) == 0, total + 2.0 * below, total)
        return (here, below, total), below

    start = (jnp.zeros_like(z), jnp.full_like(z, 1e-16), jnp.zeros_like(z))
    (_, _, total), values = lax.scan(body, start, lax.iota(z.dtype, n_iter + 1), reverse=True)
    return values[: v + 1] / (total - values[0])
