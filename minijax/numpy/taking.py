"""Taking elements at given places, and putting elements there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import clip, mod
from minijax.numpy.axes import require_known
from minijax.numpy.creation import array, indices as index_grids
from minijax.numpy.gather_plan import index_dtype, wrap_negative
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.indexing import getitem
from minijax.numpy.manipulation import broadcast_arrays, broadcast_to, moveaxis, ravel, reshape
from minijax.numpy.promotion import as_arrays, convert, ensure_arraylike, reject
from minijax.numpy.reductions import any as any_of
from minijax.numpy.selection import if_else
from minijax.numpy.sorting import argsort
from minijax.primitives.shaping import canonical_axis

__all__ = ["choose", "compress", "extract", "put", "put_along_axis", "take", "take_along_axis"]

# ----------------------------------------------------------------- take


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Array:
    """The slices of `a` at `indices` along an axis; elements of the flattened array without one.

    mode: what an index out of bounds gives. 'fill' (the default) fill_value, or NaN, 'clip' the nearest
    element, 'wrap' counts on from the start. Negative indices count from the end, but not with 'clip'.
    """
    reject("take", out=out)
    a, indices = ensure_arraylike("take", a, indices)
    a, axis = (ravel(a), 0) if axis is None else (a, canonical_axis(axis, a.ndim))
    length = a.shape[axis]
    indices, gather_mode = _in_mode(indices, length, mode)
    before, after = a.shape[:axis], a.shape[axis + 1 :]
    if not length:
        if indices.size:
            raise IndexError(f"Cannot do a non-empty jnp.take() from an empty axis: axis {axis} of shape {a.shape}.")
        return a
    if not indices.size:
        return lax.full_like(a, 0, shape=(*before, *indices.shape, *after))
    kept = range(axis), range(axis + indices.ndim, a.ndim + indices.ndim - 1)
    numbers = lax.GatherDimensionNumbers((*kept[0], *kept[1]), (axis,), (axis,), (), ())
    return lax.gather(
        a,
        lax.expand_dims(indices, (indices.ndim,)),
        numbers,
        (*before, 1, *after),
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
        mode=gather_mode,
        fill_value=fill_value,
    )


def _in_mode(indices: Array, length: int, mode: str | None) -> tuple[Array, lax.GatherScatterMode]:
    """The indices as the gather wants them, and its mode."""
    if mode is None or mode == "fill":
        return if_else(indices < 0, indices + length, indices), lax.GatherScatterMode.FILL_OR_DROP
    if mode == "wrap":
        return mod(indices, indices.dtype.type(length)), lax.GatherScatterMode.PROMISE_IN_BOUNDS
    if mode == "clip":
        return indices, lax.GatherScatterMode.CLIP
    if mode == "raise":
        raise NotImplementedError("The 'raise' mode to jnp.take is not supported: use 'fill', 'clip' or 'wrap'.")
    raise ValueError(f"Invalid mode {mode!r} for jnp.take: it must be 'fill', 'clip' or 'wrap'.")


def take_along_axis(
    arr: Any,
    indices: Any,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool | None = None,
) -> Array:
    """Elements at `indices` along an axis, all other positions being those of the index: what argsort asks for.

    arr and indices have one rank, and axes that agree or have length 1. mode as for `take`, or 'one_hot':
    a product with a matrix of zeros and ones.
    """
    a, indices = ensure_arraylike("take_along_axis", arr, indices)
    if dtypes.kind(indices.dtype) not in "iu":
        raise TypeError(
            f"take_along_axis indices must be of integer type, got {indices.dtype}. Convert them with astype(int)."
        )
    if axis is None:
        if indices.ndim != 1:
            raise ValueError(f"take_along_axis indices must be 1D if axis=None, got shape {indices.shape}.")
        a, axis = ravel(a), 0
    if a.ndim != indices.ndim:
        raise ValueError(
            f"take_along_axis: indices and arr must have the same number of dimensions; {indices.ndim} vs. {a.ndim}."
        )
    axis = canonical_axis(axis, a.ndim)
    others = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
    out_shape = lax.broadcast_shapes(indices.shape, others)
    if not a.shape[axis]:
        return lax.full(out_shape, 0, a.dtype)
    if wrap_negative_indices is None:
        wrap_negative_indices = mode != "promise_in_bounds"
    if wrap_negative_indices:
        length = a.shape[axis]
        indices = wrap_negative(lax.convert_element_type(indices, index_dtype((length,))), length)
    if mode == "one_hot":
        return _take_by_one_hot(a, indices, axis)
    return _gather_along(a, indices, axis, out_shape, "fill" if mode is None else mode, fill_value)


def _gather_along(
    a: Array, indices: Array, axis: int, out_shape: tuple[int, ...], mode: Any, fill_value: Any
) -> Array:
    """Axes along which the indices do not vary are copied whole, those shared by both are batch axes."""
    kept = [d for d, n in enumerate(indices.shape) if d == axis or n != 1]
    start_indices = lax.reshape(indices, (*[out_shape[d] for d in kept], 1))
    offset_dims, sizes, collapsed, batching, dropped = [], [], [], [], []
    for d, n in enumerate(indices.shape):
        place = len(sizes)  # the axis in `a` once those in `dropped` are gone
        if d == axis:
            collapsed.append(place)
            sizes.append(1)
        elif n == 1:
            offset_dims.append(d)
            sizes.append(a.shape[d])
        elif a.shape[d] == 1:
            dropped.append(d)
        else:
            batching.append((place, kept.index(d)))
            sizes.append(min(1, a.shape[d]))
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(offset_dims),
        collapsed_slice_dims=tuple(collapsed),
        start_index_map=tuple(collapsed),
        operand_batching_dims=tuple([place for place, _ in batching]),
        start_indices_batching_dims=tuple([d for _, d in batching]),
    )
    if dropped:
        a = lax.squeeze(a, dropped)
    return lax.gather(a, start_indices, numbers, tuple(sizes), mode=mode, fill_value=fill_value)


def _take_by_one_hot(a: Array, indices: Array, axis: int) -> Array:
    shape = (*indices.shape, a.shape[axis])
    hot = lax.expand_dims(indices, (indices.ndim,)) == lax.broadcasted_iota(indices.dtype, shape, indices.ndim)
    shared = tuple(range(axis))
    after = range(axis + 1, a.ndim)
    if not all(a.shape[d] == n for d, n in enumerate(indices.shape) if d != axis):
        raise NotImplementedError("take_along_axis: mode='one_hot' wants arr and indices to agree in all other axes.")
    batch = (*shared, *after)
    product = lax.dot_general(
        hot.astype(a.dtype),
        a,
        (((a.ndim,), (axis,)), (batch, batch)),
        precision=lax.Precision.HIGHEST,
        preferred_element_type=a.dtype,
    )
    return moveaxis(product, -1, axis)


# ----------------------------------------------------------------- put


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Array:
    """The array with the values `v`, repeated as often as needed, at places of the flattened array.

    inplace must be False, since arrays never change. mode: places out of bounds are dropped (None), 'clip' or 'wrap'.
    """
    if inplace:
        raise _immutable("put")
    a, ind, v = [ravel(x) if i else x for i, x in enumerate(ensure_arraylike("put", a, ind, v))]
    if not a.size or not ind.size or not v.size:
        return a
    v = tile_to_size(v, ind.size)
    if mode is None:
        scatter_mode = "drop"
    elif mode in ("clip", "wrap"):
        scatter_mode = "promise_in_bounds"
        ind = clip(ind, 0, a.size - 1) if mode == "clip" else ind % a.size
    elif mode == "raise":
        raise NotImplementedError("The 'raise' mode to jnp.put is not supported: use None, 'clip' or 'wrap'.")
    else:
        raise ValueError(f"put: mode should be one of 'wrap' or 'clip'; got mode={mode!r}.")
    return IndexUpdateRef(a, unravel_index(ind, a.shape)).set(v, mode=scatter_mode)


def _immutable(fun_name: str) -> ValueError:
    return ValueError(
        f"jax.numpy.{fun_name} cannot modify arrays in-place, because JAX arrays are immutable. "
        "Pass inplace=False to instead return an updated array."
    )
