"""Cholesky decomposition, its update by a vector, and the symmetric product."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.primitives.families import def_not_differentiable, like
from minijax.primitives.matrices import (
    Core,
    exact_product,
    identity,
    matrix_primitive,
    matrix_transpose,
    nan_where_it_fails,
    square_only,
    symmetrize,
    transposed,
    tril,
    with_batch_axes,
)
from minijax.primitives.triangular import triangular_solve

__all__ = ["cholesky", "cholesky_update", "symmetric_product"]

# ----------------------------------------------------------------- cholesky


def cholesky(x: Any, *, symmetrize_input: bool = True) -> Array:
    """The lower triangular L with x = L adjoint(L), for positive definite hermitian matrices [..., n, n].

    Matrices that are not positive definite give NaN in the lower triangle. Without `symmetrize_input` only
    the lower triangle of x counts; with it x is replaced by the mean of itself and its adjoint.
    """
    if symmetrize_input:
        x = symmetrize(x)
    return tril(cholesky_p.bind(x))


def _cholesky_impl(x: np.ndarray) -> np.ndarray:
    return nan_where_it_fails(lambda a: [np.linalg.cholesky(a)], x)[0]


def _cholesky_shape(x: Core) -> Core:
    square_only("cholesky", x)
    return x


cholesky_p = matrix_primitive("cholesky", _cholesky_impl, (2,), _cholesky_shape)


def _cholesky_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """From d(L L^H) = dX: L^-1 dL is the lower half of L^-1 dX L^-H, see https://arxiv.org/abs/1602.07527."""
    (x,), (t,) = primals, tangents
    factor = tril(cholesky_p.bind(x))
    inner = triangular_solve(factor, t, left_side=False, transpose_a=True, conjugate_a=True, lower=True)
    inner = tril(triangular_solve(factor, inner, left_side=True, transpose_a=False, lower=True))
    twice_on_diagonal = like(inner, 1) + identity(inner.dtype, inner.shape[-1])
    half = inner / with_batch_axes(twice_on_diagonal, inner.ndim)
    return factor, exact_product(inner.ndim)(factor, half)


cholesky_p.jvp = _cholesky_jvp

# ----------------------------------------------------------------- cholesky_update


def cholesky_update(r_matrix: Any, w_vector: Any) -> Array:
    """The upper triangular factor of R^T R + w w^T, for the upper triangular R [n, n] and a vector w [n]."""
    return cholesky_update_p.bind(r_matrix, w_vector)


def _update_impl(r: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Givens rotations of the rows of R with w, each making an entry of w zero."""
    r, w = r.copy(), w.copy()
    for k in range(len(w)):
        length = np.hypot(r[k, k], w[k])
        cosine, sine = (r[k, k] / length, -w[k] / length) if w[k] else (r.dtype.type(1), r.dtype.type(0))
        r[k], w = cosine * r[k] - sine * w, cosine * w + sine * r[k]
    return r


def _update_shape(r: Core, w: Core) -> Core:
    if not r[0] == r[1] == w[0]:
        raise ValueError(
            f"cholesky_update takes a square matrix and a vector of the same size, got shapes {r} and {w}."
        )
    return r


cholesky_update_p = matrix_primitive("cholesky_update", _update_impl, (2, 1), _update_shape, accepts="f", batches=False)
def_not_differentiable(cholesky_update_p)

# ----------------------------------------------------------------- symmetric_product


def symmetric_product(
    a_matrix: Any, c_matrix: Any, *, alpha: float = 1.0, beta: float = 0.0, symmetrize_output: bool = False
) -> Array:
    """alpha * a a^T + beta * c, for a [..., m, n] and a symmetric c [..., m, m].

    Only the lower triangle is sure to be right on every kind of device, unless `symmetrize_output` copies it.
    """
    out = symmetric_product_p.bind(a_matrix, c_matrix, alpha=alpha, beta=beta)
    if symmetrize_output:
        upper = matrix_transpose(tril(out, -1))
        out = tril(out) + upper
    return out


def _product_impl(a: np.ndarray, c: np.ndarray, *, alpha: float, beta: float) -> np.ndarray:
    return a.dtype.type(alpha) * (a @ transposed(a)) + a.dtype.type(beta) * c


def _product_shape(a: Core, c: Core, **params: Any) -> Core:
    if a[0] != c[1] or c[0] != c[1]:
        raise ValueError(
            "symmetric_product expects a rectangular matrix of shape (m, n) and a square matrix of shape (m, m), "
            f"got shapes {a} and {c}."
        )
    return c


symmetric_product_p = matrix_primitive(
    "symmetric_product", _product_impl, (2, 2), _product_shape, accepts="f", half=True
)
def_not_differentiable(symmetric_product_p)
