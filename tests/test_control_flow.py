"""Loops and branches against JAX: unusual uses, errors, effects. Random nests are in test_random_loops.py, whole
programs in test_programs.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

import minijax
from minijax.jaxpr import dce_jaxpr
from reference.check.oracle import assert_same, in_jax

# ----------------------------------------------------------------- uses

X = np.linspace(-1.0, 1.0, 30, dtype=np.float32).reshape(10, 3)


def scan_in_jit_in_vmap_in_grad(j: Any) -> Any:
    """As it says."""

    def decayed(x: Any) -> Any:
        return j.lax.scan(lambda c, y: (j.numpy.sin(c) * y, c), x[0], x)[1].sum()

    return j.grad(lambda xs: j.vmap(j.jit(decayed))(xs).sum())(j.numpy.asarray(X))


def checkpointed_body(j: Any) -> Any:
    """grad through a scan whose body is computed anew, and second order."""

    @j.checkpoint
    def body(c: Any, x: Any) -> Any:
        return j.numpy.sin(c * x) + x, c.sum()

    f = lambda c: j.lax.scan(body, c, j.numpy.asarray(X))[1].sum()  # noqa: E731
    c = j.numpy.asarray(X[0])
    return j.grad(f)(c), j.grad(lambda c: j.grad(f)(c).sum())(c)


def polynomials(j: Any) -> Any:
    """Affine maps composed by associative_scan, along both directions, and their gradient."""
    a, b = j.numpy.asarray(X[:3]), j.numpy.asarray(X[7:])

    def compose(f: Any, g: Any) -> Any:
        return f[0] * g[0], f[1] * g[0] + g[1]

    scan = j.lax.associative_scan
    return (
        scan(compose, (a, b), reverse=True, axis=1),
        j.grad(lambda a: scan(compose, (a, b))[1].sum())(a),
        scan(j.numpy.logical_or, a[0] > 0.2),
    )


class Pair(NamedTuple):
    """A carry and a result."""

    carry: Any
    y: Any


def unusual_carries(j: Any) -> Any:
    """Weakly typed numbers that take the body's type, keys, booleans, empty trees, no turns at all."""
    key = j.random.key(3)

    def draw(key: Any, _: None) -> Any:
        key, sub = j.random.split(key)
        return key, j.random.randint(sub, (2,), 0, 1000)

    x = j.numpy.asarray(X[0])
    return (
        j.lax.scan(lambda c, x: (c + x, c), 0, x),
        j.lax.fori_loop(0, 3, lambda i, c: c * 1.5, 1),
        j.lax.while_loop(lambda c: c < 3, lambda c: c + np.float32(1), 0),
        j.lax.scan(draw, key, None, length=3)[1],
        j.lax.scan(lambda c, x: (c & (x > -1), ()), True, x),
        j.lax.scan(lambda c, x: (c, x), (), {"a": x, "b": (x,)}),
        j.lax.scan(lambda c, x: Pair(c + x, c), 0.5, x),
        j.lax.fori_loop(3, 1, lambda i, c: c + 1.0, x),
        j.lax.scan(lambda c, x: (c * 2.0, x), x, j.numpy.zeros((0, 2))),
        j.lax.cond(True, lambda: 1.0, lambda: np.float32(2)),
        j.lax.cond(0, lambda x: x, lambda x: 2 * x, operand=x),
        j.lax.cond(1.5, x, lambda x: x + 1, -x, lambda x: x - 1),
        j.lax.switch(np.uint8(200), [lambda: 1, lambda: 2]),
        j.lax.map(lambda t: t["a"] + t["b"], {"a": x, "b": x}, batch_size=2),
        j.lax.platform_dependent(x, cpu=lambda x: x + 1, default=lambda x: x),
    )


