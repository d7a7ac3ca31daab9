"""lax.map: a function applied to one slice after the other, or to a few at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minijax.lax.loops import scan
from minijax.primitives.joining import concatenate
from minijax.primitives.shaping import reshape
from minijax.primitives.slicing import slice_in_dim
from minijax.tree_util import tree_leaves, tree_map
from minijax.vmapping import vmap

__all__ = ["map"]


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:  # noqa: A001
    """f of each slice of the leaves of `xs` along their leading axis, stacked.

    One after the other, so that the memory of one turn is enough; with `batch_size`, as many at a time by vmap,
    and all at once if it is 0.
    """
    if batch_size is None:
        return scan(lambda _, x: ((), f(x)), (), xs)[1]
    leaves = tree_leaves(xs)
    count = leaves[0].shape[0] if leaves else 0
    turns = count // batch_size if batch_size else 0
    done = turns * batch_size
    if not turns:
        return vmap(f)(xs)
    batches = tree_map(lambda x: _folded(_part(x, 0, done), turns, batch_size), xs)
    ys = tree_map(_unfolded, scan(lambda _, x: ((), vmap(f)(x)), (), batches)[1])
    if done == count:
        return ys
    rest = vmap(f)(tree_map(lambda x: _part(x, done, count), xs))
    return tree_map(lambda y, z: concatenate([y, z], 0), ys, rest)


def _part(x: Any, start: int, stop: int) -> Any:
    return x if (start, stop) == (0, x.shape[0]) else slice_in_dim(x, start, stop)


def _folded(x: Any, turns: int, size: int) -> Any:
    return reshape(x, (turns, size, *x.shape[1:]))


def _unfolded(y: Any) -> Any:
    return reshape(y, (math.prod(y.shape[:2]), *y.shape[2:]))
