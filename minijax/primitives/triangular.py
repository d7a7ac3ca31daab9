"""triangular_solve: linear equations with a triangular matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array
from minijax.core import is_linear
from minijax.primitives.families import batch_axis_in_front, def_jvp
from minijax.primitives.matrices import (
    Core,
    conjugate,
    exact_product,
    matrix_primitive,
    matrix_transpose,
    transposed,
    tril,
    triu,
)
from minijax.primitives.shaping import expand_dims, move_axis, reshape

__all__ = ["solve_lower", "triangular_solve"]

# Up to this size equations are solved row by row, above it by two halves and a product of matrices.
BLOCK = 32


def triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Array:
    """The X of op(A) X = B (with left_side) or X op(A) = B, where A is a triangular matrix.

    a: [..., m, m]; the other triangle than that named by `lower` is not looked at, nor the diagonal if
    `unit_diagonal`. op(A) is A, transposed and conjugated as asked for. b: [..., m, n] with left_side, else
    [..., n, m]; or with one axis less than a: a vector for each matrix. A zero on the diagonal gives inf or NaN.
    """
    conjugate_a = bool(conjugate_a) and dtypes.kind(dtypes.dtype(a)) == "c"
    singleton = np.ndim(b) == np.ndim(a) - 1
    if singleton:
        b = expand_dims(b, (-1 if left_side else -2,))
    out = triangular_solve_p.bind(
        a,
        b,
        left_side=left_side,
        lower=lower,
        transpose_a=transpose_a,
        conjugate_a=conjugate_a,
        unit_diagonal=unit_diagonal,
    )
    if not singleton:
        return out
    return out[..., 0] if left_side else out[..., 0, :]


def _impl(
    a: np.ndarray,
    b: np.ndarray,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> np.ndarray:
    """Everything is brought to one case: a lower triangle on the left."""
    dtype = b.dtype
    if dtype.itemsize == 2:
        a, b = a.astype(np.float32), b.astype(np.float32)
    if conjugate_a:
        a = a.conj()
    if not left_side:  # X A = B is A^T X^T = B^T
        b = transposed(b)
    if transpose_a == left_side:
        a, lower = transposed(a), not lower
    if not lower:  # backwards, an upper triangle is a lower one
        a, b = a[..., ::-1, ::-1], b[..., ::-1, :]
    x = np.array(b, order="C")
    solve_lower(a, x, unit_diagonal)
    x = x if lower else x[..., ::-1, :]
    return (x if left_side else transposed(x)).astype(dtype, copy=False)


def solve_lower(a: np.ndarray, x: np.ndarray, unit_diagonal: bool = False) -> None:
    """Replace `x` by the solution y of a y = x; `a` is lower triangular, its other triangle not looked at."""
    n = a.shape[-1]
    if n > BLOCK:
        half = n // 2
        solve_lower(a[..., :half, :half], x[..., :half, :], unit_diagonal)
        x[..., half:, :] -= a[..., half:, :half] @ x[..., :half, :]
        solve_lower(a[..., half:, half:], x[..., half:, :], unit_diagonal)
        return
    for i in range(n):
        if i:
            x[..., i : i + 1, :] -= a[..., i : i + 1, :i] @ x[..., :i, :]
        if not unit_diagonal:
            x[..., i, :] /= a[..., i, i, None]


def _shape(a: Core, b: Core, *, left_side: bool, **params: Any) -> Core:
    if a[0] != a[1]:
        raise ValueError(f"The first input to triangular_solve must be a square matrix. Got shape {a}.")
    if a[1] != b[0 if left_side else 1]:
        raise ValueError(
            f"Incompatible shapes for arguments to triangular_solve: {a} and {b} with left_side={left_side}. The "
            f"{'rows' if left_side else 'columns'} of b must be as many as those of a."
        )
    return b


triangular_solve_p = matrix_primitive("triangular_solve", _impl, (2, 2), _shape, half=True)


def _tangent_of_a(
    t: Any,
    out: Any,
    a: Any,
    b: Any,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> Any:
    """From A dX = -dA X; the two products are taken in the cheaper order."""
    skipped = 1 if unit_diagonal else 0
    t = -(tril(t, -skipped) if lower else triu(t, skipped))
    t = matrix_transpose(t) if transpose_a else t
    t = conjugate(t) if conjugate_a else t
    product = exact_product(np.ndim(t))

    def divided(rhs: Any) -> Any:
        return triangular_solve(
            a,
            rhs,
            left_side=left_side,
            lower=lower,
            transpose_a=transpose_a,
            conjugate_a=conjugate_a,
            unit_diagonal=unit_diagonal,
        )

    rows, columns = np.shape(b)[-2:]
    if left_side:
        return divided(product(t, out)) if rows > columns else product(divided(t), out)
    return divided(product(out, t)) if rows < columns else product(out, divided(t))


def_jvp(
    triangular_solve_p,
    _tangent_of_a,
    lambda t, out, a, b, **params: triangular_solve(a, t, **params),
    with_out=True,
)


def _transpose(ct: Any, a: Any, b: Any, *, transpose_a: bool, **params: Any) -> tuple[None, Any]:
    if is_linear(a):
        raise NotImplementedError("triangular_solve is linear in its second operand only, not in the matrix.")
    return None, triangular_solve(a, ct, transpose_a=not transpose_a, **params)


triangular_solve_p.transpose = _transpose


def _batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[Any, int]:
    """Right-hand sides of one matrix are solved together, as one wide one."""
    (a, b), (a_dim, b_dim) = args, dims
    if a_dim is not None:
        a, b = batch_axis_in_front(a, a_dim, axis_size), batch_axis_in_front(b, b_dim, axis_size)
        return triangular_solve(a, b, **params), 0
    rank = np.ndim(b)
    dim = rank - 1 if params["left_side"] else rank - 2
    b = move_axis(b, b_dim, dim)
    shape = np.shape(b)
    flat = reshape(b, (*shape[: dim - 1], shape[dim - 1] * shape[dim], *shape[dim + 1 :]))
    return reshape(triangular_solve(a, flat, **params), shape), dim


triangular_solve_p.batch = _batch
