"""Where things are: places of true elements, grids of indices, indices of triangles and diagonals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import clip, divmod
from minijax.numpy.axes import require_known, static_int
from minijax.numpy.creation import array, ones, zeros
from minijax.numpy.cumulative import cumsum
from minijax.numpy.gather_plan import index_dtype
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.manipulation import atleast_1d, ravel, reshape, transpose
from minijax.numpy.promotion import as_arrays, check_arraylike, ensure_arraylike
from minijax.numpy.ranges import arange, tril, triu
from minijax.numpy.reductions import any as any_of
from minijax.numpy.selection import if_else
from minijax.primitives.standard import check_one_device

__all__ = [
    "argwhere",
    "bincount",
    "diag_indices",
    "diag_indices_from",
    "flatnonzero",
    "ix_",
    "mask_indices",
    "nonzero",
    "ravel_multi_index",
    "tril_indices",
    "tril_indices_from",
    "triu_indices",
    "triu_indices_from",
    "unravel_index",
    "where",
]

# ----------------------------------------------------------------- nonzero


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Array, ...]:
    """The indices of the elements that are not zero, one array for each axis.

    With `size` each has that length, cut off or filled up with fill_value (0 by default, or one for each axis);
    only then may the array be traced. ValueError for scalars.
    """
    a = ensure_arraylike("nonzero", a)
    if not a.ndim:
        raise ValueError("Calling nonzero on 0d arrays is not allowed. Use jnp.atleast_1d(scalar).nonzero() instead.")
    mask = a if dtypes.kind(a.dtype) == "b" else a != 0
    where = "the number of nonzero elements; give the size argument of jnp.nonzero if the array is traced"
    count = static_int(mask.sum() if size is None else size, where)
    if not a.size or not count:
        return tuple([zeros(count, int) for _ in a.shape])
    # How many true elements come up to and with each place; then the place where that number passes k, for each k.
    flat = cumsum(bincount(cumsum(mask), length=count))
    strides = [int(np.prod(a.shape[d + 1 :], dtype=np.int64)) for d in range(a.ndim)]
    found = [flat // flat.dtype.type(stride) % length for stride, length in zip(strides, a.shape)]
    if fill_value is None:
        return tuple(found)
    fills = fill_value if isinstance(fill_value, tuple) else (fill_value,) * a.ndim
    if len(fills) != a.ndim or any(np.shape(fill) for fill in fills):
        raise ValueError(f"nonzero: fill_value must be a scalar or a tuple of length {a.ndim}; got {fill_value}.")
    missing = arange(count) >= mask.sum()
    return tuple([if_else(missing, fill, entry) for fill, entry in zip(fills, found)])


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Array:
    """The places of the elements that are not zero in the flattened array. Keywords as in `nonzero`."""
    return nonzero(ravel(a), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Array:
    """The indices of the elements that are not zero, one row for each. Keywords as in `nonzero`."""
    a = ensure_arraylike("argwhere", a)
    rows = nonzero(atleast_1d(a), size=size, fill_value=fill_value)
    result = transpose(lax.concatenate([lax.expand_dims(row, (0,)) for row in rows], 0))
    if not a.ndim:
        return reshape(result[:0], (result.shape[0], 0))
    return reshape(result, (result.shape[0], a.ndim))


def where(condition: Any, x: Any = None, y: Any = None, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """`x` where the condition holds, `y` elsewhere, broadcast together and promoted.

    Without x and y the indices at which the condition holds, see `nonzero`, to which the keywords belong.
    """
    if x is None and y is None:
        return nonzero(ensure_arraylike("where", condition), size=size, fill_value=fill_value)
    check_arraylike("where", condition, x, y)
    if size is not None or fill_value is not None:
        raise ValueError("where: size and fill_value arguments cannot be used in three-term where function.")
    return if_else(condition, x, y)


def bincount(
    x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None, out_sharding: Any = None
) -> Array:
    """How often each of the integers 0, 1, 2 ... occurs in a vector, or the sum of their weights.

    Negative ones count as 0. The result has `length` elements, which must be given if x is traced;
    without it as many as the largest integer needs, but at least minlength.
    """
    check_one_device("jnp.bincount", out_sharding)
    x = ensure_arraylike("bincount", x)
    if dtypes.kind(x.dtype) == "b":
        x = lax.convert_element_type(x, np.int32)
    if dtypes.kind(x.dtype) not in "iu":
        raise TypeError(
            f"x argument to bincount must have an integer type; got {x.dtype}. Convert it with astype(int)."
        )
    if x.ndim != 1:
        raise ValueError(
            f"bincount: only 1-dimensional input supported, got shape {x.shape}. Flatten it with x.ravel()."
        )
    minlength = static_int(minlength, "the 'minlength' argument of jnp.bincount")
    if length is None:
        require_known(x, "the argument 'x' of jnp.bincount; give a static `length` if it has to be traced")
        length = max(minlength, int(x.max(initial=-1)) + 1 if x.size else 0)
    length = static_int(length, "the 'length' argument of jnp.bincount")
    if weights is None:
        weights = dtypes.default_int_dtype().type(1)
    elif np.shape(weights) != x.shape:
        raise ValueError(f"bincount: shape of weights must match shape of x, got {np.shape(weights)} and {x.shape}.")
    return IndexUpdateRef(zeros(length, dtypes.dtype(weights)), clip(x, 0)).add(weights, mode="drop")


# ----------------------------------------------------------------- flat and multi-dimensional indices


def unravel_index(indices: Any, shape: int | Sequence[int]) -> tuple[Array, ...]:
    """The indices, one array for each axis of `shape`, of places in the flattened array.

    Places out of bounds become the first or the last one.
    """
    indices = ensure_arraylike("unravel_index", indices)
    lengths = list(shape) if np.iterable(shape) else [shape]
    if any(np.ndim(n) for n in lengths):
        raise ValueError(f"unravel_index: shape should be a scalar or 1D sequence, got {shape}.")
    found = []
    for n in reversed(lengths):
        indices, index = divmod(indices, n)
        found.append(index)
    too_large = indices > 0
    too_small = False if dtypes.kind(indices.dtype) == "u" else indices < -1
    return tuple([if_else(too_large, n - 1, if_else(too_small, 0, i)) for n, i in zip(lengths, reversed(found))])


def ravel_multi_index(
    multi_index: Sequence[Any], dims: Sequence[int], mode: str = "raise", order: str = "C", *, dtype: Any = None
) -> Array:
    """The places in the flattened array of shape `dims` that indices, one array for each axis, name.

    mode: what indices out of bounds do. 'raise' a ValueError (they must not be traced), 'clip', 'wrap' or 'ignore'.
    """
    if len(multi_index) != len(dims):
        raise AssertionError(f"ravel_multi_index: got {len(multi_index)} index arrays for {len(dims)} lengths.")
    dims = tuple([static_int(d, "in the `dims` argument of ravel_multi_index") for d in dims])
    indices = as_arrays("ravel_multi_index", multi_index)
    if dtype is None:
        dtype = dtypes.result_type(int, *indices)
    else:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "ravel_multi_index")
    _check_flat_index_dtype(dtype, dims)
    indices = [_index_in_mode(i, d, mode) for i, d in zip(indices, dims)]
    if order not in ("C", "F"):
        raise ValueError(f"ravel_multi_index: invalid order={order!r}. Expected 'C' or 'F'.")
    strides, stride = [], 1
    for d in dims if order == "F" else reversed(dims):
        strides.append(stride)
        stride *= d
    result = array(0, dtype=dtype)
    for i, stride in zip(indices, strides if order == "F" else reversed(strides)):
        result = result + i.astype(dtype) * stride
    return result


def _check_flat_index_dtype(dtype: Any, dims: tuple[int, ...]) -> None:
    if dtypes.kind(dtype) not in "iu":
        raise ValueError(f"ravel_multi_index: dtype={dtype} is not an integer type.")
    size = 1
    for d in dims:
        size *= d
    if size - 1 > dtypes.iinfo(dtype).max:
        raise ValueError(
            f"jnp.ravel_multi_index: dtype={dtype} not large enough to hold flattened index for dims={dims}. "
            "Give a wider one as dtype."
        )


def _index_in_mode(index: Array, length: int, mode: str) -> Array:
    if dtypes.kind(index.dtype) not in "iu":
        raise TypeError(f"ravel_multi_index: only int indices permitted, got dtype {index.dtype}.")
    if mode == "raise":
        require_known(index, "an index given to ravel_multi_index; use mode='wrap' or mode='clip' for a traced one")
        if any_of((index < 0) | (index >= length)):
            raise ValueError(f"ravel_multi_index: invalid entry in coordinates array, for an axis of length {length}.")
        return index
    if mode == "clip":
        return clip(index, 0, length - 1)
    if mode == "wrap":
        return index % length
    if mode == "ignore":
        return index
    raise ValueError(f"ravel_multi_index: invalid mode={mode!r}. Expected 'raise', 'wrap', 'clip', or 'ignore'.")


# ----------------------------------------------------------------- grids, triangles, diagonals


def ix_(*args: Any) -> tuple[Array, ...]:
    """Vectors of indices made to broadcast against each other: x[ix_(i, j)] is the block of rows i and columns j."""
    arrays = as_arrays("ix", args)
    grids = []
    for axis, a in enumerate(arrays):
        if a.ndim != 1:
            raise ValueError(f"Arguments to jax.numpy.ix_ must be 1-dimensional, got shape {a.shape}.")
        if dtypes.kind(a.dtype) == "b":
            raise NotImplementedError("Boolean arguments to jax.numpy.ix_ are not implemented: use jnp.nonzero(a)[0].")
        shape = [a.size if d == axis else 1 for d in range(len(arrays))]
        if a.size:
            grids.append(lax.broadcast_in_dim(a, shape, (axis,)))
        else:
            grids.append(lax.full(shape, dtypes.default_int_dtype().type(0)))
    return tuple(grids)


def diag_indices(n: int, ndim: int = 2) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array with `ndim` axes of length n."""
    n = static_int(n, "the 'n' argument of jnp.diag_indices")
    ndim = static_int(ndim, "the 'ndim' argument of jnp.diag_indices")
    for name, value in ("n", n), ("ndim", ndim):
        if value < 0:
            raise ValueError(f"{name} argument to diag_indices must be nonnegative, got {value}.")
    return (lax.iota(max(index_dtype((n,)), dtypes.default_int_dtype()), n),) * ndim


