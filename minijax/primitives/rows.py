"""Gather and scatter of single elements by an index into the last axis, row by row: the label's entry of each row.

It is what cross entropy and `take_along_axis` come down to. Positions in the flat array replace the general windows.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minijax.primitives.windows import as_positions

__all__ = ["is_by_rows", "row_positions"]

Axes = tuple[int, ...]
Shape = tuple[int, ...]


@functools.lru_cache(1024)
def is_by_rows(shape: Shape, index_map: Axes, removed: Axes, batching: tuple[Axes, Axes], window: Axes) -> bool:
    """Whether every index picks one element of the last axis, in the row that its own place says.

    `index_map` and `removed` are the operand axes that are indexed and left out of the windows, `batching` those
    of operand and indices that run along with each other, `window` the axes that windows have.
    """
    last = len(shape) - 1
    rows = tuple(range(last))
    return last > 0 and shape[last] > 0 and index_map == removed == (last,) and batching == (rows, rows) and not window


def row_positions(shape: Shape, indices: np.ndarray, clip: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Where the elements lie in the flattened operand, and which of them inside of it; None if all of them do.

    Those outside are moved inside.
    """
    length = shape[-1]
    index = as_positions(indices[..., 0])
    inside = index.view(np.uintp) < length  # negative ones are huge
    if inside.all():
        inside = None
    else:
        index = np.minimum(np.maximum(index, 0), length - 1)
    return index + _starts(shape, indices.ndim - 1), None if clip else inside


@functools.lru_cache(64)
def _starts(shape: Shape, rank: int) -> Any:
    """Where each row begins, with as many axes as the indices have."""
    rows = shape[:-1]
    starts = np.arange(0, int(np.prod(rows)) * shape[-1], shape[-1], dtype=np.intp)
    starts = starts.reshape(rows + (1,) * (rank - len(rows)))
    starts.flags.writeable = False
    return starts
