"""Updates of an array at an index, which give a new array: x.at[index].set(values) and its relatives.

Each is one scatter: the places come from the index as in `indexing.py`, the values are broadcast to
the shape that x[index] has. Values for places out of bounds are dropped; where a place occurs
several times `set` keeps one of the values, and `add`, `multiply`, `min` and `max` count them all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import config, dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import power, true_divide
from minijax.numpy.creation import asarray, ones_like
from minijax.numpy.gather_plan import plan_gather
from minijax.numpy.index_entries import parse_index, without_masks
from minijax.numpy.indexing import getitem
from minijax.numpy.manipulation import broadcast_to
from minijax.numpy.promotion import array_of, convert, promote_dtypes
from minijax.primitives.standard import check_one_device
from minijax.tracebacks import api_boundary

__all__ = ["IndexUpdateHelper", "IndexUpdateRef"]


class IndexUpdateHelper:
    """`x.at`, which waits for its index."""

    __slots__ = ("array",)

    def __init__(self, array: Array):
        self.array = array

    def __getitem__(self, index: Any) -> IndexUpdateRef:
        return IndexUpdateRef(self.array, index)

    def __repr__(self) -> str:
        return f"IndexUpdateHelper({self.array!r})"


class IndexUpdateRef:
    """`x.at[index]`. Each method gives a new array; x stays as it is.

    All methods take these keywords:

    indices_are_sorted     a promise that the places come in ascending order
    unique_indices         a promise that no place occurs twice
    mode                   what happens to places out of bounds: 'drop' (or 'fill', the default of updates),
                           'clip' to the nearest element, 'promise_in_bounds' if there are none
    wrap_negative_indices  whether negative indices count from the end
    """

    __slots__ = ("array", "index")

    def __init__(self, array: Array, index: Any):
        self.array = array
        self.index = index

    def __repr__(self) -> str:
        return f"IndexUpdateRef({self.array!r}, {self.index!r})"

    @api_boundary
    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        fill_value: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index]. With mode='fill' places out of bounds give `fill_value`, else they are clamped.

        Without a fill_value that is NaN for floats, the lowest integer, the largest unsigned one, True.
        """
        check_one_device("x.at[...].get", out_sharding)
        return getitem(
            self.array,
            self.index,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
            mode=mode,
            fill_value=fill_value,
            wrap_negative_indices=wrap_negative_indices,
        )

    @api_boundary
    def set(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] = values."""
        check_one_device("x.at[...].set", out_sharding)
        return scatter_update(
            self.array, self.index, values, lax.scatter, indices_are_sorted, unique_indices, mode, wrap_negative_indices
        )

    @api_boundary
    def apply(
        self,
        func: Callable[[Any], Any],
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] = func(x[index]), once for each time that a place occurs."""

        def scatter_apply(x: Any, indices: Any, y: Any, numbers: Any, **options: Any) -> Array:
            return lax.scatter_apply(x, indices, func, numbers, update_shape=np.shape(y), **options)

        zero = dtypes.dtype(self.array).type(0)
        return scatter_update(
            self.array, self.index, zero, scatter_apply, indices_are_sorted, unique_indices, mode, wrap_negative_indices
        )

    @api_boundary
    def add(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] += values."""
        check_one_device("x.at[...].add", out_sharding)
        return scatter_update(
            self.array,
            self.index,
            values,
            lax.scatter_add,
            indices_are_sorted,
            unique_indices,
            mode,
            wrap_negative_indices,
        )

    @api_boundary
    def subtract(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] -= values."""
        check_one_device("x.at[...].subtract", out_sharding)
        return scatter_update(
            self.array,
            self.index,
            values,
            lax.scatter_sub,
            indices_are_sorted,
            unique_indices,
            mode,
            wrap_negative_indices,
        )

    @api_boundary
    def multiply(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] *= values."""
        check_one_device("x.at[...].multiply", out_sharding)
        return scatter_update(
            self.array,
            self.index,
            values,
            lax.scatter_mul,
            indices_are_sorted,
            unique_indices,
            mode,
            wrap_negative_indices,
        )

    mul = multiply

    @api_boundary
    def divide(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] /= values."""
        check_one_device("x.at[...].divide", out_sharding)
        divisors = IndexUpdateRef(ones_like(self.array), self.index).multiply(
            values,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
            mode=mode,
            wrap_negative_indices=wrap_negative_indices,
        )
        return true_divide(self.array, divisors)

    @api_boundary
    def power(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] **= values; a place that occurs several times is raised to the product of its values."""
        check_one_device("x.at[...].power", out_sharding)
        exponents = IndexUpdateRef(ones_like(self.array), self.index).multiply(
            values,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
            mode=mode,
            wrap_negative_indices=wrap_negative_indices,
        )
        return power(self.array, exponents)

    @api_boundary
    def min(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] = minimum(x[index], values)."""
        check_one_device("x.at[...].min", out_sharding)
        return scatter_update(
            self.array,
            self.index,
            values,
            lax.scatter_min,
            indices_are_sorted,
            unique_indices,
            mode,
            wrap_negative_indices,
        )

    @api_boundary
    def max(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Array:
        """x[index] = maximum(x[index], values)."""
        check_one_device("x.at[...].max", out_sharding)
        return scatter_update(
            self.array,
            self.index,
            values,
            lax.scatter_max,
            indices_are_sorted,
            unique_indices,
            mode,
            wrap_negative_indices,
        )


# ----------------------------------------------------------------- the scatter behind them


def scatter_update(
    x: Any,
    index: Any,
    y: Any,
    scatter: Callable[..., Array],
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: Any,
    wrap: bool,
) -> Array:
    """`x`, into which `scatter` (a function of lax) puts `y` at x[index]."""
    x = array_of(x)
    dtype, weak_type = x.dtype, x.weak_type
    y = _fitting(y, x)
    entries = without_masks(parse_index(index, x.shape), x.shape)
    plan = plan_gather(entries, x.shape, wrap)
    if 0 in plan.result_shape:
        return x
    x, y = promote_dtypes(x, y)
    y = _in_shape(y, plan)
    if plan.added_axes:
        x = lax.expand_dims(x, plan.added_axes)
    out = scatter(
        x,
        plan.indices,
        y,
        plan.scatter_numbers(),
        indices_are_sorted=indices_are_sorted or plan.regular,
        unique_indices=unique_indices or plan.regular,
        mode=mode,
    )
    if plan.added_axes:
        out = lax.squeeze(out, plan.added_axes)
    return convert(out, dtype, weak_type)


def _in_shape(y: Any, plan: Any) -> Any:
    """The values in the shape of the gather's result, which knows no new and no reversed axes."""
    y = broadcast_to(y, tuple(plan.result_shape))
    if plan.new_axes:
        y = lax.squeeze(y, plan.new_axes)
    return lax.rev(y, plan.reversed_axes) if plan.reversed_axes else y


def _fitting(y: Any, x: Array) -> Any:
    """The new values; a warning if x cannot hold values of their dtype."""
    if isinstance(y, int) and dtypes.kind(x.dtype) in "iu":
        info = dtypes.iinfo(x.dtype)
        if info.min <= y <= info.max:
            return x.dtype.type(y)
    y = y if type(y) in dtypes.python_scalar_dtypes else array_of(asarray(y))
    if x.dtype is dtypes.key_fry:
        return y  # scatter takes keys only for keys
    if dtypes.result_type(y, x.dtype) != x.dtype:
        warnings.warn(
            "scatter inputs have incompatible types: cannot safely cast value from dtype="
            f"{dtypes.dtype(y)} to dtype={x.dtype} with "
            f"jax_numpy_dtype_promotion={config.numpy_dtype_promotion.value}. "
            "In future this will be an error: convert the value first, for example with value.astype(x.dtype).",
            FutureWarning,
            stacklevel=5,
        )
    return y
