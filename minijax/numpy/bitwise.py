"""Operations on the bits of integers, and on booleans."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import absolute
from minijax.numpy.promotion import array_of, convert, promote_args, promote_args_numeric

__all__ = [
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "invert",
    "left_shift",
    "right_shift",
]


def bitwise_and(x: Any, y: Any, /) -> Array:
    """The bits that are set in both x and y. TypeError for floats."""
    return lax.bitwise_and(*promote_args("bitwise_and", x, y))


def bitwise_or(x: Any, y: Any, /) -> Array:
    """The bits that are set in x or y or both. TypeError for floats."""
    return lax.bitwise_or(*promote_args("bitwise_or", x, y))


def bitwise_xor(x: Any, y: Any, /) -> Array:
    """The bits that are set in just one of x and y. TypeError for floats."""
    return lax.bitwise_xor(*promote_args("bitwise_xor", x, y))


def bitwise_not(x: Any, /) -> Array:
    """Every bit flipped; logical negation for booleans. TypeError for floats."""
    return lax.bitwise_not(*promote_args("bitwise_not", x))


def bitwise_invert(x: Any, /) -> Array:
    """Every bit flipped; logical negation for booleans. TypeError for floats."""
    return lax.bitwise_not(*promote_args("bitwise_invert", x))


def invert(x: Any, /) -> Array:
    """Every bit flipped; logical negation for booleans. TypeError for floats."""
    return lax.bitwise_not(*promote_args("invert", x))


def bitwise_count(x: Any, /) -> Array:
    """The number of bits that are set in |x|, as uint8."""
    (x,) = promote_args_numeric("bitwise_count", x)
    return convert(lax.population_count(absolute(x)), np.dtype("uint8"))


def left_shift(x: Any, y: Any, /) -> Array:
    """x * 2**y, the bits beyond the width lost."""
    return lax.shift_left(*promote_args_numeric("left_shift", x, y))


def bitwise_left_shift(x: Any, y: Any, /) -> Array:
    """x * 2**y, the bits beyond the width lost."""
    return lax.shift_left(*promote_args_numeric("bitwise_left_shift", x, y))


def right_shift(x1: Any, x2: Any, /) -> Array:
    """x1 / 2**x2 rounded down."""
    x1, x2 = map(array_of, promote_args_numeric("right_shift", x1, x2))
    shift = lax.shift_right_logical if dtypes.kind(x1.dtype) == "u" else lax.shift_right_arithmetic
    return shift(x1, x2)


def bitwise_right_shift(x1: Any, x2: Any, /) -> Array:
    """x1 / 2**x2 rounded down."""
    return right_shift(x1, x2)
