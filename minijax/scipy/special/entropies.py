"""x log(y) and the entropies made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.promotion import like
from minijax.scipy.special.operands import float_arrays, real_arrays

__all__ = ["entr", "kl_div", "rel_entr", "xlog1py", "xlogy"]


@custom_jvp
def xlogy(x: Any, y: Any) -> Array:
    """x * log(y), which is 0 for x = 0."""
    x, y = float_arrays("xlogy", x, y)
    return jnp.where((x != 0.0) | jnp.isnan(y), lax.mul(x, lax.log(y)), jnp.zeros_like(x))


@xlogy.defjvp
def _xlogy_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    (x, y), (dx, dy) = primals, tangents
    result = xlogy(x, y)
    return result, (dx * lax.log(y) + dy * x / y).astype(result.dtype)


@custom_jvp
def xlog1py(x: Any, y: Any) -> Array:
    """x * log(1 + y), which is 0 for x = 0."""
    x, y = float_arrays("xlog1py", x, y)
    return jnp.where((x != 0.0) | jnp.isnan(y), lax.mul(x, lax.log1p(y)), jnp.zeros_like(x))


@xlog1py.defjvp
def _xlog1py_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    (x, y), (dx, dy) = primals, tangents
    result = xlog1py(x, y)
    return result, (dx * lax.log1p(y) + dy * x / (1 + y)).astype(result.dtype)


@custom_jvp
def _xlogx(x: Any) -> Array:
    return xlogy(x, x)


# The derivative by way of xlogy would be the sum of two terms, both infinite at 0.
@_xlogx.defjvp
def _xlogx_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    return _xlogx(x), dx * (lax.log(x) + 1)


def entr(x: Any) -> Array:
    """-x * log(x), 0 at 0, and -inf below."""
    (x,) = real_arrays("entr", x)
    return lax.select(lax.lt(x, like(x, 0)), lax.full_like(x, -np.inf), lax.neg(_xlogx(x)))


def rel_entr(p: Any, q: Any) -> Array:
    """p * log(p / q), 0 for p = 0 and q >= 0, and inf elsewhere."""
    p, q = real_arrays("rel_entr", p, q)
    zero = like(p, 0.0)
    both_positive = lax.bitwise_and(lax.gt(p, zero), lax.gt(q, zero))
    only_p_zero = lax.bitwise_and(lax.eq(p, zero), lax.ge(q, zero))
    safe_p, safe_q = jnp.where(both_positive, p, 1), jnp.where(both_positive, q, 1)
    value = lax.sub(_xlogx(safe_p), xlogy(safe_p, safe_q))
    return jnp.where(both_positive, value, jnp.where(only_p_zero, zero, np.inf))


def kl_div(p: Any, q: Any) -> Array:
    """p * log(p / q) - p + q."""
    p, q = real_arrays("kl_div", p, q)
    return rel_entr(p, q) - p + q
