"""Products of Householder reflections, and the reductions of a matrix to a simpler form by them.

A reflection is I - tau v v^H, with v zero in front of one place and one there; what is below that place is
kept in the column of the matrix that it made zero, as LAPACK does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import as_operand
from minijax.primitives.families import def_not_differentiable
from minijax.primitives.matrices import (
    Core,
    flatten_batch,
    matrix_primitive,
    real_dtype,
    same_dtype,
    square_only,
    transposed,
)

__all__ = ["hessenberg", "householder_product", "ormqr", "tridiagonal"]

# So many reflections are applied together, by products of matrices.
BLOCK = 32

# ----------------------------------------------------------------- kernels


def reflection(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The reflections that make all but the first entry of the columns [batch, n] zero: (columns, taus).

    The columns returned hold the real number that the first entry becomes, and v below it. Where there is
    nothing to make zero, tau is 0. (LAPACK: larfg)
    """
    out = column.copy()
    first = column[:, 0]
    rest = _length(column[:, 1:])
    idle = (rest == 0) & (first.imag == 0)
    length = np.hypot(np.abs(first), rest)
    beta = np.where(idle, first.real, -np.copysign(length, first.real))
    divisor = np.where(idle, 1, first - beta)
    tau = np.where(idle, 0, (beta - first) / np.where(beta == 0, 1, beta))
    out[:, 1:] /= divisor[:, None]
    out[:, 0] = beta
    return out, tau.astype(column.dtype)


def _length(columns: np.ndarray) -> np.ndarray:
    """The lengths of the columns [batch, n], without overflow or underflow on the way."""
    sizes = np.abs(columns)
    unit = sizes.max(1, initial=0)
    return unit * np.sqrt(np.sum((sizes / np.where(unit == 0, 1, unit)[:, None]) ** 2, 1))


def apply_reflections(a: np.ndarray, taus: np.ndarray, c: np.ndarray, adjoint: bool) -> None:
    """Multiply `c` from the left by Q = H_1 H_2 ... H_k, or its adjoint, in place.

    The reflections come in blocks: H_1 ... H_b = I - V T V^H with an upper triangular T (Schreiber and Van Loan,
    "A storage-efficient WY representation for products of Householder transformations", 1989).
    """
    count = taus.shape[-1]
    starts = range(0, count, BLOCK)
    for start in starts if adjoint else reversed(starts):
        stop = min(start + BLOCK, count)
        v = np.tril(a[..., start:, start:stop], -1)
        place = np.arange(stop - start)
        v[..., place, place] = 1
        v_adjoint = transposed(v).conj()
        t = _triangle(v_adjoint @ v, taus[..., start:stop])
        rows = c[..., start:, :]
        rows -= v @ ((transposed(t).conj() if adjoint else t) @ (v_adjoint @ rows))


def _triangle(products: np.ndarray, taus: np.ndarray) -> np.ndarray:
    """The T of a block of reflections, from the products V^H V."""
    t = np.zeros_like(products)
    for i in range(taus.shape[-1]):
        tau = taus[..., i]
        if i:
            column = t[..., :i, :i] @ products[..., :i, i, None]
            t[..., :i, i] = -tau[..., None] * column[..., 0]
        t[..., i, i] = tau
    return t


# ----------------------------------------------------------------- householder_product, ormqr


def householder_product(a: Any, taus: Any) -> Array:
    """The first n columns of H_1 H_2 ... H_k, for reflections in the lower triangle of a [..., m, n], m >= n.

    taus: [..., k], k <= n. This is how the Q of a QR decomposition is made. (LAPACK: orgqr)
    """
    return householder_product_p.bind(a, taus)


def _product_impl(a: np.ndarray, taus: np.ndarray) -> np.ndarray:
    out = np.zeros(a.shape, a.dtype)
    place = np.arange(a.shape[-1])
    out[..., place, place] = 1
    apply_reflections(a, taus, out, adjoint=False)
    return out


def _product_shape(a: Core, taus: Core) -> Core:
    if a[0] < a[1]:
        raise ValueError(
            f"householder_product: the first argument must have at least as many rows as columns, got shape {a}."
        )
    if taus[0] > a[1]:
        raise ValueError(
            f"householder_product: there are {taus[0]} taus for {a[1]} columns; there can be one for each at most."
        )
    return a


householder_product_p = matrix_primitive("householder_product", _product_impl, (2, 1), _product_shape)
def_not_differentiable(householder_product_p)


def ormqr(a: Any, taus: Any, c: Any, *, left: bool = True, transpose: bool = False) -> Array:
    """Q c, or c Q if not `left`, for the Q = H_1 ... H_k of the reflections in a [..., m, k], without forming Q.

    With `transpose` the adjoint of Q is taken. c has m rows (left) or columns.
    """
    return ormqr_p.bind(a, taus, c, left=left, transpose=transpose)


def _ormqr_impl(a: np.ndarray, taus: np.ndarray, c: np.ndarray, *, left: bool, transpose: bool) -> np.ndarray:
    out = np.array(c if left else transposed(c).conj(), order="C")
    apply_reflections(a, taus, out, adjoint=transpose == left)
    return out if left else transposed(out).conj()


