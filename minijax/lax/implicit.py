"""Solutions of equations, whose derivatives follow from the equation and not from how it was solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minijax import dtypes
from minijax.autodiff import linear_transpose, linearize
from minijax.core import get_aval
from minijax.custom_derivatives import custom_jvp
from minijax.jvp import jvp_flat
from minijax.lax.bodies import Body, avals_of, trace_body
from minijax.primitives.arithmetic import neg
from minijax.primitives.calls import split_list
from minijax.primitives.families import instantiate
from minijax.primitives.linear_solve import LinearSolveParts, linear_solve_p
from minijax.primitives.standard import zero_like
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_leaves, tree_structure, tree_unflatten

__all__ = ["custom_linear_solve", "custom_root"]


def _check_tree(name: str, other: str, tree: Any, expected: Any, has_aux: bool = False) -> None:
    """Raise TypeError unless what the function `name` returned has the tree `expected`; with aux, its first half."""
    if has_aux:
        parts = tree.children()
        if len(parts) != 2:
            raise ValueError(
                f"{name}() produced a pytree with structure {tree}, but with has_aux=True it must return "
                "(solution, aux)."
            )
        tree = parts[0]
    if tree != expected:
        raise TypeError(f"{name}() output pytree structure must match {other}, got {tree} and {expected}.")


# ----------------------------------------------------------------- custom_linear_solve


@api_boundary
def custom_linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    solve: Callable[[Callable, Any], Any],
    transpose_solve: Callable[[Callable, Any], Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """solve(matvec, b), the x with matvec(x) == b, differentiated as the solution of that equation.

    `matvec` is linear and differentiable; `solve` need not be differentiable. transpose_solve(vecmat, b) solves
    the transposed equation, for reverse mode; of a symmetric matvec, `solve` does. With has_aux the solvers
    return (x, aux). Raises TypeError and ValueError for results whose structure or shapes are not those of b.
    """
    if transpose_solve is None and symmetric:
        transpose_solve = solve
    leaves, tree = tree_flatten(b)
    in_tree, avals = tree_structure(((b,), {})), avals_of(leaves)

    def trace(fun: Callable, name: str, has_aux: bool = False) -> Body:
        body = trace_body(_with_checked_shapes(fun, name, leaves, has_aux), in_tree, avals)
        _check_tree(name, "b", body.out_tree, tree, has_aux)
        return body

    matvec_body = trace(matvec, "matvec")
    solve_body = trace(partial(solve, matvec), "solve", has_aux)
    vecmat_body = transpose_body = None
    if transpose_solve is not None:
        vecmat = matvec if symmetric else _transposed(matvec, b)
        vecmat_body = matvec_body if symmetric else trace(vecmat, "vecmat")
        transpose_body = trace(partial(transpose_solve, vecmat), "transpose_solve", has_aux)
    bodies = (matvec_body, vecmat_body, solve_body, transpose_body)
    consts = [[] if body is None else body.consts for body in bodies]
    outs = linear_solve_p.bind(
        *[c for part in consts for c in part],
        *leaves,
        const_lengths=LinearSolveParts(*map(len, consts)),
        jaxprs=LinearSolveParts(*[body and body.closed for body in bodies]),
    )
    return tree_unflatten(solve_body.out_tree, outs)


def _with_checked_shapes(fun: Callable, name: str, leaves: Sequence[Any], has_aux: bool) -> Callable:
    def checked(x: Any) -> Any:
        y = fun(x)
        got = [np.shape(leaf) for leaf in tree_leaves(y[0] if has_aux else y)]
        want = [np.shape(leaf) for leaf in leaves]
        if got != want:
            raise ValueError(f"{name}() output shapes must match b, got {got} and {want}.")
        return y

    return checked


def _transposed(fun: Callable, example: Any) -> Callable:
    transpose = linear_transpose(fun, example)
    return lambda ct: transpose(ct)[0]


# ----------------------------------------------------------------- custom_root


class _RootTuple(NamedTuple):
    """One thing for each of the three functions of custom_root."""

    f: Any
    solve: Any
    l_and_s: Any


@api_boundary
def custom_root(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[[Callable, Any], Any],
    tangent_solve: Callable[[Callable, Any], Any],
    has_aux: bool = False,
) -> Any:
    """solve(f, initial_guess), an x with f(x) == 0, differentiated by the implicit function theorem.

    Derivatives are with respect to what `f` closes over. tangent_solve(g, y) solves g(x) == y for the linear
    function g, the derivative of f at the root; for scalars it is `lambda g, y: y / g(1.0)`. With has_aux, solve
    returns (x, aux). Raises TypeError for results whose structure is not that of the guess.
    """
    leaves, tree = tree_flatten(initial_guess)
    avals = avals_of(leaves)
    one, two = (tree_structure((args, {})) for args in ((initial_guess,), (initial_guess, initial_guess)))
    f_body = trace_body(f, one, avals)
    _check_tree("f", "initial_guess", f_body.out_tree, tree)
    solve_body = trace_body(partial(solve, f), one, avals)
    _check_tree("solve", "initial_guess", solve_body.out_tree, tree, has_aux)

    def linearize_and_solve(x: Any, b: Any) -> Any:
        return tangent_solve(linearize(f, x)[1], b)

    tangent_body = trace_body(linearize_and_solve, two, [*avals, *avals])
    _check_tree("tangent_solve", "x", tangent_body.out_tree, tree)
    bodies = _RootTuple(f_body, solve_body, tangent_body)
    consts = [c for body in bodies for c in body.consts]
    lengths = _RootTuple(*[len(body.consts) for body in bodies])
    jaxprs = _RootTuple(*[body.closed for body in bodies])
    return tree_unflatten(solve_body.out_tree, _custom_root(lengths, jaxprs, *consts, *leaves))


def _split_root_args(args: Sequence[Any], lengths: _RootTuple) -> tuple[_RootTuple, list[Any]]:
    *consts, guess = split_list(args, *lengths)
    return _RootTuple(*consts), guess


@partial(custom_jvp, nondiff_argnums=(0, 1))
def _custom_root(lengths: _RootTuple, jaxprs: _RootTuple, *args: Any) -> list[Any]:
    consts, guess = _split_root_args(args, lengths)
    return jaxprs.solve(*consts.solve, *guess)


@_custom_root.defjvp
def _root_jvp(lengths: _RootTuple, jaxprs: _RootTuple, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
    """From f(p, x(p)) = 0: the change of x solves df/dx dx = - df/dp dp."""
    found = _custom_root(lengths, jaxprs, *primals)
    count = len(jaxprs.f.out_avals)
    root, aux = found[:count], found[count:]
    consts, _ = _split_root_args(primals, lengths)
    changes, _ = _split_root_args(tangents, lengths)
    no_tangent = [get_aval(t).dtype == dtypes.float0 for t in changes.f]
    given = [zero_like(p) if none else t for p, t, none in zip(consts.f, changes.f, no_tangent, strict=True)]
    _, rhs = jvp_flat(lambda *params: jaxprs.f(*params, *root), consts.f, given)
    root_change = jaxprs.l_and_s(*consts.l_and_s, *root, *map(instantiate, rhs))
    return found, [*map(neg, root_change), *[instantiate(zero_like(x)) for x in aux]]
