"""Sorting, and finding places in sorted arrays. NaN comes last; -0.0 and 0.0 are equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.creation import zeros_like
from minijax.numpy.gather_plan import index_dtype
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.manipulation import ravel, swapaxes
from minijax.numpy.promotion import as_arrays, ensure_arraylike, promote_dtypes
from minijax.numpy.selection import if_else
from minijax.primitives.shaping import canonical_axis
from minijax.vmapping import vmap

__all__ = ["argpartition", "argsort", "digitize", "lexsort", "partition", "searchsorted", "sort", "sort_complex"]

# ----------------------------------------------------------------- sort


def sort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Array:
    """The elements in ascending order along an axis; of the flattened array for None."""
    a, axis = _sortable("sort", a, axis, kind, order)
    result = lax.sort(a, dimension=axis, is_stable=stable)
    return lax.rev(result, (axis,)) if descending else result


def argsort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
    dtype: Any = None,
) -> Array:
    """The indices that bring the elements into ascending order along an axis; of the flattened array for None."""
    a, axis = _sortable("argsort", a, axis, kind, order)
    if dtype is None:
        dtype = _order_dtype(a.shape[axis])
    else:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "argsort")
    places = lax.broadcasted_iota(dtype, a.shape, axis)
    if descending and stable:
        # What is sorted backwards and then reversed keeps the order of equal elements.
        a, places = lax.rev(a, (axis,)), lax.rev(places, (axis,))
    _, indices = lax.sort_key_val(a, places, dimension=axis, is_stable=stable)
    return lax.rev(indices, (axis,)) if descending else indices


def _sortable(fun_name: str, a: Any, axis: int | None, kind: None, order: None) -> tuple[Array, int]:
    a = ensure_arraylike(fun_name, a)
    if kind is not None:
        raise TypeError(f"'kind' argument to {fun_name} is not supported. Say stable=True or stable=False instead.")
    if order is not None:
        raise TypeError(f"'order' argument to {fun_name} is not supported: arrays have no named fields.")
    return (ravel(a), 0) if axis is None else (a, canonical_axis(axis, a.ndim))


def _order_dtype(length: int) -> np.dtype:
    return max(index_dtype((length,)), dtypes.default_int_dtype())


def lexsort(keys: Sequence[Any], axis: int = -1) -> Array:
    """The indices that sort by the last key, where it is equal by the one before, and so on."""
    arrays = as_arrays("lexsort", tuple(keys))
    if not arrays:
        raise TypeError("lexsort: need a sequence of keys with len > 0.")
    if len({key.shape for key in arrays}) > 1:
        raise ValueError(f"lexsort: all keys need to be the same shape, got {[key.shape for key in arrays]}.")
    shape = arrays[0].shape
    if not shape:
        return lax.full((), 0, dtypes.default_int_dtype())
    axis = canonical_axis(axis, len(shape))
    places = lax.broadcasted_iota(_order_dtype(shape[axis]), shape, axis)
    return lax.sort((*arrays[::-1], places), dimension=axis, num_keys=len(arrays))[-1]


def sort_complex(a: Any) -> Array:
    """The numbers along the last axis in ascending order, the real parts first, as complex numbers."""
    a = lax.sort(ensure_arraylike("sort_complex", a))
    return lax.convert_element_type(a, dtypes.canonicalize_dtype(dtypes.to_complex_dtype(a.dtype)))


# ----------------------------------------------------------------- partition


def partition(a: Any, kth: int, axis: int = -1) -> Array:
    """Elements rearranged so that the one at `kth` is where sorting puts it, no larger ones before, no smaller
    behind."""
    a, kth, axis = _partition_operand(a, kth, axis)
    smallest = -lax.top_k(_negated(a), kth + 1)[0]
    if dtypes.kind(a.dtype) == "u":
        smallest = smallest - 1
    largest = lax.top_k(a, a.shape[-1] - kth - 1)[0]
    return swapaxes(lax.concatenate([smallest, largest], a.ndim - 1), -1, axis)


def argpartition(a: Any, kth: int, axis: int = -1) -> Array:
    """The indices that bring the elements into the order of `partition`."""
    a, kth, axis = _partition_operand(a, kth, axis)
    first = lax.top_k(_negated(a), kth + 1)[1]

    def mark(row: Array, places: Array) -> Array:
        return IndexUpdateRef(row, places).set(0)

    for _ in range(a.ndim - 1):
        mark = vmap(mark)
    rest = mark(lax.full(a.shape, 1.0), first)
    last = lax.top_k(rest, a.shape[-1] - kth - 1)[1]
    return swapaxes(lax.concatenate([first, last], a.ndim - 1), -1, axis)


def _partition_operand(a: Any, kth: int, axis: int) -> tuple[Array, int, int]:
    a = ensure_arraylike("partition", a)
    if dtypes.is_complex(a.dtype):
        raise NotImplementedError(f"partition of {a.dtype} numbers is not implemented. Sort them: jnp.sort(a).")
    axis = canonical_axis(axis, a.ndim)
    return swapaxes(a, axis, -1), canonical_axis(kth, a.shape[axis], "kth"), axis


def _negated(a: Array) -> Array:
    """What is largest where `a` is smallest."""
    return -(a + 1) if dtypes.kind(a.dtype) == "u" else -a


# ----------------------------------------------------------------- searching in sorted arrays


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "scan") -> Array:
    """Where in the sorted vector `a` each element of `v` belongs, as int32.

    side: before ('left') or behind ('right') equal elements. sorter: indices that sort `a` if it is not sorted.
    method: 'scan' and 'scan_unrolled' halve the interval step by step, 'compare_all' counts, 'sort' sorts both
    together.
    """
    a, v = ensure_arraylike("searchsorted", a, v)
    if a.ndim != 1:
        raise ValueError(f"searchsorted: a should be 1-dimensional, got shape {a.shape}.")
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: invalid argument side={side!r}, expected 'left' or 'right'.")
    a, v = promote_dtypes(a, v)
    if sorter is not None:
        a = a[ensure_arraylike("searchsorted", sorter)]
    search = {"scan": _bisect, "scan_unrolled": _bisect, "compare_all": _count_before, "sort": _rank_among}.get(method)
    if search is None:
        raise ValueError(
            f"Unsupported method: {method!r}. searchsorted knows 'scan', 'scan_unrolled', 'compare_all' and 'sort'."
        )
    dtype = index_dtype(a.shape)
    if not a.size:
        return lax.full(v.shape, 0, dtype)
    return search(a, v, side, dtype)


def _bisect(a: Array, v: Array, side: str, dtype: np.dtype) -> Array:
    """Halve all intervals at once, as often as the longest one needs."""
    low = lax.full(v.shape, np.uint32(0))
    high = lax.full(v.shape, np.uint32(a.size))
    for _ in range(math.ceil(math.log2(a.size + 1))):
        middle = low + (high - low) // 2
        found = a[middle]
        go_left = ~_less(found, v) if side == "left" else _less(v, found)
        low, high = lax.select(go_left, low, middle), lax.select(go_left, middle, high)
    return lax.convert_element_type(high, dtype)


def _less(x: Any, y: Any) -> Array:
    """x < y in the order of sorting, where NaN is above all."""
    if not dtypes.is_inexact(dtypes.dtype(x)):
        return x < y
    return (x < y) | ((y != y) & (x == x))


def _count_before(a: Array, v: Array, side: str, dtype: np.dtype) -> Array:
    a = lax.expand_dims(a, range(1, v.ndim + 1))
    v = lax.expand_dims(v, (0,))
    before = _less(a, v) if side == "left" else ~_less(v, a)
    return before.sum(axis=0, dtype=dtype)


def _rank_among(a: Array, v: Array, side: str, dtype: np.dtype) -> Array:
    """Sorting is stable: of equal elements those of the array that stands first come first."""
    queries = ravel(v)
    if side == "left":
        places = _ranks(lax.concatenate([queries, a], 0))[: queries.size]
    else:
        places = _ranks(lax.concatenate([a, queries], 0))[a.size :]
    return lax.reshape(places - _ranks(queries), v.shape).astype(dtype)


def _ranks(x: Array) -> Array:
    """The place of each element in the sorted vector."""
    places = lax.iota(np.int32, x.size)
    zeros = lax.full_like(places, 0)
    _, order = lax.sort_key_val(x, places)
    return IndexUpdateRef(zeros, order).set(places)


def digitize(x: Any, bins: Any, right: bool = False, *, method: str | None = None) -> Array:
    """The number of the bin into which each element falls: bins[i - 1] <= x < bins[i], or the other way round.

    bins is sorted, ascending or descending. right: whether the interval includes its right edge instead of the left.
    """
    x, bins = ensure_arraylike("digitize", x, bins)
    if bins.ndim != 1:
        raise ValueError(f"digitize: bins must be a 1-dimensional array; got shape {bins.shape}.")
    if not bins.size:
        return zeros_like(x, dtype=np.int32)
    side = "left" if right else "right"
    method = "scan" if method is None else method
    ascending = searchsorted(bins, x, side, method=method)
    descending = bins.size - searchsorted(bins[::-1], x, side, method=method)
    return if_else(bins[-1] >= bins[0], ascending, descending)
