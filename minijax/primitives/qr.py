"""QR decomposition, with and without pivoting."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax.array import Array
from minijax.batching import batched
from minijax.core import as_operand
from minijax.primitives.creation import full
from minijax.primitives.families import def_not_differentiable
from minijax.primitives.householder import apply_reflections, from_left, reflection
from minijax.primitives.joining import concatenate
from minijax.primitives.lu import lu, lu_solve
from minijax.primitives.matrices import (
    Core,
    adjoint,
    flatten_batch,
    identity,
    matrix_primitive,
    same_dtype,
    transposed,
    tril,
    with_batch_axes,
)
from minijax.primitives.standard import zero_like
from minijax.primitives.triangular import triangular_solve

__all__ = ["geqrf", "qr"]


def qr(
    x: Any, *, pivoting: bool = False, full_matrices: bool = True, use_magma: bool | None = None
) -> tuple[Array, Array] | tuple[Array, Array, Array]:
    """x = q r with orthonormal columns of q and an upper triangular r, for matrices [..., m, n].

    q: [..., m, m] and r: [..., m, n] with `full_matrices`, else [..., m, k] and [..., k, n], k = min(m, n).
    With `pivoting` x[:, p] = q r instead, where p, int32[..., n], makes |diagonal of r| descend; the result
    is (q, r, p). use_magma is about GPUs and does nothing here.
    """
    return tuple(qr_p.bind(x, pivoting=pivoting, full_matrices=full_matrices, use_magma=use_magma))


def _qr_impl(x: np.ndarray, *, pivoting: bool, full_matrices: bool, use_magma: bool | None) -> list[np.ndarray]:
    m, n = x.shape[-2:]
    k = m if full_matrices else min(m, n)
    if not m or not n:
        q = np.broadcast_to(np.eye(m, k, dtype=x.dtype), (*x.shape[:-2], m, k))
        r = np.zeros((*x.shape[:-2], k, n), x.dtype)
        return [q, r, np.zeros((*x.shape[:-2], n), np.int32)] if pivoting else [q, r]
    if pivoting:
        return _pivoted(x, k)
    return [part.astype(x.dtype, copy=False) for part in np.linalg.qr(x, "complete" if full_matrices else "reduced")]


def _pivoted(x: np.ndarray, k: int) -> list[np.ndarray]:
    """Householder's way, the longest of the remaining columns swapped to the front at every step."""
    a = np.array(flatten_batch(x), order="C")
    count, m, n = a.shape
    places, every = np.tile(np.arange(n, dtype=np.int32), (count, 1)), np.arange(count)
    taus = np.zeros((count, min(m, n)), a.dtype)
    for i in range(min(m, n)):
        # Norms are computed afresh: subtracting what each step takes away loses digits to cancellation.
        chosen = np.sum(np.abs(a[:, i:, i:]) ** 2, 1).argmax(1) + i
        for array in (a.swapaxes(1, 2), places):
            held = array[every, chosen]
            array[every, chosen] = array[:, i]
            array[:, i] = held
        column, taus[:, i] = reflection(a[:, i:, i])
        v = column.copy()
        v[:, 0] = 1
        from_left(a[:, i:, i + 1 :], v, taus[:, i].conj())
        a[:, i:, i] = column
    q = np.zeros((count, m, k), a.dtype)
    q[:, np.arange(k), np.arange(k)] = 1
    apply_reflections(a, taus, q, adjoint=False)
    lead = x.shape[:-2]
    return [q.reshape(*lead, m, k), np.triu(a[:, :k]).reshape(*lead, k, n), places.reshape(*lead, n)]


def _qr_shape(x: Core, *, pivoting: bool, full_matrices: bool, use_magma: bool | None) -> list[Core]:
    m, n = x
    k = m if full_matrices else min(m, n)
    return [(m, k), (k, n), (n,)] if pivoting else [(m, k), (k, n)]


def _qr_dtypes(dtype: np.dtype, *, pivoting: bool, **params: Any) -> list[np.dtype]:
    return [dtype, dtype, np.dtype(np.int32)] if pivoting else [dtype, dtype]


qr_p = matrix_primitive("qr", _qr_impl, (2,), _qr_shape, _qr_dtypes)


