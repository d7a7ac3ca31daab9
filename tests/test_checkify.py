"""checkify on both engines: the same programs find the same errors, and compute the same.

A program is a function of the engine (a namespace of jax, jnp, lax, checkify) that gives a function and its
arguments. Exceptions have JAX's classes; messages say what JAX's say, and the user's line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax as real_jax
import numpy as np
import pytest
from jax.experimental import checkify as real_checkify

import minijax
from minijax.experimental import checkify
from minijax.experimental.checkify.error_values import check_p
from reference.check.function_checks import OURS, THEIRS, valued_calls
from reference.check.functions import FAMILIES
from reference.check.oracle import assert_same

MINI = SimpleNamespace(jax=minijax, jnp=minijax.numpy, lax=minijax.lax, checkify=checkify)
REAL = SimpleNamespace(jax=real_jax, jnp=real_jax.numpy, lax=real_jax.lax, checkify=real_checkify)
ENGINES = pytest.mark.parametrize("e", [MINI, REAL], ids=["minijax", "jax"])


def checked_log(e: Any) -> Callable:
    def f(x: Any) -> Any:
        e.checkify.check(x > 0, "{x} must be positive, {}", x + 1, x=x)
        return e.jnp.log(x)

    return f


def _loop(e: Any) -> Callable:
    def goes_on(v: Any) -> Any:
        e.checkify.check(v < 4, "cond {v}", v=v)
        return v < 10

    def turn(v: Any) -> Any:
        e.checkify.check(v < 3, "body {v}", v=v)
        return v + 1

    return lambda x: e.lax.while_loop(goes_on, turn, x)


def _two_sites(e: Any) -> Callable:
    def turn(c: Any, i: Any) -> Any:
        e.checkify.check(i != 1, "first in the program")
        e.checkify.check(i != 0, "first in time, {}", i)
        return c + e.jnp.log(c - i), i

    return lambda x: e.lax.scan(turn, x, e.jnp.arange(3))


def _custom_jvp(e: Any) -> Callable:
    @e.jax.custom_jvp
    def f(x: Any) -> Any:
        e.checkify.check(x > 0, "custom {}", x)
        return x * 2

    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0] * 7))
    return f


def _custom_vjp(e: Any) -> Callable:
    @e.jax.custom_vjp
    def f(x: Any) -> Any:
        e.checkify.check(x > 0, "custom {}", x)
        return e.jnp.log(x)

    def fwd(x: Any) -> Any:
        e.checkify.check(x > 0, "forward {}", x)
        return x * 2, x

    f.defvjp(fwd, lambda x, ct: (ct * 7,))
    return f


def _rechecked(e: Any) -> Callable:
    def f(x: Any) -> Any:
        error, out = e.jax.jit(e.checkify.checkify(checked_log(e)))(x)
        e.checkify.check_error(error)
        return out

    return f


def _rechecked_batch(e: Any) -> Callable:
    def f(x: Any) -> Any:
        error, out = e.jax.vmap(e.checkify.checkify(checked_log(e)))(x)
        error.throw()
        return out

    return f


def _debug(e: Any) -> Callable:
    def f(x: Any) -> Any:
        e.checkify.debug_check(x > 0, "debug {}", x)
        return x

    return f


NEG, POS, ZERO = np.float32(-2.0), np.float32(2.0), np.float32(0.0)
ROW, SQUARE = np.arange(3, dtype=np.float32), np.arange(6, dtype=np.float32).reshape(2, 3)
FIVE, PAIR = np.int32(5), np.array([0, 7], np.int32)

# name: (sets of errors, the function on an engine, arguments)
PROGRAMS: dict[str, tuple[str, Callable[[Any], Callable], tuple]] = {
    "check": ("user", checked_log, (NEG,)),
    "check holds": ("user", checked_log, (POS,)),
    "check of a batch": ("user", lambda e: e.jax.vmap(checked_log(e)), (np.array([1, -1, -2], np.float32),)),
    "check in a gradient": ("user", lambda e: e.jax.grad(checked_log(e)), (NEG,)),
    "check in a scan": (
        "user",
        lambda e: lambda xs: e.lax.scan(lambda c, x: (c + checked_log(e)(x), c), 0.0, xs),
        (np.array([1, -1, -2], np.float32),),
    ),
    "check in a branch": ("user", lambda e: lambda x: e.lax.cond(x > -5, checked_log(e), lambda x: x, x), (NEG,)),
    "check in the other branch": (
        "all",
        lambda e: lambda x: e.lax.cond(x < -5, checked_log(e), lambda x: x, x),
        (NEG,),
    ),
    "branches with errors of other kinds": (
        "all",
        lambda e: lambda x: e.lax.switch(2, [checked_log(e), e.jnp.sin, lambda x: e.jnp.log(x) / (x - x)], x),
        (NEG,),
    ),
    "batch of branches": (
        "user",
        lambda e: e.jax.vmap(lambda x: e.lax.cond(x > 0, checked_log(e), lambda x: -x, x)),
        (np.array([1, -1, -2], np.float32),),
    ),
    "loop, body": ("user", _loop, (ZERO,)),
    "loop, predicate": ("user", _loop, (np.float32(5),)),
    "loop that does not run": ("user", _loop, (np.float32(20),)),
    "loop of known length": (
        "nan",
        lambda e: lambda x: e.lax.fori_loop(0, 3, lambda i, c: e.jnp.log(c), x),
        (POS,),
    ),
    "order of errors": ("user", _two_sites, (POS,)),
    "order of kinds": ("all", _two_sites, (POS,)),
    "three kinds": ("all", lambda e: lambda x: (checked_log(e)(x), e.jnp.log(x), 1 / (x - x)), (NEG,)),
    "jit inside": ("all", lambda e: e.jax.jit(lambda x: e.jax.jit(checked_log(e))(x) + e.jnp.log(x)), (NEG,)),
    "checkpoint": ("user", lambda e: e.jax.checkpoint(checked_log(e)), (NEG,)),
    "gradient of a checkpoint": ("all", lambda e: e.jax.grad(e.jax.checkpoint(checked_log(e))), (NEG,)),
    "custom_jvp": ("user", _custom_jvp, (NEG,)),
    "gradient of custom_jvp": ("user", lambda e: e.jax.grad(_custom_jvp(e)), (NEG,)),
    "custom_vjp": ("all", _custom_vjp, (NEG,)),
    "gradient of custom_vjp": ("user", lambda e: e.jax.grad(_custom_vjp(e)), (NEG,)),
    "check_error": ("user", _rechecked, (NEG,)),
    "check_error of a batch": ("user", _rechecked_batch, (np.array([1, -1, -2], np.float32),)),
    "debug_check": ("user", _debug, (NEG,)),
    "log": ("nan", lambda e: lambda x: e.jnp.log(x) * 2, (NEG,)),
    "sin of infinity": ("float", lambda e: lambda x: e.jnp.sin(x), (np.float32(np.inf),)),
    "NaN that was there": ("nan", lambda e: lambda x: -x, (np.float32(np.nan),)),
    "not looked for": ("index", lambda e: lambda x: e.jnp.log(x), (NEG,)),
    "cumsum": ("nan", lambda e: lambda x: e.jnp.cumsum(x), (np.array([np.inf, -np.inf], np.float32),)),
    "dot": ("nan", lambda e: lambda x: x @ x, (np.array([np.inf, np.nan], np.float32),)),
    "complex": ("nan", lambda e: lambda x: x - x, (np.complex64(np.inf),)),
    "inverse": ("float", lambda e: lambda x: e.jnp.linalg.inv(x), (np.zeros((2, 2), np.float32),)),
    "division": ("div", lambda e: lambda x: 1 / x, (np.array([1, 0], np.float32),)),
    "0 / 0": ("float", lambda e: lambda x: x / x, (ZERO,)),
    "division of integers": ("all", lambda e: lambda x: x // 0, (FIVE,)),
    "mean of nothing": ("div", lambda e: lambda x: e.jnp.mean(x[:0]), (ROW,)),
    "index": ("index", lambda e: lambda x, i: x[i], (ROW, FIVE)),
    "negative index": ("index", lambda e: lambda x, i: x[i], (ROW, np.int32(-5))),
    "index from the end": ("index", lambda e: lambda x, i: x[i], (ROW, np.int32(-1))),
    "index of a matrix": ("index", lambda e: lambda x, i: x[i, 1], (SQUARE, FIVE)),
    "indices of rows": ("index", lambda e: lambda x, i: x[i], (SQUARE, PAIR)),
    "indices of columns": ("index", lambda e: lambda x, i: x[:, i], (SQUARE, PAIR)),
    "batch of indices": ("index", lambda e: e.jax.vmap(lambda x, i: x[i], (None, 0)), (ROW, PAIR)),
    "get": ("index", lambda e: lambda x, i: x.at[i].get(mode="fill"), (ROW, FIVE)),
    "set": ("index", lambda e: lambda x, i: x.at[i].set(1.0), (ROW, FIVE)),
    "add": ("all", lambda e: lambda x, i: x.at[i].add(1.0), (ROW, PAIR)),
    "set of rows": ("all", lambda e: lambda x, i: x.at[i].multiply(2.0), (SQUARE, PAIR)),
    "add NaN": ("all", lambda e: lambda x: x.at[0].add(np.nan), (ROW,)),
    "dynamic_slice": ("index", lambda e: lambda x, i: e.lax.dynamic_slice(x, (i,), (2,)), (ROW, np.int32(2))),
    "dynamic_update_slice": (
        "index",
        lambda e: lambda x, i: e.lax.dynamic_update_slice(x, x[:2], (i,)),
        (ROW, np.int32(2)),
    ),
}
# What is tried in the default depth, in one way; the rest, and the other ways, in the full one.
QUICK = """check; check holds; check in a gradient; check in a scan; check in a branch; loop, body; loop, predicate
    order of errors; three kinds; checkpoint; custom_jvp; check_error; log; not looked for; 0 / 0; index; set"""


def calls(e: Any, name: str) -> dict[str, Callable]:
    """The three ways of putting jit and checkify together."""
    errors, make, _ = PROGRAMS[name]
    enabled = getattr(e.checkify, f"{errors}_checks")
    f = make(e)
    return {
        "checkify": e.checkify.checkify(f, errors=enabled),
        "jit of checkify": e.jax.jit(e.checkify.checkify(f, errors=enabled)),
        "checkify of jit": e.checkify.checkify(e.jax.jit(f), errors=enabled),
    }


_QUICK_NAMES = [name.strip() for name in QUICK.replace("\n", ";").split(";")]
CASES = [
    pytest.param(name, way, marks=() if way == "checkify" and name in _QUICK_NAMES else pytest.mark.full)
    for name in PROGRAMS
    for way in ("checkify", "jit of checkify", "checkify of jit")
]


def without_places(message: str | None) -> str | None:
    """Of our message what JAX's says too."""
    if message is None:
        return None
    message = re.sub(r" at \S+:\d+ \([^)]*\)", "", message).replace(": a divisor has a 0 somewhere.", "")
    return re.sub(r"(with size \d+), in [\w-]+\.", r"\1. ", message)


