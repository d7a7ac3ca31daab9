"""Printing and calling back from inside of programs: as often, in the order and with the values as in JAX."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
from collections.abc import Callable
from typing import Any

import jax
import jax.experimental
import numpy as np
import pytest
from callback_programs import CALLING, FORMATS, PRINTING, V, showing_scan, shown, spec

import minijax
import minijax.experimental
from reference.check.jaxpr_tools import assert_same_text

# Programs that JAX takes long to compile, and those that are much like others.
SLOW = {
    *("hessian", "jacfwd", "jacrev", "associative_scan", "grad of grad", "vmap of cond, one predicate", "jit of vmap"),
    *("value_and_grad", "grad of checkpoint of jit", "vmap of grad of custom_vjp", "jvp of scan", "jit of cond"),
    *("vmap of vmap sequential", "vmap of vmap expand_dims", "vmap of vmap broadcast_all", "grad of jit"),
    *("io ordered in checkpoint", "io ordered in grad of scan", "io in grad", "io ordered differentiated"),
}


def programs(table: dict[str, Any]) -> list[Any]:
    """The names of a table, slow ones for the full depth only."""
    return [pytest.param(name, marks=pytest.mark.full if name in SLOW else ()) for name in table]


def run(engine: Any, program: Callable[[], Any]) -> tuple[str, list[str]]:
    """The exception's class or "fine", and the lines that were printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            engine.block_until_ready(program())
            outcome = "fine"
        except Exception as error:
            outcome = type(error).__name__
        with contextlib.suppress(Exception):
            engine.effects_barrier()
    return outcome, out.getvalue().split("\n")


