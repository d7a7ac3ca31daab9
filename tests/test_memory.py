"""Memory: what is kept for a function dies with it, there is a limit to all that is kept, and calls leave nothing.

Growth is what tracemalloc counts after many calls of each kind; death is seen by weak references to the
user's functions and to large arrays that they close over.
"""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minijax as jax
import minijax.numpy as jnp
from minijax import caches, lax
from minijax.custom_batching import custom_vmap
from minijax.experimental import checkify

X = jnp.arange(3.0)
DEFAULT_CALLS, FULL_CALLS, MOST_CALLS = 40, 2_000, 10_000
# Bytes in all. A single trace takes thousands; the rest are tables that have grown.
BYTES = {DEFAULT_CALLS: 12_000, FULL_CALLS: 40_000, MOST_CALLS: 40_000}


@pytest.fixture(autouse=True)
def only_what_is_new_is_collected() -> Iterator[None]:
    """The collector does not walk the hundred thousands of objects that were there before a test."""
    gc.freeze()
    yield
    gc.unfreeze()


def _double(x: Any) -> Any:
    return jnp.sin(x) * 2


def _with_jvp() -> Any:
    f = jax.custom_jvp(lambda x: x * x)
    f.defjvp(lambda primals, tangents: (f(*primals), 2 * primals[0] * tangents[0]))
    return f


def _with_vjp() -> Any:
    f = jax.custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (2 * ct * x,))
    return f


class _Model:
    def __init__(self) -> None:
        self.w = jnp.ones(3)

    def apply(self, x: Any) -> Any:
        return x * self.w


_jitted = jax.jit(_double)

# One call of each kind; all but the first few with functions that are made for it.
CALLS: dict[str, Callable[[], Any]] = {
    "eager": lambda: _double(X),
    "jit": lambda: _jitted(X),
    "grad of jit": lambda: jax.grad(lambda x: _jitted(x).sum())(X),
    "jit, fresh": lambda: jax.jit(lambda x: x * 2)(X),
    "jit of a fresh method": lambda: jax.jit(_Model().apply)(X),
    "grad, fresh": lambda: jax.grad(lambda x: (x * x).sum())(X),
    "grad of jit, fresh": lambda: jax.grad(jax.jit(lambda x: (x * x).sum()))(X),
    "jit of grad, fresh": lambda: jax.jit(jax.grad(lambda x: (x * x).sum()))(X),
    "hessian, fresh": lambda: jax.hessian(lambda x: (x * x).sum())(X),
    "vmap, fresh": lambda: jax.vmap(lambda x: x * 2)(X),
    "vmap of jit, fresh": lambda: jax.vmap(jax.jit(lambda x: x * 2))(X),
    "vjp, fresh": lambda: jax.vjp(lambda x: x * x, X)[1](X),
    "linearize, fresh": lambda: jax.linearize(lambda x: x * x, X)[1](X),
    "jaxpr, fresh": lambda: jax.make_jaxpr(lambda x: x * x)(X),
    "scan, fresh": lambda: lax.scan(lambda c, x: (c + x, c), 0.0, X),
    "grad of scan, fresh": lambda: jax.grad(lambda c: lax.scan(lambda c, x: (c * x, c), c, X)[0])(2.0),
    "fori_loop, fresh": lambda: lax.fori_loop(0, 3, lambda i, c: c + i, 0.0),
    "while_loop, fresh": lambda: lax.while_loop(lambda c: c < 3, lambda c: c + 1, 0.0),
    "cond, fresh": lambda: lax.cond(True, lambda c: c, lambda c: c + 1, 0.0),
    "custom_jvp, fresh": lambda: jax.grad(_with_jvp())(2.0),
    "custom_vjp, fresh": lambda: jax.grad(_with_vjp())(2.0),
    "jit of custom_jvp, fresh": lambda: jax.grad(jax.jit(_with_jvp()))(2.0),
    "jit of custom_vjp, fresh": lambda: jax.grad(jax.jit(_with_vjp()))(2.0),
    "vmap of custom_vjp, fresh": lambda: jax.vmap(jax.grad(_with_vjp()))(X),
    "checkpoint, fresh": lambda: jax.grad(jax.checkpoint(lambda x: jnp.sin(jnp.cos(x))))(2.0),
    "callback, fresh": lambda: jax.jit(lambda x: jax.debug.callback(lambda v: None, x))(X),
    "random": lambda: jax.random.normal(jax.random.key(0), (3,)),
}


