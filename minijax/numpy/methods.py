"""The methods of arrays that are more than a function of jax.numpy under another name.

Their first parameter is the array; `operators.py` attaches them to it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from minijax import dtypes, errors, lax
from minijax.array import Array, ArrayImpl
from minijax.core import Tracer
from minijax.numpy import (
    arithmetic,
    contractions,
    creation,
    indexing,
    joining,
    manipulation,
    reductions,
    rounding,
    sorting,
    statistics,
    taking,
)
from minijax.numpy.promotion import ensure_arraylike, reject
from minijax.placement import device_put
from minijax.tracebacks import api_boundary, boundary, hide_frames

__all__ = [
    "argsort",
    "astype",
    "block_until_ready",
    "byteswap",
    "clip",
    "compress",
    "contains",
    "copy",
    "dlpack",
    "dlpack_device",
    "dot",
    "flat",
    "getitem",
    "item",
    "iterate",
    "length",
    "real_scalar",
    "reshape",
    "round_",
    "scalar",
    "setitem",
    "std",
    "to_bool",
    "to_device",
    "to_index",
    "tobytes",
    "tolist",
    "transpose",
    "var",
    "view",
]

# --------------------------------------------------------------------------- what Python's syntax asks for


def round_(self: Array, ndigits: int | None = None) -> Array:
    """round(self): an integer; round(self, n): rounded to n digits after the point."""
    out = rounding.round(self, ndigits or 0)
    return out if ndigits is not None else out.astype(int)


def contains(self: Array, other: Any) -> Array:
    """other in self, for vectors."""
    if other is None or isinstance(other, str):
        raise TypeError(f"Array.__contains__: unsupported operand type {type(other)}. Give a number.")
    other = ensure_arraylike("Array.__contains__", other)
    if self.ndim != 1:
        raise ValueError(f"Array.__contains__: search array must be one-dimensional, got arr.shape={self.shape}.")
    if other.ndim != 0:
        raise ValueError(f"Array.__contains__: query value must be a scalar, got query.shape={other.shape}.")
    return reductions.any(self == other)


@boundary
def getitem(self: Array, index: Any) -> Array:
    """self[index]; indices out of bounds give the nearest element."""
    try:
        return indexing.getitem(self, index)
    except Exception as error:
        hide_frames(error)
        raise


@api_boundary
def setitem(self: Array, index: Any, value: Any) -> None:
    """Arrays never change."""
    raise TypeError(
        "JAX arrays are immutable and do not support in-place item assignment. Instead of x[idx] = y, use "
        "x = x.at[idx].set(y) or another .at[] method: "
        "https://docs.jax.dev/en/latest/_autosummary/jax.numpy.ndarray.at.html"
    )


def length(self: Array) -> int:
    """Length of the first axis."""
    if not self.ndim:
        raise TypeError(f"len() of unsized object: an array of shape () and dtype {self.dtype} has no axes.")
    return self.shape[0]


def iterate(self: Array) -> Iterator[Array]:
    """The elements, or subarrays, along the first axis."""
    if not self.ndim:
        raise TypeError(f"iteration over a 0-d array: an array of shape () and dtype {self.dtype} has no axes.")
    return _rows(self)


def _rows(x: Array) -> Iterator[Array]:
    ones = (1,) * x.ndim
    for i in range(x.shape[0]):
        row = lax.slice(x, (i, *[0] * (x.ndim - 1)), (i + 1, *x.shape[1:]), ones)
        yield lax.squeeze(row, (0,))


# --------------------------------------------------------------------------- methods


def copy(self: Array) -> Array:
    """A copy of the array."""
    return creation.copy(self)


def argsort(
    self: Array,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Array:
    """The indices that sort the array; see jnp.argsort."""
    return sorting.argsort(self, axis, kind=kind, order=order, stable=stable, descending=descending)


def astype(self: Array, dtype: Any, copy: bool = False, device: Any = None) -> Array:
    """The same numbers in another dtype; see jnp.astype."""
    return manipulation.astype(self, dtype, copy=copy, device=device)


def clip(self: Array, min: Any = None, max: Any = None) -> Array:
    """The array with what is below `min` raised to it, and what is above `max` lowered to it."""
    return arithmetic.clip(self, min, max)


def compress(
    self: Array,
    condition: Any,
    axis: int | None = None,
    *,
    out: None = None,
    size: int | None = None,
    fill_value: Any = 0,
) -> Array:
    """The slices along `axis` at which the condition holds; see jnp.compress."""
    return taking.compress(condition, self, axis, size=size, fill_value=fill_value, out=out)


def reshape(self: Array, *args: Any, order: str = "C", out_sharding: Any = None) -> Array:
    """The same elements in another shape, given as a tuple or as several integers; see jnp.reshape."""
    return manipulation.reshape(self, args[0] if len(args) == 1 else args, order, out_sharding=out_sharding)


def transpose(self: Array, *args: Any) -> Array:
    """The axes in another order, given as a tuple or as several integers; reversed without arguments."""
    return manipulation.transpose(self, args[0] if len(args) == 1 else args or None)


def std(
    self: Array,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    correction: float | None = None,
) -> Array:
    """The standard deviation over `axis`; see jnp.std."""
    return statistics.std(self, axis, dtype, out, ddof, keepdims, where=where, correction=correction)


def var(
    self: Array,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    correction: float | None = None,
) -> Array:
    """The variance over `axis`; see jnp.var."""
    return statistics.var(self, axis, dtype, out, ddof, keepdims, where=where, correction=correction)


def view(self: Array, dtype: Any = None, type: None = None) -> Array:
    """The same bits as another dtype; the last axis gets longer or shorter if the width differs."""
    reject("ndarray.view", type=type)
    if dtype is None:
        return self
    dtype = dtypes.check_and_canonicalize_user_dtype(dtype, "view")
    old, new = self.dtype.itemsize, dtype.itemsize
    if not self.ndim:
        if old != new:
            raise ValueError(
                f"view() of a 0d array is only supported if the itemsize is unchanged, got {self.dtype} and {dtype}."
            )
        return manipulation.squeeze(view(lax.expand_dims(self, (0,)), dtype))
    if self.shape[-1] * old % new:
        raise ValueError(
            f"view: When changing to a larger dtype, its size must be a divisor of the total size in bytes of the "
            f"last axis of the array, got shape {self.shape}, {self.dtype} and {dtype}."
        )
    return _same_bits(self, dtype, old, new)


def _same_bits(x: Array, dtype: Any, old: int, new: int) -> Array:
    if x.dtype == dtype:
        return x
    if x.dtype == np.bool_:
        return view(x.astype(np.uint8), dtype)
    if dtype == np.bool_:
        return view(x, np.uint8).astype(bool)
    if dtypes.is_complex(x.dtype):
        parts = joining.stack((x.real, x.imag), -1)
        return view(parts.reshape(*x.shape[:-1], 2 * x.shape[-1]), dtype)
    if dtypes.is_complex(dtype):
        parts = view(x, dtypes.finfo(dtype).dtype)
        return lax.complex(parts[..., ::2], parts[..., 1::2])
    if old < new:
        x = x.reshape(*x.shape[:-1], x.shape[-1] * old // new, new // old)
    out = lax.bitcast_convert_type(x, dtype)
    return out.reshape(*out.shape[:-2], out.shape[-2] * out.shape[-1]) if old > new else out


def byteswap(self: Array) -> Array:
    """The same array with the bytes of each element in reverse order."""
    if self.itemsize == 1:
        return self
    kind = dtypes.kind(self.dtype)
    octets = view(self[..., None], np.uint8)
    if kind == "c":  # real and imaginary part are swapped one by one
        octets = octets.reshape(*self.shape, 2, self.itemsize // 2)
    swapped = lax.rev(octets, (octets.ndim - 1,)).reshape(*self.shape, self.itemsize)
    return view(swapped, self.dtype).reshape(self.shape)


def to_device(self: Array, device: Any, *, stream: Any = None) -> Array:
    """The array on this device, or as a sharding says; see jax.device_put."""
    if stream is not None:
        raise NotImplementedError("The stream argument of Array.to_device() is not supported: leave it out.")
    return device_put(self, device)


def dot(self: Array, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """The dot product; see jnp.dot."""
    return contractions.dot(self, b, precision=precision, preferred_element_type=preferred_element_type)


# --------------------------------------------------------------------------- conversions to Python's values


def scalar(self: ArrayImpl) -> np.generic:
    """The element of an array of shape (), as the conversions to Python's numbers ask for it."""
    if self.ndim:
        raise TypeError(
            f"Only scalar arrays can be converted to Python scalars; got arr.ndim={self.ndim}, shape {self.shape}. "
            "Pick an element first, or write x.item() for an array of size 1."
        )
    return self._data[()]


