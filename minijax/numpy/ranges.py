"""Arrays made by counting: ranges, grids of indices, identity and triangular matrices."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes, errors, lax
from minijax.array import Array
from minijax.core import Tracer
from minijax.numpy.arithmetic import power, sign
from minijax.numpy.axes import static_int
from minijax.numpy.creation import array, asarray, check_placement, put, zeros_like
from minijax.numpy.exponential import log10
from minijax.numpy.logic import iscomplexobj
from minijax.numpy.manipulation import broadcast_to, reshape
from minijax.numpy.promotion import as_arrays, convert, ensure_arraylike, is_arraylike, strong_scalar
from minijax.primitives.creation import canonical_shape
from minijax.primitives.shaping import canonical_axis
from minijax.vmapping import vmap

__all__ = [
    "arange",
    "eye",
    "fromfunction",
    "geomspace",
    "identity",
    "indices",
    "linspace",
    "logspace",
    "meshgrid",
    "tri",
    "tril",
    "triu",
    "vander",
]

# --------------------------------------------------------------------------- arange


def arange(
    start: Any,
    stop: Any = None,
    step: Any = None,
    dtype: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Array:
    """start, start + step, ... before stop; arange(n) counts from 0 to n - 1.

    The arguments must be known numbers: they decide on the length. Raises ConcretizationTypeError for traced ones.
    """
    check_placement("arange", device, out_sharding)
    if dtype is not None:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "arange")
    start_name = "stop" if stop is None and step is None else "start"
    for name, value in ((start_name, start), ("stop", stop), ("step", step)):
        _check_range_argument(name, value)
    if dtype is None:
        dtype = dtypes.result_type(start, *[x for x in (stop, step) if x is not None])
    start, stop, step = (_number(x) for x in ((0, start, step) if stop is None else (start, stop, step)))
    if step is not None:
        return put(_steps(start, step, max(0, math.ceil((stop - start) / step)), dtype), device)
    counted = lax.iota(dtype, max(0, math.ceil(stop - start)))
    return put(counted if start == 0 else lax.add(convert(start, dtype), counted), device)


def _check_range_argument(name: str, value: Any) -> None:
    if isinstance(value, Tracer):
        raise errors.ConcretizationTypeError(value, f"It arose in the jnp.arange argument '{name}'.")
    if value is not None and not is_arraylike(value):
        raise TypeError(f"arange requires numbers, got {type(value)} for '{name}'.")
    if iscomplexobj(value):
        raise ValueError(f"arange: {name} must be a real number, got {value}. Write jnp.arange(n) * 1j.")
    if np.ndim(value) != 0:
        raise ValueError(f"jax.numpy.arange: arguments must be scalars; got {name} of shape {np.shape(value)}.")


def _number(x: Any) -> Any:
    """A concrete scalar as a Python number, so that lengths are computed in full precision."""
    return np.asarray(x).item() if isinstance(x, Array | np.ndarray | np.generic) else x


def _steps(start: Any, step: Any, length: int, dtype: Any) -> Array:
    # In float16 rounding errors would be seen from a few hundred elements on.
    working = np.dtype(np.float32) if dtypes.is_float(dtype) and dtype.itemsize < 4 else dtype
    counted = lax.iota(working, length)
    if dtypes.is_float(dtype):
        start, step = float(start), float(step)  # Python integers of any size
    return convert(lax.add(convert(start, working), lax.mul(convert(step, working), counted)), dtype)


# --------------------------------------------------------------------------- spaces


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Array | tuple[Array, Array]:
    """`num` evenly spaced numbers from start to stop, which is the last of them if `endpoint`.

    Arrays are broadcast together, and the numbers stand along the new axis `axis`. With `retstep` the distance is
    returned too.
    """
    check_placement("linspace", device)
    num = static_int(num, "the 'num' argument of jnp.linspace")
    axis = static_int(axis, "the 'axis' argument of jnp.linspace")
    if num < 0:
        raise ValueError(f"linspace: Number of samples, {num}, must be non-negative.")
    start, stop = ensure_arraylike("linspace", start, stop)
    dtype, working = _space_dtypes("linspace", start, stop, dtype)
    start, stop = convert(start, working), convert(stop, working)
    out, step = _linspace(start, stop, num, endpoint, axis)
    if dtypes.is_integer(dtype):
        out = lax.floor(out)
    out = put(convert(out, dtype), device)
    return (out, step) if retstep else out


def _space_dtypes(name: str, start: Array, stop: Array, dtype: Any) -> tuple[Any, Any]:
    """(dtype of the result, float dtype to compute in)."""
    if dtype is None:
        dtype = dtypes.to_inexact_dtype(dtypes.result_type(start, stop))
    else:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, name)
    return dtype, dtypes.to_inexact_dtype(dtype)


def _linspace(start: Array, stop: Array, num: int, endpoint: bool, axis: int) -> tuple[Array, Array]:
    """The numbers and their distance, in the floats' dtype."""
    dtype = start.dtype
    shape = lax.broadcast_shapes(start.shape, stop.shape)
    first, last = broadcast_to(start, shape), broadcast_to(stop, shape)
    axis = len(shape) + axis + 1 if axis < 0 else axis
    if num > 1 and not -len(shape) - 1 <= axis <= len(shape):
        raise IndexError(f"linspace: there is no place for axis {axis} among the axes of numbers of shape {shape}.")
    axis += len(shape) + 1 if axis < 0 else 0
    column = (*shape[:axis], 1, *shape[axis:])
    if num == 0:
        return lax.full((*shape[:axis], 0, *shape[axis:]), 0, dtype), asarray(np.nan, dtype)
    if num == 1:
        return reshape(first, column), asarray(np.nan if endpoint else stop - start, dtype)
    parts = strong_scalar(num - 1 if endpoint else num, dtype)
    distance = lax.div(stop - start, parts)
    ticks = lax.iota(dtype, int(parts)).reshape([int(parts) if d == axis else 1 for d in range(len(column))])
    share = ticks / parts
    # Both ends weighted, not start + i * step: exact at both, and symmetric.
    out = reshape(first, column) * (1 - share) + reshape(last, column) * share
    if endpoint:
        out = lax.concatenate([out, lax.expand_dims(last, (axis,))], axis)
    return out, distance


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """base**x for `num` evenly spaced x from start to stop; see `linspace`."""
    start, stop = ensure_arraylike("logspace", start, stop)
    dtype, working = _space_dtypes("logspace", start, stop, dtype)
    exponents = linspace(convert(start, working), convert(stop, working), num, endpoint, axis=axis)
    return convert(power(base, exponents), dtype)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Array:
    """`num` numbers from start to stop, each a constant multiple of the one before; see `linspace`."""
    axis = static_int(axis, "the 'axis' argument of jnp.geomspace")
    start, stop = ensure_arraylike("geomspace", start, stop)
    dtype, working = _space_dtypes("geomspace", start, stop, dtype)
    start, stop = convert(start, working), convert(stop, working)
    signs = sign(start)
    out = signs * logspace(log10(start / signs), log10(stop / signs), num, endpoint, 10.0, working, 0)
    axis = canonical_axis(axis, out.ndim)
    if axis:
        out = lax.transpose(out, (*range(1, axis + 1), 0, *range(axis + 1, out.ndim)))
    return convert(out, dtype)


