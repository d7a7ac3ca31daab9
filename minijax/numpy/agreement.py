"""Whether two arrays agree, exactly or nearly."""

from __future__ import annotations

from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.creation import array, asarray
from minijax.numpy.logic import equal, isfinite, isnan, logical_and, logical_or
from minijax.numpy.promotion import array_of, check_arraylike, convert, promote_args, promote_args_inexact
from minijax.numpy.reductions import all as all_of

__all__ = ["allclose", "array_equal", "array_equiv", "isclose"]


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Array:
    """Whether |a - b| <= atol + rtol * |b|; infinities are close when equal, NaNs only under `equal_nan`."""
    a, b = map(array_of, promote_args_inexact("isclose", *promote_args("isclose", a, b)))
    rtol, atol = (array_of(convert(tolerance, _real_dtype(a.dtype))) for tolerance in (rtol, atol))
    both_nan = logical_and(isnan(a), isnan(b))
    finite = isfinite(b)
    in_range = lax.le(lax.abs(lax.sub(a, b)), lax.add(atol, lax.mul(rtol, lax.abs(b))))
    out = logical_or(lax.eq(a, b), logical_and(finite, in_range))
    return logical_or(out, both_nan) if equal_nan else out


def _real_dtype(dtype: Any) -> Any:
    return dtypes.finfo(dtype).dtype if dtypes.is_complex(dtype) else dtype


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Array:
    """Whether all elements of a and b are close; see `isclose`."""
    check_arraylike("allclose", a, b)
    return all_of(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Array:
    """Whether two arrays, which may be lists here, have one shape and equal elements."""
    a1, a2 = asarray(a1), asarray(a2)
    if a1.shape != a2.shape:
        return array(False)
    same = equal(a1, a2)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(a1), isnan(a2)))
    return all_of(same)


def array_equiv(a1: Any, a2: Any) -> Array:
    """Whether two arrays, which may be lists here, are equal once broadcast together; False if ranks do not fit.

    Raises TypeError for arrays of one rank whose lengths do not fit.
    """
    a1, a2 = asarray(a1), asarray(a2)
    try:
        same = equal(a1, a2)
    except ValueError:
        return array(False)
    return all_of(same)
