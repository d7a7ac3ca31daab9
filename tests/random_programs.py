"""Small random programs over pytrees, and the transformations to send them through.

A program is data: a list of instructions over a vector and a matrix, which `Program.__call__` runs on either
engine. Every program, and every program transformed, maps a tree like POINT to one of the same structure and
shapes, so that transformations compose in any order and depth. All operations are smooth and bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

Tree = Any
Function = Callable[[Tree], Tree]
Transformation = Callable[[Any, Function], Function]

VECTOR, MATRIX, SCALAR = (3,), (3, 3), ()
POINT = {
    "v": np.array([0.3, -0.7, 0.5]),
    "m": (np.array([[0.2, 0.5, -0.4], [0.9, -0.1, 0.3], [-0.6, 0.8, 0.7]]),),
}
DIRECTION = {
    "v": np.array([0.4, 0.1, -0.9]),
    "m": (np.array([[0.3, -0.2, 0.6], [0.1, 0.7, -0.5], [0.8, 0.2, 0.4]]),),
}
CONSTANT = np.array([0.6, -0.3, 0.9])

# ----------------------------------------------------------------- instructions

UNARY: dict[str, Callable[[Any, Any], Any]] = {
    "sin": lambda j, x: j.numpy.sin(x),
    "tanh": lambda j, x: j.numpy.tanh(x),
    "logistic": lambda j, x: j.nn.sigmoid(x),
    "bump": lambda j, x: j.numpy.exp(-x * x),
    "cube": lambda j, x: j.numpy.tanh(x) ** 3,
    "softplus": lambda j, x: j.nn.softplus(x),
    "reciprocal": lambda j, x: 1.0 / (1.0 + x * x),
    "jitted": lambda j, x: j.jit(lambda y: j.numpy.cos(y) * y)(x),
    "where": lambda j, x: j.numpy.where(np.arange(3) != 1, x, 0.5 * x),
    "custom": lambda j, x: custom_sine(j)(x),
}
BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda j, x, y: 0.5 * (x + y),
    "sub": lambda j, x, y: x - 0.5 * y,
    "mul": lambda j, x, y: x * j.numpy.tanh(y),
    "div": lambda j, x, y: x / (1.5 + j.numpy.sin(y)),
}
VECTORS: dict[str, Callable[[Any, Any], Any]] = {
    "reverse": lambda j, v: v[::-1],
    "pick": lambda j, v: v[1] * v,
    "gather": lambda j, v: v[np.array([2, 0, 2])],
    "shift": lambda j, v: j.numpy.concatenate([v[1:], v[:1]]),
    "update": lambda j, v: v.at[1].set(v[0] * v[2]),
    "centre": lambda j, v: v - v.mean(),
    "softmax": lambda j, v: j.nn.softmax(v),
    "closure": lambda j, v: j.numpy.asarray(CONSTANT) * v,
    "cumsum": lambda j, v: j.numpy.cumsum(v) * 0.4,
    "double": lambda j, v: j.jit(j.vmap(lambda s: j.numpy.sin(s) * s))(v),
}
MATRICES: dict[str, Callable[[Any, Any], Any]] = {
    "transpose": lambda j, m: m.T,
    "square": lambda j, m: 0.4 * (m @ m),
    "row": lambda j, m: m * m[0],
    "fold": lambda j, m: m.reshape(9)[::-1].reshape(3, 3),
    "rows": lambda j, m: j.vmap(lambda r: r * r.sum())(m),
}


def custom_sine(j: Any) -> Callable[[Any], Any]:
    """A sine whose derivative is not the cosine, so that a lost rule shows."""
    f = j.custom_jvp(j.numpy.sin)
    f.defjvp(lambda primals, tangents: (f(*primals), 0.7 * j.numpy.cos(primals[0]) * tangents[0]))
    return f


@dataclass(frozen=True)
class Program:
    """Instructions (kind, name, operand) that update a vector and a matrix in turn."""

    steps: tuple[tuple[str, str], ...]

    def __call__(self, j: Any, point: Tree) -> Tree:
        v, (m,) = point["v"], point["m"]
        for target, name in self.steps:
            v, m = step(j, target, name, v, m)
        return {"v": v, "m": (m,)}


def step(j: Any, target: str, name: str, v: Any, m: Any) -> tuple[Any, Any]:
    """One instruction; `v` and `m` name what it writes, the others mix the two."""
    if target == "v":
        return (UNARY | VECTORS)[name](j, v), m
    if target == "m":
        return v, (UNARY | MATRICES)[name](j, m)
    if target == "vm":
        return BINARY[name](j, v, m @ v), m
    if target == "mv":
        return v, BINARY[name](j, m, v)
    return BINARY[name](j, v, j.numpy.sum(m, axis=0)), BINARY[name](j, m, j.numpy.dot(v, v))


STEPS = [
    *(("v", name) for name in (UNARY | VECTORS)),
    *(("m", name) for name in (UNARY | MATRICES)),
    *((target, name) for target in ("vm", "mv", "both") for name in BINARY),
]


def programs() -> st.SearchStrategy[Program]:
    """Programs of two to five instructions, at least one of which mixes vector and matrix."""
    mixing = st.sampled_from([s for s in STEPS if len(s[0]) > 1])
    some = st.lists(st.sampled_from(STEPS), min_size=1, max_size=3)
    return st.builds(
        lambda before, mix, after: Program((*before, mix, *after)), some, mixing, st.lists(mixing, max_size=1)
    )


# ----------------------------------------------------------------- transformations, each an endomorphism


def dot(j: Any, a: Tree, b: Tree) -> Any:
    """The inner product of two trees."""
    leaves = zip(j.tree_util.tree_leaves(a), j.tree_util.tree_leaves(b), strict=True)
    return sum(j.numpy.sum(x * y) for x, y in leaves)


def along(j: Any, point: Tree) -> Tree:
    """A direction that depends on the point, so that differentiating again has something to find."""
    return j.tree_util.tree_map(lambda d, x: d + 0.5 * x, DIRECTION, point)


def jvp(j: Any, f: Function) -> Function:
    """The derivative along a direction."""
    return lambda x: j.jvp(f, (x,), (along(j, x),))[1]


def linearize(j: Any, f: Function) -> Function:
    """The same by linearize and a call."""
    return lambda x: j.linearize(f, x)[1](along(j, x))


def grad(j: Any, f: Function) -> Function:
    """The gradient of a weighted sum of the results."""
    return lambda x: j.grad(lambda y: dot(j, f(y), DIRECTION))(x)


def vmap(j: Any, f: Function) -> Function:
    """The mean over a batch of scaled points, batched along different axes."""

    def transformed(x):
        scales = j.numpy.asarray([1.0, 0.5])
        v = x["v"][:, None] * scales
        m = x["m"][0] * scales[:, None, None]
        axes = {"v": 1, "m": (0,)}
        batch = j.vmap(f, in_axes=(axes,), out_axes={"v": 0, "m": (1,)})({"v": v, "m": (m,)})
        return {"v": batch["v"].mean(0), "m": (batch["m"][0].mean(1),)}

    return transformed


def contracted(jacobian: Callable[..., Any], j: Any, f: Function) -> Function:
    """A whole Jacobian, contracted with a direction on the side of the results."""

    def transformed(x):
        jac = jacobian(f)(x)
        rows = {"v": jac["v"], "m": jac["m"][0]}

        def pull(select):
            v = j.numpy.tensordot(DIRECTION["v"], select(rows["v"]), 1)
            return v + j.numpy.tensordot(DIRECTION["m"][0], select(rows["m"]), 2)

        return {"v": pull(lambda t: t["v"]), "m": (pull(lambda t: t["m"][0]),)}

    return transformed


def jacfwd(j: Any, f: Function) -> Function:
    """The Jacobian by forward mode."""
    return contracted(j.jacfwd, j, f)


def jacrev(j: Any, f: Function) -> Function:
    """The Jacobian by reverse mode."""
    return contracted(j.jacrev, j, f)


def jit(j: Any, f: Function) -> Function:
    """Compiled."""
    return j.jit(f)


def checkpoint(j: Any, f: Function) -> Function:
    """Rematerialised."""
    return j.checkpoint(f)


def custom_jvp(j: Any, f: Function) -> Function:
    """With a custom rule that doubles the tangents."""
    g = j.custom_jvp(f)

    @g.defjvp
    def rule(primals, tangents):
        out, tangent = j.jvp(f, primals, tangents)
        return out, j.tree_util.tree_map(lambda t: 2.0 * t, tangent)

    return g


def custom_vjp(j: Any, f: Function) -> Function:
    """With a custom backward pass that doubles the cotangents."""
    g = j.custom_vjp(f)
    g.defvjp(lambda x: (f(x), x), lambda x, ct: j.tree_util.tree_map(lambda t: 2.0 * t, j.vjp(f, x)[1](ct)))
    return g


TRANSFORMATIONS: dict[str, Transformation] = {
    t.__name__: t for t in (jvp, grad, vmap, jit, linearize, jacfwd, jacrev, checkpoint, custom_jvp, custom_vjp)
}


def transformed(j: Any, names: tuple[str, ...], program: Program) -> Function:
    """The program under the transformations, the first name innermost."""
    f: Function = partial(program, j)
    for name in names:
        f = TRANSFORMATIONS[name](j, f)
    return f
