"""Singular value decomposition."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from minijax import config
from minijax.array import Array
from minijax.core import as_operand
from minijax.primitives.creation import broadcasted_iota, full
from minijax.primitives.matrices import (
    Core,
    adjoint,
    diagonal_of,
    identity,
    matrix_primitive,
    matrix_transpose,
    nan_where_it_fails,
    real_dtype,
    with_batch_axes,
)

__all__ = ["SvdAlgorithm", "svd"]


class SvdAlgorithm(enum.Enum):
    """How singular values are found; on a CPU by divide and conquer, whichever of the first is named."""

    DEFAULT = "default"
    QR = "QR"
    JACOBI = "Jacobi"
    POLAR = "polar"
    DIVIDE_AND_CONQUER = "divide_and_conquer"


def svd(
    x: Any,
    *,
    full_matrices: bool = True,
    compute_uv: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    algorithm: SvdAlgorithm | None = None,
) -> Array | tuple[Array, Array, Array]:
    """x = u diag(s) vh as (u, s, vh), s descending, for matrices [..., m, n]; s alone without `compute_uv`.

    u: [..., m, m] and vh: [..., n, n] with `full_matrices`, else [..., m, k] and [..., k, n], k = min(m, n).
    Raises NotImplementedError for a subset of the singular values, and for Jacobi and polar algorithms.
    """
    result = svd_p.bind(
        x, full_matrices=full_matrices, compute_uv=compute_uv, subset_by_index=subset_by_index, algorithm=algorithm
    )
    if not compute_uv:
        return result[0]
    s, u, vh = result
    return u, s, vh


def _svd_impl(
    x: np.ndarray, *, full_matrices: bool, compute_uv: bool, subset_by_index: Any, algorithm: Any
) -> list[np.ndarray]:
    if subset_by_index not in (None, (0, min(x.shape[-2:]))):
        raise NotImplementedError(f"svd: subset_by_index={subset_by_index} is not supported on CPUs. Leave it out.")
    if algorithm in (SvdAlgorithm.JACOBI, SvdAlgorithm.POLAR):
        raise NotImplementedError(f"svd: {algorithm} is not supported on CPUs. Leave it out.")
    if not compute_uv:
        return nan_where_it_fails(lambda a: [np.linalg.svd(a, compute_uv=False)], x)
    u, s, vh = nan_where_it_fails(lambda a: np.linalg.svd(a, full_matrices), x)
    return [s, u, vh]


def _svd_shape(
    x: Core, *, full_matrices: bool, compute_uv: bool, subset_by_index: tuple[int, int] | None, algorithm: Any
) -> list[Core]:
    m, n = x
    k = min(x)
    if subset_by_index is not None:
        if full_matrices and subset_by_index != (0, k):
            raise ValueError("svd: full_matrices and subset_by_index cannot both be set.")
        k = min(k, subset_by_index[1] - subset_by_index[0])
    if not compute_uv:
        return [(k,)]
    return [(k,), (m, m if full_matrices else k), (n if full_matrices else k, n)]


def _svd_dtypes(dtype: np.dtype, *, compute_uv: bool, **params: Any) -> list[np.dtype]:
    return [real_dtype(dtype), dtype, dtype] if compute_uv else [real_dtype(dtype)]


svd_p = matrix_primitive("svd", _svd_impl, (2,), _svd_shape, _svd_dtypes)


def _svd_jvp(
    primals: Any, tangents: Any, *, full_matrices: bool, compute_uv: bool, **params: Any
) -> tuple[list[Any], list[Any]]:
    """Singular values that coincide have infinite or undefined tangents of their vectors, others not."""
    a, da = as_operand(primals[0]), as_operand(tangents[0])
    s, u, vh = svd_p.bind(a, full_matrices=False, compute_uv=True, **params)
    if compute_uv and full_matrices and a.shape[-2] != a.shape[-1]:
        raise NotImplementedError(
            "svd: the derivative of the vectors that complete u or vh to a square matrix is not defined. Pass "
            f"full_matrices=False for matrices of shape {a.shape[-2:]}."
        )
    with config.default_matmul_precision("float32"):
        ds, du, dv = _tangents(s, u, vh, da, compute_uv)
    return ([s, u, vh], [ds, du, adjoint(dv)]) if compute_uv else ([s], [ds])


def _tangents(s: Any, u: Any, vh: Any, da: Any, compute_uv: bool) -> tuple[Any, Any, Any]:
    """Those of the values and of both kinds of vectors (see https://j-towns.github.io/papers/svd-derivative.pdf)."""
    uh, v = adjoint(u), adjoint(vh)
    row = s[..., None, :]
    inner = uh @ da @ v
    ds = diagonal_of(inner.real)
    if not compute_uv:
        return ds, None, None
    gaps = (row + matrix_transpose(row)) * (row - matrix_transpose(row))
    ones = with_batch_axes(identity(s.dtype, s.shape[-1]), gaps.ndim)
    inverse_gaps = 1 / (gaps + ones) - ones
    right = row.astype(inner.dtype) * inner
    left = matrix_transpose(row.astype(inner.dtype)) * inner

    zeros = (s == 0).astype(s.dtype)
    inverse = _diagonal_matrix(1 / (s + zeros) - zeros)
    turn = 0.5 * (inner - adjoint(inner)) * inverse.astype(inner.dtype)
    du = u @ (inverse_gaps.astype(inner.dtype) * (right + adjoint(right)) + turn)
    dv = v @ (inverse_gaps.astype(inner.dtype) * (left + adjoint(left)))

    m, n = da.shape[-2:]
    if m > n:
        rest = da @ v
        du = du + (rest - u @ (uh @ rest)) / row.astype(inner.dtype)
    if n > m:
        rest = adjoint(da) @ u
        dv = dv + (rest - v @ (vh @ rest)) / row.astype(inner.dtype)
    return ds, du, dv


def _diagonal_matrix(s: Any) -> Array:
    """The matrices with `s` on their diagonals."""
    n = s.shape[-1]
    i = broadcasted_iota(np.int32, (n,), 0)
    return full((*s.shape, n), 0, s.dtype).at[..., i, i].set(s)


svd_p.jvp = _svd_jvp