def real_scalar(self: ArrayImpl, wanted: str) -> np.generic:
    """The element of an array of shape (). TypeError for a complex one, as Python has it."""
    if dtypes.is_complex(self.dtype):
        raise TypeError(f"{wanted}() needs a real number, got an array of dtype {self.dtype}. Take x.real or abs(x).")
    return scalar(self)


def to_bool(self: ArrayImpl) -> bool:
    """The truth of the only element. ValueError for more or fewer elements."""
    if self.size != 1:
        kind = "an array with more than one element" if self.size else "an empty array"
        raise ValueError(
            f"The truth value of {kind} is ambiguous: got shape {self.shape}. Use a.any() or a.all(), or `a.size > 0`."
        )
    return bool(self._data.reshape(()))


def to_index(self: ArrayImpl) -> int:
    """An integer of shape () as a Python int. TypeError for everything else."""
    if self.ndim or not dtypes.is_integer(self.dtype):
        raise TypeError(
            "Only integer scalar arrays can be converted to a scalar index: "
            f"got an array of shape {self.shape} and dtype {self.dtype}."
        )
    return operator.index(self._data[()])


def _value(self: Array, method: str) -> np.ndarray:
    """The values for a method that makes Python objects of them. ConcretizationTypeError for tracers."""
    if isinstance(self, Tracer):
        raise errors.ConcretizationTypeError(self, f"This occurred in the {method}() method of jax.Array.")
    return np.asarray(self)


