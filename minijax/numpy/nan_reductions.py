"""Reductions that leave NaN out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy import reductions, statistics
from minijax.numpy.logic import isnan
from minijax.numpy.promotion import convert, ensure_arraylike, like, reject
from minijax.numpy.reductions import Axis, check_where, neutral_element
from minijax.numpy.selection import if_else

__all__ = [
    "nanargmax",
    "nanargmin",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _nan_reduction(
    name: str,
    reduce: Callable[..., Array],
    neutral: float,
    nan_if_all_nan: bool,
    a: Any,
    where: Any,
    **options: Any,
) -> Array:
    """Reduce with the neutral element in place of NaN; `options` are passed on."""
    a = ensure_arraylike(name, a)
    where = check_where(name, where)
    if not dtypes.is_inexact(a.dtype):
        return reduce(a, where=where, **options)
    out = reduce(if_else(isnan(a), neutral_element(neutral, a.dtype), a), where=where, **options)
    if not nan_if_all_nan:
        return out
    all_nan = reductions.all(isnan(a), options["axis"], keepdims=options["keepdims"])
    return if_else(all_nan, like(a, np.nan), out)


def _user_dtype(name: str, dtype: Any) -> Any:
    return None if dtype is None else dtypes.check_and_canonicalize_user_dtype(dtype, name)


# --------------------------------------------------------------------------- sums, products, extrema


def nansum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The sum over `axis` without NaN; 0 where there is nothing else."""
    reject("nansum", out=out)
    options = {"axis": axis, "dtype": _user_dtype("nansum", dtype), "keepdims": keepdims, "initial": initial}
    return _nan_reduction("nansum", reductions.sum, 0, False, a, where, **options)


def nanprod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The product over `axis` without NaN; 1 where there is nothing else."""
    reject("nanprod", out=out)
    options = {"axis": axis, "dtype": _user_dtype("nanprod", dtype), "keepdims": keepdims, "initial": initial}
    return _nan_reduction("nanprod", reductions.prod, 1, False, a, where, **options)


def nanmax(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The largest element over `axis` without NaN; NaN where there is nothing else and no `initial`."""
    reject("nanmax", out=out)
    options = {"axis": axis, "keepdims": keepdims, "initial": initial}
    return _nan_reduction("nanmax", reductions.max, -np.inf, initial is None, a, where, **options)


def nanmin(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The smallest element over `axis` without NaN; NaN where there is nothing else and no `initial`."""
    reject("nanmin", out=out)
    options = {"axis": axis, "keepdims": keepdims, "initial": initial}
    return _nan_reduction("nanmin", reductions.min, np.inf, initial is None, a, where, **options)


def nanargmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Array:
    """The index of the first largest element along `axis` that is not NaN; -1 where there is none."""
    reject("nanargmax", out=out)
    return _nan_arg(reductions.argmax, -np.inf, ensure_arraylike("nanargmax", a), axis, keepdims)


def nanargmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Array:
    """The index of the first smallest element along `axis` that is not NaN; -1 where there is none."""
    reject("nanargmin", out=out)
    return _nan_arg(reductions.argmin, np.inf, ensure_arraylike("nanargmin", a), axis, keepdims)


def _nan_arg(find: Callable[..., Array], neutral: float, a: Array, axis: int | None, keepdims: bool | None) -> Array:
    if not dtypes.is_inexact(a.dtype):
        return find(a, axis, keepdims=keepdims)
    nans = isnan(a)
    found = find(if_else(nans, neutral, a), axis, keepdims=keepdims)
    return if_else(reductions.all(nans, axis, keepdims=bool(keepdims)), -1, found)


# --------------------------------------------------------------------------- means and variances


def nanmean(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    where: Any = None,
) -> Array:
    """The mean over `axis` of what is not NaN; NaN where there is nothing."""
    reject("nanmean", out=out)
    a = ensure_arraylike("nanmean", a)
    where = check_where("nanmean", where)
    if not dtypes.is_inexact(a.dtype):
        return statistics.mean(a, axis, dtype, keepdims=keepdims, where=where)
    dtype = a.dtype if dtype is None else _user_dtype("mean", dtype)
    options = {"axis": axis, "dtype": dtype, "keepdims": keepdims, "where": where}
    count = reductions.sum(lax.bitwise_not(isnan(a)), **options)
    return lax.div(nansum(a, **options), count)


def nanvar(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Array:
    """The variance over `axis` of what is not NaN; NaN where there are no more than `ddof` such elements."""
    reject("nanvar", out=out)
    a = ensure_arraylike("nanvar", a)
    where = check_where("nanvar", where)
    computation_dtype, dtype = statistics.variance_dtypes(a.dtype, _user_dtype("nanvar", dtype))
    a = convert(a, computation_dtype)
    if mean is None:
        mean = nanmean(a, axis, dtype=computation_dtype, keepdims=True, where=where)
    mean = convert(ensure_arraylike("nanvar", mean), computation_dtype)
    centered = statistics.squared_magnitude(if_else(isnan(a), 0, lax.sub(a, mean)))
    options = {"axis": axis, "keepdims": keepdims, "where": where}
    count = reductions.sum(lax.bitwise_not(isnan(a)), **options) - ddof
    too_few = count <= 0
    total = if_else(too_few, np.nan, reductions.sum(centered, **options))
    return convert(lax.div(total, convert(if_else(too_few, 1, count), total.dtype)), dtype)


def nanstd(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Array:
    """The standard deviation over `axis` of what is not NaN; see `nanvar`."""
    reject("nanstd", out=out)
    dtype = _user_dtype("nanstd", dtype)
    return lax.sqrt(nanvar(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean))