# --------------------------------------------------------------------------- grids


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Array]:
    """For one-dimensional arrays of coordinates, the coordinates of all points of their grid, one array for each.

    The first two axes are swapped unless indexing='ij'. Sparse grids have length 1 along the other axes.
    """
    arrays = as_arrays("meshgrid", xi)
    if not copy:
        raise ValueError("jax.numpy.meshgrid only supports copy=True: leave the argument out.")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: Valid values for indexing are 'xy' and 'ij', got {indexing!r}.")
    if any(a.ndim != 1 for a in arrays):
        raise ValueError(
            f"Arguments to jax.numpy.meshgrid must be 1D, got shapes {[a.shape for a in arrays]}. Write x.ravel()."
        )
    if indexing == "xy":
        arrays[:2] = arrays[1::-1]
    shape = [a.size for a in arrays]
    sizes = [[n if d == axis or not sparse else 1 for d, n in enumerate(shape)] for axis in range(len(shape))]
    grids = [lax.broadcast_in_dim(a, size, (axis,)) for axis, (a, size) in enumerate(zip(arrays, sizes))]
    if indexing == "xy":
        grids[:2] = grids[1::-1]
    return grids


def indices(dimensions: Sequence[int], dtype: Any = None, sparse: bool = False) -> Array | tuple[Array, ...]:
    """The indices of all elements of an array of the given shape, one array of that shape for each axis.

    Stacked along a new first axis, or as a tuple of arrays with length 1 along the other axes if `sparse`.
    """
    dtype = dtypes.check_and_canonicalize_user_dtype(int if dtype is None else dtype, "indices")
    shape = tuple([static_int(n, "the 'dimensions' argument of jnp.indices") for n in dimensions])
    grids = []
    for axis, n in enumerate(shape):
        size = [m if d == axis or not sparse else 1 for d, m in enumerate(shape)]
        grids.append(lax.broadcast_in_dim(lax.iota(dtype, n), size, (axis,)))
    if sparse:
        return tuple(grids)
    if not grids:
        return array([], dtype)
    return lax.stack(grids)


