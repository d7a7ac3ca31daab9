"""jax.scipy.sparse.linalg: linear equations A x = b solved by iteration, with nothing but products A x.

A is a square matrix, or a function of x; x and b are arrays or pytrees of arrays. Differentiable with respect to
b and to whatever A closes over: the derivative is the solution of another equation (see lax.custom_linear_solve).
Arguments that all of them have:

x0         where to start, 0 by default
tol, atol  it is done when the residual's norm is at most max(tol |b|, atol)
maxiter    or after so many steps, by default 10 times the number of unknowns
M          a preconditioner: (roughly) the inverse of A, in the same forms

The results are x and, as JAX has it, None in place of information for cg and bicgstab.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minijax.numpy as jnp
from minijax import dtypes, lax
from minijax.array import Array
from minijax.flatten_util import ravel_pytree
from minijax.tree_util import tree_leaves, tree_map, tree_structure

__all__ = ["bicgstab", "cg", "gmres"]

Operator = Callable[[Any], Any]


def _operator(name: str, f: Any) -> Operator:
    if callable(f):
        return f
    if isinstance(f, np.ndarray | Array):
        if f.ndim != 2 or f.shape[0] != f.shape[1]:
            raise ValueError(f"{name}: a linear operator must be a square matrix, got shape {f.shape}.")
        return lambda x: jnp.dot(f, x, precision=lax.Precision.HIGHEST)
    raise TypeError(f"{name}: a linear operator must be a function or a square matrix, got {f!r}.")


def _start(name: str, b: Any, x0: Any) -> tuple[Any, Any]:
    """b and x0 as arrays."""
    b = tree_map(jnp.asarray, b)
    x0 = tree_map(jnp.zeros_like, b) if x0 is None else tree_map(jnp.asarray, x0)
    if tree_structure(x0) != tree_structure(b):
        raise ValueError(
            f"{name}: x0 and b must have one tree structure, got {tree_structure(x0)} and {tree_structure(b)}."
        )
    shapes = [[leaf.shape for leaf in tree_leaves(tree)] for tree in (x0, b)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{name}: arrays in x0 and b must have the same shapes, got {shapes[0]} and {shapes[1]}.")
    return b, x0


def _size(b: Any) -> int:
    return sum(leaf.size for leaf in tree_leaves(b))


# ----------------------------------------------------------------- vectors that are pytrees


def _vdot(x: Any, y: Any) -> Any:
    products = tree_map(lambda x, y: jnp.vdot(x, y, precision=lax.Precision.HIGHEST), x, y)
    return sum(tree_leaves(products))


def _real_vdot(x: Any, y: Any) -> Any:
    return _vdot(x, y).real


def _plus(x: Any, scale: Any, y: Any) -> Any:
    """x + scale y."""
    return tree_map(lambda x, y: x + scale * y, x, y)


def _minus(x: Any, y: Any) -> Any:
    return tree_map(lambda x, y: x - y, x, y)


def _allowed(b: Any, tol: Any, atol: Any) -> Array:
    """The square of the residual's norm at which to stop."""
    return jnp.maximum(jnp.square(tol) * _real_vdot(b, b), jnp.square(atol))


# ----------------------------------------------------------------- cg


def cg(
    A: Any, b: Any, x0: Any = None, *, tol: Any = 1e-5, atol: Any = 0.0, maxiter: Any = None, M: Any = None
) -> tuple[Any, None]:
    """The conjugate gradient method, for Hermitian positive definite A."""
    return _solve("cg", _cg, A, b, x0, tol, atol, maxiter, M, all_real_symmetric=True), None


def _solve(
    name: str,
    method: Callable[..., Any],
    A: Any,
    b: Any,
    x0: Any,
    tol: Any,
    atol: Any,
    maxiter: Any,
    M: Any,
    all_real_symmetric: bool,
) -> Any:
    b, x0 = _start(name, b, x0)
    maxiter = 10 * _size(b) if maxiter is None else maxiter
    A, precondition = _operator(name, A), None if M is None else _operator(name, M)
    real = all(dtypes.kind(leaf.dtype) != "c" for leaf in tree_leaves(b))

    def solve(A: Operator, b: Any) -> Any:
        return method(A, b, x0, _allowed(b, tol, atol), maxiter, precondition)

    return lax.custom_linear_solve(A, b, solve, solve, symmetric=real and all_real_symmetric)


