"""What the axes of a convolution mean, how far it is padded, and the shape of its result."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = [
    "ConvDimensionNumbers",
    "ConvGeneralDilatedDimensionNumbers",
    "conv_dimension_numbers",
    "conv_general_permutations",
    "conv_general_shape_tuple",
    "conv_shape_tuple",
    "conv_transpose_shape_tuple",
    "padtype_to_pads",
]

Axes = tuple[int, ...]
Pads = Sequence[tuple[int, int]]


class ConvDimensionNumbers(NamedTuple):
    """Which axes of the arrays are which.

    lhs_spec   axes of lhs: batch, features, then the spatial ones
    rhs_spec   axes of rhs: output features, input features, then the spatial ones
    out_spec   axes of the result: batch, features, then the spatial ones
    """

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


ConvGeneralDilatedDimensionNumbers = tuple[str, str, str] | ConvDimensionNumbers | None


# ----------------------------------------------------------------- which axis is which


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """`dimension_numbers` in their canonical form, for operands of these shapes.

    They are a ConvDimensionNumbers; or three texts such as ('NHWC', 'HWIO', 'NHWC'), in which N is the batch, C, I
    and O are features and any other letters spatial axes; or None, which means ('NCHW...', 'OIHW...', 'NCHW...').
    Raises TypeError for anything else.
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    if len(lhs_shape) != len(rhs_shape):
        raise TypeError(
            f"a convolution needs lhs and rhs of one rank, got shapes {tuple(lhs_shape)} and {tuple(rhs_shape)}."
        )
    if dimension_numbers is None:
        in_order = tuple(range(len(lhs_shape)))
        return ConvDimensionNumbers(in_order, in_order, in_order)
    if not isinstance(dimension_numbers, list | tuple):
        raise TypeError(
            "dimension_numbers of a convolution must be None, a ConvDimensionNumbers or three texts such as "
            f"('NHWC', 'HWIO', 'NHWC'); got {dimension_numbers!r}."
        )
    if len(dimension_numbers) != 3 or not all(isinstance(spec, str) for spec in dimension_numbers):
        raise TypeError(
            "dimension_numbers of a convolution must be three texts, for lhs, rhs and the result, such as "
            f"('NHWC', 'HWIO', 'NHWC'); got {dimension_numbers!r}."
        )
    for i, spec in enumerate(dimension_numbers):
        if len(spec) != len(lhs_shape):
            raise TypeError(
                f"dimension_numbers[{i}] of a convolution must have one letter for each axis of lhs and rhs, got "
                f"{spec!r} for shapes {tuple(lhs_shape)} and {tuple(rhs_shape)}."
            )
    return ConvDimensionNumbers(*conv_general_permutations(dimension_numbers))


_LETTERS = (("N", "C"), ("O", "I"), ("N", "C"))


def conv_general_permutations(dimension_numbers: Sequence[str]) -> tuple[Axes, Axes, Axes]:
    """The axes that three texts name: of each array first its two lettered ones, then the spatial ones.

    Spatial axes are in the order in which the text for rhs names them. TypeError for texts that do not fit.
    """
    for i, (spec, letters) in enumerate(zip(dimension_numbers, _LETTERS, strict=True)):
        if any(spec.count(letter) != 1 for letter in letters):
            raise TypeError(
                f"dimension_numbers[{i}] of a convolution must contain the letters {letters[0]!r} and {letters[1]!r} "
                f"once each, got {spec!r}."
            )
        if len(set(spec)) != len(spec):
            raise TypeError(f"dimension_numbers[{i}] of a convolution names an axis twice: {spec!r}.")
    spatial = [set(spec) - set(letters) for spec, letters in zip(dimension_numbers, _LETTERS)]
    if not spatial[0] == spatial[1] == spatial[2]:
        raise TypeError(
            "dimension_numbers of a convolution must name the same spatial axes in all three texts, "
            f"got {tuple(dimension_numbers)}."
        )
    order = [letter for letter in dimension_numbers[1] if letter not in _LETTERS[1]]
    lhs, rhs, out = [
        tuple([spec.index(letter) for letter in (*letters, *order)])
        for spec, letters in zip(dimension_numbers, _LETTERS)
    ]
    return lhs, rhs, out


# ----------------------------------------------------------------- padding


