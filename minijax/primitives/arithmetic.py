"""Elementwise arithmetic: the four operations, remainders, extrema, whole powers and roots.

Integers wrap around, as in XLA. Integer division by zero is -1 (all bits set), the remainder the dividend.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray, is_linear
from minijax.primitives import complex_kernels
from minijax.primitives.comparison import eq, ge
from minijax.primitives.complex_parts import conj, neg, real, real_dtype
from minijax.primitives.conversion import convert_element_type
from minijax.primitives.families import (
    binary,
    def_bilinear,
    def_joint_jvp,
    def_jvp,
    def_not_differentiable,
    evaluate_unary,
    filled_like,
    in_float32,
    is_zero,
    like,
    real_or_complex,
    scalar_like,
    unary,
    unbroadcast,
    widen,
)
from minijax.primitives.rounding import floor
from minijax.primitives.selection import select
from minijax.primitives.standard import def_jvp_zero

__all__ = [
    "abs",
    "add",
    "cbrt",
    "div",
    "integer_pow",
    "max",
    "min",
    "mul",
    "neg",
    "nextafter",
    "reciprocal",
    "rem",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "sub",
]

# ----------------------------------------------------------------- sign and magnitude


def sign(x: Any) -> Array:
    """-1, 0 or 1 in x's dtype; -0.0 for -0.0 and NaN for NaN. For complex numbers x / |x|, or 0."""
    return sign_p.bind(x)


def _sign_impl(x: np.ndarray) -> np.ndarray:
    return np.copysign(np.sign(x), x) if dtypes.kind(x.dtype) == "f" else np.sign(x)


sign_p = unary("sign", real_or_complex(_sign_impl, complex_kernels.sign), accepts="iufc")
def_jvp_zero(sign_p)


def abs(x: Any) -> Array:
    """|x|, a real number; the smallest integer of a signed dtype stays as it is. The derivative at 0 is 1."""
    return abs_p.bind(x)


abs_p = unary("abs", real_or_complex(np.abs, complex_kernels.absolute), accepts="ifc", dtype=real_dtype)


def _abs_tangent(t: Any, out: Any, x: Any) -> Any:
    if not dtypes.is_complex(dtypes.dtype(x)):
        return select(ge(x, scalar_like(x, 0)), t, neg(t))
    opposite = conj(x)
    return real(mul(t, div(opposite, replace_zero(convert_element_type(out, dtypes.dtype(x))))))


def replace_zero(x: Any) -> Any:
    """`x` with 1 in place of 0, to divide by or to take the logarithm of."""
    return select(eq(x, like(x, 0)), filled_like(x, 1), x)


def_jvp(abs_p, _abs_tangent, with_out=True)

# ----------------------------------------------------------------- sums and differences


def add(x: Any, y: Any) -> Array:
    """x + y."""
    return add_p.bind(x, y)


add_p = binary("add", np.add, accepts="iufc")


def _add_tangent(out: Any, primals: Any, tangents: Any) -> Any:
    t, u = tangents
    if is_zero(u):
        return widen(t, np.shape(out))
    return widen(u, np.shape(out)) if is_zero(t) else add(t, u)


def _add_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return (
        unbroadcast(ct, x.aval) if is_linear(x) else None,
        unbroadcast(ct, y.aval) if is_linear(y) else None,
    )


def_joint_jvp(add_p, _add_tangent)
add_p.transpose = _add_transpose


def sub(x: Any, y: Any) -> Array:
    """x - y."""
    return sub_p.bind(x, y)


sub_p = binary("sub", np.subtract, accepts="iufc")


def _sub_tangent(out: Any, primals: Any, tangents: Any) -> Any:
    t, u = tangents
    if is_zero(u):
        return widen(t, np.shape(out))
    return widen(neg(u), np.shape(out)) if is_zero(t) else sub(t, u)


def _sub_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return (
        unbroadcast(ct, x.aval) if is_linear(x) else None,
        unbroadcast(neg(ct), y.aval) if is_linear(y) else None,
    )


def_joint_jvp(sub_p, _sub_tangent)
sub_p.transpose = _sub_transpose

# ----------------------------------------------------------------- products and quotients


