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
from minijax.numpy.promotion import ensure_arraylike, reject
from minijax.numpy.rearranging import repeat
from minijax.numpy.sorting import argpartition, argsort, searchsorted, sort
from minijax.numpy.taking import choose, compress, take

__all__: list[str] = []

# --------------------------------------------------------------------------- operators

# What an operator takes on. Everything else gets NotImplemented, and with it the chance to know better.
_OPERANDS = (Array, np.ndarray, np.generic, int, float, complex)


def _binary(function: Callable[[Any, Any], Any], fast: Primitive | None = None, kinds: str = "") -> Callable:
    """The method for `self op other`. Two plain arrays of one dtype and rank go straight to the primitive."""

    def method(self: Array, other: Any) -> Any:
        if type(other) is ArrayImpl and type(self) is ArrayImpl and fast is not None:
            a, b = self._data, other._data
            if a.dtype is b.dtype and a.ndim == b.ndim and a.dtype.kind in kinds:
                trace = current_trace()
                if trace is EVAL:
                    return fast.evaluate(self, other)
                return trace.process(fast, (self, other), {})
        if isinstance(other, _OPERANDS):
            return function(self, other)
        if hasattr(other, "__jax_array__"):
            return function(self, other.__jax_array__())
        return NotImplemented

    return method


def _reflected(function: Callable[[Any, Any], Any]) -> Callable:
    """The method for `other op self`, which Python calls when `other` does not know what to do."""

    def method(self: Array, other: Any) -> Any:
        if isinstance(other, _OPERANDS):
            return function(other, self)
        if hasattr(other, "__jax_array__"):
            return function(other.__jax_array__(), self)
        return NotImplemented

    return method


def _refusing(symbol: str, refused: tuple[type, ...], method: Callable) -> Callable:
    """`method`, but a TypeError for operands that Python or NumPy would give a meaning of their own."""

    def checked(self: Array, other: Any) -> Any:
        if type(other) in refused:
            raise TypeError(
                f"unsupported operand type(s) for {symbol}: {type(self).__name__!r} and {type(other).__name__!r}. "
                "Convert it first, for example with jnp.asarray(other)."
            )
        return method(self, other)

    return checked


def _hot(name: str, function: Callable, reflected: str | None, fast: Primitive, kinds: str) -> None:
    setattr(Array, name, _binary(function, fast, kinds))
    if reflected is not None:
        setattr(Array, reflected, _reflected(function))


def _attach_operators() -> None:
    _hot("__add__", arithmetic.add, "__radd__", lax.add_p, "iuf")
    _hot("__sub__", arithmetic.subtract, "__rsub__", lax.sub_p, "iuf")
    _hot("__mul__", arithmetic.multiply, "__rmul__", lax.mul_p, "iuf")
    _hot("__truediv__", arithmetic.true_divide, "__rtruediv__", lax.div_p, "f")
    _hot("__and__", bitwise.bitwise_and, "__rand__", lax.and_p, "biu")
    _hot("__or__", bitwise.bitwise_or, "__ror__", lax.or_p, "biu")
    _hot("__xor__", bitwise.bitwise_xor, "__rxor__", lax.xor_p, "biu")
    _hot("__lt__", logic.less, None, lax.lt_p, "biuf")
    _hot("__le__", logic.less_equal, None, lax.le_p, "biuf")
    _hot("__gt__", logic.greater, None, lax.gt_p, "biuf")
    _hot("__ge__", logic.greater_equal, None, lax.ge_p, "biuf")
    _hot("__eq__", logic.equal, None, lax.eq_p, "biuf")
    _hot("__ne__", logic.not_equal, None, lax.ne_p, "biuf")
    for name, function in _OTHER_BINARY.items():
        setattr(Array, f"__{name}__", _binary(function))
        setattr(Array, f"__r{name}__", _reflected(function))
    for name, symbol in (("eq", "=="), ("ne", "!=")):
        _refuse(f"__{name}__", symbol, (dict, list, set, tuple))
    # A list would be concatenated by +, repeated by *, in NumPy's eyes an array.
    for name, symbol in (("add", "+"), ("mul", "*")):
        _refuse(f"__{name}__", symbol, (list, tuple))
        _refuse(f"__r{name}__", symbol, (list, tuple))
    for name, function in _UNARY.items():
        setattr(Array, f"__{name}__", function)


def _refuse(name: str, symbol: str, refused: tuple[type, ...]) -> None:
    setattr(Array, name, _refusing(symbol, refused, getattr(Array, name)))


_OTHER_BINARY = {
    "floordiv": arithmetic.floor_divide,
    "mod": arithmetic.mod,
    "divmod": arithmetic.divmod,
    "pow": arithmetic.power,
    "matmul": matmul,
    "lshift": bitwise.left_shift,
    "rshift": bitwise.right_shift,
}

_UNARY = {
    "neg": arithmetic.negative,
    "pos": arithmetic.positive,
    "abs": arithmetic.absolute,
    "invert": bitwise.invert,
}
