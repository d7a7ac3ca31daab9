"""Hurwitz' zeta function with derivatives, and Bernoulli's numbers."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.autodiff import jvp
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.axes import require_known
from minijax.scipy.special.operands import float_arrays

__all__ = ["bernoulli", "zeta"]


def _check_q(q: Any) -> None:
    if q is None:
        raise NotImplementedError("zeta: Riemann's function is zeta(x, 1); give q, which has no default here.")


@custom_jvp
def zeta(x: Any, q: Any = None) -> Array:
    """Hurwitz' zeta function, the sum of (q + k)**-x over k = 0, 1, ...; NotImplementedError without q."""
    _check_q(q)
    x, q = float_arrays("zeta", x, q)
    return lax.zeta(x, q)


# Bernoulli's numbers B_2, B_4, ..., B_32.
_BERNOULLI = [
    Fraction(*pair)
    for pair in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798),
        (-174611, 330), (854513, 138), (-236364091, 2730), (8553103, 6), (-23749461029, 870),
        (8615841276005, 14322), (-7709321041217, 510),
    )
]  # fmt: skip


def _zeta_series(x: Any, q: Any) -> Array:
    """Some terms and the rest by Euler and Maclaurin's formula, all of which can be differentiated."""
    _check_q(q)
    s, a = float_arrays("zeta", x, q)
    number = a.dtype.type
    count = 8 if a.dtype == np.float32 else 16
    last_s, last_a = jnp.expand_dims(s, -1), jnp.expand_dims(a, -1)
    terms = jnp.sum((last_a + np.arange(count, dtype=a.dtype)) ** -last_s, -1)
    integral = lax.div((a + number(count)) ** (number(1) - s), s - number(1))
    ratios = (last_s + np.arange(2 * count, dtype=a.dtype)) / (last_a + number(count))
    products = jnp.clip(jnp.cumprod(ratios, -1)[..., ::2], max=dtypes.finfo(a.dtype).max)
    scale = np.asarray([_BERNOULLI[k] / math.factorial(2 * k + 2) for k in range(count)], a.dtype)
    rest = (a + number(count)) ** (-s) * (number(0.5) + jnp.sum(products * scale, -1))
    return terms + integral + rest


@zeta.defjvp
def _zeta_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    return jvp(_zeta_series, primals, tangents)


def bernoulli(n: int) -> Array:
    """Bernoulli's numbers B_0, ..., B_n. ValueError for negative n, TypeError for what is no integer."""
    n = operator.index(require_known(n, "the argument n of bernoulli"))
    if n < 0:
        raise ValueError(f"bernoulli: n must be a non-negative integer, got {n}.")
    first = jnp.array([1, -1 / 2, 1 / 6])
    if n < 3:
        return first[: n + 1]
    numbers = jnp.zeros(n + 1).at[:3].set(first)
    m = jnp.arange(4, n + 1, 2, dtype=numbers.dtype)
    # B_m = -(-1)**(m/2) 2 m! / (2 pi)**m zeta(m)
    factors = 1.0 / np.pi**2 * jnp.cumprod(-(m - 1) * m / 4 / np.pi**2)
    k = jnp.arange(2, 50, dtype=numbers.dtype)
    tail = jnp.sum(k[:, None] ** (-m[None, :]), axis=0)
    return numbers.at[4::2].set(factors * (1 + tail))
