"""Decompositions of matrices, of jax.scipy.linalg.

The parameters overwrite_*, check_finite, lwork, turbo and lapack_driver are there because SciPy has them, and
have no effect.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minijax import config, dtypes, lax
from minijax import numpy as jnp
from minijax.array import Array
from minijax.core import as_operand
from minijax.numpy.promotion import promote_dtypes, promote_dtypes_inexact
from minijax.primitives.matrices import adjoint

__all__ = [
    "cho_factor",
    "cholesky",
    "det",
    "eigh",
    "eigh_tridiagonal",
    "hessenberg",
    "inv",
    "lu",
    "lu_factor",
    "polar",
    "qr",
    "qr_multiply",
    "rsf2csf",
    "schur",
    "svd",
]


def inexact(a: Any) -> Array:
    """The argument as an array of floats or complex numbers."""
    (a,) = promote_dtypes_inexact(jnp.asarray(a))
    return a


# ----------------------------------------------------------------- cholesky, det, inv


def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The upper triangular U with a = adjoint(U) U, or the lower triangular L with a = L adjoint(L) if `lower`.

    Only that triangle of `a` counts. It is NaN for matrices that are not positive definite.
    """
    a = inexact(a)
    if lower:
        return lax.linalg.cholesky(a, symmetrize_input=False)
    return adjoint(lax.linalg.cholesky(jnp.conj(a.mT), symmetrize_input=False))


def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Array, bool]:
    """What `cho_solve` needs: the Cholesky factor and whether it is the lower one."""
    return cholesky(a, lower=lower), lower


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The determinants of square matrices, see jnp.linalg.det."""
    return jnp.linalg.det(a)


def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The inverses of square matrices, see jnp.linalg.inv."""
    return jnp.linalg.inv(a)


# ----------------------------------------------------------------- svd, polar


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Array | tuple[Array, Array, Array]:
    """a = U diag(s) Vh, see jnp.linalg.svd."""
    return lax.linalg.svd(inexact(a), full_matrices=full_matrices, compute_uv=compute_uv)


def polar(
    a: Any, side: str = "right", *, method: str = "qdwh", eps: float | None = None, max_iterations: int | None = None
) -> tuple[Array, Array]:
    """a = u p with orthonormal u and positive p, as (u, p); a = p u for side='left'.

    method: 'qdwh', for m >= n on the right and m < n on the left (NotImplementedError otherwise), or 'svd'.
    Raises ValueError for other sides and methods.
    """
    a = jnp.asarray(a)
    if a.ndim < 2:
        raise ValueError(f"polar: the input must be at least a 2-D array, got shape {a.shape}.")
    if side not in ("right", "left"):
        raise ValueError(f"polar: the argument side must be either 'right' or 'left', got {side!r}.")
    if method not in ("qdwh", "svd"):
        raise ValueError(f"polar: unknown method {method!r}. It must be 'qdwh' or 'svd'.")
    one = partial(_polar_by_svd, side=side) if method == "svd" else partial(_polar_by_iteration, side=side, eps=eps)
    signature = "(m,n)->(m,n),(n,n)" if side == "right" else "(m,n)->(m,n),(m,m)"
    with config.default_matmul_precision("float32"):
        return jnp.vectorize(one, signature=signature)(a)


def _polar_by_iteration(a: Array, side: str, eps: float | None) -> tuple[Array, Array]:
    m, n = a.shape
    if (side == "right") != (m >= n):
        raise NotImplementedError(
            f"polar: method='qdwh' takes matrices with m >= n for side='right' and m < n for side='left', got shape "
            f"{a.shape} with side={side!r}. Pass method='svd'."
        )
    if side == "right":
        return lax.linalg.qdwh(a, eps=eps)[:2]
    u, p, *_ = lax.linalg.qdwh(adjoint(a), eps=eps)
    return adjoint(u), adjoint(p)


def _polar_by_svd(a: Array, side: str) -> tuple[Array, Array]:
    u, s, vh = lax.linalg.svd(a, full_matrices=False)
    s = s.astype(u.dtype)
    return u @ vh, (adjoint(vh) * s) @ vh if side == "right" else (u * s) @ adjoint(u)


# ----------------------------------------------------------------- eigenvalues


def eigh(
    a: Any,
    b: Any = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    turbo: bool = True,
    eigvals: None = None,
    type: int = 1,
    check_finite: bool = True,
) -> Array | tuple[Array, Array]:
    """Ascending eigenvalues and eigenvectors (in the columns) of hermitian matrices.

    Generalised problems (b, type) and a part of the eigenvalues raise NotImplementedError.
    """
    if b is not None or type != 1 or eigvals is not None:
        raise NotImplementedError("eigh: only the case of b=None, type=1 and eigvals=None is implemented.")
    vectors, values = lax.linalg.eigh(inexact(a), lower=lower)
    return values if eigvals_only else (values, vectors)


