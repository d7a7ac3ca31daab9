"""Operators, methods and `.at`, given to Array (and so to tracers) at import.

This is the one place where an upper floor reaches down to a lower one: `array.py` knows no operations, and
everything here is a function of jax.numpy. Importing `minijax.numpy` attaches it all, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import devices, lax, placement
from minijax.array import Array, ArrayImpl
from minijax.config import debugging
from minijax.core import EVAL, Primitive, Tracer, current_trace, get_aval
from minijax.numpy import arithmetic, array_api, bitwise, lifetime, logic, methods, reductions, rounding, statistics
from minijax.numpy.contractions import matmul
from minijax.numpy.cumulative import cumprod, cumsum
from minijax.numpy.diagonals import diagonal, trace
from minijax.numpy.index_update import IndexUpdateHelper
from minijax.numpy.manipulation import matrix_transpose, ravel, squeeze, swapaxes, transpose
from minijax.numpy.places import nonzero
from minijax.numpy.printing import format_array, repr_array, str_array
from minijax.numpy.promotion import plain_operands
from minijax.numpy.rearranging import repeat
from minijax.numpy.sorting import argpartition, searchsorted, sort
from minijax.numpy.taking import choose, take
from minijax.tracebacks import boundary, hide_frames

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

    @boundary
    def method(self: Array, other: Any) -> Any:
        try:
            concrete = type(other) is ArrayImpl and type(self) is ArrayImpl
            if concrete and evaluate is not None and current_trace() is EVAL:
                a = self._data
                if a.dtype.kind in kinds and not debugging:
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
        except Exception as error:
            hide_frames(error)
            raise

    return method


def _reflected(
    function: Callable[[Any, Any], Any],
    symbol: str,
    primitive: Primitive | None = None,
    kinds: str = "",
    refused: tuple[type, ...] = (),
) -> Callable:
    """The method for `other <symbol> self`, which Python calls when `other` does not know what to do."""

    @boundary
    def method(self: Array, other: Any) -> Any:
        try:
            if primitive is not None:
                plain = plain_operands((other, self), kinds)
                if plain is not None:
                    return primitive.bind(*plain)
            if isinstance(other, _OPERANDS):
                return function(other, self)
            return _other_operand(self, other, symbol, refused, lambda converted: function(converted, self))
        except Exception as error:
            hide_frames(error)
            raise

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
    Array.__add__ = _binary(arithmetic.add, "+", lax.add_p, "iufc", _SEQUENCES)
    Array.__radd__ = _reflected(arithmetic.add, "+", lax.add_p, "iufc", _SEQUENCES)
    Array.__sub__ = _binary(arithmetic.subtract, "-", lax.sub_p, "iufc")
    Array.__rsub__ = _reflected(arithmetic.subtract, "-", lax.sub_p, "iufc")
    Array.__mul__ = _binary(arithmetic.multiply, "*", lax.mul_p, "iufc", _SEQUENCES)
    Array.__rmul__ = _reflected(arithmetic.multiply, "*", lax.mul_p, "iufc", _SEQUENCES)
    Array.__truediv__ = _binary(arithmetic.true_divide, "/", lax.div_p, "fc")
    Array.__rtruediv__ = _reflected(arithmetic.true_divide, "/", lax.div_p, "fc")
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
    Array.__eq__ = _binary(logic.equal, "==", lax.eq_p, "iufc", _CONTAINERS)
    Array.__ne__ = _binary(logic.not_equal, "!=", lax.ne_p, "iufc", _CONTAINERS)
    Array.__lt__ = _binary(logic.less, "<", lax.lt_p, "iuf")
    Array.__le__ = _binary(logic.less_equal, "<=", lax.le_p, "iuf")
    Array.__gt__ = _binary(logic.greater, ">", lax.gt_p, "iuf")
    Array.__ge__ = _binary(logic.greater_equal, ">=", lax.ge_p, "iuf")
    Array.__neg__ = lambda self: arithmetic.negative(self)
    Array.__pos__ = lambda self: arithmetic.positive(self)
    Array.__abs__ = lambda self: arithmetic.absolute(self)
    Array.__invert__ = lambda self: bitwise.invert(self)
    Array.__round__ = methods.round_
    Array.__contains__ = methods.contains
    Array.__getitem__ = methods.getitem
    Array.__setitem__ = methods.setitem
    Array.__len__ = methods.length
    Array.__iter__ = methods.iterate


# --------------------------------------------------------------------------- methods


def _attach_methods() -> None:
    Array.all = reductions.all
    Array.any = reductions.any
    Array.argmax = reductions.argmax
    Array.argmin = reductions.argmin
    Array.argpartition = argpartition
    Array.argsort = methods.argsort
    Array.byteswap = methods.byteswap
    Array.__array_namespace__ = array_api.array_namespace
    Array.__dlpack__ = methods.dlpack
    Array.__dlpack_device__ = methods.dlpack_device
    Array.astype = methods.astype
    Array.choose = choose
    Array.clip = methods.clip
    Array.compress = methods.compress
    Array.conj = arithmetic.conj
    Array.conjugate = arithmetic.conjugate
    Array.copy = methods.copy
    Array.cumprod = cumprod
    Array.cumsum = cumsum
    Array.diagonal = diagonal
    Array.dot = methods.dot
    Array.flatten = Array.ravel = ravel
    Array.item = methods.item
    Array.max = reductions.max
    Array.mean = statistics.mean
    Array.min = reductions.min
    Array.nonzero = nonzero
    Array.prod = reductions.prod
    Array.ptp = reductions.ptp
    Array.repeat = repeat
    Array.reshape = methods.reshape
    Array.round = rounding.round
    Array.searchsorted = searchsorted
    Array.sort = sort
    Array.squeeze = squeeze
    Array.std = methods.std
    Array.sum = reductions.sum
    Array.swapaxes = swapaxes
    Array.take = take
    Array.to_device = methods.to_device
    Array.tobytes = methods.tobytes
    Array.tolist = methods.tolist
    Array.trace = trace
    Array.transpose = methods.transpose
    Array.var = methods.var
    Array.view = methods.view


# --------------------------------------------------------------------------- properties


def _attach_properties() -> None:
    Array.T = property(transpose, doc="The axes in reverse order.")
    Array.mT = property(matrix_transpose, doc="The last two axes swapped.")
    Array.at = property(IndexUpdateHelper, doc="Updates at an index, which give a new array: x.at[0].set(1.0).")
    Array.real = property(lambda self: arithmetic.real(self), doc="The real part; a real array itself.")
    Array.imag = property(lambda self: arithmetic.imag(self), doc="The imaginary part; zeros for a real array.")
    Array.itemsize = property(lambda self: self.dtype.itemsize, doc="Bytes of one element.")
    Array.nbytes = property(lambda self: self.size * self.dtype.itemsize, doc="Bytes of all elements.")
    Array.flat = property(methods.flat)


# --------------------------------------------------------------------------- what only values have


def _attach_to_values() -> None:
    ArrayImpl.__repr__ = repr_array
    ArrayImpl.__str__ = str_array
    ArrayImpl.__format__ = format_array
    ArrayImpl.__bool__ = methods.to_bool
    ArrayImpl.__int__ = lambda self: int(methods.real_scalar(self, "int"))
    ArrayImpl.__float__ = lambda self: float(methods.real_scalar(self, "float"))
    ArrayImpl.__complex__ = lambda self: complex(methods.scalar(self))
    ArrayImpl.__index__ = methods.to_index
    ArrayImpl.aval = property(get_aval, doc="Shape, dtype and weak type.")
    ArrayImpl.device = property(placement.device_of)
    ArrayImpl.devices = placement.devices_of
    ArrayImpl.platform = lambda self: devices.default_backend()
    ArrayImpl.sharding = property(placement.sharding_of)
    ArrayImpl.addressable_shards = ArrayImpl.global_shards = property(placement.shards_of)
    ArrayImpl.addressable_data = placement.data_of_device
    ArrayImpl.on_device_size_in_bytes = placement.bytes_of
    ArrayImpl.committed = property(placement.is_placed)
    ArrayImpl.is_fully_addressable = property(lambda self: True, doc="Whether this process holds all of it.")
    ArrayImpl.is_fully_replicated = property(placement.is_replicated)
    ArrayImpl.block_until_ready = methods.block_until_ready
    ArrayImpl.delete = lifetime.delete
    ArrayImpl.is_deleted = lifetime.is_deleted
    ArrayImpl.clone = lifetime.clone
    ArrayImpl.unsafe_buffer_pointer = lifetime.unsafe_buffer_pointer
    ArrayImpl.is_ready = lambda self: True
    ArrayImpl.copy_to_host_async = lambda self: None


# --------------------------------------------------------------------------- what tracers refuse


def _attach_to_tracers() -> None:
    Tracer.devices = lifetime.refused("devices")
    Tracer.addressable_data = lifetime.refused("addressable_data")
    Tracer.delete = lifetime.refused("delete")
    Tracer.is_deleted = lifetime.refused("is_deleted")
    Tracer.on_device_size_in_bytes = lifetime.refused("on_device_size_in_bytes")
    Tracer.unsafe_buffer_pointer = lifetime.refused("unsafe_buffer_pointer")
    Tracer.committed = property(lifetime.refused("committed"))
    Tracer.is_fully_addressable = property(lifetime.refused("is_fully_addressable"))
    Tracer.is_fully_replicated = property(lifetime.refused("is_fully_replicated"))
    Tracer.addressable_shards = Tracer.global_shards = property(lifetime.refused("shards"))


_attach_operators()
_attach_methods()
_attach_properties()
_attach_to_values()
_attach_to_tracers()
