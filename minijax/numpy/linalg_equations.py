"""Linear equations: solutions, inverses, least squares, of jax.numpy.linalg."""

from __future__ import annotations

import math
import operator
from functools import partial
from typing import Any

import numpy as np

from minijax import config, dtypes, lax
from minijax.api import jit
from minijax.array import Array
from minijax.custom_derivatives import custom_jvp
from minijax.numpy.arithmetic import conj
from minijax.numpy.contractions import matmul
from minijax.numpy.creation import array, asarray, zeros
from minijax.numpy.linalg_decompositions import inexact, svd
from minijax.numpy.manipulation import broadcast_to, moveaxis
from minijax.numpy.places import where
from minijax.numpy.promotion import ensure_arraylike, promote_dtypes_inexact
from minijax.numpy.ranges import eye
from minijax.primitives.lu import lu_solve
from minijax.primitives.matrices import adjoint, symmetrize

__all__ = ["inv", "lstsq", "matrix_power", "pinv", "solve", "tensorinv", "tensorsolve"]

# ----------------------------------------------------------------- solve


def solve(a: Any, b: Any) -> Array:
    """The x of a x = b, for matrices a [..., m, m] and b [..., m, n], or one vector b [m].

    Batch axes broadcast. Singular matrices give inf and NaN. Raises ValueError for shapes that do not fit.
    """
    a, b = promote_dtypes_inexact(*ensure_arraylike("linalg.solve", a, b))
    if a.ndim < 2 or b.ndim < 1 or a.shape[-1] != a.shape[-2] or a.shape[-1] != b.shape[-2 if b.ndim > 1 else -1]:
        raise ValueError(
            "jnp.linalg.solve: the arguments must have shapes a=[..., m, m] and b=[..., m, n] or b=[m]; got "
            f"a={a.shape} and b={b.shape}. For a vector for each matrix write solve(a, b[..., None])[..., 0]."
        )
    vector = b.ndim == 1
    x = solve_matrices(a, b[:, None] if vector else b)
    return x[..., 0] if vector else x


@jit
def solve_matrices(a: Any, b: Any) -> Array:
    """The x of a x = b, for matrices of floats in both.

    The decomposition serves all derivatives, which come from the equation and not from the decomposition itself.
    """
    factors, _, permutation = lax.linalg.lu(lax.stop_gradient(a))
    lead = lax.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    b = broadcast_to(b, (*lead, *b.shape[-2:]))
    return lax.custom_linear_solve(
        lambda x: matmul(a, x, precision=lax.Precision.HIGHEST),
        b,
        solve=lambda _, b: lu_solve(factors, permutation, b),
        transpose_solve=lambda _, b: lu_solve(factors, permutation, b, trans=1),
    )


def inv(a: Any) -> Array:
    """The inverses of square matrices [..., n, n]; ValueError for others. Singular ones give inf and NaN."""
    a = ensure_arraylike("linalg.inv", a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"jnp.linalg.inv: the argument must have shape [..., n, n], got {a.shape}.")
    return solve(a, lax.broadcast(eye(a.shape[-1], dtype=a.dtype), a.shape[:-2]))


def matrix_power(a: Any, n: int) -> Array:
    """The n-th power of square matrices by repeated squaring; of the inverse for negative n.

    Raises TypeError for arrays that are no square matrices, and for an `n` that is no integer.
    """
    a = ensure_arraylike("linalg.matrix_power", a)
    if a.ndim < 2 or a.shape[-2] != a.shape[-1]:
        raise TypeError(f"matrix_power: the last two dimensions of the array must be square, got shape {a.shape}.")
    try:
        n = operator.index(n)
    except TypeError as error:
        raise TypeError(f"matrix_power: the exponent must be an integer, got {n!r}.") from error
    if n == 0:
        return broadcast_to(eye(a.shape[-2], dtype=a.dtype), a.shape)
    if n < 0:
        a, n = inv(a), -n
    if n == 3:
        return (a @ a) @ a
    square, result = a, None
    while n:
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else result @ square
        if n:
            square = square @ square
    return result


# ----------------------------------------------------------------- least squares


def pinv(a: Any, rtol: Any = None, hermitian: bool = False, *, rcond: Any = None) -> Array:
    """The pseudo-inverses [..., n, m] of matrices [..., m, n].

    Singular values up to `rtol` (10 * max(m, n) * eps) times the largest count as zero. `rcond` is another
    name of `rtol`; ValueError for both. `hermitian` matrices are decomposed by `eigh`.
    """
    if rcond is not None:
        if rtol is not None:
            raise ValueError("pinv: only one of rtol and rcond may be specified.")
        rtol = rcond
    return _pinv(a, rtol, hermitian)


@partial(custom_jvp, nondiff_argnums=(1, 2))
def _pinv(a: Any, rtol: Any, hermitian: bool) -> Array:
    a = inexact("pinv", a)
    m, n = a.shape[-2:]
    if m == 0 or n == 0:
        return zeros((*a.shape[:-2], n, m), a.dtype)
    if rtol is None:
        rtol = array(10.0 * max(m, n) * dtypes.finfo(a.dtype).eps, dtypes.finfo(a.dtype).dtype)
    rtol = asarray(rtol)
    u, s, vh = svd(conj(a), full_matrices=False, hermitian=hermitian)
    rtol = lax.expand_dims(rtol[..., None], range(s.ndim - rtol.ndim - 1))
    s = where(s > rtol * s[..., :1], s, np.inf).astype(u.dtype)
    out = matmul(vh.mT, u.mT / s[..., None], precision=lax.Precision.HIGHEST)
    return lax.convert_element_type(out, a.dtype)


