"""associative_scan: all prefixes of a sequence, in a number of steps that grows like the logarithm of its length."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.core import as_operand
from minijax.primitives.arithmetic import add
from minijax.primitives.bitwise import bitwise_or
from minijax.primitives.families import like
from minijax.primitives.joining import concatenate, rev
from minijax.primitives.shaping import canonical_axis
from minijax.primitives.slicing import pad, slice_in_dim
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_unflatten

__all__ = ["associative_scan"]

Combine = Callable[[Sequence[Any], Sequence[Any]], list[Any]]


@api_boundary
def associative_scan(fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """x0, fn(x0, x1), fn(fn(x0, x1), x2), ... along `axis` of the leaves of `elems`; with `reverse`, from the end.

    `fn` is associative and is applied to many pairs at once, so it must work element by element along the axis.
    Raises ValueError for lengths that differ. After Blelloch, "Prefix Sums and Their Applications", 1990.
    """
    if not callable(fn):
        raise TypeError(f"lax.associative_scan: fn argument should be callable, got {fn!r}.")
    leaves, tree = tree_flatten(elems)
    leaves = [as_operand(x) for x in leaves]
    axis = canonical_axis(axis, leaves[0].ndim)
    lengths = [x.shape[axis] for x in leaves]
    if len(set(lengths)) > 1:
        raise ValueError(
            "lax.associative_scan: all arrays must have the same length along the scanned axis "
            f"{axis}, but the lengths are {lengths}."
        )

    def combine(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
        return tree_flatten(fn(tree_unflatten(tree, first), tree_unflatten(tree, second)))[0]

    leaves = [rev(x, [axis]) for x in leaves] if reverse else leaves
    prefixes = _prefixes(combine, leaves, axis)
    return tree_unflatten(tree, [rev(x, [axis]) for x in prefixes] if reverse else prefixes)


def _prefixes(combine: Combine, xs: Sequence[Any], axis: int) -> list[Any]:
    """Neighbours are combined in pairs, whose prefixes are those that end at odd places; each even one is a
    step from there."""
    length = xs[0].shape[axis]
    if length < 2:
        return list(xs)
    pairs = combine(
        [slice_in_dim(x, 0, -1, stride=2, axis=axis) for x in xs],
        [slice_in_dim(x, 1, None, stride=2, axis=axis) for x in xs],
    )
    odd = _prefixes(combine, pairs, axis)
    before = odd if length % 2 else [slice_in_dim(x, 0, -1, axis=axis) for x in odd]
    even = combine(before, [slice_in_dim(x, 2, None, stride=2, axis=axis) for x in xs])
    even = [concatenate([slice_in_dim(x, 0, 1, axis=axis), rest], axis) for x, rest in zip(xs, even, strict=True)]
    return list(itertools.starmap(lambda e, o: _interleaved(e, o, axis), zip(even, odd, strict=True)))


def _interleaved(even: Any, odd: Any, axis: int) -> Any:
    """Each spread out by zeros in the places of the other, and added up."""
    longer = even.shape[axis] > odd.shape[axis]
    spread = [[(0, 0, 0)] * even.ndim for _ in range(2)]
    spread[0][axis] = (0, 0 if longer else 1, 1)
    spread[1][axis] = (1, 1 if longer else 0, 1)
    first, second = (pad(x, like(x, 0), s) for x, s in zip((even, odd), spread, strict=True))
    return bitwise_or(first, second) if even.dtype == np.bool_ else add(first, second)
