"""custom_vmap and sequential_vmap, as in JAX: results, what the rule is called with, exceptions."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minijax
from reference.check import jaxpr_tools
from reference.check.oracle import assert_same, assert_values

ENGINES = (minijax, jax)
V = np.linspace(0.2, 1.0, 3, dtype=np.float32)
M = np.arange(6, dtype=np.float32).reshape(2, 3)
Program = Callable[[Any], Any]

# Rules that are not the true ones show by their result that they were used.


def batching(j: Any) -> Any:
    """jax.custom_batching of the engine."""
    return import_module(f"{j.__name__}.custom_batching")


def with_rule(j: Any, fun: Callable, rule: Callable) -> Any:
    """A custom_vmap function."""
    f = batching(j).custom_vmap(fun)
    f.def_vmap(rule)
    return f


def sine(j: Any) -> Any:
    """A sine that is a cosine when batched."""
    return with_rule(j, lambda x: j.numpy.sin(x), lambda size, batched, xs: (j.numpy.cos(xs), True))


def plus(j: Any, seen: list[Any]) -> Any:
    """A sum that is a product when batched, and notes down what its rule is given."""

    def rule(size, batched, xs, ys):
        seen.append((int(size), list(batched), np.shape(xs), np.shape(ys)))
        return xs * ys, any(batched)

    return with_rule(j, lambda x, y: x + y, rule)


def basic(j: Any) -> Any:
    seen: list[Any] = []
    f = plus(j, seen)
    eager = f(1.0, 2.0), j.vmap(f)(V, V), j.vmap(f, (0, None))(V, 2.0), j.vmap(f, (None, 0))(2.0, V)
    jitted = j.jit(f)(1.0, 2.0), j.jit(j.vmap(f))(V, V), j.vmap(j.jit(f))(V, V)
    return eager, jitted, j.vmap(lambda x: f(2.0, 3.0) + x)(V), seen


def axes(j: Any) -> Any:
    seen: list[Any] = []
    return j.vmap(plus(j, seen), (1, 0), 1)(M, np.ones((3, 2), np.float32)), seen


def nested(j: Any) -> Any:
    """The outer vmap batches what the rule of the inner one does."""
    seen: list[Any] = []
    f = plus(j, seen)
    return j.vmap(j.vmap(f))(M, M), j.vmap(j.vmap(f, (0, None)), (None, 0))(V, V), seen


def trees(j: Any) -> Any:
    seen = []

    def rule(size, batched, d, e):
        seen.append(batched)
        return {"s": d["a"] * d["b"], "e": e}, {"s": True, "e": batched[1]}

    f = with_rule(j, lambda d, e: {"s": d["a"] + d["b"], "e": e}, rule)
    return j.vmap(f, ({"a": 0, "b": None}, None))({"a": V, "b": 2.0}, 3.0), seen


def not_batched(j: Any) -> Any:
    f = with_rule(j, lambda x: x, lambda size, batched, x: (x[0] * 0 + 5, False))
    return j.vmap(f)(V), j.vmap(f, out_axes=None)(V)


def other_dtype(j: Any) -> Any:
    f = with_rule(j, lambda x: x, lambda size, batched, x: (x.astype("int32"), True))
    return j.vmap(f)(V), j.jit(j.vmap(f))(V)


def keywords(j: Any) -> Any:
    f = with_rule(j, lambda x, y=2.0: x * y, lambda size, batched, x, y: (x + y, True))
    return f(1.0), f(1.0, y=3.0), j.vmap(lambda x: f(x, y=5.0))(V), j.vmap(f)(V)


def forward_mode(j: Any) -> Any:
    f = sine(j)
    plain = j.jvp(f, (1.0,), (1.0,)), j.jit(lambda x: j.jvp(f, (x,), (1.0,)))(1.0), j.jvp(j.jit(f), (1.0,), (1.0,))
    batched = j.jvp(j.vmap(f), (V,), (V,)), j.vmap(lambda x: j.jvp(f, (x,), (x,)))(V)
    return plain, batched, j.vmap(lambda x: j.jvp(f, (x,), (1.0,)))(V)


def forward_mode_of_two(j: Any) -> Any:
    f = plus(j, [])
    both = j.vmap(lambda x, t: j.jvp(f, (x, 2.0), (t, 1.0)))(V, V)
    one = j.vmap(lambda x, t: j.jvp(lambda x: f(x, 2.0), (x,), (t,)))(V, V)
    return both, one, j.vmap(lambda t: j.jvp(f, (V[0], V[1]), (t, V[2])))(V)


def integers(j: Any) -> Any:
    f = with_rule(j, lambda x, n: n + 1, lambda size, batched, x, n: (n + 2, True))
    return j.grad(lambda x: x * f(1.0, 2))(1.0), j.vmap(j.grad(lambda x, n: x * f(1.0, n)))(V, np.arange(3))


def reverse_mode(j: Any) -> Any:
    """Behind a custom_vjp; or behind the vmap, where the rule has done its work."""

    @j.custom_vjp
    @batching(j).custom_vmap
    def f(x, y):
        return j.numpy.sin(x) * y

    @f.def_vmap
    def rule(size, batched, xs, ys):
        return j.numpy.cos(xs) * ys, True

    f.defvjp(lambda x, y: (f(x, y), (j.numpy.cos(x), j.numpy.sin(x), y)), lambda r, g: (r[0] * g * r[2], r[1] * g))
    plain = j.vmap(f)(V, V), j.grad(f)(0.0, 1.0), j.vmap(j.grad(f))(V, V), j.jit(j.vmap(j.grad(f)))(V, V)
    return plain, j.grad(lambda x: j.vmap(f)(x, V).sum())(V), j.grad(lambda v: j.vmap(sine(j))(v).sum())(V)


def behind_custom_jvp(j: Any) -> Any:
    inner = sine(j)
    f = j.custom_jvp(lambda x: inner(x))
    f.defjvp(lambda p, t: (f(*p), 5.0 * t[0]))
    return j.vmap(f)(V), j.vmap(j.grad(f))(V), j.grad(lambda v: j.vmap(f)(v).sum())(V)


def rules_that_call(j: Any) -> Any:
    """Another custom_vmap function, or the function itself."""
    inner = sine(j)
    f = with_rule(j, lambda x: x, lambda size, batched, xs: (j.vmap(inner)(xs), True))
    g = with_rule(j, lambda x: x.sum(), lambda size, batched, xs: (j.numpy.stack([g(x) for x in xs]), True))
    return j.vmap(f)(V), j.vmap(j.vmap(f))(M), j.vmap(g)(M), j.vmap(j.vmap(g))(M[None])


def in_loops(j: Any) -> Any:
    f = sine(j)

    def scan(x):
        return j.lax.scan(lambda c, t: (f(c) + t, f(t)), x, V)

    scans = scan(0.5), j.vmap(scan)(V), j.lax.scan(lambda c, t: (j.vmap(f)(c), t), V, V), j.jvp(scan, (1.0,), (1.0,))
    conds = j.lax.cond(True, f, lambda x: x, 1.0), j.vmap(lambda x: j.lax.cond(x > 0.5, f, lambda x: x, x))(V)
    loops = [
        g(lambda x: j.lax.fori_loop(0, 3, lambda i, x: f(x), x)) for g in (lambda f: f(1.0), lambda f: j.vmap(f)(V))
    ]
    return scans, conds, loops


def closures(j: Any) -> Any:
    def g(y):
        f = with_rule(j, lambda x: x * y, lambda size, batched, xs: (xs + y, True))
        return f(1.0), j.vmap(f)(V)

    f = with_rule(j, lambda x: (x * j.numpy.asarray(V)).sum(), lambda size, batched, xs: (xs + 2.0, True))
    return g(2.0), j.jit(g)(2.0), j.jvp(g, (V[0],), (V[1],)), f(1.0), j.vmap(f)(V), j.jit(f)(1.0)


def checkpointed(j: Any) -> Any:
    f = j.checkpoint(sine(j))
    return f(1.0), j.vmap(f)(V), j.jvp(f, (1.0,), (1.0,)), j.grad(lambda x: j.vmap(f)(V * x).sum())(1.0)


def on_devices(j: Any) -> Any:
    """pmap calls the function itself."""
    return j.pmap(plus(j, []))(V[:1], V[:1])


def sequential(j: Any) -> Any:
    f = batching(j).sequential_vmap(lambda x, y: {"s": x + y["a"], "t": y})
    one, other = j.vmap(f, (0, None)), j.vmap(f, (None, 0))
    tangents = j.jvp(lambda v: one(v, {"a": 2.0}), (V,), (V,))
    g = batching(j).sequential_vmap(lambda x: x + 1)
    plain = j.vmap(g)(V), g(1.0), j.vmap(j.vmap(g))(M), j.jit(j.vmap(g))(V)
    return one(V, {"a": 2.0}), other(2.0, {"a": V}), tangents, plain


def attributes(j: Any) -> Any:
    def documented(x):
        """Documentation."""
        return x

    def rule(size, batched, x):
        return x, True

    f = batching(j).custom_vmap(documented)
    return f.__name__, f.__doc__, f.def_vmap(rule) is rule, f.vmap_rule is rule, f.fun is documented


WORKING: tuple[Program, ...] = (
    *(basic, axes, nested, trees, not_batched, other_dtype, keywords, forward_mode, forward_mode_of_two, integers),
    *(reverse_mode, behind_custom_jvp, rules_that_call, in_loops, closures, checkpointed, on_devices, sequential),
    attributes,
)


def arrays(engine: Any, result: Any) -> Any:
    """With NumPy's arrays, which a rule may return as they are, as the engine's."""
    numpy = np.ndarray | np.generic
    return engine.tree_util.tree_map(lambda x: engine.numpy.asarray(x) if isinstance(x, numpy) else x, result)


@pytest.mark.parametrize("program", WORKING, ids=lambda program: program.__name__)
def test_results_are_those_of_jax(program: Program):
    ours = arrays(minijax, program(minijax))
    with jax.disable_jit():  # or compiling would take most of the time
        theirs = arrays(jax, program(jax))
    assert_same(ours, theirs, ulp=64, leafwise=True)


# ----------------------------------------------------------------- jaxprs

TEXTS: dict[str, tuple[Callable[[Any], Callable[..., Any]], tuple[Any, ...]]] = {
    "call": (sine, (1.0,)),
    "vmap": (lambda j: j.vmap(sine(j)), (V,)),
    "jvp": (lambda j: lambda x: j.jvp(sine(j), (x,), (x,)), (1.0,)),
    "vmap of jvp": (lambda j: j.vmap(lambda x: j.jvp(sine(j), (x,), (x,))), (V,)),
    "sequential": (lambda j: j.vmap(batching(j).sequential_vmap(lambda x: x + 1)), (V,)),
    "closure": (lambda j: lambda x, y: with_rule(j, lambda x: x * y * V, sine(j).vmap_rule)(x), (1.0, 2.0)),
    "checkpoint": (lambda j: lambda x: j.jvp(j.checkpoint(sine(j)), (x,), (x,)), (1.0,)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_jaxpr_texts(name: str):
    program, args = TEXTS[name]
    ours, theirs = (jaxpr_tools.text(engine.make_jaxpr(program(engine))(*args)) for engine in ENGINES)
    assert re.sub("rule=.*", "", ours) == re.sub("rule=.*", "", theirs)


# ----------------------------------------------------------------- misuse


def batched(rule: Callable[..., Any]) -> Program:
    """vmap of a function with this rule."""
    return lambda j: j.vmap(with_rule(j, lambda x: x, rule))(V)


REFUSED: dict[str, tuple[Program, str]] = {
    "no rule": (lambda j: batching(j).custom_vmap(lambda x: x)(1.0), "No batching rule"),
    "no rule in vmap": (lambda j: j.vmap(batching(j).custom_vmap(lambda x: x))(V), "def_vmap"),
    "unknown keyword": (lambda j: sine(j)(1.0, z=2), "signature"),
    "keyword only": (lambda j: with_rule(j, lambda x, *, y=2.0: x, lambda *a: a)(1.0, y=3.0), "keyword"),
    "no array": (lambda j: sine(j)("x"), "valid JAX type"),
    "result of other tree": (batched(lambda size, batched, x: ((x, x), (True, True))), "the function itself one"),
    "bools of other tree": (batched(lambda size, batched, x: (x, (True,))), "what is batched"),
    "list of bools": (batched(lambda size, batched, x: ((x, x), [True, True])), "in the same tree"),
    "no pair": (batched(lambda size, batched, x: x), "must return a pair"),
    "gradient": (lambda j: j.grad(sine(j))(1.0), "wrap it in a custom_vjp"),
    "jitted gradient": (lambda j: j.jit(j.grad(sine(j)))(1.0), "reverse mode"),
    "gradient in vmap": (lambda j: j.vmap(j.grad(sine(j)))(V), "reverse mode"),
    "gradient of a loop": (
        lambda j: j.grad(lambda x: j.vmap(batching(j).sequential_vmap(lambda x: x * x))(x * V).sum())(1.0),
        "reverse mode",
    ),
    "gradient of a checkpoint": (lambda j: j.grad(j.checkpoint(sine(j)))(1.0), "reverse mode"),
    "linearize": (lambda j: j.linearize(sine(j), 1.0), "reverse mode"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_the_same_class(name: str):
    program, text = REFUSED[name]
    with pytest.raises(Exception) as theirs:
        program(jax)
    with pytest.raises(theirs.type, match=re.compile(text, re.IGNORECASE)):
        program(minijax)


def test_what_jax_lets_pass():
    """A rule that says another shape than it returns; a value of the vmap around in a closure."""
    for rule in (lambda size, batched, x: (x.sum(), True), lambda size, batched, x: (minijax.numpy.ones(7), True)):
        with pytest.raises(ValueError, match="Put the batch axis in front"):
            batched(rule)(minijax)

    def around(y):
        return with_rule(minijax, lambda x: x * y, lambda size, batched, xs: (xs, True))(1.0)

    with pytest.raises(minijax.errors.UnexpectedTracerError, match="closes over"):
        minijax.vmap(around)(V)


def test_forward_mode_where_one_of_the_two_is_batched():
    """JAX calls the rule as if nothing were, which most rules do not expect: then it raises an IndexError."""
    f = sine(minijax)
    tangents = minijax.vmap(lambda t: minijax.jvp(f, (1.0,), (t,))[1])(V)
    assert_values(np.asarray(tangents), -np.sin(np.float32(1)) * V, ulp=8)
    jacobian = minijax.jacfwd(minijax.vmap(f))(minijax.numpy.asarray(V))
    assert_values(np.asarray(jacobian) + 0.0, np.diag(-np.sin(V)) + 0.0, ulp=8)


# ----------------------------------------------------------------- random compositions

NESTS: dict[str, Callable[[Any, Callable[..., Any]], Callable[..., Any]]] = {
    "vmap": lambda j, f: j.vmap(f),
    "vmap of the first": lambda j, f: lambda x, y: j.vmap(f, (0, None))(x, y[0]),
    "vmap of the second": lambda j, f: lambda x, y: j.vmap(f, (None, 0), -1)(x[0], y),
    "jit": lambda j, f: j.jit(f),
    "jvp": lambda j, f: lambda x, y: j.jvp(f, (x, y), (y, x))[1],
    "jvp of one": lambda j, f: lambda x, y: j.jvp(lambda y: f(x, y), (y,), (x,))[1],
    "checkpoint": lambda j, f: j.checkpoint(f),
    "scan": lambda j, f: lambda x, y: j.lax.scan(lambda c, t: (c, f(c, t)), x, j.numpy.stack([y, x]))[1][0],
}


@settings(deadline=None)
@given(names=st.lists(st.sampled_from(list(NESTS)), min_size=1, max_size=5))
def test_true_rules_change_nothing(names: list[str]):
    """A rule that does what batching would do, in random compositions."""

    def plain(x, y):
        return minijax.numpy.sin(x) * y + x

    def rule(size, batched, x, y):
        axes = tuple([0 if b else None for b in batched])
        return minijax.vmap(plain, axes, axis_size=size)(x, y), True

    results = []
    for f in (with_rule(minijax, plain, rule), plain):
        for name in reversed(names):
            f = NESTS[name](minijax, f)
        depth = sum("vmap" in name for name in names)
        x = np.linspace(-1, 2, 2**depth).reshape((2,) * depth)
        with minijax.enable_x64(True):
            results.append(np.asarray(f(minijax.numpy.asarray(x), minijax.numpy.asarray(x * x))))
    assert_values(*results, ulp=2.0**12, leafwise=True)