def padtype_to_pads(
    in_shape: Sequence[int], window_shape: Sequence[int], window_strides: Sequence[int], padding: str
) -> list[tuple[int, int]]:
    """The padding before and behind each axis that 'SAME', 'SAME_LOWER' or 'VALID' stands for.

    With 'SAME' there are ceil(length / stride) windows along an axis. If the padding that it takes is odd, there is
    one more behind; with 'SAME_LOWER' one more in front. RuntimeError for another text, TypeError for no text.
    """
    if not isinstance(padding, str):
        raise TypeError(f"a padding type must be 'SAME', 'SAME_LOWER' or 'VALID', got {padding!r}.")
    kind = padding.upper()
    if kind not in ("SAME", "SAME_LOWER", "VALID"):
        raise RuntimeError(f"Unrecognized padding type {padding!r}: it must be 'SAME', 'SAME_LOWER' or 'VALID'.")
    if kind == "VALID":
        return [(0, 0)] * len(in_shape)
    totals = [
        max((-(-n // stride) - 1) * stride + window - n, 0)
        for n, window, stride in zip(in_shape, window_shape, window_strides)
    ]
    if kind == "SAME":
        return [(total // 2, total - total // 2) for total in totals]
    return [(total - total // 2, total // 2) for total in totals]


def transposed_padding(window: int, stride: int, padding: Any) -> tuple[int, int]:
    """Padding of a transposed convolution along one axis, from that of the convolution which it goes with."""
    if padding == "SAME":
        total = window + stride - 2
        low = window - 1 if stride > window - 1 else -(-total // 2)
    elif padding == "VALID":
        total = window + stride - 2 + max(window - stride, 0)
        low = window - 1
    elif isinstance(padding, tuple):
        low, high = [window - p - 1 for p in padding]
        total = low + high
    else:
        raise ValueError(f"padding of a transposed convolution must be 'SAME', 'VALID' or pairs, got {padding!r}.")
    return low, total - low


# ----------------------------------------------------------------- shapes


def dilated_shape(shape: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Lengths with `dilation - 1` places between neighbours. TypeError for dilations below 1.

    A dilation that is shorter than the shape is for its last axes.
    """
    if any(d < 1 for d in dilation):
        raise TypeError(f"all dilations must be positive, got {tuple(dilation)} for lengths {tuple(shape)}.")
    dilation = (1,) * (len(shape) - len(dilation)) + tuple(dilation)
    return tuple([max(1 + d * (n - 1), 0) if d != 1 else n for n, d in zip(shape, dilation, strict=True)])


def window_count(length: int, window: int, stride: int) -> int:
    """How many windows fit in a length."""
    return max((length - window) // stride + 1, 0)


def conv_shape_tuple(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], strides: Sequence[int], pads: Any, batch_group_count: int = 1
) -> tuple[int, ...]:
    """The shape of a convolution whose operands have their axes in canonical order.

    Raises TypeError for the wrong number of pads, ValueError for negative ones that leave less than nothing.
    """
    if isinstance(pads, str):
        pads = padtype_to_pads(lhs_shape[2:], rhs_shape[2:], strides, pads)
    if len(pads) != len(lhs_shape) - 2:
        raise TypeError(f"Wrong number of pads for a convolution: expected {len(lhs_shape) - 2}, got {tuple(pads)}.")
    padded = [n + low + high for n, (low, high) in zip(lhs_shape[2:], pads)]
    if any(n < 0 for n in padded):
        raise ValueError(
            f"Negative padding takes away more than there is: got padding {tuple(pads)} for the spatial lengths "
            f"{tuple(map(int, lhs_shape[2:]))}."
        )
    windows = map(window_count, padded, rhs_shape[2:], strides)
    return (int(lhs_shape[0]) // batch_group_count, int(rhs_shape[0]), *map(int, windows))


def conv_general_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    dimension_numbers: Sequence[str],
) -> tuple[int, ...]:
    """The shape of a convolution, its axes named by three texts as in `conv_dimension_numbers`."""
    lhs_spec, rhs_spec, out_spec = conv_general_permutations(dimension_numbers)
    lengths = conv_shape_tuple(take(lhs_shape, lhs_spec), take(rhs_shape, rhs_spec), window_strides, padding)
    return placed(lengths, out_spec)


def conv_transpose_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    dimension_numbers: Sequence[str],
) -> tuple[int, ...]:
    """The shape of a transposed convolution, its axes named by three texts as in `conv_dimension_numbers`."""
    lhs_spec, rhs_spec, out_spec = conv_general_permutations(dimension_numbers)
    lhs, rhs = take(lhs_shape, lhs_spec), take(rhs_shape, rhs_spec)
    if isinstance(padding, str):
        padding = [transposed_padding(k, s, padding) for k, s in zip(rhs[2:], window_strides)]
    space = [
        (n - 1) * stride - window + 2 + sum(pads)
        for n, window, stride, pads in zip(lhs[2:], rhs[2:], window_strides, padding)
    ]
    return placed((lhs[0], rhs[0], *space), out_spec)


def take(shape: Sequence[int], spec: Sequence[int]) -> tuple[int, ...]:
    """The lengths of the axes `spec`."""
    return tuple([operator.index(shape[d]) for d in spec])


def placed(lengths: Sequence[int], spec: Sequence[int]) -> tuple[int, ...]:
    """The shape whose axes `spec` have these lengths."""
    out = [0] * len(lengths)
    for n, d in zip(lengths, spec, strict=True):
        out[d] = n
    return tuple(out)
