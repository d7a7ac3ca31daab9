"""What all scatters share: binding, evaluation, checks and batching."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import Primitive, ShapedArray
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.primitives.families import batch_axis_in_front, check_same_dtypes
from minijax.primitives.indexing import (
    GatherDimensionNumbers,
    check_integer_indices,
    first_weak,
    gather,
    shifted,
)
from minijax.primitives.rows import is_by_rows, row_positions
from minijax.primitives.shaping import move_axis
from minijax.primitives.standard import Shape, standard
from minijax.primitives.windows import GatherScatterMode, check_batching, check_dims, find_windows

__all__ = ["ScatterDimensionNumbers"]

Axes = tuple[int, ...]


class ScatterDimensionNumbers(NamedTuple):
    """Which axis is which in a scatter. The updates are shaped like the result of the gather that undoes it.

    The last axis of the indices is the index vector; its entry i counts along operand axis
    scatter_dims_to_operand_dims[i]. The updates have the axes of the window at update_window_dims (without
    inserted_window_dims, operand axes on which the window has length 1) and elsewhere the other axes of
    the indices. The operand axes operand_batching_dims run along with the axes
    scatter_indices_batching_dims of the indices.
    Source: https://openxla.org/stablehlo/spec#scatter
    """

    update_window_dims: Axes
    inserted_window_dims: Axes
    scatter_dims_to_operand_dims: Axes
    operand_batching_dims: Axes = ()
    scatter_indices_batching_dims: Axes = ()


# ----------------------------------------------------------------- binding


def bind_scatter(
    prim: Primitive,
    operands: tuple[Any, Any, Any],
    dimension_numbers: ScatterDimensionNumbers,
    flags: tuple[bool, bool],
    mode: Any,
    update: ClosedJaxpr | None,
) -> Array:
    """Bind a scatter. `update` says how element and update are combined; None means that the update stays."""
    indices_are_sorted, unique_indices = flags
    return prim.bind(
        *operands,
        dimension_numbers=dimension_numbers,
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=GatherScatterMode.from_any(mode),
        update_jaxpr=None if update is None else update.jaxpr,
        update_consts=() if update is None else tuple(update.consts),
    )


def combination(combine: Callable[..., Any], operand: Any) -> ClosedJaxpr:
    """How an element of the operand and its update are combined, for readers and compilers."""
    return _scalar_jaxpr(combine, dtypes.dtype(operand))


@functools.lru_cache(256)
def _scalar_jaxpr(combine: Callable[..., Any], dtype: Any) -> ClosedJaxpr:
    return stage(lambda x, y: [combine(x, y)], [ShapedArray((), dtype)] * 2)


# ----------------------------------------------------------------- evaluation


def _scatter_impl(write: Callable[..., None], at: Callable[..., None] | None) -> Callable[..., np.ndarray]:
    """The implementation that lets write(out, windows, updates, **params) change a copy of the operand.

    Of single elements, row by row, it is at(flat out, positions, updates), where there is such a function.
    """

    def impl(
        x: np.ndarray,
        indices: np.ndarray,
        updates: np.ndarray,
        *,
        dimension_numbers: Any,
        mode: Any,
        **params: Any,
    ) -> np.ndarray:
        numbers = dimension_numbers
        batching = numbers.operand_batching_dims, numbers.scatter_indices_batching_dims
        if at is not None and is_by_rows(
            x.shape,
            numbers.scatter_dims_to_operand_dims,
            numbers.inserted_window_dims,
            batching,
            numbers.update_window_dims,
        ):
            out = np.array(x, order="C")
            places, inside = row_positions(x.shape, indices, clip=mode is GatherScatterMode.CLIP)
            if inside is not None:
                places, updates = places[inside], updates[inside]
            at(out.reshape(-1), places.reshape(-1), updates.reshape(-1))
            return out
        removed = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
        windows = find_windows(
            x.shape,
            indices,
            window_lengths(len(x.shape), updates.shape, numbers),
            numbers.scatter_dims_to_operand_dims,
            batching,
            removed,
            clip=mode is GatherScatterMode.CLIP,
        )
        kept = [d for d in range(x.ndim) if d not in removed]
        batch = [d for d in range(updates.ndim) if d not in numbers.update_window_dims]
        window = [numbers.update_window_dims[kept.index(d)] for d in windows.window_axes]
        windows, updates = windows.only_inside(updates.transpose((*batch, *window)))
        out = np.array(x, order="C")
        write(out, windows, updates, **params)
        return out

    return impl


def window_lengths(rank: int, updates: Shape, numbers: ScatterDimensionNumbers) -> Shape:
    """The window's length along each operand axis, as the shape of the updates tells it."""
    removed = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    lengths = iter([updates[d] for d in numbers.update_window_dims])
    return tuple([1 if d in removed else next(lengths) for d in range(rank)])


