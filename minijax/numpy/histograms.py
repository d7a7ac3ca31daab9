"""Histograms, covariances and correlations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.arithmetic import absolute, clip, conj, true_divide
from minijax.numpy.axes import static_int
from minijax.numpy.contractions import dot
from minijax.numpy.creation import array, asarray, full, ones_like, zeros
from minijax.numpy.diagonals import diag
from minijax.numpy.differences import diff
from minijax.numpy.exponential import sqrt
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.joining import concatenate
from minijax.numpy.logic import imag, real
from minijax.numpy.manipulation import atleast_2d, reshape, squeeze, transpose
from minijax.numpy.places import bincount, ix_, ravel_multi_index
from minijax.numpy.promotion import (
    array_of,
    check_arraylike,
    convert,
    ensure_arraylike,
    promote_args_inexact,
    promote_dtypes_inexact,
)
from minijax.numpy.ranges import linspace
from minijax.numpy.reductions import ptp
from minijax.numpy.reductions import sum as sum_of
from minijax.numpy.selection import if_else
from minijax.numpy.sorting import searchsorted
from minijax.numpy.statistics import average

__all__ = ["corrcoef", "cov", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]

# ----------------------------------------------------------------- histograms


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Array:
    """The edges of `bins` equal bins from the smallest to the largest element, or over `range`; `bins` if it is a
    vector."""
    if isinstance(bins, str):
        raise NotImplementedError("histogram_bin_edges: string values for `bins` not implemented. Give their number.")
    check_arraylike("histogram_bin_edges", a, bins)
    a = asarray(a)
    dtype = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(a.dtype))
    if np.ndim(bins) == 1:
        return asarray(bins, dtype=dtype)
    count = static_int(bins, "the bins argument of histogram_bin_edges")
    limits = asarray([a.min(), a.max()] if range is None else range, dtype=dtype)
    if limits.shape != (2,):
        raise ValueError(f"histogram: `range` must be either None or a sequence of two scalars, got {range}.")
    # A single value gets a bin of width 1 around it.
    low = if_else(ptp(limits) == 0, limits[0] - 0.5, limits[0])
    high = if_else(ptp(limits) == 0, limits[1] + 0.5, limits[1])
    return linspace(low, high, count + 1, dtype=dtype)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Array, Array]:
    """How many elements fall into each bin, or the sum of their weights, and the edges of the bins.

    Each bin includes its left edge, the last one both. density: divided so that the integral is 1.
    """
    if weights is None:
        check_arraylike("histogram", a, bins)
        (a,) = promote_dtypes_inexact(asarray(a))
        weights = ones_like(a)
    else:
        check_arraylike("histogram", a, bins, weights)
        if np.shape(a) != np.shape(weights):
            raise ValueError(
                f"histogram: weights should have the same shape as a, got {np.shape(weights)} and {np.shape(a)}."
            )
        a, weights = promote_dtypes_inexact(asarray(a), asarray(weights))
    edges = histogram_bin_edges(a, bins, range, weights)
    places = searchsorted(edges, a, side="right")
    places = if_else(a == edges[-1], len(edges) - 1, places)
    counts = IndexUpdateRef(zeros(len(edges), weights.dtype), places).add(weights)[1:]
    if density:
        counts = counts / diff(edges) / counts.sum()
    return counts, edges


def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Array, Array, Array]:
    """How many points (x, y) fall into each bin of a grid, and the edges of the bins along both axes."""
    x, y = ensure_arraylike("histogram2d", x, y)
    if np.ndim(bins) and len(bins) not in (1, 2):
        bins = [asarray(bins)] * 2
    counts, (x_edges, y_edges) = histogramdd(transpose(asarray([x, y])), bins, range, weights, density)
    return counts, x_edges, y_edges


def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Array, list[Array]]:
    """How many of the points, the rows of `sample`, fall into each bin of a grid, and the edges along each axis.

    bins and range: one for all axes, or a sequence with one for each.
    """
    if weights is None:
        (sample,) = promote_dtypes_inexact(ensure_arraylike("histogramdd", sample))
    else:
        sample, weights = ensure_arraylike("histogramdd", sample, weights)
        if weights.shape != sample.shape[:1]:
            raise ValueError(
                f"histogramdd: should have one weight for each sample, got {weights.shape} for {sample.shape}."
            )
        sample, weights = promote_dtypes_inexact(sample, weights)
    if sample.ndim != 2:
        raise ValueError(f"histogramdd: sample must have two axes, points and coordinates; got shape {sample.shape}.")
    rank = sample.shape[1]
    ranges = _one_for_each(range, rank, "range")
    bins = _one_for_each(bins, rank, "bins") if np.iterable(bins) else [bins] * rank
    columns = [sample[:, i] for i in _range(rank)]
    edges = [histogram_bin_edges(x, b, r, weights) for x, b, r in zip(columns, bins, ranges)]
    places = []
    for x, e in zip(columns, edges):
        place = searchsorted(e, x, side="right")
        places.append(if_else(x == e[-1], place - 1, place))
    shape = tuple([len(e) + 1 for e in edges])  # with a bin on each side for what is outside
    flat = ravel_multi_index(tuple(places), shape, mode="clip")
    counts = reshape(bincount(flat, weights, length=math.prod(shape)), shape)[(slice(1, -1),) * rank]
    if density:
        counts = counts.astype(sample.dtype)
        counts = counts / counts.sum()
        for width in ix_(*[diff(e) for e in edges]):
            counts = counts / width
    return counts, edges


_range = range


def _one_for_each(values: Any, rank: int, name: str) -> Sequence[Any]:
    if values is None:
        return [None] * rank
    if len(values) != rank or name == "range" and any(v is not None and np.shape(v) != (2,) for v in values):
        raise ValueError(
            f"histogramdd: {name} must be a sequence with one entry for each of {rank} axes; got {values!r}."
        )
    return list(values)


# ----------------------------------------------------------------- covariances


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    dtype: Any = None,
) -> Array:
    """The covariance matrix of the rows of m (and y): each a variable, each column an observation; or the other
    way round.

    The sum of products is divided by the number of observations minus ddof, which is 1, or 0 with `bias`.
    fweights: how often each observation was made (integers); aweights: how important each one is.
    """
    m, *others = map(array_of, promote_args_inexact("cov", m) if y is None else promote_args_inexact("cov", m, y))
    _check_float_dtype("cov", dtype)
    if m.ndim > 2 or any(x.ndim > 2 for x in others):
        raise ValueError(f"cov: m and y must have at most 2 dimensions, got shapes {[x.shape for x in (m, *others)]}.")
    x = _variables_in_rows(m, rowvar or m.ndim == 1)
    if not x.shape[0]:
        return reshape(array([]), (0, 0))
    for other in others:
        x = concatenate((x, _variables_in_rows(other, rowvar or atleast_2d(other).shape[0] == 1)))
    if not x.shape[1]:
        return full(() if x.shape[0] == 1 else (x.shape[0], x.shape[0]), np.nan, dtype=x.dtype)
    weights = _observation_weights(fweights, aweights, x.shape[1])
    if dtype is not None:
        x = x.astype(dtype)
        weights = None if weights is None else weights.astype(dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    mean, weight_sum = average(x, axis=1, weights=weights, returned=True)
    count = _effective_count(x.shape[1], weights, weight_sum[0], aweights, ddof)
    x = x - mean[:, None]
    weighted = x if weights is None else x * lax.broadcast_to_rank(weights, x.ndim)
    return squeeze(true_divide(dot(x, conj(transpose(weighted))), count))


def _check_float_dtype(fun_name: str, dtype: Any) -> None:
    if dtype is not None and not dtypes.is_inexact(dtypes.dtype(dtype)):
        raise ValueError(f"{fun_name}: dtype must be a subclass of float or complex; got dtype={dtype!r}.")


def _variables_in_rows(x: Array, in_rows: bool) -> Array:
    x = atleast_2d(x)
    return x if in_rows else transpose(x)


def _observation_weights(fweights: Any, aweights: Any, count: int) -> Array | None:
    product = None
    for name, weights in ("fweights", fweights), ("aweights", aweights):
        if weights is None:
            continue
        weights = ensure_arraylike("cov", weights)
        if weights.ndim > 1:
            raise RuntimeError(f"cov: cannot handle multidimensional {name}, got shape {weights.shape}.")
        if weights.shape[0] != count:
            raise RuntimeError(f"cov: incompatible numbers of samples and {name}: {count} and {weights.shape[0]}.")
        if name == "fweights" and dtypes.kind(weights.dtype) not in "iu":
            raise TypeError(f"cov: fweights must be integer, got {weights.dtype}.")
        weights = absolute(weights)
        product = weights if product is None else product * weights
    return product


def _effective_count(observations: int, weights: Array | None, weight_sum: Array, aweights: Any, ddof: int) -> Any:
    """What the sum of products is divided by."""
    if weights is None:
        return observations - ddof
    if ddof == 0:
        return weight_sum
    if aweights is None:
        return weight_sum - ddof
    return weight_sum - ddof * sum_of(weights * absolute(aweights)) / weight_sum


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Array:
    """The matrix of correlation coefficients of the variables, see `cov`; between -1 and 1."""
    check_arraylike("corrcoef", x)
    _check_float_dtype("corrcoef", dtype)
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return true_divide(c, c)
    deviation = convert(sqrt(real(diag(c))), c.dtype)
    c = c / deviation[:, None] / deviation[None, :]
    if not dtypes.is_complex(c.dtype):
        return clip(c, -1, 1)
    return lax.complex(clip(real(c), -1, 1), clip(imag(c), -1, 1))