@pytest.mark.parametrize("name, way", CASES)
def test_same_error_and_same_result(name: str, way: str):
    found = []
    for e in (MINI, REAL):
        error, out = calls(e, name)[way](*map(e.jnp.asarray, PROGRAMS[name][2]))
        assert isinstance(error, e.checkify.Error)
        found.append((type(error.get_exception()).__name__, error.get(), out))
    (ours, our_message, our_out), (theirs, their_message, their_out) = found
    assert ours == theirs
    assert without_places(our_message) == their_message
    assert_same(our_out, their_out, ulp=4)


# Functions of the library that divide by zero where JAX's do not, and drop the result.
DIVIDE_IN_VAIN = ("jax.scipy.linalg.funm",)


def category(e: Any, call: str, names: dict[str, Any]) -> str | None:
    """The class of the first error in a call of a function table; None where the function does not take tracers."""
    try:
        error, _ = e.checkify.checkify(lambda: eval(call, names), errors=e.checkify.all_checks)()
    except Exception:
        return None
    return type(error.get_exception()).__name__


@pytest.mark.full
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.filterwarnings("ignore")
def test_library_functions_have_jaxs_errors(family: str):
    """A NaN, a division by zero or a bad index inside of a function counts, in JAX as here."""
    for call in valued_calls(FAMILIES[family])[::12]:
        ours, theirs = category(MINI, call, OURS), category(REAL, call, THEIRS)
        if theirs is not None and not any(name in call for name in DIVIDE_IN_VAIN):
            assert ours == theirs, call