def item(self: Array, *args: int) -> bool | int | float | complex:
    """The element as a Python number; the array must have size 1, or the index be given."""
    if isinstance(self, Tracer):  # whose value derivatives know, outside of jit
        self = self.concrete(errors.ConcretizationTypeError, "This occurred in the item() method of jax.Array.")
    return np.asarray(self).item(*args)


def tolist(self: Array) -> Any:
    """The elements as Python numbers in nested lists."""
    return _value(self, "tolist").tolist()


def tobytes(self: Array, order: str = "C") -> bytes:
    """The elements' bytes, in row-major order."""
    return _value(self, "tobytes").tobytes(order)


def dlpack(
    self: Array,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule of a copy of the array, as consumers such as numpy.from_dlpack ask for it.

    A capsule can be written through, so that the buffer itself is never handed out.
    """
    if dl_device is not None and tuple(dl_device) != dlpack_device(self):
        raise RuntimeError(f"__dlpack__: there is one device, {dlpack_device(self)} (the CPU), got {dl_device}.")
    if stream is not None:
        raise NotImplementedError("__dlpack__: the CPU has no streams; leave the argument out.")
    return np.array(_value(self, "__dlpack__")).__dlpack__()


def dlpack_device(self: Array) -> tuple[int, int]:
    """DLPack's name of the CPU."""
    return 1, 0


def block_until_ready(self: Array) -> Array:
    """The array itself: computations are finished when they return."""
    return self


def flat(self: Array) -> Any:
    """Not there, as in JAX: it would be a view to write through."""
    raise NotImplementedError("JAX Arrays do not implement the arr.flat property: consider arr.flatten() instead.")
