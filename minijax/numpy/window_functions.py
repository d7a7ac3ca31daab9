"""Windows of M points for filtering and for spectra: symmetric, 1 in the middle. One point gives 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.axes import static_int
from minijax.numpy.trigonometry import cos

__all__ = ["bartlett", "blackman", "hamming", "hanning"]


def _window(name: str, M: Any, value: Callable[[Array, int], Array]) -> Array:
    """value(0, 1, ... M - 1; M - 1)."""
    length = static_int(M, f"the M argument of jnp.{name}")
    dtype = dtypes.default_float_dtype()
    return lax.full((length,), 1, dtype) if length <= 1 else value(lax.iota(dtype, length), length - 1)


def bartlett(M: int) -> Array:
    """The triangular window that ends in zeros."""
    return _window("bartlett", M, lambda n, last: 1 - lax.abs(2 * n + 1 - (last + 1)) / last)


def blackman(M: int) -> Array:
    """0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1))."""
    return _window(
        "blackman",
        M,
        lambda n, last: 0.42 - 0.5 * cos(2 * math.pi * n / last) + 0.08 * cos(4 * math.pi * n / last),
    )


def hamming(M: int) -> Array:
    """0.54 - 0.46 cos(2 pi n / (M - 1))."""
    return _window("hamming", M, lambda n, last: 0.54 - 0.46 * cos(2 * math.pi * n / last))


def hanning(M: int) -> Array:
    """0.5 - 0.5 cos(2 pi n / (M - 1))."""
    return _window("hanning", M, lambda n, last: 0.5 * (1 - cos(2 * math.pi * n / last)))