# ----------------------------------------------------------------- what an error is


def test_the_users_line_is_named():
    error, _ = checkify.checkify(minijax.jit(lambda x: minijax.numpy.log(x)), errors=checkify.nan_checks)(-1.0)
    assert re.search(r"nan generated by primitive: log at \S*test_checkify\.py:\d+ \(<lambda>\)", error.get())


@ENGINES
def test_errors_of_a_batch(e: Any):
    checked = e.checkify.checkify(checked_log(e))
    f = e.jax.jit(e.jax.vmap(checked))
    error, _ = f(e.jnp.array([1.0, -1.0, -2.0]))
    found = error.get_exception()
    assert type(found).__name__ == "BatchedError"
    assert list(found.error_mapping) == [(1,), (2,)]
    assert str(found).startswith("at mapped index 1: -1.0 must be positive, 0.0")
    assert f(e.jnp.array([1.0, 2.0, 3.0]))[0].get() is None
    nested = e.jax.jit(e.jax.vmap(e.jax.vmap(checked)))(e.jnp.array([[1.0, -1.0, 2.0], [3.0, 4.0, 5.0]]))[0]
    assert list(nested.get_exception().error_mapping) == [(0, 1)]


def test_errors_of_a_batch_of_loops():
    """The loop goes on for the first example after the second has ended, which does no harm (JAX fails here)."""
    error, out = minijax.vmap(checkify.checkify(_loop(MINI)))(minijax.numpy.array([0.0, 20.0, 2.5]))
    messages = {i: without_places(str(x)) for i, x in error.get_exception().error_mapping.items()}
    assert messages == {
        (0,): "body 3.0 (`check` failed)",
        (1,): "cond 20.0 (`check` failed)",
        (2,): "body 3.5 (`check` failed)",
    }
    assert out.tolist() == [10.0, 20.0, 10.5]


