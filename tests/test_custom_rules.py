"""custom_jvp, custom_vjp and their relatives, as in JAX: results, jaxprs, exceptions."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import custom_rule_programs as programs
import jax
import numpy as np
import pytest
from custom_rule_programs import TIMES, V, derivatives, reverse_sine, sine, with_jvp, with_vjp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minijax
from reference.check import jaxpr_tools
from reference.check.oracle import assert_same, assert_values

ENGINES = (minijax, jax)


# What another number of tracers, or other types in loops, would be seen in.
COMPILED = {
    programs.closures_converted,
    programs.what_closures_are_converted,
    programs.closed_over_in_loops,
    programs.zero_tangents_returned,
    programs.in_scan,
}


def is_number(x: Any) -> bool:
    """Of Python, which JAX marks with a dtype."""
    return isinstance(x, int | float) and not isinstance(x, bool)


def arrays(engine: Any, result: Any) -> Any:
    """With numbers, which a rule may return as they are, as arrays."""
    return engine.tree_util.tree_map(lambda x: engine.numpy.asarray(x) if is_number(x) else x, result)


@pytest.mark.parametrize("program", programs.WORKING, ids=lambda program: program.__name__)
def test_results_are_those_of_jax(program: programs.Program):
    ours = arrays(minijax, program(minijax))
    with jax.disable_jit(program not in COMPILED):  # as compiling would take most of the time
        theirs = arrays(jax, program(jax))
    assert_same(ours, theirs, ulp=64, leafwise=True)


# ----------------------------------------------------------------- jaxprs


def closing(j: Any) -> Callable[..., Any]:
    """A function that closes over a constant and over an argument of the function around."""

    v = j.numpy.asarray(V)

    def outer(x, y):
        f = with_jvp(j, lambda x: x * y * v, lambda p, t: (f(*p), t[0] * y * v))
        return f(x)

    return outer


def pair(j: Any) -> Callable[..., Any]:
    """Two results, one of which is used."""
    f = with_jvp(j, lambda x: (j.lax.sin(x), j.lax.cos(x)), lambda p, t: (f(*p), (t[0], 2.0 * t[0])))
    return j.jit(lambda x: f(x)[1] * 2.0)


def reverse_pair(j: Any) -> Callable[..., Any]:
    """The same by custom_vjp."""
    f = with_vjp(
        j,
        lambda x: (j.lax.sin(x), j.lax.cos(x)),
        lambda x: ((j.lax.sin(x), j.lax.cos(x)), x),
        lambda r, g: (r * g[0] + g[1],),
    )
    return j.jit(lambda x: f(x)[1] * 2.0)


TEXTS: dict[str, tuple[Callable[[Any], Callable[..., Any]], tuple[Any, ...]]] = {
    "plain": (sine, (1.0,)),
    "reverse": (reverse_sine, (1.0,)),
    "jvp": (lambda j: lambda x: j.jvp(sine(j), (x,), (x,)), (1.0,)),
    "grad": (lambda j: j.grad(sine(j)), (1.0,)),
    "grad of reverse": (lambda j: j.grad(reverse_sine(j)), (1.0,)),
    "grad of vmap of reverse": (lambda j: j.grad(lambda v: j.lax.reduce_sum(j.vmap(reverse_sine(j))(v), (0,))), (V,)),
    "grad of jit": (lambda j: j.grad(j.jit(lambda x: sine(j)(x) * x)), (1.0,)),
    "grad of jit of reverse": (lambda j: j.grad(j.jit(lambda x: reverse_sine(j)(x) * x)), (1.0,)),
    "vmap of grad": (lambda j: j.vmap(j.grad(sine(j))), (V,)),
    "scan": (lambda j: lambda x: j.lax.scan(lambda c, t: (sine(j)(c), t), x, j.numpy.ones(3)), (1.0,)),
    "closure": (closing, (1.0, 2.0)),
    "grad of closure": (lambda j: j.grad(lambda x, y: j.lax.reduce_sum(closing(j)(x, y), (0,))), (1.0, 2.0)),
    "pair": (pair, (1.0,)),
    "grad of pair": (lambda j: j.grad(pair(j)), (1.0,)),
    "grad of pair of reverse": (lambda j: j.grad(reverse_pair(j)), (1.0,)),
    "checkpoint of pair": (lambda j: j.grad(j.checkpoint(pair(j))), (1.0,)),
    "checkpoint of pair of reverse": (lambda j: j.grad(j.checkpoint(reverse_pair(j))), (1.0,)),
    "linear_call in vain": (
        lambda j: (
            lambda x: j.linear_transpose(
                lambda x: derivatives(j).linear_call(lambda r, x: x * r, lambda r, t: t * r, 2.0, x), x
            )(x)
        ),
        (1.0,),
    ),
    "custom_gradient": (lambda j: j.grad(j.custom_gradient(lambda x: (x**2, lambda g: (g * x * 3,)))), (1.0,)),
    "closure_convert": (lambda j: lambda x, y: j.closure_convert(lambda x: x * y, x)[0](x, y), (1.0, 2.0)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_jaxpr_texts(name: str):
    program, args = TEXTS[name]
    ours, theirs = (engine.make_jaxpr(program(engine))(*args) for engine in ENGINES)
    ours, theirs = (re.sub(r"transpose_thunk=.*", "", jaxpr_tools.text(closed)) for closed in (ours, theirs))
    assert ours == theirs


# ----------------------------------------------------------------- misuse


def jvp_of(rule: Callable[..., Any], jitted: bool = False, fun: Callable[..., Any] = lambda x: x) -> programs.Program:
    """Forward mode of a function with this rule."""

    def program(j: Any) -> Any:
        f = with_jvp(j, fun, rule)
        return j.jvp(j.jit(lambda x: f(x)) if jitted else f, (j.numpy.ones(()),), (j.numpy.ones(()),))

    return program


def grad_of(fwd: Any, bwd: Any, jitted: bool = False, x: Any = 1.0, fun: Any = lambda x: x, **options: Any) -> Any:
    """The gradient of a function with these rules, summed."""

    def program(j: Any) -> Any:
        f = with_vjp(j, fun, fwd, bwd, **options)
        g = j.jit(lambda x: f(x)) if jitted else f
        return j.grad(lambda x: sum(map(j.numpy.sum, j.tree_util.tree_leaves(g(x)))))(x)

    return program


def closed(which: str, around: Callable[[Any, Any], Any] = lambda j, f: f) -> programs.Program:
    """The gradient by a value that a function with a rule closes over."""

    def program(j: Any) -> Any:
        def g(y):
            if which == "jvp":
                f = with_jvp(j, lambda x: x * y, lambda p, t: (f(*p), t[0] * y))
            else:
                f = with_vjp(j, lambda x: x * y, lambda x: (x * y, x), lambda r, ct: (ct * 5,))
            return around(j, f)(y)

        return j.grad(g)(3.0)

    return program


def zero_of(j: Any, x: Any) -> Any:
    """A symbolic zero."""
    return derivatives(j).zero_from_primal(x, symbolic_zeros=True)


def linear(fun: Callable, transpose: Callable, wrap: Any = lambda j, f: j.grad(f)) -> programs.Program:
    """linear_call, differentiated."""
    return lambda j: wrap(j, lambda x: derivatives(j).linear_call(fun, transpose, (), x))(1.0)


def second(x: Any, r: Any, g: Any) -> Any:
    """A bwd that multiplies."""
    return (g * r,)


REFUSED: dict[str, programs.Program] = {
    "no rule": lambda j: j.custom_jvp(lambda x: x)(1.0),
    "no reverse rule": lambda j: j.custom_vjp(lambda x: x)(1.0),
    "unknown keyword": lambda j: sine(j)(1.0, z=2),
    "unknown keyword of reverse": lambda j: reverse_sine(j)(1.0, z=2),
    "too many": lambda j: sine(j)(1.0, 2.0),
    "keyword only": lambda j: with_jvp(j, lambda x, *, y=2.0: x, lambda p, t: (p, t))(1.0, y=2.0),
    "keywords": lambda j: with_jvp(j, lambda **k: k["x"], lambda p, t: (p, t))(x=1.0),
    "nondiff outside": lambda j: with_jvp(j, TIMES, lambda x, p, t: (p, t), nondiff_argnums=(4,))(2.0, 3.0),
    "nondiff tracer of reverse": lambda j: j.jit(
        with_vjp(j, TIMES, lambda x, y: (x * y, None), lambda y, r, g: (g,), {"nondiff_argnums": (1,)})
    )(2.0, 3.0),
    "defjvps and nondiff": lambda j: j.custom_jvp(TIMES, nondiff_argnums=(1,)).defjvps(None),
    "too few defjvps": lambda j: defjvps_of_one(j),
    "no pair": jvp_of(lambda p, t: 3),
    "three": jvp_of(lambda p, t: (1, 2, 3)),
    "no tangent": jvp_of(lambda p, t: (p[0], None)),
    "tangent of other tree": jvp_of(lambda p, t: (p[0], (t[0],))),
    "tangent of other shape": jvp_of(lambda p, t: (p[0], np.ones(3, np.float32) * t[0])),
    "tangent of other dtype": jvp_of(lambda p, t: (p[0], t[0].astype("float16"))),
    "integer tangent": jvp_of(lambda p, t: (p[0], 3)),
    "tangent of an integer": lambda j: j.grad(
        lambda x: with_jvp(j, lambda x: (x * 2, 3), lambda p, t: ((p[0], 3), (t[0], 0)))(x)[0]
    )(1.0),
    "primal of other tree": jvp_of(lambda p, t: ([p[0], p[0]], [t[0], t[0]]), True, lambda x: (x, x)),
    "primal of other shape": jvp_of(lambda p, t: (np.ones(3) * p[0], np.ones(3) * t[0]), True),
    "primal of other dtype": jvp_of(lambda p, t: (p[0].astype("float16"), t[0].astype("float16")), True),
    "fwd without pair": grad_of(lambda x: x, second),
    "fwd of other tree": grad_of(lambda x: ([x, x], None), second, True, fun=lambda x: (x, x)),
    "fwd of other shape": grad_of(lambda x: (x * np.ones(3), None), second, True),
    "bwd of other shape": grad_of(lambda x: (x.sum(), None), lambda r, g: (g,), x=V, fun=lambda x: x.sum()),
    "bwd of other tree": grad_of(lambda d: (d["a"], None), lambda r, g: ([g],), x={"a": 1.0}, fun=lambda d: d["a"]),
    "bwd without tuple": grad_of(lambda x: (x, None), lambda r, g: g),
    "bwd of nothing": grad_of(lambda x: (x, None), lambda r, g: None),
    "bwd of two": grad_of(lambda x: (x, None), lambda r, g: (g, g)),
    "zero of other shape": lambda j: grad_of(
        lambda x: (x.value, None), lambda r, g: (zero_of(j, V),), symbolic_zeros=True
    )(j),
    "both options": grad_of(lambda x: (x, None), second, symbolic_zeros=True, optimize_remat=True),
    "jvp of reverse": lambda j: j.jvp(reverse_sine(j), (1.0,), (1.0,)),
    "linearize of reverse": lambda j: j.linearize(reverse_sine(j), 1.0)[1](1.0),
    "jacfwd of reverse": lambda j: j.jacfwd(reverse_sine(j))(1.0),
    "closure": closed("jvp"),
    "closure of reverse": closed("vjp"),
    "closure in vmap": closed("jvp", lambda j, f: lambda y: j.vmap(f)(V * y).sum()),
    "unknown attribute": lambda j: sine(j).nothing,
    "primal values": lambda j: derivatives(j).custom_vjp_primal_tree_values([1.0]),
    "gradient with an if": lambda j: j.grad(j.custom_gradient(lambda x: (x, lambda g: (g if g > 0 else -g,))))(1.0),
    "closure_convert of other tree": lambda j: j.closure_convert(lambda x: x * 2, 1.0)[0]((1.0, 2.0)),
    "closure_convert of too many": lambda j: j.closure_convert(lambda x: x * 2, 1.0)[0](1.0, 2.0),
    "transpose of other tree": linear(lambda r, x: x, lambda r, t: (t,)),
    "transpose of other shape": linear(lambda r, x: x, lambda r, t: t * V),
    "vmap of linear_call": linear(lambda r, x: x, lambda r, t: t, lambda j, f: lambda x: j.vmap(f)(V * x)),
}


def defjvps_of_one(j: Any) -> Any:
    """With a rule for one of two arguments."""
    f = j.custom_jvp(TIMES)
    f.defjvps(lambda t, out, x, y: t)
    return j.jvp(f, (1.0, 2.0), (1.0, 1.0))


def exception_of(program: programs.Program, engine: Any) -> tuple[str, ...]:
    """Names of the classes of what the program raises, up to Python's own."""
    with pytest.raises(Exception) as info:
        program(engine)
    names = [c.__name__ for c in info.type.__mro__]
    return tuple(names[: next(i for i, c in enumerate(info.type.__mro__) if c.__module__ == "builtins") + 1])


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_the_same_class(name: str):
    ours, theirs = (exception_of(REFUSED[name], engine) for engine in ENGINES)
    assert ours[-1] == theirs[-1] and (theirs[0].startswith("_") or ours[0] == theirs[0]), (ours, theirs)


