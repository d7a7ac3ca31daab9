"""Sets as sorted vectors without repetitions: unique elements, unions, intersections, differences.

How many elements a result has depends on values. Under a transformation such a function therefore needs
`size`: the result is cut to that length, or filled up, with fill_value or an element of the set.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.axes import require_known, static_int
from minijax.numpy.creation import empty, full, full_like, ones, zeros
from minijax.numpy.cumulative import cumsum
from minijax.numpy.differences import diff
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.joining import append, concatenate
from minijax.numpy.logic import isnan
from minijax.numpy.manipulation import moveaxis, ravel, reshape
from minijax.numpy.places import nonzero
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes
from minijax.numpy.ranges import arange
from minijax.numpy.reductions import any as any_of
from minijax.numpy.selection import if_else
from minijax.numpy.sorting import lexsort, searchsorted, sort
from minijax.primitives.shaping import canonical_axis

__all__ = [
    "intersect1d",
    "isin",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]

# ----------------------------------------------------------------- unique


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The different elements in ascending order, or the different slices along an axis.

    On request, and in this order, a tuple also of the index of the first occurrence of each, of the indices that
    give the array back, and of how often each occurs. Without `size` the array must not be traced.
    """
    ar = ensure_arraylike("unique", ar)
    if size is None:
        require_known(ar, "the first argument of jnp.unique; give the `size` of the result if it has to be traced")
    else:
        size = static_int(size, "the size argument of jnp.unique")
    flat, axis_number = (ravel(ar), 0) if axis is None else (ar, canonical_axis(axis, ar.ndim))
    result = _Unique(flat, axis_number, equal_nan, size)
    found = [result.values(fill_value)]
    if return_index:
        found.append(result.first_index())
    if return_inverse:
        found.append(result.inverse())
    if return_counts:
        found.append(result.counts())
    if return_inverse and axis is None:
        place = 2 if return_index else 1
        found[place] = reshape(found[place], ar.shape)
    return found[0] if len(found) == 1 else tuple(found)


class _Unique:
    """Slices of `ar` along an axis in sorted order, and a mask of the first one of each kind."""

    def __init__(self, ar: Array, axis: int, equal_nan: bool, size: int | None):
        self.ar, self.axis, self.size = ar, axis, size
        rows = moveaxis(ar, axis, 0)
        length, width = rows.shape[0], int(np.prod(rows.shape[1:], dtype=np.int64))
        if width:
            self.order = lexsort(reshape(rows, (length, width)).T[::-1])
        else:
            length, self.order = 1, zeros(1, dtype=int)
        self.sorted = rows[self.order]
        if self.sorted.size:
            mask = ones(length, dtype=bool)
            changes = any_of(_differ(self.sorted[1:], self.sorted[:-1], equal_nan), tuple(range(1, rows.ndim)))
            self.mask = IndexUpdateRef(mask, slice(1, None)).set(changes)
        else:
            self.mask = zeros(length, dtype=bool)
        self.places = self.mask if size is None else nonzero(self.mask, size=size)[0]

    def values(self, fill_value: Any) -> Array:
        if not self.ar.shape[self.axis] and self.size and fill_value is None:
            raise ValueError(
                "jnp.unique: for zero-sized input with nonzero size argument, fill_value must be specified."
            )
        result = self.sorted[self.places] if self.sorted.size else self.sorted
        if self.size is not None and fill_value is not None:
            fill_value = ensure_arraylike("unique", fill_value).astype(result.dtype)
            if result.shape[0]:
                valid = lax.expand_dims(arange(self.size) < self.mask.sum(), range(1, result.ndim))
                result = if_else(valid, result, fill_value)
            else:
                result = full_like(result, fill_value, shape=(self.size, *result.shape[1:]))
        return moveaxis(result, 0, self.axis)

    def first_index(self) -> Array:
        return self.order[self.places] if self.sorted.size else self.order

    def inverse(self) -> Array:
        if not self.sorted.size:
            return zeros(self.ar.shape[self.axis], dtype=int)
        numbers = cumsum(self.mask) - 1
        return IndexUpdateRef(zeros(self.mask.shape, dtype=int), self.order).set(numbers)

    def counts(self) -> Array:
        if not self.sorted.size:
            length = self.ar.shape[self.axis]
            return full((1,), length, dtype=int) if length else empty(0, dtype=int)
        total = self.mask.size
        if self.size is None:
            return diff(append(nonzero(self.mask)[0], total))
        starts = nonzero(self.mask, size=self.size + 1)[0]
        return diff(IndexUpdateRef(starts, slice(1, None)).set(if_else(starts[1:], starts[1:], total)))

    def count(self) -> Array:
        """How many different slices there are."""
        return self.mask.sum()