@ENGINES
def test_a_batched_predicate_is_refused(e: Any):
    with pytest.raises(ValueError, match="batched while|batched"):
        e.checkify.checkify(e.jax.vmap(_loop(e)))(e.jnp.array([0.0, 20.0]))


@ENGINES
def test_throwing(e: Any):
    checked = e.checkify.checkify(checked_log(e))
    error, _ = checked(e.jnp.float32(-2.0))
    for throw in (error.throw, lambda: e.checkify.check_error(error), lambda: _rechecked(e)(e.jnp.float32(-2.0))):
        with pytest.raises(e.checkify.JaxRuntimeError, match="-2.0 must be positive, -1.0") as raised:
            throw()
        assert isinstance(raised.value, ValueError)
    assert checked(e.jnp.float32(2.0))[0].throw() is None
    assert str(error).startswith("Error(-2.0 must be positive")


@ENGINES
def test_the_first_error_without_any(e: Any):
    error = e.checkify.init_error
    assert error.get() is None
    assert error.get_exception() is None
    assert error.throw() is None


@ENGINES
def test_errors_go_in_and_out_of_programs(e: Any):
    error, _ = e.checkify.checkify(checked_log(e))(e.jnp.float32(-2.0))
    same = e.jax.jit(lambda x: x)(error)
    assert without_places(same.get()) == "-2.0 must be positive, -1.0 (`check` failed)"
    assert len(e.jax.tree.leaves(error)) == 4


@ENGINES
def test_derivatives_of_checked_functions(e: Any):
    def f(x: Any) -> Any:
        error, out = e.checkify.checkify(checked_log(e))(x)
        return out, error

    (value, error), slope = e.jax.value_and_grad(f, has_aux=True)(e.jnp.float32(-2.0))
    assert np.isnan(value)
    assert slope == -0.5
    assert without_places(error.get()) == "-2.0 must be positive, -1.0 (`check` failed)"
    assert e.jax.grad(lambda x: e.checkify.checkify(_custom_vjp(e))(x)[1])(e.jnp.float32(2.0)) == 7.0
    assert e.jax.grad(lambda x: e.checkify.checkify(_custom_jvp(e))(x)[1])(e.jnp.float32(2.0)) == 7.0
    assert e.jax.vmap(e.jax.grad(lambda x: e.checkify.checkify(_custom_jvp(e))(x)[1]))(e.jnp.ones(2)).tolist() == [7, 7]


