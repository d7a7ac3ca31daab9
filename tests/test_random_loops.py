"""Random nests of loops, branches, custom rules and checkpoints under every transformation, to second order.

Values are compared in float64 with JAX run operation by operation, where loops are Python's and examples are taken
one after the other, so that what is compared has been found in another way. Texts are compared too: rules that
bind the same equations as JAX's in the same order leave little room for mistakes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import random_loops
from hypothesis import given, settings
from hypothesis import strategies as st
from random_loops import CUSTOM_JVP, CUSTOM_VJP, FORWARD_ONLY, LOOPS, OTHER_JVP, OTHER_VJP, programs

import minijax
from reference.check import jaxpr_tools
from reference.check.oracle import assert_same

BOUND = 2.0**18  # of float64, relative to the largest entry: 6e-11
Program = Any
Function = Callable[..., Any]

# ----------------------------------------------------------------- what is asked


def run(j: Any, program: Program) -> Function:
    """The program as a function of a point and weights."""
    return lambda v, w: random_loops.run(j, program, v, w)


def loss(j: Any, program: Program) -> Function:
    """A scalar of the program's result."""
    return lambda v, w: j.numpy.sum(random_loops.run(j, program, v, w) ** 2)


def at(j: Any, f: Function) -> Any:
    """f at the first point, with the first weights."""
    return f(j.numpy.asarray(random_loops.POINTS[0]), j.numpy.asarray(random_loops.WEIGHTS[0]))


def push(j: Any, f: Function) -> Function:
    """f and its derivative in a fixed direction."""
    direction = j.numpy.asarray(random_loops.DIRECTION)
    return lambda v, w: j.jvp(f, (v, w), (direction, 0.5 * direction))


def pull_linear(j: Any, f: Function) -> Function:
    """The derivative by linearize, which keeps the linear loop as a program."""
    direction = j.numpy.asarray(random_loops.DIRECTION)
    return lambda v, w: j.linearize(f, v, w)[1](direction, 0.5 * direction)


def gradient(j: Any, f: Function) -> Function:
    """With respect to both."""
    return j.grad(f, (0, 1))


def dot_gradient(j: Any, f: Function) -> Function:
    """The derivative in the direction of `push`, by reverse mode."""

    def product(v: Any, w: Any) -> Any:
        dv, dw = gradient(j, f)(v, w)
        return j.numpy.sum((dv + 0.5 * dw) * random_loops.DIRECTION)

    return product


def mapped(j: Any, f: Function, axes: Any = (0, 0), out_axes: Any = 0, by_rows: bool = True) -> Any:
    """f of several points and weights by vmap; an axis of None takes the first of them."""
    points, weights = j.numpy.asarray(random_loops.POINTS), j.numpy.asarray(random_loops.WEIGHTS)
    args = [x[0] if a is None else x if a == 0 else x.T for x, a in zip((points, weights), axes, strict=True)]
    return j.vmap(f, axes, out_axes)(*args)


def one_by_one(j: Any, f: Function, axes: Any = (0, 0), out_axes: Any = 0) -> Any:
    """What `mapped` has to give, without vmap."""
    tables = random_loops.POINTS, random_loops.WEIGHTS
    rows = [[j.numpy.asarray(t[0 if a is None else i]) for t, a in zip(tables, axes, strict=True)] for i in range(3)]
    return j.tree_util.tree_map(lambda *xs: j.numpy.stack(xs, out_axes), *[f(*row) for row in rows])


def hessian(j: Any, f: Function) -> Any:
    """With respect to the point, by hessian."""
    return at(j, j.hessian(f))


def hessian_by_columns(j: Any, f: Function) -> Any:
    """The same by derivatives of the gradient."""

    def columns(v: Any, w: Any) -> Any:
        basis = j.numpy.eye(3)
        return j.numpy.stack([j.jvp(j.grad(lambda v: f(v, w)), (v,), (e,))[1] for e in basis], 1)

    return at(j, columns)


Check = Callable[[Any, Program], Any]

