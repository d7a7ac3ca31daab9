"""Einstein's summation convention: products and sums over named axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.einsum_terms import axis_lengths, contraction_steps, read_terms
from minijax.numpy.promotion import as_arrays, convert, reject
from minijax.primitives.reductions import reduce_or
from minijax.primitives.standard import check_one_device
from minijax.primitives.sums import reduce_sum

__all__ = ["einsum"]


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: Any = None,
    _dot_general: Any = lax.dot_general,
    out_sharding: Any = None,
) -> Array:
    """Multiply operands whose axes are named, and sum over the names that the result lacks.

    einsum('bij,bjk->bik', a, b) multiplies stacks of matrices, einsum('ii', a) is a trace. Without '->' the result has
    the names that occur once, in alphabetical order; '...' stands for axes that broadcast.
    optimize: the order of contractions. 'auto', 'optimal' (True), 'greedy', from left to right (False), or a path.
    Raises ValueError for subscripts that do not fit the operands.
    """
    reject("einsum", out=out)
    check_one_device("jnp.einsum", out_sharding)
    terms, output, arrays = read_terms((subscripts, *operands))
    arrays = as_arrays("einsum", arrays)
    if preferred_element_type is None:
        dtype, weak_type = dtypes.result_type(*arrays, return_weak_type_flag=True)
    else:
        dtype, weak_type = dtypes.check_and_canonicalize_user_dtype(preferred_element_type, "einsum"), False

    def multiply(a: Array, b: Array, numbers: Any) -> Array:
        return _dot_general(a, b, numbers, precision, preferred_element_type=dtype)

    for places, summed, names, result in contraction_steps(terms, output, axis_lengths(terms, arrays), optimize):
        taken = [_Term(arrays.pop(place), term, dtype) for place, term in zip(places, names)]
        if len(taken) == 1:
            term = taken[0]
            term.sum_single(summed)
            term.take_diagonals(result)
        elif len(taken) == 2:
            term = _product(*taken, summed, result, multiply)
        else:
            raise NotImplementedError("einsum: a path may contract one or two operands at a time, not more.")
        arrays.append(term.in_order(result))
    return convert(arrays[0], dtype, weak_type)


class _Term:
    """An operand, and the names of its axes."""

    def __init__(self, value: Array, names: str, dtype: Any):
        self.value, self.names, self.dtype = value, names, dtype

    def _sum(self, axes: Sequence[int]) -> None:
        if dtypes.result_type(self.value, self.dtype) != self.value.dtype:
            self.value = self.value.astype(self.dtype)
        reduce = reduce_or if dtypes.kind(self.value.dtype) == "b" else reduce_sum
        self.value = reduce(self.value, axes)

    def sum_single(self, summed: Sequence[str]) -> None:
        """Sum over those names that occur once here."""
        once = [name for name in summed if self.names.count(name) == 1]
        if once:
            self._sum(self.axes(once))
            self.names = "".join([name for name in self.names if name not in once])

    def take_diagonals(self, kept: str) -> None:
        """Where a name occurs several times keep only elements with equal indices; sum over them unless it is kept."""
        for name in dict.fromkeys(self.names):
            if self.names.count(name) > 1:
                self._take_diagonal(name, name in kept)

    def _take_diagonal(self, name: str, keep: bool) -> None:
        axes = [i for i, n in enumerate(self.names) if n == name]
        on_diagonal = _is_diagonal(self.value.shape, axes)
        self.value = lax.select(on_diagonal, self.value, lax.full_like(self.value, 0))
        self._sum(axes[:-1] if keep else axes)
        self.names = self.names.replace(name, "", len(axes) - keep)

    def without_ones(self, other: _Term) -> None:
        """Drop axes of length 1 that broadcast against a longer one of the other operand."""
        lengths = dict(zip(other.names, other.value.shape))
        dropped = [i for i, name in enumerate(self.names) if self.value.shape[i] == 1 and lengths.get(name, 1) != 1]
        if dropped:
            self.value = lax.squeeze(self.value, dropped)
            self.names = "".join([name for i, name in enumerate(self.names) if i not in dropped])

    def axes(self, names: str | Sequence[str]) -> list[int]:
        """Where these names are."""
        return [self.names.index(name) for name in names]

    def in_order(self, names: str) -> Array:
        """The value with its axes in the order of `names`."""
        return self.value if names == self.names else lax.transpose(self.value, self.axes(names))


def _is_diagonal(shape: tuple[int, ...], axes: Sequence[int]) -> Array:
    """True where the indices of all `axes` are equal."""
    lengths = [shape[axis] for axis in axes]
    indices = [lax.broadcasted_iota(np.uint32, lengths, i) for i in range(len(axes))]
    equal = lax.eq(indices[0], indices[1])
    for first, second in zip(indices[1:], indices[2:]):
        equal = lax.bitwise_and(equal, lax.eq(first, second))
    return lax.broadcast_in_dim(equal, shape, axes)


def _product(lhs: _Term, rhs: _Term, summed: Sequence[str], result: str, dot_general: Any) -> _Term:
    """One dot_general: names in both that remain are batch axes, those that do not are contracted."""
    lhs.without_ones(rhs)
    rhs.without_ones(lhs)
    lhs_names, rhs_names = lhs.names, rhs.names
    lhs.sum_single([name for name in summed if name not in rhs_names])
    rhs.sum_single([name for name in summed if name not in lhs_names])
    lhs.take_diagonals(result + rhs_names)
    rhs.take_diagonals(result + lhs_names)
    shared = [name for name in lhs.names if name in rhs.names]
    batch = "".join([name for name in result if name in shared])
    contracted = [name for name in summed if name in shared]
    gone = batch + "".join(contracted)
    lhs_free = "".join([name for name in lhs.names if name not in gone])
    rhs_free = "".join([name for name in rhs.names if name not in gone])
    first, second, names = lhs, rhs, batch + lhs_free + rhs_free
    if batch + rhs_free + lhs_free == result:
        # In this order the result needs no transposition.
        first, second, names = rhs, lhs, result
    numbers = (
        (tuple(first.axes(contracted)), tuple(second.axes(contracted))),
        (tuple(first.axes(batch)), tuple(second.axes(batch))),
    )
    return _Term(dot_general(first.value, second.value, numbers), names, lhs.dtype)
