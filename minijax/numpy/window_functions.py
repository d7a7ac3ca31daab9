"""Windows of M points for filtering and for spectra: symmetric, 1 in the middle. One point gives 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minijax import dtypes, lax
from minijax.array import Array
from minijax.autodiff import jvp
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.axes import require_known
from minijax.numpy.exponential import sqrt
from minijax.numpy.promotion import array_of, promote_args_inexact
from minijax.numpy.selection import if_else
from minijax.numpy.trigonometry import cos

__all__ = ["bartlett", "blackman", "hamming", "hanning", "i0", "kaiser"]


def _window(name: str, M: Any, value: Callable[[Array, int], Array]) -> Array:
    """value(0, 1, ... M - 1; M - 1)."""
    length = int(require_known(M, f"the M argument of jnp.{name}"))
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


def kaiser(M: int, beta: Any) -> Array:
    """i0(beta sqrt(1 - t**2)) / i0(beta) for t from -1 to 1: the larger beta, the narrower the window."""

    def value(n: Array, last: int) -> Array:
        middle = 0.5 * last
        return i0(beta * sqrt(1 - ((n - middle) / middle) ** 2)) / i0(beta)

    return _window("kaiser", M, value)


def i0(x: Any) -> Array:
    """The modified Bessel function of order 0 of real x. ValueError for complex numbers."""
    (x,) = map(array_of, promote_args_inexact("i0", x))
    if not dtypes.is_float(x.dtype):
        raise ValueError(f"Unsupported input type to jax.numpy.i0: {x.dtype}; it must be real.")
    return _i0(x)


@custom_jvp
def _i0(x: Array) -> Array:
    return _scaled_back(x)


def _scaled_back(x: Array) -> Array:
    size = lax.abs(x)
    return lax.mul(lax.exp(size), lax.bessel_i0e(size))


@_i0.defjvp
def _i0_jvp(primals: Any, tangents: Any) -> Any:
    out, tangent = jvp(_scaled_back, primals, tangents)
    # The function is flat at 0, where the formula has |x|.
    return out, if_else(primals[0] == 0, 0.0, tangent)
