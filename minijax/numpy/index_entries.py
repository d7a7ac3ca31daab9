"""Reading an index, x[...]: which entry uses up which axes of the array.

Nothing is computed here. `indexing.py` and `gather_plan.py` turn the entries into operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import Tracer
from minijax.errors import NonConcreteBooleanIndexError
from minijax.numpy.creation import asarray

INTEGER, SLICE, ARRAY, MASK, NEW_AXIS, ELLIPSIS = "integer", "slice", "array", "mask", "new axis", "ellipsis"


class Entry:
    """One entry of an index, and the axes of the array that it uses up."""

    __slots__ = ("kind", "value", "axes")

    def __init__(self, kind: str, value: Any, axes: Sequence[int]):
        self.kind = kind
        self.value = value
        self.axes = axes


# ----------------------------------------------------------------- parsing


def parse_index(index: Any, shape: tuple[int, ...]) -> list[Entry]:
    """The entries of x[index] for an array of this shape.

    Raises IndexError for too many entries or such that cannot index, TypeError for lists and floats.
    """
    if type(index) is not tuple:
        index = as_index_tuple(index)
    values = [_entry_value(value) for value in index]
    used = [_AXES_USED.get(kind, 1) if kind != MASK else np.ndim(value) for kind, value in values]
    spare = len(shape) - sum(used)
    if spare < 0:
        raise IndexError(
            f"Too many indices: array is {len(shape)}-dimensional, but {sum(used)} were indexed. Its shape is {shape}."
        )
    entries, axis, ellipses = [], 0, 0
    for (kind, value), n in zip(values, used):
        if kind == ELLIPSIS:
            n, ellipses = spare, ellipses + 1
            if ellipses > 1:
                raise IndexError("an index can only have a single ellipsis ('...'): write ':' for the other axes.")
        entries.append(Entry(kind, value, range(axis, axis + n)))
        axis += n
    return entries


_AXES_USED = {NEW_AXIS: 0, ELLIPSIS: 0}


def as_index_tuple(index: Any) -> tuple:
    """An index as a tuple of entries. TypeError for lists."""
    if isinstance(index, tuple):
        return tuple(index)
    if isinstance(index, Sequence) and not isinstance(index, str):
        raise TypeError(
            "Using a non-tuple sequence for multidimensional indexing is not allowed: got the "
            f"{type(index).__name__} {index!r}. Write x[jnp.array(index)] to pick elements along the first axis, "
            "x[tuple(index)] for one entry per axis."
        )
    return (index,)


_KIND_OF_TYPE = {int: INTEGER, bool: MASK, slice: SLICE, type(None): NEW_AXIS, type(Ellipsis): ELLIPSIS}


def _entry_value(value: Any) -> tuple[str, Any]:
    """What an entry of an index is; lists become arrays."""
    kind = _KIND_OF_TYPE.get(type(value))
    if kind is None:
        return _entry_array(value)
    if kind == SLICE and any(isinstance(v, Tracer) for v in (value.start, value.stop, value.step)):
        raise IndexError(
            f"Slice entries must be static integers, got {value}: the length of the result must be known while "
            "tracing. Write jax.lax.dynamic_slice_in_dim(x, start, length) for a slice that begins anywhere."
        )
    return kind, value


def _entry_array(value: Any) -> tuple[str, Any]:
    if isinstance(value, np.bool_):
        return MASK, bool(value)
    if isinstance(value, int | np.integer):
        return INTEGER, value
    if isinstance(value, str):
        raise TypeError(f"JAX does not support string indexing; got idx={value!r}. Arrays have no named fields.")
    if isinstance(value, Sequence):
        value = asarray(value) if len(value) else np.zeros((0,), np.int32)
    elif not isinstance(value, Array | np.ndarray | float | complex | np.generic):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), newaxis (`None`) and integer or boolean arrays are "
            f"valid indices. Got {value!r} of type {type(value)}."
        )
    dtype = getattr(value, "dtype", None) or np.dtype(type(value))
    kind = {"b": MASK, "i": ARRAY, "u": ARRAY}.get(dtypes.kind(dtype))
    if kind is None:
        raise TypeError(
            f"Indexer must have integer or boolean type, got indexer with type {dtype}. "
            "Convert it first, for example with index.astype(int)."
        )
    return kind, value


# ----------------------------------------------------------------- rewriting


def without_masks(entries: Sequence[Entry], shape: tuple[int, ...]) -> list[Entry]:
    """Each mask of n axes replaced by the n index arrays of its True entries; single booleans stay.

    Raises NonConcreteBooleanIndexError for a traced mask, IndexError for one of the wrong shape.
    """
    return [new for position, entry in enumerate(entries) for new in _without_mask(entry, position, shape)]


def _without_mask(entry: Entry, position: int, shape: tuple[int, ...]) -> list[Entry]:
    if entry.kind != MASK:
        return [entry]
    if isinstance(entry.value, Tracer):
        raise NonConcreteBooleanIndexError(entry.value)
    mask = np.asarray(entry.value)
    if not mask.ndim:
        return [Entry(MASK, bool(mask), ())]
    expected = tuple([shape[axis] for axis in entry.axes])
    if any(n not in (0, m) for n, m in zip(mask.shape, expected)):
        raise IndexError(
            f"boolean index did not match shape of indexed array in index {position}: got {mask.shape}, "
            f"expected {expected}. A mask has the lengths of the axes that it stands for."
        )
    places = [place.astype(dtypes.default_int_dtype()) for place in mask.nonzero()]
    return [Entry(ARRAY, place, (axis,)) for place, axis in zip(places, entry.axes)]


def without_ellipsis(entries: Sequence[Entry], rank: int) -> Iterator[Entry]:
    """The entries with full slices in place of an ellipsis, and for the axes that are not mentioned."""
    axis = 0
    for entry in entries:
        axis += len(entry.axes)
        if entry.kind == ELLIPSIS:
            yield from [Entry(SLICE, _EVERYTHING, (a,)) for a in entry.axes]
        else:
            yield entry
    yield from [Entry(SLICE, _EVERYTHING, (a,)) for a in range(axis, rank)]


_EVERYTHING = slice(None)
