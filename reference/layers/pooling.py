"""Pooling: one number for each window and channel of sequences f[batch, time, channels] or images."""

from collections.abc import Callable, Sequence

import numpy as np

from ..engines import Array, Engine
from .conv import Padding, per_axis

__all__ = ["avg_pool", "global_avg_pool", "max_pool"]

Sizes = int | Sequence[int]


def max_pool(
    jax: Engine, x: Array, window: Sizes = 2, *, strides: Sizes | None = None, padding: Padding = "VALID"
) -> Array:
    """The largest number of each window; `strides` is the window itself where it is None.

    Windows that lie side by side are taken as axes of their own, which makes a training step of a small network on the
    CPU twice as fast in XLA. There equal largest numbers share the gradient; else the first of them has it all.
    """
    sizes = per_axis(window, x.ndim - 2)
    if padding == "VALID" and strides in (None, window):
        return jax.numpy.max(_side_by_side(x, sizes), axis=tuple(range(2, 2 * len(sizes) + 1, 2)))
    return _pool(jax, x, -np.inf, jax.lax.max, window, strides, padding)


def _side_by_side(x: Array, sizes: tuple[int, ...]) -> Array:
    """f[batch, places, size, places, size, ..., channels]; what does not fill a window is cut off."""
    whole = [(n // size, size) for n, size in zip(x.shape[1:-1], sizes, strict=True)]
    cut = x[(slice(None), *(slice(places * size) for places, size in whole))]
    return cut.reshape(len(x), *(n for pair in whole for n in pair), x.shape[-1])


def avg_pool(
    jax: Engine, x: Array, window: Sizes = 2, *, strides: Sizes | None = None, padding: Padding = "VALID"
) -> Array:
    """The mean of each window, padding not counted."""
    sums = _pool(jax, x, 0.0, jax.lax.add, window, strides, padding)
    inside = jax.numpy.ones((1, *x.shape[1:-1], 1), x.dtype)
    return sums / _pool(jax, inside, 0.0, jax.lax.add, window, strides, padding)


def _pool(
    jax: Engine, x: Array, start: float, reduce: Callable, window: Sizes, strides: Sizes | None, padding: Padding
) -> Array:
    axes = x.ndim - 2
    strides = window if strides is None else strides
    padding = padding if isinstance(padding, str) else ((0, 0), *padding, (0, 0))
    sizes, steps = (1, *per_axis(window, axes), 1), (1, *per_axis(strides, axes), 1)
    return jax.lax.reduce_window(x, np.asarray(start, x.dtype), reduce, sizes, steps, padding)


def global_avg_pool(jax: Engine, x: Array) -> Array:
    """The mean over all axes between the first and the last: f[batch, channels]."""
    return jax.numpy.mean(x, axis=tuple(range(1, x.ndim - 1)))
