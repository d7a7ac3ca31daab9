"""Arrays written as slices: mgrid[0:3, 0:2], r_[0:3, 5]. Numbers of points are given as imaginary steps: 0:1:5j."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from minijax import lax
from minijax.array import Array
from minijax.config import numpy_dtype_promotion
from minijax.numpy.axes import require_known
from minijax.numpy.creation import array
from minijax.numpy.joining import concatenate, stack
from minijax.numpy.manipulation import expand_dims, transpose
from minijax.numpy.promotion import promote_dtypes
from minijax.numpy.ranges import arange, linspace, meshgrid

__all__ = ["c_", "index_exp", "mgrid", "ogrid", "r_", "s_"]

s_ = np.s_
index_exp = np.index_exp


def _points(s: builtins.slice, name: str) -> Array:
    """The numbers that a slice stands for."""
    start, stop, step = (
        require_known(x, f"the slice {part} of jnp.{name}")
        for x, part in ((s.start, "start"), (s.stop, "stop"), (s.step, "step"))
    )
    start, step = 0 if start is None else start, 1 if step is None else step
    if isinstance(step, complex):
        return linspace(start, stop, int(abs(step)))
    return arange(start, stop, step)


def _axes_points(key: Any, name: str) -> list[Array]:
    """The numbers that several slices stand for, of one dtype even where promotion is else refused."""
    with numpy_dtype_promotion("standard"):
        return promote_dtypes(*[_points(s, name) for s in key]) if key else []


class _MGrid:
    """jnp.mgrid[0:3, 0:2]: the coordinates of all points of a grid, stacked along a new first axis."""

    def __getitem__(self, key: Any) -> Array:
        if isinstance(key, slice):
            return _points(key, "mgrid")
        points = _axes_points(key, "mgrid")
        return stack(meshgrid(*points, indexing="ij"), 0) if points else arange(0)


class _OGrid:
    """jnp.ogrid[0:3, 0:2]: the coordinates along each axis of a grid, ready to be broadcast."""

    def __getitem__(self, key: Any) -> Array | list[Array]:
        if isinstance(key, slice):
            return _points(key, "ogrid")
        return meshgrid(*_axes_points(key, "ogrid"), indexing="ij", sparse=True)


class _Joined:
    """jnp.r_[0:3, 5, x] and jnp.c_[x, y]: slices, numbers and arrays joined along an axis.

    A first entry such as '0,2,-1' sets the axis, the least rank, and where the axes of operands of lower rank go, as in
    NumPy; 'r' and 'c' make a row or a column of a one-dimensional result.
    """

    def __init__(self, name: str, axis: int, rank: int, place: int):
        self._name, self._defaults = name, (axis, rank, place)

    def __getitem__(self, key: Any) -> Array:
        entries = key if isinstance(key, tuple) else (key,)
        (axis, rank, place), matrix_axis = self._defaults, None
        if isinstance(entries[0], str):
            matrix_axis = {"r": 0, "c": 1}.get(entries[0])
            if matrix_axis is None:
                axis, rank, place = self._directive(entries[0])
            entries = entries[1:]
        out = concatenate([self._entry(entry, rank, place) for entry in entries], axis)
        return expand_dims(out, matrix_axis) if matrix_axis is not None and out.ndim == 1 else out

    def _directive(self, text: str) -> tuple[int, int, int]:
        try:
            given = [int(n) for n in text.split(",")]
        except ValueError as error:
            raise ValueError(
                f"jnp.{self._name}: could not understand directive {text!r}; an example is '0,2'."
            ) from error
        axis, rank, place = (*given, *self._defaults[len(given) :])[:3]
        return axis, rank, place

    def _entry(self, entry: Any, rank: int, place: int) -> Array:
        if isinstance(entry, str):
            raise ValueError(f"jnp.{self._name}: string directive must be placed at the beginning, got {entry!r}.")
        if isinstance(entry, slice):
            x, own_rank = _points(entry, self._name), 0
        else:
            x = array(entry, copy=False)
            own_rank = x.ndim
        if x.ndim < rank:
            x = lax.expand_dims(x, range(rank - x.ndim))
        if place == -1 or rank <= own_rank:
            return x
        shift = rank - abs(rank + place + 1) % rank
        return transpose(x, (*range(shift, rank), *range(shift)))

    def __len__(self) -> int:
        return 0


mgrid = _MGrid()
ogrid = _OGrid()
r_ = _Joined("r_", axis=0, rank=1, place=-1)
c_ = _Joined("c_", axis=-1, rank=2, place=0)
