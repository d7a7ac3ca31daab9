"""slice and pad: cutting a regular part out of an array; and the transpose, putting it among constants."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import ShapedArray, is_linear
from minijax.primitives.arithmetic import sub
from minijax.primitives.families import def_jointly_linear, like, scalar_like
from minijax.primitives.selection import select
from minijax.primitives.shaping import broadcast, broadcast_in_dim, squeeze
from minijax.primitives.standard import Shape, def_linear, standard, structural
from minijax.primitives.sums import reduce_sum

__all__ = ["index_in_dim", "pad", "slice", "slice_in_dim"]

_slice = slice  # Python's own, which lax.slice hides in this module

# ----------------------------------------------------------------- slice


def slice(
    operand: Any,
    start_indices: Sequence[int],
    limit_indices: Sequence[int],
    strides: Sequence[int] | None = None,
) -> Array:
    """The elements from start_indices up to limit_indices (exclusive), one pair for each axis.

    Unlike in NumPy's slices neither negative indices nor limits beyond the operand are understood.
    """
    return slice_p.bind(
        operand,
        start_indices=_integers(start_indices),
        limit_indices=_integers(limit_indices),
        strides=None if strides is None else _integers(strides),
    )


def _integers(values: Sequence[int]) -> tuple[int, ...]:
    return tuple([operator.index(n) for n in values])


def slice_in_dim(
    operand: Any, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0
) -> Array:
    """Slice one axis; None and negative indices mean what they mean in a NumPy slice."""
    shape = np.shape(operand)
    length = shape[axis]
    start = 0 if start_index is None else operator.index(start_index)
    limit = length if limit_index is None else operator.index(limit_index)
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis] = start + length if start < 0 else start
    limits[axis] = limit + length if limit < 0 else limit
    strides[axis] = operator.index(stride)
    return slice(operand, starts, limits, strides)


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Array:
    """One position along an axis, as an axis of length 1 or, without keepdims, without the axis.

    Raises IndexError when it lies outside the axis.
    """
    index, axis = operator.index(index), operator.index(axis)
    length = np.shape(operand)[axis]
    if not -length <= index < length:
        raise IndexError(
            f"index {index} is out of bounds for axis {axis} with size {length}: "
            f"it must lie between {-length} and {length - 1}."
        )
    start = index + length if index < 0 else index
    result = slice_in_dim(operand, start, start + 1, 1, axis)
    return result if keepdims else squeeze(result, (axis,))


def _slice_impl(x: np.ndarray, *, start_indices: Any, limit_indices: Any, strides: Any) -> np.ndarray:
    if strides is None:
        return x[tuple(map(_slice, start_indices, limit_indices))]
    return x[tuple(map(_slice, start_indices, limit_indices, strides))]


def _slice_shape(x: ShapedArray, *, start_indices: Any, limit_indices: Any, strides: Any) -> Shape:
    if len(start_indices) != x.ndim or len(limit_indices) != x.ndim:
        raise TypeError(
            "slice start_indices and limit_indices must have one entry for each axis of the operand, got "
            f"start_indices {start_indices} and limit_indices {limit_indices} for operand shape {x.shape}."
        )
    for start, limit, length in zip(start_indices, limit_indices, x.shape):
        if not 0 <= start <= limit <= length:
            raise TypeError(
                f"slice indices must satisfy 0 <= start <= limit <= length of the axis, got start_indices "
                f"{start_indices} and limit_indices {limit_indices} for operand shape {x.shape}. Negative "
                "indices are understood by lax.slice_in_dim and by x[...]."
            )
    if strides is None:
        return tuple(map(operator.sub, limit_indices, start_indices))
    if len(strides) != x.ndim or any(stride <= 0 for stride in strides):
        raise TypeError(
            f"slice strides must hold a positive integer for each axis of the operand, got {strides} "
            f"for operand shape {x.shape}. x[::-1] and lax.rev reverse an axis."
        )
    return tuple([-((a - b) // s) for a, b, s in zip(start_indices, limit_indices, strides)])


slice_p = structural("slice", _slice_impl, _slice_shape)


def _slice_transpose(ct: Any, x: ShapedArray, *, start_indices: Any, limit_indices: Any, strides: Any) -> Any:
    if strides is None:
        strides = (1,) * x.ndim
    config = []
    for start, length, n, stride in zip(start_indices, x.shape, np.shape(ct), strides):
        end = start + (1 + (n - 1) * stride if n else 0)
        config.append((start, length - end, stride - 1))
    return pad(ct, like(ct, 0), config)


def_linear(slice_p, _slice_transpose)


def _slice_batch(axis_size: int, args: Any, dims: Any, *, start_indices: Any, limit_indices: Any, strides: Any) -> Any:
    (x,), (dim,) = args, dims

    def insert(values: tuple[int, ...], value: int) -> tuple[int, ...]:
        return (*values[:dim], value, *values[dim:])

    strides = None if strides is None else insert(strides, 1)
    return slice(x, insert(start_indices, 0), insert(limit_indices, np.shape(x)[dim]), strides), dim


slice_p.batch = _slice_batch


# ----------------------------------------------------------------- pad


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Array:
    """Put `padding_value` before, behind and between the elements: (low, high, interior) for each axis.

    Negative low and high cut elements off. Source: https://openxla.org/stablehlo/spec#pad
    """
    return pad_p.bind(operand, padding_value, padding_config=tuple([_integers(entry) for entry in padding_config]))


def _pad_impl(x: np.ndarray, padding_value: np.ndarray, *, padding_config: Any) -> np.ndarray:
    shape = _padded_lengths(x.shape, padding_config)
    source, target = [], []
    for length, n, (low, _, interior) in zip(shape, x.shape, padding_config):
        step = interior + 1
        first = max(0, -(low // step))  # the first element that does not fall off the low end
        last = min(n, (length - 1 - low) // step + 1)  # one behind the last that does not fall off the high end
        source.append(_slice(first, max(first, last)))
        target.append(_slice(low + first * step, max(0, low + (last - 1) * step + 1) if last > first else 0, step))
    kept = x[tuple(source)]
    if kept.shape == shape:
        return kept
    out = np.empty(shape, x.dtype)
    out[...] = padding_value
    if kept.size:
        out[tuple(target)] = kept
    return out


def _padded_lengths(shape: Shape, padding_config: Any) -> Shape:
    return tuple(
        [low + high + (n + (n - 1) * interior if n else 0) for n, (low, high, interior) in zip(shape, padding_config)]
    )


def _pad_shape(x: ShapedArray, padding_value: ShapedArray, *, padding_config: Any) -> Shape:
    if padding_value.shape:
        raise ValueError(f"pad: padding_value must be a scalar, got one of shape {padding_value.shape}.")
    if len(padding_config) != x.ndim or any(len(entry) != 3 for entry in padding_config):
        raise ValueError(
            "pad: padding_config must hold a triple (low, high, interior) for each axis of the operand, "
            f"got padding_config {padding_config} for operand shape {x.shape}."
        )
    if any(interior < 0 for _, _, interior in padding_config):
        raise ValueError(f"pad: interior padding must be nonnegative, got padding_config {padding_config}.")
    shape = _padded_lengths(x.shape, padding_config)
    if any(n < 0 for n in shape):
        raise ValueError(
            f"pad: negative padding takes away more than there is: got result shape {shape} "
            f"for padding_config {padding_config} and operand shape {x.shape}."
        )
    return shape


def _pad_dtype(x: ShapedArray, padding_value: ShapedArray, *, padding_config: Any) -> Any:
    if x.dtype != padding_value.dtype:
        raise TypeError(
            f"pad operand and padding_value must have one dtype, got {x.dtype} and {padding_value.dtype}. "
            "Convert one of them with lax.convert_element_type."
        )
    return x.dtype


pad_p = standard("pad", _pad_impl, _pad_shape, _pad_dtype)


def _pad_transpose(ct: Any, x: Any, padding_value: Any, *, padding_config: Any) -> tuple[Any, Any]:
    unpadded = pad(ct, like(ct, 0), [(-low, -high, 0) for low, high, _ in padding_config])
    steps = [interior + 1 for _, _, interior in padding_config]
    ct_x = slice(unpadded, [0] * len(steps), np.shape(unpadded), steps)
    if not is_linear(padding_value):
        return ct_x, None
    # The padding gets what does not belong to the operand.
    ct_value = sub(reduce_sum(ct, range(np.ndim(ct))), reduce_sum(ct_x, range(np.ndim(ct_x))))
    return (ct_x if is_linear(x) else None), ct_value


def_jointly_linear(pad_p, _pad_transpose)


def _pad_batch(axis_size: int, args: Any, dims: Any, *, padding_config: Any) -> Any:
    (x, padding_value), (dim, value_dim) = args, dims
    if dim is None:
        x, dim = broadcast(x, (axis_size,)), 0
    config = (*padding_config[:dim], (0, 0, 0), *padding_config[dim:])
    if value_dim is None:
        return pad(x, padding_value, config), dim
    # pad takes one value only: pad with zeros, and choose where they stand.
    padded = pad(x, scalar_like(x, 0), config)
    is_operand = pad(broadcast(np.True_, np.shape(x)), np.False_, config)
    values = broadcast_in_dim(padding_value, np.shape(padded), (dim,))
    return select(is_operand, padded, values), dim


pad_p.batch = _pad_batch
