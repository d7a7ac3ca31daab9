"""Decompositions of matrices, and what can be read off them, of jax.numpy.linalg.

All functions take batches: the matrices are in the last two axes. Integers become floats.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes, lax
from minijax.array import Array
from minijax.numpy.manipulation import expand_dims
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.numpy.reductions import sum as sum_of
from minijax.numpy.taking import take_along_axis
from minijax.primitives.matrices import adjoint
from minijax.primitives.qr import geqrf

__all__ = [
    "EigResult",
    "EighResult",
    "QRResult",
    "SVDResult",
    "cholesky",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "matrix_rank",
    "qr",
    "svd",
    "svdvals",
]


class EigResult(NamedTuple):
    """What `eig` returns."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Array
    S: Array
    Vh: Array


def inexact(fun_name: str, a: Any) -> Array:
    """The argument as an array of floats or complex numbers."""
    (a,) = promote_dtypes_inexact(ensure_arraylike(f"linalg.{fun_name}", a))
    return a


# ----------------------------------------------------------------- cholesky, qr


def cholesky(a: Any, *, upper: bool = False, symmetrize_input: bool = True) -> Array:
    """The lower triangular L with a = L adjoint(L), or its adjoint if `upper`, of positive definite matrices.

    For matrices that are not positive definite the triangle is NaN.
    """
    factor = lax.linalg.cholesky(inexact("cholesky", a), symmetrize_input=symmetrize_input)
    return adjoint(factor) if upper else factor


def qr(a: Any, mode: str = "reduced") -> Array | QRResult:
    """a = Q R with orthonormal columns of Q and an upper triangular R.

    mode: 'reduced' (or 'full') for Q [..., m, k] and R [..., k, n], 'complete' for [..., m, m] and [..., m, n],
    'r' for R alone, 'raw' for the reflections and their scales, as LAPACK leaves them (transposed).
    Raises ValueError for another mode.
    """
    a = inexact("qr", a)
    if mode == "raw":
        reflections, taus = geqrf(a)
        return QRResult(reflections.mT, taus)
    if mode not in ("reduced", "r", "full", "complete"):
        raise ValueError(f"qr: unsupported mode {mode!r}. It must be 'reduced', 'complete', 'r', 'raw' or 'full'.")
    q, r = lax.linalg.qr(a, pivoting=False, full_matrices=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


# ----------------------------------------------------------------- eigenvalues


def eig(a: Any) -> EigResult:
    """Complex eigenvalues and eigenvectors (in the columns) of general matrices. They have no derivative."""
    w, v = lax.linalg.eig(inexact("eig", a), compute_left_eigenvectors=False)
    return EigResult(w, v)


def eigvals(a: Any) -> Array:
    """Complex eigenvalues of general matrices."""
    a = inexact("eigvals", a)
    return lax.linalg.eig(a, compute_left_eigenvectors=False, compute_right_eigenvectors=False)[0]


def eigh(a: Any, UPLO: str | None = None, symmetrize_input: bool = True) -> EighResult:
    """Ascending eigenvalues and eigenvectors (in the columns) of hermitian matrices.

    UPLO names the triangle that counts if `symmetrize_input` is false: 'L' (None) or 'U'.
    """
    a = ensure_arraylike("linalg.eigh", a)
    if UPLO not in (None, "L", "U"):
        raise ValueError(f"eigh: UPLO must be one of None, 'L', or 'U', got {UPLO!r}.")
    v, w = lax.linalg.eigh(inexact("eigh", a), lower=UPLO != "U", symmetrize_input=symmetrize_input)
    return EighResult(w, v)


def eigvalsh(a: Any, UPLO: str | None = "L", *, symmetrize_input: bool = True) -> Array:
    """Ascending eigenvalues of hermitian matrices, see `eigh`."""
    return eigh(a, UPLO, symmetrize_input=symmetrize_input).eigenvalues


# ----------------------------------------------------------------- singular values


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    subset_by_index: tuple[int, int] | None = None,
) -> Array | SVDResult:
    """a = U diag(S) Vh with orthonormal columns of U and rows of Vh, S descending; S alone without `compute_uv`.

    U and Vh are square with `full_matrices`, else they have as many columns and rows as there are values.
    With `hermitian` the matrices are taken to be so, and decomposed by `eigh`.
    """
    a = inexact("svd", a)
    if hermitian:
        return _hermitian_svd(a, compute_uv, subset_by_index)
    options = {"full_matrices": full_matrices, "subset_by_index": subset_by_index}
    if not compute_uv:
        return lax.linalg.svd(a, compute_uv=False, **options)
    return SVDResult(*lax.linalg.svd(a, compute_uv=True, **options))


def _hermitian_svd(a: Array, compute_uv: bool, subset_by_index: tuple[int, int] | None) -> Array | SVDResult:
    """Singular values are the absolute eigenvalues; their signs go to the right vectors."""
    vectors, values = lax.linalg.eigh(a, subset_by_index=subset_by_index)
    s, last = lax.abs(values), values.ndim - 1
    if not compute_uv:
        return lax.rev(lax.sort(s, dimension=-1), (last,))
    places = lax.broadcasted_iota(np.uint32, s.shape, last)
    s, places, sign = [lax.rev(x, (last,)) for x in lax.sort((s, places, lax.sign(values)), dimension=-1, num_keys=1)]
    u = take_along_axis(vectors, places[..., None, :], axis=-1)
    return SVDResult(u, s, adjoint(u * sign[..., None, :].astype(u.dtype)))


def svdvals(x: Any, /) -> Array:
    """The singular values in descending order."""
    return svd(x, compute_uv=False, hermitian=False)


def matrix_rank(M: Any, rtol: Any = None, *, hermitian: bool = False, tol: Any = None) -> Array:
    """The number of singular values above `rtol`, by default the largest one times eps times the larger length.

    Of a vector or number: 1, or 0 if it is zero. `tol` is another name of `rtol`; ValueError for both.
    """
    M = ensure_arraylike("linalg.matrix_rank", M)
    if tol is not None:
        if rtol is not None:
            raise ValueError("matrix_rank: only one of tol or rtol may be specified.")
        rtol = tol
    (M,) = promote_dtypes_inexact(M)
    if M.ndim < 2:
        return (M != 0).any().astype(np.int32)
    s = svd(M, full_matrices=False, compute_uv=False, hermitian=hermitian)
    if rtol is None:
        rtol = s.max(-1) * s.dtype.type(max(M.shape[-2:])) * dtypes.finfo(s.dtype).eps
    return sum_of(s > expand_dims(rtol, np.ndim(rtol)), axis=-1)
