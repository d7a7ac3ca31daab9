"""Choices by the bits of the values: ten times as quick as np.where where true and false come in no order.

A mask of all ones or all zeros is as wide as a value; `values & mask` is the value or zero, whatever it is, NaN too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["choose", "has_bits"]


def has_bits(dtype: np.dtype) -> bool:
    """Whether values of the dtype can be looked at as integers of their width."""
    return dtype.kind in "biuf" and dtype.itemsize <= 8


def choose(which: np.ndarray, on_true: Any, on_false: Any, out: np.ndarray | None = None) -> np.ndarray:
    """`on_true` where `which` is true, `on_false` elsewhere.

    These are arrays of one dtype that has bits, or one of them is a number. The result may be written over either.
    """
    dtype = on_true.dtype if hasattr(on_true, "dtype") else on_false.dtype
    integer = f"i{dtype.itemsize}"
    on_true, on_false = (np.asarray(case, dtype).view(integer) for case in (on_true, on_false))
    into = None if out is None else out.view(integer)
    mask = np.negative(which.view(np.int8)).astype(integer, copy=False)
    if not on_false.ndim and not on_false:
        chosen = np.bitwise_and(on_true, mask, out=into)
    elif not on_true.ndim and not on_true:
        chosen = np.bitwise_and(on_false, np.invert(mask), out=into)
    else:
        changed = np.bitwise_and(np.bitwise_xor(on_true, on_false), mask)
        chosen = np.bitwise_xor(changed, on_false, out=into)
    return chosen.view(dtype) if out is None else out
