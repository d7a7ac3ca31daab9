"""Inserting and deleting elements, and trimming zeros."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.numpy.arithmetic import clip
from minijax.numpy.axes import canonical_axis_tuple, require_known
from minijax.numpy.creation import array, asarray, full, ones, zeros_like
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.joining import concatenate
from minijax.numpy.manipulation import broadcast_shapes, moveaxis, ravel
from minijax.numpy.places import nonzero
from minijax.numpy.promotion import ensure_arraylike
from minijax.numpy.ranges import arange
from minijax.numpy.selection import if_else
from minijax.numpy.sorting import argsort, sort
from minijax.primitives.shaping import canonical_axis

__all__ = ["delete", "insert", "trim_zeros"]

_ALL = slice(None)


def delete(arr: Any, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False) -> Array:
    """Leave out the slices at `obj` along an axis: an integer, a slice, integers or a mask; of the flattened array
    without one.

    An array `obj` may be traced only if assume_unique_indices promises that its integers are distinct.
    """
    a = ensure_arraylike("delete", arr)
    a, axis = (ravel(a), 0) if axis is None else (a, canonical_axis(axis, a.ndim))
    length, before = a.shape[axis], (_ALL,) * axis
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        i = canonical_axis(
            operator.index(require_known(obj, "the 'obj' argument of jnp.delete")), length, "delete: obj"
        )
        return concatenate([a[(*before, slice(0, i))], a[(*before, slice(i + 1, None))]], axis)
    if isinstance(obj, slice):
        obj, assume_unique_indices = arange(length)[obj], True
    obj = ensure_arraylike("delete", obj)
    if dtypes.kind(obj.dtype) in "iu" and assume_unique_indices:
        return a[(*before, _other_places(ravel(obj), length))]
    obj = np.asarray(require_known(obj, "the 'obj' argument of jnp.delete; set assume_unique_indices if it is traced"))
    if obj.dtype.kind in "iu":
        kept = np.ones(length, np.bool_)
        kept[obj] = False
    elif obj.dtype.kind == "b":
        if obj.shape != (length,):
            raise ValueError(
                "jnp.delete: for boolean indices, obj must be one-dimensional with length matching specified axis, "
                f"got shape {obj.shape} for length {length}."
            )
        kept = ~obj
    else:
        raise ValueError(f"jnp.delete: got obj of dtype {obj.dtype}; it must be integer or bool.")
    return a[(*before, kept)]


def _other_places(places: Array, length: int) -> Array:
    """The places on an axis that are not among these distinct ones, in ascending order."""
    places = sort(clip(if_else(places < 0, places + length, places), 0, length))
    # The i-th of the others is i, moved on by one for each deleted place at or before it.
    places = places - arange(places.size, dtype=places.dtype)
    others = arange(length - places.size, dtype=places.dtype)
    return others + (others[None, :] >= places[:, None]).sum(0, dtype=others.dtype)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Array:
    """Put `values` before the places `obj` along an axis: an integer, a slice or integers; into the flattened
    array without one."""
    a, _, values = ensure_arraylike("insert", arr, 0 if isinstance(obj, slice) else obj, values)
    if axis is None:
        a, axis = ravel(a), 0
    axis = canonical_axis(require_known(axis, "the axis argument of jnp.insert"), a.ndim)
    length, before = a.shape[axis], (_ALL,) * axis
    places = _insertion_places(obj, length)
    values = array(values, ndmin=a.ndim, dtype=a.dtype, copy=False)
    if places.size == 1:
        if not places.ndim:
            values = moveaxis(values, 0, axis)
        places = full(values.shape[axis], ravel(places)[0])
    (count,) = broadcast_shapes(places.shape, (values.shape[axis],))
    out = zeros_like(a, shape=(*a.shape[:axis], length + count, *a.shape[axis + 1 :]))
    places = clip(if_else(places < 0, places + length, places), 0, length)
    # Each value moves on by the number of those that are inserted before it.
    places = IndexUpdateRef(places, argsort(places)).add(arange(count, dtype=places.dtype))
    is_old = IndexUpdateRef(ones(length + count, dtype=bool), places).set(False)
    (old_places,) = nonzero(is_old, size=length)
    out = IndexUpdateRef(out, (*before, places)).set(values)
    return IndexUpdateRef(out, (*before, old_places)).set(a)


def _insertion_places(obj: Any, length: int) -> Array:
    if isinstance(obj, slice):
        return arange(*obj.indices(length))
    places = asarray(obj)
    if places.ndim > 1:
        raise ValueError(
            f"jnp.insert: obj must be a slice, a one-dimensional array, or a scalar; got shape {places.shape}."
        )
    if dtypes.kind(places.dtype) not in "iu":
        if places.size or isinstance(obj, Array):
            raise ValueError(f"jnp.insert: index array must be integer typed; got {places.dtype}.")
        places = places.astype(int)
    return places


def trim_zeros(filt: Any, trim: str = "fb", axis: int | Sequence[int] | None = None) -> Array:
    """Cut off the slices of zeros at the front ('f') and the back ('b') of one or several axes. No tracers."""
    filt = ensure_arraylike("trim_zeros", filt)
    known = np.asarray(require_known(filt, "the `filt` argument of jnp.trim_zeros"))
    axes, trim = canonical_axis_tuple(axis, filt.ndim), trim.lower()
    if "f" not in trim and "b" not in trim:
        return filt
    return filt[tuple([_without_zeros(known, d, trim) if d in axes else _ALL for d in range(filt.ndim)])]


def _without_zeros(x: np.ndarray, axis: int, trim: str) -> slice:
    (places,) = (x != 0).any(axis=tuple([d for d in range(x.ndim) if d != axis])).nonzero()
    if not places.size:
        return slice(0, 0)
    return slice(int(places[0]) if "f" in trim else None, int(places[-1]) + 1 if "b" in trim else None)
