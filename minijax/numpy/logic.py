"""Comparisons, logical operations and tests of single numbers; all results are booleans."""

from __future__ import annotations

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
    return lax.gt(*promote_args("greater", x, y))


def greater_equal(x: Any, y: Any, /) -> Array:
    """x >= y."""
    return lax.ge(*promote_args("greater_equal", x, y))


def less(x: Any, y: Any, /) -> Array:
    """x < y."""
    return lax.lt(*promote_args("less", x, y))


def less_equal(x: Any, y: Any, /) -> Array:
    """x <= y."""
    return lax.le(*promote_args("less_equal", x, y))


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


# --------------------------------------------------------------------------- tests of numbers


def isnan(x: Any, /) -> Array:
    """Whether x is NaN."""
    x = ensure_arraylike("isnan", x)
    return lax.ne(x, x)


def isfinite(x: Any, /) -> Array:
    """Whether x is neither infinite nor NaN."""
    x = ensure_arraylike("isfinite", x)
    return lax.is_finite(x) if dtypes.is_float(x.dtype) else lax.full_like(x, True, dtype=np.bool_)


def isinf(x: Any, /) -> Array:
    """Whether x is infinite, of either sign."""
    x = ensure_arraylike("isinf", x)
    return _is(lax.abs(x), np.inf) if dtypes.is_float(x.dtype) else _nowhere(x)


def isposinf(x: Any, /, out: None = None) -> Array:
    """Whether x is positive infinity."""
    reject("isposinf", out=out)
    x = ensure_arraylike("isposinf", x)
    return _is(x, np.inf) if dtypes.is_float(x.dtype) else _nowhere(x)


def isneginf(x: Any, /, out: None = None) -> Array:
    """Whether x is negative infinity."""
    reject("isneginf", out=out)
    x = ensure_arraylike("isneginf", x)
    return _is(x, -np.inf) if dtypes.is_float(x.dtype) else _nowhere(x)


def _is(x: Array, value: float) -> Array:
    return lax.eq(x, strong_scalar(value, x.dtype))


def _nowhere(x: Array) -> Array:
    return lax.full_like(x, False, dtype=np.bool_)


def isreal(x: Any) -> Array:
    """True everywhere: there are no complex arrays."""
    imaginary = lax.full_like(ensure_arraylike("isreal", x), 0)
    return lax.eq(imaginary, like(imaginary, 0))


def iscomplex(x: Any) -> Array:
    """False everywhere: there are no complex arrays."""
    imaginary = lax.full_like(ensure_arraylike("iscomplex", x), 0)
    return lax.ne(imaginary, like(imaginary, 0))


def iscomplexobj(x: Any) -> bool:
    """Whether x has a complex dtype, whatever its values."""
    return isinstance(x, complex) or np.issubdtype(getattr(x, "dtype", np.float32), np.complexfloating)


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
