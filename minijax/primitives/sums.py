"""reduce_sum, which the derivatives of everything that broadcasts rest on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import config
from minijax.array import Array, ArrayImpl
from minijax.core import _FP_QUIET, Primitive, ShapedArray, _fp_state
from minijax.primitives.shaping import broadcast_in_dim, broadcast_in_dim_p, expand_dims, reshape
from minijax.primitives.standard import Shape, check_one_device, def_linear, require_dtype, standard

__all__ = ["reduce_sum", "sum_to_shape"]

# ----------------------------------------------------------------- what all reductions share


def reduced_shape(x: ShapedArray, *, axes: tuple[int, ...], **params: Any) -> Shape:
    """The shape rule of a reduction. Raises ValueError for axes that are repeated or outside the operand."""
    if len(set(axes)) != len(axes):
        raise ValueError(f"duplicate value in 'axes' of reduction: {axes}, operand shape {x.shape}.")
    for axis in axes:
        if not 0 <= axis < x.ndim:
            raise ValueError(
                f"reduction axes {axes}, as of lax.reduce_sum, contain an out-of-bounds index for operand "
                f"shape {x.shape}: each must lie between 0 and {x.ndim - 1}."
            )
    return tuple([n for d, n in enumerate(x.shape) if d not in axes])


def def_reducer_batch(prim: Primitive) -> None:
    """`prim` reduces its only operand over the parameter `axes`; batched, it leaves the batch axis alone."""

    def batch(axis_size: int, args: Any, dims: Any, *, axes: tuple[int, ...], **params: Any) -> Any:
        (x,), (dim,) = args, dims
        axes = tuple([axis + (axis >= dim) for axis in axes])
        return prim.bind(x, axes=axes, **params), dim - sum(axis < dim for axis in axes)

    prim.batch = batch


# ----------------------------------------------------------------- reduce_sum


def reduce_sum(operand: Any, axes: Sequence[int], *, out_sharding: Any = None) -> Array:
    """The sum over `axes`, which must not be negative, in the operand's own dtype.

    jnp.sum is the friendlier form: it takes negative axes and widens small integers and booleans.
    """
    check_one_device("lax.reduce_sum", out_sharding)
    return reduce_sum_p.bind(operand, axes=tuple(axes))


# Rows that are added up one after the other; and as many as make it worth while to add up such sums.
RUN, LONG = 128, 512


def add_up(x: np.ndarray, axes: tuple[int, ...], dtype: Any) -> Any:
    """The sum over `axes`. Over the first axes NumPy adds row to row, and the error grows with their number: so here
    sums of runs of rows are added up."""
    k = len(axes)
    if not (axes == tuple(range(k)) and 0 < k < x.ndim and x.flags.c_contiguous):
        return np.add.reduce(x, axes, dtype)
    count = math.prod(x.shape[:k])
    if count < LONG or x.dtype.kind not in "fc":
        return np.add.reduce(x, axes, dtype)
    rows = x.reshape(count, -1)
    whole = count - count % RUN
    runs = np.add.reduce(rows[:whole].reshape(count // RUN, RUN, -1), 1, dtype)
    out = np.add.reduce(runs, 0, dtype)
    if whole < count:
        out += np.add.reduce(rows[whole:], 0, dtype)
    return out.reshape(x.shape[k:])


def _sum_impl(x: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
    if x.dtype.itemsize == 2 and x.dtype.kind not in "iu":
        return add_up(x, axes, np.float32).astype(x.dtype)
    return add_up(x, axes, x.dtype)


def _sum_dtype(x: ShapedArray, *, axes: tuple[int, ...]) -> Any:
    require_dtype("reduce_sum", x, "iufc")
    if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" and not config.allow_f16_reductions.value:
        raise ValueError(
            f"reduce_sum of {x.str_short()} is not allowed while jax_allow_f16_reductions is False. "
            "Sum x.astype('float32') instead."
        )
    return x.dtype


reduce_sum_p = standard("reduce_sum", _sum_impl, reduced_shape, _sum_dtype)
def_reducer_batch(reduce_sum_p)


def _sum_transpose(ct: Any, x: ShapedArray, *, axes: tuple[int, ...]) -> Any:
    return broadcast_in_dim(ct, x.shape, [d for d in range(x.ndim) if d not in axes])


def_linear(reduce_sum_p, _sum_transpose)


def _evaluate_sum(x: Any, *, axes: tuple[int, ...]) -> ArrayImpl:
    """Eager evaluation without abstract values, for the dtypes that need no second look."""
    if type(x) is not ArrayImpl or x._data.dtype.char not in "fdilqFD":
        return reduce_sum_p._evaluate(x, axes=axes)
    data = x._data
    if axes and not 0 <= min(axes) <= max(axes) < data.ndim:
        reduced_shape(x, axes=axes)  # raises
    token = _fp_state.set(_FP_QUIET)
    try:
        return ArrayImpl(add_up(data, axes, data.dtype), x.weak_type)
    finally:
        _fp_state.reset(token)


reduce_sum_p.evaluate = _evaluate_sum


def sum_to_shape(ct: Any, shape: tuple[int, ...]) -> Array:
    """Sum `ct` down to `shape`: that of a scalar, or one whose axes of length 1 were stretched."""
    lengths = np.shape(ct)
    if not shape:
        return reduce_sum(ct, range(len(lengths)))
    stretched = [d for d, (n, m) in enumerate(zip(lengths, shape)) if n != m]
    return reshape(reduce_sum(ct, stretched) if stretched else ct, shape)


# ----------------------------------------------------------------- the derivative of broadcast_in_dim


def _broadcast_transpose(ct: Any, x: ShapedArray, *, shape: Any, broadcast_dimensions: Any) -> Any:
    """Sum over all axes but those that the operand filled, and give it back its axes of length 1."""
    ones = [d for d, n in enumerate(x.shape) if n == 1]
    kept = [d for n, d in zip(x.shape, broadcast_dimensions) if n != 1]
    return expand_dims(reduce_sum(ct, [d for d in range(len(shape)) if d not in kept]), ones)


def_linear(broadcast_in_dim_p, _broadcast_transpose)