@_pinv.defjvp
def _pinv_jvp(rtol: Any, hermitian: bool, primals: Any, tangents: Any) -> Any:
    """Golub and Pereyra, "The differentiation of pseudo-inverses", 1973, for matrices of constant rank."""
    (a,), (t,) = primals, tangents
    p = pinv(a, rtol=rtol, hermitian=hermitian)
    if hermitian:  # as svd does
        a, t = symmetrize(a), symmetrize(t)
    with config.default_matmul_precision("float32"):
        # In each branch the products are taken in the order that keeps them small.
        if a.shape[-2] >= a.shape[-1]:
            left, right = (p @ adjoint(p)) @ adjoint(t), (adjoint(t) @ adjoint(p)) @ p
            return p, -(p @ t) @ p + left - (left @ a) @ p + right - (p @ a) @ right
        left, right = p @ (adjoint(p) @ adjoint(t)), adjoint(t) @ (adjoint(p) @ p)
        return p, -p @ (t @ p) + left - left @ (a @ p) + right - p @ (a @ right)


def lstsq(a: Any, b: Any, rcond: float | None = None, *, numpy_resid: bool = False) -> tuple[Array, ...]:
    """The shortest x that minimises |a x - b|, the squares of these lengths, the rank and the singular values of a.

    a: [m, n], b: [m] or [m, k]. Singular values below `rcond` (eps * max(m, n)) times the largest count as
    zero. With `numpy_resid` there are no residuals where NumPy returns none.
    Raises TypeError for other ranks, ValueError for lengths that do not fit.
    """
    a, b = promote_dtypes_inexact(*ensure_arraylike("linalg.lstsq", a, b))
    if not a.ndim or not b.ndim or a.shape[0] != b.shape[0]:
        raise ValueError(f"lstsq: a and b must have equally many rows, got shapes {a.shape} and {b.shape}.")
    vector = b.ndim == 1
    if a.ndim != 2 or b.ndim > 2:
        raise TypeError(f"lstsq: a must have two dimensions and b one or two, got shapes {a.shape} and {b.shape}.")
    b = b[:, None] if vector else b
    x, rank, s = _least_squares(a, b, rcond)
    if numpy_resid and (rank < a.shape[1] or a.shape[0] <= a.shape[1]):
        residuals = asarray([])
    else:
        off = b - matmul(a, x, precision=lax.Precision.HIGHEST)
        residuals = lax.sqrt((off * conj(off)).real.sum(0)) ** 2
    return x.ravel() if vector else x, residuals, rank, s


def _least_squares(a: Array, b: Array, rcond: Any) -> tuple[Array, Array, Array]:
    """Solution, rank and singular values."""
    m, n = a.shape
    if a.size == 0:
        return zeros((n, b.shape[1]), a.dtype), array(0, int), zeros(0, a.dtype)
    eps = float(dtypes.finfo(a.dtype).eps)
    rcond = eps * max(m, n) if rcond is None else where(asarray(rcond) < 0, eps, rcond)
    u, s, vh = svd(a, full_matrices=False)
    kept = (s > 0) & (s >= array(rcond, dtype=s.dtype) * s[0])
    inverse = where(kept, 1 / where(kept, s, 1).astype(a.dtype), 0)[:, None]
    coordinates = matmul(adjoint(u), b, precision=lax.Precision.HIGHEST)
    x = matmul(adjoint(vh), inverse * coordinates, precision=lax.Precision.HIGHEST)
    return x, kept.sum(), s


# ----------------------------------------------------------------- more axes


def tensorinv(a: Any, ind: int = 2) -> Array:
    """The inverse of `a` as a map from its axes behind the first `ind` to these; ValueError if it is not square."""
    a = ensure_arraylike("tensorinv", a)
    ind = operator.index(ind)
    rows, columns = a.shape[:ind], a.shape[ind:]
    if ind <= 0 or math.prod(rows) != math.prod(columns):
        raise ValueError(
            f"tensorinv: the first ind={ind} axes (at least one) must have as many elements as the others, got "
            f"shape {a.shape}."
        )
    return inv(a.reshape(math.prod(rows), math.prod(columns))).reshape(*columns, *rows)


def tensorsolve(a: Any, b: Any, axes: tuple[int, ...] | None = None) -> Array:
    """The x with tensordot(a, x, x.ndim) = b, after the `axes` of `a` are moved to its end."""
    a, b = ensure_arraylike("tensorsolve", a, b)
    if axes is not None:
        a = moveaxis(a, axes, (a.ndim - 1,) * len(axes))
    out_shape = a.shape[b.ndim :]
    if a.shape[: b.ndim] != b.shape or b.size != math.prod(out_shape):
        raise ValueError(
            "tensorsolve: a (axes moved to its end) must begin with b's axes, and have as many elements behind them, "
            f"got shapes {a.shape} and {b.shape}."
        )
    return solve(a.reshape(b.size, math.prod(out_shape)), b.ravel()).reshape(out_shape)
