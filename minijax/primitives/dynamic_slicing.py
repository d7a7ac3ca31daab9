"""dynamic_slice and dynamic_update_slice: a window of fixed shape at a position that is computed."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array, ArrayImpl
from minijax.core import ShapedArray, is_linear
from minijax.primitives.arithmetic import add
from minijax.primitives.comparison import lt
from minijax.primitives.conversion import convert
from minijax.primitives.families import (
    check_same_dtypes,
    def_joint_jvp,
    def_jointly_linear,
    is_zero,
    like,
    operand_shape,
    zeros,
)
from minijax.primitives.indexing import GatherDimensionNumbers, first_weak, gather_p
from minijax.primitives.joining import concatenate
from minijax.primitives.scatter import scatter_p
from minijax.primitives.scattering import ScatterDimensionNumbers
from minijax.primitives.selection import select
from minijax.primitives.shaping import broadcast, broadcast_in_dim, expand_dims, squeeze
from minijax.primitives.standard import Shape, standard, zero_like
from minijax.primitives.windows import GatherScatterMode

__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
]

# ----------------------------------------------------------------- wrappers


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Array:
    """A window of shape `slice_sizes` that starts at `start_indices`, one scalar for each axis.

    Negative starts count from the end, unless allow_negative_indices says that there are none. A window
    that would reach beyond the operand is moved inside.
    """
    starts = _starts(operand, start_indices, allow_negative_indices)
    return dynamic_slice_p.bind(operand, *starts, slice_sizes=tuple(map(operator.index, slice_sizes)))


def dynamic_update_slice(
    operand: Any,
    update: Any,
    start_indices: Any,
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Array:
    """The operand with the window that starts at `start_indices` replaced by `update`.

    Starts are understood as by `dynamic_slice`.
    """
    starts = _starts(operand, start_indices, allow_negative_indices)
    return dynamic_update_slice_p.bind(operand, update, *starts)


def dynamic_slice_in_dim(
    operand: Any, start_index: Any, slice_size: int, axis: int = 0, *, allow_negative_indices: bool = True
) -> Array:
    """`dynamic_slice` along one axis."""
    sizes = list(np.shape(operand))
    sizes[axis] = slice_size
    starts, negative = _starts_along(len(sizes), start_index, axis, allow_negative_indices)
    return dynamic_slice(operand, starts, sizes, allow_negative_indices=negative)


def dynamic_index_in_dim(
    operand: Any, index: Any, axis: int = 0, keepdims: bool = True, *, allow_negative_indices: bool = True
) -> Array:
    """One position along an axis, as an axis of length 1 or, without keepdims, without the axis."""
    result = dynamic_slice_in_dim(operand, index, 1, axis, allow_negative_indices=allow_negative_indices)
    return result if keepdims else squeeze(result, (axis,))


def dynamic_update_slice_in_dim(
    operand: Any, update: Any, start_index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Array:
    """`dynamic_update_slice` along one axis."""
    starts, negative = _starts_along(np.ndim(operand), start_index, axis, allow_negative_indices)
    return dynamic_update_slice(operand, update, starts, allow_negative_indices=negative)


def dynamic_update_index_in_dim(
    operand: Any, update: Any, index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Array:
    """Replace one position along an axis; `update` may have that axis, with length 1, or lack it."""
    if np.ndim(update) != np.ndim(operand):
        update = expand_dims(update, (axis,))
    return dynamic_update_slice_in_dim(operand, update, index, axis, allow_negative_indices=allow_negative_indices)


def _starts_along(rank: int, start_index: Any, axis: int, allow_negative: bool) -> tuple[list[Any], list[bool]]:
    starts: list[Any] = [like(start_index, 0)] * rank
    negative = [False] * rank
    starts[axis], negative[axis] = start_index, allow_negative
    return starts, negative


def _starts(operand: Any, start_indices: Any, allow_negative: bool | Sequence[bool]) -> list[Any]:
    """The scalars that the primitive gets: negative ones counted from the front."""
    shape = np.shape(operand)
    if not isinstance(start_indices, Sequence | Array | np.ndarray):
        raise TypeError(f"start_indices must be a sequence with one entry for each axis, got {start_indices!r}.")
    if not isinstance(start_indices, Sequence) and np.ndim(start_indices) != 1:
        raise ValueError(f"Slice indices must be a 1D sequence, got an array of shape {np.shape(start_indices)}.")
    if len(start_indices) != len(shape):
        raise ValueError(
            f"Length of slice indices must match number of operand dimensions, got {len(start_indices)} "
            f"indices for an operand of shape {shape}."
        )
    if isinstance(allow_negative, bool):
        allow_negative = [allow_negative] * len(shape)
    return [_start(i, n, negative) for i, n, negative in zip(start_indices, shape, allow_negative)]


def _start(index: Any, length: int, allow_negative: bool) -> Any:
    if isinstance(index, int | np.integer):
        if index < 0 and not allow_negative:
            raise ValueError(
                f"Index {index} is out of bounds for an axis of length {length} if allow_negative_indices=False."
            )
        return dtypes.dtype(index).type(int(index) + (length if index < 0 else 0))
    dtype = dtypes.dtype(index)
    if not allow_negative or dtypes.kind(dtype) != "i":
        return index
    is_negative = lt(index, like(index, 0))
    length_of_type = np.array(length).astype(dtype)[()]  # wraps around where the index type is too narrow
    return select(is_negative, add(convert(index, dtype), length_of_type), index)


# ----------------------------------------------------------------- dynamic_slice


def _window(shape: Shape, sizes: Shape, starts: Sequence[np.ndarray]) -> tuple[slice, ...]:
    window = []
    for length, size, start in zip(shape, sizes, starts):
        first = min(max(int(start), 0), length - size)
        window.append(slice(first, first + size))
    return tuple(window)


def _dynamic_slice_impl(x: np.ndarray, *starts: np.ndarray, slice_sizes: Shape) -> np.ndarray:
    return x[_window(x.shape, slice_sizes, starts)]


def _dynamic_slice_shape(x: ShapedArray, *starts: ShapedArray, slice_sizes: Shape) -> Shape:
    if len(slice_sizes) != x.ndim or not all(0 <= n <= length for n, length in zip(slice_sizes, x.shape)):
        raise TypeError(
            f"dynamic_slice: slice_sizes must have one entry for each axis of the operand, between 0 and its "
            f"length, got slice_sizes {slice_sizes} for operand shape {x.shape}."
        )
    return slice_sizes


def _dynamic_slice_dtype(x: ShapedArray, *starts: ShapedArray, slice_sizes: Shape) -> Any:
    _check_starts("dynamic_slice", starts)
    return x.dtype


def _check_starts(name: str, starts: Sequence[ShapedArray]) -> None:
    if any(i.shape for i in starts):
        raise TypeError(f"start_indices of {name} must be scalars, got {', '.join(i.str_short() for i in starts)}.")
    if any(i.dtype != starts[0].dtype or dtypes.kind(i.dtype) not in "iu" for i in starts):
        raise TypeError(
            f"start_indices of {name} must be integers of the same type, got "
            f"{', '.join(i.dtype.name for i in starts)}. Convert them, for example with jnp.int32(i)."
        )


dynamic_slice_p = standard("dynamic_slice", _dynamic_slice_impl, _dynamic_slice_shape, _dynamic_slice_dtype, first_weak)


_NUMPY = (np.ndarray, np.integer)


def _evaluate_slice(x: Any, *starts: Any, slice_sizes: Shape) -> ArrayImpl:
    """Eager evaluation without abstract values where all starts are plainly integers of one type."""
    numbers = [i._data if type(i) is ArrayImpl else i for i in starts]
    scalars = type(x) is ArrayImpl and all(isinstance(i, _NUMPY) and i.ndim == 0 for i in numbers)
    if scalars and len({i.dtype for i in numbers}) == 1 and numbers[0].dtype.kind in "iu":
        _dynamic_slice_shape(x, slice_sizes=slice_sizes)
        return ArrayImpl(_dynamic_slice_impl(x._data, *numbers, slice_sizes=slice_sizes), x.weak_type)
    return dynamic_slice_p._evaluate(x, *starts, slice_sizes=slice_sizes)


dynamic_slice_p.evaluate = _evaluate_slice


def _slice_tangent(out: Any, primals: Any, tangents: Any, *, slice_sizes: Shape) -> Any:
    return dynamic_slice_p.bind(tangents[0], *primals[1:], slice_sizes=slice_sizes)


def _slice_jvp(primals: Any, tangents: Any, *, slice_sizes: Shape) -> tuple[Any, Any]:
    """Tangent first: JAX has the two equations in this order."""
    tangent = tangents[0]
    if not is_zero(tangent):
        tangent = _slice_tangent(None, primals, tangents, slice_sizes=slice_sizes)
    out = dynamic_slice_p.bind(*primals, slice_sizes=slice_sizes)
    return out, zero_like(out) if is_zero(tangent) else tangent


def_joint_jvp(dynamic_slice_p, _slice_tangent)
dynamic_slice_p.jvp = _slice_jvp


def _slice_transpose(ct: Any, x: Any, *starts: Any, slice_sizes: Shape) -> tuple[Any, ...]:
    nothing = zeros(ShapedArray(x.aval.shape, x.aval.dtype))
    return dynamic_update_slice_p.bind(nothing, ct, *starts), *(None for _ in starts)


dynamic_slice_p.transpose = _slice_transpose


def _dynamic_slice_batch(axis_size: int, args: Any, dims: Any, *, slice_sizes: Shape) -> Any:
    """Windows at different positions are a gather."""
    every = tuple(range(len(slice_sizes)))
    indices, indices_dim = _index_vectors(axis_size, args[1:], dims[1:])
    return gather_p.batch(
        axis_size,
        (args[0], indices),
        (dims[0], indices_dim),
        dimension_numbers=GatherDimensionNumbers(every, (), every),
        slice_sizes=slice_sizes,
        unique_indices=True,
        indices_are_sorted=True,
        mode=GatherScatterMode.CLIP,
        fill_value=None,
    )


def _index_vectors(axis_size: int, starts: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int | None]:
    """The starts as index vectors of a gather or scatter: one, or one for each example."""
    if not starts:
        return np.zeros(0, np.int32), None
    if all(d is None for d in dims):
        return concatenate([broadcast(i, (1,)) for i in starts], 0), None
    columns = [broadcast_in_dim(i, (axis_size, 1), () if d is None else (0,)) for i, d in zip(starts, dims)]
    return concatenate(columns, 1), 0


dynamic_slice_p.batch = _dynamic_slice_batch


# ----------------------------------------------------------------- dynamic_update_slice


def _update_impl(x: np.ndarray, update: np.ndarray, *starts: np.ndarray) -> np.ndarray:
    out = np.array(x, order="C")
    out[_window(x.shape, update.shape, starts)] = update
    return out


def _update_shape(x: ShapedArray, update: ShapedArray, *starts: ShapedArray) -> Shape:
    fits = x.ndim == update.ndim == len(starts)
    if not fits or any(n > length for n, length in zip(update.shape, x.shape)):
        raise TypeError(
            "dynamic_update_slice: update must have the rank of the operand and be no longer along any axis, "
            f"and there must be a start index for each axis; got update shape {update.shape}, operand shape "
            f"{x.shape} and {len(starts)} start indices."
        )
    return x.shape


def _update_dtype(x: ShapedArray, update: ShapedArray, *starts: ShapedArray) -> Any:
    check_same_dtypes("dynamic_update_slice", (x, update))
    _check_starts("dynamic_update_slice", starts)
    return x.dtype


dynamic_update_slice_p = standard("dynamic_update_slice", _update_impl, _update_shape, _update_dtype)


def _update_transpose(ct: Any, x: Any, update: Any, *starts: Any) -> tuple[Any, ...]:
    shape = operand_shape(update)
    nothing = zeros(ShapedArray(shape, ct.dtype))
    ct_x = dynamic_update_slice_p.bind(ct, nothing, *starts) if is_linear(x) else None
    ct_update = dynamic_slice_p.bind(ct, *starts, slice_sizes=shape) if is_linear(update) else None
    return ct_x, ct_update, *(None for _ in starts)


def_jointly_linear(dynamic_update_slice_p, _update_transpose, operands=(0, 1))


def _update_batch(axis_size: int, args: Any, dims: Any) -> Any:
    """Updates at different positions are a scatter."""
    (x, update, *starts), (x_dim, update_dim, *start_dims) = args, dims
    every = tuple(range(len(starts)))
    indices, indices_dim = _index_vectors(axis_size, starts, start_dims)
    return scatter_p.batch(
        axis_size,
        (x, indices, update),
        (x_dim, indices_dim, update_dim),
        dimension_numbers=ScatterDimensionNumbers(every, (), every),
        indices_are_sorted=True,
        unique_indices=True,
        mode=GatherScatterMode.CLIP,
        update_jaxpr=None,
        update_consts=(),
    )


dynamic_update_slice_p.batch = _update_batch