@pytest.fixture(autouse=True)
def quiet_logs():
    """JAX reports exceptions in callbacks to its loggers as well."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("ordered", [True, pytest.param(False, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", programs(PRINTING))
def test_prints_what_jax_prints(name: str, ordered: bool):
    found = {}
    for engine in (jax, minijax):
        print_ = functools.partial(engine.debug.print, ordered=ordered)
        outcome, lines = run(engine, lambda engine=engine, print_=print_: PRINTING[name](engine, print_))
        found[engine] = outcome, lines if ordered else sorted(lines)
    assert found[minijax] == found[jax]
    assert found[minijax][0] == "fine"


@pytest.mark.parametrize("name", FORMATS)
def test_formats_as_jax(name: str):
    assert run(minijax, lambda: FORMATS[name](minijax)) == run(jax, lambda: FORMATS[name](jax))


@pytest.mark.parametrize("name", programs(CALLING))
def test_calls_back_as_jax(name: str):
    found = {}
    for engine in (jax, minijax):
        log: list[Any] = []
        results: list[Any] = []

        def program(engine=engine, log=log, results=results):
            results.extend(engine.tree_util.tree_leaves(CALLING[name](engine, lambda *what: log.append(what))))

        outcome, _ = run(engine, program)
        found[engine] = outcome, sorted(log) if "vmap" in name else log, results
    assert found[minijax][:2] == found[jax][:2]
    for ours, theirs in zip(found[minijax][2], found[jax][2], strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


TEXTS: dict[str, Callable[[Any], Any]] = {
    "print": lambda j: j.make_jaxpr(lambda x: j.debug.print("{x} {} {s}", x * 2, x=x, s="word"))(1.0),
    "print, ordered": lambda j: j.make_jaxpr(lambda x: j.debug.print("here", ordered=True))(1.0),
    "pure": lambda j: j.make_jaxpr(lambda x: j.pure_callback(np.sin, spec(j), x))(1.0),
    "io": lambda j: j.make_jaxpr(lambda x: j.experimental.io_callback(np.sin, (spec(j), {"a": spec(j, (3,))}), x))(1.0),
    "print in vmap": lambda j: j.make_jaxpr(j.vmap(lambda x: j.debug.print("{}", x)))(V),
    **{
        f"pure in vmap {method}": lambda j, method=method: j.make_jaxpr(
            j.vmap(lambda x, y: j.pure_callback(np.add, spec(j), x, y, vmap_method=method), (0, None))
        )(V, 1.0)
        for method in ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized")
    },
    "io in vmap": lambda j: j.make_jaxpr(j.vmap(lambda x: j.experimental.io_callback(np.sin, spec(j), x)))(V),
    "print in scan in jit": lambda j: j.make_jaxpr(j.jit(showing_scan(j, j.debug.print)))(1.0),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_and_effects_of_jaxprs(name: str):
    ours, theirs = TEXTS[name](minijax), TEXTS[name](jax)
    assert_same_text(ours, theirs)
    for place in (lambda c: c, lambda c: c.jaxpr, lambda c: c.eqns[-1]):
        assert sorted(map(str, place(ours).effects)) == sorted(map(str, place(theirs).effects))


def test_what_has_effects_stays():
    f = shown(minijax, minijax.debug.print)
    closed = minijax.make_jaxpr(lambda x: [minijax.jit(f)(x), x][1])(1.0)
    live, used = minijax.jaxpr.dce_jaxpr(closed.jaxpr, [True])
    assert [eqn.primitive.name for eqn in live.eqns] == ["jit"] and used == [True]
    (effect,) = live.effects
    assert isinstance(effect, minijax.debug.DebugEffect) and str(effect) == "Debug"
    assert [eqn.primitive.name for eqn in live.eqns[0].params["jaxpr"].eqns][0] == "debug_print"


def test_a_result_does_not_follow_the_array_that_was_returned():
    kept = np.zeros(3, np.float32)
    x = minijax.pure_callback(lambda: kept, spec(minijax, (3,)))
    kept[:] = 1.0
    assert not np.any(np.asarray(x))


def test_a_callback_is_outside_of_the_program():
    """It may use the engine itself, and NumPy warns in it as it does elsewhere."""

    def called(x):
        assert minijax.core.current_trace() is minijax.core.EVAL
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            np.ones(1) / np.zeros(1)
        return minijax.grad(minijax.numpy.sin)(x)

    def f(x):
        return x * minijax.pure_callback(called, spec(minijax), minijax.lax.stop_gradient(x))

    assert float(minijax.grad(f)(0.0)) == 1.0
    assert float(minijax.jit(minijax.grad(f))(0.0)) == 1.0


def test_the_error_says_what_the_callback_did():
    with pytest.raises(minijax.errors.JaxRuntimeError, match="pure_callback failed: KeyError: 'lost'") as caught:
        minijax.pure_callback(lambda: {}["lost"], spec(minijax))
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(minijax.errors.JaxRuntimeError, match=r"float32 and shape \(3,\).*announces float32 and \(\)"):
        minijax.pure_callback(lambda: V, spec(minijax))


def records_of(engine: Any, caplog: pytest.LogCaptureFixture, program: Callable[[Any], Any]) -> list[tuple]:
    """What a program logs: logger, level, text and file of each record."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        program(engine)
        engine.effects_barrier()
    return [(r.name, r.levelname, r.getMessage(), r.pathname, r.lineno) for r in caplog.records]


def test_log(caplog: pytest.LogCaptureFixture):
    logging.disable(logging.NOTSET)

    def program(engine: Any) -> None:
        engine.debug.log("eager {}", 3)
        engine.jit(lambda x: engine.debug.log("jitted {x}", x=x))(3)

    ours = records_of(minijax, caplog, program)
    assert ours == records_of(jax, caplog, program)
    assert [text for _, _, text, _, _ in ours] == ["eager 3", "jitted 3"]
    assert all(file == __file__ for *_, file, _ in ours)


def test_shardings(capsys: pytest.CaptureFixture):
    seen = []
    minijax.debug.inspect_array_sharding({"a": minijax.numpy.ones(3)}, callback=seen.append)
    minijax.jit(lambda x: minijax.debug.inspect_array_sharding(x, callback=seen.append))(1.0)
    assert len(seen) == 2 and all(isinstance(s, minijax.sharding.SingleDeviceSharding) for s in seen)
    minijax.debug.visualize_array_sharding(minijax.numpy.ones((4, 4)))
    minijax.debug.visualize_array_sharding(minijax.numpy.ones(4))
    drawn = capsys.readouterr().out
    assert drawn.count("CPU 0") == 2 and drawn.count("┌") == 2
    with pytest.raises(ValueError, match="one or two axes"):
        minijax.debug.visualize_array_sharding(minijax.numpy.ones((1, 1, 1)))
