"""The distribution function of the standard normal distribution, its logarithm and inverse; Owen's T function."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.promotion import array_of, like
from minijax.scipy.special.operands import float_arrays, horner, single_or_double

__all__ = ["log_ndtr", "ndtr", "ndtri", "owens_t"]


def ndtr(x: Any) -> Array:
    """The probability that a standard normal variable is below x. TypeError for anything but float32 and float64."""
    x = jnp.asarray(x)
    single_or_double("ndtr", x)
    return _ndtr(x)


def _ndtr(x: Array) -> Array:
    number = x.dtype.type
    half_root_2 = number(0.5) * np.sqrt(number(2.0))
    w = x * half_root_2
    z = lax.abs(w)
    is_small, small = lax.lt(z, half_root_2), number(1.0) + lax.erf(w)
    large = lax.select(lax.gt(w, number(0.0)), number(2.0) - lax.erfc(z), lax.erfc(z))
    return number(0.5) * lax.select(is_small, small, large)


@partial(custom_jvp, nondiff_argnums=(1,))
def log_ndtr(x: Any, series_order: int = 3) -> Array:
    """log(ndtr(x)), by an asymptotic series with series_order terms (at most 30) for very negative x."""
    if not isinstance(series_order, int):
        raise TypeError(f"log_ndtr: series_order must be a Python integer, got {series_order!r}.")
    if not 0 <= series_order <= 30:
        raise ValueError(f"log_ndtr: series_order must lie between 0 and 30, got {series_order}.")
    x = jnp.asarray(x)
    # Below `lower` the series is used, above `upper` log(1 - y) is -y.
    bounds = {np.dtype(np.float64): (-20, 8), np.dtype(np.float32): (-10, 5)}[single_or_double("log_ndtr", x)]
    lower, upper = map(x.dtype.type, bounds)
    large = lax.gt(x, upper)
    probability = _ndtr(jnp.where(large, -x, lax.max(x, lower)))
    negative = -probability
    middle = jnp.where(lax.gt(x, lower), lax.log(probability), _log_ndtr_lower(lax.min(x, lower), series_order))
    return jnp.where(large, negative, middle)


def _log_ndtr_lower(x: Array, series_order: int) -> Array:
    number = x.dtype.type
    log_scale = -number(0.5) * lax.square(x) - lax.log(-x) - number(0.5 * np.log(2.0 * np.pi))
    return log_scale + lax.log(_mills_series(x, series_order))


def _mills_series(x: Array, series_order: int) -> Any:
    """1 - 1/x**2 + 3/x**4 - 15/x**6 ..., of which the positive and the negative terms are summed by themselves."""
    number = x.dtype.type
    if not series_order:
        return number(1)
    square = lax.square(x)
    even, odd, power = jnp.zeros_like(x), jnp.zeros_like(x), square
    for n in range(1, series_order + 1):
        term = number(math.prod(range(1, 2 * n, 2))) / power
        if n % 2:
            odd = odd + term
        else:
            even = even + term
        power = power * square
    return number(1.0) + even - odd


@log_ndtr.defjvp
def _log_ndtr_jvp(series_order: int, primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (x,), (t,) = primals, tangents
    ans = log_ndtr(x, series_order=series_order)
    log_density = lax.sub(lax.mul(like(x, -0.5), lax.square(x)), like(x, np.log(np.sqrt(2 * np.pi))))
    return ans, lax.mul(t, lax.exp(lax.sub(log_density, ans)))


# ----------------------------------------------------------------- ndtri

# Numerators and denominators of Cephes: in the distance from 1/2 for the middle, and in 1 / z with
# z = sqrt(-2 log(p)) for the tails, z < 8 and z >= 8.
_N0 = (-59.96335010141079, 98.00107541859997, -56.67628574690703, 13.931260938727968, -1.2391658386738125)
_D0 = (
    1.0, 1.9544885833814176, 4.676279128988815, 86.36024213908905, -225.46268785411937, 200.26021238006066,
    -82.03722561683334, 15.90562251262117, -1.1833162112133,
)  # fmt: skip
_N1 = (
    4.0554489230596245, 31.525109459989388, 57.16281922464213, 44.08050738932008, 14.684956192885803,
    2.1866330685079025, -0.1402560791713545, -0.03504246268278482, -0.0008574567851546854,
)  # fmt: skip
_D1 = (
    1.0, 15.779988325646675, 45.39076351288792, 41.3172038254672, 15.04253856929075, 2.504649462083094,
    -0.14218292285478779, -0.03808064076915783, -0.0009332594808954574,
)  # fmt: skip
_N2 = (
    3.2377489177694603, 6.915228890689842, 3.9388102529247444, 1.3330346081580755, 0.20148538954917908,
    0.012371663481782003, 0.00030158155350823543, 2.6580697468673755e-06, 6.239745391849833e-09,
)  # fmt: skip
_D2 = (
    1.0, 6.02427039364742, 3.6798356385616087, 1.3770209948908132, 0.21623699359449663, 0.013420400608854318,
    0.00032801446468212774, 2.8924786474538068e-06, 6.790194080099813e-09,
)  # fmt: skip


def ndtri(p: Any) -> Array:
    """The inverse of ndtr; infinite at 0 and 1. TypeError for anything but float32 and float64."""
    number = single_or_double("ndtri", p).type
    p = array_of(p)
    lower = jnp.where(p > number(-np.expm1(-2.0)), number(1.0) - p, p)
    lower = jnp.where(lower == number(0.0), number(0.5), lower)

    distance = lower - number(0.5)
    square = lax.square(distance)
    middle = distance + distance * square * (horner(square, _N0) / horner(square, _D0))
    middle = middle * -number(np.sqrt(2.0 * np.pi))

    z = lax.sqrt(number(-2.0) * lax.log(lower))
    first = z - lax.log(z) / z
    inverse = 1 / z
    far = first - horner(inverse, _N2) / horner(inverse, _D2) / z
    near = first - horner(inverse, _N1) / horner(inverse, _D1) / z

    x = jnp.where(lower > number(np.exp(-2.0)), middle, jnp.where(z >= number(8.0), far, near))
    x = jnp.where(p > number(1.0 - np.exp(-2.0)), x, -x)
    infinity = jnp.full(p.shape, number(np.inf))
    return jnp.where(p == number(0.0), -infinity, jnp.where(p == number(1.0), infinity, x))


# ----------------------------------------------------------------- owens_t

# Points and weights of the quadrature by Patefield and Tandy, "Fast and accurate calculation of Owen's T
# function" (2000), in the square of the variable.
_POINTS = (
    0.0035082039676451716, 0.031279042338030756, 0.08526682628321945, 0.16245071730812277, 0.25851196049125436,
    0.3680755384069753, 0.485010929056047, 0.6027751415261857, 0.7147788421775323, 0.814755109887601,
    0.8971102975594897, 0.9572380808594426, 0.991788329746297,
)  # fmt: skip
_WEIGHTS = (
    0.018831438115323503, 0.01856708624397765, 0.018042093461223385, 0.017263829606398752, 0.016243219975989858,
    0.014994592034116705, 0.013535474469662087, 0.011886351605820165, 0.010070377242777432, 0.008113054574229958,
    0.006041900952847024, 0.0038862217010742057, 0.001679303108454609,
)  # fmt: skip


def owens_t(h: Any, a: Any) -> Array:
    """The probability that X > h and 0 < Y < aX for independent standard normal X and Y."""
    h, a = float_arrays("owens_t", h, a)
    return _owens_t(h, a)


@custom_jvp
def _owens_t(h: Array, a: Array) -> Array:
    h, slope = jnp.abs(h), jnp.abs(a)
    root_2 = like(h, math.sqrt(2))
    # The quadrature is for slopes of at most 1; steeper ones are brought there by a symmetry.
    steep = ~(slope <= 1.0)
    small_a = jnp.where(steep, jnp.reciprocal(slope), slope)
    small_h = jnp.where(steep, slope * h, h)
    value = _quadrature(small_h, small_a)
    value = jnp.where(small_h == 0.0, jnp.arctan(small_a) / (2 * np.pi), value)
    at_one = 0.125 * lax.erfc(-small_h / root_2) * lax.erfc(small_h / root_2)
    value = jnp.where(small_a == 1.0, at_one, value)
    p, q = h / root_2, slope * (h / root_2)
    by_erf = 0.25 - 0.25 * lax.erf(p) * lax.erf(q) - value
    by_erfc = 0.25 * (lax.erfc(p) + lax.erfc(q) - lax.erfc(p) * lax.erfc(q)) - value
    value = jnp.where(slope > 1.0, jnp.where(slope * h <= 0.67, by_erf, by_erfc), value)
    return jnp.where(jnp.isnan(a) | jnp.isnan(h), np.nan, lax.sign(a) * value)


def _quadrature(h: Array, a: Array) -> Array:
    points, weights = np.asarray(_POINTS, a.dtype), np.asarray(_WEIGHTS, a.dtype)
    r = jnp.square(a)[..., None] * points
    return a * (jnp.exp(-0.5 * jnp.square(h)[..., None] * (1.0 + r)) / (1.0 + r) @ weights)


@_owens_t.defjvp
def _owens_t_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    (h, a), (dh, da) = primals, tangents
    value = _owens_t(h, a)
    by_h = -lax.exp(-0.5 * lax.square(h)) * lax.erf(a * h / like(h, math.sqrt(2)))
    by_h = by_h / (2.0 * like(h, math.sqrt(2.0 * math.pi)))
    spread = lax.square(a) + 1.0
    by_a = lax.exp(-0.5 * spread * lax.square(h)) / (2.0 * math.pi * spread)
    return value, (by_h * dh + by_a * da).astype(value.dtype)
