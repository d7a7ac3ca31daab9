"""NumPy's indexing, x[i, 1:3, None, ..., mask], in terms of slices and gathers.

Of three ways the cheapest is taken, the same that JAX takes:

    every entry is known when tracing             slice, rev, squeeze, broadcast_in_dim
    single elements at places known only later     dynamic_slice, and the same
    anything else                                  gather

Indices out of bounds do not raise: reading clamps to the nearest element unless `mode` says
otherwise, and updates by `.at[...]` are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import lax
from minijax.array import Array
from minijax.core import Tracer
from minijax.errors import ConcretizationTypeError
from minijax.numpy.gather_plan import check_not_empty, index_dtype, plan_gather
from minijax.numpy.index_entries import (
    ARRAY,
    ELLIPSIS,
    INTEGER,
    NEW_AXIS,
    SLICE,
    Entry,
    parse_index,
    without_ellipsis,
    without_masks,
)
from minijax.numpy.promotion import array_of

__all__ = ["getitem"]

_STATIC = {INTEGER, SLICE, NEW_AXIS, ELLIPSIS}


def getitem(
    x: Array,
    index: Any,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Any = None,
    fill_value: Any = None,
    wrap_negative_indices: bool = True,
) -> Array:
    """x[index]; the keywords are those of x.at[index].get(...)."""
    entries = parse_index(index, x.shape)
    clip = False
    if mode is not None:
        mode = lax.GatherScatterMode.from_any(mode)
        clip = mode == lax.GatherScatterMode.CLIP
    if mode is None or clip or mode == lax.GatherScatterMode.PROMISE_IN_BOUNDS:
        result = _static_slice(x, entries, clip, wrap_negative_indices)
        if result is None:
            result = _dynamic_slice(x, entries, wrap_negative_indices)
        if result is not None:
            return result
    return _gather(x, entries, indices_are_sorted, unique_indices, mode, fill_value, wrap_negative_indices)


# ----------------------------------------------------------------- slices


class _Block:
    """A block of an array, of which some axes are reversed, some dropped, and some are new."""

    __slots__ = ("starts", "limits", "strides", "reversed_axes", "dropped", "new_axes")

    def __init__(self):
        self.starts: list[Any] = []
        self.limits: list[int] = []
        self.strides: list[int] = []
        self.reversed_axes: list[int] = []
        self.dropped: list[int] = []
        self.new_axes: list[int] = []

    def add_new_axis(self) -> None:
        self.new_axes.append(len(self.starts) - len(self.dropped) + len(self.new_axes))

    def add_slice(self, entry: slice, length: int) -> None:
        """An axis of which a slice is taken; its elements are cut out in ascending order."""
        start, stop, step = entry.indices(length)
        if step < 0:
            self.reversed_axes.append(len(self.starts))
            # The place of the slice's last element is the first one to cut out.
            start, stop = min(length, stop + 1 + abs(start - stop - 1) % -step), start + 1
        self.starts.append(start)
        self.limits.append(max(start, stop))
        self.strides.append(abs(step))

    def add_element(self, place: Any) -> None:
        """An axis of which a single element is taken; its place may be a traced value."""
        self.dropped.append(len(self.starts))
        self.starts.append(place)
        self.limits.append(place + 1 if type(place) is int else None)
        self.strides.append(1)

    def arrange(self, block: Array) -> Array:
        """What remains to be done when the block has been cut out."""
        if self.reversed_axes:
            block = lax.rev(block, self.reversed_axes)
        if self.dropped:
            block = lax.squeeze(block, self.dropped)
        if self.new_axes:
            block = lax.expand_dims(block, self.new_axes)
        return block


def _static_slice(x: Array, entries: Sequence[Entry], clip: bool, wrap: bool) -> Array | None:
    """x[entries] if every entry is known and in bounds (or clipped)."""
    block, shape = _Block(), x.shape
    if any(entry.kind not in _STATIC for entry in entries):
        return None
    for entry in without_ellipsis(entries, len(shape)):
        if entry.kind == NEW_AXIS:
            block.add_new_axis()
            continue
        length = shape[len(block.starts)]
        if entry.kind == SLICE:
            block.add_slice(entry.value, length)
            continue
        place = _place(int(entry.value), length, clip, wrap)
        if place is None:
            return None
        block.add_element(place)
    return block.arrange(_cut(x, block))


def _place(index: int, length: int, clip: bool, wrap: bool) -> int | None:
    """Where an integer index points, None if out of bounds."""
    if wrap and index < 0:
        index += length
    if clip and length:
        return min(max(index, 0), length - 1)
    return index if 0 <= index < length else None


def _cut(x: Array, block: _Block) -> Array:
    strides = None if all(s == 1 for s in block.strides) else block.strides
    if strides is None and not any(block.starts) and tuple(block.limits) == x.shape:
        return x
    return lax.slice(x, block.starts, block.limits, strides)


def _dynamic_slice(x: Array, entries: Sequence[Entry], wrap: bool) -> Array | None:
    """x[entries] if every entry is a single element or a slice without gaps."""
    block, sizes, shape = _Block(), [], x.shape
    if not all(_fits_dynamic_slice(entry) for entry in entries):
        return None
    for entry in without_ellipsis(entries, len(shape)):
        axis = len(block.starts)
        if entry.kind == NEW_AXIS:
            block.add_new_axis()
        elif entry.kind == SLICE:
            block.add_slice(entry.value, shape[axis])
            sizes.append(block.limits[-1] - block.starts[-1])
        else:
            check_not_empty(shape, axis)
            block.add_element(entry.value)
            sizes.append(1)
    # Arrays even where they are known: so lax.dynamic_slice treats all alike, as it does in JAX.
    dtype, block.starts = index_dtype(shape), [array_of(i) for i in block.starts]
    if len(sizes) > 1:
        block.starts = [lax.convert_element_type(i, dtype) for i in block.starts]
    return block.arrange(lax.dynamic_slice(x, block.starts, sizes, allow_negative_indices=wrap))


def _fits_dynamic_slice(entry: Entry) -> bool:
    if entry.kind == SLICE:
        return entry.value.step is None or entry.value.step in (1, -1)
    return entry.kind in _STATIC or entry.kind == ARRAY and not np.ndim(entry.value)


# ----------------------------------------------------------------- gather


def _gather(
    x: Array,
    entries: Sequence[Entry],
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: Any,
    fill_value: Any,
    wrap: bool,
) -> Array:
    plan = plan_gather(without_masks(entries, x.shape), x.shape, wrap)
    fill_value = _fill_scalar(fill_value)
    if plan.added_axes:
        x = lax.expand_dims(x, plan.added_axes)
    if 0 in plan.result_shape:
        return lax.full_like(x, 0, shape=tuple(plan.result_shape))
    if 0 not in np.shape(plan.indices):
        x = lax.gather(
            x,
            plan.indices,
            plan.gather_numbers(),
            plan.slice_sizes,
            unique_indices=unique_indices or plan.regular,
            indices_are_sorted=indices_are_sorted or plan.regular,
            mode=mode,
            fill_value=fill_value,
        )
    if plan.reversed_axes:
        x = lax.rev(x, plan.reversed_axes)
    return lax.expand_dims(x, plan.new_axes) if plan.new_axes else x


def _fill_scalar(fill_value: Any) -> Any:
    """The fill_value of a gather, which has to be a scalar that is known."""
    if isinstance(fill_value, Tracer):
        raise ConcretizationTypeError(fill_value, "It is the fill_value argument to indexed get().")
    if np.ndim(fill_value):
        raise ValueError(f"fill_value argument to indexed get() must be a scalar, got shape {np.shape(fill_value)}.")
    return fill_value.item() if isinstance(fill_value, np.ndarray) else fill_value