@ENGINES
def test_arguments_stay_what_they_are(e: Any):
    f = checked_log(e)
    error, out = e.checkify.checkify(lambda x, name, *, tree: {name: f(x) + tree["a"]})(
        e.jnp.float32(1.0), "key", tree={"a": 2.0}
    )
    assert error.get() is None
    assert out == {"key": 2.0}


# ----------------------------------------------------------------- check on its own


@ENGINES
def test_check_alone_raises_at_once(e: Any):
    f = checked_log(e)
    assert f(e.jnp.float32(1.0)) == 0.0
    for failing in (f, e.jax.grad(f), lambda x: e.jax.vmap(f)(e.jnp.array([1.0, 2.0]) * x)):
        with pytest.raises(e.checkify.JaxRuntimeError, match="must be positive"):
            failing(e.jnp.float32(-2.0))


@ENGINES
def test_check_in_a_program_that_is_not_checkified(e: Any):
    f = checked_log(e)
    x = e.jnp.float32(2.0)
    refused = [
        e.jax.jit(f),
        lambda x: e.lax.scan(lambda c, x: (c, f(x)), 0.0, e.jnp.ones(3) * x),
        lambda x: e.lax.cond(True, f, f, x),
        e.jax.grad(e.jax.jit(f)),
    ]
    for function in refused:
        with pytest.raises(ValueError, match="checkify.check"):
            function(x)
    debug = _debug(e)
    assert debug(-x) == e.jax.jit(debug)(-x) == e.jax.vmap(debug)(-x[None])[0] == -2.0


@ENGINES
def test_arguments_of_check(e: Any):
    check = e.checkify.check
    for pred in (e.jnp.ones(2) > 0, 1.0, np.bool_(True), e.jnp.float32(1)):
        with pytest.raises(TypeError, match="takes a scalar pred"):
            check(pred, "message")
    for argument in (1.0, "text"):
        with pytest.raises(TypeError, match="[fF]ormatting arguments"):
            check(True, "message {}", argument)
    with pytest.raises(KeyError):
        check(False, "message {a}")
    with pytest.raises(TypeError, match="takes an Error"):
        e.checkify.check_error(3)


@pytest.mark.parametrize("name", ["user", "nan", "index", "div", "float", "automatic", "all"])
def test_sets_of_errors(name: str):
    ours, theirs = (getattr(e.checkify, f"{name}_checks") for e in (MINI, REAL))
    assert sorted(t.__name__ for t in ours) == sorted(t.__name__ for t in theirs)
    assert isinstance(ours, frozenset)


def test_the_primitive_says_that_it_does_something():
    jaxpr = minijax.make_jaxpr(minijax.jit(checked_log(MINI)))(1.0)
    assert [str(effect) for effect in jaxpr.effects] == ["Error"]
    assert any(eqn.primitive is check_p for eqn in jaxpr.eqns[0].params["jaxpr"].eqns)


def test_an_index_of_few_bits():
    """JAX fails to compare it with the length of the array."""
    checked = checkify.checkify(lambda x, i: x[i], errors=checkify.index_checks)
    error, out = checked(minijax.numpy.arange(300.0), minijax.numpy.uint8(255))
    assert error.get() is None
    assert out == 255.0


def test_a_check_in_a_scan_that_is_differentiated():
    """JAX loses it."""
    f, ones = checked_log(MINI), minijax.numpy.ones(3)
    slope = minijax.grad(lambda x: minijax.lax.scan(lambda c, s: (c * f(x * s), c), x, ones)[0])
    assert "-2.0 must be positive" in checkify.checkify(slope)(minijax.numpy.float32(-2.0))[0].get()
    assert checkify.checkify(slope)(minijax.numpy.float32(2.0))[0].get() is None
