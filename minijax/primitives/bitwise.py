"""Bitwise operations and shifts on integers (the logical ones on booleans too); none has a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import Rule
from minijax.primitives.families import binary, unary
from minijax.primitives.standard import def_jvp_zero

__all__ = [
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "clz",
    "population_count",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
]


def bitwise_not(x: Any) -> Array:
    """Every bit flipped; logical negation for booleans."""
    return not_p.bind(x)


not_p = unary("not", np.invert, accepts="biu")


def bitwise_and(x: Any, y: Any) -> Array:
    """The bits that are set in both x and y."""
    return and_p.bind(x, y)


and_p = binary("and", np.bitwise_and, accepts="biu")


def bitwise_or(x: Any, y: Any) -> Array:
    """The bits that are set in x or y or both."""
    return or_p.bind(x, y)


or_p = binary("or", np.bitwise_or, accepts="biu")


def bitwise_xor(x: Any, y: Any) -> Array:
    """The bits that are set in just one of x and y."""
    return xor_p.bind(x, y)


xor_p = binary("xor", np.bitwise_xor, accepts="biu")


# ----------------------------------------------------------------- counting bits


def population_count(x: Any) -> Array:
    """The number of bits that are set, in x's dtype."""
    return population_count_p.bind(x)


def _bits(x: np.ndarray) -> np.ndarray:
    """The bits of integers as unsigned integers."""
    return x.view(f"u{x.dtype.itemsize}")


def _population_count_impl(x: np.ndarray) -> np.ndarray:
    return np.bitwise_count(_bits(x)).astype(x.dtype)


population_count_p = unary("population_count", _population_count_impl, accepts="iu")


def clz(x: Any) -> Array:
    """The number of zero bits in front of the highest bit that is set, in x's dtype."""
    return clz_p.bind(x)


def _clz_impl(x: np.ndarray) -> np.ndarray:
    bits, width = _bits(x), 8 * x.dtype.itemsize
    # Set every bit below the highest one; what is then left unset stands in front of it.
    shift = 1
    while shift < width:
        bits = bits | bits >> bits.dtype.type(shift)
        shift *= 2
    return np.bitwise_count(~bits).astype(x.dtype)


clz_p = unary("clz", _clz_impl, accepts="iu")


# ----------------------------------------------------------------- shifts


def shift_left(x: Any, y: Any) -> Array:
    """x shifted left by y bits; 0 when y is negative or not below the width."""
    return shift_left_p.bind(x, y)


def shift_right_arithmetic(x: Any, y: Any) -> Array:
    """x shifted right by y bits, its sign bit repeated; nothing but sign bits when y is out of range."""
    return shift_right_arithmetic_p.bind(x, y)


def shift_right_logical(x: Any, y: Any) -> Array:
    """x shifted right by y bits, zeros moving in; 0 when y is negative or not below the width."""
    return shift_right_logical_p.bind(x, y)


def _shift(shift: np.ufunc, kind: str, saturate: bool) -> Rule:
    """A shift of the operand seen as signed or unsigned (`kind`), by any distance.

    C leaves large and negative distances undefined, XLA does not. Seen as unsigned a negative distance is a
    large one, so one comparison covers both.
    """

    def impl(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        width = y.dtype.type(8 * y.dtype.itemsize - 1)
        distance, last = _bits(y), _bits(width)
        operand = x.view(f"{kind}{x.dtype.itemsize}")
        shifted = shift(operand, np.minimum(distance, last).view(operand.dtype))
        if not saturate:
            shifted = np.where(distance > last, shifted.dtype.type(0), shifted)
        return shifted.view(x.dtype)

    return impl


_left = _shift(np.left_shift, "u", saturate=False)
_right_arithmetic = _shift(np.right_shift, "i", saturate=True)
_right_logical = _shift(np.right_shift, "u", saturate=False)

shift_left_p = binary("shift_left", _left, accepts="iu")
shift_right_arithmetic_p = binary("shift_right_arithmetic", _right_arithmetic, accepts="iu")
shift_right_logical_p = binary("shift_right_logical", _right_logical, accepts="iu")

def_jvp_zero(not_p, and_p, or_p, xor_p, population_count_p, clz_p)
def_jvp_zero(shift_left_p, shift_right_arithmetic_p, shift_right_logical_p)
