"""Rounding to whole numbers, and the test for finite ones: piecewise constant, so without derivative."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.families import unary
from minijax.primitives.standard import def_jvp_zero

__all__ = ["RoundingMethod", "ceil", "floor", "is_finite", "round"]


class RoundingMethod(enum.IntEnum):
    """How `round` treats numbers half way between two whole ones."""

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


def floor(x: Any) -> Array:
    """The largest whole number not above x, as a float."""
    return floor_p.bind(x)


floor_p = unary("floor", np.floor, accepts="f")


def ceil(x: Any) -> Array:
    """The smallest whole number not below x, as a float."""
    return ceil_p.bind(x)


ceil_p = unary("ceil", np.ceil, accepts="f")


def round(x: Any, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Array:
    """The nearest whole number, as a float; 0.5 and the like go by `rounding_method`."""
    return round_p.bind(x, rounding_method=RoundingMethod(rounding_method))


def _round_impl(x: np.ndarray, *, rounding_method: RoundingMethod) -> np.ndarray:
    if rounding_method == RoundingMethod.TO_NEAREST_EVEN:
        return np.rint(x)
    whole = np.trunc(x)
    # Not trunc(x + 0.5): the sum rounds up for the largest number below 0.5.
    away = np.abs(x - whole) >= x.dtype.type(0.5)
    return np.copysign(whole + away.astype(x.dtype) * np.sign(x), x)


round_p = unary("round", _round_impl, accepts="f")


def is_finite(x: Any) -> Array:
    """Whether x is neither infinite nor NaN."""
    return is_finite_p.bind(x)


is_finite_p = unary("is_finite", np.isfinite, accepts="f", dtype=np.bool_)

def_jvp_zero(floor_p, ceil_p, round_p, is_finite_p)
