"""The logarithm of the gamma function, its derivatives, and Hurwitz' zeta function. float16 is computed in float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import get_aval
from minijax.primitives.arithmetic import add, mul
from minijax.primitives.conversion import convert
from minijax.primitives.families import binary, def_jvp, def_not_differentiable, in_float32, in_float64, like, unary

__all__ = ["digamma", "lgamma", "polygamma", "zeta"]

# ----------------------------------------------------------------- lgamma and digamma

# Lanczos' approximation with g = 7 and 9 terms (coefficients by P. Godfrey), the one that XLA uses too:
# gamma(z + 1) = sqrt(2 pi) t**(z + 1/2) exp(-t) A(z), where t = z + 7.5 and
# A(z) = a0 + a1 / (z + 1) + a2 / (z + 2) + ...
_LANCZOS_BASE = 0.99999999999980993227684700473478
_LANCZOS = (
    676.520368121885098567009190444019, -1259.13921672240287047156078755283, 771.3234287776530788486528258894,
    -176.61502916214059906584551354, 12.507343278686904814458936853, -0.13857109526572011689554707,
    9.984369578019570859563e-6, 1.50563273514931155834e-7,
)  # fmt: skip


def _lanczos_argument(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the reflection formula is to be used, z, and the logarithm of t."""
    reflect = x < x.dtype.type(0.5)
    z = np.where(reflect, -x, x - x.dtype.type(1))
    return reflect, z, x.dtype.type(math.log(7.5)) + np.log1p(z / x.dtype.type(7.5))


def _lanczos_sum(z: np.ndarray) -> np.ndarray:
    number = z.dtype.type
    total = number(_LANCZOS_BASE)
    for i, a in enumerate(_LANCZOS):
        total = total + number(a) / (z + number(i + 1))
    return total


def lgamma(x: Any) -> Array:
    """The logarithm of the absolute value of the gamma function; infinite at 0, -1, -2, ..."""
    return lgamma_p.bind(x)


def lgamma_kernel(x: np.ndarray) -> np.ndarray:
    """log|gamma(x)| of float32 or float64."""
    number = x.dtype.type
    reflect, z, log_t = _lanczos_argument(x)
    t = z + number(7.5)
    right = (z + number(0.5) - t / log_t) * log_t
    right = right + number(math.log(2 * math.pi) / 2) + np.log(_lanczos_sum(z))
    # log|gamma(x)| = log(pi / |sin(pi x)|) - log gamma(1 - x), where the sine needs no more of x than how far
    # it is from a whole number.
    fraction = np.abs(x) - np.floor(np.abs(x))
    fraction = np.where(fraction > number(0.5), number(1) - fraction, fraction)
    log_sine = np.log(np.sin(number(math.pi) * fraction))
    left = np.where(np.isfinite(log_sine), number(math.log(math.pi)) - log_sine - right, -log_sine)
    return np.where(np.isinf(x), number(np.inf), np.where(reflect, left, right))


lgamma_p = unary("lgamma", in_float32(lgamma_kernel), accepts="f")
def_jvp(lgamma_p, lambda t, x: mul(t, digamma(x)))


def digamma(x: Any) -> Array:
    """The derivative of lgamma; NaN at 0, -1, -2, ..."""
    return digamma_p.bind(x)


def digamma_kernel(x: np.ndarray) -> np.ndarray:
    """The derivative of log|gamma(x)| of float32 or float64."""
    number = x.dtype.type
    reflect, z, log_t = _lanczos_argument(x)
    slope = number(0)
    for i, a in enumerate(_LANCZOS):
        slope = slope - number(a) / np.square(z + number(i + 1))
    right = log_t + slope / _lanczos_sum(z) - number(7) / (z + number(7.5))
    # digamma(x) = digamma(1 - x) - pi / tan(pi x), and the tangent has period 1.
    angle = number(math.pi) * (x + np.abs(np.floor(x + number(0.5))))
    left = right - number(math.pi) * np.cos(angle) / np.sin(angle)
    pole = (x <= 0) & (x == np.floor(x))
    return np.where(pole, number(np.nan), np.where(reflect, left, right))


digamma_p = unary("digamma", in_float32(digamma_kernel), accepts="f")
def_jvp(digamma_p, lambda t, x: mul(t, polygamma(like(x, 1), x)))

