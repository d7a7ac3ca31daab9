"""The polar decomposition by Halley's iteration with dynamic weights (QDWH)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minijax import config, dtypes
from minijax.array import Array
from minijax.core import as_operand
from minijax.lax.loops import fori_loop, while_loop
from minijax.primitives.arithmetic import cbrt, rsqrt, sqrt
from minijax.primitives.bitwise import bitwise_and, bitwise_not
from minijax.primitives.cholesky import cholesky
from minijax.primitives.creation import broadcasted_iota
from minijax.primitives.dynamic_slicing import dynamic_index_in_dim
from minijax.primitives.joining import concatenate
from minijax.primitives.matrices import adjoint, conjugate, identity, matrix_transpose
from minijax.primitives.qr import qr
from minijax.primitives.selection import select
from minijax.primitives.triangular import triangular_solve

__all__ = ["qdwh"]

# Above this weight c the matrix I + c u^H u is too ill-conditioned for Cholesky's method.
CHOLESKY_CUTOFF = 100
LIMIT_WEIGHTS = (3.0, 1.0, 3.0)


def qdwh(
    x: Any,
    *,
    is_hermitian: bool = False,
    max_iterations: int | None = None,
    eps: float | None = None,
    dynamic_shape: tuple[int, int] | None = None,
) -> tuple[Array, Array, Array, Array]:
    """x = u h with orthonormal columns of u and a positive h, as (u, h, iterations, whether it converged).

    x: a matrix [m, n] of full rank, m >= n; ValueError otherwise. Of one that is padded, dynamic_shape is the
    part that counts. The iteration ends after `max_iterations` (10). is_hermitian has no effect.
    Source: Nakatsukasa, Bai and Gygi, "Optimizing Halley's iteration for computing the matrix polar decomposition".
    """
    x = as_operand(x)
    m, n = x.shape
    if m < n:
        raise ValueError(f"qdwh: the matrix must have at least as many rows as columns, got shape {x.shape}.")
    if dynamic_shape is not None:
        row, column = (broadcasted_iota(np.int32, x.shape, axis) for axis in (0, 1))
        x = select(bitwise_and(row < dynamic_shape[0], column < dynamic_shape[1]), x, x * 0)
    with config.default_matmul_precision("float32"):
        return _iterate(x, 10 if max_iterations is None else int(max_iterations), eps)


def _weights(eps: float, most: int) -> list[tuple[float, float, float]]:
    """The weights (a, b, c) of the steps, from `eps` as lower bound of the singular values, until they are all 1."""
    low, weights = eps, []
    while low + 5 * eps < 1 and len(weights) < most:
        square = low * low
        root = (4 * (1 / square - 1) / square) ** (1 / 3)
        outer = (1 + root) ** 0.5
        a = outer + (2 - root + 2 * (2 - square) / (square * outer)) ** 0.5
        b = (a - 1) ** 2 / 4
        c = a + b - 1
        low = low * (a + b * square) / (1 + c * square)
        weights.append((a, b, c))
    return weights


def _iterate(x: Any, most: int, eps: float | None) -> tuple[Array, Array, Array, Array]:
    eps = float(dtypes.finfo(x.dtype).eps) if eps is None else eps
    enough = cbrt(np.asarray(5 * eps, abs(x).dtype)[()])
    weights = _weights(eps, most)
    early = [w for w in weights if w[2] > CHOLESKY_CUTOFF]
    late = weights[len(early) :]

    u = _through(early, _qr_step, _scaled(x))
    if late:
        u = _through(late[:-1], _cholesky_step, u)
        before, u = u, _cholesky_step(u, late[-1])
        moving = _length(u - before) > enough
    else:
        moving = as_operand(True)

    def more(state: Any) -> Any:
        count, _, moving = state
        return bitwise_and(moving, count < most)

    def step(state: Any) -> Any:
        count, u, _ = state
        new = _cholesky_step(u, LIMIT_WEIGHTS)
        return count + 1, new, _length(new - u) > enough

    count, u, moving = while_loop(more, step, (len(weights), u, moving))
    u = 1.5 * u - 0.5 * u @ (adjoint(u) @ u)
    h = adjoint(u) @ x
    return u, (h + adjoint(h)) / 2, count, bitwise_not(moving)


def _scaled(x: Any) -> Any:
    """`x` divided by an upper bound of its largest singular value."""
    size = abs(x)
    column, row = size.sum(0).max(initial=0), size.sum(1).max(initial=0)
    factor = select(column == 0, column * 0 + 1, rsqrt(column) * rsqrt(row))
    return x * factor.astype(x.dtype)


def _length(x: Any) -> Any:
    return sqrt((abs(x) ** 2).sum())


def _through(weights: list[tuple[float, float, float]], step: Any, u: Any) -> Any:
    """`u` after a step with each of the weights."""
    if not weights:
        return u
    table = as_operand(np.asarray(weights)).astype(abs(u).dtype)
    return fori_loop(0, len(weights), lambda k, u: step(u, dynamic_index_in_dim(table, k, keepdims=False)), u)


def _qr_step(u: Any, weights: Any) -> Any:
    a, b, c = (weights[i] for i in range(3))
    root = c**0.5
    m, n = u.shape
    q, _ = qr(concatenate((root.astype(u.dtype) * u, identity(u.dtype, n)), 0), full_matrices=False)
    product = q[:m] @ adjoint(q[m:])
    return (b / c).astype(u.dtype) * u + ((a - b / c) / root).astype(u.dtype) * product


def _cholesky_step(u: Any, weights: Any) -> Any:
    a, b, c = (weights[i] for i in range(3))
    factor = cholesky(c * (adjoint(u) @ u) + identity(u.dtype, u.shape[1]), symmetrize_input=False)
    z = triangular_solve(factor, matrix_transpose(u), left_side=True, lower=True, conjugate_a=True)
    z = triangular_solve(factor, conjugate(z), left_side=True, lower=True, transpose_a=True, conjugate_a=True)
    return b / c * u + (a - b / c) * adjoint(z)