def _batched_by_rule() -> Any:
    f = custom_vmap(lambda x: x * 2)
    f.def_vmap(lambda size, batched, x: (f(x), True))
    return f


def _checked(x: Any) -> Any:
    checkify.check(x > 0, "{} is not positive", x)
    return x


def _used_keys() -> None:
    with jax.debug_key_reuse(True):
        for key in (*jax.random.split(jax.random.key(0)), jax.random.PRNGKey(0)):
            jax.random.bits(key)


_saving_dots = jax.checkpoint_policies.dots_saveable
_SCALAR = jax.ShapeDtypeStruct((), "float32")
CALLS |= {
    "pmap, fresh": lambda: jax.pmap(lambda x: x * 2)(X[:1]),
    "named axes, fresh": lambda: jax.vmap(lambda x: lax.psum(x, "i"), axis_name="i")(X),
    "custom_vmap, fresh": lambda: jax.vmap(jax.jit(_batched_by_rule()))(X),
    "policy, fresh": lambda: jax.grad(jax.checkpoint(lambda x: jnp.sin(jnp.cos(x)), policy=_saving_dots))(2.0),
    "pure_callback, fresh": lambda: jax.jit(lambda x: jax.pure_callback(lambda v: v, _SCALAR, x))(1.0),
    "checkify, fresh": lambda: jax.jit(checkify.checkify(lambda x: _checked(x)))(1.0)[0].get(),
    "keys that are watched": _used_keys,
}


def _failing() -> None:
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(lambda x: x if x > 0 else -x)(1.0)


CALLS["an error, fresh"] = _failing


def _growth(call: Callable[[], Any], calls: int) -> int:
    """Bytes that so many calls leave behind."""
    for _ in range(10):
        call()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(calls):
            call()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


IN_DEFAULT = (
    "jit",
    "jit, fresh",
    "jit of a fresh method",
    "grad, fresh",
    "vmap, fresh",
    "scan, fresh",
    "jit of custom_jvp, fresh",
    "custom_vjp, fresh",
    "checkpoint, fresh",
    "an error, fresh",
)


MOST = ("eager", "jit", "jit, fresh", "grad, fresh", "vmap, fresh", "scan, fresh")


@pytest.mark.parametrize("name", IN_DEFAULT)
def test_calls_leave_nothing_behind(name: str):
    assert _growth(CALLS[name], DEFAULT_CALLS) < BYTES[DEFAULT_CALLS]


@pytest.mark.full
@pytest.mark.parametrize("name", CALLS)
def test_ten_thousand_calls_leave_nothing_behind(name: str):
    """Two thousand of the kinds that take long."""
    calls = MOST_CALLS if name in MOST else FULL_CALLS
    assert _growth(CALLS[name], calls) < BYTES[calls]


# ----------------------------------------------------------------- functions and what they close over


def _closing_over(big: Any) -> dict[str, tuple[Any, Callable[[], Any]]]:
    """For each kind of use the user's function, and how it is used."""

    def plain(x: Any) -> Any:
        return (x * big).sum()

    def loop(c: Any, x: Any) -> Any:
        return c + big[0] * x, None

    custom = jax.custom_jvp(lambda x: x * big[0])
    custom.defjvp(lambda primals, tangents: (custom(*primals), tangents[0] * big[1]))
    return {
        "jit": (plain, lambda: jax.jit(plain)(2.0)),
        "jit of grad": (plain, lambda: jax.jit(jax.grad(plain))(2.0)),
        "grad of jit of vmap": (plain, lambda: jax.grad(jax.jit(lambda x: jax.vmap(plain)(x).sum()))(X)),
        "scan": (loop, lambda: lax.scan(loop, 0.0, X)),
        "jit of custom_jvp": (custom, lambda: jax.grad(jax.jit(custom))(2.0)),
        "checkpoint": (plain, lambda: jax.grad(jax.checkpoint(plain))(2.0)),
        "lowered": (plain, lambda: jax.jit(plain).lower(2.0).compile()(2.0)),
    }