TOLD: dict[str, tuple[programs.Program, str]] = {
    "jvp rule": (jvp_of(lambda p, t: (p[0], (t[0],))), "Custom JVP rule <lambda> for function <lambda> .* tangents"),
    "primal result": (
        jvp_of(lambda p, t: ([p[0]], [t[0]]), True),
        r"first element is like the result of <lambda>, which is f32\[\]; instead it is \['f32\[\]'\]",
    ),
    "cotangent": (
        grad_of(lambda x: (x.sum(), None), lambda r, g: (g,), x=V, fun=lambda x: x.sum()),
        r"got f32\[\] at output\[0\], whose argument is f32\[3\]",
    ),
    "residual of linear_call": (
        lambda j: j.grad(lambda r: derivatives(j).linear_call(lambda r, x: x / r, lambda r, t: t, r, 2.0))(3.0),
        "no derivative by its residual arguments",
    ),
    "nondiff tracer": (REFUSED["nondiff tracer of reverse"], r"position of nondiff_argnums=\(1,\)"),
    "result that examples share": (
        lambda j: j.jvp(
            j.jit(j.vmap(with_jvp(j, lambda x, y: x, lambda p, t: (p[0], t[1])), (None, 0))), (2.0, V), (1.0, V)
        ),
        "Return the function's own results",
    ),
    "closure": (closed("jvp"), "Pass the value to the function as an argument"),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_messages_say(name: str):
    program, text = TOLD[name]
    with pytest.raises(Exception, match=text):
        program(minijax)


# ----------------------------------------------------------------- what JAX does not do


def test_methods_and_keywords_of_custom_gradient():
    class Scaled:
        factor = 3.0

        @partial(minijax.custom_jvp, nondiff_argnums=(0,))
        def times(self, x):
            return x * self.factor

        @times.defjvp
        def _(self, primals, tangents):
            return self.times(*primals), 7 * tangents[0]

    f = minijax.custom_gradient(lambda x, y=2.0: (x * y, lambda g: (g * x * 3, g)))
    assert float(minijax.grad(Scaled().times)(1.0)) == 7
    assert float(f(1.0, y=3.0)) == float(minijax.grad(f)(1.0, y=3.0)) == 3


def test_optimize_remat_is_used():
    """In a checkpoint's forward pass the function is called, in the backward pass fwd: its exp comes once."""

    def count(optimize_remat: bool) -> int:
        lax = minijax.lax
        f = with_vjp(
            minijax,
            lambda x: lax.sin(x),
            lambda x: (lax.sin(lax.log(lax.exp(x))), lax.exp(x)),
            lambda r, g: (g * r,),
            optimize_remat=optimize_remat,
        )
        g = minijax.grad(minijax.jit(minijax.checkpoint(lambda x: f(lax.cos(x)))))
        return len(re.findall(r"= exp\b", jaxpr_tools.text(minijax.make_jaxpr(g)(1.0))))

    assert (count(False), count(True)) == (2, 1)


# ----------------------------------------------------------------- random compositions


def squared(j: Any, rules: bool) -> Callable[..., Any]:
    """x * x, by custom_jvp with symbolic zeros and an argument that is no array."""

    def rule(power, p, t):
        zero = isinstance(t[0], derivatives(j).SymbolicZero)
        return f(p[0], power), t[0] if zero else 2.0 * p[0] * t[0]

    f = with_jvp(j, lambda x, power: x**power, rule, True, nondiff_argnums=(1,))
    return lambda w, x: f(x, 2) if rules else x**2


def cosine(j: Any, rules: bool) -> Callable[..., Any]:
    """By defjvps."""
    f = j.custom_jvp(lambda x: j.numpy.cos(x))
    f.defjvps(lambda t, out, x: -j.numpy.sin(x) * t)
    return lambda w, x: (f if rules else j.numpy.cos)(x)


def weighted(j: Any, rules: bool) -> Callable[..., Any]:
    """Of two arguments in a tree, by custom_vjp."""
    f = with_vjp(
        j,
        lambda d: d["w"] * j.numpy.sin(d["x"]),
        lambda d: (d["w"] * j.numpy.sin(d["x"]), d),
        lambda d, g: ({"w": g * j.numpy.sin(d["x"]), "x": g * d["w"] * j.numpy.cos(d["x"])},),
    )
    return lambda w, x: f({"w": w, "x": x}) if rules else w * j.numpy.sin(x)


def saturated(j: Any, rules: bool) -> Callable[..., Any]:
    """With symbolic zeros, by custom_vjp."""

    def fwd(w, x):
        y = j.numpy.tanh(w.value + x.value)
        return y, y

    def bwd(y, g):
        ct = g * (1 - y * y)
        return ct, ct

    f = with_vjp(j, lambda w, x: j.numpy.tanh(w + x), fwd, bwd, symbolic_zeros=True)
    return lambda w, x: f(w, x) if rules else j.numpy.tanh(w + x)


def cubed(j: Any, rules: bool) -> Callable[..., Any]:
    """By custom_gradient."""
    f = j.custom_gradient(lambda x: (x**3 / 3, lambda g: (g * x * x,)))
    return lambda w, x: f(x) if rules else x**3 / 3


def halved(j: Any, rules: bool) -> Callable[..., Any]:
    """By optimize_remat."""
    f = with_vjp(j, lambda x: x / 2, lambda x: (x / 2, None), lambda r, g: (g / 2,), optimize_remat=True)
    return lambda w, x: f(x) if rules else x / 2


STEPS = {f.__name__: f for f in (squared, cosine, weighted, saturated, cubed, halved)}
FORWARD_STEPS = ("squared", "cosine")
WRAPPERS: dict[str, Callable[[Any, Callable[..., Any]], Callable[..., Any]]] = {
    "": lambda j, f: f,
    "jit": lambda j, f: j.jit(f),
    "checkpoint": lambda j, f: j.checkpoint(f),
    "vmap": lambda j, f: j.vmap(f),
    "vmap of one": lambda j, f: lambda w, x: j.vmap(f, (0, None))(w, x[0]) + x,
    "scan": lambda j, f: lambda w, x: j.lax.scan(lambda c, t: (f(t + 0 * c, c), None), x, w)[0],
    "cond": lambda j, f: lambda w, x: j.lax.cond(w[0] > 0.3, f, lambda w, x: x, w, x),
    "closure": lambda j, f: lambda w, x: j.vmap(lambda t: f(t, x[0]))(w) * x,
}
DERIVATIVES: dict[str, Callable[[Any, Callable[..., Any]], Callable[..., Any]]] = {
    "grad": lambda j, f: j.grad(f, (0, 1)),
    "grad of jit": lambda j, f: j.grad(j.jit(f), (0, 1)),
    "vmap of grad": lambda j, f: lambda w, x: j.vmap(j.grad(f, 1), (None, 0))(w, j.numpy.stack([x, w])),
    "grad of grad": lambda j, f: j.grad(lambda w, x: j.numpy.sum(j.grad(f, 1)(w, x) * x)),
    "jvp": lambda j, f: lambda w, x: j.jvp(f, (w, x), (x, w)),
    "jvp of grad": lambda j, f: lambda w, x: j.jvp(j.grad(f, 1), (w, x), (x, w)),
}
FORWARD_MODE = ("jvp", "jvp of grad")
NESTS = st.lists(st.tuples(st.sampled_from(list(STEPS)), st.sampled_from(list(WRAPPERS))), min_size=1, max_size=4)


def derivative(j: Any, nest: list[tuple[str, str]], name: str, rules: bool) -> Any:
    """A derivative of a chain of steps in wrappers, with rules or as it is by itself."""
    if name in FORWARD_MODE:
        nest = [(step if step in FORWARD_STEPS else "cosine", wrapper) for step, wrapper in nest]

    def chain(w, x):
        for step, wrapper in nest:
            x = WRAPPERS[wrapper](j, STEPS[step](j, rules))(w, x)
        return j.numpy.sum(x)

    return DERIVATIVES[name](j, chain)(j.numpy.asarray(V), j.numpy.asarray(V[::-1] - 0.7))


@settings(deadline=None)
@given(nest=NESTS, name=st.sampled_from(list(DERIVATIVES)))
def test_true_rules_change_nothing(nest: list[tuple[str, str]], name: str):
    """Rules that are the true derivatives, in random compositions."""
    with minijax.enable_x64(True):
        ours, plain = (minijax.tree_util.tree_leaves(derivative(minijax, nest, name, rules)) for rules in (True, False))
        for a, b in zip(ours, plain, strict=True):
            assert_values(np.asarray(a), np.asarray(b), ulp=2.0**20, leafwise=True)


@pytest.mark.full
@settings(deadline=None, max_examples=60)
@given(nest=NESTS, name=st.sampled_from(list(DERIVATIVES)))
def test_random_compositions_against_jax(nest: list[tuple[str, str]], name: str):
    # JAX has no second derivative of what optimize_remat makes.
    assume(name != "grad of grad" or "halved" not in [step for step, _ in nest])
    with minijax.enable_x64(True):
        ours = derivative(minijax, nest, name, True)
    with jax.enable_x64(True), jax.disable_jit():
        theirs = derivative(jax, nest, name, True)
    assert_same(ours, theirs, ulp=2.0**20, leafwise=True)
