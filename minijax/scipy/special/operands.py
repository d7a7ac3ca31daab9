"""What the special functions do to their arguments, and polynomials in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.numpy.promotion import array_of, promote_args_inexact

__all__ = ["float_array", "float_arrays", "horner", "real_arrays", "single_or_double"]


def float_arrays(fun_name: str, *args: Any) -> list[Array]:
    """The arguments as arrays of one inexact dtype and of ranks that broadcast."""
    return [array_of(x) for x in promote_args_inexact(fun_name, *args)]


def float_array(fun_name: str, x: Any) -> Array:
    """The argument as an array of an inexact dtype."""
    return float_arrays(fun_name, x)[0]


def real_arrays(fun_name: str, *args: Any) -> list[Array]:
    """`float_arrays`; ValueError for complex numbers."""
    arrays = float_arrays(fun_name, *args)
    if dtypes.kind(arrays[0].dtype) == "c":
        raise ValueError(
            f"{fun_name} does not support complex-valued inputs, got dtype {arrays[0].dtype}. Give it real numbers, "
            "for example x.real."
        )
    return arrays


def horner(x: Array, coefficients: Sequence[float]) -> Array:
    """The polynomial in x with these coefficients, that of the highest power first."""
    number = x.dtype.type
    value = x * number(coefficients[0]) + number(coefficients[1])
    for c in coefficients[2:]:
        value = value * x + number(c)
    return value


def single_or_double(fun_name: str, x: Any) -> np.dtype:
    """The dtype of x. TypeError for anything but float32 and float64."""
    dtype = dtypes.dtype(x)
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"{fun_name}: x has dtype {dtype}, which is not supported: convert it to float32.")
    return dtype
