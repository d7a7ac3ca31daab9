"""Making arrays out of no array: iota, full, empty."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.primitives.conversion import convert
from minijax.primitives.shaping import broadcast_in_dim, canonical_shape
from minijax.primitives.standard import Shape, check_one_device, def_jvp_zero, never_weak, standard

__all__ = ["broadcasted_iota", "empty", "full", "full_like", "iota"]

# ----------------------------------------------------------------- full


def full(shape: Any, fill_value: Any, dtype: Any = None, *, sharding: Any = None) -> Array:
    """An array with the scalar `fill_value` everywhere; of its dtype and weak type unless told otherwise."""
    check_one_device("lax.full", sharding)
    shape = canonical_shape(shape)
    if np.shape(fill_value):
        raise TypeError(
            f"full must be called with a scalar fill_value, got one of shape {np.shape(fill_value)}. "
            "jnp.broadcast_to repeats an array."
        )
    if isinstance(fill_value, np.ndarray):
        fill_value = fill_value[()]
    if isinstance(dtype, dtypes.ExtendedDType):
        fill_value = _extended_scalar(fill_value, dtype)
    elif dtype is not None:
        fill_value = convert(fill_value, dtypes.check_and_canonicalize_user_dtype(dtype, "full"))
    return broadcast_in_dim(fill_value, shape, ())


def _extended_scalar(value: Any, dtype: dtypes.ExtendedDType) -> Any:
    """A key as it is; an integer as a key all of whose words are that integer."""
    if dtypes.dtype(value) == dtype:
        return value
    physical = dtype.physical
    return np.array(tuple([int(value)] * len(physical.names)), physical)[()]


def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None, sharding: Any = None) -> Array:
    """`full` with the shape, dtype and weak type of `x` where they are not given."""
    check_one_device("lax.full_like", sharding)
    shape = np.shape(x) if shape is None else shape
    if dtype is not None:
        return full(shape, fill_value, dtype)
    dtype = dtypes.dtype(x)
    if isinstance(dtype, dtypes.ExtendedDType):
        return full(shape, fill_value, dtype)
    return full(shape, convert(fill_value, dtype, dtypes.is_weakly_typed(x)))


# ----------------------------------------------------------------- iota


def iota(dtype: Any, size: int) -> Array:
    """0, 1, 2 ... size - 1 in the given dtype, wrapping around where an integer type is too small."""
    return broadcasted_iota(dtype, (size,), 0)


def broadcasted_iota(dtype: Any, shape: Any, dimension: int, *, out_sharding: Any = None) -> Array:
    """An array of `shape` whose elements are their own indices along `dimension`."""
    check_one_device("lax.broadcasted_iota", out_sharding)
    dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "broadcasted_iota")
    return iota_p.bind(dtype=dtype, shape=canonical_shape(shape), dimension=operator.index(dimension))


def _iota_impl(*, dtype: np.dtype, shape: Shape, dimension: int) -> np.ndarray:
    line = np.arange(shape[dimension], dtype=np.int64).astype(dtype)
    return np.broadcast_to(line.reshape([-1 if d == dimension else 1 for d in range(len(shape))]), shape)


def _iota_shape(*, dtype: np.dtype, shape: Shape, dimension: int) -> Shape:
    if any(n < 0 for n in shape):
        raise TypeError(f"iota: no length in a shape may be negative, got shape {shape}.")
    if not 0 <= dimension < len(shape):
        raise ValueError(f"iota dimension must lie between 0 and len(shape) - 1, got {dimension} for shape {shape}.")
    return shape


def _iota_dtype(*, dtype: np.dtype, shape: Shape, dimension: int) -> np.dtype:
    if dtypes.kind(dtype) not in "iufc":
        raise TypeError(f"iota does not accept dtype {dtype}: it counts in numbers.")
    return dtype


iota_p = standard("iota", _iota_impl, _iota_shape, _iota_dtype, never_weak)
def_jvp_zero(iota_p)
iota_p.batch = lambda axis_size, args, dims, **params: (iota_p.bind(**params), None)


# ----------------------------------------------------------------- empty


def empty(shape: Any, dtype: Any, *, out_sharding: Any = None) -> Array:
    """An array whose elements nobody needs; here they are zero."""
    check_one_device("lax.empty", out_sharding)
    return empty_p.bind(shape=canonical_shape(shape), dtype=dtypes.check_and_canonicalize_user_dtype(dtype, "empty"))


empty_p = standard(
    "empty",
    lambda *, shape, dtype: np.zeros(shape, dtypes.physical_dtype(dtype)),
    shape=lambda *, shape, dtype: shape,
    dtype=lambda *, shape, dtype: dtype,
    weak=never_weak,
)
def_jvp_zero(empty_p)
empty_p.batch = lambda axis_size, args, dims, **params: (empty_p.bind(**params), None)
