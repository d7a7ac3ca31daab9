"""Turning the entries of an index into the arguments of lax.gather or lax.scatter.

A gather copies, for each index vector in an array of them, one block out of the operand. So
`x[i, 1:3]` needs the index vectors (i[k], 1), blocks of shape (1, 2), the first axis of which
is dropped. NumPy's rule where the axes of index arrays go in the result:

    x[:, i, j, :]   the arrays stand side by side: at their place
    x[i, :, j, :]   something stands between them: in front
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.numpy.index_entries import ARRAY, INTEGER, MASK, NEW_AXIS, Entry, without_ellipsis
from minijax.numpy.manipulation import broadcast_arrays


class GatherPlan:
    """Arguments of a gather, collected entry by entry; `indices` is set at the end.

    result_shape   shape of the result, new axes included
    new_axes       axes of the result that `None` made; the gather itself does not know them
    reversed_axes  axes of the gather's result that have to be reversed: slices with a negative step
    added_axes     axes of length 1 that the operand has to be given first, for indices True and False
    regular        whether the index vectors are sorted and distinct, because no index array took part
    """

    def __init__(self, shape: Sequence[int], added_axes: Sequence[int] = ()):
        self.shape = shape
        self.index_dtype = index_dtype(shape)
        self.result_shape: list[int] = []
        self.new_axes: list[int] = []
        self.reversed_axes: list[int] = []
        self.added_axes = added_axes
        self.regular = True
        self.offset_dims: list[int] = []
        self.collapsed: list[int] = []
        self.index_map: list[int] = []
        self.slice_sizes: list[int] = []
        self.indices: Any = None
        # Components of the index vectors, each with its first axis in the array of index vectors.
        self._components: list[tuple[Any, int]] = []
        self._index_shape: list[int] = []

    def gather_numbers(self) -> lax.GatherDimensionNumbers:
        """The dimension numbers of lax.gather."""
        return lax.GatherDimensionNumbers(
            tuple(self.offset_dims), tuple(sorted(self.collapsed)), tuple(self.index_map), (), ()
        )

    def scatter_numbers(self) -> lax.ScatterDimensionNumbers:
        """The dimension numbers of lax.scatter and its relatives."""
        return lax.ScatterDimensionNumbers(
            tuple(self.offset_dims), tuple(sorted(self.collapsed)), tuple(self.index_map), (), ()
        )

    def add_new_axis(self) -> None:
        """`None`: an axis of length 1 in the result."""
        self.new_axes.append(len(self.result_shape))
        self.result_shape.append(1)

    def add_arrays(self, arrays: Sequence[Any], axes: Sequence[int]) -> None:
        """Index arrays, broadcast together; their axes in the operand are passed one by one (`pass_axis`)."""
        arrays = broadcast_arrays(*arrays)
        shape, first = np.shape(arrays[0]), len(self._index_shape)
        self._components += [(lax.convert_element_type(a, self.index_dtype), first) for a in arrays]
        self._index_shape += shape
        self.index_map += axes
        self.collapsed += axes
        self.result_shape += shape
        self.regular = False

    def pass_axis(self) -> None:
        """An axis of the operand of which each index vector takes a single element."""
        self.slice_sizes.append(1)

    def add_element(self, index: Any) -> None:
        """A single integer, known or traced."""
        axis = len(self.slice_sizes)
        check_not_empty(self.shape, axis)
        component = index if isinstance(index, int) else lax.convert_element_type(index, self.index_dtype)
        if isinstance(component, int):
            component = self.index_dtype.type(component)
        self._add_component(component, axis)
        self.collapsed.append(axis)
        self.slice_sizes.append(1)

    def _add_component(self, component: Any, axis: int) -> None:
        self._components.append((component, len(self._index_shape)))
        self.index_map.append(axis)

    def add_slice(self, entry: slice) -> None:
        """A slice: a block of the operand if its step is 1, otherwise index vectors at its places."""
        axis = len(self.slice_sizes)
        start, stop, step = entry.indices(self.shape[axis])
        places = range(start, stop, step)
        out_axis = len(self.result_shape) - len(self.new_axes)
        if step == 1:
            if len(places) != self.shape[axis]:
                self._add_component(self.index_dtype.type(start), axis)
            self.slice_sizes.append(len(places))
            self.offset_dims.append(out_axis)
        else:
            self._add_component(self._strided(places, out_axis), axis)
            self._index_shape.append(len(places))
            self.slice_sizes.append(1)
            self.collapsed.append(axis)
        self.result_shape.append(len(places))

    def _strided(self, places: range, out_axis: int) -> Any:
        number = self.index_dtype.type
        indices = lax.add(number(places.start), lax.mul(number(places.step), lax.iota(self.index_dtype, len(places))))
        if places.step > 0:
            return indices
        self.reversed_axes.append(out_axis)
        return lax.rev(indices, (0,))

    def finish(self) -> GatherPlan:
        """Put the components of the index vectors together."""
        components, rank = self._components, len(self._index_shape)
        if not components:
            self.indices = np.zeros((0,), self.index_dtype)
        elif len(components) == 1:
            ((component, _),) = components
            self.indices = lax.expand_dims(component, (np.ndim(component),))
        else:
            shape = (*self._index_shape, 1)
            self.indices = lax.concatenate(
                [lax.broadcast_in_dim(c, shape, range(first, first + np.ndim(c))) for c, first in components], rank
            )
        return self


def plan_gather(entries: Sequence[Entry], shape: tuple[int, ...], wrap: bool) -> GatherPlan:
    """The gather that x[entries] is; there are no masks left among them.

    wrap: whether negative indices count from the end.
    """
    in_front = not _side_by_side(entries)
    entries, shape, added_axes = _with_single_booleans(list(without_ellipsis(entries, len(shape))), shape)
    if wrap:
        entries = [_wrapped(entry, shape) for entry in entries]
    plan = GatherPlan(shape, added_axes)
    arrays = []
    if any(entry.kind == ARRAY and np.ndim(entry.value) for entry in entries):
        arrays = [entry for entry in entries if entry.kind in (ARRAY, INTEGER)]
    for entry in entries:
        if arrays and (entry is entries[0] if in_front else entry is arrays[0]):
            plan.add_arrays([e.value for e in arrays], [e.axes[0] for e in arrays])
        if entry.kind == NEW_AXIS:
            plan.add_new_axis()
        elif entry.kind not in (ARRAY, INTEGER):
            plan.add_slice(entry.value)
        elif arrays:
            plan.pass_axis()
        else:
            plan.add_element(entry.value)
    return plan.finish()


def _side_by_side(entries: Sequence[Entry]) -> bool:
    """Whether nothing stands between the integers and arrays. An ellipsis does even if it uses up no axis."""
    places = [i for i, entry in enumerate(entries) if entry.kind in (ARRAY, INTEGER)]
    return all(b - a == 1 for a, b in zip(places, places[1:]))


def _with_single_booleans(
    entries: list[Entry], shape: tuple[int, ...]
) -> tuple[list[Entry], tuple[int, ...], list[int]]:
    """x[True] and x[False] index a new axis of length 1 by all or none of its elements.

    Returns the entries, the shape with such axes, and which axes they are.
    """
    if all(entry.kind != MASK for entry in entries):
        return entries, shape, []
    lengths, added, result, axis = [], [], [], 0
    for entry in entries:
        n = len(entry.axes)
        if entry.kind == MASK:
            added.append(axis)
            lengths.append(1)
            entry, n = Entry(ARRAY, np.arange(int(entry.value), dtype=dtypes.default_int_dtype()), ()), 1
        else:
            lengths += [shape[a] for a in entry.axes]
        result.append(Entry(entry.kind, entry.value, range(axis, axis + n)))
        axis += n
    return result, tuple(lengths), added


def _wrapped(entry: Entry, shape: tuple[int, ...]) -> Entry:
    """Negative integers counted from the end of their axis."""
    if entry.kind not in (ARRAY, INTEGER):
        return entry
    length = shape[entry.axes[0]]
    if entry.kind == INTEGER:
        index = int(entry.value)
        return Entry(INTEGER, index + length if index < 0 else index, entry.axes)
    return Entry(ARRAY, wrap_negative(entry.value, length), entry.axes)


def wrap_negative(index: Any, length: int) -> Any:
    """An array of integers, of which the negative ones count from the end of an axis of this length."""
    dtype = dtypes.dtype(index)
    if dtypes.kind(dtype) == "u":
        return index
    return lax.select(index < 0, lax.add(index, dtype.type(length)), index)


def check_not_empty(shape: Sequence[int], axis: int) -> None:
    """Raise IndexError if there is no element along `axis` that an index could name."""
    if not shape[axis]:
        raise IndexError(
            f"index is out of bounds for axis {axis} with size 0: array of shape {tuple(shape)} has no elements."
        )


def index_dtype(shape: Sequence[int]) -> np.dtype:
    """The dtype of indices into an array of this shape: int32 unless an axis is longer than it can count."""
    return np.dtype(np.int64 if max(shape, default=0) > np.iinfo(np.int32).max else np.int32)
