"""Shapes that fit together: broadcasting, and axes joined into one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.creation import full
from minijax.primitives.shaping import as_operand, broadcast_in_dim, canonical_axis, expand_dims, reshape

__all__ = ["broadcast_like", "broadcast_shapes", "broadcast_to_rank", "collapse", "shape_as_value", "stage"]


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to, by NumPy's rules. ValueError when they do not fit."""
    if len(shapes) == 1:
        return tuple(shapes[0])
    rank = max([len(shape) for shape in shapes], default=0)
    out = []
    for lengths in zip(*[(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes], strict=True):
        others = {n for n in lengths if n != 1}
        if len(others) > 1:
            raise ValueError(
                f"Incompatible shapes for broadcasting: shapes={[tuple(shape) for shape in shapes]}. Counted from the "
                "last axis, lengths must be equal or 1."
            )
        out.append(others.pop() if others else 1)
    return tuple(out)


def broadcast_to_rank(x: Any, rank: int) -> Array:
    """`x` with leading axes of length 1, so that it has `rank` axes. ValueError when it has more."""
    if np.ndim(x) == rank:
        return as_operand(x)
    if np.ndim(x) > rank:
        raise ValueError(f"broadcast_to_rank: an operand of shape {np.shape(x)} cannot get the lower rank {rank}.")
    return expand_dims(x, range(rank - np.ndim(x)))


def broadcast_like(arr: Any, like_arr: Any) -> Array:
    """`arr` repeated to the shape of `like_arr`. ValueError when it does not fit."""
    old, new = as_operand(arr).shape, as_operand(like_arr).shape
    if len(old) > len(new) or broadcast_shapes(old, new) != new:
        raise ValueError(f"broadcast_like: an array of shape {old} cannot be broadcast to shape {new}.")
    return as_operand(arr) if old == new else broadcast_in_dim(arr, new, range(len(new) - len(old), len(new)))


def shape_as_value(shape: tuple[int, ...]) -> Array | np.ndarray:
    """A shape as a vector of integers."""
    return np.asarray(shape, np.int32) if shape else full((0,), 0, np.int32)


def stage(x: Any, /) -> Array:
    """`x` as an Array: what a Python number or a NumPy array becomes when a primitive gets it."""
    return as_operand(x)


def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Array:
    """Join the axes from start_dimension up to, but not including, stop_dimension (the last one for None)."""
    shape = np.shape(operand)
    start = canonical_axis(start_dimension, len(shape) + 1, "start_dimension")
    stop = len(shape)
    if stop_dimension is not None:
        stop = canonical_axis(stop_dimension, len(shape) + 1, "stop_dimension")
    if stop < start:
        raise ValueError(
            f"lax.collapse: stop_dimension {stop_dimension} lies before start_dimension {start_dimension} for an "
            f"operand of shape {shape}."
        )
    return reshape(operand, (*shape[:start], math.prod(shape[start:stop]), *shape[stop:]))