def _cg(A: Operator, b: Any, x0: Any, allowed: Array, maxiter: Any, M: Operator | None) -> Any:
    precondition = M or (lambda r: r)

    def going_on(state: Any) -> Array:
        _, r, gamma, _, k = state
        square = gamma.real if M is None else _real_vdot(r, r)
        return (square > allowed) & (k < maxiter)

    def step(state: Any) -> Any:
        x, r, gamma, p, k = state
        image = A(p)
        alpha = gamma / _real_vdot(p, image).astype(dtype)
        x, r = _plus(x, alpha, p), _plus(r, -alpha, image)
        z = precondition(r)
        new_gamma = _real_vdot(r, z).astype(dtype)
        return x, r, new_gamma, _plus(z, new_gamma / gamma, p), k + 1

    r = _minus(b, A(x0))
    z = precondition(r)
    dtype = dtypes.result_type(*tree_leaves(z))
    return lax.while_loop(going_on, step, (x0, r, _real_vdot(r, z).astype(dtype), z, 0))[0]


# ----------------------------------------------------------------- bicgstab


def bicgstab(
    A: Any, b: Any, x0: Any = None, *, tol: Any = 1e-5, atol: Any = 0.0, maxiter: Any = None, M: Any = None
) -> tuple[Any, None]:
    """The stabilised bi-conjugate gradient method (van der Vorst, 1992), for any regular A."""
    return _solve("bicgstab", _bicgstab, A, b, x0, tol, atol, maxiter, M, all_real_symmetric=False), None


def _bicgstab(A: Operator, b: Any, x0: Any, allowed: Array, maxiter: Any, M: Operator | None) -> Any:
    precondition = M or (lambda r: r)

    def going_on(state: Any) -> Array:
        _, r, *_, k = state
        return (_real_vdot(r, r) > allowed) & (k < maxiter) & (k >= 0)

    def step(state: Any) -> Any:
        x, r, shadow, alpha, omega, rho, p, q, k = state
        new_rho = _vdot(shadow, r)
        p = _plus(r, new_rho / rho * alpha / omega, _plus(p, -omega, q))
        p_hat = precondition(p)
        q = A(p_hat)
        alpha = new_rho / _vdot(shadow, q)
        s = _plus(r, -alpha, q)
        done = _real_vdot(s, s) < allowed
        s_hat = precondition(s)
        t = A(s_hat)
        omega = _vdot(t, s) / _vdot(t, t)
        half_step = _plus(x, alpha, p_hat)
        x = tree_map(lambda x, y: jnp.where(done, x, y), half_step, _plus(half_step, omega, s_hat))
        r = tree_map(lambda x, y: jnp.where(done, x, y), s, _plus(s, -omega, t))
        # Negative counts: it broke down.
        k = jnp.where((omega == 0) | (alpha == 0), -11, k + 1)
        return x, r, shadow, alpha, omega, new_rho, p, q, jnp.where(new_rho == 0, -10, k)

    r = _minus(b, A(x0))
    one = jnp.ones((), dtypes.result_type(*tree_leaves(r)))
    return lax.while_loop(going_on, step, (x0, r, r, one, one, one, r, r, 0))[0]


# ----------------------------------------------------------------- gmres