@pytest.mark.parametrize("name", _closing_over(X))
def test_a_function_and_what_it_closes_over_die_with_it(name: str):
    big = jnp.ones(100_000)
    array = weakref.ref(big)
    fun, use = _closing_over(big)[name]
    function = weakref.ref(fun)
    use()
    use()
    del big, fun, use
    gc.collect()
    assert function() is None
    assert array() is None


def test_methods_do_not_keep_their_objects():
    model = _Model()
    found, array = weakref.ref(model), weakref.ref(model.w)
    f = jax.jit(model.apply)
    assert f(X).tolist() == jax.jit(model.apply)(X).tolist()
    del model, f
    gc.collect()
    assert found() is None
    assert array() is None


def test_residuals_die_with_the_function_that_holds_them():
    x = jnp.ones(100_000)
    array = weakref.ref(x)
    y, pull = jax.vjp(lambda x: x * x, x)
    del x
    gc.collect()
    assert array() is not None
    assert pull(y)[0][0] == 2.0
    del pull
    gc.collect()
    assert array() is None


# ----------------------------------------------------------------- limits, and clearing


def _traces_for_lengths(lengths: range) -> list[int]:
    traced: list[int] = []

    def f(x: Any) -> Any:
        traced.append(len(x))
        return x.sum()

    jitted = jax.jit(f)
    for n in lengths:
        assert jitted(jnp.ones(n)) == n
    assert jitted(jnp.ones(lengths[-1])) == lengths[-1]  # the youngest is still there
    assert jitted(jnp.ones(lengths[0])) == lengths[0]  # the oldest is not
    return traced


def test_a_function_has_a_limited_number_of_traces(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(caches, "LIMIT", 8)
    assert _traces_for_lengths(range(1, 20)) == [*range(1, 20), 1]


@pytest.mark.full
def test_a_function_has_as_many_traces_as_jax_keeps():
    assert _traces_for_lengths(range(1, caches.LIMIT + 2)) == [*range(1, caches.LIMIT + 2), 1]


def test_what_is_derived_from_a_trace_is_limited(monkeypatch: pytest.MonkeyPatch):
    """Every batch size has a batched program of its own."""
    monkeypatch.setattr(caches, "LIMIT", 8)
    f = jax.jit(_double)
    jaxpr = f.trace(1.0).jaxpr
    for n in range(1, 30):
        assert jax.vmap(f)(jnp.zeros(n)).shape == (n,)
    assert len(jaxpr.cache) <= 8


def test_functions_that_their_own_traces_lead_back_to_are_limited(monkeypatch: pytest.MonkeyPatch):
    """A callback in the trace closes over the object whose method is traced: only the limit ends that."""
    monkeypatch.setattr(caches, "LIMIT", 8)
    caches.cache_of(lambda: None)  # brings the number of functions down to the limit

    class Logging:
        seen = 0

        def count(self, x: Any) -> None:
            self.seen += 1

        def apply(self, x: Any) -> Any:
            jax.debug.callback(self.count, x)
            return x

    refs = []
    for _ in range(40):
        model = Logging()
        jax.jit(model.apply)(1.0)
        assert model.seen == 1
        refs.append(weakref.ref(model))
    del model
    gc.collect()
    assert sum(ref() is not None for ref in refs) <= 8


def test_clearing_the_caches():
    traced: list[Any] = []

    class Model:
        def apply(self, x: Any) -> Any:
            traced.append(None)
            return x + 1

    model = Model()
    bound, plain = jax.jit(model.apply), jax.jit(lambda x: model.apply(x))
    for count in (2, 2, 4):
        if count == 4:
            jax.clear_caches()
        assert bound(1.0) == plain(1.0) == 2.0
        assert len(traced) == count


def test_clearing_the_caches_lets_go_of_constants():
    big = jnp.ones(100_000)
    array = weakref.ref(big)
    arrays = [big]
    f = jax.jit(lambda x: x + arrays[0][0])
    assert f(1.0) == 2.0
    arrays.clear()
    del big
    gc.collect()
    assert array() is not None
    jax.clear_caches()
    gc.collect()
    assert array() is None
