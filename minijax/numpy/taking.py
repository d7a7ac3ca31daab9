"""Taking elements at given places, and putting elements there."""

from __future__ import annotations

from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import clip, mod
from minijax.numpy.axes import require_known
from minijax.numpy.creation import array
from minijax.numpy.gather_plan import index_dtype, wrap_negative
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.indexing import getitem
from minijax.numpy.manipulation import broadcast_arrays, broadcast_to, moveaxis, ravel, reshape
from minijax.numpy.places import nonzero, unravel_index
from minijax.numpy.promotion import as_arrays, check_arraylike, ensure_arraylike, reject
from minijax.numpy.ranges import indices as index_grids
from minijax.numpy.reductions import any as any_of
from minijax.numpy.selection import if_else
from minijax.numpy.sorting import argsort
from minijax.primitives.shaping import canonical_axis

__all__ = ["choose", "compress", "extract", "place", "put", "put_along_axis", "take", "take_along_axis"]

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
        return _take_by_one_hot(a, indices, axis, out_shape)
    return _gather_along(a, indices, axis, out_shape, "fill" if mode is None else mode, fill_value)


def _gather_along(a: Array, indices: Array, axis: int, out_shape: tuple[int, ...], mode: Any, fill_value: Any) -> Array:
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


def _take_by_one_hot(a: Array, indices: Array, axis: int, out_shape: tuple[int, ...]) -> Array:
    """The product of a matrix, which has a 1 where an index points, with `a`."""
    length = a.shape[axis]
    a = broadcast_to(a, (*out_shape[:axis], length, *out_shape[axis + 1 :]))
    places = lax.broadcasted_iota(indices.dtype, (*out_shape, length), a.ndim)
    hot = lax.expand_dims(broadcast_to(indices, out_shape), (a.ndim,)) == places
    others = tuple([d for d in range(a.ndim) if d != axis])
    numbers = (((a.ndim,), (axis,)), (others, others))
    product = lax.dot_general(
        hot.astype(a.dtype), a, numbers, precision=lax.Precision.HIGHEST, preferred_element_type=a.dtype
    )
    return moveaxis(product, -1, axis)


# ----------------------------------------------------------------- put


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Array:
    """The array with the values `v`, repeated as often as needed, at places of the flattened array.

    inplace must be False, since arrays never change. mode: places out of bounds are dropped (None), 'clip' or 'wrap'.
    """
    if inplace:
        raise _immutable("put")
    a, ind, v = ensure_arraylike("put", a, ind, v)
    ind, v = ravel(ind), ravel(v)
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


def tile_to_size(x: Array, size: int) -> Array:
    """A vector repeated as a whole, and cut off, to get this length."""
    if x.size < size:
        x = lax.tile(x, (-(-size // x.size),))
    return x[:size] if x.size > size else x


def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, inplace: bool = True, *, mode: str | None = None
) -> Array:
    """The array with `values` at `indices` along an axis: the counterpart of take_along_axis.

    inplace must be False, since arrays never change.
    """
    if inplace:
        raise _immutable("put_along_axis")
    arr, indices, values = ensure_arraylike("put_along_axis", arr, indices, values)
    x, axis_number = (ravel(arr), 0) if axis is None else (arr, axis)
    if x.ndim != indices.ndim:
        raise ValueError(
            f"put_along_axis arguments 'arr' and 'indices' must have same ndim. Got {x.ndim} and {indices.ndim}."
        )
    try:
        values = broadcast_to(values, indices.shape)
    except ValueError as error:
        raise ValueError(
            "put_along_axis argument 'values' must be broadcastable to 'indices'. "
            f"Got shapes {values.shape} and {indices.shape}."
        ) from error
    index = list(index_grids(x.shape, sparse=True))
    index[axis_number] = indices
    result = IndexUpdateRef(x, tuple(index)).set(values, mode=mode)
    return reshape(result, arr.shape) if axis is None else result


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Array:
    """The array with `vals`, repeated as often as needed, one after the other where the mask is true.

    inplace must be False, since arrays never change.
    """
    arr, mask, vals = ensure_arraylike("place", arr, mask, vals)
    vals = ravel(vals)
    if inplace:
        raise _immutable("place")
    if arr.size != mask.size:
        raise ValueError(f"place: arr and mask must be the same size, got shapes {arr.shape} and {mask.shape}.")
    if not vals.size:
        raise ValueError("Cannot place values from an empty array: vals has no elements.")
    if not arr.size:
        return arr
    (places,) = nonzero(ravel(mask), size=mask.size, fill_value=mask.size)
    vals = tile_to_size(vals, mask.size)
    return reshape(IndexUpdateRef(ravel(arr), places).set(vals, mode="drop"), arr.shape)


# ----------------------------------------------------------------- picking by conditions


def compress(
    condition: Any,
    a: Any,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: Any = 0,
    out: None = None,
) -> Array:
    """The slices of `a` along an axis for which the 1-d condition holds; of the flattened array without an axis.

    With `size` the result has that many slices, missing ones being fill_value; only then may the condition be traced.
    """
    condition, a, fill_value = ensure_arraylike("compress", condition, a, fill_value)
    condition = condition.astype(bool)
    reject("compress", out=out)
    if condition.ndim != 1:
        raise ValueError(f"compress: condition must be a 1D array, got shape {condition.shape}.")
    a, axis = (ravel(a), 0) if axis is None else (moveaxis(a, axis, 0), axis)
    condition, extra = condition[: a.shape[0]], condition[a.shape[0] :]
    a = a[: condition.shape[0]]
    if size is None:
        if any_of(extra):
            raise ValueError("compress: condition contains entries that are out of bounds of the array.")
        return moveaxis(a[condition], 0, axis)
    if not 0 <= size <= a.shape[0]:
        raise ValueError(
            "compress: size must be positive and not greater than the size of the array axis; "
            f"got size={size} for length {a.shape[0]}."
        )
    kept = if_else(lax.expand_dims(condition, range(1, a.ndim)), a, array(fill_value, dtype=a.dtype))
    order = argsort(condition, stable=True, descending=True)
    return moveaxis(kept[order][:size], 0, axis)


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Array:
    """The elements for which the condition holds, in row-major order. Keywords as in `compress`."""
    check_arraylike("extract", condition, arr, fill_value)
    return compress(ravel(condition), ravel(arr), size=size, fill_value=fill_value)


def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Array:
    """Element by element that of choices[a], all broadcast together.

    mode: what an index out of bounds does. 'raise' a ValueError (a must not be traced), 'wrap' or 'clip'.
    """
    reject("choose", out=out)
    a, *choices = as_arrays("choose", (a, *choices))
    if dtypes.kind(a.dtype) not in "iu":
        raise ValueError(f"choose: `a` array must be integer typed, got {a.dtype}.")
    count = len(choices)
    if mode == "raise":
        require_known(a, "the `a` argument of jnp.choose; use mode='wrap' or mode='clip' for a traced one")
        if any_of((a < 0) | (a >= count)):
            raise ValueError(f"choose: invalid entry in choice array, which must lie between 0 and {count - 1}.")
    elif mode == "wrap":
        a = a % count
    elif mode == "clip":
        a = clip(a, 0, count - 1)
    else:
        raise ValueError(f"choose: mode={mode!r} not understood. Must be 'raise', 'wrap', or 'clip'.")
    a, *choices = broadcast_arrays(a, *choices)
    return getitem(array(choices), (a, *index_grids(a.shape, sparse=True)))
