"""Polynomials from their zeros, zeros from polynomials, and polynomials through given points."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.axes import require_known
from minijax.numpy.contractions import dot, outer
from minijax.numpy.convolving import convolve
from minijax.numpy.creation import array, ones
from minijax.numpy.diagonals import diag
from minijax.numpy.exponential import sqrt
from minijax.numpy.index_update import IndexUpdateRef
from minijax.numpy.linalg_decompositions import eigvals
from minijax.numpy.linalg_equations import inv, lstsq
from minijax.numpy.manipulation import atleast_1d
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.numpy.ranges import arange, vander
from minijax.numpy.rearranging import roll
from minijax.numpy.reductions import all, argmin
from minijax.numpy.selection import if_else

__all__ = ["poly", "polyfit", "roots"]

# --------------------------------------------------------------------------- zeros


def poly(seq_of_zeros: Any) -> Array:
    """The coefficients of the polynomial with these zeros and leading coefficient 1; of a square matrix the
    characteristic polynomial."""
    (zeros,) = promote_dtypes_inexact(ensure_arraylike("poly", seq_of_zeros))
    zeros = atleast_1d(zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] != 0:
        zeros = eigvals(zeros)
    if zeros.ndim != 1:
        raise ValueError(f"poly: the input must be a vector or a non-empty square matrix, got shape {zeros.shape}.")
    if not len(zeros):
        return ones((), zeros.dtype)
    out = ones((1,), zeros.dtype)
    for zero in zeros:
        out = convolve(out, array([1, -zero], zeros.dtype), mode="full")
    return out


def roots(p: Any, *, strip_zeros: bool = True) -> Array:
    """The zeros of a polynomial, as complex numbers: the eigenvalues of its companion matrix.

    Leading coefficients that are zero lower the degree, and so the length of the result; that needs to know them.
    With strip_zeros=False they may be traced, and there are as many NaN at the end of the result.
    """
    (p,) = promote_dtypes_inexact(ensure_arraylike("roots", p))
    p = atleast_1d(p)
    if p.ndim != 1:
        raise ValueError(f"roots: the polynomial must be a vector of coefficients, got shape {p.shape}.")
    if p.size < 2:
        return array([], dtypes.to_complex_dtype(p.dtype))
    leading_zeros = if_else(all(p == 0), len(p), argmin(p == 0))
    if strip_zeros:
        require_known(leading_zeros, "the number of leading zeros in jnp.roots; strip_zeros=False does without it")
        return _of_full_degree(p[int(leading_zeros) :])
    p = if_else(leading_zeros == len(p), 1.0, p)
    found = _of_full_degree(roll(p, -leading_zeros))
    found = lax.sort_key_val(found == 0, found)[1]
    undefined = found.dtype.type(complex(np.nan, np.nan))
    return if_else(arange(found.size) < found.size - leading_zeros, found, undefined)


def _of_full_degree(p: Array) -> Array:
    """The zeros of a polynomial whose first coefficient is not zero."""
    if p.size < 2:
        return array([], dtypes.to_complex_dtype(p.dtype))
    companion = diag(ones((p.size - 2,), p.dtype), -1)
    return eigvals(IndexUpdateRef(companion, (0, slice(None))).set(-p[1:] / p[0]))


# --------------------------------------------------------------------------- fits


def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: bool | str = False
) -> Array | tuple[Array, ...]:
    """The polynomial of degree `deg` nearest to the points (x, y) in the sense of least squares.

    y: a vector, or a matrix whose columns are fitted one by one. w: how much each point counts (its deviation is
    multiplied by it). rcond: singular values below rcond times the largest one count as zero.
    With `full` the result is (coefficients, residuals, rank, singular values, rcond), with `cov` (coefficients, their
    covariance matrix), for cov='unscaled' without the factor for the spread of the points.
    """
    x, y, *w = ensure_arraylike("polyfit", x, y, *([] if w is None else [w]))
    deg = int(require_known(deg, "the 'deg' argument of jnp.polyfit"))
    _check_points(x, y, deg)
    rcond = len(x) * float(dtypes.finfo(x.dtype).eps) if rcond is None else float(rcond)
    powers, values = vander(x, deg + 1), y
    for weight in w:
        powers, values = _weighted(powers, values, weight)
    scale = sqrt((powers * powers).sum(axis=0))
    powers = powers / scale[None, :]
    c, residuals, rank, singular = lstsq(powers, values, rcond)
    c = c / (scale if c.ndim == 1 else scale[:, None])
    if full:
        return c, residuals, rank, singular, array(rcond)
    if cov:
        base = inv(dot(powers.T, powers)) / outer(scale, scale)
        return c, _covariance(base, residuals, len(x), y.ndim, cov)
    return c


def _check_points(x: Array, y: Array, deg: int) -> None:
    if deg < 0:
        raise ValueError(f"polyfit: the degree must not be negative, got {deg}.")
    if x.ndim != 1 or not x.size:
        raise TypeError(f"polyfit: x must be a non-empty vector, got shape {x.shape}.")
    if y.ndim not in (1, 2) or y.shape[0] != len(x):
        raise TypeError(f"polyfit: y must be a vector or matrix with a row for each of {len(x)} x, got {y.shape}.")


def _weighted(powers: Array, values: Array, weight: Array) -> tuple[Array, Array]:
    (weight,) = promote_dtypes_inexact(weight)
    if weight.shape != values.shape[:1]:
        raise TypeError(f"polyfit: w must be a vector with a weight for each of {len(values)} points, {weight.shape}.")
    return powers * weight[:, None], values * (weight if values.ndim == 1 else weight[:, None])


def _covariance(base: Array, residuals: Array, count: int, rank: int, cov: bool | str) -> Array:
    order = len(base)
    if cov == "unscaled":
        factor = array(1.0)
    elif count <= order:
        raise ValueError(
            f"polyfit: the number of data points ({count}) must exceed the number of coefficients ({order}) to scale "
            "the covariance matrix. Pass cov='unscaled'."
        )
    else:
        factor = residuals / (count - order)
    factor = atleast_1d(factor)
    return base * factor[None] if rank == 1 else base[:, :, None] * factor[None, None, :]
