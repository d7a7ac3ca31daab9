"""Rows of loops and branches, and of what is made of users' functions: scan, while, cond, reduce, linear solves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..operation_row import KINDS, Row, between, exactly, integers, row

# JAX compiles a loop anew for each new function object: bodies without closures are made once for an engine.


def recurrence(jax: Any, w: Any, c: Any, xs: Any) -> Any:
    """A nonlinear recurrence with a weight that it closes over."""
    return jax.lax.scan(lambda c, x: (jax.lax.sin(c * w) + x, c * x), c, xs)


def invariant(jax: Any, w: Any, c: Any, xs: Any) -> Any:
    """A body that computes the same thing in each turn: it and its residuals are hoisted."""
    return jax.lax.scan(lambda c, x: (c * jax.lax.sin(w) + jax.lax.exp(w), c * x), c, xs, reverse=True)


@functools.cache
def _counting_body(jax: Any) -> Callable[[Any, Any], Any]:
    def body(carry: Any, _: None) -> Any:
        x, i, kept = carry["x"], carry["i"], carry["kept"]
        return {"x": jax.numpy.tanh(x) * i, "i": i + 1, "kept": kept}, (i, x * kept)

    return body


def counting(jax: Any, x: Any) -> Any:
    """No xs; a carry with an integer, and with a part that does not change."""
    return jax.lax.scan(_counting_body(jax), {"x": x, "i": 1, "kept": x}, None, length=3)


def nested(jax: Any, w: Any, c: Any, xs: Any) -> Any:
    """A scan in a scan, with a weight that both close over."""

    def inner(c: Any, x: Any) -> Any:
        return jax.lax.sin(c * w) + x, c * x

    return jax.lax.scan(lambda c, row: jax.lax.scan(inner, c, row), c, xs)


@functools.cache
def _rotating_body(jax: Any) -> Callable[[Any, Any], Any]:
    return lambda c, x: ((c[1], c[2], jax.lax.cos(c[0]) * x), c[0] * c[2])


def rotating(jax: Any, a: Any, xs: Any) -> Any:
    """A carry of which only the last part depends on the operand at first: what holds of it spreads turn by turn."""
    one = jax.numpy.ones_like(a)
    return jax.lax.scan(_rotating_body(jax), (one, one, a), xs, reverse=True)


def static_fori(jax: Any, x: Any) -> Any:
    """A fori_loop of known length has all derivatives."""
    return jax.lax.fori_loop(-1, 3, lambda i, v: jax.lax.sin(v) * i + x, x)


def branch_in_loop(jax: Any, s: Any, xs: Any) -> Any:
    """Another branch in each turn."""
    return jax.lax.scan(lambda c, x: (jax.lax.cond(c > x, jax.lax.sin, lambda c: c * c + s, c), c * x), s, xs)


def checkpointed(jax: Any, w: Any, xs: Any) -> Any:
    """A body that is computed anew in the backward pass."""
    return jax.lax.scan(jax.checkpoint(lambda c, x: (jax.lax.sin(c * w) + x, c * x)), w, xs)


def mapped(jax: Any, xs: Any) -> Any:
    """lax.map, two slices at a time and one left over."""
    return jax.lax.map(lambda x: (jax.lax.sin(x), x * x[:1]), xs, batch_size=2)


@functools.cache
def _running_body(jax: Any) -> Callable[[Any, Any], Any]:
    return lambda c, x: (c + x, (c, x))


def running_sum(jax: Any, c: Any, xs: Any) -> Any:
    """A linear body that also returns its slice."""
    return jax.lax.scan(_running_body(jax), c, xs, unroll=2)


def halt(jax: Any, bound: Any, x: Any) -> Any:
    """Doubles until a bound is passed, which differs from example to example under vmap."""
    return jax.lax.while_loop(
        lambda v: v[1] < bound, lambda v: (jax.lax.sin(v[0]) * 2.0 * v[0], v[1] + 1, v[2]), (x, 0, x)
    )[:2]


@functools.cache
def _collatz_parts(jax: Any) -> tuple[Callable, Callable]:
    def step(v: Any) -> Any:
        n, steps = v
        return jax.numpy.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

    return (lambda v: v[0] != 1), step


def spreading(jax: Any, x: Any, n: Any) -> Any:
    """A carry that is batched, or has a tangent, only after some turns; the predicate looks at it then."""
    start = (0, n, 1.0, 0.5, 0.25)
    return jax.lax.while_loop(
        lambda v: (v[0] < v[1]) & (v[2] < 2.5), lambda v: (v[0] + 1, v[1], v[3], v[4], x * v[2]), start
    )[2:]


def collatz(jax: Any, n: Any) -> Any:
    """How many steps the Collatz sequence takes from n to 1."""
    return jax.lax.while_loop(*_collatz_parts(jax), (n, 0))


def fori(jax: Any, n: Any, x: Any) -> Any:
    """A fori_loop whose bound is traced."""
    return jax.lax.fori_loop(0, n, lambda i, v: v * jax.lax.cos(x) + i, x)


def choice(jax: Any, s: Any, x: Any, y: Any) -> Any:
    """Two branches with different residuals, one of which ignores an operand."""
    return jax.lax.cond(s > 0, lambda x: (jax.lax.sin(x) * y, x), lambda x: (jax.numpy.exp(x) * x, jax.lax.neg(y)), x)


@functools.cache
def _switch_branches(jax: Any) -> list[Callable]:
    return [jax.lax.sin, lambda x: x * x, lambda x: jax.numpy.ones_like(x)]


def three_ways(jax: Any, i: Any, x: Any) -> Any:
    """switch with an index out of bounds on both sides."""
    return jax.lax.switch(i, _switch_branches(jax), x)


@functools.cache
def _guarded_branches(jax: Any) -> tuple[Callable, Callable]:
    return jax.lax.sqrt, lambda x: x * 0.5


def guarded(jax: Any, x: Any) -> Any:
    """A branch that is not chosen where its derivative would be infinite."""
    return jax.lax.cond(x > 0, *_guarded_branches(jax), x)


def matmul(x: Any, y: Any) -> Any:
    """A computation of pairs: (a, b) stands for v -> a v + b, and two of them combined for one after the other."""
    return x[0] * y[0], x[1] * y[0] + y[1]


def composed(jax: Any, a: Any, b: Any) -> Any:
    """Affine maps composed along the last axis."""
    zero, one = a.dtype.type(0), a.dtype.type(1)
    return jax.lax.reduce((a, b), (one, zero), matmul, (a.ndim - 1,))


def smooth_sum(x: Any, y: Any) -> Any:
    """An associative function of two numbers that is no sum: 1 + f is a product."""
    return x + y + x * y


def reduced(jax: Any, x: Any) -> Any:
    """All elements reduced."""
    return jax.lax.reduce(x, x.dtype.type(0), smooth_sum, tuple(range(x.ndim)))


def solved(jax: Any, a: Any, b: Any) -> Any:
    """A linear equation solved by iteration, whose derivative is not that of the iteration."""

    def matvec(x: Any) -> Any:
        return x + a * x[::-1]

    def solve(mv: Any, b: Any) -> Any:
        return jax.lax.fori_loop(0, 12, lambda _, x: x + (b - mv(x)) * 0.75, jax.numpy.zeros_like(b))

    return jax.lax.custom_linear_solve(matvec, b, solve, solve)


W, C, XS = between(-2, 2, 2), between(-2, 2, 2), between(-2, 2, 3, 2)
FORWARD_ONLY = tuple(kind for kind in KINDS if kind not in ("vjp", "second"))
NO_WEAK = tuple(kind for kind in KINDS if kind != "weak")
SMOOTH = {"ulp": 8, "floor": 1}

ROWS: list[Row] = [
    row("scan", recurrence, between(-2, 2), between(-2, 2), between(-2, 2, 3), main=True, **SMOOTH),
    row("scan", recurrence, W, C, XS, label="vectors", only=NO_WEAK, **SMOOTH),
    row("scan", invariant, W, C, XS, label="invariant", **SMOOTH),
    row("scan", counting, between(-1, 1, 2), label="counting", **SMOOTH),
    row("scan", running_sum, C, XS, label="running-sum", **SMOOTH),
    row("scan", running_sum, integers(-9, 9, 2), integers(-9, 9, 3, 2), label="integers"),
    row("scan", nested, between(-2, 2), between(-2, 2), between(-2, 2, 2, 3), label="nested", **SMOOTH),
    row("scan", rotating, between(-2, 2), between(-2, 2, 4), label="rotating", weak=False, **SMOOTH),
    row("scan", static_fori, between(-2, 2, 2), label="fori", **SMOOTH),
    row("scan", branch_in_loop, between(-2, 2), between(-2, 2, 3), label="cond", weak=False, **SMOOTH),
    row("scan", checkpointed, between(-2, 2), between(-2, 2, 3), label="checkpoint", weak=False, **SMOOTH),
    row("scan", mapped, between(-2, 2, 3, 2), label="map", **SMOOTH),
    row("scan", running_sum, C, between(-2, 2, 0, 2), label="no-turns", weak=False, **SMOOTH),
    row("while", halt, integers(0, 4), between(-1, 1, 2), main=True, only=FORWARD_ONLY, weak=False, **SMOOTH),
    row("while", halt, integers(0, 4), between(-1, 1), only=FORWARD_ONLY, **SMOOTH),
    row("while", spreading, between(1, 2), integers(0, 5), label="spreading", only=FORWARD_ONLY, weak=False, **SMOOTH),
    row("while", collatz, integers(1, 30), label="collatz", only=FORWARD_ONLY),
    row("while", fori, integers(-1, 4), between(-1, 1, 2), label="fori", only=FORWARD_ONLY, **SMOOTH),
    row("cond", choice, between(-2, 2), between(-1, 1), between(1, 2), main=True, **SMOOTH),
    row("cond", choice, between(-2, 2), between(-1, 1, 2), between(1, 2, 2), label="vectors", **SMOOTH),
    row("cond", three_ways, integers(-2, 4), between(-2, 2, 2), label="switch", **SMOOTH),
    row("cond", guarded, exactly(0.0), label="guarded", **SMOOTH),
    row("cond", guarded, between(-2, 2), label="scalar", **SMOOTH),
    row("reduce", reduced, between(-1, 1, 5), main=True, weak=False, **SMOOTH),
    row("reduce", reduced, between(-1, 1, 2, 3), weak=False, **SMOOTH),
    row("reduce", reduced, between(-1, 1, 0), label="empty", weak=False, **SMOOTH),
    row("reduce", reduced, integers(-3, 3, 2, 3), weak=False),
    # Not commutative, which JAX's derivative takes for granted.
    row(
        "reduce", composed, between(-1, 1, 2, 4), between(-1, 1, 2, 4), only=("eval", "vmap", "jit", "jaxpr"), **SMOOTH
    ),
    row("custom_linear_solve", solved, between(-0.5, 0.5), between(-1, 1, 3), main=True, weak=False, **SMOOTH),
    row("custom_linear_solve", solved, between(-0.5, 0.5, 2), between(-1, 1, 2), label="vector", weak=False, **SMOOTH),
]
