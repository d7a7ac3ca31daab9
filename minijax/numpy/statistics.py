"""Means, variances and covariances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.manipulation import broadcast_to
from minijax.numpy.promotion import (
    convert,
    ensure_arraylike,
    promote_dtypes_inexact,
    reject,
    strong_scalar,
)
from minijax.numpy.reductions import Axis, check_where, reduced_axes, static_axes, sum, without_half
from minijax.numpy.selection import if_else

__all__ = ["average", "mean", "std", "var"]

# --------------------------------------------------------------------------- means


def mean(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = None,
) -> Array:
    """The mean over `axis` (all axes for None), as a float unless `dtype` says otherwise; NaN for no elements.

    16-bit floats are added up in float32. Elements where `where` is False do not count.
    """
    reject("mean", out=out)
    a = ensure_arraylike("mean", a)
    where = check_where("mean", where)
    if dtype is None:
        dtype = dtypes.to_inexact_dtype(a.dtype)
        working = without_half(dtype)
    else:
        dtype = working = dtypes.check_and_canonicalize_user_dtype(dtype, "mean")
    count = _count(a, axis, keepdims, where, working)
    return convert(lax.div(sum(a, axis, working, keepdims=keepdims, where=where), count), dtype)


def _count(a: Array, axis: Axis, keepdims: bool, where: Array | None, dtype: Any) -> Any:
    """How many elements each result is made of."""
    if where is not None:
        return sum(broadcast_to(where, a.shape), axis, dtype, keepdims=keepdims)
    axis = static_axes(axis)
    axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    if any(not -a.ndim <= d < a.ndim for d in axes):
        raise IndexError(f"mean: axis {axis} is out of bounds for an array of shape {a.shape}.")
    return strong_scalar(math.prod([a.shape[d] for d in axes]), dtype)


def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Array | tuple[Array, Array]:
    """The weighted mean over `axis`; with `returned` also the sums of the weights.

    The weights have the shape of `a`, or of its reduced axes alone. Raises ValueError for other shapes.
    """
    if weights is None:
        (a,) = promote_dtypes_inexact(ensure_arraylike("average", a))
        count = math.prod([a.shape[d] for d in reduced_axes(axis, a.ndim)])
        out = mean(a, axis, keepdims=keepdims)
        total = lax.full((), count, out.dtype)
    else:
        a, weights = promote_dtypes_inexact(*ensure_arraylike("average", a, weights))
        weights = _weights_of_rank(a, weights, axis)
        total = sum(weights, axis, keepdims=keepdims)
        out = sum(a * weights, axis, keepdims=keepdims) / total
    if not returned:
        return out
    return out, total if out.shape == total.shape else broadcast_to(total, out.shape)


def _weights_of_rank(a: Array, weights: Array, axis: Axis) -> Array:
    """Weights of the reduced axes, lined up with the array."""
    if a.shape == weights.shape:
        return weights
    if static_axes(axis) is None:
        raise ValueError(
            f"average: Axis must be specified when shapes of a and weights differ, got {a.shape} and {weights.shape}."
        )
    axes = reduced_axes(axis, a.ndim)
    if weights.shape != tuple([a.shape[d] for d in axes]):
        raise ValueError(
            f"average: Shape of weights must be consistent with shape of a along specified axis, got weights of shape "
            f"{weights.shape} for a of shape {a.shape} and axis {axis}."
        )
    order = sorted(range(len(axes)), key=axes.__getitem__)
    return lax.reshape(weights, [n if d in axes else 1 for d, n in enumerate(a.shape)], order)


# --------------------------------------------------------------------------- variances


def var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """The variance over `axis` (all axes for None): squared distances from the mean, over the count less `ddof`.

    That of complex numbers is real.

    `correction` is another name for ddof, and `mean` the mean with keepdims if it is known already. NaN where the
    count is no more than ddof.
    """
    reject("var", out=out)
    correction = _correction(ddof, correction)
    a = ensure_arraylike("var", a)
    where = check_where("var", where)
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "var")
    working, dtype = variance_dtypes(a.dtype, dtype)
    a = convert(a, working)
    center = _mean(a, axis, working, where) if mean is None else convert(ensure_arraylike("var", mean), working)
    centered = squared_magnitude(lax.sub(a, center))
    working = centered.dtype
    count = lax.sub(_count(a, axis, keepdims, where, working), convert(correction, working))
    total = sum(centered, axis, working, keepdims=keepdims, where=where)
    out = convert(lax.div(total, count), dtype)
    return if_else(count > 0, out, np.nan)


def std(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Array:
    """The standard deviation over `axis`: the square root of the variance, see `var`."""
    reject("std", out=out)
    correction = _correction(ddof, correction)
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "std")
        if not dtypes.is_inexact(dtype):
            raise ValueError(f"dtype argument to jnp.std must be inexact; got {dtype}. Leave it out, or pass float.")
    return lax.sqrt(var(a, axis, dtype, correction=correction, keepdims=keepdims, where=where, mean=mean))


def squared_magnitude(x: Array) -> Array:
    """|x|**2."""
    return lax.real(lax.mul(x, lax.conj(x))) if dtypes.is_complex(x.dtype) else lax.square(x)


def _mean(a: Array, axis: Axis, dtype: Any, where: Array | None) -> Array:
    return mean(a, axis, dtype, keepdims=True, where=where)


def _correction(ddof: int, correction: float | None) -> float:
    if correction is None:
        return ddof
    if type(ddof) is not int or ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously: they mean the same.")
    return correction


def variance_dtypes(a_dtype: Any, dtype: Any) -> tuple[Any, Any]:
    """(dtype to compute in, dtype of the result) of a variance."""
    if dtype is None:
        dtype = dtypes.to_inexact_dtype(a_dtype)
        return without_half(dtype), dtypes.to_floating_dtype(dtype)
    if dtypes.is_complex(a_dtype) and not dtypes.is_complex(dtype):
        raise ValueError(f"a variance of {a_dtype} numbers cannot have dtype {dtype}: leave it out, and it is real.")
    return without_half(dtype), dtype
