"""approx_max_k, approx_min_k: the largest or smallest elements, which may be found approximately.

Accelerators leave out some of them for speed. On a CPU, in JAX as here, all are found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import NOT_LINEAR, Primitive, ShapedArray
from minijax.primitives.comparison import total_order_key
from minijax.primitives.families import is_zero
from minijax.primitives.shaping import reshape
from minijax.primitives.sorting import take_along
from minijax.primitives.standard import zero_like

__all__ = ["approx_max_k", "approx_min_k", "approx_top_k_p"]


def approx_max_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> list[Array]:
    """The `k` largest elements along an axis in descending order, and their int32 indices.

    recall_target: the share of them that an accelerator has to find. Without aggregate_to_topk there are more
    results, as many as it would narrow the choice down to; reduction_input_size_override is the number of elements
    to reckon with for that. Floats only. Paper: https://arxiv.org/abs/2206.14286
    """
    return approx_top_k_p.bind(
        operand,
        k=k,
        reduction_dimension=reduction_dimension,
        recall_target=recall_target,
        is_max_k=True,
        reduction_input_size_override=reduction_input_size_override,
        aggregate_to_topk=aggregate_to_topk,
    )


def approx_min_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> list[Array]:
    """The `k` smallest elements along an axis in ascending order; arguments as those of `approx_max_k`."""
    return approx_top_k_p.bind(
        operand,
        k=k,
        reduction_dimension=reduction_dimension,
        recall_target=recall_target,
        is_max_k=False,
        reduction_input_size_override=reduction_input_size_override,
        aggregate_to_topk=aggregate_to_topk,
    )


def _impl(x: np.ndarray, **params: Any) -> list[np.ndarray]:
    axis = params["reduction_dimension"] % x.ndim
    (values, _) = _shape(ShapedArray(x.shape, x.dtype), **params)
    # Zeros of both signs are equal here, as are NaNs; equal elements keep their order.
    keys = total_order_key(x + np.zeros((), x.dtype))
    order = np.argsort(~keys if params["is_max_k"] else keys, axis, "stable")
    order = np.take(order, np.arange(values.shape[axis], dtype=np.int32), axis)
    return [np.take_along_axis(x, order, axis), order.astype(np.int32)]


def _shape(x: ShapedArray, *, k: int, reduction_dimension: int, **params: Any) -> list[ShapedArray]:
    if k <= 0:
        raise ValueError(f"approx_top_k: k must be positive, got {k}.")
    if not x.shape:
        raise TypeError("approx_top_k: the operand must have an axis, got shape ().")
    if not -x.ndim <= reduction_dimension < x.ndim:
        raise IndexError(f"approx_top_k: reduction_dimension {reduction_dimension} is no axis of shape {x.shape}.")
    if x.shape[reduction_dimension] < k:
        raise ValueError(f"approx_top_k: k={k} is larger than axis {reduction_dimension} of shape {x.shape}.")
    if not dtypes.is_float(x.dtype):
        raise ValueError(f"approx_top_k: the operand must be of a floating type, got {x.str_short()}.")
    shape = list(x.shape)
    shape[reduction_dimension] = _result_length(shape[reduction_dimension], x.ndim, k, **params)
    return [x.update(shape=tuple(shape)), x.update(shape=tuple(shape), dtype=np.dtype(np.int32))]


def _result_length(
    length: int,
    rank: int,
    k: int,
    *,
    recall_target: float,
    reduction_input_size_override: int,
    aggregate_to_topk: bool,
    is_max_k: bool,
) -> int:
    """How many elements an accelerator would keep: a power of two fewer blocks than there are (see the paper)."""
    block = 1024 if rank == 1 else 128
    if aggregate_to_topk:
        return k
    if length <= block:
        return length
    kept = min(max(int((1.0 - k) / math.log(recall_target)), block), length)
    counted = reduction_input_size_override if reduction_input_size_override >= 0 else length
    blocks = -(-length // block)
    halvings = min((counted // kept).bit_length() - 1, (length // block).bit_length() - 1)
    return -(-blocks // (1 << halvings)) * block if halvings > 0 else length


approx_top_k_p = Primitive("approx_top_k", multiple_results=True)
approx_top_k_p.impl = _impl
approx_top_k_p.shape_rule = _shape
approx_top_k_p.transpose = NOT_LINEAR


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[list[Any], list[Any]]:
    """The tangents of the elements that were chosen."""
    values, indices = approx_top_k_p.bind(*primals, **params)
    if is_zero(tangents[0]):
        return [values, indices], [zero_like(values), zero_like(indices)]
    axis = params["reduction_dimension"] % np.ndim(values)
    chosen = take_along(tangents[0], reshape(indices, (*np.shape(indices), 1)), axis)
    return [values, indices], [chosen, zero_like(indices)]


approx_top_k_p.jvp = _jvp


def _batch(axis_size: int, args: Any, dims: Any, *, reduction_dimension: int, **params: Any) -> Any:
    (x,), (dim,) = args, dims
    axis = [d for d in range(np.ndim(x)) if d != dim][reduction_dimension]
    return approx_top_k_p.bind(x, reduction_dimension=axis, **params), [dim, dim]


approx_top_k_p.batch = _batch
