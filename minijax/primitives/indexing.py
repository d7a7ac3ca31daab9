"""gather: windows of an array, cut out at positions that are computed."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import ShapedArray
from minijax.primitives.arithmetic import add, rem
from minijax.primitives.comparison import lt
from minijax.primitives.conversion import convert_element_type_p
from minijax.primitives.families import def_jvp, like
from minijax.primitives.joining import concatenate
from minijax.primitives.rows import is_by_rows, row_positions
from minijax.primitives.selection import select
from minijax.primitives.shaping import expand_dims, move_axis
from minijax.primitives.standard import Shape, standard
from minijax.primitives.windows import (
    GatherScatterMode,
    as_positions,
    check_batching,
    check_dims,
    find_windows,
)

__all__ = ["GatherDimensionNumbers", "gather", "index_take"]

Axes = tuple[int, ...]


class GatherDimensionNumbers(NamedTuple):
    """Which axis is which in a gather.

    The last axis of the indices is the index vector; its entry i counts along operand axis
    start_index_map[i]. The result has the axes of the window at offset_dims (without
    collapsed_slice_dims, operand axes on which the window has length 1) and elsewhere the other axes of
    the indices. The operand axes operand_batching_dims run along with the axes
    start_indices_batching_dims of the indices.
    Source: https://openxla.org/stablehlo/spec#gather
    """

    offset_dims: Axes
    collapsed_slice_dims: Axes
    start_index_map: Axes
    operand_batching_dims: Axes = ()
    start_indices_batching_dims: Axes = ()


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Array:
    """Windows of shape slice_sizes, one for each index vector in `start_indices`.

    See `GatherDimensionNumbers` and `GatherScatterMode` (by default PROMISE_IN_BOUNDS). Unless fill_value
    says otherwise, windows are filled with NaN, for integers with the smallest (unsigned: largest) value.
    """
    mode = GatherScatterMode.PROMISE_IN_BOUNDS if mode is None else GatherScatterMode.from_any(mode)
    if mode is not GatherScatterMode.FILL_OR_DROP:
        fill_value = None
    elif fill_value is None:
        fill_value = _default_fill_value(dtypes.dtype(operand))
    elif isinstance(fill_value, Array | str | bytes) or np.ndim(fill_value):
        raise TypeError(f"gather: fill_value must be a number that is known when tracing, got {fill_value!r}.")
    return gather_p.bind(
        operand,
        start_indices,
        dimension_numbers=dimension_numbers,
        slice_sizes=tuple(map(operator.index, slice_sizes)),
        unique_indices=bool(unique_indices),
        indices_are_sorted=bool(indices_are_sorted),
        mode=mode,
        fill_value=fill_value,
    )


def index_take(src: Any, idxs: Sequence[Any], axes: Sequence[int]) -> Array:
    """The slices of `src` at the places idxs[0][i], idxs[1][i] ... of `axes`, for each i; places wrap around."""
    vectors = concatenate([expand_dims(i, (1,)) for i in idxs], 1)
    shape = np.shape(src)
    lengths = np.asarray([[shape[axis] for axis in axes]], dtypes.dtype(vectors))
    remainder = rem(vectors, lengths)
    vectors = select(lt(remainder, like(remainder, 0)), add(remainder, lengths), remainder)
    numbers = GatherDimensionNumbers(tuple(range(1, len(shape) - len(axes) + 1)), tuple(axes), tuple(axes))
    return gather(src, vectors, numbers, [1 if axis in axes else n for axis, n in enumerate(shape)])


def _default_fill_value(dtype: Any) -> Any:
    kind = dtypes.kind(dtype)
    if kind in "fc":
        return np.nan
    if kind == "b":
        return True
    if kind == "V":
        return int(np.iinfo(np.uint32).max)  # for each word of a random key
    return int(dtypes.iinfo(dtype).min if kind == "i" else dtypes.iinfo(dtype).max)


# ----------------------------------------------------------------- evaluation


def _gather_impl(
    x: np.ndarray,
    indices: np.ndarray,
    *,
    dimension_numbers: Any,
    slice_sizes: Shape,
    mode: Any,
    fill_value: Any,
    **_: Any,
) -> np.ndarray:
    numbers = dimension_numbers
    assert mode is not GatherScatterMode.ONE_HOT, "gather: mode 'one_hot' is a hint for scatters; choose another one"
    if mode is not GatherScatterMode.FILL_OR_DROP and _takes_whole_slices(x, numbers, slice_sizes):
        return _take(x, indices, numbers)
    batching = numbers.operand_batching_dims, numbers.start_indices_batching_dims
    if is_by_rows(x.shape, numbers.start_index_map, numbers.collapsed_slice_dims, batching, numbers.offset_dims):
        places, inside = row_positions(x.shape, indices, clip=mode is not GatherScatterMode.FILL_OR_DROP)
        out = x.reshape(-1).take(places)
        return out if inside is None else np.where(inside, out, _fill_scalar(fill_value, x.dtype))
    removed = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    windows = find_windows(
        x.shape,
        indices,
        slice_sizes,
        numbers.start_index_map,
        batching,
        removed,
        clip=mode is not GatherScatterMode.FILL_OR_DROP,
    )
    out = windows.view(x)[windows.index]
    rank = indices.ndim - 1
    kept = [d for d in range(x.ndim) if d not in removed]
    out = _arrange(out, range(rank), [rank + windows.window_axes.index(d) for d in kept], numbers.offset_dims)
    if windows.inside is None or windows.inside.all():
        return out
    lengths = iter(windows.inside.shape)
    inside = windows.inside.reshape([1 if d in numbers.offset_dims else next(lengths) for d in range(out.ndim)])
    return np.where(inside, out, _fill_scalar(fill_value, x.dtype))


def _takes_whole_slices(x: np.ndarray, numbers: GatherDimensionNumbers, slice_sizes: Shape) -> bool:
    """Whether there is one index, and it picks one whole slice: x[i], x[:, i] and the like."""
    if len(numbers.start_index_map) != 1 or numbers.start_index_map != numbers.collapsed_slice_dims:
        return False
    axis = numbers.start_index_map[0]
    return not numbers.operand_batching_dims and x.shape == (
        *slice_sizes[:axis],
        x.shape[axis],
        *slice_sizes[axis + 1 :],
    )


def _take(x: np.ndarray, indices: np.ndarray, numbers: GatherDimensionNumbers) -> np.ndarray:
    axis, rank = numbers.start_index_map[0], indices.ndim - 1
    if not x.shape[axis]:
        # Only possible where there are no indices; np.take would not have it, though.
        return np.empty((*x.shape[:axis], *indices.shape[:-1], *x.shape[axis + 1 :]), x.dtype)
    out = x.take(as_positions(indices[..., 0]), axis, mode="clip")
    window = [*range(axis), *range(axis + rank, out.ndim)]
    return _arrange(out, range(axis, axis + rank), window, numbers.offset_dims)


def _arrange(out: np.ndarray, batch: Sequence[int], window: Sequence[int], offset_dims: Axes) -> np.ndarray:
    """Put the axes `window` of `out` at offset_dims of the result, the axes `batch` at the other places."""
    batch, window = iter(batch), iter(window)
    order = [next(window) if d in offset_dims else next(batch) for d in range(out.ndim)]
    return out if order == list(range(out.ndim)) else out.transpose(order)


def _fill_scalar(value: Any, dtype: np.dtype) -> Any:
    """`value` as an element; a random key takes it for each of its words."""
    if dtype.names:
        return np.array((value,) * len(dtype.names), dtype)
    return convert_element_type_p.impl(np.asarray(value), new_dtype=dtype, weak_type=False)


# ----------------------------------------------------------------- gather_p


def _gather_shape(
    x: ShapedArray, indices: ShapedArray, *, dimension_numbers: Any, slice_sizes: Shape, **_: Any
) -> Shape:
    return _shape_of_gather(x.shape, indices.shape, dimension_numbers, slice_sizes)


@functools.lru_cache(1024)
def _shape_of_gather(x: Shape, indices: Shape, numbers: GatherDimensionNumbers, slice_sizes: Shape) -> Shape:
    if not indices:
        raise TypeError("gather: the indices need an axis for the index vector, got indices of shape ().")
    batching = (numbers.operand_batching_dims, numbers.start_indices_batching_dims)
    rank = len(numbers.offset_dims) + len(indices) - 1
    check_dims("gather", "offset_dims", numbers.offset_dims, rank)
    check_dims("gather", "collapsed_slice_dims", numbers.collapsed_slice_dims, len(x))
    check_dims("gather", "start_index_map", numbers.start_index_map, len(x), ascending=False)
    check_batching("gather", x, indices, batching, (*numbers.collapsed_slice_dims, *numbers.start_index_map))
    if len(numbers.start_index_map) != indices[-1]:
        raise TypeError(
            f"gather: the index vectors, along the last axis of the indices of shape {indices}, must "
            f"have one entry for each dimension in start_index_map {numbers.start_index_map}."
        )
    _check_slice_sizes(x, indices, numbers, slice_sizes)
    removed = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    window = iter([n for d, n in enumerate(slice_sizes) if d not in removed])
    batch = iter(indices)
    return tuple([next(window) if d in numbers.offset_dims else next(batch) for d in range(rank)])


def _check_slice_sizes(x: Shape, indices: Shape, numbers: Any, slice_sizes: Shape) -> None:
    removed = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    if not len(slice_sizes) == len(x) == len(numbers.offset_dims) + len(removed):
        raise TypeError(
            f"gather: slice_sizes {slice_sizes} must have one entry for each axis of the operand of shape "
            f"{x}, and each axis be either one of the offset_dims {numbers.offset_dims} of the result "
            f"or collapsed {numbers.collapsed_slice_dims} or a batching one {numbers.operand_batching_dims}."
        )
    if math.prod(indices) and not all(0 <= n <= length for n, length in zip(slice_sizes, x)):
        raise TypeError(f"gather: slice_sizes {slice_sizes} do not fit into the operand of shape {x}.")
    one = all(slice_sizes[d] == 1 for d in numbers.collapsed_slice_dims)
    if not one or any(slice_sizes[d] > 1 for d in numbers.operand_batching_dims):
        raise TypeError(f"gather: slice_sizes {slice_sizes} must be 1 at the collapsed and batching axes {removed}.")


def _gather_dtype(x: ShapedArray, indices: ShapedArray, **_: Any) -> Any:
    check_integer_indices("gather", indices)
    return x.dtype


def check_integer_indices(name: str, indices: ShapedArray) -> None:
    """Raise ValueError unless the indices are integers."""
    if dtypes.kind(indices.dtype) not in "iu":
        raise ValueError(f"{name}: indices must have an integer type, got {indices.str_short()}.")


def first_weak(x: ShapedArray, *avals: ShapedArray, **params: Any) -> bool:
    """The result is weakly typed when the first operand is."""
    return x.weak_type


# Its transpose is in scatter_combining.py: what was gathered from one place is added up there.
gather_p = standard("gather", _gather_impl, _gather_shape, _gather_dtype, first_weak)


def _gather_tangent(t: Any, x: Any, indices: Any, *, dimension_numbers: Any, slice_sizes: Shape, **params: Any) -> Any:
    return gather(t, indices, dimension_numbers, slice_sizes, **params | {"fill_value": 0})


def_jvp(gather_p, _gather_tangent, None)


def _gather_batch(
    axis_size: int, args: Any, dims: Any, *, dimension_numbers: Any, slice_sizes: Shape, **params: Any
) -> Any:
    (x, indices), (x_dim, indices_dim) = args, dims
    numbers, window = dimension_numbers, ()
    offset_dims = shifted(numbers.offset_dims)
    if x_dim is not None:
        x = move_axis(x, x_dim, 0)
        numbers = numbers._replace(
            collapsed_slice_dims=shifted(numbers.collapsed_slice_dims),
            start_index_map=shifted(numbers.start_index_map),
            operand_batching_dims=shifted(numbers.operand_batching_dims),
        )
    if indices_dim is None:
        # The windows get one more axis, which reaches through the whole batch.
        offset_dims, window = (0, *offset_dims), (axis_size,)
    else:
        indices = move_axis(indices, indices_dim, 0)
        indices_batching = shifted(numbers.start_indices_batching_dims)
        if x_dim is None:
            # One operand for all: indices of different examples may coincide.
            params |= {"unique_indices": False, "indices_are_sorted": False}
        else:
            window, indices_batching = (min(axis_size, 1),), (0, *indices_batching)
            numbers = numbers._replace(operand_batching_dims=(0, *numbers.operand_batching_dims))
        numbers = numbers._replace(start_indices_batching_dims=indices_batching)
    numbers = numbers._replace(offset_dims=offset_dims)
    return gather(x, indices, numbers, (*window, *slice_sizes), **params), 0


def shifted(dims: Axes) -> Axes:
    """`dims` of one example as those of a batch with the batch axis in front."""
    return tuple([d + 1 for d in dims])


gather_p.batch = _gather_batch
