"""Diagonals: reading them, summing them, making matrices of them."""

from __future__ import annotations

import operator
from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.numpy.creation import zeros, zeros_like
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.manipulation import moveaxis, ravel, reshape
from minijax.numpy.places import diag_indices
from minijax.numpy.promotion import ensure_arraylike, reject
from minijax.numpy.ranges import arange, eye
from minijax.numpy.reductions import sum as sum_of
from minijax.numpy.selection import if_else
from minijax.numpy.taking import tile_to_size
from minijax.primitives.shaping import canonical_axis

__all__ = ["diag", "diagflat", "diagonal", "fill_diagonal", "trace"]


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements (i, i + offset) of two axes, as the last axis of the result, which is strongly typed."""
    a = ensure_arraylike("diagonal", a)
    if a.ndim < 2:
        raise ValueError(f"diagonal requires an array of at least two dimensions, got shape {a.shape}.")
    offset = static_int(offset, "the 'offset' argument of jnp.diagonal")
    rows, columns = a.shape[axis1], a.shape[axis2]
    a = moveaxis(a, (axis1, axis2), (-2, -1))
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = arange(length)
    j = arange(abs(offset), abs(offset) + length)
    found = a[..., i, j] if offset >= 0 else a[..., j, i]
    return lax.convert_element_type(found, found.dtype)


def diag(v: Any, k: int = 0) -> Array:
    """The k-th diagonal of a matrix, or the matrix that has the vector `v` there and zeros elsewhere."""
    v, k = ensure_arraylike("diag", v), operator.index(k)
    if v.ndim == 2:
        return diagonal(v, offset=k)
    if v.ndim != 1:
        raise ValueError(f"diag input must be 1d or 2d, got shape {v.shape}.")
    zero = lax.full_like(v, 0, shape=())
    length = v.shape[0] + abs(k)
    v = lax.pad(v, zero, ((max(0, -k), max(0, k), 0),))
    return if_else(eye(length, k=k, dtype=bool), v[:, None], zero)


def diagflat(v: Any, k: int = 0) -> Array:
    """The matrix that has the flattened array on its k-th diagonal and zeros elsewhere."""
    v = ravel(v)
    length = v.size + abs(k)
    flat = zeros(length * length, dtype=v.dtype)
    i = arange(0, v.size)
    places = i + k + i * length if k >= 0 else i + (i - k) * length
    return reshape(IndexUpdateRef(flat, places).set(v), (length, length))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Array:
    """The sum of the elements (i, i + offset) of two axes. `offset` may be traced."""
    a = ensure_arraylike("trace", a)
    reject("trace", out=out)
    if canonical_axis(axis1, a.ndim) == canonical_axis(axis2, a.ndim):
        raise ValueError(f"trace: axis1 and axis2 can not be same, got axis1={axis1} and axis2={axis2}.")
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "trace")
    rows, columns = a.shape[axis1], a.shape[axis2]
    a = moveaxis(a, (axis1, axis2), (-2, -1))
    on_diagonal = eye(rows, columns, k=offset, dtype=bool)
    return sum_of(if_else(on_diagonal, a, zeros_like(a)), axis=(-2, -1), dtype=dtype)


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Array:
    """The array with `val`, repeated as often as needed, on its main diagonal.

    inplace must be False, since arrays never change; wrap=True is not supported.
    """
    if inplace:
        raise NotImplementedError(
            "fill_diagonal: JAX arrays are immutable, must use inplace=False, which returns an updated array."
        )
    if wrap:
        raise NotImplementedError("fill_diagonal: wrap=True is not implemented, must use wrap=False.")
    a, val = ensure_arraylike("fill_diagonal", a, val)
    if a.ndim < 2:
        raise ValueError(f"fill_diagonal: array must be at least 2-d, got shape {a.shape}.")
    if a.ndim > 2 and len(set(a.shape)) > 1:
        raise ValueError(f"fill_diagonal: all dimensions of input must be of equal length, got shape {a.shape}.")
    length = min(a.shape)
    places = diag_indices(length, a.ndim)
    return IndexUpdateRef(a, places).set(tile_to_size(ravel(val), length) if val.ndim else val)