# ----------------------------------------------------------------- the primitives


def _scatter_shape(
    x: ShapedArray, indices: ShapedArray, updates: ShapedArray, *, dimension_numbers: Any, **_: Any
) -> Shape:
    _check_scatter(x.shape, indices.shape, updates.shape, dimension_numbers)
    return x.shape


@functools.lru_cache(1024)
def _check_scatter(x: Shape, indices: Shape, updates: Shape, numbers: ScatterDimensionNumbers) -> None:
    if not indices:
        raise TypeError("scatter: the indices need an axis for the index vector, got indices of shape ().")
    batching = (numbers.operand_batching_dims, numbers.scatter_indices_batching_dims)
    window_dims, to_operand = numbers.update_window_dims, numbers.scatter_dims_to_operand_dims
    if len(updates) != len(indices) - 1 + len(window_dims):
        raise TypeError(
            f"scatter: updates of shape {updates} must have an axis for each one of the indices of "
            f"shape {indices} but the last, and for each of the update_window_dims {window_dims}."
        )
    check_dims("scatter", "update_window_dims", window_dims, len(updates))
    check_dims("scatter", "inserted_window_dims", numbers.inserted_window_dims, len(x))
    check_dims("scatter", "scatter_dims_to_operand_dims", to_operand, len(x), ascending=False)
    check_batching("scatter", x, indices, batching, (*numbers.inserted_window_dims, *to_operand))
    if len(to_operand) != indices[-1]:
        raise TypeError(
            f"scatter: the index vectors, along the last axis of the indices of shape {indices}, must "
            f"have one entry for each dimension in scatter_dims_to_operand_dims {to_operand}."
        )
    _check_updates(x, indices, updates, numbers)


def _check_updates(x: Shape, indices: Shape, updates: Shape, numbers: Any) -> None:
    removed = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    if len(x) != len(numbers.update_window_dims) + len(removed):
        raise TypeError(
            f"scatter: each axis of the operand of shape {x} must be either in the window of the "
            f"updates {numbers.update_window_dims} or inserted {numbers.inserted_window_dims} or a batching "
            f"one {numbers.operand_batching_dims}."
        )
    batch = tuple([n for d, n in enumerate(updates) if d not in numbers.update_window_dims])
    if batch != indices[:-1]:
        raise TypeError(
            f"scatter: outside of update_window_dims {numbers.update_window_dims} the updates of shape "
            f"{updates} must have the shape of the indices, {indices}, without the last axis."
        )
    lengths = [n for d, n in enumerate(x) if d not in removed]
    if any(updates[d] > length for d, length in zip(numbers.update_window_dims, lengths)):
        raise TypeError(
            f"scatter: windows of updates of shape {updates}, at axes {numbers.update_window_dims}, "
            f"must not be longer than the operand of shape {x}."
        )


def _scatter_dtype(x: ShapedArray, indices: ShapedArray, updates: ShapedArray, **_: Any) -> Any:
    check_integer_indices("scatter", indices)
    check_same_dtypes("scatter", (x, updates))
    return x.dtype


def scatter_primitive(name: str, write: Callable[..., None], at: Callable[..., None] | None = None) -> Primitive:
    """A scatter without derivative; `write` and `at` are what it does to its result, as in `_scatter_impl`."""
    prim = standard(name, _scatter_impl(write, at), _scatter_shape, _scatter_dtype, first_weak)

    def batch(axis_size: int, args: Any, dims: Any, *, dimension_numbers: Any, **params: Any) -> Any:
        (x, indices, updates), (x_dim, indices_dim, updates_dim) = args, dims
        x = batch_axis_in_front(x, x_dim, axis_size)
        updates = batch_axis_in_front(updates, updates_dim, axis_size)
        numbers = ScatterDimensionNumbers(*map(shifted, dimension_numbers[:4]), dimension_numbers[4])
        if indices_dim is None:
            # The windows get one more axis, which reaches through the whole batch.
            numbers = numbers._replace(update_window_dims=(0, *numbers.update_window_dims))
        else:
            indices = move_axis(indices, indices_dim, 0)
            numbers = numbers._replace(
                operand_batching_dims=(0, *numbers.operand_batching_dims),
                scatter_indices_batching_dims=(0, *shifted(numbers.scatter_indices_batching_dims)),
            )
        return prim.bind(x, indices, updates, dimension_numbers=numbers, **params), 0

    prim.batch = batch
    return prim


def gather_back(x: Any, indices: Any, updates: Shape, numbers: ScatterDimensionNumbers, **options: Any) -> Array:
    """The gather from `x` of what a scatter with updates of this shape would write."""
    lengths = window_lengths(np.ndim(x), updates, numbers)
    return gather(x, indices, GatherDimensionNumbers(*numbers), lengths, **options)