def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    restart: int = 20,
    maxiter: Any = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, Array]:
    """The generalised minimal residual method, for any regular A; x, and 0 or -1 where x has NaN.

    restart: after so many products a new basis is begun (`maxiter` counts the bases). solve_method: 'batched' makes
    the whole basis and then solves for x; 'incremental' looks at the residual after each product.
    """
    if solve_method not in ("batched", "incremental"):
        raise ValueError(f"gmres: solve_method must be 'incremental' or 'batched', got {solve_method!r}.")
    b, x0 = _start("gmres", b, x0)
    maxiter = 10 * _size(b) if maxiter is None else maxiter
    restart = min(restart, _size(b))
    A, precondition = _operator("gmres", A), (lambda r: r) if M is None else _operator("gmres", M)
    goal = jnp.maximum(tol * jnp.sqrt(_real_vdot(b, b)), atol)

    def solve(A: Operator, b: Any) -> Any:
        vector, unravel = ravel_pytree(b)
        start, _ = ravel_pytree(x0)

        def product(x: Array) -> Array:
            return ravel_pytree(precondition(A(unravel(x))))[0]

        def residual(x: Array) -> Array:
            return ravel_pytree(precondition(_minus(b, A(unravel(x)))))[0]

        early = jnp.linalg.norm(ravel_pytree(precondition(b))[0]) * jnp.minimum(1.0, goal / jnp.linalg.norm(vector))
        early = early if solve_method == "incremental" else 0.0
        return unravel(_gmres(product, residual, start, goal, early, restart, maxiter))

    x = lax.custom_linear_solve(A, b, solve, solve)
    return x, jnp.where(jnp.isnan(jnp.sqrt(_real_vdot(x, x))), -1, 0)


def _gmres(
    product: Operator, residual: Operator, x0: Array, goal: Any, early: Any, restart: int, maxiter: Any
) -> Array:
    def going_on(state: Any) -> Array:
        _, k, r = state
        return (k < maxiter) & (jnp.linalg.norm(r) > goal)

    def step(state: Any) -> Any:
        x, k, r = state
        basis, hessenberg, rhs = _arnoldi(product, r, early, restart)
        q, triangle = jnp.linalg.qr(hessenberg)
        y = jnp.linalg.solve(triangle, q.T.conj() @ rhs)
        x = x + basis[:, :-1] @ y
        return x, k + 1, residual(x)

    return lax.while_loop(going_on, step, (x0, 0, residual(x0)))[0]


def _arnoldi(product: Operator, r: Array, early: Any, restart: int) -> tuple[Array, Array, Array]:
    """An orthonormal basis of r, A r, A A r ... as columns, A's matrix in it, and r in it.

    It ends when the basis cannot be continued, or when the residual that is left is at most `early`; the matrix has
    ones below its diagonal then where nothing was computed, with which the coefficients are 0.
    """
    size = jnp.linalg.norm(r)
    dtype = r.dtype
    basis = jnp.zeros((r.size, restart + 1), dtype).at[:, 0].set(jnp.where(size > 0, r / size, 0.0))
    hessenberg = jnp.eye(restart + 1, restart, k=-1, dtype=dtype)
    rhs = jnp.zeros(restart + 1, dtype).at[0].set(size.astype(dtype))

    def going_on(state: Any) -> Array:
        _, _, k, left, broken = state
        return (k < restart) & ~broken & (left > early)

    def step(state: Any) -> Any:
        basis, hessenberg, k, left, _ = state
        image = product(basis[:, k])
        before = jnp.linalg.norm(image)
        # Gram and Schmidt's orthogonalisation, done twice for the sake of rounding errors.
        first = basis.T.conj() @ image
        image = image - basis @ first
        second = basis.T.conj() @ image
        image = image - basis @ second
        after = jnp.linalg.norm(image)
        broken = after <= dtypes.finfo(dtype).eps * before
        after = jnp.where(broken, 0.0, after)
        basis = basis.at[:, k + 1].set(jnp.where(broken, 0.0, image / after))
        hessenberg = hessenberg.at[:, k].set((first + second).at[k + 1].set(after.astype(dtype)))
        return basis, hessenberg, k + 1, _left(hessenberg, rhs), broken

    infinite = jnp.full((), np.inf, size.dtype)
    basis, hessenberg, *_ = lax.while_loop(going_on, step, (basis, hessenberg, 0, infinite, jnp.asarray(False)))
    return basis, hessenberg, rhs


def _left(hessenberg: Array, rhs: Array) -> Array:
    """The norm of what of rhs is not in the matrix's range."""
    q, _ = jnp.linalg.qr(hessenberg)
    return jnp.linalg.norm(rhs - q @ (q.T.conj() @ rhs))
