"""Ufuncs: functions of numbers with methods that spread them over arrays, as in `jnp.add.reduce(x)`.

JAX has a few of jax.numpy's functions as such objects; everything inside minijax calls the plain functions
behind them. `frompyfunc` makes a ufunc of any function of scalars: what no formula is known for is then
computed by a loop over the elements of an axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import lax
from minijax.api import eval_shape
from minijax.array import Array
from minijax.numpy import arithmetic, bitwise, exponential, logic, ufunc_reductions
from minijax.numpy.applying import vectorize
from minijax.numpy.creation import full
from minijax.numpy.cumulative import cumprod, cumsum
from minijax.numpy.index_entries import as_index_tuple
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.indexing import getitem
from minijax.numpy.joining import append
from minijax.numpy.manipulation import broadcast_to, moveaxis, ravel
from minijax.numpy.promotion import as_arrays, check_arraylike, ensure_arraylike
from minijax.numpy.reductions import check_where, prod, sum
from minijax.numpy.selection import if_else
from minijax.numpy.taking import take
from minijax.primitives.shaping import canonical_axis
from minijax.vmapping import vmap

__all__ = [
    "add",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "frompyfunc",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "subtract",
    "ufunc",
]


class ufunc:
    """A function of `nin` numbers with `nout` results, which maps over arrays that broadcast together.

    identity    the number that changes nothing when it is the other operand, None if there is none
    call        how to compute it on arrays; otherwise `func` is called with scalars and batched
    reduce, accumulate, at, reduceat    how to compute these methods, where there is a better way than a loop
    """

    def __init__(
        self,
        func: Callable[..., Any],
        /,
        nin: int,
        nout: int,
        *,
        name: str | None = None,
        nargs: int | None = None,
        identity: Any = None,
        call: Callable[..., Any] | None = None,
        reduce: Callable[..., Any] | None = None,
        accumulate: Callable[..., Any] | None = None,
        at: Callable[..., Any] | None = None,
        reduceat: Callable[..., Any] | None = None,
    ):
        self.__doc__ = func.__doc__
        self.__name__ = name or func.__name__
        self._func = func
        self._nin = int(nin)
        self._nout = int(nout)
        self._nargs = int(nargs or nin)
        self._identity = identity
        self._call = call or self._call_by_element
        self._reduce = reduce or self._reduce_by_loop
        self._accumulate = accumulate or self._accumulate_by_loop
        self._at = at or self._at_by_loop
        self._reduceat = reduceat or self._reduceat_by_loop

    nin = property(lambda self: self._nin, doc="The number of operands.")
    nout = property(lambda self: self._nout, doc="The number of results.")
    nargs = property(lambda self: self._nargs, doc="The number of operands, as JAX counts.")
    identity = property(lambda self: self._identity, doc="The number that changes nothing, None if there is none.")

    def _key(self) -> tuple:
        return self._func, self.__name__, self._identity, self._nin, self._nout, self._nargs

    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ufunc) and self._key() == other._key()

    def __repr__(self) -> str:
        return f"<jnp.ufunc '{self.__name__}'>"

    def _method_of_two(self, method: str, out: Any = None) -> None:
        """Raise ValueError unless two numbers give one, NotImplementedError for `out`."""
        if self._nin != 2 or self._nout != 1:
            raise ValueError(
                f"{method} only supported for binary ufuncs with a single result; {self.__name__} has "
                f"nin={self._nin} and nout={self._nout}."
            )
        self._check_out(f"{self.__name__}.{method}", out)

    def _check_out(self, what: str, out: Any, name: str = "out") -> None:
        if out is not None:
            raise NotImplementedError(f"The '{name}' argument of {what} is not supported: the result is returned.")

    # ------------------------------------------------------------- the function itself

    def __call__(self, *args: Any, out: None = None, where: None = None) -> Any:
        if out is not None or where is not None:
            self._check_out(self.__name__, out)
            self._check_out(self.__name__, where, "where")
        return self._call(*args)

    def _call_by_element(self, *args: Any) -> Any:
        check_arraylike(self.__name__, *args)
        return vectorize(self._func)(*args)

    def _dtype_of(self, *args: Any) -> Any:
        """The dtype of the function of one element of each array."""
        return eval_shape(self._func, *[lax.full_like(x, 1, shape=()) for x in args]).dtype

    def outer(self, A: Any, B: Any, /) -> Array:
        """The function of every element of A with every element of B; the axes of A come first."""
        self._method_of_two("outer")
        A, B = as_arrays(f"{self.__name__}.outer", (A, B))
        pairs = vmap(vmap(self, (None, 0)), (0, None))(ravel(A), ravel(B))
        return pairs.reshape(*A.shape, *B.shape)

    # ------------------------------------------------------------- reduce

    def reduce(
        self,
        a: Any,
        axis: int | None = 0,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = None,
    ) -> Array:
        """The elements along an axis (all of them for None) brought together, from the first to the last.

        Starts from `initial`, else from the identity, else from the first element. Elements for which `where` is
        false are passed over. Raises ValueError where there is nothing to start from.
        """
        name = f"{self.__name__}.reduce"
        a = ensure_arraylike(name, a)
        self._method_of_two("reduce", out)
        if initial is not None:
            check_arraylike(name, initial)
        if where is not None and self._identity is None and initial is None:
            raise ValueError(
                f"reduction operation {self.__name__!r} does not have an identity, so with a `where` mask one has to "
                "give `initial`, too."
            )
        where = check_where(name, where)
        return self._reduce(a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)

    def _reduce_by_loop(
        self, a: Array, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Array | None
    ) -> Array:
        initial = self._identity if initial is None else initial
        dtype = self._dtype_of(a, a) if dtype is None else dtype
        where = None if where is None else broadcast_to(where, a.shape)
        if isinstance(axis, tuple):
            raise NotImplementedError(f"{self.__name__}.reduce: reduces one axis at a time, got axis={axis}.")
        kept_axes = range(a.ndim) if axis is None else (canonical_axis(axis, a.ndim),)
        if axis is None:
            a, where, axis = ravel(a), None if where is None else ravel(where), 0
        rows, mask = moveaxis(a, axis, 0), None if where is None else moveaxis(where, axis, 0)
        if rows.shape[0] or initial is not None:
            out = self._fold(rows, mask, dtype, initial)
            return lax.expand_dims(out, kept_axes) if keepdims else out
        raise ValueError(f"zero-size array to reduction operation {self.__name__} which has no identity.")

    def _fold(self, rows: Array, mask: Array | None, dtype: Any, initial: Any) -> Array:
        first = 0 if initial is not None else 1
        start = rows[0] if initial is None else ensure_arraylike(self.__name__, initial)
        start = broadcast_to(start.astype(dtype), rows.shape[1:])

        def step(i: Any, value: Array) -> Array:
            new = self(value, getitem(rows, i).astype(dtype))
            return new if mask is None else if_else(getitem(mask, i), new, value)

        return lax.fori_loop(first, rows.shape[0], step, start) if rows.shape[0] else start

    # ------------------------------------------------------------- accumulate

    def accumulate(self, a: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Array:
        """What `reduce` has in hand after each element along an axis."""
        self._method_of_two("accumulate", out)
        return self._accumulate(a, axis=axis, dtype=dtype)

    def _accumulate_by_loop(self, a: Any, axis: Any, dtype: Any) -> Array:
        a = ensure_arraylike(f"{self.__name__}.accumulate", a)
        dtype = self._dtype_of(a, a) if dtype is None else dtype
        if axis is None or isinstance(axis, tuple):
            raise ValueError(f"{self.__name__}.accumulate does not allow multiple axes, got axis={axis}.")
        axis = canonical_axis(axis, a.ndim)
        if not a.size:
            return full(a.shape, 0, dtype)
        rows = moveaxis(a, axis, 0).astype(dtype)

        def step(value: Array, row: Array) -> tuple[Array, Array]:
            new = self(value, row).astype(dtype)
            return new, new

        _, rest = lax.scan(step, rows[0], rows[1:])
        return moveaxis(append(rows[:1], rest, axis=0), 0, axis)

    # ------------------------------------------------------------- at

    def at(self, a: Any, indices: Any, b: Any = None, /, *, inplace: bool = True) -> Array:
        """`a` with a[indices] replaced by the function of it (and of `b`), once for each time an index occurs.

        Arrays never change: pass inplace=False, and go on with the result. NotImplementedError otherwise.
        """
        if inplace:
            raise NotImplementedError(
                f"jnp.{self.__name__}.at cannot work in place, because arrays never change. Write "
                f"x = jnp.{self.__name__}.at(x, indices, values, inplace=False)."
            )
        return self._at(a, indices) if b is None else self._at(a, indices, b)

    def _at_by_loop(self, a: Any, indices: Any, *args: Any) -> Array:
        a, *args = as_arrays(f"{self.__name__}.at", (a, *args))
        dtype = self._dtype_of(a, *args)
        a, args = a.astype(dtype), [x.astype(dtype) for x in args]
        indices = as_index_tuple(indices)
        shape = lax.broadcast_shapes(*[np.shape(i) for i in indices if not isinstance(i, slice)], ())
        if not shape:
            return IndexUpdateRef(a, indices).set(self(getitem(a, indices), *args))
        count = math.prod(shape)
        args = [broadcast_to(x, (*shape, *x.shape[len(shape) :])).reshape(count, *x.shape[len(shape) :]) for x in args]
        places = [i if isinstance(i, slice) else ravel(broadcast_to(i, shape)) for i in indices]

        def step(k: Any, a: Array) -> Array:
            index = tuple([i if isinstance(i, slice) else getitem(i, k) for i in places])
            return IndexUpdateRef(a, index).set(self(getitem(a, index), *[getitem(x, k) for x in args]))

        return lax.fori_loop(0, count, step, a)

    # ------------------------------------------------------------- reduceat

    def reduceat(self, a: Any, indices: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Array:
        """Reductions of the pieces of an axis that begin at `indices`, each reaching to the next one or the end.

        Where the next index is not larger the piece is a single element.
        """
        self._method_of_two("reduceat", out)
        return self._reduceat(a, indices, axis=axis, dtype=dtype)

    def _reduceat_by_loop(self, a: Any, indices: Any, axis: Any, dtype: Any) -> Array:
        a, indices = as_arrays(f"{self.__name__}.reduceat", (a, indices))
        if not a.ndim or indices.ndim != 1:
            raise ValueError(
                f"{self.__name__}.reduceat: needs an array with an axis and a vector of indices, got shapes {a.shape} "
                f"and {indices.shape}."
            )
        if axis is None or isinstance(axis, tuple | list):
            raise ValueError(f"{self.__name__}.reduceat requires a single integer axis, got {axis}.")
        axis = canonical_axis(axis, a.ndim)
        ends = lax.expand_dims(append(indices, a.shape[axis]), [d for d in range(a.ndim) if d != axis])
        first = lax.slice_in_dim(ends, 0, indices.size, axis=axis)
        end = lax.slice_in_dim(ends, 1, indices.size + 1, axis=axis)

        def step(i: Any, value: Array) -> Array:
            element = take(a, lax.expand_dims(i, (0,)), axis=axis)
            return if_else((i > first) & (i < end), self(value, element), value)

        return lax.fori_loop(0, a.shape[axis], step, take(a, indices, axis=axis))


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int, *, identity: Any = None) -> ufunc:
    """A ufunc of a function of `nin` scalars with `nout` results."""
    return ufunc(func, nin, nout, identity=identity)


# ----------------------------------------------------------------- updates


def _add_at(a: Any, indices: Any, b: Any) -> Array:
    a, b = as_arrays("add.at", (a, b))
    if a.dtype == np.bool_:
        return IndexUpdateRef(a.astype(np.int32), indices).add(b.astype(bool).astype(np.int32)).astype(bool)
    return IndexUpdateRef(a, indices).add(b)


def _multiply_at(a: Any, indices: Any, b: Any) -> Array:
    a, b = as_arrays("multiply.at", (a, b))
    if a.dtype == np.bool_:
        return IndexUpdateRef(a.astype(np.int32), indices).multiply(b.astype(bool).astype(np.int32)).astype(bool)
    return IndexUpdateRef(a, indices).multiply(b)


def _subtract_at(a: Any, indices: Any, b: Any) -> Array:
    a, b = as_arrays("subtract.at", (a, b))
    return IndexUpdateRef(a, indices).subtract(b)


# ----------------------------------------------------------------- the ufuncs of jax.numpy


def _unary(func: Callable[..., Any]) -> ufunc:
    return ufunc(func, 1, 1, call=func)


def _binary(func: Callable[..., Any], identity: Any, **methods: Callable[..., Any]) -> ufunc:
    return ufunc(func, 2, 1, call=func, identity=identity, **methods)


negative = _unary(arithmetic.negative)
add = _binary(arithmetic.add, 0, reduce=sum, accumulate=cumsum, at=_add_at)
multiply = _binary(arithmetic.multiply, 1, reduce=prod, accumulate=cumprod, at=_multiply_at)
subtract = _binary(arithmetic.subtract, None, at=_subtract_at)
maximum = _binary(arithmetic.maximum, None, reduce=ufunc_reductions.reduce_maximum)
minimum = _binary(arithmetic.minimum, None, reduce=ufunc_reductions.reduce_minimum)
bitwise_and = _binary(bitwise.bitwise_and, -1, reduce=ufunc_reductions.reduce_bitwise_and)
bitwise_or = _binary(bitwise.bitwise_or, 0, reduce=ufunc_reductions.reduce_bitwise_or)
bitwise_xor = _binary(bitwise.bitwise_xor, 0, reduce=ufunc_reductions.reduce_bitwise_xor)
logical_and = _binary(logic.logical_and, True, reduce=ufunc_reductions.reduce_logical_and)
logical_or = _binary(logic.logical_or, False, reduce=ufunc_reductions.reduce_logical_or)
logical_xor = _binary(logic.logical_xor, False, reduce=ufunc_reductions.reduce_logical_xor)
logaddexp = _binary(exponential.logaddexp, -math.inf, reduce=ufunc_reductions.reduce_logaddexp)
logaddexp2 = _binary(exponential.logaddexp2, -math.inf, reduce=ufunc_reductions.reduce_logaddexp2)