def _differ(x: Array, y: Array, equal_nan: bool) -> Array:
    different = lax.ne(x, y)
    if dtypes.kind(x.dtype) == "f" and equal_nan:
        return different & ~(isnan(x) & isnan(y))
    return different


_UniqueAllResult = namedtuple("_UniqueAllResult", ["values", "indices", "inverse_indices", "counts"])
_UniqueCountsResult = namedtuple("_UniqueCountsResult", ["values", "counts"])
_UniqueInverseResult = namedtuple("_UniqueInverseResult", ["values", "inverse_indices"])


def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> _UniqueAllResult:
    """The different elements with everything that `unique` knows of them; each NaN is one of its own."""
    x = ensure_arraylike("unique_all", x)
    return _UniqueAllResult(*unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value))


def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> _UniqueCountsResult:
    """The different elements, and how often each occurs; each NaN is one of its own."""
    x = ensure_arraylike("unique_counts", x)
    return _UniqueCountsResult(*unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> _UniqueInverseResult:
    """The different elements, and the indices that give the array back; each NaN is one of its own."""
    x = ensure_arraylike("unique_inverse", x)
    return _UniqueInverseResult(*unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Array:
    """The different elements; each NaN is one of its own."""
    return unique(ensure_arraylike("unique_values", x), equal_nan=False, size=size, fill_value=fill_value)


# ----------------------------------------------------------------- membership


def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, method: str = "auto"
) -> Array:
    """Whether each element is among test_elements (or is not, with `invert`).

    method: 'compare_all' (which 'auto' means), 'binary_search' or 'sort'.
    """
    element, test_elements = ensure_arraylike("isin", element, test_elements)
    return reshape(_is_member(element, test_elements, invert, method, assume_unique), element.shape)


def _is_member(x: Any, y: Any, invert: bool, method: str = "auto", assume_unique: bool = False) -> Array:
    x, y = promote_dtypes(x, y)
    x, y = ravel(x), ravel(y)
    if not x.size or not y.size:
        return (ones if invert else zeros)(x.shape, dtype=bool)
    if method in ("auto", "compare_all"):
        return (x[:, None] != y[None, :]).all(-1) if invert else (x[:, None] == y[None, :]).any(-1)
    if method == "binary_search":
        y = lax.sort(y)
        found = y[searchsorted(y, x)]
        return x != found if invert else x == found
    if method == "sort":
        return _is_member_by_sorting(x, y, invert, assume_unique)
    raise ValueError(
        f"isin: method={method!r} is not implemented; options are 'compare_all', 'binary_search', 'sort', and 'auto'."
    )


def _is_member_by_sorting(x: Array, y: Array, invert: bool, assume_unique: bool) -> Array:
    """Among both together, sorted stably, a member of y is followed by an equal element."""
    back: Any = slice(None)
    if not assume_unique:
        x, back = unique(x, size=x.size, return_inverse=True, fill_value=y.max())
    both, places = lax.sort_key_val(concatenate([x, y]), arange(x.size + y.size))
    if invert:
        return IndexUpdateRef(ones(x.shape, bool), places[:-1]).set(both[1:] != both[:-1], mode="drop")[back]
    return IndexUpdateRef(zeros(x.shape, bool), places[:-1]).set(both[1:] == both[:-1], mode="drop")[back]


# ----------------------------------------------------------------- unions, differences


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Array:
    """The different elements of both, in ascending order."""
    ar1, ar2 = ensure_arraylike("union1d", ar1, ar2)
    if size is None:
        for ar in ar1, ar2:
            require_known(ar, "an argument of jnp.union1d; give the `size` of the result if it has to be traced")
    return unique(concatenate((ar1, ar2), axis=None), size=size, fill_value=fill_value)


def setdiff1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Array:
    """The different elements of ar1 that are not in ar2, in ascending order. Filled up with 0."""
    ar1, ar2 = ensure_arraylike("setdiff1d", ar1, ar2)
    x, y = ravel(ar1), ravel(ar2)
    if size is None:
        require_known(x, "the first argument of jnp.setdiff1d; give the `size` of the result if it has to be traced")
    else:
        size = static_int(size, "the size argument of jnp.setdiff1d")
    fill = full_like(x, 0 if fill_value is None else fill_value, shape=())
    if not x.size:
        return full_like(x, fill, shape=size or 0)
    if not assume_unique:
        x = unique(x, size=size and x.size)
    mask = _is_member(x, y, invert=True, assume_unique=assume_unique)
    if size is None:
        return x[mask]
    if not assume_unique:
        # What fills `x` up to its size repeats its first element.
        different = x.size + 1 - (x == x[0]).sum()
        mask = if_else(arange(x.size) < different, mask, False)
    return if_else(arange(size) < mask.sum(), x[nonzero(mask, size=size)[0]], fill)


def setxor1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Array:
    """The different elements that are in just one of both, in ascending order."""
    x, y = promote_dtypes(ravel(ar1), ravel(ar2))
    if size is not None:
        return _setxor_of_size(x, y, assume_unique, size, fill_value)
    if not assume_unique:
        x, y = unique(x), unique(y)
    both = concatenate((x, y))
    if not both.size:
        return both
    both = sort(both)
    flag = concatenate((True, both[1:] != both[:-1], True), axis=None)
    return both[flag[1:] & flag[:-1]]


def _setxor_of_size(x: Array, y: Array, assume_unique: bool, size: int, fill_value: Any) -> Array:
    if assume_unique:
        both = sort(concatenate([x, y]))
        flag = concatenate((bool(both.size), both[1:] != both[:-1], True), axis=None)
    else:
        both, count, *_ = _both_unique(x, y)
        inside = arange(both.size + 1) < count + 1
        _, both = lax.sort([~inside[1:], both], is_stable=True, num_keys=2)
        ends = concatenate((bool(both.size), both[1:] != both[:-1], False), axis=None)
        flag = inside & IndexUpdateRef(ends, count).set(True)
    return _selected(both, flag[1:] & flag[:-1], size, fill_value)[0]


def _both_unique(x: Array, y: Array, fill_value: Any = None) -> tuple[Array, Array, Array, Array, Array]:
    """The different elements of x, then those of y, then anything, and how many the first two are together.

    Further how many of them are x's, and the places of these elements in x and in y.
    """
    parts = []
    for values in x, y:
        result = _Unique(values, 0, True, values.size)
        parts.append((result.values(fill_value), result.first_index(), result.count()))
    (first, first_index, first_count), (second, second_index, second_count) = parts
    both = zeros(x.size + y.size, dtype=dtypes.result_type(x, y))
    both = lax.dynamic_update_slice(both, first, (0,))
    both = lax.dynamic_update_slice(both, second, (first_count,))
    return both, first_count + second_count, first_count, first_index, second_index


def _selected(values: Array, mask: Array, size: int, fill_value: Any) -> tuple[Array, Array, Array]:
    """The values for which the mask holds, filled up to `size`; their places, and which of them are real."""
    valid = arange(size) < mask.sum()
    if not values.size:
        places, found = arange(0), zeros(size, values.dtype)
    else:
        (places,) = nonzero(mask, size=size, fill_value=values.size)
        found = IndexUpdateRef(values, places).get(mode="fill", fill_value=0)
    if fill_value is None:
        # An element of the set: the fill is 0, which the maximum may be wrongly, and then the minimum corrects it.
        found = if_else(valid, found, found.max())
        return if_else(valid, found, found.min()), places, valid
    return if_else(valid, found, fill_value), places, valid


def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements that are in both, in ascending order; on request also where they are in each."""
    x, y = promote_dtypes(*ensure_arraylike("intersect1d", ar1, ar2))
    x, y = ravel(x), ravel(y)
    if size is not None:
        return _intersect_of_size(x, y, assume_unique, return_indices, size, fill_value)
    first = second = None
    if not assume_unique:
        x, first = unique(x, return_index=True)
        y, second = unique(y, return_index=True)
    both, order = lax.sort_key_val(concatenate((x, y)), lax.iota(np.int32, x.size + y.size))
    mask = both[1:] == both[:-1]
    values = both[:-1][mask]
    if not return_indices:
        return values
    in_first, in_second = order[:-1][mask], order[1:][mask] - x.size
    return (values, in_first, in_second) if assume_unique else (values, first[in_first], second[in_second])


def _intersect_of_size(
    x: Array, y: Array, assume_unique: bool, return_indices: bool, size: int, fill_value: Any
) -> Any:
    first = second = None
    if assume_unique:
        both = concatenate([x, y])
        count, first_count = both.size, x.size
    else:
        both, count, first_count, first, second = _both_unique(x, y, 0)
    inside = arange(both.size) < count
    _, both, order = lax.sort([~inside, both, arange(both.size)], is_stable=True, num_keys=2)
    values, places, valid = _selected(both, (both[1:] == both[:-1]) & inside[1:], size, fill_value)
    if not return_indices:
        return values
    in_first = IndexUpdateRef(order, places).get(mode="fill", fill_value=x.size)
    in_second = IndexUpdateRef(order, places + 1).get(mode="fill", fill_value=y.size) - first_count
    in_first = if_else(valid, in_first, x.size)
    in_second = if_else(valid, in_second, y.size)
    if not assume_unique:
        in_first = IndexUpdateRef(first, in_first).get(mode="fill", fill_value=x.size)
        in_second = IndexUpdateRef(second, in_second).get(mode="fill", fill_value=y.size)
    return values, in_first, in_second
