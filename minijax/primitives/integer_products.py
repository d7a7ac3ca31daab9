"""mulhi: the upper half of the product of two integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.families import binary
from minijax.primitives.standard import def_jvp_zero

__all__ = ["mulhi", "mulhi_p"]

_WIDER = {
    "int8": "int16",
    "int16": "int32",
    "int32": "int64",
    "uint8": "uint16",
    "uint16": "uint32",
    "uint32": "uint64",
}


def mulhi(x: Any, y: Any, /) -> Array:
    """The upper half of the bits of x * y, elementwise: x * y shifted right by the width of the dtype."""
    return mulhi_p.bind(x, y)


def _mulhi(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    dtype = x.dtype
    if dtype.itemsize == 8:
        return _mulhi_of_halves(x, y)
    wide = np.dtype(_WIDER[dtype.name])
    return (np.multiply(x, y, dtype=wide) >> wide.type(8 * dtype.itemsize)).astype(dtype)


def _mulhi_of_halves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """64 bits, in halves of 32, as one multiplies on paper; NumPy has no wider integers."""
    half, low_bits = x.dtype.type(32), x.dtype.type(0xFFFFFFFF)
    x_high, x_low, y_high, y_low = x >> half, x & low_bits, y >> half, y & low_bits
    lowest = _shifted_right_unsigned(x_low * y_low)
    middle = x_high * y_low + lowest
    carry = x_low * y_high + (middle & low_bits)
    return x_high * y_high + (middle >> half) + (carry >> half)


def _shifted_right_unsigned(x: np.ndarray) -> np.ndarray:
    """The upper half of the product of two lower halves, which has no sign."""
    return (np.asarray(x).view(np.uint64) >> np.uint64(32)).view(x.dtype)


mulhi_p = binary("mulhi", _mulhi, accepts="iu")
def_jvp_zero(mulhi_p)
