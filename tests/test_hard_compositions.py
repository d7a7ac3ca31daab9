"""What breaks simpler systems: confused perturbations, captured tracers, failing functions, long programs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import minijax
import minijax.numpy as jnp
from reference.check.oracle import assert_same, in_jax

V = np.linspace(0.2, 1.0, 3, dtype=np.float32)


def pairs(*names: str) -> list[tuple[str, ...]]:
    """Every ordered pair of the names."""
    return list(itertools.product(names, repeat=2))


def on_both(program: Callable[[Any], Any], ulp: float = 64) -> Any:
    """Run a program on both engines, compare, and return minijax's result."""
    ours = program(minijax)
    assert_same(ours, in_jax(program), ulp=ulp, leafwise=True)
    return ours


# ----------------------------------------------------------------- perturbation confusion


def test_inner_derivative_does_not_see_the_outer_variable():
    assert float(on_both(lambda j: j.grad(lambda x: x * j.grad(lambda y: x + y)(1.0))(1.0))) == 1.0


@pytest.mark.parametrize("inner, outer", pairs("grad", "jvp", "jacfwd", "jacrev"))
def test_perturbations_stay_apart_in_every_pair_of_modes(inner: str, outer: str):
    def derivative(j: Any, mode: str, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return (lambda x: j.jvp(f, (x,), (1.0,))[1]) if mode == "jvp" else getattr(j, mode)(f)

    def program(j):
        return derivative(j, outer, lambda x: x * derivative(j, inner, lambda y: x * y * y)(x))(3.0)

    # d/dx of x * (2 x y at y = x) = d/dx 2 x^3
    assert float(on_both(program)) == 54.0


def test_three_levels_capture_each_other():
    def program(j):
        def outer(x):
            def middle(y):
                return j.grad(lambda z: x * y * z * z)(y) * x

            return j.grad(middle)(x) * j.jvp(middle, (x,), (x,))[1]

        return j.grad(outer)(1.5)

    on_both(program)


# ----------------------------------------------------------------- closures over tracers of each level

LEVELS: dict[str, Callable[[Any, Callable[[Any], Any]], Callable[[Any], Any]]] = {
    "jit": lambda j, f: j.jit(f),
    "vmap": lambda j, f: lambda x: j.vmap(f)(j.numpy.stack([x, 2.0 * x])).sum(),
    "grad": lambda j, f: j.grad(f),
    "jvp": lambda j, f: lambda x: j.jvp(f, (x,), (1.0,))[1],
    "linearize": lambda j, f: lambda x: j.linearize(f, x)[1](1.0),
    "checkpoint": lambda j, f: j.checkpoint(f),
}


@pytest.mark.parametrize("inner, outer", pairs(*LEVELS))
def test_closing_over_a_tracer(inner: str, outer: str):
    """The inner function uses a value of the outer level that it is not given as an argument."""

    def program(j):
        def f(x):
            captured = j.numpy.sin(x)
            return LEVELS[inner](j, lambda y: captured * y * y + x)(x * 0.5)

        return LEVELS[outer](j, f)(1.3)

    on_both(program)


@pytest.mark.parametrize("inner, outer", pairs("jit", "vmap", "checkpoint"))
def test_result_that_depends_on_the_captured_tracer_alone(inner: str, outer: str):
    on_both(lambda j: LEVELS[outer](j, lambda x: LEVELS[inner](j, lambda y: x * 3.0)(1.0))(2.0))


def test_custom_rules_close_over_tracers():
    def program(j):
        def f(x):
            g = j.custom_jvp(lambda y: y * 2.0)
            g.defjvp(lambda primals, tangents: (g(*primals), tangents[0] * 5.0))
            return j.jit(lambda y: g(y) * x)(x)

        return j.grad(f)(2.0), j.vmap(j.grad(f))(j.numpy.asarray(V))

    on_both(program)


def test_a_custom_rule_that_calls_its_own_function_with_the_tangent():
    def program(j: Any) -> Any:
        double = j.custom_jvp(lambda x: 2 * x)
        double.defjvp(lambda primals, tangents: (double(*primals), double(*tangents)))
        return j.grad(double)(1.0), j.jit(j.grad(double))(1.0), j.grad(j.grad(lambda x: double(x) * x))(1.0)

    on_both(program)


def test_grad_of_grad_of_grad():
    on_both(lambda j: j.grad(j.grad(j.grad(lambda x: j.numpy.sin(x) * x**4)))(0.7))
    assert float(minijax.grad(minijax.grad(minijax.grad(lambda x: x**4)))(2.0)) == 48.0


def test_five_levels():
    on_both(lambda j: j.grad(j.jit(j.grad(lambda x: j.vmap(j.jit(j.grad(j.numpy.sin)))(x * V).sum())))(0.7))


def test_hessian_by_all_four_ways():
    def program(j):
        def f(x):
            return j.numpy.sum(j.numpy.sin(x) * x**2) * x[0]

        return [a(b(f))(j.numpy.asarray(V)) for a, b in itertools.product((j.jacfwd, j.jacrev), repeat=2)]

    on_both(program)


# ----------------------------------------------------------------- functions that raise midway

RAISING: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "grad": lambda f: minijax.grad(f)(1.0),
    "value_and_grad": lambda f: minijax.value_and_grad(f)(1.0),
    "vjp": lambda f: minijax.vjp(f, 1.0),
    "jvp": lambda f: minijax.jvp(f, (1.0,), (1.0,)),
    "linearize": lambda f: minijax.linearize(f, 1.0),
    "vmap": lambda f: minijax.vmap(f)(jnp.ones(3)),
    "jit": lambda f: minijax.jit(f)(1.0),
    "make_jaxpr": lambda f: minijax.make_jaxpr(f)(1.0),
    "eval_shape": lambda f: minijax.eval_shape(f, 1.0),
    "checkpoint": lambda f: minijax.grad(minijax.checkpoint(f))(1.0),
    "jacfwd": lambda f: minijax.jacfwd(f)(1.0),
    "jacrev": lambda f: minijax.jacrev(f)(1.0),
    "hessian": lambda f: minijax.hessian(f)(1.0),
    "custom_jvp": lambda f: minijax.grad(custom_jvp_with(f))(1.0),
    "custom_vjp": lambda f: minijax.grad(custom_vjp_with(f))(1.0),
    "nested": lambda f: minijax.jit(minijax.vmap(minijax.grad(minijax.jit(f))))(jnp.ones(3)),
}


