"""Arithmetic, element by element: sums, products, quotients, powers, signs, the larger and the smaller of two."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.core import Tracer
from minijax.numpy.logic import imag, iscomplexobj, isnan, logical_and, real
from minijax.numpy.promotion import (
    array_of,
    check_arraylike,
    ensure_arraylike,
    like,
    promote_args,
    promote_args_inexact,
    promote_args_numeric,
    promote_dtypes_inexact,
    promote_shapes,
    strong_scalar,
)
from minijax.numpy.selection import if_else

__all__ = [
    "abs",
    "absolute",
    "add",
    "angle",
    "clip",
    "conj",
    "conjugate",
    "divide",
    "divmod",
    "fabs",
    "float_power",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "heaviside",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "positive",
    "pow",
    "power",
    "reciprocal",
    "remainder",
    "sign",
    "subtract",
    "true_divide",
]


# --------------------------------------------------------------------------- sums and products


def add(x: Any, y: Any, /) -> Array:
    """x + y; logical or for booleans."""
    x, y = promote_args("add", x, y)
    return lax.bitwise_or(x, y) if _is_bool(x) else lax.add(x, y)


def subtract(x: Any, y: Any, /) -> Array:
    """x - y. TypeError for booleans."""
    return lax.sub(*promote_args("subtract", x, y))


def multiply(x: Any, y: Any, /) -> Array:
    """x * y; logical and for booleans."""
    x, y = promote_args("multiply", x, y)
    return lax.bitwise_and(x, y) if _is_bool(x) else lax.mul(x, y)


def negative(x: Any, /) -> Array:
    """-x. TypeError for booleans."""
    return lax.neg(*promote_args("negative", x))


def positive(x: Any, /) -> Array:
    """x itself."""
    return ensure_arraylike("positive", x)


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_


# --------------------------------------------------------------------------- signs and magnitudes


def absolute(x: Any, /) -> Array:
    """|x|."""
    x = ensure_arraylike("absolute", x)
    return x if dtypes.kind(x.dtype) in "bu" else lax.abs(x)


def abs(x: Any, /) -> Array:
    """|x|."""
    return absolute(x)


def fabs(x: Any, /) -> Array:
    """|x| as a float. TypeError for complex numbers, which `abs` takes."""
    if dtypes.is_complex(ensure_arraylike("fabs", x).dtype):
        raise TypeError("jnp.fabs does not support complex dtypes. Use jnp.abs.")
    return lax.abs(*promote_args_inexact("fabs", x))


def sign(x: Any, /) -> Array:
    """-1, 0 or 1 as x is negative, zero or positive; NaN for NaN. For complex numbers x / |x|, and 0 for 0."""
    return lax.sign(*promote_args("sign", x))


def heaviside(x1: Any, x2: Any, /) -> Array:
    """0 where x1 is negative, 1 where it is positive, x2 where it is zero."""
    x1, x2 = map(array_of, promote_dtypes_inexact(*ensure_arraylike("heaviside", x1, x2)))
    zero, one = like(x1, 0), like(x1, 1)
    below, above = lax.lt(x1, zero), lax.gt(x1, zero)
    at_zero = if_else(lax.ne(x1, x1), x1, x2)
    return if_else(below, zero, if_else(above, one, at_zero))


def conjugate(x: Any, /) -> Array:
    """The complex conjugate; a real number itself."""
    x = ensure_arraylike("conjugate", x)
    return lax.conj(x) if dtypes.is_complex(x.dtype) else x


def conj(x: Any, /) -> Array:
    """The complex conjugate; a real number itself."""
    return conjugate(x)


def angle(z: Any, deg: bool = False) -> Array:
    """The angle of a complex number, from -pi to pi, in degrees if `deg`; 0 or pi for real numbers."""
    z = ensure_arraylike("angle", z)
    x, y = real(z), imag(z)
    if not dtypes.is_inexact(z.dtype) or dtypes.is_float(z.dtype) and not z.ndim:
        x, y = (lax.convert_element_type(part, dtypes.default_float_dtype()) for part in (x, y))
    out = lax.atan2(y, x)
    return lax.mul(out, like(out, 180 / np.pi)) if deg else out


# --------------------------------------------------------------------------- quotients and remainders


def true_divide(x1: Any, x2: Any, /) -> Array:
    """x1 / x2 as floats."""
    return lax.div(*promote_args_inexact("true_divide", x1, x2))


def divide(x1: Any, x2: Any, /) -> Array:
    """x1 / x2 as floats."""
    return true_divide(x1, x2)


def reciprocal(x: Any, /) -> Array:
    """1 / x as a float."""
    (x,) = promote_dtypes_inexact(ensure_arraylike("reciprocal", x))
    return lax.integer_pow(x, -1)


def floor_divide(x1: Any, x2: Any, /) -> Array:
    """x1 / x2 rounded down. An integer divided by zero gives -1, or -2 when it is negative."""
    x1, x2 = map(array_of, promote_args_numeric("floor_divide", x1, x2))
    kind = dtypes.kind(x1.dtype)
    if kind == "c":
        raise TypeError("floor_divide does not support complex-valued inputs: they have no order.")
    if kind == "f":
        return _float_divmod(x1, x2)[0]
    quotient = lax.div(x1, x2)
    if kind == "u":
        return quotient
    # lax.div rounds towards zero, which is up where the signs differ.
    rounded_up = logical_and(lax.ne(lax.sign(x1), lax.sign(x2)), lax.rem(x1, x2) != 0)
    return if_else(rounded_up, quotient - 1, quotient)


def divmod(x1: Any, x2: Any, /) -> tuple[Array, Array]:
    """(floor_divide(x1, x2), remainder(x1, x2))."""
    x1, x2 = map(array_of, promote_args_numeric("divmod", x1, x2))
    if dtypes.kind(x1.dtype) == "f":
        return _float_divmod(x1, x2)
    return floor_divide(x1, x2), remainder(x1, x2)


def _float_divmod(x1: Array, x2: Array) -> tuple[Array, Array]:
    mod = lax.rem(x1, x2)
    div = lax.div(if_else(x2 == 0, x1, lax.sub(x1, mod)), x2)
    opposite = lax.bitwise_and(mod != 0, lax.ne(lax.sign(x2), lax.sign(mod)))
    mod = lax.select(opposite, mod + x2, mod)
    div = lax.select(opposite, div - 1.0, div)
    return lax.round(div), mod


def remainder(x1: Any, x2: Any, /) -> Array:
    """x1 - floor(x1 / x2) * x2, which has the sign of x2. An integer modulo zero is 0."""
    x1, x2 = map(array_of, promote_args_numeric("remainder", x1, x2))
    x2 = _without_integer_zero(x2)
    zero = strong_scalar(0, x1.dtype)
    mod = lax.rem(x1, x2)
    nonzero = lax.ne(mod, zero)
    opposite = lax.bitwise_and(lax.ne(lax.lt(mod, zero), lax.lt(x2, zero)), nonzero)
    return lax.select(opposite, lax.add(mod, x2), mod)


def mod(x1: Any, x2: Any, /) -> Array:
    """x1 - floor(x1 / x2) * x2, which has the sign of x2."""
    return remainder(x1, x2)


def fmod(x1: Any, x2: Any, /) -> Array:
    """x1 - trunc(x1 / x2) * x2, which has the sign of x1. An integer modulo zero is 0."""
    x1, x2 = ensure_arraylike("fmod", x1, x2)
    if dtypes.is_integer(dtypes.result_type(x1, x2)):
        x2 = _without_integer_zero(x2)
    return lax.rem(*promote_args_numeric("fmod", x1, x2))


def _without_integer_zero(x: Array) -> Array:
    """Integers with 1 in place of 0: modulo 1 everything is 0."""
    return if_else(x == 0, lax.full_like(x, 1), x) if dtypes.is_integer(x.dtype) else x


# --------------------------------------------------------------------------- powers


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
    if not dtypes.is_inexact(dtypes.dtype(base)):
        return _integer_power(array_of(base), array_of(exponent))
    if dtypes.is_inexact(x1.dtype) and dtypes.is_integer(x2.dtype):
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


# --------------------------------------------------------------------------- the larger and the smaller


def maximum(x: Any, y: Any, /) -> Array:
    """The larger of x and y; NaN if either is NaN."""
    return lax.max(*promote_args("maximum", x, y))


def minimum(x: Any, y: Any, /) -> Array:
    """The smaller of x and y; NaN if either is NaN."""
    return lax.min(*promote_args("minimum", x, y))


def fmax(x1: Any, x2: Any) -> Array:
    """The larger of x1 and x2; the other one if one is NaN."""
    x1, x2 = ensure_arraylike("fmax", x1, x2)
    return if_else((x1 > x2) | isnan(x2), x1, x2)


def fmin(x1: Any, x2: Any) -> Array:
    """The smaller of x1 and x2; the other one if one is NaN."""
    x1, x2 = ensure_arraylike("fmin", x1, x2)
    return if_else((x1 < x2) | isnan(x2), x1, x2)


def clip(arr: Any = None, /, min: Any = None, max: Any = None) -> Array:
    """arr with what is below `min` raised to it, and what is above `max` lowered to it.

    Either bound may be None. The dtype is that of the three together. ValueError for complex numbers.
    """
    if arr is None:
        raise ValueError("clip got no array: write jnp.clip(x, min, max).")
    check_arraylike("clip", arr)
    if any(iscomplexobj(x) for x in (arr, min, max)):
        raise ValueError("clip got complex numbers, which have no order. Clip the parts, x.real and x.imag.")
    if min is not None:
        arr = maximum(min, arr)
    if max is not None:
        arr = minimum(max, arr)
    return ensure_arraylike("clip", arr)