def eigh_tridiagonal(
    d: Any,
    e: Any,
    *,
    eigvals_only: bool = False,
    select: str = "a",
    select_range: tuple[float, float] | None = None,
    tol: float | None = None,
    key: Array | None = None,
) -> Array | tuple[Array, Array]:
    """Eigenvalues, and eigenvectors, of the matrix with diagonal `d` [n] and `e` [n - 1] beside it.

    select: 'a' for all, 'i' for those with the indices select_range[0] up to and including select_range[1].
    They are those of the full matrix, to full precision: tol and key (of JAX's iterations) have no effect.
    Raises TypeError for dtypes that differ or are no floats, NotImplementedError for select='v'.
    """
    d, e = jnp.asarray(d), jnp.asarray(e)
    if d.dtype != e.dtype or d.dtype.char not in "fdFD":
        raise TypeError(f"eigh_tridiagonal: d and e must be of one dtype, single or double; got {d.dtype}, {e.dtype}.")
    n = len(d)
    if n <= 1:
        return d.real if eigvals_only else (d.real, jnp.eye(n, dtype=d.dtype))
    chosen = _selected(n, select, select_range)
    i = np.arange(n - 1)
    matrix = jnp.diag(d.real.astype(d.dtype)).at[i + 1, i].set(jnp.conj(e)).at[i, i + 1].set(e)
    vectors, values = lax.linalg.eigh(matrix, symmetrize_input=False)
    return values[chosen] if eigvals_only else (values[chosen], vectors[:, chosen])


def _selected(n: int, select: str, select_range: Any) -> slice:
    if select == "a":
        return slice(n)
    if select == "v":
        raise NotImplementedError("eigh_tridiagonal: select='v' is not implemented, the number is unknown beforehand.")
    if select != "i" or select_range is None or select_range[0] > select_range[1]:
        raise ValueError(
            "eigh_tridiagonal: select must be 'a', 'i' or 'v', and for 'i' select_range two ascending indices; got "
            f"{select!r} and {select_range!r}."
        )
    return slice(select_range[0], select_range[1] + 1)


def schur(a: Any, output: str = "real") -> tuple[Array, Array]:
    """a = Z T adjoint(Z) with orthonormal Z, as (T, Z). T is triangular; of real matrices up to blocks of 2 x 2.

    With output='complex' it is triangular always, and both are complex. ValueError for another output.
    """
    if output not in ("real", "complex"):
        raise ValueError(f"schur: expected output to be either 'real' or 'complex', got {output!r}.")
    a = as_operand(a)
    if output == "complex":
        a = a.astype(np.result_type(a.dtype, np.complex64))
    return lax.linalg.schur(a)


def rsf2csf(T: Any, Z: Any, check_finite: bool = True) -> tuple[Array, Array]:
    """The complex Schur form and vectors from the real ones.

    Raises ValueError unless both are square and equally large.
    """
    T, Z = jnp.asarray(T), jnp.asarray(Z)
    if T.ndim < 2 or Z.ndim < 2 or not T.shape[-1] == T.shape[-2] == Z.shape[-1] == Z.shape[-2]:
        raise ValueError(f"rsf2csf: T and Z must be square and equally large, got shapes {T.shape} and {Z.shape}.")
    return jnp.vectorize(_to_triangular, signature="(n,n),(n,n)->(n,n),(n,n)")(T, Z)


def _to_triangular(t: Array, z: Array) -> tuple[Array, Array]:
    """Turn two rows at a time, from below, by the eigenvectors of their block."""
    t, z = promote_dtypes(t, z)
    complex_dtype = np.result_type(t.dtype, np.complex64)
    t, z = t.astype(complex_dtype), z.astype(complex_dtype)
    eps, n = dtypes.finfo(t.dtype).eps, len(t)
    place = jnp.arange(n)

    def turned(m: Any, t: Array, z: Array) -> tuple[Array, Array]:
        block = lax.dynamic_slice(t, (m - 1, m - 1), (2, 2))
        mu = jnp.linalg.eigvals(block)[0] - block[1, 1]
        length = jnp.sqrt(abs(mu) ** 2 + abs(block[1, 0]) ** 2).astype(t.dtype)
        c, s = mu / length, block[1, 0] / length
        q = jnp.array([[c, -s], [jnp.conj(s), jnp.conj(c)]])
        rows = lax.dynamic_slice_in_dim(t, m - 1, 2, axis=0)
        rows = jnp.where(place >= m - 1, adjoint(q) @ rows, rows)
        t = lax.dynamic_update_slice_in_dim(t, rows, m - 1, axis=0)
        columns = lax.dynamic_slice_in_dim(t, m - 1, 2, axis=1)
        columns = jnp.where(place[:, None] <= m, columns @ q, columns)
        t = lax.dynamic_update_slice_in_dim(t, columns, m - 1, axis=1)
        vectors = lax.dynamic_slice_in_dim(z, m - 1, 2, axis=1) @ q
        return t, lax.dynamic_update_slice_in_dim(z, vectors, m - 1, axis=1)

    def step(i: Any, state: tuple[Array, Array]) -> tuple[Array, Array]:
        m = n - i
        t, z = state
        wanted = abs(t[m, m - 1]) > eps * (abs(t[m - 1, m - 1]) + abs(t[m, m]))
        t, z = lax.cond(wanted, turned, lambda m, t, z: (t, z), m, t, z)
        return t.at[m, m - 1].set(0), z

    return lax.fori_loop(1, n, step, (t, z))


