"""tridiagonal_solve: linear equations with a tridiagonal matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax.array import Array
from minijax.core import Zero, is_linear
from minijax.primitives.creation import full_like
from minijax.primitives.families import add_any_p, batch_axis_in_front, instantiate
from minijax.primitives.joining import concatenate
from minijax.primitives.matrices import Core, matrix_primitive
from minijax.primitives.shaping import move_axis, reshape

__all__ = ["tridiagonal_solve"]


def tridiagonal_solve(dl: Any, d: Any, du: Any, b: Any, *, perturb_singular: bool = False) -> Array:
    """The x of A x = b, where row i of A is dl[i], d[i], du[i] in the columns i - 1, i, i + 1.

    dl, d, du: [..., m], of which dl[0] and du[m - 1] are not used; b: [..., m, n]. Singular matrices give NaN;
    with `perturb_singular` pivots near zero are replaced by some of the size of a rounding error.
    """
    return tridiagonal_solve_p.bind(dl, d, du, b, perturb_singular=perturb_singular)


def _impl(dl: np.ndarray, d: np.ndarray, du: np.ndarray, b: np.ndarray, *, perturb_singular: bool) -> np.ndarray:
    """Gaussian elimination with partial pivoting, row by row for the whole batch; the triangle gets one band more."""
    n = d.shape[-1]
    diagonal, above, above2 = d.copy(), du.copy(), np.zeros_like(d)
    x = b.copy()
    above[..., n - 1 :] = 0
    for i in range(n - 1):
        _eliminate(dl[..., i + 1], diagonal, above, above2, x, i)
    if perturb_singular:
        diagonal = _perturbed(diagonal, above, above2)
    singular = (diagonal == 0).any(-1)
    for i in reversed(range(n)):
        if i + 1 < n:
            x[..., i, :] -= above[..., i, None] * x[..., i + 1, :]
        if i + 2 < n:
            x[..., i, :] -= above2[..., i, None] * x[..., i + 2, :]
        x[..., i, :] /= diagonal[..., i, None]
    x[singular] = np.nan
    return x


def _eliminate(below: np.ndarray, diagonal: np.ndarray, above: np.ndarray, above2: np.ndarray, x: np.ndarray, i: int):
    """Make the entry below the i-th pivot zero, after a swap of rows i and i + 1 where it is the larger one."""
    swap = np.abs(below) > np.abs(diagonal[..., i])

    def swapped(row: np.ndarray, following: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.where(where, following, row), np.where(where, row, following)

    pivot, below = swapped(diagonal[..., i], below, swap)
    beside, following = swapped(above[..., i], diagonal[..., i + 1], swap)
    beside2, following2 = swapped(np.zeros_like(pivot), above[..., i + 1], swap)
    rhs, following_rhs = swapped(x[..., i, :], x[..., i + 1, :], swap[..., None])
    factor = np.where(pivot == 0, 0, below / np.where(pivot == 0, 1, pivot))
    diagonal[..., i], above[..., i], above2[..., i], x[..., i, :] = pivot, beside, beside2, rhs
    diagonal[..., i + 1] = following - factor * beside
    above[..., i + 1] = following2 - factor * beside2
    x[..., i + 1, :] = following_rhs - factor[..., None] * rhs


def _perturbed(diagonal: np.ndarray, above: np.ndarray, above2: np.ndarray) -> np.ndarray:
    """The pivots, none smaller than eps times the largest entry of the triangle."""
    largest = np.maximum(np.maximum(np.abs(diagonal), np.abs(above)), np.abs(above2)).max(-1, keepdims=True, initial=0)
    info = np.finfo(diagonal.dtype)
    least = np.maximum(info.eps * largest, info.tiny).astype(diagonal.dtype)
    small = np.abs(diagonal) < least
    return np.where(small, np.where(diagonal.real < 0, -least, least), diagonal)


def _shape(dl: Core, d: Core, du: Core, b: Core, **params: Any) -> Core:
    if dl != d or dl != du:
        raise TypeError(
            f"tridiagonal_solve requires that all diagonals have the same shape, got {dl}, {d} and {du}. The first "
            "entry of dl and the last one of du are not used."
        )
    if b[:-1] != d:
        raise TypeError(f"tridiagonal_solve: b, of shape {b}, must have as many rows as the diagonals, of shape {d}.")
    return b


tridiagonal_solve_p = matrix_primitive("tridiagonal_solve", _impl, (1, 1, 1, 2), _shape)


def _times(dl: Any, d: Any, du: Any, x: Any) -> Any:
    """A x."""
    y = reshape(d, (*np.shape(d), 1)) * x
    y = y.at[..., 1:, :].add(dl[..., 1:, None] * x[..., :-1, :])
    return y.at[..., :-1, :].add(du[..., :-1, None] * x[..., 1:, :])


def _jvp(primals: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    """From A dx = db - dA x."""
    *diagonals, _ = primals
    *diagonals_dot, b_dot = tangents
    out = tridiagonal_solve_p.bind(*primals, **params)
    if all(type(t) is Zero for t in diagonals_dot):
        return out, b_dot if type(b_dot) is Zero else tridiagonal_solve_p.bind(*diagonals, b_dot, **params)
    rhs = -_times(*map(instantiate, diagonals_dot), out)
    if type(b_dot) is not Zero:
        rhs = add_any_p.bind(b_dot, rhs)
    return out, tridiagonal_solve_p.bind(*diagonals, rhs, **params)


def _transpose(ct: Any, dl: Any, d: Any, du: Any, b: Any, **params: Any) -> tuple[None, None, None, Any]:
    if any(map(is_linear, (dl, d, du))):
        raise NotImplementedError("tridiagonal_solve is linear in its last operand only, not in the matrix.")
    axis = np.ndim(d) - 1
    below = concatenate((full_like(du[..., -1:], 0), du[..., :-1]), axis)
    above = concatenate((dl[..., 1:], full_like(dl[..., :1], 0)), axis)
    return None, None, None, tridiagonal_solve(below, d, above, ct, **params)


def _batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[Any, int]:
    """Right-hand sides of one matrix are solved together, as one wide one."""
    *diagonals, b = args
    if any(d is not None for d in dims[:-1]):
        fronted = [batch_axis_in_front(x, d, axis_size) for x, d in zip(args, dims, strict=True)]
        return tridiagonal_solve(*fronted, **params), 0
    rank = np.ndim(b)
    b = move_axis(b, dims[-1], rank - 2)
    shape = np.shape(b)
    wide = reshape(b, (*shape[:-2], shape[-2] * shape[-1]))
    return reshape(tridiagonal_solve(*diagonals, wide, **params), shape), rank - 2


tridiagonal_solve_p.jvp = _jvp
tridiagonal_solve_p.transpose = _transpose
tridiagonal_solve_p.batch = _batch