class Expected(Exception):
    """What the functions below raise."""


def custom_jvp_with(rule_body: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose custom rule raises."""
    f = minijax.custom_jvp(lambda x: x * 2.0)
    f.defjvp(lambda primals, tangents: rule_body(*primals))
    return f


def custom_vjp_with(rule_body: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose backward pass raises."""
    f = minijax.custom_vjp(lambda x: x * 2.0)
    f.defvjp(lambda x: (x * 2.0, x), lambda residual, ct: rule_body(residual))
    return f


@pytest.mark.parametrize("name", RAISING)
def test_a_failing_function_leaves_nothing_behind(name: str):
    """The fixture of conftest.py checks the trace; here everything still has to work afterwards."""

    def failing(x):
        y = jnp.sin(x) * 2.0
        raise Expected(str(y.shape))

    for _ in range(2):
        with pytest.raises(Expected):
            RAISING[name](failing)
    assert float(minijax.grad(minijax.jit(lambda x: x * x))(3.0)) == 6.0
    assert float(jnp.ones(3).sum()) == 3.0


def test_failing_then_succeeding_under_the_same_jit():
    calls = []

    @minijax.jit
    def f(x):
        calls.append(1)
        if len(calls) == 1:
            raise Expected
        return x * 2.0

    with pytest.raises(Expected):
        f(1.0)
    assert float(f(1.0)) == 2.0


# ----------------------------------------------------------------- depth

DEPTH = 10_000


def chain(x: Any) -> Any:
    """DEPTH operations in a row."""
    for _ in range(DEPTH // 2):
        x = jnp.sin(x) * 1.0001
    return x


def chain_by_numpy(x: float) -> tuple[float, float]:
    """The chain's value and derivative."""
    derivative = 1.0
    for _ in range(DEPTH // 2):
        derivative *= np.cos(x) * 1.0001
        x = np.sin(x) * 1.0001
    return x, derivative


CHAIN_MODES = ("value", "grad", "jvp", "vmap", "linearize", "vmap of grad")


@pytest.mark.parametrize(
    "mode, jitted",
    [
        *[pytest.param(mode, False, id=f"{mode}-eager") for mode in CHAIN_MODES],
        *[pytest.param(mode, True, id=f"{mode}-jit") for mode in CHAIN_MODES[:2]],
        *[pytest.param(mode, True, id=f"{mode}-jit", marks=pytest.mark.full) for mode in CHAIN_MODES[2:]],
    ],
)
def test_ten_thousand_operations_in_a_chain(mode: str, jitted: bool):
    value, derivative = chain_by_numpy(0.5)
    f = minijax.jit(chain) if jitted else chain
    with minijax.enable_x64(True):
        results = {
            "value": lambda: (f(0.5), value),
            "grad": lambda: (minijax.grad(f)(0.5), derivative),
            "jvp": lambda: (minijax.jvp(f, (0.5,), (1.0,))[1], derivative),
            "vmap": lambda: (minijax.vmap(f)(jnp.array([0.5, 0.5]))[1], value),
            "linearize": lambda: (minijax.linearize(f, 0.5)[1](1.0), derivative),
            "vmap of grad": lambda: (minijax.vmap(minijax.grad(f))(jnp.array([0.5, 0.5]))[0], derivative),
        }
        ours, expected = results[mode]()
    np.testing.assert_allclose(float(ours), expected, rtol=1e-9)


def test_ten_thousand_operations_print():
    """The printer does not recurse over the program either."""
    assert str(minijax.make_jaxpr(chain)(0.5)).count(" sin ") == DEPTH // 2


def test_many_uses_of_one_value():
    """A value used ten thousand times: cotangents are added up one after another."""
    assert float(minijax.grad(lambda x: sum([x] * DEPTH))(1.0)) == DEPTH


def test_nested_grad_and_jit_of_a_library_function_with_a_custom_rule():
    on_both(
        lambda j: j.grad(j.jit(j.grad(j.jit(j.grad(lambda x: j.numpy.sum(j.numpy.logaddexp(x, 0.0)))))))(1.0),
    )


CONVERSIONS = {
    "bool": lambda jax, x: x * bool(x),
    "if": lambda jax, x: x if x else -x,
    "int": lambda jax, x: x * int(x),
    "round": lambda jax, x: x * round(x),
    "item": lambda jax, x: x * jax.numpy.stack([x, 2 * x]).item(1),
    "index": lambda jax, x: x * [1, 2, 3][jax.numpy.int32(x)],
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_values_are_known_to_derivatives(name: str):
    """Outside of jit a derivative runs on values, and what is made of them by Python is a constant."""
    function = CONVERSIONS[name]

    def results(engine: Any) -> Any:
        x = engine.numpy.float32(2)
        gradient = engine.grad(lambda x: function(engine, x))
        return gradient(x), engine.jvp(lambda x: function(engine, x), (x,), (x,)), engine.jvp(gradient, (x,), (x,))

    assert_same(results(minijax), results(jax))
