"""jit's contract: it traces exactly when JAX does, and shows its stages."""

from __future__ import annotations

import gc
import weakref

import jax
import numpy as np
import pytest

import minijax


def _traces(engine, calls):
    """How often a function is traced while `calls(engine, jitted, counted)` runs, call by call."""
    counts = []

    def counted(*args, **kwargs):
        counts.append(1)
        return engine.tree.leaves((args, kwargs))[0]

    history = []
    for call in calls(engine, counted):
        call()
        history.append(len(counts))
    return history


def _same_function_two_wrappers(engine, f):
    first, second = engine.jit(f), engine.jit(f)
    return [lambda: first(1.0), lambda: second(1.0), lambda: first(2.0), lambda: engine.jit(f)(3.0)]


def _values_do_not_matter(engine, f):
    g = engine.jit(f)
    return [lambda: g(1.0), lambda: g(2.0), lambda: g(np.float32(3)), lambda: g(engine.numpy.float32(3))]


def _weak_types_matter(engine, f):
    g, jnp = engine.jit(f), engine.numpy
    return [lambda: g(1), lambda: g(jnp.asarray(1)), lambda: g(jnp.int32(1)), lambda: g(True), lambda: g(1.0)]


def _numpy_and_device_arrays_are_one(engine, f):
    g, jnp = engine.jit(f), engine.numpy
    x = np.ones(3, np.float32)
    return [lambda: g(x), lambda: g(jnp.asarray(x)), lambda: g(x.astype(np.float64)), lambda: g(x.astype(np.float16))]


def _structure_matters(engine, f):
    g = engine.jit(f)
    return [
        lambda: g((1.0, 2.0)),
        lambda: g([1.0, 2.0]),
        lambda: g({"a": 1.0, "b": 2.0}),
        lambda: g({"b": 1.0, "a": 2.0}),
        lambda: g((1.0, 2.0)),
        lambda: g((1.0, None)),
    ]


def _keywords_are_not_positions(engine, f):
    g = engine.jit(lambda x, y=2.0: f(x, y))
    return [lambda: g(1.0), lambda: g(1.0, 2.0), lambda: g(1.0, y=2.0), lambda: g(x=1.0, y=2.0), lambda: g(1.0, y=3.0)]


def _static_values(engine, f):
    g = engine.jit(lambda x, n: f(x), static_argnums=1)
    return [lambda: g(1.0, 2), lambda: g(1.0, 2), lambda: g(1.0, 3), lambda: g(1.0, n=3), lambda: g(1.0, "a")]


def _static_names(engine, f):
    g = engine.jit(lambda x, *, mode: f(x), static_argnames="mode")
    return [lambda: g(1.0, mode="a"), lambda: g(1.0, mode="b"), lambda: g(2.0, mode="a")]


def _clearing(engine, f):
    g = engine.jit(f)
    return [lambda: g(1.0), lambda: g.clear_cache(), lambda: g(1.0)]


def _precision_context(engine, f):
    g = engine.jit(f)

    def wide():
        with engine.enable_x64(True):
            g(1.0)

    return [lambda: g(1.0), wide, lambda: g(1.0), wide]


def _under_transformations(engine, f):
    g = engine.jit(f)
    x = np.ones(3, np.float32)
    return [
        lambda: engine.vmap(g)(x),
        lambda: g(np.float32(1)),
        lambda: engine.grad(g)(np.float32(1)),
        lambda: engine.jvp(g, (np.float32(1),), (np.float32(1),)),
        lambda: engine.jit(lambda y: g(y))(np.float32(1)),
    ]


@pytest.mark.parametrize(
    "calls",
    [
        _same_function_two_wrappers,
        _values_do_not_matter,
        _weak_types_matter,
        _numpy_and_device_arrays_are_one,
        _structure_matters,
        _keywords_are_not_positions,
        _static_values,
        _static_names,
        _clearing,
        _precision_context,
        _under_transformations,
    ],
)
def test_traces_exactly_when_jax_does(calls):
    assert _traces(minijax, calls) == _traces(jax, calls)


def test_the_cache_dies_with_the_function():
    def f(x):
        return x + 1

    alive = weakref.ref(f)
    minijax.jit(f)(1.0)
    del f
    gc.collect()
    assert alive() is None


def test_bound_methods_share_their_trace():
    counts = []

    class Model:
        def apply(self, x):
            counts.append(1)
            return x * 2

    model = Model()
    for _ in range(3):
        assert minijax.jit(model.apply)(2.0) == 4.0
    assert len(counts) == 1
    assert minijax.jit(Model().apply)(2.0) == 4.0
    assert len(counts) == 2


def test_decorators_of_every_form():
    from functools import partial

    @minijax.jit
    def plain(x):
        return x + 1

    @partial(minijax.jit, static_argnums=(1,))
    def with_partial(x, n):
        return x * n

    @minijax.jit(static_argnames=("n",))
    def with_options(x, n=2):
        return x**n

    assert (plain(1.0), with_partial(2.0, 3), with_options(3.0, n=3)) == (2.0, 6.0, 27.0)
    assert plain.__name__ == "plain"


def test_methods_can_be_jitted_in_their_class():
    class Scale:
        def __init__(self, factor):
            self.factor = factor

        @minijax.jit
        def double(x):
            return 2 * x

        @staticmethod
        @minijax.jit
        def triple(x):
            return 3 * x

    assert Scale(1.0).triple(2.0) == 6.0
    assert Scale.double(2.0) == 4.0


def test_stages_say_what_is_compiled():
    jnp = minijax.numpy
    f = minijax.jit(lambda x: (jnp.sin(x), {"sum": x.sum()}))
    x = jnp.arange(3.0)
    traced = f.trace(x)
    assert str(traced.jaxpr) == str(minijax.make_jaxpr(lambda x: (jnp.sin(x), {"sum": x.sum()}))(x))
    info = traced.out_info
    assert info[0] == minijax.ShapeDtypeStruct((3,), "float32") and info[1]["sum"].shape == ()
    lowered = f.lower(minijax.ShapeDtypeStruct((3,), jnp.float32))
    assert "sin" in lowered.as_text()
    compiled = lowered.compile()
    np.testing.assert_array_equal(compiled(x)[0], jnp.sin(x))
    with pytest.raises(TypeError, match="compile for the new type"):
        compiled(jnp.arange(4.0))
    assert f.eval_shape(x) == info


def test_disable_jit_runs_python():
    seen = []
    f = minijax.jit(lambda x: seen.append(float(x)) or x)
    with minijax.disable_jit():
        f(1.5)
    assert seen == [1.5]


def test_a_closed_over_tracer_does_not_stay_in_the_cache():
    @minijax.jit
    def f(y):
        return y * scale[0]

    scale = [None]

    def g(x):
        scale[0] = x
        return f(x)

    assert minijax.grad(g)(3.0) == 6.0
    assert minijax.grad(g)(4.0) == 8.0