def _ormqr_shape(a: Core, taus: Core, c: Core, *, left: bool, transpose: bool) -> Core:
    if c[0 if left else 1] != a[0]:
        raise ValueError(
            f"ormqr with left={left}: c, of shape {c}, must have as many {'rows' if left else 'columns'} as the "
            f"matrix of reflections, of shape {a}, has rows."
        )
    return c


ormqr_p = matrix_primitive("ormqr", _ormqr_impl, (2, 1, 2), _ormqr_shape)
def_not_differentiable(ormqr_p)

# ----------------------------------------------------------------- hessenberg


def hessenberg(a: Any) -> list[Array]:
    """Q^H a Q that is zero below the first subdiagonal, for matrices [..., n, n], as [a, taus].

    Below the subdiagonal stand the reflections of which Q is made. (LAPACK: gehrd)
    """
    return hessenberg_p.bind(a)


def _hessenberg_impl(a: np.ndarray) -> list[np.ndarray]:
    n = a.shape[-1]
    out = np.array(flatten_batch(a), order="C")
    taus = np.zeros((len(out), max(n - 1, 0)), a.dtype)
    for k in range(n - 1):  # the last one makes a complex number real
        column, tau = reflection(out[:, k + 1 :, k])
        v = column.copy()
        v[:, 0] = 1
        from_left(out[:, k + 1 :, k + 1 :], v, tau.conj())
        from_right(out[:, :, k + 1 :], v, tau)
        out[:, k + 1 :, k] = column
        taus[:, k] = tau
    return [out.reshape(a.shape), taus.reshape(*a.shape[:-2], max(n - 1, 0))]


def from_left(a: np.ndarray, v: np.ndarray, tau: np.ndarray) -> None:
    """a -= tau v v^H a, in place."""
    a -= (tau[:, None] * v)[:, :, None] * (v.conj()[:, None, :] @ a)


def from_right(a: np.ndarray, v: np.ndarray, tau: np.ndarray) -> None:
    """a -= tau a v v^H, in place."""
    a -= (a @ v[:, :, None]) * (tau[:, None] * v.conj())[:, None, :]


def _hessenberg_shape(a: Core) -> list[Core]:
    square_only("hessenberg", a)
    return [a, (a[0] - 1,)]


hessenberg_p = matrix_primitive("hessenberg", _hessenberg_impl, (2,), _hessenberg_shape, same_dtype(2))
def_not_differentiable(hessenberg_p)

# ----------------------------------------------------------------- tridiagonal


def tridiagonal(a: Any, *, lower: bool = True) -> list[Array]:
    """Q^H a Q that is tridiagonal, for hermitian matrices [..., n, n], as [a, d, e, taus].

    d is the diagonal and e the one beside it. Only the triangle of `a` that `lower` names is looked at; in
    it stand the reflections of which Q is made. (LAPACK: sytrd)
    """
    return tridiagonal_p.bind(as_operand(a), lower=lower)


def _tridiagonal_impl(a: np.ndarray, *, lower: bool) -> list[np.ndarray]:
    """An upper triangle is a lower one backwards."""
    n = a.shape[-1]
    out = np.array(flatten_batch(a), order="C")
    taus = np.zeros((len(out), n - 1), a.dtype)
    work = out if lower else out[:, ::-1, ::-1]
    _reduce(work, taus if lower else taus[:, ::-1])
    i = np.arange(n)
    d = out[:, i, i].real
    e = (out[:, i[1:], i[:-1]] if lower else out[:, i[:-1], i[1:]]).real
    lead = a.shape[:-2]
    return [out.reshape(a.shape), d.reshape(*lead, n), e.reshape(*lead, n - 1), taus.reshape(*lead, n - 1)]


def _reduce(a: np.ndarray, taus: np.ndarray) -> None:
    """The reduction of the lower triangles of `a`, in place: a reflection from both sides for each column."""
    for k in range(a.shape[-1] - 1):
        column, tau = reflection(a[:, k + 1 :, k])
        v = column.copy()
        v[:, 0] = 1
        trailing = a[:, k + 1 :, k + 1 :]
        below = np.tril(trailing, -1)
        i = np.arange(trailing.shape[-1])
        whole = below + transposed(below).conj()
        whole[:, i, i] = trailing[:, i, i].real
        # H A H = A - v w^H - w v^H
        p = tau[:, None] * (whole @ v[:, :, None])[:, :, 0]
        w = p - (tau * np.sum(p.conj() * v, 1) / 2)[:, None] * v
        update = v[:, :, None] * w.conj()[:, None, :]
        update = update + transposed(update).conj()
        trailing -= np.tril(update)
        a[:, k + 1 :, k] = column
        taus[:, k] = tau


def _tridiagonal_shape(a: Core, *, lower: bool) -> list[Core]:
    square_only("tridiagonal", a)
    if not a[0]:
        raise ValueError(f"tridiagonal: the matrix must not be empty, got shape {a} in the last two axes.")
    return [a, (a[0],), (a[0] - 1,), (a[0] - 1,)]


def _tridiagonal_dtypes(dtype: np.dtype, *, lower: bool) -> list[np.dtype]:
    return [dtype, real_dtype(dtype), real_dtype(dtype), dtype]


tridiagonal_p = matrix_primitive("tridiagonal", _tridiagonal_impl, (2,), _tridiagonal_shape, _tridiagonal_dtypes)
def_not_differentiable(tridiagonal_p)
