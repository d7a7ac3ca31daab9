"""Exponentials, logarithms, squares and roots, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.lax.logaddexp import logaddexp as _logaddexp
from minijax.lax.logaddexp import logaddexp2 as _logaddexp2
from minijax.numpy.promotion import (
    array_of,
    promote_args_inexact,
    promote_args_numeric,
    strong_scalar,
)

__all__ = [
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logaddexp2",
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
    if dtypes.is_complex(x.dtype):
        return _by_parts(lax.log(x), lambda part: lax.div(part, lax.log(strong_scalar(2, part.dtype))))
    return lax.div(lax.log(x), lax.log(strong_scalar(2, x.dtype)))


def log10(x: Any, /) -> Array:
    """The logarithm of x to base 10."""
    x = array_of(*promote_args_inexact("log10", x))
    if dtypes.is_complex(x.dtype):
        return _by_parts(lax.log(x), lambda part: lax.mul(part, strong_scalar(0.4342944819032518, part.dtype)))
    return lax.mul(lax.log(x), strong_scalar(0.4342944819032518, x.dtype))


def _by_parts(x: Array, function: Callable[[Array], Array]) -> Array:
    return lax.complex(function(lax.real(x)), function(lax.imag(x)))


def logaddexp(x1: Any, x2: Any, /) -> Array:
    """log(exp(x1) + exp(x2)) without overflow."""
    return _logaddexp(*promote_args_inexact("logaddexp", x1, x2))


def logaddexp2(x1: Any, x2: Any, /) -> Array:
    """log2(2**x1 + 2**x2) without overflow."""
    return _logaddexp2(*promote_args_inexact("logaddexp2", x1, x2))


# --------------------------------------------------------------------------- roots and squares


def sqrt(x: Any, /) -> Array:
    """The square root of x; NaN for negative numbers."""
    return lax.sqrt(*promote_args_inexact("sqrt", x))


def cbrt(x: Any, /) -> Array:
    """The cube root of x, negative for negative numbers."""
    return lax.cbrt(*promote_args_inexact("cbrt", x))


def square(x: Any, /) -> Array:
    """x * x."""
    return lax.square(*promote_args_numeric("square", x))
