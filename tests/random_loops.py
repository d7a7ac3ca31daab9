"""Random programs of nested loops and branches, from a vector and weights to a vector of the same length.

A program is data, a tree of instructions that `run` follows on either engine. Everything is smooth and bounded,
and the predicates are far from ties wherever the programs are run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

Program = tuple[Any, ...]

POINTS = np.array([[0.31, -0.72, 0.53], [0.94, 0.11, -0.38], [-0.57, 0.66, 0.29]])
WEIGHTS = np.array([[0.8, -0.3, 0.6], [0.2, 1.1, -0.7], [-0.5, 0.4, 0.9]])
DIRECTION = np.array([0.4, 0.1, -0.9])
MATRIX = np.array([[0.2, 0.5, -0.4], [0.9, -0.1, 0.3], [-0.6, 0.8, 0.7]])

# ----------------------------------------------------------------- what stands in the bodies


def count(j: Any, v: Any, w: Any) -> Any:
    """A loop of unknown length that no derivative goes through, because it counts."""

    def body(state: Any) -> Any:
        return state[0] + 0.41, state[1] + 1

    start = j.lax.stop_gradient(v[0] * w[1])
    return (0.5 + 0.1 * j.lax.while_loop(lambda s: s[0] < 1.03, body, (start, 0))[1]) * v


def root(j: Any, v: Any, w: Any) -> Any:
    """The real root of x**3 + x = v + w, by a number of Newton steps, differentiated implicitly."""

    def solve(f: Callable[[Any], Any], x: Any) -> Any:
        return j.lax.fori_loop(0, 12, lambda _, x: x - f(x) / (3.0 * x * x + 1.0), x)

    return j.lax.custom_root(
        lambda x: x * x * x + x - v - w, 0.0 * j.lax.stop_gradient(v), solve, lambda g, y: y / g(j.numpy.ones_like(y))
    )


def solution(j: Any, v: Any, w: Any) -> Any:
    """The solution of a symmetric linear equation, by iteration."""

    def matvec(x: Any) -> Any:
        return x + 0.3 * j.numpy.tanh(w[0]) * x[::-1]

    def solve(mv: Callable[[Any], Any], b: Any) -> Any:
        return j.lax.fori_loop(0, 40, lambda _, x: x + (b - mv(x)) * 0.8, j.numpy.zeros_like(b))

    return j.lax.custom_linear_solve(matvec, v, solve, symmetric=True)


STEPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sin": lambda j, v, w: j.numpy.sin(v),
    "mul": lambda j, v, w: v * j.numpy.tanh(v[::-1]),
    "weigh": lambda j, v, w: j.numpy.tanh(v * w + w[0]),
    "matmul": lambda j, v, w: j.numpy.tanh(j.numpy.dot(MATRIX.astype(v.dtype), v)),
    "exp": lambda j, v, w: j.numpy.exp(-v * v),
    "update": lambda j, v, w: v.at[1].set(v[0] * w[2]),
    "jit": lambda j, v, w: j.jit(lambda x: j.numpy.cos(x) * w)(v),
    "stop": lambda j, v, w: v - 0.5 * j.lax.stop_gradient(v),
    "half": lambda j, v, w: 0.5 * v,
    "prefixes": lambda j, v, w: 0.5 * j.lax.associative_scan(j.numpy.multiply, j.numpy.tanh(v) + 1.2),
    "count": count,
    "root": root,
    "solution": solution,
}
LOOPS = ("scan", "fori", "cond", "switch", "checkpoint", "map")
FORWARD_ONLY = ("while", "dynamic fori")
# With a derivative that is not the function's: in JAX too, the second one depends on whether a loop is staged.
OTHER_JVP, OTHER_VJP = ("other jvp",), ("other vjp",)
CUSTOM_JVP, CUSTOM_VJP = ("custom_jvp",), ("custom_vjp",)


def programs(
    loops: tuple[str, ...] = LOOPS, leaves: int = 6, steps: tuple[str, ...] = tuple(STEPS)
) -> st.SearchStrategy[Program]:
    """Nested loops and branches of some kinds, with these single instructions in them."""

    def around(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
        return st.one_of(
            st.tuples(st.just("then"), inner, inner),
            *[st.tuples(st.just(kind), inner, inner, st.booleans()) for kind in loops],
        )

    nested = st.recursive(st.tuples(st.sampled_from(sorted(steps))), around, max_leaves=leaves)
    return nested.filter(lambda program: program[0] not in STEPS)


# ----------------------------------------------------------------- running one


def run(j: Any, program: Program, v: Any, w: Any) -> Any:
    """The program's result on the engine."""
    kind, *rest = program
    return STEPS[kind](j, v, w) if kind in STEPS else KINDS[kind](j, v, w, *rest)


def then(j: Any, v: Any, w: Any, first: Program, second: Program) -> Any:
    """One after the other."""
    return run(j, second, run(j, first, v, w), w)


