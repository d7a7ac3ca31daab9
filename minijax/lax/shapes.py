"""Shapes that fit together: broadcasting, and axes joined into one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.shaping import as_operand, canonical_axis, expand_dims, reshape

__all__ = ["broadcast_shapes", "broadcast_to_rank", "collapse"]


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
