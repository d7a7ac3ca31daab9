"""Random programs of nested loops and branches, from a vector to a vector of the same length.

A program is data, a tree of instructions that `run` follows on either engine. Everything is smooth and bounded,
and the predicates are far from ties wherever the programs are run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

Program = tuple[Any, ...]

POINTS = np.array([[0.31, -0.72, 0.53], [0.94, 0.11, -0.38], [-0.57, 0.66, 0.29]])
DIRECTION = np.array([0.4, 0.1, -0.9])
MATRIX = np.array([[0.2, 0.5, -0.4], [0.9, -0.1, 0.3], [-0.6, 0.8, 0.7]])

# ----------------------------------------------------------------- what stands in the bodies

STEPS = {
    "sin": lambda j, v: j.numpy.sin(v),
    "mul": lambda j, v: v * j.numpy.tanh(v[::-1]),
    "matmul": lambda j, v: j.numpy.tanh(j.numpy.asarray(MATRIX) @ v),
    "exp": lambda j, v: j.numpy.exp(-v * v),
    "update": lambda j, v: v.at[1].set(v[0] * v[2]),
    "jit": lambda j, v: j.jit(lambda x: j.numpy.cos(x) * x)(v),
    "stop": lambda j, v: v - 0.5 * j.lax.stop_gradient(v),
    "half": lambda j, v: 0.5 * v,
}
LOOPS = ("scan", "fori", "cond", "switch", "checkpoint", "map")


def steps() -> st.SearchStrategy[Program]:
    """A single instruction."""
    return st.tuples(st.sampled_from(sorted(STEPS)))


def programs(loops: tuple[str, ...] = LOOPS, leaves: int = 6) -> st.SearchStrategy[Program]:
    """Nested loops and branches of some kinds."""

    def around(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
        return st.one_of(
            st.tuples(st.just("then"), inner, inner),
            *[st.tuples(st.just(kind), inner, inner, st.booleans()) for kind in loops],
        )

    nested = st.recursive(steps(), around, max_leaves=leaves)
    return nested.filter(lambda program: program[0] not in STEPS)


# ----------------------------------------------------------------- running one


def run(j: Any, program: Program, v: Any) -> Any:
    """The program's result on the engine."""
    kind, *rest = program
    return STEPS[kind](j, v) if kind in STEPS else KINDS[kind](j, v, *rest)


def then(j: Any, v: Any, first: Program, second: Program) -> Any:
    """One after the other."""
    return run(j, second, run(j, first, v))


def scan(j: Any, v: Any, first: Program, second: Program, reverse: bool) -> Any:
    """A scan over the rows of a matrix, with a pytree as carry, a counter in it, and a closure over `v`."""
    rows = j.numpy.outer(v, v)

    def body(carry: Any, row: Any) -> Any:
        x, i, old = carry["x"], carry["i"], carry["old"]
        y = run(j, first, 0.6 * x + 0.3 * row) + 0.1 * v
        return {"x": y, "i": i + 1, "old": old}, (run(j, second, y) * i, old)

    final, (ys, olds) = j.lax.scan(body, {"x": v, "i": 0, "old": v[0]}, rows, reverse=reverse)
    return j.numpy.tanh(final["x"] + 0.2 * ys.sum(0) + olds.sum())


def fori(j: Any, v: Any, first: Program, second: Program, reverse: bool) -> Any:
    """A loop of known length, whose index takes part."""
    del reverse
    return j.lax.fori_loop(0, 3, lambda i, x: run(j, first, x) * 0.5 + 0.1 * i * run(j, second, v), v)


def cond(j: Any, v: Any, first: Program, second: Program, flag: bool) -> Any:
    """A branch on the data, or on a number that is known; one of them ignores its operand."""
    predicate = v[0] > 0.05 if flag else v.shape[0] > 2
    return j.lax.cond(predicate, lambda x: run(j, first, x), lambda x: run(j, second, 0.7 * v), v)


def switch(j: Any, v: Any, first: Program, second: Program, flag: bool) -> Any:
    """Three branches; the last forgets what it is given."""
    index = j.numpy.floor(2.0 * v[1 if flag else 2] + 1.03).astype(int)
    branches = [lambda x: run(j, first, x), lambda x: run(j, second, x), lambda x: j.numpy.full_like(x, 0.3)]
    return j.lax.switch(index, branches, v)


def checkpoint(j: Any, v: Any, first: Program, second: Program, flag: bool) -> Any:
    """Computed anew in the backward pass, around a loop or in it."""
    inside = j.checkpoint(lambda x: then(j, x, first, second))
    return j.lax.fori_loop(0, 2, lambda _, x: inside(x), v) if flag else inside(v)


def mapped(j: Any, v: Any, first: Program, second: Program, flag: bool) -> Any:
    """lax.map over rows, one or two at a time."""
    rows = j.numpy.stack([v, 0.5 * v, run(j, second, v)])
    return j.numpy.tanh(j.lax.map(lambda row: run(j, first, row), rows, batch_size=2 if flag else None).sum(0))


def while_loop(j: Any, v: Any, first: Program, second: Program, flag: bool) -> Any:
    """A loop whose length depends on the data, or on a counter alone."""

    def goes_on(state: Any) -> Any:
        x, i = state
        return (i < 4) & (x.sum() < 1.52) if flag else i < 3

    def body(state: Any) -> Any:
        x, i = state
        return run(j, first, x) + 0.2 * run(j, second, v), i + 1

    return j.lax.while_loop(goes_on, body, (v, 0))[0]


KINDS = {
    "then": then,
    "scan": scan,
    "fori": fori,
    "cond": cond,
    "switch": switch,
    "checkpoint": checkpoint,
    "map": mapped,
    "while": while_loop,
}