def scan(j: Any, v: Any, w: Any, first: Program, second: Program, reverse: bool) -> Any:
    """A scan over the rows of a matrix, with a pytree as carry, a counter in it, and a closure over `v`."""
    rows = j.numpy.outer(v, w)

    def body(carry: Any, row: Any) -> Any:
        x, i, old = carry["x"], carry["i"], carry["old"]
        y = run(j, first, 0.6 * x + 0.3 * row, w) + 0.1 * v
        return {"x": y, "i": i + 1, "old": old}, (run(j, second, y, w) * i, old)

    final, (ys, olds) = j.lax.scan(body, {"x": v, "i": 0, "old": v[0]}, rows, reverse=reverse)
    return j.numpy.tanh(final["x"] + 0.2 * ys.sum(0) + olds.sum())


def fori(j: Any, v: Any, w: Any, first: Program, second: Program, with_weights: bool) -> Any:
    """A loop of known length, whose index takes part; with the weights in the carry, which change, or constant."""

    def body(i: Any, carry: Any) -> Any:
        x, u = carry
        x = run(j, first, x, u) * 0.5 + 0.1 * i * run(j, second, v, w)
        return x, u[::-1] if with_weights else u

    return j.lax.fori_loop(0, 3, body, (v, w))[0]


def dynamic_fori(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """A loop whose length depends on the data."""
    turns = (v[0] > 0.05).astype(int) + (2 if flag else 1)
    return j.lax.fori_loop(0, turns, lambda i, x: 0.6 * run(j, first, x, w) + 0.1 * i * run(j, second, x, w), v)


def cond(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """A branch on the data, or on a number that is known; one of them ignores its operand."""
    predicate = v[0] > 0.05 if flag else v.shape[0] > 2
    return j.lax.cond(predicate, lambda x: run(j, first, x, w), lambda x: run(j, second, 0.7 * v, w), v)


def switch(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """Three branches; the last forgets what it is given."""
    index = j.numpy.floor(2.0 * (v[1] if flag else w[2]) + 1.03).astype(int)
    branches = [
        lambda x: run(j, first, x, w),
        lambda x: run(j, second, x, w),
        lambda x: j.numpy.full_like(x, 0.3),
    ]
    return j.lax.switch(index, branches, v)


def checkpoint(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """Computed anew in the backward pass, around a loop or in it."""
    inside = j.checkpoint(lambda x: then(j, x, w, first, second))
    return j.lax.fori_loop(0, 2, lambda _, x: inside(x), v) if flag else inside(v)


def mapped(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """lax.map over rows, one or two at a time."""
    rows = j.numpy.stack([v, 0.5 * v, run(j, second, v, w)])
    return j.numpy.tanh(j.lax.map(lambda row: run(j, first, row, w), rows, batch_size=2 if flag else None).sum(0))


def while_loop(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """A loop whose length depends on the data, or on a counter alone."""

    def goes_on(state: Any) -> Any:
        x, i = state
        return (i < 4) & (x.sum() < 1.52) if flag else i < 3

    def body(state: Any) -> Any:
        x, i = state
        return run(j, first, x, w) + 0.2 * run(j, second, v, w), i + 1

    return j.lax.while_loop(goes_on, body, (v, 0))[0]


def other_jvp(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """A function whose derivative is that of another one, on its own or in a loop."""
    f = j.custom_jvp(lambda x, w: run(j, first, x, w))
    f.defjvp(lambda primals, tangents: (f(*primals), j.jvp(lambda x, w: run(j, second, x, w), primals, tangents)[1]))
    return j.lax.fori_loop(0, 2, lambda _, x: f(x, w), v) if flag else f(v, w)


def other_vjp(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """The same by a backward pass, which has no forward mode."""
    f = j.custom_vjp(lambda x, w: run(j, first, x, w))
    f.defvjp(
        lambda x, w: (run(j, first, x, w), (x, w)),
        lambda residuals, ct: j.vjp(lambda x, w: run(j, second, x, w), *residuals)[1](ct),
    )
    return j.lax.fori_loop(0, 2, lambda _, x: f(x, w), v) if flag else f(v, w)


def custom_jvp(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """A rule that gives the function's own derivative."""
    return run(j, second, other_jvp(j, v, w, first, first, flag), w)


def custom_vjp(j: Any, v: Any, w: Any, first: Program, second: Program, flag: bool) -> Any:
    """The same by a backward pass."""
    return run(j, second, other_vjp(j, v, w, first, first, flag), w)


KINDS = {
    "then": then,
    "scan": scan,
    "fori": fori,
    "dynamic fori": dynamic_fori,
    "cond": cond,
    "switch": switch,
    "checkpoint": checkpoint,
    "map": mapped,
    "while": while_loop,
    "other jvp": other_jvp,
    "other vjp": other_vjp,
    "custom_jvp": custom_jvp,
    "custom_vjp": custom_vjp,
}
