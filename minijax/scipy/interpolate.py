"""jax.scipy.interpolate: interpolation on a grid of any number of dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes
from minijax.array import Array
from minijax.numpy.promotion import check_arraylike, promote_dtypes_inexact
from minijax.tree_util import register_pytree_node

__all__ = ["RegularGridInterpolator"]

_METHODS = ("linear", "nearest")


class RegularGridInterpolator:
    """A function that interpolates values[i, j, ..., :] given at the places (points[0][i], points[1][j], ...).

    method: 'linear' or 'nearest'. fill_value: what places outside the grid get; None to extrapolate.
    """

    def __init__(
        self,
        points: Sequence[Any],
        values: Any,
        method: str = "linear",
        bounds_error: bool = False,
        fill_value: Any = np.nan,
    ):
        _check_method(method)
        if bounds_error:
            raise NotImplementedError(
                "RegularGridInterpolator: bounds_error=True is not supported, since errors cannot depend on values "
                "under jit. Leave it out and look for NaN in the result."
            )
        check_arraylike("RegularGridInterpolator", values)
        if len(points) > np.ndim(values):
            raise ValueError(
                f"RegularGridInterpolator: there are {len(points)} vectors of points, but values has shape "
                f"{np.shape(values)}."
            )
        (values,) = promote_dtypes_inexact(jnp.asarray(values))
        if fill_value is not None:
            check_arraylike("RegularGridInterpolator", fill_value)
            fill_value = jnp.asarray(fill_value)
            if not np.can_cast(fill_value.dtype, values.dtype, casting="same_kind"):
                raise ValueError(
                    f"RegularGridInterpolator: fill_value of dtype {fill_value.dtype} does not fit values of dtype "
                    f"{values.dtype}. Give a number of their kind, or None."
                )
        check_arraylike("RegularGridInterpolator", *points)
        self.method = method
        self.bounds_error = bounds_error
        self.fill_value = fill_value
        self.grid = tuple(jnp.asarray(p) for p in points)
        self.values = values

    def __call__(self, xi: Any, method: str | None = None) -> Array:
        """The interpolated values at places xi[..., :], or at a tuple of coordinate arrays that broadcast."""
        method = self.method if method is None else method
        _check_method(method)
        dimensions = len(self.grid)
        xi = _places(xi, dimensions)
        if xi.shape[-1] != dimensions:
            raise ValueError(
                f"RegularGridInterpolator: the places have {xi.shape[-1]} coordinates, the grid has {dimensions}."
            )
        cells, fractions, outside = self._cells(xi.reshape(-1, dimensions).T)
        result = (self._linear if method == "linear" else self._nearest)(cells, fractions)
        if self.fill_value is not None:
            outside = outside.reshape(result.shape[:1] + (1,) * (result.ndim - 1))
            result = jnp.where(outside, self.fill_value, result)
        return result.reshape(xi.shape[:-1] + self.values.shape[dimensions:])

    def _cells(self, xi: Array) -> tuple[list[Array], list[Array], Array]:
        """In which cell of the grid each place lies, how far along in it, and whether outside of all."""
        cells, fractions, outside = [], [], jnp.zeros(xi.shape[1], bool)
        for x, grid in zip(xi, self.grid, strict=True):
            cell = jnp.clip(jnp.searchsorted(grid, x) - 1, 0, grid.size - 2)
            cells.append(cell)
            fractions.append((x - grid[cell]) / (grid[cell + 1] - grid[cell]))
            outside = outside | (x < grid[0]) | (x > grid[-1])
        return cells, fractions, outside

    def _linear(self, cells: list[Array], fractions: list[Array]) -> Array:
        trailing = (slice(None),) + (None,) * (self.values.ndim - len(cells))
        total = jnp.asarray(0.0)
        for corner in itertools.product((0, 1), repeat=len(cells)):
            weight = jnp.asarray(1.0)
            for upper, fraction in zip(corner, fractions, strict=True):
                weight = weight * (fraction if upper else 1 - fraction)
            place = tuple(cell + upper for cell, upper in zip(cells, corner, strict=True))
            total = total + self.values[place] * weight[trailing]
        return total

    def _nearest(self, cells: list[Array], fractions: list[Array]) -> Array:
        place = [jnp.where(f <= 0.5, cell, cell + 1) for cell, f in zip(cells, fractions, strict=True)]
        return self.values[tuple(place)]


def _check_method(method: str) -> None:
    if method not in _METHODS:
        raise ValueError(f"RegularGridInterpolator: method must be 'linear' or 'nearest', got {method!r}.")


def _places(xi: Any, dimensions: int) -> Array:
    """Coordinates along a last axis."""
    if isinstance(xi, tuple) and len(xi) == 1:
        xi = xi[0]
    if isinstance(xi, tuple):
        return jnp.stack(jnp.broadcast_arrays(*xi), -1).astype(dtypes.default_float_dtype())
    check_arraylike("RegularGridInterpolator", xi)
    xi = jnp.asarray(xi)
    return xi.reshape(-1, dimensions) if xi.ndim == 1 else xi


def _flatten(interpolator: RegularGridInterpolator) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    children = interpolator.grid, interpolator.values, interpolator.fill_value
    return children, (interpolator.method, interpolator.bounds_error)


def _unflatten(aux: tuple[Any, ...], children: Sequence[Any]) -> RegularGridInterpolator:
    interpolator = object.__new__(RegularGridInterpolator)
    interpolator.grid, interpolator.values, interpolator.fill_value = children
    interpolator.method, interpolator.bounds_error = aux
    return interpolator


register_pytree_node(RegularGridInterpolator, _flatten, _unflatten)
