"""The gamma function, its logarithm and the derivatives of it, factorials, and the incomplete gamma functions."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.axes import require_known
from minijax.numpy.promotion import like
from minijax.scipy.special.complex_gamma import complex_gamma, complex_loggamma
from minijax.scipy.special.operands import float_array, float_arrays, real_arrays

__all__ = [
    "digamma",
    "factorial",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "loggamma",
    "multigammaln",
    "poch",
    "polygamma",
]


def gammaln(x: Any) -> Array:
    """log|gamma(x)|."""
    x = float_array("gammaln", x)
    return lax.lgamma(x)


def loggamma(x: Any) -> Array:
    """log(gamma(x)), complex for complex x; NaN for real x <= 0, where it is not real."""
    x = float_array("loggamma", x)
    if dtypes.kind(x.dtype) == "c":
        return complex_loggamma(x)
    value = lax.lgamma(x)
    return jnp.where(x > 0, value, jnp.nan)


def digamma(x: Any) -> Array:
    """The derivative of log(gamma(x))."""
    x = float_array("digamma", x)
    return lax.digamma(x)


def gammasgn(x: Any) -> Array:
    """The sign of gamma(x); NaN at negative integers. ValueError for complex x."""
    (x,) = real_arrays("gammasgn", x)
    number = x.dtype.type
    floor = lax.floor(x)
    negative = x < 0
    return jnp.select(
        [negative & (x == floor) | jnp.isnan(x), negative & (floor % 2 != 0) | (x == 0) & jnp.signbit(x)],
        [number(np.nan), number(-1.0)],
        number(1.0),
    )


def gamma(x: Any) -> Array:
    """The gamma function of real or complex numbers."""
    x = float_array("gamma", x)
    if dtypes.kind(x.dtype) == "c":
        return complex_gamma(x)
    return gammasgn(x) * lax.exp(lax.lgamma(x))


def factorial(n: Any, exact: bool = False) -> Array:
    """gamma(n + 1), 0 for negative n. exact=True is not supported."""
    if exact:
        raise NotImplementedError("factorial with exact=True is not supported: arrays hold no large integers.")
    n = float_array("factorial", n)
    return jnp.where(n < 0, 0, lax.exp(lax.lgamma(n + 1)))


def multigammaln(a: Any, d: Any) -> Array:
    """The logarithm of the multivariate gamma function of dimension d, an integer."""
    d = operator.index(require_known(d, "the d argument of multigammaln"))
    a, dimension = float_arrays("multigammaln", a, d)
    constant = lax.mul(
        lax.mul(lax.mul(like(a, 0.25), dimension), lax.sub(dimension, like(a, 1))), lax.log(like(a, np.pi))
    )
    halves = lax.div(jnp.arange(d, dtype=dtypes.dtype(dimension)), like(a, 2))
    terms = jnp.expand_dims(a, axis=-1) - jnp.expand_dims(halves, axis=tuple(range(np.ndim(a))))
    return jnp.sum(gammaln(terms), axis=-1) + constant


def polygamma(n: Any, x: Any) -> Array:
    """The n-th derivative of digamma. ValueError for an n that is no integer, and for complex x."""
    if not dtypes.is_integer(dtypes.dtype(n)):
        raise ValueError(
            f"polygamma: the argument n must be of integer type, got dtype {dtypes.dtype(n)}. Write int(n) or "
            "n.astype('int32')."
        )
    return lax.polygamma(*real_arrays("polygamma", n, x))


@custom_jvp
def poch(z: Any, m: Any) -> Array:
    """Pochhammer's symbol gamma(z + m) / gamma(z): for whole m the product z (z + 1) ... (z + m - 1)."""
    z, m = real_arrays("poch", z, m)
    return jnp.where(m == 0.0, jnp.array(1, dtype=z.dtype), gamma(z + m) / gamma(z))


poch.defjvps(
    lambda t, ans, z, m: (digamma(z + m) - digamma(z)) * poch(z, m) * t,
    lambda t, ans, z, m: digamma(z + m) * poch(z, m) * t,
)


def gammainc(a: Any, x: Any) -> Array:
    """The regularised lower incomplete gamma function."""
    a, x = float_arrays("gammainc", a, x)
    return lax.igamma(a, x)


def gammaincc(a: Any, x: Any) -> Array:
    """The regularised upper incomplete gamma function, 1 - gammainc(a, x)."""
    a, x = float_arrays("gammaincc", a, x)
    return lax.igammac(a, x)