# ----------------------------------------------------------------- polygamma


def polygamma(m: Any, x: Any) -> Array:
    """The m-th derivative of digamma for whole numbers m >= 0 given as floats, NaN for others."""
    return polygamma_p.bind(m, x)


_FACTORIALS = np.cumprod(np.maximum(np.arange(171, dtype=np.float64), 1.0))


def _polygamma_kernel(m: np.ndarray, x: np.ndarray) -> np.ndarray:
    whole = (m >= 0) & (m < np.inf) & (m == np.floor(m))
    order = np.where(whole, m, 0.0)
    factorial = np.where(order > 170, np.inf, _FACTORIALS[np.minimum(order, 170).astype(np.int32)])
    sign = np.where(order % 2 == 0, -1.0, 1.0)
    higher = sign * factorial * _hurwitz_zeta(order + 1, x)
    value = np.where(order == 0, digamma_kernel(x), higher)
    return np.where(whole, value, np.nan)


def _polygamma_tangent_order(t: Any, m: Any, x: Any) -> Any:
    raise ValueError(
        "polygamma has no derivative with respect to its order m: differentiate with respect to x, its "
        "argument 1, only."
    )


def _polygamma_tangent(t: Any, m: Any, x: Any) -> Any:
    slope = polygamma(add(m, like(m, 1)), x)
    return mul(convert(t, weak_type=get_aval(slope).weak_type), slope)


polygamma_p = binary("polygamma", in_float64(_polygamma_kernel), accepts="f")
def_jvp(polygamma_p, _polygamma_tangent_order, _polygamma_tangent)


# ----------------------------------------------------------------- zeta


def zeta(x: Any, q: Any) -> Array:
    """Hurwitz' zeta function, the sum of (q + k)**-x over k = 0, 1, ...; NaN for x < 1, infinite for x = 1.

    For q < 0 it is defined for whole numbers x only, NaN for others. It has no derivative.
    """
    return zeta_p.bind(x, q)


# (2k)! / B_2k for k = 1, 2, ..., B being Bernoulli's numbers: the denominators in Euler and Maclaurin's
# formula.
_EULER_MACLAURIN = (
    12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10,
    -2.950130727918164224e12, 1.1646782814350067249e14, -4.5979787224074726105e15,
    1.8152105401943546773e17, -7.1661652562756670113e18,
)  # fmt: skip


def _hurwitz_zeta(s: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The sum of (q + k)**-s over k = 0, 1, ... for s > 1: some terms, and the rest as an integral."""
    # Far to the left more terms are needed to reach the positive numbers; XLA gives up after 9.
    lowest = np.min(q, initial=0.0, where=np.isfinite(q))
    total = np.power(q, -s)
    for k in range(1, 10 + math.ceil(min(-lowest, 1000.0))):
        a = q + float(k)
        last = np.power(a, -s)
        total = total + last
    correction = np.zeros_like(last)
    for k in range(len(_EULER_MACLAURIN) - 1, 0, -1):
        correction = (correction + 1.0 / _EULER_MACLAURIN[k]) * (s + 2 * k - 1) * (s + 2 * k) / (a * a)
    correction = (correction + 1.0 / _EULER_MACLAURIN[0]) * s / a
    rest = last * (a / (s - 1.0) - 0.5 + correction)
    total = np.where(last <= 1e-17 * np.abs(total), total, total + rest)
    pole = np.where(s % 2 == 0, np.inf, np.nan)
    return np.where((q <= 0) & (q == np.floor(q)), pole, total)


def _zeta_kernel(x: np.ndarray, q: np.ndarray) -> np.ndarray:
    # For even x < 1 JAX has poles too, and so there are here.
    undefined = ((x < 1) | ~np.isfinite(x) | np.isposinf(q)) & ~((x % 2 == 0) & (q <= 0) & (q == np.floor(q)))
    value = _hurwitz_zeta(np.where(undefined, 2.0, x), q)
    return np.where(x == 1, np.inf, np.where(undefined, np.nan, value))


zeta_p = binary("zeta", in_float64(_zeta_kernel), accepts="f")
def_not_differentiable(zeta_p)