def diag_indices_from(arr: Any) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array whose axes have one length."""
    arr = ensure_arraylike("diag_indices_from", arr)
    if arr.ndim < 2:
        raise ValueError(f"diag_indices_from: input array must be at least 2-d, got shape {arr.shape}.")
    if len(set(arr.shape)) != 1:
        raise ValueError(f"diag_indices_from: all dimensions of input must be of equal length, got shape {arr.shape}.")
    return diag_indices(arr.shape[0], arr.ndim)


def mask_indices(
    n: int, mask_func: Callable[[Any, int], Any], k: int = 0, *, size: int | None = None
) -> tuple[Array, Array]:
    """The indices of an n x n matrix that mask_func, such as jnp.triu, leaves over."""
    i, j = nonzero(mask_func(ones((n, n)), k), size=size)
    return i, j


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The indices of the elements of an n x m matrix on the k-th diagonal and above it."""
    n, k, m = _triangle(n, k, m, "triu_indices")
    i, j = nonzero(triu(ones((n, m)), k=k), size=_triangle_size(n, m, k))
    return i, j


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The indices of the elements of an n x m matrix on the k-th diagonal and below it."""
    n, k, m = _triangle(n, k, m, "tril_indices")
    i, j = nonzero(tril(ones((n, m)), k=k), size=_triangle_size(m, n, -k))
    return i, j


def _triangle(n: int, k: int, m: int | None, fun_name: str) -> tuple[int, int, int]:
    n, k = (static_int(v, f"the {name} argument of jnp.{fun_name}") for name, v in (("n", n), ("k", k)))
    return n, k, n if m is None else static_int(m, f"the m argument of jnp.{fun_name}")


def _triangle_size(n: int, m: int, k: int) -> int:
    """Number of elements on the k-th diagonal of an n x m matrix and above it."""
    return sum(max(0, m - max(0, row + k)) for row in range(n))


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Array, Array]:
    """The indices of the elements of a matrix on the k-th diagonal and above it."""
    n, m = _matrix_shape("triu_indices_from", arr)
    return triu_indices(n, k, m)


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Array, Array]:
    """The indices of the elements of a matrix on the k-th diagonal and below it."""
    n, m = _matrix_shape("tril_indices_from", arr)
    return tril_indices(n, k, m)


def _matrix_shape(fun_name: str, arr: Any) -> tuple[int, int]:
    shape = arr.shape if hasattr(arr, "shape") else ensure_arraylike(fun_name, arr).shape
    if len(shape) != 2:
        raise ValueError(f"{fun_name}: only 2-D inputs are accepted, got shape {shape}.")
    return shape