# What is asked of each engine; JAX runs without compiling and may go another way to the same result.
FORWARD: dict[str, tuple[Check, Check]] = {
    "value": (lambda j, p: at(j, run(j, p)),) * 2,
    "jit": (lambda j, p: at(j, j.jit(run(j, p))), lambda j, p: at(j, run(j, p))),
    "jvp": (lambda j, p: at(j, push(j, loss(j, p))),) * 2,
    "vmap": (lambda j, p: mapped(j, run(j, p)), lambda j, p: one_by_one(j, run(j, p))),
    "vmap over the weights": (
        lambda j, p: mapped(j, run(j, p), (None, 0)),
        lambda j, p: one_by_one(j, run(j, p), (None, 0)),
    ),
    "vmap over the point, along the last axes": (
        lambda j, p: mapped(j, run(j, p), (1, None), 1),
        lambda j, p: one_by_one(j, run(j, p), (1, None), 1),
    ),
    "vmap of jvp": (
        lambda j, p: mapped(j, push(j, loss(j, p)), (1, 0)),
        lambda j, p: one_by_one(j, push(j, loss(j, p))),
    ),
    "jvp of jvp": (lambda j, p: at(j, push(j, push(j, loss(j, p)))),) * 2,
}
REVERSE: dict[str, tuple[Check, Check]] = {
    "grad": (lambda j, p: at(j, j.value_and_grad(loss(j, p), (0, 1))),) * 2,
    "jit of grad": (
        lambda j, p: at(j, j.jit(gradient(j, loss(j, p)))),
        lambda j, p: at(j, gradient(j, loss(j, p))),
    ),
    "grad of jit": (
        lambda j, p: at(j, gradient(j, j.jit(loss(j, p)))),
        lambda j, p: at(j, gradient(j, loss(j, p))),
    ),
    "vmap of grad": (
        lambda j, p: mapped(j, gradient(j, loss(j, p))),
        lambda j, p: one_by_one(j, gradient(j, loss(j, p))),
    ),
    "vmap of grad, over the weights": (
        lambda j, p: mapped(j, gradient(j, loss(j, p)), (None, 1)),
        lambda j, p: one_by_one(j, gradient(j, loss(j, p)), (None, 0)),
    ),
    "grad of vmap": (
        lambda j, p: j.grad(lambda vs: j.vmap(loss(j, p))(vs, random_loops.WEIGHTS).sum())(
            j.numpy.asarray(random_loops.POINTS)
        ),
        lambda j, p: one_by_one(j, j.grad(loss(j, p))),
    ),
    "jvp of grad": (lambda j, p: at(j, push(j, gradient(j, loss(j, p)))),) * 2,
    "grad of grad": (lambda j, p: at(j, gradient(j, dot_gradient(j, loss(j, p)))),) * 2,
    "hessian": (lambda j, p: hessian(j, loss(j, p)), lambda j, p: hessian_by_columns(j, loss(j, p))),
    "grad of checkpoint": (
        lambda j, p: at(j, gradient(j, j.checkpoint(loss(j, p)))),
        lambda j, p: at(j, gradient(j, loss(j, p))),
    ),
    "vmap of jvp of grad": (
        lambda j, p: mapped(j, push(j, gradient(j, loss(j, p))), (1, 0)),
        lambda j, p: one_by_one(j, push(j, gradient(j, loss(j, p)))),
    ),
}
LINEARIZE: dict[str, tuple[Check, Check]] = {
    "linearize": (lambda j, p: at(j, pull_linear(j, loss(j, p))), lambda j, p: at(j, push(j, loss(j, p)))[1]),
}
CHECKS = FORWARD | REVERSE | LINEARIZE

# ----------------------------------------------------------------- values

SECOND_ORDER = {"jvp of jvp", "jvp of grad", "grad of grad", "hessian", "vmap of jvp of grad"}


def kinds_for(check: str) -> tuple[str, ...]:
    """What the programs of a check are made of."""
    rules = CUSTOM_JVP if check in SECOND_ORDER else OTHER_JVP
    return (*LOOPS, *rules, *FORWARD_ONLY, *FORWARD_ONLY) if check in FORWARD else (*LOOPS, *rules)


def reverse_only_kinds_for(check: str) -> tuple[str, ...]:
    """The same, with functions that have no forward mode."""
    rules = CUSTOM_VJP if check in SECOND_ORDER else OTHER_VJP
    return (*LOOPS, *rules, *rules)


def outcome(j: Any, ask: Check, program: Program) -> Any:
    """The result, or that there is none: the forward pass of a custom_vjp function may call another one."""
    try:
        return ask(j, program)
    except TypeError as error:
        if "to a custom_vjp function" in str(error):
            return "no forward mode"
        raise


def compare(name: str, program: Program) -> None:
    """Both engines."""
    ask, ask_jax = CHECKS[name]
    with minijax.enable_x64(True):
        ours = outcome(minijax, ask, program)
    with jax.enable_x64(True), jax.disable_jit():
        theirs = outcome(jax, ask_jax, program)
    assert_same(ours, theirs, ulp=BOUND, floor=1, leafwise=True, what=f"{name} of {program}")


