"""Whole numbers: common divisors and multiples, and bytes taken apart into bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import absolute, floor_divide, multiply
from minijax.numpy.manipulation import broadcast_arrays, ravel, swapaxes
from minijax.numpy.padding import pad
from minijax.numpy.promotion import as_arrays, ensure_arraylike, promote_dtypes
from minijax.numpy.reductions import any
from minijax.numpy.selection import if_else

__all__ = ["gcd", "lcm", "packbits", "unpackbits"]

# --------------------------------------------------------------------------- divisors


def gcd(x1: Any, x2: Any) -> Array:
    """The greatest common divisor, by Euclid's algorithm; gcd(x, 0) = |x|. ValueError unless both are integers."""
    x1, x2 = broadcast_arrays(*_integers("gcd", x1, x2))

    def divisor_and_remainder(pair: tuple[Array, Array]) -> tuple[Array, Array]:
        a, b = pair
        going_on = b != 0
        return if_else(going_on, b, a), if_else(going_on, lax.rem(a, if_else(going_on, b, 1)), 0)

    # Remainders shrink in any case, even those of the least integer, which is its own absolute value.
    pair = absolute(x1), absolute(x2)
    return absolute(lax.while_loop(lambda pair: any(pair[1] != 0), divisor_and_remainder, pair)[0])


def lcm(x1: Any, x2: Any) -> Array:
    """The least common multiple, 0 where either is 0. ValueError unless both are integers."""
    x1, x2 = map(absolute, _integers("lcm", x1, x2))
    divisor = gcd(x1, x2)
    none = divisor == 0
    return if_else(none, 0, multiply(x1, floor_divide(x2, if_else(none, 1, divisor))))


def _integers(name: str, x1: Any, x2: Any) -> list[Array]:
    x1, x2 = promote_dtypes(*as_arrays(name, (x1, x2)))
    if not dtypes.is_integer(x1.dtype):
        raise ValueError(f"Arguments to jax.numpy.{name} must be integers, got {x1.dtype}.")
    return [x1, x2]


# --------------------------------------------------------------------------- bits


def packbits(a: Any, axis: int | None = None, bitorder: str = "big") -> Array:
    """Every eight elements along an axis as the bits of one byte; zeros fill up the last one.

    Nonzero elements count as 1. bitorder: whether the first one is the highest bit ('big') or the lowest ('little').
    Without an axis the array is flattened.
    """
    a = ensure_arraylike("packbits", a)
    if dtypes.kind(a.dtype) not in "iub":
        raise TypeError(f"packbits: expected an array of integers or booleans, got {a.dtype}.")
    weights = _bit_weights("packbits", bitorder)
    a, axis = (ravel(a), 0) if axis is None else (a, axis)
    bits = swapaxes(lax.ne(a, lax.full_like(a, 0)).astype(np.uint8), axis, -1)
    missing = -bits.shape[-1] % 8
    bits = pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, missing)])
    octets = bits.reshape(*bits.shape[:-1], bits.shape[-1] // 8, 8)
    return swapaxes((octets * weights).sum(-1, dtype=np.uint8), axis, -1)


def unpackbits(a: Any, axis: int | None = None, count: int | None = None, bitorder: str = "big") -> Array:
    """The eight bits of each byte as eight elements along an axis; of the flattened array without one.

    count: how many of them; a negative number leaves out that many at the end.
    """
    a = ensure_arraylike("unpackbits", a)
    if a.dtype != np.uint8:
        raise TypeError(f"unpackbits: expected an array of unsigned bytes (uint8), got {a.dtype}.")
    weights = _bit_weights("unpackbits", bitorder)
    a, axis = (ravel(a), 0) if axis is None else (a, axis)
    bytes_last = swapaxes(a, axis, -1)
    bits = ((bytes_last[..., None] & weights) > 0).astype(np.uint8)
    bits = bits.reshape(*bytes_last.shape[:-1], 8 * bytes_last.shape[-1])
    if count is not None:
        beyond = max(0, count - bits.shape[-1])
        bits = pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, beyond)])[..., :count]
    return swapaxes(bits, axis, -1)


def _bit_weights(name: str, bitorder: str) -> np.ndarray:
    if bitorder not in ("big", "little"):
        raise ValueError(f"{name}: bitorder must be either 'big' or 'little', got {bitorder!r}.")
    weights = 1 << np.arange(8, dtype=np.uint8)
    return (weights[::-1] if bitorder == "big" else weights).astype(np.uint8)
