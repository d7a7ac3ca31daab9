"""Minimisation by the method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright, 6.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import minijax.numpy as jnp
from minijax import lax
from minijax.array import Array
from minijax.autodiff import value_and_grad
from minijax.scipy.optimize.line_search import Line, line_search

__all__ = ["OptimizeResults", "minimize"]


class OptimizeResults(NamedTuple):
    """What `minimize` found.

    x, fun, jac    the place, the function and its gradient there
    success        whether the gradient is as small as asked for
    status         0 success, 1 too many steps, 3 or 5 the line search found nothing
    hess_inv       the estimate of the inverse of the Hessian
    nfev, njev, nit   numbers of evaluations of the function and its gradient, and of steps
    """

    x: Array
    success: bool | Array
    status: int | Array
    fun: Array
    jac: Array
    hess_inv: Array | None
    nfev: int | Array
    njev: int | Array
    nit: int | Array


def minimize(
    fun: Callable,
    x0: Any,
    args: tuple = (),
    *,
    method: str,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResults:
    """The place near the vector x0 where fun(x, *args), a smooth scalar, is smallest. method: 'BFGS'.

    options: maxiter (200 times the number of unknowns), gtol (1e-5) for the gradient's norm, norm (its order, inf),
    line_search_maxiter (10). `tol` has no effect, as in JAX. Not differentiable in reverse mode.
    """
    if not isinstance(args, tuple):
        raise TypeError(f"minimize: args must be a tuple, got {args!r}. Write args=({args!r},).")
    if method.lower() != "bfgs":
        raise ValueError(f"minimize: method {method!r} is not there; write method='BFGS'.")
    return _bfgs(lambda x: fun(x, *args), x0, **(options or {}))


class _State(NamedTuple):
    converged: Any
    failed: Any
    k: Any
    evaluations: Any
    x: Array
    f: Array
    g: Array
    inverse: Array
    before: Array
    search_status: Any


def _bfgs(
    fun: Callable,
    x0: Any,
    maxiter: int | None = None,
    norm: float = np.inf,
    gtol: float = 1e-5,
    line_search_maxiter: int = 10,
) -> OptimizeResults:
    if maxiter is None:
        maxiter = np.size(x0) * 200
    x0 = jnp.asarray(x0)
    f, g = value_and_grad(fun)(x0)

    def small(g: Array) -> Array:
        return jnp.linalg.norm(g, ord=norm) < gtol

    def step(state: _State) -> _State:
        p = -jnp.dot(state.inverse, state.g, precision=lax.Precision.HIGHEST)
        found = line_search(Line(fun, state.x, p, state.f, state.g), state.before, line_search_maxiter)
        s, y = found.point.a * p, found.point.gradient - state.g
        return _State(
            small(found.point.gradient),
            found.failed,
            state.k + 1,
            state.evaluations + found.evaluations,
            state.x + s,
            found.point.phi,
            found.point.gradient,
            _updated(state.inverse, s, y),
            state.f,
            found.status,
        )

    def going_on(state: _State) -> Array:
        return ~state.converged & ~state.failed & (state.k < maxiter)

    identity = jnp.eye(x0.shape[0], dtype=x0.dtype)
    before = f + jnp.linalg.norm(g) / 2
    end = lax.while_loop(going_on, step, _State(small(g), jnp.asarray(False), 0, 1, x0, f, g, identity, before, 0))
    gave_up = jnp.where(end.k == maxiter, 1, jnp.where(end.failed, 2 + end.search_status, -1))
    status = jnp.where(end.converged, 0, gave_up)
    success = end.converged & ~end.failed
    return OptimizeResults(end.x, success, status, end.f, end.g, end.inverse, end.evaluations, end.evaluations, end.k)


def _updated(inverse: Array, s: Array, y: Array) -> Array:
    """The inverse Hessian that maps the change y of the gradient to the step s; unchanged where y and s do not fit."""
    rho = jnp.reciprocal(jnp.dot(y, s, precision=lax.Precision.HIGHEST))
    w = jnp.eye(s.size, dtype=rho.dtype) - rho * jnp.outer(s, y)
    new = w @ inverse @ w.T + rho * jnp.outer(s, s)
    return jnp.where(jnp.isfinite(rho), new, inverse)
