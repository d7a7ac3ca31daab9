"""Comparisons, logical operations and tests of single numbers, whose results are booleans; real and imag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.promotion import (
    array_of,
    ensure_arraylike,
    like,
    promote_args,
    reject,
    strong_scalar,
)

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "imag",
    "iscomplex",
    "iscomplexobj",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "isrealobj",
    "isscalar",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "real",
]

# --------------------------------------------------------------------------- comparisons


def equal(x: Any, y: Any, /) -> Array:
    """x == y."""
    return lax.eq(*promote_args("equal", x, y))


def not_equal(x: Any, y: Any, /) -> Array:
    """x != y."""
    return lax.ne(*promote_args("not_equal", x, y))


def greater(x: Any, y: Any, /) -> Array:
    """x > y."""
    return _ordered(lax.gt, *promote_args("greater", x, y))


def greater_equal(x: Any, y: Any, /) -> Array:
    """x >= y."""
    return _ordered(lax.ge, *promote_args("greater_equal", x, y))


def less(x: Any, y: Any, /) -> Array:
    """x < y."""
    return _ordered(lax.lt, *promote_args("less", x, y))


def less_equal(x: Any, y: Any, /) -> Array:
    """x <= y."""
    return _ordered(lax.le, *promote_args("less_equal", x, y))


def _ordered(compare: Callable[[Any, Any], Array], x: Any, y: Any) -> Array:
    """A comparison; of complex numbers by the real parts, and by the imaginary ones where those are equal."""
    if not dtypes.is_complex(dtypes.dtype(x)):
        return compare(x, y)
    equal_real_parts = lax.eq(lax.real(x), lax.real(y))
    by_imaginary_parts = compare(lax.imag(x), lax.imag(y))
    return lax.select(equal_real_parts, by_imaginary_parts, compare(lax.real(x), lax.real(y)))


# --------------------------------------------------------------------------- logical operations


def logical_and(x: Any, y: Any, /) -> Array:
    """Whether x and y are both nonzero."""
    return lax.bitwise_and(*map(_truth, promote_args("logical_and", x, y)))


def logical_or(x: Any, y: Any, /) -> Array:
    """Whether x or y or both are nonzero."""
    return lax.bitwise_or(*map(_truth, promote_args("logical_or", x, y)))


def logical_xor(x: Any, y: Any, /) -> Array:
    """Whether just one of x and y is nonzero."""
    return lax.bitwise_xor(*map(_truth, promote_args("logical_xor", x, y)))


def logical_not(x: Any, /) -> Array:
    """Whether x is zero."""
    return lax.bitwise_not(*map(_truth, promote_args("logical_not", x)))


def _truth(x: Any) -> Any:
    x = array_of(x)
    return x if dtypes.kind(x.dtype) == "b" else lax.ne(x, like(x, 0))


# --------------------------------------------------------------------------- the parts of complex numbers


def real(val: Any, /) -> Array:
    """The real part; a real number itself."""
    val = ensure_arraylike("real", val)
    return lax.real(val) if dtypes.is_complex(val.dtype) else val


def imag(val: Any, /) -> Array:
    """The imaginary part, zero for real numbers."""
    val = ensure_arraylike("imag", val)
    return lax.imag(val) if dtypes.is_complex(val.dtype) else lax.full_like(val, 0)


# --------------------------------------------------------------------------- tests of numbers


def isnan(x: Any, /) -> Array:
    """Whether x is NaN."""
    x = ensure_arraylike("isnan", x)
    return lax.ne(x, x)


def isfinite(x: Any, /) -> Array:
    """Whether x is neither infinite nor NaN; of complex numbers both parts."""
    x = ensure_arraylike("isfinite", x)
    if dtypes.is_complex(x.dtype):
        return lax.bitwise_and(lax.is_finite(lax.real(x)), lax.is_finite(lax.imag(x)))
    return lax.is_finite(x) if dtypes.is_float(x.dtype) else lax.full_like(x, True, dtype=np.bool_)


def isinf(x: Any, /) -> Array:
    """Whether x is infinite, of either sign; of complex numbers either part."""
    x = ensure_arraylike("isinf", x)
    if dtypes.is_complex(x.dtype):
        parts = lax.real(x), lax.imag(x)
        return lax.bitwise_or(*[_is(lax.abs(part), np.inf) for part in parts])
    return _is(lax.abs(x), np.inf) if dtypes.is_float(x.dtype) else _nowhere(x)


def isposinf(x: Any, /, out: None = None) -> Array:
    """Whether x is positive infinity. ValueError for complex numbers."""
    reject("isposinf", out=out)
    return _is_infinity("isposinf", x, np.inf)


def isneginf(x: Any, /, out: None = None) -> Array:
    """Whether x is negative infinity. ValueError for complex numbers."""
    reject("isneginf", out=out)
    return _is_infinity("isneginf", x, -np.inf)


def _is_infinity(fun_name: str, x: Any, infinity: float) -> Array:
    x = ensure_arraylike(fun_name, x)
    if dtypes.is_complex(x.dtype):
        raise ValueError(f"{fun_name} is not well defined for complex types, got {x.dtype}. Use isinf(x.real).")
    return _is(x, infinity) if dtypes.is_float(x.dtype) else _nowhere(x)


def _is(x: Array, value: float) -> Array:
    return lax.eq(x, strong_scalar(value, x.dtype))


def _nowhere(x: Array) -> Array:
    return lax.full_like(x, False, dtype=np.bool_)


def isreal(x: Any) -> Array:
    """Where the imaginary part is zero: everywhere in real arrays."""
    imaginary = imag(x)
    return lax.eq(imaginary, like(imaginary, 0))


def iscomplex(x: Any) -> Array:
    """Where the imaginary part is not zero: nowhere in real arrays."""
    imaginary = imag(x)
    return lax.ne(imaginary, like(imaginary, 0))


def iscomplexobj(x: Any) -> bool:
    """Whether x has a complex dtype, whatever its values."""
    if x is None or isinstance(x, (int, float, complex, str, np.generic)):
        return isinstance(x, (complex, np.complexfloating))
    return dtypes.is_complex(x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype)


def isrealobj(x: Any) -> bool:
    """Whether x does not have a complex dtype."""
    return not iscomplexobj(x)


def isscalar(element: Any) -> bool:
    """Whether x is a number, or an array of shape ()."""
    if isinstance(element, (np.ndarray, Array)):
        return element.ndim == 0
    if hasattr(element, "__jax_array__"):
        return isscalar(element.__jax_array__())
    return np.isscalar(element)