def mul(x: Any, y: Any, *, out_dtype: Any = None) -> Array:
    """x * y; with `out_dtype` both are converted to it first."""
    if out_dtype is not None:
        x, y = convert_element_type(x, out_dtype), convert_element_type(y, out_dtype)
    return mul_p.bind(x, y)


mul_p = binary("mul", np.multiply, accepts="iufc")
def_bilinear(
    mul_p,
    lambda ct, x, y: unbroadcast(mul(ct, y), x),
    lambda ct, x, y: unbroadcast(mul(x, ct), y),
)


def div(x: Any, y: Any) -> Array:
    """x / y; integers are divided towards zero, and anything by 0 is -1 (all bits set)."""
    return div_p.bind(x, y)


def _div_impl(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return complex_kernels.divide(x, y)
    if x.dtype.kind not in "iu":
        # XLA divides by what it broadcasts through the reciprocal; so do we, for the sake of equal numbers.
        if x.shape != y.shape and np.broadcast(x, y).size > y.size:
            return np.multiply(x, np.divide(y.dtype.type(1), y))
        return np.divide(x, y)
    # What is left of x without the remainder is divided exactly, so that nothing is rounded down.
    quotient = np.floor_divide(x - np.fmod(x, y) if x.dtype.kind == "i" else x, y)
    by_zero = y == 0
    return np.where(by_zero, np.invert(x.dtype.type(0)), quotient) if np.any(by_zero) else quotient


div_p = binary("div", _div_impl, accepts="iufc")
def_jvp(
    div_p,
    lambda t, x, y: div(t, y),
    lambda t, x, y: mul(mul(neg(t), x), integer_pow(y, -2)),
)
div_p.transpose = lambda ct, x, y: (unbroadcast(div(ct, y), x.aval), None)


def rem(x: Any, y: Any) -> Array:
    """The remainder of x / y rounded towards zero; it has x's sign. For integers x where y is 0."""
    return rem_p.bind(x, y)


def _rem_impl(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    remainder = np.fmod(x, y)
    return np.where(y == 0, x, remainder) if x.dtype.kind in "iu" else remainder


rem_p = binary("rem", _rem_impl, accepts="iuf")
def_jvp(
    rem_p,
    lambda t, x, y: widen(t, np.broadcast_shapes(np.shape(x), np.shape(y))),
    lambda t, x, y: mul(neg(t), mul(sign(div(x, y)), floor(abs(div(x, y))))),
)

# ----------------------------------------------------------------- extrema


def max(x: Any, y: Any) -> Array:
    """The larger of x and y, NaN if either is. Where they are equal each gets half of the derivative."""
    return max_p.bind(x, y)


def min(x: Any, y: Any) -> Array:
    """The smaller of x and y, NaN if either is. Where they are equal each gets half of the derivative."""
    return min_p.bind(x, y)


def _share(x: Any, out: Any, other: Any) -> Any:
    """1 where x alone is the extremum, 1/2 where both are, 0 elsewhere."""
    chosen = select(eq(x, out), filled_like(out, 1), filled_like(out, 0))
    return div(chosen, select(eq(other, out), filled_like(out, 2), filled_like(out, 1)))


def _ordering_zeros(choose: Any, sign_of: Any) -> Any:
    """`choose`, NumPy's maximum or minimum, which returns either of two zeros, with -0.0 below 0.0 as in XLA."""

    def impl(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = choose(x, y)
        if dtypes.kind(out.dtype) != "f" or np.count_nonzero(out) == out.size:
            return out
        sign = sign_of(np.signbit(x), np.signbit(y))
        return np.where(out == 0, np.where(sign, out.dtype.type(-0.0), out.dtype.type(0.0)), out)

    return impl


_maximum = _ordering_zeros(np.maximum, np.logical_and)
_minimum = _ordering_zeros(np.minimum, np.logical_or)
max_p = binary("max", real_or_complex(_maximum, complex_kernels.larger), accepts="biufc")
min_p = binary("min", real_or_complex(_minimum, complex_kernels.smaller), accepts="biufc")
for _p in (max_p, min_p):
    def_jvp(
        _p,
        lambda t, out, x, y: mul(t, _share(x, out, y)),
        lambda t, out, x, y: mul(t, _share(y, out, x)),
        with_out=True,
    )

# ----------------------------------------------------------------- whole powers


def integer_pow(x: Any, y: int) -> Array:
    """x**y for a Python int y, by repeated multiplication. TypeError for integers to a negative power."""
    return integer_pow_p.bind(x, y=operator.index(y))


def _integer_pow_impl(x: np.ndarray, *, y: int) -> np.ndarray:
    if y == 2:
        return np.square(x)
    if y == 0:
        return np.ones_like(x)
    power, factor, rest = None, x, y if y > 0 else -y
    while rest:
        if rest & 1:
            power = factor if power is None else power * factor
        rest >>= 1
        if rest:
            factor = factor * factor
    return power if y > 0 else _div_impl(np.ones_like(power), power)


def _check_power(x: ShapedArray, *, y: int) -> None:
    if y < 0 and x.dtype.kind in "iu":
        raise TypeError(
            f"Integers cannot be raised to negative powers, got integer_pow of {x.str_short()} with y={y}. "
            "Convert the operand first, for example with x.astype('float32')."
        )


integer_pow_p = unary("integer_pow", _integer_pow_impl, accepts="iufc", check=_check_power)
integer_pow_p.evaluate = evaluate_unary(integer_pow_p, _integer_pow_impl, "fc")


def _integer_pow_tangent(t: Any, x: Any, *, y: int) -> Any:
    if y == 0:
        return filled_like(t, 0)
    if y == 1:
        return t
    return mul(t, mul(like(x, y), x if y == 2 else integer_pow(x, y - 1)))


def_jvp(integer_pow_p, _integer_pow_tangent)


def square(x: Any) -> Array:
    """x * x."""
    return square_p.bind(x)


square_p = unary("square", real_or_complex(np.square, complex_kernels.square), accepts="iufc")
def_jvp(square_p, lambda t, x: mul(t, mul(like(x, 2), x)))


def reciprocal(x: Any) -> Array:
    """1 / x."""
    return integer_pow(x, -1)


# ----------------------------------------------------------------- roots


def sqrt(x: Any, *, accuracy: Any = None) -> Array:
    """The square root; NaN for negative numbers. The derivative at 0 is infinite."""
    return sqrt_p.bind(x) if accuracy is None else sqrt_p.bind(x, accuracy=accuracy)


sqrt_p = unary("sqrt", real_or_complex(np.sqrt, complex_kernels.sqrt), accepts="fc", accuracy=True)
def_jvp(sqrt_p, lambda t, out, x, **_: mul(t, div(like(x, 0.5), out)), with_out=True)


def rsqrt(x: Any, *, accuracy: Any = None) -> Array:
    """1 / sqrt(x)."""
    return rsqrt_p.bind(x) if accuracy is None else rsqrt_p.bind(x, accuracy=accuracy)


_rsqrt_kernel = in_float32(lambda x: x.dtype.type(1) / np.sqrt(x))
rsqrt_p = unary(
    "rsqrt",
    real_or_complex(_rsqrt_kernel, lambda x: complex_kernels.divide(np.ones_like(x), np.sqrt(x))),
    accepts="fc",
    accuracy=True,
)
def_jvp(rsqrt_p, lambda t, out, x, **_: mul(t, mul(like(x, -0.5), div(out, x))), with_out=True)


def cbrt(x: Any, *, accuracy: Any = None) -> Array:
    """The cube root, which has x's sign."""
    return cbrt_p.bind(x) if accuracy is None else cbrt_p.bind(x, accuracy=accuracy)


cbrt_p = unary("cbrt", np.cbrt, accepts="f", accuracy=True)
def_jvp(cbrt_p, lambda t, out, x, **_: mul(t, mul(like(x, 1 / 3), integer_pow(out, -2))), with_out=True)

# ----------------------------------------------------------------- neighbours


def nextafter(x1: Any, x2: Any) -> Array:
    """The representable number next to x1 in the direction of x2. It has no derivative."""
    return nextafter_p.bind(x1, x2)


def _nextafter_impl(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    # C gives x2 where both are equal, which differs for zeros; NumPy's float16 does not.
    return np.where(x1 == x2, x2, np.nextafter(x1, x2))


nextafter_p = binary("nextafter", _nextafter_impl, accepts="f")
def_not_differentiable(nextafter_p)
