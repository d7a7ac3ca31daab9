"""Rounding to whole numbers, and what floats are made of: sign, fraction, exponent, neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.axes import static_int
from minijax.numpy.logic import isinf, isnan, isneginf, isposinf
from minijax.numpy.promotion import (
    array_of,
    convert,
    ensure_arraylike,
    like,
    promote_args,
    promote_args_inexact,
    promote_dtypes_inexact,
    reject,
    strong_scalar,
)
from minijax.numpy.selection import if_else

__all__ = [
    "around",
    "ceil",
    "copysign",
    "floor",
    "frexp",
    "ldexp",
    "modf",
    "nan_to_num",
    "nextafter",
    "rint",
    "round",
    "signbit",
    "spacing",
    "trunc",
]

# --------------------------------------------------------------------------- whole numbers


def floor(x: Any, /) -> Array:
    """The largest whole number not above x; floats stay floats, integers are returned as they are."""
    x = ensure_arraylike("floor", x)
    return lax.floor(x) if dtypes.is_inexact(x.dtype) else x


def ceil(x: Any, /) -> Array:
    """The smallest whole number not below x; floats stay floats, integers are returned as they are."""
    x = ensure_arraylike("ceil", x)
    return lax.ceil(x) if dtypes.is_inexact(x.dtype) else x


def trunc(x: Any) -> Array:
    """x without its fraction; floats stay floats, integers are returned as they are."""
    x = ensure_arraylike("trunc", x)
    if not dtypes.is_inexact(x.dtype):
        return x
    return if_else(lax.lt(x, like(x, 0)), lax.ceil(x), lax.floor(x))


def rint(x: Any, /) -> Array:
    """The nearest whole number as a float, ties to the even one; of complex numbers for both parts."""
    x = ensure_arraylike("rint", x)
    if dtypes.is_complex(x.dtype):
        return lax.complex(rint(lax.real(x)), rint(lax.imag(x)))
    if not dtypes.is_float(x.dtype):
        return lax.convert_element_type(x, dtypes.default_float_dtype())
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


def round(a: Any, decimals: int = 0, out: None = None) -> Array:
    """a rounded to `decimals` digits after the point, ties to the even digit; both parts of complex numbers.

    Raises NotImplementedError for integers and negative `decimals`.
    """
    reject("round", out=out)
    a = ensure_arraylike("round", a)
    decimals = static_int(decimals, "the 'decimals' argument of jnp.round")
    if dtypes.is_integer(a.dtype):
        if decimals < 0:
            raise NotImplementedError(
                f"round of integers ({a.dtype.name}{list(a.shape)}) to decimals={decimals} is not supported. "
                "Round a.astype(float) instead."
            )
        return a
    if not dtypes.is_inexact(a.dtype):
        raise ValueError(f"round does not accept dtype {a.dtype}. Convert it first, for example a.astype(int).")
    if decimals > np.log10(dtypes.finfo(a.dtype).max):
        return a
    if dtypes.is_complex(a.dtype):
        return lax.complex(_round_to(lax.real(a), decimals), _round_to(lax.imag(a), decimals))
    return _round_to(a, decimals)


def around(a: Any, decimals: int = 0, out: None = None) -> Array:
    """a rounded to `decimals` digits after the point; see `round`."""
    return round(a, decimals, out)


def _round_to(a: Array, decimals: int) -> Array:
    if not decimals:
        return lax.round(a, lax.RoundingMethod.TO_NEAREST_EVEN)
    # In float16 the factor would overflow from five decimals on.
    x = lax.convert_element_type(a, np.float32) if a.dtype == np.float16 else a
    factor = like(x, 10**decimals if decimals > 0 else 10.0**decimals)
    x = lax.div(lax.round(lax.mul(x, factor), lax.RoundingMethod.TO_NEAREST_EVEN), factor)
    return lax.convert_element_type(x, a.dtype) if a.dtype == np.float16 else x


def modf(x: Any, /, out: None = None) -> tuple[Array, Array]:
    """(fraction, whole part) of x, both with the sign of x."""
    reject("modf", out=out)
    x = array_of(*promote_args_inexact("modf", x))
    whole = if_else(lax.ge(x, like(x, 0)), lax.floor(x), lax.ceil(x))
    return x - whole, whole


# --------------------------------------------------------------------------- signs and neighbours


def signbit(x: Any, /) -> Array:
    """Whether x has a minus sign, which -0.0 has too. ValueError for complex numbers."""
    x = array_of(*promote_args("signbit", x))
    if dtypes.is_integer(x.dtype):
        return lax.lt(x, strong_scalar(0, x.dtype))
    if dtypes.is_complex(x.dtype):
        raise ValueError(f"signbit is not well defined for {x.dtype}: take that of a part, x.real or x.imag.")
    if not dtypes.is_float(x.dtype):
        return lax.full_like(x, False, dtype=np.bool_)
    bits = lax.bitcast_convert_type(x, _integer_type(x))
    return lax.convert_element_type(bits >> (8 * x.dtype.itemsize - 1), np.bool_)


def copysign(x1: Any, x2: Any, /) -> Array:
    """|x1| with the sign of x2. TypeError for complex numbers."""
    x1, x2 = map(array_of, promote_args_inexact("copysign", x1, x2))
    if dtypes.is_complex(x1.dtype):
        raise TypeError(f"copysign does not support complex numbers, got {x1.dtype}. Pass their parts.")
    return if_else(signbit(x2), -lax.abs(x1), lax.abs(x1))


def nextafter(x: Any, y: Any, /) -> Array:
    """The float next to x in the direction of y."""
    return lax.nextafter(*promote_args_inexact("nextafter", x, y))


def spacing(x: Any, /) -> Array:
    """The distance from x to the next float away from zero, with the sign of x. ValueError for complex numbers."""
    x = array_of(*promote_args_inexact("spacing", x))
    if dtypes.is_complex(x.dtype):
        raise ValueError("spacing is not defined for complex numbers: take that of the parts.")
    inf = like(x, np.inf)
    if x.dtype == np.float16:
        return lax.nextafter(x, inf) - x
    step = lax.nextafter(x, copysign(inf, x)) - x
    return if_else(step == 0, copysign(dtypes.finfo(x.dtype).smallest_subnormal, x), step)


def _integer_type(x: Array) -> np.dtype:
    """The signed integer type of the width of the floats x."""
    return np.dtype(f"int{8 * x.dtype.itemsize}")


# --------------------------------------------------------------------------- fraction and exponent


def frexp(x: Any, /) -> tuple[Array, Array]:
    """(m, e) with x = m * 2**e and 0.5 <= |m| < 1; e is int32. (x, 0) for zeros, infinities and NaN."""
    return _frexp(array_of(*promote_dtypes_inexact(ensure_arraylike("frexp", x))))


@custom_jvp
def _frexp(x: Array) -> tuple[Array, Array]:
    """Taken from the bits: 1 of sign, then the exponent plus a bias, then the mantissa."""
    info = dtypes.finfo(x.dtype)
    exponent_bits, bias = (1 << info.nexp) - 1, 1 - int(info.minexp)
    bits, exponent = _normal_bits(x, info)
    exponent += ((bits >> info.nmant) & exponent_bits) - bias + 1
    bits &= ~(exponent_bits << info.nmant)
    bits |= (bias - 1) << info.nmant
    mantissa = lax.bitcast_convert_type(bits, x.dtype)
    special = isinf(x) | isnan(x) | (x == 0)
    exponent = if_else(special, lax.full_like(exponent, 0), exponent)
    return if_else(special, x, mantissa), lax.convert_element_type(exponent, np.int32)


def _normal_bits(x: Array, info: Any) -> tuple[Array, Array]:
    """The bits of x, subnormal numbers scaled up to normal ones, and the exponent of that scale."""
    integer_type = _integer_type(x).type
    small = lax.abs(x) < strong_scalar(float(info.tiny), x.dtype)
    scaled = if_else(small, x * like(x, 1 << info.nmant), x)
    exponent = if_else(small, integer_type(-info.nmant), integer_type(0))
    return lax.bitcast_convert_type(scaled, _integer_type(x)), exponent


@_frexp.defjvp
def _frexp_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Any, Any]:
    (x,), (t,) = primals, tangents
    m, e = frexp(x)
    return (m, e), (t * lax.exp2(-e.astype(t.dtype)), np.zeros(e.shape, dtypes.float0))


def ldexp(x1: Any, x2: Any, /) -> Array:
    """x1 * 2**x2 for integers x2. Raises ValueError for x2 that are floats."""
    x1, x2 = ensure_arraylike("ldexp", x1, x2)
    if dtypes.is_complex(x1.dtype) or dtypes.is_inexact(x2.dtype):
        raise ValueError(
            f"ldexp not supported for input types {(x1.dtype, x2.dtype)}: it takes a real number and an integer "
            "exponent. Write x1 * 2.0**x2 for others."
        )
    (x1,) = promote_dtypes_inexact(x1)
    x2 = lax.convert_element_type(x2, x1.dtype)
    m, e = frexp(x1)
    e = (e.astype(x2.dtype) + x2).astype(x1.dtype)
    # 2**e may overflow where m * 2**e does not.
    m, e = if_else(e > 0, m * 2, m), if_else(e > 0, e - 1, e)
    return if_else(isinf(x1) | (x1 == 0), x1, m * 2 ** e.astype(m.dtype))


# --------------------------------------------------------------------------- replacing what is not finite


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """x with NaN, inf and -inf replaced, the infinities by the largest finite numbers unless told otherwise.

    Of complex numbers both parts.
    """
    x = ensure_arraylike("nan_to_num", x)
    if dtypes.is_complex(x.dtype):
        replaced = [nan_to_num(part, copy, nan, posinf, neginf) for part in (lax.real(x), lax.imag(x))]
        return lax.complex(*replaced)
    if not dtypes.is_float(x.dtype):
        return x
    info = dtypes.finfo(x.dtype)
    posinf, neginf = info.max if posinf is None else posinf, info.min if neginf is None else neginf
    x = if_else(isnan(x), convert(nan, x.dtype), x)
    x = if_else(isposinf(x), convert(posinf, x.dtype), x)
    return if_else(isneginf(x), convert(neginf, x.dtype), x)
