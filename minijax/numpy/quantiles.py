"""Quantiles, percentiles and medians."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.cumulative import cumsum
from minijax.numpy.indexing import getitem
from minijax.numpy.logic import isnan
from minijax.numpy.manipulation import broadcast_to, ravel, reshape
from minijax.numpy.promotion import (
    array_of,
    convert,
    ensure_arraylike,
    like,
    promote_dtypes_inexact,
    strong_scalar,
)
from minijax.numpy.reductions import any as any_of
from minijax.numpy.reductions import reduced_axes, sum
from minijax.numpy.selection import if_else
from minijax.primitives.shaping import canonical_axis
from minijax.primitives.standard import check_one_device

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf")

# --------------------------------------------------------------------------- the public functions


def quantile(
    a: Any,
    q: Any,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Array:
    """The value below which a share q (from 0 to 1) of the elements over `axis` lies; NaN if there is a NaN.

    A vector q gives one result for each along a new first axis. Between two elements the method decides: 'linear',
    'lower', 'higher', 'midpoint', 'nearest' or 'inverted_cdf', the only one that knows weights.
    """
    return _quantile("quantile", a, q, axis, out, overwrite_input, method, keepdims, weights, skip_nan=False)


def nanquantile(
    a: Any,
    q: Any,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Array:
    """`quantile` of the elements that are not NaN."""
    return _quantile("nanquantile", a, q, axis, out, overwrite_input, method, keepdims, weights, skip_nan=True)


def percentile(
    a: Any,
    q: Any,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
    out_sharding: None = None,
) -> Array:
    """`quantile` with q from 0 to 100."""
    check_one_device("jnp.percentile", out_sharding)
    a, q = ensure_arraylike("percentile", a, q)
    share = promote_dtypes_inexact(q)[0] / 100
    return quantile(a, share, axis, out, overwrite_input, method, keepdims, weights=weights)


def nanpercentile(
    a: Any,
    q: Any,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Array:
    """`percentile` of the elements that are not NaN."""
    a, q = ensure_arraylike("nanpercentile", a, q)
    share = promote_dtypes_inexact(q)[0] / 100
    return nanquantile(a, share, axis, out, overwrite_input, method, keepdims, weights=weights)


def median(
    a: Any,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Array:
    """The middle element over `axis`, the mean of the two middle ones of an even number."""
    return quantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


def nanmedian(
    a: Any,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Array:
    """`median` of the elements that are not NaN."""
    return nanquantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


# --------------------------------------------------------------------------- the work


def _quantile(
    name: str,
    a: Any,
    q: Any,
    axis: int | tuple[int, ...] | None,
    out: None,
    overwrite_input: bool,
    method: str,
    keepdims: bool,
    weights: Any,
    skip_nan: bool,
) -> Array:
    if overwrite_input or out is not None:
        raise ValueError(f"jax.numpy.{name} does not support overwrite_input=True or out != None: leave them out.")
    if method not in _METHODS:
        raise ValueError(f"{name}: method can only be {', '.join(map(repr, _METHODS))}, got {method!r}.")
    a, q = ensure_arraylike(name, a, q)
    if dtypes.is_complex(a.dtype):
        raise ValueError(f"{name} does not support complex numbers, which have no order, got {a.dtype}.")
    if q.ndim > 1:
        raise ValueError(f"{name}: q must have rank <= 1, got shape {q.shape}.")
    a, weights = _with_weights(name, a, weights, axis, method)
    kept_shape = _kept_shape(a, axis, keepdims, q)
    a, weights, axis = _along_one_axis(a, weights, axis)
    if method == "inverted_cdf":
        result = _inverted_cdf(a, weights, q, axis, keepdims, skip_nan)
    else:
        neighbours = _neighbours_without_nan if skip_nan else _neighbours
        result = _between(method, q.dtype, *neighbours(a, q, axis, keepdims))
    if kept_shape is not None:
        result = reshape(result, kept_shape)
    return convert(result, a.dtype)


def _with_weights(name: str, a: Array, weights: Any, axis: Any, method: str) -> tuple[Array, Array | None]:
    """The array as floats, and weights of its shape."""
    if weights is None:
        return promote_dtypes_inexact(a)[0], None
    if method != "inverted_cdf":
        raise NotImplementedError(f"{name}: {method} does not support weights. Only method='inverted_cdf' does.")
    a, weights = promote_dtypes_inexact(a, ensure_arraylike(name, weights))
    if weights.shape == a.shape:
        return a, weights
    axes = reduced_axes(axis, a.ndim)
    if axis is None or weights.shape != tuple([a.shape[d] for d in axes]):
        raise ValueError(
            f"{name}: the shape of weights must be that of a, or of its reduced axes: got {weights.shape} for "
            f"a of shape {a.shape} and axis {axis}."
        )
    return a, lax.broadcast_in_dim(weights, a.shape, axes)


def _kept_shape(a: Array, axis: Any, keepdims: bool, q: Array) -> tuple[int, ...] | None:
    """The shape of the result where several axes are reduced into one and shall be kept."""
    if not keepdims or isinstance(axis, int):
        return None
    axes = reduced_axes(axis, a.ndim)
    return (*q.shape, *[1 if d in axes else n for d, n in enumerate(a.shape)])


def _along_one_axis(a: Array, weights: Array | None, axis: Any) -> tuple[Array, Array | None, int]:
    """The array, and its weights, with all axes to reduce joined to one; and that axis."""
    if axis is None:
        return ravel(a), None if weights is None else ravel(weights), 0
    if not isinstance(axis, Sequence):
        return a, weights, canonical_axis(axis, a.ndim)
    axes = reduced_axes(axis, a.ndim)
    kept = [d for d in range(a.ndim) if d not in axes]
    order = list(range(a.ndim))
    for i, d in enumerate(kept):
        order[i], order[d] = order[d], order[i]
    shape = (*[a.shape[d] for d in kept], math.prod([a.shape[d] for d in axes]))
    joined = [None if x is None else lax.reshape(x, shape, order) for x in (a, weights)]
    return joined[0], joined[1], len(kept)


def _neighbours(a: Array, q: Array, axis: int, keepdims: bool) -> tuple[Array, Array, Array, Array]:
    """The elements below and above the quantile, and their weights; NaN where there is a NaN."""
    a = if_else(any_of(isnan(a), axis, keepdims=True), np.nan, a)
    a = lax.sort(a, axis)
    n = array_of(strong_scalar(a.shape[axis], q.dtype))
    place = lax.mul(q, n - 1)
    low, high = lax.floor(place), lax.ceil(place)
    high_weight = lax.sub(place, low)
    low_weight = lax.sub(like(high_weight, 1), high_weight)
    low, high = lax.clamp(like(low, 0), low, n - 1), lax.clamp(like(high, 0), high, n - 1)
    low, high = (lax.convert_element_type(i, dtypes.default_int_dtype()) for i in (low, high))
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(range(q.ndim, q.ndim + a.ndim - (not keepdims))),
        collapsed_slice_dims=() if keepdims else (axis,),
        start_index_map=(axis,),
    )
    sizes = tuple([1 if d == axis else n for d, n in enumerate(a.shape)])
    below, above = (lax.gather(a, lax.expand_dims(i, (i.ndim,)), numbers, sizes) for i in (low, high))
    if q.ndim:
        low_weight, high_weight = (lax.broadcast_in_dim(w, below.shape, (0,)) for w in (low_weight, high_weight))
    return below, above, low_weight, high_weight


def _neighbours_without_nan(a: Array, q: Array, axis: int, keepdims: bool) -> tuple[Array, Array, Array, Array]:
    """As `_neighbours`, of what is not NaN: sorting puts NaN last, so each row has a length of its own."""
    a = lax.sort(if_else(isnan(a), np.nan, a), axis)
    count = sum(lax.bitwise_not(isnan(a)), axis, q.dtype, keepdims=keepdims)
    shape = (*q.shape, *count.shape)
    place = lax.expand_dims(q, range(q.ndim, len(shape)))
    count = lax.expand_dims(count, range(q.ndim))
    place = lax.mul(place, lax.sub(count, like(place, 1)))
    low, high = lax.floor(place), lax.ceil(place)
    high_weight = lax.sub(place, low)
    low_weight = lax.sub(like(high_weight, 1), high_weight)
    low, high = (lax.max(like(i, 0), lax.min(i, count - 1)) for i in (low, high))
    integer = dtypes.default_int_dtype()
    low, high = (lax.convert_element_type(i, integer) for i in (low, high))
    index = [lax.broadcasted_iota(integer, shape, d) for d in range(q.ndim, len(shape))]
    if keepdims:
        del index[axis]
    below, above = (getitem(a, (*index[:axis], i, *index[axis:])) for i in (low, high))
    return below, above, low_weight, high_weight


def _between(method: str, dtype: Any, below: Array, above: Array, low_weight: Array, high_weight: Array) -> Array:
    """The quantile from the elements next to it."""
    if method == "lower":
        return below
    if method == "higher":
        return above
    if method == "midpoint":
        return lax.mul(lax.add(below, above), like(below, 0.5))
    if method == "nearest":
        return if_else(lax.le(high_weight, like(high_weight, 0.5)), below, above)
    return lax.add(lax.mul(convert(below, dtype), low_weight), lax.mul(convert(above, dtype), high_weight))


def _inverted_cdf(a: Array, weights: Array | None, q: Array, axis: int, keepdims: bool, skip_nan: bool) -> Array:
    """The first element at which the weights, added up in sorted order, reach the share q of their sum."""
    weights = lax.full_like(a, 1) if weights is None else weights
    a, weights = lax.sort_key_val(a, weights, axis)
    bad = lax.bitwise_or(weights < 0, isnan(weights))
    nans = isnan(a)
    total = cumsum(if_else(lax.bitwise_or(bad, nans), 0, weights), axis)
    # From here on q has the first axis and the sorted elements have the last.
    last = a.ndim - 1
    order = [d for d in range(a.ndim) if d != axis] + [axis]
    a, total, nans, bad = (lax.transpose(x, order) for x in (a, total, nans, bad))
    target = lax.expand_dims(q, range(q.ndim, q.ndim + a.ndim)) * total[..., -1:]
    place = sum(lax.lt(*_same_rank(total, target)), axis=-1, dtype=int, keepdims=True)
    count = sum(lax.bitwise_not(nans), axis=-1, keepdims=True)
    place = lax.max(*_same_rank(like(place, 0), lax.min(*_same_rank(place, count - 1))))
    grids = [lax.broadcasted_iota(place.dtype, place.shape, d + q.ndim) for d in range(last)]
    result = getitem(a, (*grids, place))
    undefined = any_of(bad, -1, keepdims=True) | (count == 0)
    if not skip_nan:
        undefined = undefined | any_of(nans, -1, keepdims=True)
    result = if_else(undefined, np.nan, result)
    result = lax.transpose(result, [*range(q.ndim), *[q.ndim + order.index(d) for d in range(a.ndim)]])
    return result if keepdims else lax.squeeze(result, (q.ndim + axis,))


def _same_rank(*operands: Array) -> list[Array]:
    shape = lax.broadcast_shapes(*[x.shape for x in operands])
    return [broadcast_to(x, shape) for x in operands]