def fromfunction(function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """The values of function(i, j, ...) for all indices of an array of the given shape."""
    shape = canonical_shape(shape)
    for axis in range(len(shape)):
        # The innermost vmap is over the last axis.
        in_axes = tuple([0 if axis == i else None for i in reversed(range(len(shape)))])
        function = vmap(function, in_axes=in_axes)
    return function(*[arange(n, dtype=dtype) for n in shape], **kwargs)


# --------------------------------------------------------------------------- matrices


def eye(N: int, M: int | None = None, k: Any = 0, dtype: Any = None, *, device: Any = None) -> Array:
    """An N x M matrix (N x N for None) with ones on the k-th diagonal, zeros elsewhere."""
    check_placement("eye", device)
    dtype = dtypes.check_and_canonicalize_user_dtype(float if dtype is None else dtype, "eye")
    offset = ensure_arraylike("eye", k)
    if offset.ndim or not dtypes.is_integer(offset.dtype):
        raise ValueError(f"eye: k must be a scalar integer, got {k!r}.")
    rows, columns = canonical_shape((N, N if M is None else M))
    if rows < 0 or columns < 0:
        raise ValueError(f"eye: negative dimensions are not allowed, got {N} and {M}.")
    i = lax.broadcasted_iota(offset.dtype, (rows, columns), 0)
    j = lax.broadcasted_iota(offset.dtype, (rows, columns), 1)
    return put(convert(i + offset == j, dtype), device)


def identity(n: int, dtype: Any = None) -> Array:
    """An n x n matrix with ones on the diagonal, zeros elsewhere."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """An N x M matrix (N x N for None) with ones on and below the k-th diagonal, float32 unless told otherwise."""
    dtype = np.dtype(np.float32) if dtype is None else dtypes.check_and_canonicalize_user_dtype(dtype, "tri")
    return convert(_lower(N, N if M is None else M, k), dtype)


def _lower(rows: int, columns: int, k: int) -> Array:
    """Whether an element stands on or below the k-th diagonal."""
    integer = np.dtype(np.int32)
    i = lax.broadcasted_iota(integer, (rows, columns), 0)
    shifted = lax.add(i, strong_scalar(operator.index(k), integer))
    return lax.ge(shifted, lax.broadcasted_iota(integer, (rows, columns), 1))


def tril(m: Any, k: int = 0) -> Array:
    """The matrix (or matrices, in the last two axes) with zeros above the k-th diagonal."""
    m = ensure_arraylike("tril", m)
    mask = _triangle_mask("tril", m, k)
    return lax.select(mask, m, zeros_like(m))


def triu(m: Any, k: int = 0) -> Array:
    """The matrix (or matrices, in the last two axes) with zeros below the k-th diagonal."""
    m = ensure_arraylike("triu", m)
    mask = _triangle_mask("triu", m, k - 1)
    return lax.select(mask, zeros_like(m), m)


def _triangle_mask(name: str, m: Array, k: int) -> Array:
    if m.ndim < 2:
        raise ValueError(f"Argument to jax.numpy.{name} must be at least 2D, got shape {m.shape}.")
    return lax.broadcast(_lower(*m.shape[-2:], k), m.shape[:-2])


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Array:
    """The matrix of the powers x**(N-1), ..., x, 1 of a one-dimensional array; in this order reversed if
    `increasing`."""
    x = ensure_arraylike("vander", x)
    if x.ndim != 1:
        raise ValueError(f"vander: x must be a one-dimensional array, got shape {x.shape}.")
    n = x.size if N is None else static_int(N, "the argument 'N' of jnp.vander")
    if n < 0:
        raise ValueError(f"vander: N must be nonnegative, got {N}.")
    exponents = lax.iota(x.dtype, n)
    if not increasing:
        exponents = lax.sub(strong_scalar(n - 1, x.dtype), exponents)
    return power(lax.expand_dims(x, (1,)), lax.expand_dims(exponents, (0,)))
