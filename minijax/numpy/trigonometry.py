"""Trigonometric and hyperbolic functions, element by element; angles are in radians."""

from __future__ import annotations

import functools
import math
from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.arithmetic import maximum, minimum
from minijax.numpy.logic import isposinf
from minijax.numpy.promotion import array_of, like, promote_args, promote_args_inexact
from minijax.numpy.selection import if_else

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "hypot",
    "rad2deg",
    "radians",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]

# --------------------------------------------------------------------------- angles to numbers


def sin(x: Any, /) -> Array:
    """The sine of x."""
    return lax.sin(*promote_args_inexact("sin", x))


def cos(x: Any, /) -> Array:
    """The cosine of x."""
    return lax.cos(*promote_args_inexact("cos", x))


def tan(x: Any, /) -> Array:
    """The tangent of x."""
    return lax.tan(*promote_args_inexact("tan", x))


def sinc(x: Any, /) -> Array:
    """sin(pi x) / (pi x), and 1 at x = 0; all of its derivatives there are right too."""
    x = array_of(*promote_args_inexact("sinc", x))
    at_zero = lax.eq(x, like(x, 0))
    pi_x = lax.mul(like(x, math.pi), x)
    # if_else computes both branches: the one that is not taken must not divide by zero, its gradient neither.
    safe = if_else(at_zero, like(x, 1), pi_x)
    return if_else(at_zero, _sinc_maclaurin(0, pi_x), lax.div(lax.sin(safe), safe))


@functools.partial(custom_jvp, nondiff_argnums=(0,))
def _sinc_maclaurin(k: int, x: Array) -> Array:
    """The k-th derivative of sin(x) / x at zero, whatever x is; of its own derivatives the rule below tells."""
    zero = lax.mul(x, like(x, 0))
    return zero if k % 2 else lax.add(zero, like(x, (-1) ** (k // 2) / (k + 1)))


@_sinc_maclaurin.defjvp
def _sinc_maclaurin_jvp(k: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (t,) = primals, tangents
    return _sinc_maclaurin(k, x), lax.mul(_sinc_maclaurin(k + 1, x), t)


def deg2rad(x: Any, /) -> Array:
    """Degrees to radians."""
    x = array_of(*promote_args_inexact("deg2rad", x))
    return lax.mul(x, like(x, math.pi / 180))


def rad2deg(x: Any, /) -> Array:
    """Radians to degrees."""
    x = array_of(*promote_args_inexact("rad2deg", x))
    return lax.mul(x, like(x, 180 / math.pi))


def radians(x: Any, /) -> Array:
    """Degrees to radians."""
    return deg2rad(x)


def degrees(x: Any, /) -> Array:
    """Radians to degrees."""
    return rad2deg(x)


# --------------------------------------------------------------------------- numbers to angles


def arcsin(x: Any, /) -> Array:
    """The angle between -pi/2 and pi/2 whose sine is x; NaN outside -1..1."""
    return lax.asin(*promote_args_inexact("arcsin", x))


def arccos(x: Any, /) -> Array:
    """The angle between 0 and pi whose cosine is x; NaN outside -1..1."""
    return lax.acos(*promote_args_inexact("arccos", x))


def arctan(x: Any, /) -> Array:
    """The angle between -pi/2 and pi/2 whose tangent is x."""
    return lax.atan(*promote_args_inexact("arctan", x))


def arctan2(x1: Any, x2: Any, /) -> Array:
    """The angle between -pi and pi of the point with the coordinates x2 (to the right) and x1 (up)."""
    return lax.atan2(*promote_args_inexact("arctan2", x1, x2))


def asin(x: Any, /) -> Array:
    """The angle between -pi/2 and pi/2 whose sine is x; NaN outside -1..1."""
    return lax.asin(*promote_args_inexact("asin", x))


def acos(x: Any, /) -> Array:
    """The angle between 0 and pi whose cosine is x; NaN outside -1..1."""
    return lax.acos(*promote_args_inexact("acos", x))


def atan(x: Any, /) -> Array:
    """The angle between -pi/2 and pi/2 whose tangent is x."""
    return lax.atan(*promote_args_inexact("atan", x))


def atan2(x1: Any, x2: Any, /) -> Array:
    """The angle between -pi and pi of the point with the coordinates x2 (to the right) and x1 (up)."""
    return arctan2(*promote_args("atan2", x1, x2))


# --------------------------------------------------------------------------- hyperbolic functions


def sinh(x: Any, /) -> Array:
    """The hyperbolic sine of x."""
    return lax.sinh(*promote_args_inexact("sinh", x))


def cosh(x: Any, /) -> Array:
    """The hyperbolic cosine of x."""
    return lax.cosh(*promote_args_inexact("cosh", x))


def tanh(x: Any, /) -> Array:
    """The hyperbolic tangent of x."""
    return lax.tanh(*promote_args_inexact("tanh", x))


def arcsinh(x: Any, /) -> Array:
    """The inverse of sinh."""
    return lax.asinh(*promote_args_inexact("arcsinh", x))


def arccosh(x: Any, /) -> Array:
    """The inverse of cosh; NaN for x < 1. Of complex numbers with real part >= 0."""
    return _of_the_right(lax.acosh(*promote_args_inexact("arccosh", x)))


def arctanh(x: Any, /) -> Array:
    """The inverse of tanh; NaN outside -1..1."""
    return lax.atanh(*promote_args_inexact("arctanh", x))


def asinh(x: Any, /) -> Array:
    """The inverse of sinh."""
    return lax.asinh(*promote_args_inexact("asinh", x))


def acosh(x: Any, /) -> Array:
    """The inverse of cosh; NaN for x < 1. Of complex numbers with real part >= 0."""
    return _of_the_right(lax.acosh(*promote_args_inexact("acosh", x)))


def _of_the_right(x: Array) -> Array:
    """Of complex numbers x and -x that with real part >= 0."""
    if not dtypes.is_complex(x.dtype):
        return x
    return if_else(lax.real(x) < 0, lax.neg(x), x)


def atanh(x: Any, /) -> Array:
    """The inverse of tanh; NaN outside -1..1."""
    return lax.atanh(*promote_args_inexact("atanh", x))


# --------------------------------------------------------------------------- lengths


def hypot(x1: Any, x2: Any, /) -> Array:
    """sqrt(x1**2 + x2**2) without overflow; infinite if either is. ValueError for complex numbers."""
    x1, x2 = map(array_of, promote_args_inexact("hypot", x1, x2))
    if dtypes.is_complex(x1.dtype):
        raise ValueError("hypot is not well defined for complex numbers. Pass their magnitudes, abs(x).")
    x1, x2 = lax.abs(x1), lax.abs(x2)
    infinite = lax.bitwise_or(isposinf(x1), isposinf(x2))
    large, small = maximum(x1, x2), minimum(x1, x2)
    zero = large == 0
    ratio = lax.div(small, if_else(large == 0, lax.full_like(large, 1), large))
    out = if_else(zero, large, large * lax.sqrt(1 + lax.square(ratio)))
    return if_else(infinite, like(out, math.inf), out)