# ----------------------------------------------------------------- lu, qr, hessenberg


def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Array, Array] | tuple[Array, Array, Array]:
    """a = P L U of one matrix, as (P, L, U), or (P L, U) with `permute_l`."""
    a = inexact(a)
    factors, _, permutation = lax.linalg.lu(a)
    m, n = a.shape
    k = min(m, n)
    p = (permutation[None, :] == jnp.arange(m, dtype=permutation.dtype)[:, None]).astype(a.dtype).real
    lower = jnp.tril(factors, -1)[:, :k] + jnp.eye(m, k, dtype=a.dtype)
    upper = jnp.triu(factors)[:k, :]
    if permute_l:
        return jnp.matmul(p, lower, precision=lax.Precision.HIGHEST), upper
    return p, lower, upper


def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Array, Array]:
    """What `lu_solve` needs: L and U in one matrix, and the row swaps."""
    factors, pivots, _ = lax.linalg.lu(inexact(a))
    return factors, pivots


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Array, ...]:
    """a = Q R, as (Q, R), or a[:, P] = Q R as (Q, R, P) with `pivoting`; without Q for mode='r'.

    mode: 'full' (and 'r') for Q [m, m] and R [m, n], 'economic' for [m, k] and [k, n]; ValueError for another.
    """
    if mode not in ("full", "r", "economic"):
        raise ValueError(f"qr: unsupported mode {mode!r}. It must be 'full', 'r' or 'economic'.")
    out = lax.linalg.qr(inexact(a), pivoting=pivoting, full_matrices=mode != "economic")
    return out[1:] if mode == "r" else out


def qr_multiply(
    a: Any,
    c: Any,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> tuple[Array, ...]:
    """(c Q, R) for the economic QR decomposition of `a`, or (Q c, R) for mode='left'; P is a third with `pivoting`.

    With `conjugate` the conjugate of Q is taken. A vector c is a row, or a column on the left.
    Raises ValueError for another mode, and a c whose length does not fit.
    """
    a, c = promote_dtypes_inexact(jnp.asarray(a), jnp.asarray(c))
    if mode not in ("right", "left"):
        raise ValueError(f"qr_multiply: mode must be 'right' or 'left', got {mode!r}.")
    vector = c.ndim == 1
    if vector:
        c = c[:, None] if mode == "left" else c[None, :]
    q, r, *p = lax.linalg.qr(a, pivoting=pivoting, full_matrices=False)
    if c.shape[-2 if mode == "left" else -1] != q.shape[-1 if mode == "left" else -2]:
        raise ValueError(f"qr_multiply: c, of shape {c.shape}, does not fit Q, of shape {q.shape}, on the {mode}.")
    q = jnp.conj(q) if conjugate else q
    product = jnp.matmul(*((q, c) if mode == "left" else (c, q)), precision=lax.Precision.HIGHEST)
    return product.ravel() if vector else product, r, *p


def hessenberg(
    a: Any, *, calc_q: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Array | tuple[Array, Array]:
    """H = adjoint(Q) a Q that is zero below the first subdiagonal; (H, Q) with `calc_q`."""
    n = np.shape(a)[-1]
    if n == 0:
        return (jnp.zeros_like(a), jnp.zeros_like(a)) if calc_q else jnp.zeros_like(a)
    packed, taus = lax.linalg.hessenberg(a)
    h = jnp.triu(packed, -1)
    if not calc_q:
        return h
    rest = lax.linalg.householder_product(packed[..., 1:, :-1], taus)
    q = lax.pad(rest, rest.dtype.type(0), [(0, 0, 0)] * (rest.ndim - 2) + [(1, 0, 0)] * 2)
    return h, q.at[..., 0, 0].set(1)
