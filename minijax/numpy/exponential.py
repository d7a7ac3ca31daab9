"""Exponentials, logarithms, powers and roots, element by element."""

from __future__ import annotations

import operator
from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.core import Tracer
from minijax.lax.logaddexp import logaddexp as _logaddexp
from minijax.lax.logaddexp import logaddexp2 as _logaddexp2
from minijax.numpy.promotion import (
    array_of,
    check_arraylike,
    ensure_arraylike,
    promote_args_inexact,
    promote_args_numeric,
    promote_shapes,
    strong_scalar,
)
from minijax.numpy.selection import if_else

__all__ = [
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "float_power",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logaddexp2",
    "pow",
    "power",
    "sqrt",
    "square",
]

# --------------------------------------------------------------------------- exponentials and logarithms


def exp(x: Any, /) -> Array:
    """e**x."""
    return lax.exp(*promote_args_inexact("exp", x))


def exp2(x: Any, /) -> Array:
    """2**x."""
    return lax.exp2(*promote_args_inexact("exp2", x))


def expm1(x: Any, /) -> Array:
    """e**x - 1, accurate near x = 0."""
    return lax.expm1(*promote_args_inexact("expm1", x))


def log(x: Any, /) -> Array:
    """The natural logarithm of x; -inf for 0, NaN for negative numbers."""
    return lax.log(*promote_args_inexact("log", x))


def log1p(x: Any, /) -> Array:
    """log(1 + x), accurate near x = 0."""
    return lax.log1p(*promote_args_inexact("log1p", x))


def log2(x: Any, /) -> Array:
    """The logarithm of x to base 2."""
    x = array_of(*promote_args_inexact("log2", x))
    return lax.div(lax.log(x), lax.log(strong_scalar(2, x.dtype)))


def log10(x: Any, /) -> Array:
    """The logarithm of x to base 10."""
    x = array_of(*promote_args_inexact("log10", x))
    return lax.mul(lax.log(x), strong_scalar(0.4342944819032518, x.dtype))


def logaddexp(x1: Any, x2: Any, /) -> Array:
    """log(exp(x1) + exp(x2)) without overflow."""
    return _logaddexp(*promote_args_inexact("logaddexp", x1, x2))


def logaddexp2(x1: Any, x2: Any, /) -> Array:
    """log2(2**x1 + 2**x2) without overflow."""
    return _logaddexp2(*promote_args_inexact("logaddexp2", x1, x2))


# --------------------------------------------------------------------------- roots and powers


def sqrt(x: Any, /) -> Array:
    """The square root of x; NaN for negative numbers."""
    return lax.sqrt(*promote_args_inexact("sqrt", x))


def cbrt(x: Any, /) -> Array:
    """The cube root of x, negative for negative numbers."""
    return lax.cbrt(*promote_args_inexact("cbrt", x))


def square(x: Any, /) -> Array:
    """x * x."""
    return lax.square(*promote_args_numeric("square", x))


def power(x1: Any, x2: Any, /) -> Array:
    """x1**x2. TypeError for an integer array to a negative power that is a Python integer.

    A known integer exponent becomes repeated multiplication.
    """
    check_arraylike("power", x1, x2)
    if not isinstance(x2, Tracer):
        try:
            exponent = operator.index(x2)
        except TypeError:
            pass
        else:
            return lax.integer_pow(array_of(*promote_args_numeric("power", x1)), exponent)
    return _power(x1, x2)


def pow(x1: Any, x2: Any, /) -> Array:
    """x1**x2; see `power`."""
    return power(x1, x2)


def float_power(x: Any, y: Any, /) -> Array:
    """x**y as floats."""
    return lax.pow(*promote_args_inexact("float_power", x, y))


def _power(x1: Any, x2: Any) -> Array:
    x1, x2 = promote_shapes("power", *ensure_arraylike("power", x1, x2))
    base, exponent = promote_args_numeric("power", x1, x2)
    if not dtypes.is_float(dtypes.dtype(base)):
        return _integer_power(array_of(base), array_of(exponent))
    if dtypes.is_float(x1.dtype) and dtypes.is_integer(x2.dtype):
        # lax.pow takes integer exponents: its derivative and its zeros are better than those of float ones.
        return lax.pow(x1, x2)
    return lax.pow(base, exponent)


def _integer_power(x: Array, n: Array) -> Array:
    """x**n by squaring, for the six bits of n that matter: no larger power fits in 64 bits."""
    zero, one = strong_scalar(0, x.dtype), strong_scalar(1, x.dtype)
    out = if_else(lax.bitwise_and(lax.eq(x, zero), lax.ne(n, zero)), zero, one)
    for _ in range(6):
        out = if_else(lax.bitwise_and(n, one), lax.mul(out, x), out)
        x, n = lax.mul(x, x), lax.shift_right_logical(n, one)
    return out