def own_gradients(j: Any) -> Any:
    """custom_gradient, whose rule closes over what was computed: alone, in a scan, in a branch, twice."""

    @j.custom_gradient
    def f(x: Any, y: Any) -> Any:
        s = j.numpy.sin(x)
        return {"out": s * y}, lambda g: (2.0 * g["out"] * s, g["out"] * y)

    def looped(x: Any) -> Any:
        return j.lax.fori_loop(0, 3, lambda _, c: f(c, x)["out"], x).sum()

    x = j.numpy.asarray(X[0])
    branch = lambda x: j.lax.cond(x.sum() > 0, lambda x: f(x, x)["out"], lambda x: x, x).sum()  # noqa: E731
    return j.grad(looped)(x), j.vmap(j.grad(branch))(j.numpy.asarray(X)), j.grad(lambda x: j.grad(looped)(x).sum())(x)


USES = {
    "scan in jit in vmap in grad": scan_in_jit_in_vmap_in_grad,
    "checkpointed body": checkpointed_body,
    "polynomials": polynomials,
    "own gradients": own_gradients,
    "unusual carries": unusual_carries,
}


@pytest.mark.parametrize("name", USES)
def test_use(name: str):
    program = USES[name]
    assert_same(program(minijax), in_jax(program), ulp=256, floor=1, leafwise=True, what=name)


def test_without_jit_they_are_python_loops():
    def program(j: Any) -> Any:
        with pytest.raises(ValueError, match="zero-length scan"):
            j.lax.scan(lambda c, x: (c, x), 0.0, j.numpy.zeros((0, 2)))
        return j.lax.fori_loop(3, 1, lambda i, c: c + 1.0, 2.0), j.lax.scan(lambda c, x: (c, c), 0, j.numpy.arange(3))

    with minijax.disable_jit(), jax.disable_jit():
        assert_same(program(minijax), program(jax), ulp=256, floor=1, leafwise=True)


def test_python_sees_the_values_without_jit():
    seen = []
    with minijax.disable_jit():
        minijax.lax.fori_loop(0, 3, lambda i, x: seen.append(float(x)) or x + i, 0.5)
        minijax.lax.while_loop(lambda x: x < 3, lambda x: seen.append(int(x)) or x + 1, 1)
        minijax.lax.cond(seen[0] > 0, lambda: seen.append("yes"), lambda: seen.append("no"))
    assert seen == [0.5, 0.5, 1.5, 1, 2, "yes"]


# ----------------------------------------------------------------- errors

V = np.ones(3, np.float32)


def pair(c: Any) -> dict[str, Any]:
    """A carry with two leaves."""
    return {"a": c, "b": (c, c)}


