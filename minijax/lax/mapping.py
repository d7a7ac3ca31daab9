"""lax.map: a function applied to one slice after the other, or to a few at a time."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from minijax.lax.loops import scan
from minijax.primitives.joining import concatenate
from minijax.primitives.shaping import reshape
from minijax.primitives.slicing import slice
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_map, tree_unflatten
from minijax.vmapping import vmap

__all__ = ["map"]


@api_boundary
def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:  # noqa: A001
    """f of each slice of the leaves of `xs` along their leading axis, stacked.

    One after the other, so that the memory of one turn is enough; with `batch_size`, as many at a time by vmap,
    and all at once if it is 0.
    """
    if batch_size is None:
        return scan(lambda _, x: ((), f(x)), (), xs)[1]
    batch_size = operator.index(batch_size)
    leaves, tree = tree_flatten(xs)
    count = leaves[0].shape[0] if leaves else 0
    turns = count // batch_size if batch_size else 0
    done = turns * batch_size
    if not turns or any(x.shape[0] != count for x in leaves):
        return vmap(f)(xs)  # which says so where the lengths differ
    parts = [(_folded(_part(x, 0, done), turns, batch_size), _part(x, done, count)) for x in leaves]
    batches, rest = (tree_unflatten(tree, part) for part in zip(*parts, strict=True))
    ys = scan(lambda _, x: ((), vmap(f)(x)), (), batches)[1]
    if done == count:
        return tree_map(_unfolded, ys)
    return tree_map(lambda y, z: concatenate([_unfolded(y), z], 0), ys, vmap(f)(rest))


def _part(x: Any, start: int, stop: int) -> Any:
    if start == stop or (start, stop) == (0, x.shape[0]):
        return x
    return slice(x, (start, *[0] * (x.ndim - 1)), (stop, *x.shape[1:]))


def _folded(x: Any, turns: int, size: int) -> Any:
    return reshape(x, (turns, size, *x.shape[1:]))


def _unfolded(y: Any) -> Any:
    return reshape(y, (math.prod(y.shape[:2]), *y.shape[2:]))
