"""Convolutions in other words: with fewer parameters, transposed, as patches, with weights of their own per place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import as_operand
from minijax.primitives.arithmetic import add
from minijax.primitives.comparison import eq
from minijax.primitives.conversion import convert_element_type
from minijax.primitives.convolution import conv_general_dilated
from minijax.primitives.convolution_dimensions import conv_dimension_numbers, take, transposed_padding
from minijax.primitives.creation import broadcasted_iota
from minijax.primitives.dot import Precision, canonicalize_precision, dot_general
from minijax.primitives.joining import rev
from minijax.primitives.shaping import broadcast_in_dim, reshape, transpose

__all__ = [
    "conv",
    "conv_general_dilated_local",
    "conv_general_dilated_patches",
    "conv_transpose",
    "conv_with_general_padding",
]

Pads = Sequence[tuple[int, int]]


def conv(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Array:
    """conv_general_dilated without dilation and groups: [batch, features, ...] and [output, input features, ...]."""
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, precision=precision, preferred_element_type=preferred_element_type
    )


def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Pads,
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Array:
    """conv_general_dilated without groups: [batch, features, ...] and [output features, input features, ...]."""
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


# ----------------------------------------------------------------- transposed convolution

_CHANNELS_LAST = {
    2: ("NC", "IO", "NC"),
    3: ("NHC", "HIO", "NHC"),
    4: ("NHWC", "HWIO", "NHWC"),
    5: ("NHWDC", "HWDIO", "NHWDC"),
}


def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: str | Pads,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> Array:
    """A convolution with fractional strides, as generators and decoders use it to enlarge images.

    Features come last in lhs, and as (..., input, output) in rhs, unless `dimension_numbers` says otherwise.
    padding: 'SAME' or 'VALID' mean those of the convolution that this one transposes; pairs are taken as they are or,
    with use_consistent_padding, as its too. With transpose_kernel it is the derivative of a convolution with weights
    `rhs`: the windows are reversed, their input and output features exchanged.
    """
    rank = len(lhs.shape)
    if rank != len(rhs.shape) or rank < 2:
        raise AssertionError(
            f"conv_transpose: lhs and rhs must have one rank, at least 2, got shapes {lhs.shape} and {rhs.shape}."
        )
    if dimension_numbers is None:
        if rank not in _CHANNELS_LAST:
            raise ValueError(
                f"conv_transpose: there are no default dimension_numbers for {rank - 2} spatial axes; pass them."
            )
        dimension_numbers = _CHANNELS_LAST[rank]
    numbers = conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    if rhs_dilation is None:
        rhs_dilation = (1,) * (rank - 2)
    pads: Any = padding
    if use_consistent_padding or (isinstance(padding, str) and padding in ("SAME", "VALID")):
        window = [max(1 + d * (k - 1), 0) for k, d in zip(take(rhs.shape, numbers.rhs_spec)[2:], rhs_dilation)]
        each = [padding] * len(strides) if isinstance(padding, str) else padding
        pads = tuple([transposed_padding(k, s, p) for k, s, p in zip(window, strides, each)])
    if transpose_kernel:
        rhs = _turned_round(rhs, numbers.rhs_spec)
    return conv_general_dilated(
        lhs,
        rhs,
        (1,) * (rank - 2),
        pads,
        strides,
        rhs_dilation,
        numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def _turned_round(rhs: Any, spec: Sequence[int]) -> Any:
    """Weights with their windows reversed, input and output features exchanged."""
    output, inputs, *spatial = spec
    for axis in spatial:
        rhs = rev(rhs, (axis,))
    order = list(range(len(spec)))
    order[output], order[inputs] = inputs, output
    return transpose(rhs, order)


# ----------------------------------------------------------------- patches


def conv_general_dilated_patches(
    lhs: Any,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Pads,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Array:
    """The windows themselves, each laid out along the feature axis of the result: features first, then window axes.

    It is a convolution in which every feature is a group, with a weight of 1 for each element of a window.
    """
    lhs, window = as_operand(lhs), tuple(filter_shape)
    numbers = conv_dimension_numbers(lhs.shape, (1, 1, *window), dimension_numbers)
    size, features = math.prod(window), lhs.shape[numbers.lhs_spec[1]]
    weights = broadcast_in_dim(_identity_matrix(size, lhs.dtype), (features, size, size), (1, 2))
    weights = reshape(weights, (features * size, 1, *window))
    return conv_general_dilated(
        lhs,
        _move_axes(weights, (0, 1), numbers.rhs_spec[:2]),
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        numbers,
        feature_group_count=features,
        precision=None if precision is None else (precision, Precision.DEFAULT),
        preferred_element_type=preferred_element_type,
    )


def _identity_matrix(n: int, dtype: Any) -> Array:
    row, column = [broadcasted_iota(np.dtype(np.int32), (n, n), d) for d in (0, 1)]
    return convert_element_type(eq(add(row, np.int32(0)), column), dtype)


def _move_axes(x: Array, source: Sequence[int], target: Sequence[int]) -> Array:
    """`x` with the axes `source` at the places `target`, the others in their order."""
    source, target = [d % x.ndim for d in source], [d % x.ndim for d in target]
    order = [d for d in range(x.ndim) if d not in source]
    for place, d in sorted(zip(target, source)):
        order.insert(place, d)
    return transpose(x, order)


def conv_general_dilated_local(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Pads,
    filter_shape: Sequence[int],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
) -> Array:
    """A convolution with weights of their own at every place (a locally connected layer).

    The spatial axes of rhs are those of the result; its input features are the elements of a patch, in the order of
    `conv_general_dilated_patches`.
    """
    lhs = as_operand(lhs)
    pair = canonicalize_precision(precision)
    if pair is not None and not isinstance(pair, tuple):
        raise ValueError(f"conv_general_dilated_local: precision must be a lax.Precision or two, got {precision!r}.")
    patches = conv_general_dilated_patches(
        lhs,
        filter_shape,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        dimension_numbers,
        None if pair is None else pair[0],
    )
    numbers = conv_dimension_numbers(lhs.shape, (1, 1, *filter_shape), dimension_numbers)
    _, rhs_spec, out_spec = numbers
    places, weights = zip(*sorted(zip(out_spec[2:], rhs_spec[2:]))) if len(out_spec) > 2 else ((), ())
    contracting = ((out_spec[1],), (rhs_spec[1],))
    out = dot_general(patches, rhs, (contracting, (places, weights)), precision)
    return _move_axes(out, (-2, -1), out_spec[:2])