def _thin_tangents(q: Any, r: Any, dx: Any) -> tuple[Any, Any]:
    """Those of a q with as many columns as r. q^H dq is skew, and dr r^-1 is upper triangular."""
    scaled = triangular_solve(r, dx)
    inner = adjoint(q) @ scaled
    below = tril(inner, -1)
    skew = below - adjoint(below)
    ones = with_batch_axes(identity(skew.dtype, r.shape[-1]), inner.ndim)
    # The diagonal of a complex skew matrix is imaginary.
    skew = skew + ones * (inner - inner.real.astype(inner.dtype))
    return q @ (skew - inner) + scaled, (inner - skew) @ r


def _completed(q: Any, thin: Any, dq: Any, n: int) -> Any:
    """The tangent of all columns of q, from that of the first n: those that complete a basis turn with them."""
    head, tail, rest = thin[..., :n, :], thin[..., n:, :], q[..., :, n:]
    dhead, dtail = dq[..., :n, :], dq[..., n:, :]
    factors, _, permutation = lu(head - with_batch_axes(identity(head.dtype, n), head.ndim))
    z_adjoint = lu_solve(factors, permutation, adjoint(tail), trans=2)
    z = adjoint(z_adjoint)
    drest = dq @ z_adjoint - (thin + rest @ z) @ adjoint(dtail - z @ dhead)
    return concatenate((dq, drest), dq.ndim - 1)


def _tangents(q: Any, r: Any, x: Any, dx: Any, full_matrices: bool) -> tuple[Any, Any]:
    m, n = x.shape[-2:]
    if m < n:  # the first m columns determine q
        x2, dx1, dx2 = x[..., :, m:], dx[..., :, :m], dx[..., :, m:]
        dq, dr = _thin_tangents(q, r[..., :, :m], dx1)
        return dq, concatenate((dr, adjoint(dq) @ x2 + adjoint(q) @ dx2), dr.ndim - 1)
    if full_matrices:
        thin, square = q[..., :, :n], r[..., :n, :n]
    else:
        thin, square = q, r
    dq, dr = _thin_tangents(thin, square, dx)
    if not full_matrices or m == n:
        return dq, dr
    dq = _completed(q, thin, dq, n)
    zeros = full((*dr.shape[:-2], m - n, n), 0, dr.dtype)
    return dq, concatenate((dr, zeros), dr.ndim - 2)


def _permuted(x: Any, order: Any) -> Any:
    """The columns of the matrices in the given order, each matrix having its own."""

    def permute(x: Any, order: Any) -> list[Any]:
        return [x[..., order]]

    for size in np.shape(x)[:-2][::-1]:
        permute = batched(permute, size, (0, 0))
    return permute(x, order)[0]


def _qr_jvp(primals: Any, tangents: Any, *, pivoting: bool, full_matrices: bool, **params: Any) -> Any:
    x, dx = as_operand(primals[0]), as_operand(tangents[0])
    outs = qr_p.bind(x, pivoting=pivoting, full_matrices=full_matrices, **params)
    if pivoting:
        # JAX leaves x as it is for m < n, which makes its derivative wrong, and refuses batches.
        x, dx = x if x.shape[-2] >= x.shape[-1] else _permuted(x, outs[2]), _permuted(dx, outs[2])
    dq, dr = _tangents(outs[0], outs[1], x, dx, full_matrices)
    return outs, [dq, dr, zero_like(outs[2])] if pivoting else [dq, dr]


qr_p.jvp = _qr_jvp


# ----------------------------------------------------------------- geqrf


def geqrf(a: Any) -> list[Array]:
    """The QR decomposition as LAPACK keeps it, [a, taus]: R above, reflections below the diagonal."""
    return geqrf_p.bind(a)


def _geqrf_impl(a: np.ndarray) -> list[np.ndarray]:
    if not a.size:
        return [a, np.zeros((*a.shape[:-2], min(a.shape[-2:])), a.dtype)]
    packed, taus = np.linalg.qr(a, "raw")
    return [transposed(packed).astype(a.dtype, copy=False), taus.astype(a.dtype, copy=False)]


geqrf_p = matrix_primitive("geqrf", _geqrf_impl, (2,), lambda a: [a, (min(a),)], same_dtype(2))
def_not_differentiable(geqrf_p)
