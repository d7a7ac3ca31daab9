"""Windows that slide over an array, in NumPy: padding, dilation, and views of all windows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.primitives.convolution_dimensions import dilated_shape, window_count


def pad_and_dilate(x: np.ndarray, padding: Sequence[tuple[int, int]], dilation: Sequence[int], fill: Any) -> np.ndarray:
    """`x` with `fill` around and between its elements along its last axes; negative padding cuts off."""
    if not any(low or high for low, high in padding) and all(d == 1 for d in dilation):
        return x
    first = x.ndim - len(padding)
    lengths = dilated_shape(x.shape[first:], dilation)
    shape = [*x.shape[:first], *[n + low + high for n, (low, high) in zip(lengths, padding)]]
    pairs = [
        meeting(low, n, length, step)
        for (low, _), n, length, step in zip(padding, x.shape[first:], shape[first:], dilation)
    ]
    inside, kept = zip(*pairs)
    # In the order in which x lies in memory: the windows are then read along with it.
    order = sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))
    out = np.full([shape[d] for d in order], fill, x.dtype).transpose(np.argsort(order))
    out[(..., *inside)] = x[(..., *kept)]
    return out


def sliding_windows(
    x: np.ndarray, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> tuple[np.ndarray, list[int]]:
    """The windows along the last axes of `x`, and how many there are along each.

    The first is a view with the other axes in front, then an axis for each place, then the axes of a window.
    """
    first = x.ndim - len(window)
    steps = x.strides[first:]
    places = list(map(window_count, x.shape[first:], dilated_shape(window, dilation), strides))
    moves = [step * stride for step, stride in zip(steps, strides)]
    inside = [step * d for step, d in zip(steps, dilation)]
    shape = (*x.shape[:first], *places, *window)
    view = np.lib.stride_tricks.as_strided(x, shape, (*x.strides[:first], *moves, *inside), writeable=False)
    return view, places


def meeting(offset: int, n: int, places: int, step: int) -> tuple[slice, slice]:
    """All places p = offset + i * step in range(places), with i in range(n), and these i."""
    start = max(0, -(offset // step))
    stop = min(n, (places - 1 - offset) // step + 1)
    if stop <= start:
        return slice(0, 0), slice(0, 0)
    return slice(offset + start * step, offset + (stop - 1) * step + 1, step), slice(start, stop)
