"""LU decomposition with partial pivoting, and the solution of equations by it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minijax import config
from minijax.array import Array
from minijax.batching import batched
from minijax.core import as_operand
from minijax.primitives.creation import iota
from minijax.primitives.families import like
from minijax.primitives.matrices import Core, flatten_batch, identity, matrix_primitive, tril, triu
from minijax.primitives.shaping import broadcast_in_dim, reshape
from minijax.primitives.slicing import pad
from minijax.primitives.sorting import sort_key_val
from minijax.primitives.standard import def_jvp_zero, zero_like
from minijax.primitives.triangular import solve_lower, triangular_solve

__all__ = ["lu", "lu_pivots_to_permutation", "lu_solve"]

# Up to this number of columns a matrix is decomposed column by column, above it by two halves.
BLOCK = 16

# ----------------------------------------------------------------- lu


def lu(x: Any) -> list[Array]:
    """P x = L U, as [lu, pivots, permutation], for matrices [..., m, n].

    lu holds U in its upper triangle and L, whose diagonal is 1, below it. pivots, int32[..., min(m, n)], says
    with which row each row is swapped in turn, and permutation, int32[..., m], which row of x ends up in each
    place. A singular matrix has a zero on the diagonal of U.
    """
    return lu_p.bind(x)


def _lu_impl(x: np.ndarray) -> list[np.ndarray]:
    a = np.array(flatten_batch(x), order="C")
    count, m, n = a.shape
    k = min(m, n)
    pivots = np.zeros((count, k), np.int32)
    _factor(a, pivots, 0, k)
    if n > m:
        solve_lower(a[:, :, :k], a[:, :, k:], unit_diagonal=True)
    lead = x.shape[:-2]
    permutation = _permutation(pivots, m)
    return [a.reshape(x.shape), pivots.reshape(*lead, k), permutation.reshape(*lead, m)]


def _factor(a: np.ndarray, pivots: np.ndarray, start: int, stop: int) -> None:
    """Decompose the columns from `start` to `stop`, below the rows of the columns before, in place.

    Half of the columns are decomposed, the others updated by a triangular solution and one large product of
    matrices, and decomposed in turn: nearly all of the work is done by products of matrices (Toledo,
    "Locality of reference in LU decomposition with partial pivoting", 1997).
    """
    if stop - start <= BLOCK:
        _factor_panel(a, pivots, start, stop)
        return
    half = (start + stop) // 2
    _factor(a, pivots, start, half)
    solve_lower(a[:, start:half, start:half], a[:, start:half, half:stop], unit_diagonal=True)
    a[:, half:, half:stop] -= a[:, half:, start:half] @ a[:, start:half, half:stop]
    _factor(a, pivots, half, stop)


def _factor_panel(a: np.ndarray, pivots: np.ndarray, start: int, stop: int) -> None:
    """Gaussian elimination, in a copy whose columns are contiguous: they are what is searched and subtracted."""
    panel = np.array(a[:, start:, start:stop].swapaxes(1, 2), order="C")
    for k in range(stop - start):
        column = panel[:, k, k:]
        size = np.abs(column) if column.dtype.kind == "f" else np.abs(column.real) + np.abs(column.imag)
        chosen = size.argmax(1) + k
        _swap(panel.swapaxes(1, 2), k, chosen)
        _swap(a, start + k, start + chosen)
        pivots[:, start + k] = start + chosen
        pivot = panel[:, k, k, None]
        below = panel[:, k, k + 1 :]
        below /= np.where(pivot == 0, pivot.dtype.type(1), pivot)
        panel[:, k + 1 :, k + 1 :] -= panel[:, k + 1 :, k, None] * below[:, None, :]
    a[:, start:, start:stop] = panel.swapaxes(1, 2)


def _swap(a: np.ndarray, i: int, chosen: np.ndarray) -> None:
    """Swap row i of each array of the batch with the chosen one."""
    if len(a) == 1:  # nothing to gather: several times as fast
        a, j = a[0], chosen[0]
        row = a[i].copy()
        a[i] = a[j]
        a[j] = row
        return
    every = np.arange(len(a))
    row = a[every, chosen]
    a[every, chosen] = a[:, i]
    a[:, i] = row


def _permutation(pivots: np.ndarray, size: int) -> np.ndarray:
    """The permutation that swapping row i with row pivots[:, i], for each i in turn, amounts to."""
    out = np.tile(np.arange(size, dtype=np.int32), (len(pivots), 1))
    for i in range(pivots.shape[1]):
        _swap(out, i, pivots[:, i])
    return out


def _lu_shape(x: Core) -> list[Core]:
    return [x, (min(x),), (x[0],)]


lu_p = matrix_primitive("lu", _lu_impl, (2,), _lu_shape, lambda dtype: [dtype, np.dtype(np.int32), np.dtype(np.int32)])


def _lu_jvp(primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
    (x,), (t,) = primals, tangents
    out, pivots, permutation = lu_p.bind(x)
    rule = _lu_tangent
    for size in np.shape(x)[:-2][::-1]:
        rule = batched(rule, size, (0, 0, 0))
    (tangent,) = rule(out, t, permutation)
    return [out, pivots, permutation], [tangent, zero_like(pivots), zero_like(permutation)]


def _lu_tangent(factors: Any, t: Any, permutation: Any) -> list[Any]:
    """From P dA = dL U + L dU: L^-1 P dA U^-1 is L^-1 dL, below the diagonal, and dU U^-1, above it.

    A matrix that is not square is made so: with zeros, and ones on the diagonal.
    """
    m, n = np.shape(t)
    k = min(m, n)
    zero = like(factors, 0)
    lower = pad(tril(factors[:, :k], -1), zero, ((0, 0, 0), (0, m - k, 0)))
    lower = lower + identity(t.dtype, m)
    ones = pad(identity(t.dtype, n - k), zero, ((k, 0, 0), (k, 0, 0)))
    upper = pad(triu(factors[:k, :]), zero, ((0, n - k, 0), (0, 0, 0))) + ones
    inner = triangular_solve(lower, t[permutation], left_side=True, transpose_a=False, lower=True, unit_diagonal=True)
    inner = triangular_solve(upper, inner, left_side=False, transpose_a=False, lower=False)
    with config.default_matmul_precision("highest"):
        return [lower @ tril(inner, -1) + triu(inner) @ upper]


lu_p.jvp = _lu_jvp

# ----------------------------------------------------------------- lu_solve


def lu_solve(factors: Any, permutation: Any, b: Any, trans: int = 0) -> Array:
    """The x of A x = b (trans=1: A^T x = b, 2: adjoint(A) x = b), from the lu and permutation of A that `lu` gave.

    b has A's axes, or one less: a vector for each matrix. Batch axes broadcast. Raises ValueError for shapes
    that do not fit, and another `trans`.
    """
    factors, permutation, b = as_operand(factors), as_operand(permutation), as_operand(b)
    if factors.ndim < 2 or factors.shape[-1] != factors.shape[-2]:
        raise ValueError(f"The last two dimensions of an LU decomposition must be equal, got shape {factors.shape}.")
    if b.ndim < 1:
        raise ValueError(f"lu_solve: b must have rank >= 1, got shape {b.shape}.")
    if trans not in (0, 1, 2):
        raise ValueError(f"lu_solve: 'trans' value must be 0, 1, or 2, got {trans}.")
    vector = factors.ndim == b.ndim + 1
    if b.shape[-1 if vector else -2 :][:1] != factors.shape[-1:]:
        raise ValueError(
            f"lu_solve: the rows of b, of shape {b.shape}, must be as many as those of the LU decomposition, of "
            f"shape {factors.shape}."
        )
    if vector:
        b = b[..., None]
    lead = np.broadcast_shapes(factors.shape[:-2], permutation.shape[:-1], b.shape[:-2])
    operands = [
        broadcast_in_dim(x, (*lead, *x.shape[x.ndim - rank :]), range(len(lead) + rank - x.ndim, len(lead) + rank))
        for x, rank in ((factors, 2), (permutation, 1), (b, 2))
    ]

    def solve(*operands: Any) -> list[Any]:
        return [_solve_one(*operands, trans)]

    for size in lead[::-1]:
        solve = batched(solve, size, (0, 0, 0))
    (x,) = solve(*operands)
    return x[..., 0] if vector else x


def _solve_one(factors: Any, permutation: Any, b: Any, trans: int) -> Any:
    x = reshape(b, (b.shape[0], math.prod(b.shape[1:])))
    if trans == 0:
        x = x[permutation, :]
        x = triangular_solve(factors, x, left_side=True, lower=True, unit_diagonal=True)
        x = triangular_solve(factors, x, left_side=True, lower=False)
    else:
        how = {"left_side": True, "transpose_a": True, "conjugate_a": trans == 2}
        x = triangular_solve(factors, x, lower=False, **how)
        x = triangular_solve(factors, x, lower=True, unit_diagonal=True, **how)
        _, places = sort_key_val(permutation, iota(np.int32, permutation.shape[0]))
        x = x[places, :]
    return reshape(x, b.shape)


# ----------------------------------------------------------------- lu_pivots_to_permutation


def lu_pivots_to_permutation(pivots: Any, permutation_size: int) -> Array:
    """The permutation, int32[..., permutation_size], that the swaps of rows int32[..., k] of `lu` amount to."""
    return lu_pivots_to_permutation_p.bind(pivots, permutation_size=permutation_size)


def _pivots_impl(pivots: np.ndarray, *, permutation_size: int) -> np.ndarray:
    flat = flatten_batch(pivots, 1)
    flat = np.clip(np.where(flat < 0, flat + permutation_size, flat), 0, max(permutation_size - 1, 0))
    return _permutation(flat, permutation_size).reshape(*pivots.shape[:-1], permutation_size)


def _pivots_shape(pivots: Core, *, permutation_size: int) -> Core:
    if permutation_size < pivots[0]:
        raise ValueError(
            f"lu_pivots_to_permutation: permutation_size {permutation_size} must not be less than the number of "
            f"pivots, {pivots[0]}."
        )
    return (permutation_size,)


lu_pivots_to_permutation_p = matrix_primitive(
    "lu_pivots_to_permutation", _pivots_impl, (1,), _pivots_shape, accepts="i", half=True
)
def_jvp_zero(lu_pivots_to_permutation_p)