ERRORS: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "no function": (lambda j: j.lax.scan(3, V, V), ["callable"]),
    "not a pair": (lambda j: j.lax.scan(lambda c, x: c, V, V), ["pair", "(carry, y)"]),
    "three results": (lambda j: j.lax.scan(lambda c, x: (c, c, c), V, V), ["pair"]),
    "a number to scan over": (lambda j: j.lax.scan(lambda c, x: (c, c), V, 3.0), ["leading axis", "3.0"]),
    "different lengths": (lambda j: j.lax.scan(lambda c, x: (c, c), V, (V, V[:2])), ["3, 2"]),
    "another length": (lambda j: j.lax.scan(lambda c, x: (c, c), V, V, length=4), ["4", "[3]"]),
    "no length": (lambda j: j.lax.scan(lambda c, x: (c, c), V), ["length"]),
    "slices of different lengths, some at a time": (
        lambda j: j.lax.map(lambda x: x[0], (V, V[:2]), batch_size=2),
        ["sizes"],
    ),
    "half a slice at a time": (lambda j: j.lax.map(lambda x: x, V[:0], batch_size=1.5), ["integer"]),
    "a bound of None": (lambda j: j.lax.fori_loop(0, None, lambda i, c: c, V), ["None"]),
    "a traced length": (
        lambda j: j.jit(lambda n: j.lax.scan(lambda c, x: (c, c), 0.0, length=n))(3),
        ["length", "fori_loop"],
    ),
    "unroll below zero": (lambda j: j.lax.scan(lambda c, x: (c, c), V, V, unroll=-1), ["unroll", "-1"]),
    "a carry of another shape": (
        lambda j: j.lax.scan(lambda carry, x: (pair(carry["a"][:2]), x), pair(V), V),
        ["carry['a']", "carry['b'][1]", "float32[3]", "float32[2]"],
    ),
    "a carry of another dtype": (
        lambda j: j.lax.scan(lambda c, x: (c > 0, x), V, V),
        ["c has type float32[3]", "bool[3]"],
    ),
    "a carry of another structure": (
        lambda j: j.lax.scan(lambda c, x: ({"a": c["a"]}, x), pair(V), V),
        ["c['b'][0]", "structure"],
    ),
    "a carry with more leaves": (
        lambda j: j.lax.while_loop(lambda c: True, lambda c: (c, c), V),
        ["c[0]", "structure"],
    ),
    "a predicate that is no boolean": (lambda j: j.lax.while_loop(lambda c: 1, lambda c: c, V), ["boolean", "int32[]"]),
    "a predicate that is no scalar": (
        lambda j: j.lax.while_loop(lambda c: c > 0, lambda c: c, V),
        ["boolean scalar", "bool[3]"],
    ),
    "a predicate in a tuple": (lambda j: j.lax.while_loop(lambda c: (True,), lambda c: c, V), ["pytree"]),
    "bounds of different dtypes": (lambda j: j.lax.fori_loop(0, 1.5, lambda i, c: c, V), ["int32", "float32"]),
    "unrolling a traced number of turns": (
        lambda j: j.jit(lambda n: j.lax.fori_loop(0, n, lambda i, c: c, V, unroll=2))(3),
        ["unroll"],
    ),
    "no reverse mode for while": (
        lambda j: j.grad(lambda x: j.lax.while_loop(lambda c: c < 3, lambda c: c * 2, x))(1.0),
        ["Reverse-mode", "lax.scan"],
    ),
    "no reverse mode for traced bounds": (
        lambda j: j.jit(lambda n: j.grad(lambda x: j.lax.fori_loop(0, n, lambda i, c: c * 2, x))(1.0))(3),
        ["Reverse-mode", "fori_loop"],
    ),
    "branches of different types": (
        lambda j: j.lax.cond(True, lambda: {"a": V}, lambda: {"a": V[:2]}),
        ["['a']", "float32[3]", "float32[2]", "true_fun", "false_fun"],
    ),
    "branches of different structures": (lambda j: j.lax.cond(True, lambda: (V, V), lambda: V), ["structure"]),
    "a branch of switch": (
        lambda j: j.lax.switch(1, [lambda: V, lambda: V, lambda: 1]),
        ["branch 0", "branch 2", "float32[3]", "int32[]"],
    ),
    "a predicate in a list": (lambda j: j.lax.cond([True], lambda: 1, lambda: 2), ["scalar", "list"]),
    "a vector of predicates": (lambda j: j.lax.cond(V, lambda: 1, lambda: 2), ["scalar", "(3,)"]),
    "no predicate": (lambda j: j.lax.cond(None, lambda: 1, lambda: 2), ["None"]),
    "a word": (lambda j: j.lax.cond("yes", lambda: 1, lambda: 2), ["yes"]),
    "values for functions": (lambda j: j.lax.cond(True, 1, 2), ["callable"]),
    "operands twice": (lambda j: j.lax.cond(True, abs, abs, V, operand=V), ["operand"]),
    "a float index": (lambda j: j.lax.switch(1.5, [lambda: 1, lambda: 2]), ["integer", "1.5"]),
    "a vector of indices": (lambda j: j.lax.switch(np.arange(2), [lambda: 1, lambda: 2]), ["scalar"]),
    "an index of None": (lambda j: j.lax.switch(None, [lambda: 1, lambda: 2]), ["integer", "None"]),
    "no branches": (lambda j: j.lax.switch(0, []), ["branch"]),
    "a branch that is no function": (lambda j: j.lax.switch(0, [abs, 3]), ["callables"]),
    "platforms without this one": (lambda j: j.lax.platform_dependent(V, tpu=abs), ["tpu"]),
    "the platform gpu": (lambda j: j.lax.platform_dependent(V, gpu=abs), ["cuda"]),
    "different lengths to combine": (lambda j: j.lax.associative_scan(max, (V, V[:2])), ["length"]),
    "a root of another structure": (
        lambda j: j.lax.custom_root(lambda x: (x, x), 1.0, lambda f, x: x, lambda g, y: y),
        ["f()", "initial_guess"],
    ),
    "a solution of another shape": (
        lambda j: j.lax.custom_linear_solve(lambda x: x, V, lambda f, b: b[:2]),
        ["solve()", "(2,)", "(3,)"],
    ),
    "a solution without a transposed one": (
        lambda j: j.grad(lambda b: j.lax.custom_linear_solve(lambda x: x, b, lambda f, b: b).sum())(V),
        ["transpose_solve"],
    ),
    "a function that is not there": (lambda j: j.lax.reduce(V, (0.0, 1.0), max, (0,)), ["structure"]),
    "operands of different shapes": (
        lambda j: j.lax.reduce((V, V[:2]), (np.float32(0), np.float32(0)), lambda x, y: x, (0,)),
        ["(3,)", "(2,)"],
    ),
    "a dimension twice": (
        lambda j: j.lax.reduce(V[None], np.float32(0), lambda x, y: x + y + x * y, (1, 1)),
        ["(1, 1)"],
    ),
    "nothing to reduce": (lambda j: j.lax.reduce((), (), lambda x, y: x, (0,)), ["nothing"]),
    "an initial value that is no scalar": (lambda j: j.lax.reduce(V, V, lambda x, y: x * y, (0,)), ["non-scalar"]),
    "an initial value of another dtype": (lambda j: j.lax.reduce(V, 0, lambda x, y: x * y, (0,)), ["f32[3]", "i32[]"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str):
    """JAX's exception class, and a text that names what is at fault."""
    call, words = ERRORS[name]
    with pytest.raises(Exception) as theirs:  # noqa: PT011, JAX says which
        call(jax)
    with pytest.raises(Exception) as ours:  # noqa: PT011
        call(minijax)
    assert type(ours.value).__name__ == type(theirs.value).__name__, f"{ours.value}\n{theirs.value}"
    missing = [word for word in words if word not in str(ours.value)]
    assert not missing, f"{missing} not in: {ours.value}"


# ----------------------------------------------------------------- dead code, effects


def test_dead_parts_of_a_carry_go():
    """What the used results do not depend on is not computed: a part of the carry, a y, an x."""

    def program(j: Any) -> Any:
        def unused(c: Any, x: Any) -> Any:
            return (c[0] * x[0], j.numpy.exp(c[1] * x[1]), c[2] + 1), (c[0], c[1])

        return lambda c, xs: j.lax.scan(unused, (c, c, 0), (xs, xs))[1][0].sum()

    closed = minijax.make_jaxpr(program(minijax))(V, X)
    live, used = dce_jaxpr(closed.jaxpr, [True])
    assert used == [True, True]
    (scan,) = [eqn for eqn in live.eqns if eqn.primitive.name == "scan"]
    assert (scan.params["num_carry"], len(scan.invars), len(scan.outvars)) == (1, 2, 2)
    assert "exp" not in str(live)


PRINTING: dict[str, Callable[[Any], Any]] = {
    "scan": lambda j: j.lax.scan(lambda c, x: (j.debug.print("{} {}", c, x) or c + x, None), 0, j.numpy.arange(3)),
    "while": lambda j: j.lax.while_loop(lambda c: c < 2, lambda c: j.debug.print("turn {c}", c=c) or c + 1, 0),
    "cond": lambda j: j.lax.cond(True, lambda: j.debug.print("yes"), lambda: j.debug.print("no")),
    "jit": lambda j: j.jit(lambda x: [j.lax.fori_loop(0, 2, lambda i, c: j.debug.print("{}", i) or c, x)][1:])(1.0),
    "grad": lambda j: j.grad(
        lambda x: j.lax.scan(lambda c, _: (j.debug.print("{:.2f}", c) or c * 2.0, None), x, None, length=2)[0]
    )(1.0),
}


@pytest.mark.parametrize("name", PRINTING)
def test_effects_stay_although_nobody_reads_a_result(name: str, capfd: pytest.CaptureFixture):
    texts = []
    for engine in (minijax, jax):
        PRINTING[name](engine)
        if engine is jax:
            jax.effects_barrier()
        texts.append(capfd.readouterr().out)
    assert texts[0] == texts[1] != ""
