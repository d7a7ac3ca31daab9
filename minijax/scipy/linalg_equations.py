"""Linear equations, of jax.scipy.linalg.

The parameters overwrite_*, check_finite and debug are there because SciPy has them, and have no effect.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np

from minijax import lax
from minijax import numpy as jnp
from minijax.api import jit
from minijax.array import Array
from minijax.numpy.promotion import promote_dtypes_inexact
from minijax.primitives.lu import lu_solve as solve_by_permutation
from minijax.primitives.matrices import adjoint
from minijax.scipy.linalg_decompositions import cho_factor, schur

__all__ = ["cho_solve", "lu_solve", "solve", "solve_sylvester", "solve_triangular"]


def _vector_for_each(fun_name: str, a: Array, b: Array) -> bool:
    """Whether b holds vectors, and not matrices; warns where the shapes could mean both."""
    if b.ndim == 1:
        return True
    if a.ndim != b.ndim + 1 or a.shape[-1] != b.shape[-1]:
        return False
    warnings.warn(
        f"jax.scipy.linalg.{fun_name}: batched 1D solves with b.ndim > 1 are deprecated: in the future b, of shape "
        f"{b.shape}, will be a batch of matrices. Write {fun_name}(..., b[..., None])[..., 0] for a batch of vectors.",
        FutureWarning,
        stacklevel=3,
    )
    return True


# ----------------------------------------------------------------- with a decomposition at hand


def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    debug: Any = None,
    check_finite: bool = True,
) -> Array:
    """The x of op(a) x = b for triangular matrices, op being nothing (trans=0 or 'N'), T (1, 'T') or adjoint (2, 'C').

    b: [..., n, k], or one vector [n]; batch axes broadcast. Raises ValueError for another `trans`.
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"solve_triangular: invalid 'trans' value {trans!r}. It must be 0, 1, 2, 'N', 'T' or 'C'.")
    a, b = promote_dtypes_inexact(jnp.asarray(a), jnp.asarray(b))
    vector = _vector_for_each("solve_triangular", a, b)
    solve = partial(
        lax.linalg.triangular_solve,
        left_side=True,
        lower=lower,
        transpose_a=trans not in (0, "N"),
        conjugate_a=trans in (2, "C"),
        unit_diagonal=unit_diagonal,
    )
    return jnp.vectorize(solve, signature="(n,n),(n)->(n)" if vector else "(n,n),(n,k)->(n,k)")(a, b)


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Array:
    """The x of a x = b from what `cho_factor` gave for `a`. b: [..., n, k], or one vector [n]."""
    c, lower = c_and_lower
    c, b = promote_dtypes_inexact(jnp.asarray(c), jnp.asarray(b))
    signature = "(n,n),(n)->(n)" if _vector_for_each("cho_solve", c, b) else "(n,n),(n,k)->(n,k)"
    for other in (not lower, lower):
        solve = partial(lax.linalg.triangular_solve, left_side=True, lower=lower, transpose_a=other, conjugate_a=other)
        b = jnp.vectorize(solve, signature=signature)(c, b)
    return b


def lu_solve(
    lu_and_piv: tuple[Any, Any], b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Array:
    """The x of a x = b (trans=1: a^T x = b, 2: adjoint(a) x = b) from what `lu_factor` gave for `a`.

    b: [..., n, k], or one vector [n]; batch axes broadcast. Raises ValueError for another `trans`.
    """
    factors, pivots = lu_and_piv
    factors, b = promote_dtypes_inexact(jnp.asarray(factors), jnp.asarray(b))
    permutation = lax.linalg.lu_pivots_to_permutation(pivots, factors.shape[-2])
    vector = _vector_for_each("lu_solve", factors, b)
    signature = "(n,n),(n),(n)->(n)" if vector else "(n,n),(n),(n,k)->(n,k)"
    return jnp.vectorize(partial(solve_by_permutation, trans=trans), signature=signature)(factors, permutation, b)


# ----------------------------------------------------------------- solve


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    debug: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
) -> Array:
    """The x of a x = b, see jnp.linalg.solve; assume_a='pos' says that `a` is positive definite (Cholesky).

    assume_a: 'gen', 'sym', 'her' or 'pos'; ValueError for another. `lower` names the triangle of a positive
    definite matrix that counts.
    """
    if assume_a not in ("gen", "sym", "her", "pos"):
        raise ValueError(f"solve: assume_a must be one of 'gen', 'sym', 'her' and 'pos'; got {assume_a!r}.")
    if assume_a != "pos":
        return jnp.linalg.solve(a, b)
    a, b = promote_dtypes_inexact(jnp.asarray(a), jnp.asarray(b))
    fits = a.ndim >= 2 and b.ndim in (a.ndim, a.ndim - 1) and a.shape[-1] == a.shape[-2] == b.shape[a.ndim - 2]
    if not fits:
        raise ValueError(
            f"solve: the arguments must have shapes a=[..., m, m] and b=[..., m, k] or b=[..., m]; got a={a.shape} and "
            f"b={b.shape}."
        )
    if b.ndim == a.ndim:
        return _solve_positive(a, b, lower)
    return _solve_positive(a, b[..., None], lower)[..., 0]


