"""Convolution by NumPy: windows are copied into a matrix, which BLAS multiplies with the weights ("im2col").

The matrix of all windows is as many times larger than the input as a window has elements. So it is made
block by block, each of which fits into the cache of a processor core: of some examples with all of their
features or, where windows are large and few (as in the derivative with respect to the weights), of all
examples with some of their features, whose products add up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from minijax.primitives.convolution_dimensions import ConvDimensionNumbers, dilated_shape
from minijax.primitives.sliding import meeting, pad_and_dilate, sliding_windows
from minijax.workers import share

# Elements of a block: a megabyte of single precision.
BLOCK = 1 << 18
# How wide a matrix has to be for BLAS to be at its best.
WIDTH = 1024


def convolve(
    x: np.ndarray,
    w: np.ndarray,
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int],
    rhs_dilation: Sequence[int],
    numbers: ConvDimensionNumbers,
    groups: int,
    batch_groups: int,
) -> np.ndarray:
    """The convolution of two arrays of one dtype, in which the sums are made."""
    lhs_spec, rhs_spec, out_spec = numbers
    x, w = x.transpose(lhs_spec), w.transpose(rhs_spec)
    parts = max(groups, batch_groups)
    window = w.shape[2:]
    scatter = all(s == 1 for s in strides) and _prefers_scattering(window, x.shape[1], w.shape[0], lhs_dilation)
    if scatter:
        lengths = dilated_shape(x.shape[2:], lhs_dilation)
        places = [n + low + high - d * (k - 1) for n, (low, high), k, d in zip(lengths, padding, window, rhs_dilation)]
        source = x
    else:
        source, places = sliding_windows(pad_and_dilate(x, padding, lhs_dilation, 0), window, strides, rhs_dilation)
    out = _empty((x.shape[0] // batch_groups, w.shape[0], *[max(n, 0) for n in places]), x.dtype, out_spec)
    for i in range(parts):
        part = source[_part(i, batch_groups, x.shape[0]), _part(i, groups, x.shape[1])]
        outputs = _part(i, parts, w.shape[0])
        weights, result = w[outputs], out[:, outputs]
        if not (part.size and weights.size and result.size):
            result[...] = 0
        elif scatter:
            _scatter(part, weights, result, [low for low, _ in padding], lhs_dilation, rhs_dilation)
        elif math.prod(window) == 1:
            _pointwise(part, weights, result)
        else:
            _gather(part, weights, result)
    return out.transpose(np.argsort(out_spec))


def _prefers_scattering(window: Sequence[int], features: int, outputs: int, dilation: Sequence[int]) -> bool:
    """Whether to multiply first and add the products where they belong, instead of copying windows first.

    That leaves out the zeros between dilated elements, and moves less where there are fewer output than input features.
    """
    return 1 < math.prod(window) <= 64 and (any(d != 1 for d in dilation) or 2 * outputs <= features)


def _part(i: int, parts: int, length: int) -> slice:
    """Part `i` of an axis that is cut in `parts`."""
    size = length // parts
    return slice(i * size, (i + 1) * size) if parts > 1 else slice(None)


def _empty(shape: tuple[int, ...], dtype: np.dtype, spec: Sequence[int]) -> np.ndarray:
    """An uninitialised array that will be contiguous with its axes at the places `spec`."""
    lengths = [0] * len(shape)
    for n, d in zip(shape, spec):
        lengths[d] = n
    return np.empty(lengths, dtype).transpose(spec)


# ----------------------------------------------------------------- copy windows, then multiply


def _gather(view: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
    """out[n, o, place] = sum over features and window of view[n, c, place, window] * w[o, c, window]."""
    rank = out.ndim - 2
    # The axes of the result (example and place; they have the same numbers there) and those summed over (feature
    # and window), each in the order of memory, so that copies run along it.
    free = _in_order_of_memory(view, [0, *range(2, 2 + rank)])
    summed = _in_order_of_memory(view, [1, *range(2 + rank, 2 + 2 * rank)])
    free_inside = _run(view, free) > _run(view, summed)
    weight_axes = [0, *[d if d == 1 else d - rank for d in summed]]
    features_last = out.strides[1] < out.strides[free[-1]]
    out_axes = [*free, 1] if features_last else [1, *free]

    def block(of_view: Any, of_weights: Any, of_out: Any, first: bool) -> None:
        columns = _matrix(view[of_view], summed, free).T if free_inside else _matrix(view[of_view], free, summed)
        weights = _matrix(w[of_weights], weight_axes[:1], weight_axes[1:])
        target = out[of_out].transpose(out_axes)
        product = columns @ weights.T if features_last else weights @ columns.T
        if first:
            target[...] = product.reshape(target.shape)
        else:
            target += product.reshape(target.shape)

    # The first block of a part of the result, and those that are added to it, in this order whoever computes them.
    parts: list[list[tuple[Any, Any, Any, bool]]] = []
    for place in _blocks(view.shape):
        parts.append([place]) if place[-1] else parts[-1].append(place)
    share([partial(_all_of, block, part) for part in parts], view.size)


def _all_of(block: Callable[..., None], places: Sequence[tuple[Any, ...]]) -> None:
    for place in places:
        block(*place)


def _in_order_of_memory(x: np.ndarray, axes: Sequence[int]) -> list[int]:
    return sorted(axes, key=lambda d: -abs(x.strides[d]))


def _run(x: np.ndarray, axes: Sequence[int]) -> int:
    """How many elements NumPy copies in one go if `axes` are the last ones."""
    run, step = 1, None
    for d in reversed(axes):
        if x.shape[d] == 1:
            continue
        if step is not None and x.strides[d] != step * run:
            break
        step = x.strides[d] if step is None else step
        run *= x.shape[d]
    return run


def _matrix(x: np.ndarray, rows: Sequence[int], columns: Sequence[int]) -> np.ndarray:
    """`x` with the axes `rows` joined into one, and the axes `columns` into another."""
    return x.transpose(*rows, *columns).reshape(math.prod([x.shape[d] for d in rows]), -1)


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[Any, Any, Any, bool]]:
    """Index expressions of a block of the windows, of the weights and of the result that belong to it.

    Also whether it is the first block of this part of the result; the other ones are to be added.
    """
    if math.prod(shape) <= BLOCK:
        yield ..., ..., ..., True
        return
    n, c, *lengths = shape
    rank = len(lengths) // 2
    places, window = lengths[:rank], lengths[rank:]
    examples, features, place_rows, window_rows = _block_lengths(n, c, places, window)
    whole = (slice(None),) * (rank - 1)
    for some in _slices(n, examples):
        for rows in _slices(places[0], place_rows):
            for k, (channels, lines) in enumerate(
                itertools.product(_slices(c, features), _slices(window[0], window_rows))
            ):
                yield (
                    (some, channels, rows, *whole, lines),
                    (slice(None), channels, lines),
                    (some, slice(None), rows),
                    k == 0,
                )


def _block_lengths(n: int, c: int, places: Sequence[int], window: Sequence[int]) -> tuple[int, int, int, int]:
    """How many examples, features, rows of places and rows of the window a block has.

    The matrices should be neither narrow nor flat. Where there are more places than the window has elements, a
    block has the features of one example or several; otherwise one feature or several of all examples.
    """
    forward = math.prod(places) >= math.prod(window)
    long, whole, other = (places, c, n) if forward else (window, n, c)
    row = math.prod(places) * math.prod(window) // long[0]
    rows = long[0]
    if whole * row * rows > BLOCK:
        rows = min(rows, max(1, WIDTH // math.prod(long[1:])))
    length = min(whole, max(1, BLOCK // (rows * row)))
    others = min(other, max(1, BLOCK // (rows * row * length)))
    return (others, length, rows, window[0]) if forward else (length, others, places[0], rows)


def _slices(length: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, length, size)]


# ----------------------------------------------------------------- windows of one element


def _pointwise(view: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
    """out[n, o, place] = sum over c of view[n, c, place] * w[o, c], without a copy of what is contiguous."""
    rank = out.ndim - 2
    x, w = view[(..., *(0,) * rank)], w.reshape(w.shape[:2])
    axes = _in_order_of_memory(x, [0, *range(2, 2 + rank)])
    if axes[0] == 0 and rank and x.strides[1] > x.strides[axes[-1]]:
        # Features in front of the places: one product for each example.
        product = w @ x.transpose(0, 1, *axes[1:]).reshape(*x.shape[:2], -1)
        target = out.transpose(0, 1, *axes[1:])
    else:
        product = _matrix(x, axes, [1]) @ w.T
        target = out.transpose(*axes, 1)
    target[...] = product.reshape(target.shape)


# ----------------------------------------------------------------- multiply, then add at the right places


def _scatter(
    x: np.ndarray,
    w: np.ndarray,
    out: np.ndarray,
    lows: Sequence[int],
    lhs_dilation: Sequence[int],
    rhs_dilation: Sequence[int],
) -> None:
    """The convolution with steps of 1, of x[n, c, *space] as it is before padding and dilation.

    Element i meets element k of the window at the place p = low + i * lhs_dilation - k * rhs_dilation.
    """
    window, space = w.shape[2:], x.shape[2:]
    rank = len(window)
    taps = w.transpose(*range(2, 2 + rank), 0, 1).reshape(-1, w.shape[1])
    size = max(1, BLOCK // (len(taps) * math.prod(space)))

    def block(some: slice) -> None:
        examples = x[some]
        products = taps @ examples.reshape(*examples.shape[:2], -1)
        products = products.reshape(len(examples), *window, len(w), *space)
        sums = np.zeros((len(examples), *out.shape[1:]), out.dtype)
        for k in np.ndindex(*window):
            pairs = [
                meeting(low - i * step, n, places, d)
                for i, low, step, n, places, d in zip(k, lows, rhs_dilation, space, out.shape[2:], lhs_dilation)
            ]
            targets, sources = zip(*pairs)
            sums[(..., *targets)] += products[(slice(None), *k, slice(None), *sources)]
        out[some] = sums

    share([partial(block, some) for some in _slices(len(x), size)], x.size * len(taps))
