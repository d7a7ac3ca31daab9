"""Operators, methods and `.at`, given to Array (and so to tracers) at import.

This is the one place where an upper floor reaches down to a lower one: `array.py` knows no operations, and
everything here is a function of jax.numpy. Importing `minijax.numpy` attaches it all, once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minijax import dtypes, errors, lax
from minijax.array import Array, ArrayImpl
from minijax.core import EVAL, Primitive, Tracer, current_trace, get_aval
from minijax.devices import Device, devices
from minijax.numpy import arithmetic, bitwise, logic, reductions, rounding, statistics
from minijax.numpy.contractions import dot, matmul
from minijax.numpy.creation import copy
from minijax.numpy.cumulative import cumprod, cumsum
from minijax.numpy.diagonals import diagonal, trace
from minijax.numpy.index_update import IndexUpdateHelper
from minijax.numpy.indexing import getitem
from minijax.numpy.manipulation import astype, matrix_transpose, ravel, reshape, squeeze, swapaxes, transpose
from minijax.numpy.places import nonzero
from minijax.numpy.printing import format_array, repr_array, str_array
from minijax.numpy.promotion import ensure_arraylike, plain_operands, reject
from minijax.numpy.rearranging import repeat
from minijax.numpy.sorting import argpartition, argsort, searchsorted, sort
from minijax.numpy.taking import choose, compress, take

__all__: list[str] = []

# --------------------------------------------------------------------------- operators

# What an operator takes on. Everything else gets NotImplemented, and with it the chance to know better.
_OPERANDS = (Array, np.ndarray, np.generic, int, float, complex)
# Python would concatenate and repeat these, or compare them as a whole; JAX refuses them.
_SEQUENCES = (list, tuple)
_CONTAINERS = (list, tuple, dict, set)


def _binary(
    function: Callable[[Any, Any], Any],
    symbol: str,
    primitive: Primitive | None = None,
    kinds: str = "",
    refused: tuple[type, ...] = (),
) -> Callable:
    """The method for `self <symbol> other`.

    Two concrete arrays of one dtype, whose kind is one of `kinds`, and of one rank need no promotion: the primitive
    is bound at once.
    """

    evaluate = None if primitive is None else primitive.evaluate_buffers

    def method(self: Array, other: Any) -> Any:
        if (
            type(other) is ArrayImpl
            and type(self) is ArrayImpl
            and evaluate is not None
            and current_trace() is EVAL
        ):
            a = self._data
            if a.dtype.kind in kinds:
                out = evaluate(a, other._data, self.weak_type and other.weak_type)
                if out is not None:
                    return out
        elif primitive is not None:
            plain = plain_operands((self, other), kinds)
            if plain is not None:
                return primitive.bind(*plain)
        if isinstance(other, _OPERANDS):
            return function(self, other)
        return _other_operand(self, other, symbol, refused, lambda converted: function(self, converted))

    return method


def _reflected(
    function: Callable[[Any, Any], Any],
    symbol: str,
    primitive: Primitive | None = None,
    kinds: str = "",
    refused: tuple[type, ...] = (),
) -> Callable:
    """The method for `other <symbol> self`, which Python calls when `other` does not know what to do."""

    def method(self: Array, other: Any) -> Any:
        if primitive is not None:
            plain = plain_operands((other, self), kinds)
            if plain is not None:
                return primitive.bind(*plain)
        if isinstance(other, _OPERANDS):
            return function(other, self)
        return _other_operand(self, other, symbol, refused, lambda converted: function(converted, self))

    return method


def _other_operand(
    self: Array, other: Any, symbol: str, refused: tuple[type, ...], function: Callable[[Any], Any]
) -> Any:
    if hasattr(other, "__jax_array__"):
        return function(other.__jax_array__())
    if type(other) in refused:
        raise TypeError(
            f"unsupported operand type(s) for {symbol}: {type(self).__name__!r} and {type(other).__name__!r}. "
            "Convert it first, for example with jnp.asarray(other)."
        )
    return NotImplemented


def _attach_operators() -> None:
    Array.__add__ = _binary(arithmetic.add, "+", lax.add_p, "iuf", _SEQUENCES)
    Array.__radd__ = _reflected(arithmetic.add, "+", lax.add_p, "iuf", _SEQUENCES)
    Array.__sub__ = _binary(arithmetic.subtract, "-", lax.sub_p, "iuf")
    Array.__rsub__ = _reflected(arithmetic.subtract, "-", lax.sub_p, "iuf")
    Array.__mul__ = _binary(arithmetic.multiply, "*", lax.mul_p, "iuf", _SEQUENCES)
    Array.__rmul__ = _reflected(arithmetic.multiply, "*", lax.mul_p, "iuf", _SEQUENCES)
    Array.__truediv__ = _binary(arithmetic.true_divide, "/", lax.div_p, "f")
    Array.__rtruediv__ = _reflected(arithmetic.true_divide, "/", lax.div_p, "f")
    Array.__floordiv__ = _binary(arithmetic.floor_divide, "//")
    Array.__rfloordiv__ = _reflected(arithmetic.floor_divide, "//")
    Array.__mod__ = _binary(arithmetic.mod, "%")
    Array.__rmod__ = _reflected(arithmetic.mod, "%")
    Array.__divmod__ = _binary(arithmetic.divmod, "divmod()")
    Array.__rdivmod__ = _reflected(arithmetic.divmod, "divmod()")
    Array.__pow__ = _binary(arithmetic.power, "**")
    Array.__rpow__ = _reflected(arithmetic.power, "**")
    Array.__matmul__ = _binary(matmul, "@")
    Array.__rmatmul__ = _reflected(matmul, "@")
    Array.__and__ = _binary(bitwise.bitwise_and, "&", lax.and_p, "iu")
    Array.__rand__ = _reflected(bitwise.bitwise_and, "&")
    Array.__or__ = _binary(bitwise.bitwise_or, "|", lax.or_p, "iu")
    Array.__ror__ = _reflected(bitwise.bitwise_or, "|")
    Array.__xor__ = _binary(bitwise.bitwise_xor, "^", lax.xor_p, "iu")
    Array.__rxor__ = _reflected(bitwise.bitwise_xor, "^")
    Array.__lshift__ = _binary(bitwise.left_shift, "<<")
    Array.__rlshift__ = _reflected(bitwise.left_shift, "<<")
    Array.__rshift__ = _binary(bitwise.right_shift, ">>")
    Array.__rrshift__ = _reflected(bitwise.right_shift, ">>")
    Array.__eq__ = _binary(logic.equal, "==", lax.eq_p, "iuf", _CONTAINERS)
    Array.__ne__ = _binary(logic.not_equal, "!=", lax.ne_p, "iuf", _CONTAINERS)
    Array.__lt__ = _binary(logic.less, "<", lax.lt_p, "iuf")
    Array.__le__ = _binary(logic.less_equal, "<=", lax.le_p, "iuf")
    Array.__gt__ = _binary(logic.greater, ">", lax.gt_p, "iuf")
    Array.__ge__ = _binary(logic.greater_equal, ">=", lax.ge_p, "iuf")
    Array.__neg__ = lambda self: arithmetic.negative(self)
    Array.__pos__ = lambda self: arithmetic.positive(self)
    Array.__abs__ = lambda self: arithmetic.absolute(self)
    Array.__invert__ = lambda self: bitwise.invert(self)
    Array.__round__ = _round
    Array.__contains__ = _contains
    Array.__getitem__ = _getitem
    Array.__setitem__ = _setitem
    Array.__len__ = _len
    Array.__iter__ = _iter


def _round(self: Array, ndigits: int | None = None) -> Array:
    """round(self): an integer; round(self, n): rounded to n digits after the point."""
    out = rounding.round(self, ndigits or 0)
    return out if ndigits is not None else out.astype(int)


def _contains(self: Array, other: Any) -> Array:
    """other in self, for vectors."""
    if other is None or isinstance(other, str):
        raise TypeError(f"Array.__contains__: unsupported operand type {type(other)}. Give a number.")
    other = ensure_arraylike("Array.__contains__", other)
    if self.ndim != 1:
        raise ValueError(
            f"Array.__contains__: search array must be one-dimensional, got arr.shape={self.shape}."
        )
    if other.ndim != 0:
        raise ValueError(f"Array.__contains__: query value must be a scalar, got query.shape={other.shape}.")
    return reductions.any(self == other)


def _getitem(self: Array, index: Any) -> Array:
    """self[index]; indices out of bounds give the nearest element."""
    return getitem(self, index)


def _setitem(self: Array, index: Any, value: Any) -> None:
    """Arrays never change."""
    raise TypeError(
        "JAX arrays are immutable and do not support in-place item assignment. Instead of x[idx] = y, use "
        "x = x.at[idx].set(y) or another .at[] method: "
        "https://docs.jax.dev/en/latest/_autosummary/jax.numpy.ndarray.at.html"
    )


def _len(self: Array) -> int:
    """Length of the first axis."""
    if not self.ndim:
        raise TypeError(f"len() of unsized object: an array of shape () and dtype {self.dtype} has no axes.")
    return self.shape[0]


def _iter(self: Array) -> Iterator[Array]:
    """The elements, or subarrays, along the first axis."""
    if not self.ndim:
        raise TypeError(
            f"iteration over a 0-d array: an array of shape () and dtype {self.dtype} has no axes."
        )
    return _rows(self)


def _rows(x: Array) -> Iterator[Array]:
    ones = (1,) * x.ndim
    for i in range(x.shape[0]):
        row = lax.slice(x, (i, *[0] * (x.ndim - 1)), (i + 1, *x.shape[1:]), ones)
        yield lax.squeeze(row, (0,))


# --------------------------------------------------------------------------- methods


def _copy(self: Array) -> Array:
    """A copy of the array."""
    return copy(self)


def _argsort(
    self: Array,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Array:
    """The indices that sort the array; see jnp.argsort."""
    return argsort(self, axis, kind=kind, order=order, stable=stable, descending=descending)


def _astype(self: Array, dtype: Any, copy: bool = False, device: Any = None) -> Array:
    """The same numbers in another dtype; see jnp.astype."""
    return astype(self, dtype, copy=copy, device=device)


def _clip(self: Array, min: Any = None, max: Any = None) -> Array:
    """The array with what is below `min` raised to it, and what is above `max` lowered to it."""
    return arithmetic.clip(self, min, max)


def _compress(
    self: Array,
    condition: Any,
    axis: int | None = None,
    *,
    out: None = None,
    size: int | None = None,
    fill_value: Any = 0,
) -> Array:
    """The slices along `axis` at which the condition holds; see jnp.compress."""
    return compress(condition, self, axis, size=size, fill_value=fill_value, out=out)


def _reshape(self: Array, *args: Any, order: str = "C", out_sharding: Any = None) -> Array:
    """The same elements in another shape, given as a tuple or as several integers; see jnp.reshape."""
    return reshape(self, args[0] if len(args) == 1 else args, order, out_sharding=out_sharding)


def _transpose(self: Array, *args: Any) -> Array:
    """The axes in another order, given as a tuple or as several integers; reversed without arguments."""
    return transpose(self, args[0] if len(args) == 1 else args or None)


def _std(
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


def _var(
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


def _view(self: Array, dtype: Any = None, type: None = None) -> Array:
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
        return squeeze(_view(lax.expand_dims(self, (0,)), dtype))
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
        return _view(x.astype(np.uint8), dtype)
    if dtype == np.bool_:
        return _view(x, np.uint8).astype(bool)
    if old < new:
        x = x.reshape(*x.shape[:-1], x.shape[-1] * old // new, new // old)
    out = lax.bitcast_convert_type(x, dtype)
    return out.reshape(*out.shape[:-2], out.shape[-2] * out.shape[-1]) if old > new else out


def _to_device(self: Array, device: Any, *, stream: Any = None) -> Array:
    """The array itself: there is one device."""
    if stream is not None:
        raise NotImplementedError("The stream argument of Array.to_device() is not supported: leave it out.")
    if not isinstance(device, Device):
        raise ValueError(f"to_device: {device!r} is not a device of minijax. Pass jax.devices()[0].")
    return self


def _attach_methods() -> None:
    for function in (
        *(
            reductions.all,
            reductions.any,
            reductions.argmax,
            reductions.argmin,
            reductions.max,
            reductions.min,
        ),
        *(reductions.prod, reductions.ptp, reductions.sum, statistics.mean, cumprod, cumsum),
        *(arithmetic.conj, arithmetic.conjugate, rounding.round, diagonal, trace, repeat, squeeze, swapaxes),
        *(argpartition, choose, nonzero, searchsorted, sort, take),
    ):
        setattr(Array, function.__name__, function)
    Array.argsort = _argsort
    Array.astype = _astype
    Array.clip = _clip
    Array.compress = _compress
    Array.copy = _copy
    Array.dot = _dot
    Array.flatten = Array.ravel = ravel
    Array.reshape = _reshape
    Array.std = _std
    Array.to_device = _to_device
    Array.transpose = _transpose
    Array.var = _var
    Array.view = _view


def _dot(self: Array, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Array:
    """The dot product; see jnp.dot."""
    return dot(self, b, precision=precision, preferred_element_type=preferred_element_type)


# --------------------------------------------------------------------------- properties


def _flat(self: Array) -> Any:
    raise NotImplementedError(
        "JAX Arrays do not implement the arr.flat property: consider arr.flatten() instead."
    )


def _attach_properties() -> None:
    Array.T = property(transpose, doc="The axes in reverse order.")
    Array.mT = property(matrix_transpose, doc="The last two axes swapped.")
    Array.at = property(
        IndexUpdateHelper, doc="Updates at an index, which give a new array: x.at[0].set(1.0)."
    )
    Array.real = property(lambda self: arithmetic.real(self), doc="The real part: the array itself.")
    Array.imag = property(lambda self: arithmetic.imag(self), doc="The imaginary part: zeros.")
    Array.itemsize = property(lambda self: self.dtype.itemsize, doc="Bytes of one element.")
    Array.nbytes = property(lambda self: self.size * self.dtype.itemsize, doc="Bytes of all elements.")
    Array.flat = property(_flat)


# --------------------------------------------------------------------------- what only values have


def _scalar(self: ArrayImpl) -> np.generic:
    """The element of an array of shape (), as the conversions to Python's numbers ask for it."""
    if self.ndim:
        raise TypeError(
            f"Only scalar arrays can be converted to Python scalars; got arr.ndim={self.ndim}, shape {self.shape}. "
            "Pick an element first, or write x.item() for an array of size 1."
        )
    return self._data[()]


