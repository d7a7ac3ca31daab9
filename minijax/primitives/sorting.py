"""Sorting: `sort` of one or several operands, and `top_k`.

The order of floats is -inf < ... < 0 < ... < inf < NaN, where -0.0 and 0.0 are equal and all NaNs are. Complex
numbers are ordered by their real parts, then by their imaginary ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import NOT_LINEAR, Primitive, ShapedArray, Zero
from minijax.primitives.comparison import total_order_key
from minijax.primitives.creation import broadcasted_iota
from minijax.primitives.indexing import GatherDimensionNumbers, GatherScatterMode, gather
from minijax.primitives.shaping import broadcast_in_dim, canonical_axis, expand_dims, move_axis, reshape
from minijax.primitives.standard import zero_like

__all__ = ["sort", "sort_key_val", "top_k"]

# ----------------------------------------------------------------- sort


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Array | tuple[Array, ...]:
    """`operand` sorted along `dimension`, ascending, NaN last.

    A sequence of arrays of one shape is sorted by its first `num_keys` members, the first one being the
    most significant; the others are permuted along, and the result is a tuple.
    Raises ValueError for a bad `dimension` or `num_keys`, TypeError for no operand or unequal shapes.
    """
    if not isinstance(operand, Sequence):
        if num_keys != 1:
            raise ValueError(
                f"sort: num_keys={num_keys} must equal 1 for a single operand. Pass a tuple to sort by more."
            )
        dimension = canonical_axis(dimension, np.ndim(operand), "sort: dimension")
        return _bind_sort([operand], dimension, is_stable, 1)[0]
    if not operand:
        raise TypeError("sort requires at least one operand, got an empty sequence.")
    if not 1 <= num_keys <= len(operand):
        raise ValueError(f"sort: num_keys={num_keys} must be between 1 and the number of operands, {len(operand)}.")
    dimension = canonical_axis(dimension, np.ndim(operand[0]), "sort: dimension")
    return tuple(_bind_sort(operand, dimension, is_stable, num_keys))


def sort_key_val(keys: Any, values: Any, dimension: int = -1, is_stable: bool = True) -> tuple[Array, Array]:
    """`keys` sorted along `dimension`, and `values` permuted along."""
    dimension = canonical_axis(dimension, np.ndim(keys), "sort_key_val: dimension")
    return tuple(_bind_sort((keys, values), dimension, is_stable, 1))


def _bind_sort(operands: Sequence[Any], dimension: int, is_stable: bool, num_keys: int) -> list[Any]:
    return sort_p.bind(*operands, dimension=dimension, is_stable=is_stable, num_keys=num_keys)


def _sort_impl(*operands: np.ndarray, dimension: int, is_stable: bool, num_keys: int) -> list[np.ndarray]:
    """A stable sort even where none was asked for: the same program gives the same numbers."""
    keys = [key for x in operands[:num_keys] for key in _keys(x)]
    if len(operands) == len(keys) == 1:
        return [_sort_one(keys[0], dimension).astype(operands[0].dtype, copy=False)]
    if len(keys) == 1:
        order = np.argsort(keys[0], dimension, "stable")
    else:
        order = np.lexsort(keys[::-1], dimension)
    return [np.take_along_axis(x, order, dimension) for x in operands]


def _keys(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """What NumPy sorts right: the parts of complex numbers, floats for the types of ml_dtypes, whose NaNs go astray."""
    if x.dtype.kind == "c":
        return x.real, x.imag
    return (x.astype(np.float32) if x.dtype.name in dtypes.ADDED_KINDS else x,)


def _sort_one(x: np.ndarray, axis: int) -> np.ndarray:
    # Only the signs of zeros tell a stable sort of numbers from an unstable one, far faster in NumPy.
    if x.dtype.kind in "biu" or not ((x == 0) & np.signbit(x)).any():
        return np.sort(x, axis)
    return np.sort(x, axis, "stable")


def _sort_shape(*avals: ShapedArray, dimension: int, is_stable: bool, num_keys: int) -> list[ShapedArray]:
    if any(aval.shape != avals[0].shape for aval in avals):
        shapes = " ".join(str(aval.shape) for aval in avals)
        raise TypeError(f"Arguments to sort must have equal shapes, got: {shapes}. Broadcast them first.")
    return list(avals)


def _sort_jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[list[Any], list[Any]]:
    """Sort the indices along with the operands; the tangents are gathered by them."""
    shape, axis = np.shape(primals[0]), params["dimension"]
    index_dtype = np.uint32 if dtypes.default_int_dtype().itemsize == 4 or max(shape) < 1 << 32 else np.uint64
    *out, order = sort_p.bind(*primals, broadcasted_iota(index_dtype, shape, axis), **params)
    start_indices = expand_dims(order, (len(shape),))
    return out, [
        zero_like(o) if type(t) is Zero else take_along(t, start_indices, axis)
        for o, t in zip(out, tangents, strict=True)
    ]


def take_along(x: Any, start_indices: Any, axis: int) -> Any:
    """np.take_along_axis as a gather; `start_indices` has a last axis of length 1 more than `x`."""
    others = tuple([d for d in range(np.ndim(x)) if d != axis])
    numbers = GatherDimensionNumbers(
        offset_dims=(),
        collapsed_slice_dims=(axis,),
        start_index_map=(axis,),
        operand_batching_dims=others,
        start_indices_batching_dims=others,
    )
    mode = GatherScatterMode.PROMISE_IN_BOUNDS
    return gather(x, start_indices, numbers, slice_sizes=(1,) * np.ndim(x), mode=mode)


def _sort_batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> Any:
    """Operands without a batch axis get one, at the place where the first batched operand has it."""
    like, dim = next((x, d) for x, d in zip(args, dims, strict=True) if d is not None)
    shape = np.shape(like)
    others = [d for d in range(len(shape)) if d != dim]
    args = [
        broadcast_in_dim(x, shape, others) if d is None else move_axis(x, d, dim)
        for x, d in zip(args, dims, strict=True)
    ]
    params["dimension"] += dim <= params["dimension"]
    return sort_p.bind(*args, **params), [dim] * len(args)


sort_p = Primitive("sort", multiple_results=True)
sort_p.impl = _sort_impl
sort_p.shape_rule = _sort_shape
sort_p.jvp = _sort_jvp
sort_p.transpose = NOT_LINEAR
sort_p.batch = _sort_batch


# ----------------------------------------------------------------- top_k


def top_k(operand: Any, k: int, *, axis: int = -1) -> list[Array]:
    """The `k` largest elements along `axis` in descending order, and their int32 indices.

    Of equal elements that with the lower index comes first. Here -0.0 is less than 0.0, NaN the largest.
    Raises ValueError for an axis outside the operand or a `k` that is negative or larger than its length.
    """
    return top_k_p.bind(operand, k=int(k), axis=canonical_axis(axis, np.ndim(operand), "top_k: axis"))


def _top_k_impl(x: np.ndarray, *, k: int, axis: int) -> list[np.ndarray]:
    # Sorting the reversed array and reading the result backwards puts equal elements in their old order.
    backwards = np.argsort(np.flip(total_order_key(x), axis), axis, "stable")
    order = x.shape[axis] - 1 - np.flip(backwards, axis)
    order = np.take(order, np.arange(k, dtype=np.int32), axis)
    return [np.take_along_axis(x, order, axis), order.astype(np.int32)]


def _top_k_shape(x: ShapedArray, *, k: int, axis: int) -> list[ShapedArray]:
    if dtypes.is_complex(x.dtype):
        raise ValueError(f"top_k is not compatible with complex inputs, got {x.str_short()}. Sort their magnitudes.")
    if not 0 <= k <= x.shape[axis]:
        raise ValueError(
            f"k argument to top_k must be nonnegative and no larger than size along axis; got k={k} with "
            f"shape={x.shape} and axis={axis}."
        )
    shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
    return [x.update(shape=shape), x.update(shape=shape, dtype=np.dtype(np.int32))]


def _top_k_jvp(primals: Sequence[Any], tangents: Sequence[Any], *, k: int, axis: int) -> tuple[list[Any], list[Any]]:
    values, indices = top_k_p.bind(*primals, k=k, axis=axis)
    start_indices = reshape(indices, (*np.shape(indices), 1))
    return [values, indices], [take_along(tangents[0], start_indices, axis), zero_like(indices)]


def _top_k_batch(axis_size: int, args: Any, dims: Any, *, k: int, axis: int) -> Any:
    (x,), (dim,) = args, dims
    return top_k_p.bind(x, k=k, axis=axis + (dim <= axis)), [dim, dim]


top_k_p = Primitive("top_k", multiple_results=True)
top_k_p.impl = _top_k_impl
top_k_p.shape_rule = _top_k_shape
top_k_p.jvp = _top_k_jvp
top_k_p.transpose = NOT_LINEAR
top_k_p.batch = _top_k_batch