@partial(jit, static_argnums=(2,))
def _solve_positive(a: Array, b: Array, lower: bool) -> Array:
    """By Cholesky's decomposition, which serves all derivatives: they come from the equation."""
    factor = cho_factor(lax.stop_gradient(a), lower=lower)
    lead = lax.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return lax.custom_linear_solve(
        lambda x: jnp.matmul(a, x, precision=lax.Precision.HIGHEST),
        jnp.broadcast_to(b, (*lead, *b.shape[-2:])),
        solve=lambda _, b: cho_solve(factor, b),
        # The transpose of a hermitian matrix is its conjugate, that of a real one the matrix itself.
        transpose_solve=(lambda _, b: jnp.conj(cho_solve(factor, jnp.conj(b)))) if a.dtype.kind == "c" else None,
        symmetric=a.dtype.kind != "c",
    )


# ----------------------------------------------------------------- Sylvester's equation


def solve_sylvester(A: Any, B: Any, C: Any, *, method: str = "schur", tol: float = 1e-8) -> Array:
    """The X of A X + X B = C, for A [..., m, m], B [..., n, n] and C [..., m, n].

    It is NaN where an eigenvalue of A and one of B add up to less than `tol`. method: 'schur', or 'eigen' for
    matrices with a full set of eigenvectors. Raises ValueError for another one, and shapes that do not fit.
    """
    A, B, C = promote_dtypes_inexact(jnp.asarray(A), jnp.asarray(B), jnp.asarray(C))
    m, n = C.shape[-2:]
    if A.shape[-2:] != (m, m) or B.shape[-2:] != (n, n):
        raise ValueError(f"solve_sylvester: the shapes A={A.shape}, B={B.shape} and C={C.shape} do not fit.")
    if method not in ("schur", "eigen"):
        raise ValueError(f"solve_sylvester: unrecognized method {method!r}. It must be 'schur' or 'eigen'.")
    one = partial(_sylvester_by_schur if method == "schur" else _sylvester_by_eigenvectors, tol=tol)
    return jnp.vectorize(one, signature="(m,m),(n,n),(m,n)->(m,n)")(A, B, C)


def _sylvester_by_schur(a: Array, b: Array, c: Array, tol: float) -> Array:
    """With A = U R U^H and B^H = V S V^H: R Y + Y S^H = U^H C V, solved column by column from the last one."""
    r, u = schur(a, output="complex")
    s, v = schur(adjoint(b), output="complex")
    f = adjoint(u) @ c.astype(r.dtype) @ v
    m, n = f.shape
    lower = adjoint(s)
    ones = jnp.eye(m, dtype=r.dtype)

    def column(i: Any, y: Array) -> Array:
        j = n - 1 - i
        rhs = f[:, j] - y @ lower[:, j]
        return y.at[:, j].set(lax.linalg.triangular_solve(r + lower[j, j] * ones, rhs, left_side=True))

    y = lax.fori_loop(0, n, column, jnp.zeros_like(f))
    return _unless_singular(u @ y @ adjoint(v), jnp.diag(r), jnp.diag(lower), c, tol)


def _sylvester_by_eigenvectors(a: Array, b: Array, c: Array, tol: float) -> Array:
    (x, u), (y, v) = jnp.linalg.eig(a), jnp.linalg.eig(b)
    f = jnp.linalg.solve(u, c.astype(u.dtype) @ v)
    out = u @ (f / (x[:, None] + y[None, :])) @ jnp.linalg.inv(v)
    return _unless_singular(out, x, y, c, tol)


def _unless_singular(x: Array, left: Array, right: Array, c: Array, tol: float) -> Array:
    """The solution, real if the right-hand side is; NaN if a sum of two eigenvalues is nearly zero."""
    x = x if c.dtype.kind == "c" else x.real
    return jnp.where((abs(left[:, None] + right[None, :]) < tol).any(), np.nan, x)