def _bool(self: ArrayImpl) -> bool:
    if self.size != 1:
        kind = "an array with more than one element" if self.size else "an empty array"
        raise ValueError(
            f"The truth value of {kind} is ambiguous: got shape {self.shape}. Use a.any() or a.all(), or `a.size > 0`."
        )
    return bool(self._data.reshape(()))


def _index(self: ArrayImpl) -> int:
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


def _item(self: Array, *args: int) -> bool | int | float:
    """The element as a Python number; the array must have size 1, or the index be given."""
    return _value(self, "item").item(*args)


def _tolist(self: Array) -> Any:
    """The elements as Python numbers in nested lists."""
    return _value(self, "tolist").tolist()


def _tobytes(self: Array, order: str = "C") -> bytes:
    """The elements' bytes, in row-major order."""
    return _value(self, "tobytes").tobytes(order)


def _block_until_ready(self: Array) -> Array:
    """The array itself: computations are finished when they return."""
    return self


def _attach_to_values() -> None:
    ArrayImpl.__repr__ = repr_array
    ArrayImpl.__str__ = str_array
    ArrayImpl.__format__ = format_array
    ArrayImpl.__bool__ = _bool
    ArrayImpl.__int__ = lambda self: int(_scalar(self))
    ArrayImpl.__float__ = lambda self: float(_scalar(self))
    ArrayImpl.__complex__ = lambda self: complex(_scalar(self))
    ArrayImpl.__index__ = _index
    Array.item = _item
    Array.tolist = _tolist
    Array.tobytes = _tobytes
    ArrayImpl.aval = property(get_aval, doc="Shape, dtype and weak type.")
    ArrayImpl.device = property(lambda self: devices()[0], doc="The device that holds it.")
    ArrayImpl.devices = lambda self: set(devices())
    ArrayImpl.committed = property(lambda self: False, doc="Whether it is bound to its device.")
    ArrayImpl.is_fully_addressable = property(lambda self: True, doc="Whether this process holds all of it.")
    ArrayImpl.is_fully_replicated = property(lambda self: True, doc="Whether each device holds all of it.")
    ArrayImpl.block_until_ready = _block_until_ready
    ArrayImpl.is_deleted = lambda self: False
    ArrayImpl.is_ready = lambda self: True
    ArrayImpl.copy_to_host_async = lambda self: None


_attach_operators()
_attach_methods()
_attach_properties()
_attach_to_values()
