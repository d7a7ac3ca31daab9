"""Running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.logic import isnan
from minijax.numpy.promotion import convert, ensure_arraylike, like, reject
from minijax.numpy.reductions import widened
from minijax.numpy.selection import if_else
from minijax.primitives.shaping import canonical_axis

__all__ = ["cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "nancumprod", "nancumsum"]


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """Running sums along `axis`, of the flattened array for None. Booleans are counted, other dtypes stay."""
    return _cumulative("cumsum", lax.cumsum, a, axis, dtype, out)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """Running products along `axis`, of the flattened array for None."""
    return _cumulative("cumprod", lax.cumprod, a, axis, dtype, out)


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """Running sums along `axis` with NaN taken as 0."""
    return _cumulative("nancumsum", lax.cumsum, a, axis, dtype, out, in_place_of_nan=0)


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """Running products along `axis` with NaN taken as 1."""
    return _cumulative("nancumprod", lax.cumprod, a, axis, dtype, out, in_place_of_nan=1)


def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """Running sums along `axis`, which may be left out for one axis only; small integers are widened.

    With include_initial they begin with 0.
    """
    x, axis = _with_axis("cumulative_sum", x, axis)
    out = _cumulative("cumulative_sum", lax.cumsum, x, axis, dtype, None, widen=True)
    return _after(0, out, axis) if include_initial else out


def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """Running products along `axis`, which may be left out for one axis only.

    With include_initial they begin with 1.
    """
    x, axis = _with_axis("cumulative_prod", x, axis)
    out = _cumulative("cumulative_prod", lax.cumprod, x, axis, dtype, None)
    return _after(1, out, axis) if include_initial else out


def _cumulative(
    name: str,
    accumulate: Callable[..., Array],
    a: Any,
    axis: int | None,
    dtype: Any,
    out: None,
    in_place_of_nan: float | None = None,
    widen: bool = False,
) -> Array:
    reject(name, out=out)
    a = ensure_arraylike(name, a)
    # JAX lets Python numbers, and what is computed from them, have an axis to run along.
    if axis is None or (not a.ndim and a.weak_type):
        a = lax.reshape(a, (a.size,))
    axis = canonical_axis(0 if axis is None else axis, a.ndim)
    if in_place_of_nan is not None:
        a = if_else(isnan(a), like(a, in_place_of_nan), a)
    if dtype is None:
        dtype = widened(a.dtype) if widen or dtypes.kind(a.dtype) == "b" else a.dtype
    else:
        dtype = dtypes.check_and_canonicalize_user_dtype(dtype, name)
    # A running count of Trues, from which the boolean result then follows.
    working = widened(dtype) if dtypes.kind(dtype) == "b" else dtype
    if working != dtype and a.dtype != dtype:
        a = a != 0
    return convert(accumulate(convert(a, working), axis), dtype)


def _with_axis(name: str, x: Any, axis: int | None) -> tuple[Array, int]:
    x = ensure_arraylike(name, x)
    if x.ndim == 0:
        raise ValueError(f"{name}: The input must be non-scalar, however a scalar value or scalar array was given.")
    if axis is None and x.ndim > 1:
        raise ValueError(
            f"{name}: The input array has rank {x.ndim}, however axis was not set to an explicit value. "
            "It may be left out for one-dimensional arrays only."
        )
    return x, canonical_axis(0 if axis is None else axis, x.ndim)


def _after(first: int, out: Array, axis: int) -> Array:
    shape = [1 if d == axis else n for d, n in enumerate(out.shape)]
    return lax.concatenate([lax.full(shape, np.array(first, out.dtype)[()]), out], axis)