@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=2)
@given(data=st.data())
def test_values(name: str, data: Any):
    compare(name, data.draw(programs(kinds_for(name), leaves=3)))


@pytest.mark.parametrize("name", REVERSE)
@settings(max_examples=1)
@given(data=st.data())
def test_values_where_there_is_no_forward_mode(name: str, data: Any):
    compare(name, data.draw(programs(reverse_only_kinds_for(name), leaves=3)))


@pytest.mark.full
@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=80)
@given(data=st.data())
def test_values_of_deeper_nests(name: str, data: Any):
    compare(name, data.draw(programs(kinds_for(name), leaves=9)))


@pytest.mark.full
@pytest.mark.parametrize("name", REVERSE)
@settings(max_examples=40)
@given(data=st.data())
def test_values_of_deeper_nests_where_there_is_no_forward_mode(name: str, data: Any):
    compare(name, data.draw(programs(reverse_only_kinds_for(name), leaves=9)))


# ----------------------------------------------------------------- texts

V, W = (table[0].astype(np.float32) for table in (random_loops.POINTS, random_loops.WEIGHTS))
TABLE = random_loops.WEIGHTS.astype(np.float32)
Ask = Callable[[Any, Program], tuple[Function, tuple[Any, ...]]]

TEXTS: dict[str, Ask] = {
    "value": lambda j, p: (run(j, p), (V, W)),
    "vmap": lambda j, p: (j.vmap(run(j, p)), (TABLE, TABLE)),
    "vmap over the weights": lambda j, p: (j.vmap(run(j, p), (None, 0)), (V, TABLE)),
    "vmap along the last axes": lambda j, p: (j.vmap(run(j, p), (1, None), 1), (TABLE, W)),
    "jvp": lambda j, p: (lambda v, w, s, t: j.jvp(run(j, p), (v, w), (s, t)), (V, W, V, W)),
    "jvp by the weights": lambda j, p: (lambda v, w, t: j.jvp(lambda w: run(j, p)(v, w), (w,), (t,)), (V, W, W)),
    "linearize": lambda j, p: (lambda v, w, s: j.linearize(lambda v: run(j, p)(v, w), v)[1](s), (V, W, V)),
    "grad": lambda j, p: (gradient(j, loss(j, p)), (V, W)),
    "grad by the weights": lambda j, p: (j.grad(loss(j, p), 1), (V, W)),
    "vmap of grad": lambda j, p: (j.vmap(gradient(j, loss(j, p)), (None, 0)), (V, TABLE)),
    "grad of vmap": lambda j, p: (j.grad(lambda v, w: j.vmap(loss(j, p))(v, w).sum()), (TABLE, TABLE)),
    "jvp of grad": lambda j, p: (lambda v, w, s: j.jvp(lambda v: j.grad(loss(j, p))(v, w), (v,), (s,)), (V, W, V)),
    "grad of grad": lambda j, p: (j.grad(lambda v, w: j.grad(loss(j, p))(v, w).sum()), (V, W)),
}
# Without custom_root, of which JAX prunes what it calls, and jit, whose operands stand in another order.
# Nested loops differ in operands that nobody reads: in second derivatives JAX takes zeros along; here, where only the
# weights have a tangent, residuals that the backward loop turns out not to need.
WITHOUT_NESTS = {"jvp of grad", "grad of grad", "grad by the weights"}
TEXT_KINDS = ("scan", "fori", "cond", "switch", "map")
TEXT_STEPS = ("sin", "mul", "weigh", "exp", "half", "update", "count", "prefixes", "solution")


def compare_texts(name: str, data: Any, leaves: int) -> None:
    """Of random loops on both engines, without what nobody reads."""
    kinds = TEXT_KINDS if "grad" in name else (*TEXT_KINDS, *FORWARD_ONLY)
    leaves = 2 if name in WITHOUT_NESTS else leaves
    program = data.draw(programs(kinds, leaves=leaves, steps=TEXT_STEPS))
    asked = [(engine, *TEXTS[name](engine, program)) for engine in (minijax, jax)]
    ours, theirs = (jaxpr_tools.text(engine.make_jaxpr(f)(*args), prune=True) for engine, f, args in asked)
    assert ours == theirs, f"{name} of {program}"


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=4)
@given(data=st.data())
def test_texts(name: str, data: Any):
    compare_texts(name, data, leaves=3)


@pytest.mark.full
@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=100)
@given(data=st.data())
def test_more_texts(name: str, data: Any):
    compare_texts(name, data, leaves=6)
