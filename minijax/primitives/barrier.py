"""optimization_barrier: results that a compiler may not compute ahead of one another."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.core import Primitive, ShapedArray
from minijax.primitives.families import instantiate
from minijax.tree_util import tree_flatten, tree_unflatten

__all__ = ["optimization_barrier"]


def optimization_barrier(operand: Any, /) -> Any:
    """The same pytree of arrays, none of whose leaves is used before all of them have been computed."""
    leaves, tree = tree_flatten(operand)
    return tree_unflatten(tree, optimization_barrier_p.bind(*leaves))


def _barrier_impl(*xs: np.ndarray) -> list[np.ndarray]:
    return list(xs)


def _barrier_rule(*avals: ShapedArray) -> list[ShapedArray]:
    return list(avals)


optimization_barrier_p = Primitive("optimization_barrier", multiple_results=True)
optimization_barrier_p.impl = _barrier_impl
optimization_barrier_p.shape_rule = _barrier_rule


def _barrier_jvp(primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
    tangents = [instantiate(t) for t in tangents]
    return optimization_barrier_p.bind(*primals), optimization_barrier_p.bind(*tangents)


def _barrier_transpose(cts: Any, *args: Any) -> list[Any]:
    return optimization_barrier_p.bind(*map(instantiate, cts))


def _barrier_batch(axis_size: int, args: Any, dims: Any) -> tuple[list[Any], Any]:
    return optimization_barrier_p.bind(*args), dims


optimization_barrier_p.jvp = _barrier_jvp
optimization_barrier_p.transpose = _barrier_transpose
optimization_barrier_p.batch = _barrier_batch
