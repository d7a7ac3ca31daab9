"""Tracebacks show the user's lines, and the engine's only to those who ask for them."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import minijax
from minijax.tracebacks import UnfilteredStackTrace

HERE = __file__
ENGINE = str(Path(minijax.__file__).parent)
V = np.ones(3, np.float32)


def raising(x: Any) -> Any:
    """A mistake of the user's."""
    raise KeyError("mine")


def deciding(x: Any) -> Any:
    return x if x > 0 else -x


def chained(x: Any) -> Any:
    """An exception with a cause of its own."""
    try:
        raise ValueError("first")
    except ValueError as error:
        raise TypeError("second") from error


def through(j: Any, x: Any) -> Any:
    """The user's functions one within the other, with transformations between them."""
    return j.jit(lambda x: j.grad(lambda y: j.vmap(raising)(y * V)[0])(x))(x)


# Calls after which JAX shows the user's frames alone, and the same ones.
USER_ONLY: dict[str, Callable[[Any], Any]] = {
    "jit": lambda j: j.jit(raising)(1.0),
    "bool of a tracer": lambda j: j.jit(deciding)(1.0),
    "grad": lambda j: j.grad(raising)(1.0),
    "value_and_grad": lambda j: j.value_and_grad(raising)(1.0),
    "vmap": lambda j: j.vmap(raising)(V),
    "jit of vmap of grad": lambda j: j.jit(j.vmap(j.grad(raising)))(V),
    "nested": lambda j: through(j, 1.0),
    "vjp": lambda j: j.vjp(raising, 1.0),
    "jvp": lambda j: j.jvp(raising, (1.0,), (1.0,)),
    "linearize": lambda j: j.linearize(raising, 1.0),
    "linear_transpose": lambda j: j.linear_transpose(raising, 1.0)(1.0),
    "checkpoint": lambda j: j.checkpoint(raising)(1.0),
    "make_jaxpr": lambda j: j.make_jaxpr(raising)(1.0),
    "eval_shape": lambda j: j.eval_shape(raising, 1.0),
    "lower": lambda j: j.jit(raising).lower(1.0),
    "trace": lambda j: j.jit(raising).trace(1.0),
    "scan": lambda j: j.lax.scan(lambda c, _: raising(c), 1.0, None, length=2),
    "carry of scan": lambda j: j.lax.scan(lambda c, _: (1, None), V, None, length=2),
    "while_loop": lambda j: j.lax.while_loop(lambda c: c < 2, raising, 1.0),
    "fori_loop": lambda j: j.lax.fori_loop(0, 2, lambda i, c: raising(c), 1.0),
    "cond": lambda j: j.lax.cond(True, raising, raising, 1.0),
    "switch": lambda j: j.lax.switch(1, [raising, raising], 1.0),
    "map": lambda j: j.lax.map(raising, V),
    "associative_scan": lambda j: j.lax.associative_scan(lambda a, b: raising(a), j.numpy.asarray(V)),
    "custom_root": lambda j: j.lax.custom_root(raising, 1.0, lambda f, x: x, lambda g, y: y),
    "custom_jvp without a rule": lambda j: j.custom_jvp(raising)(1.0),
    "custom_vjp without a rule": lambda j: j.custom_vjp(raising)(1.0),
    "in_axes": lambda j: j.vmap(raising)(1.0),
    "no function": lambda j: j.grad(3.0)(1.0),
    "cause": lambda j: j.jit(chained)(1.0),
}
# The same where JAX leaves a few frames of its own.
OURS_ALONE: dict[str, Callable[[Any], Any]] = {
    "operator": lambda j: j.numpy.ones(3) + j.numpy.ones(2),
    "reflected operator": lambda j: np.ones(3) @ j.numpy.ones(2),
    "index": lambda j: j.numpy.ones(3)[0, 0],
    "assignment": lambda j: j.numpy.ones(3).__setitem__(0, 1),
    "at": lambda j: j.numpy.ones(3).at[0, 0].set(1),
    "hessian": lambda j: j.hessian(raising)(1.0),
    "pull back": lambda j: j.vjp(j.numpy.sin, 1.0)[1](V),
    "static and not hashable": lambda j: j.jit(lambda x, s: x, static_argnums=1)(1.0, [1]),
    "named_call": lambda j: j.named_call(raising)(1.0),
    "closure_convert": lambda j: j.closure_convert(raising, 1.0),
    "pure_callback": lambda j: j.pure_callback(raising, j.ShapeDtypeStruct((), "float32"), 1.0),
}


def error_of(engine: Any, program: Callable[[Any], Any]) -> Exception:
    """The exception that the program raises."""
    try:
        program(engine)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def frames(error: BaseException) -> list[tuple[str, int, str]]:
    """File, line and function of all frames of a traceback, from the program's on."""
    return [(f.filename, f.lineno, f.name) for f in traceback.extract_tb(error.__traceback__)][2:]


def engine_frames(error: BaseException) -> list[tuple[str, int, str]]:
    return [frame for frame in frames(error) if frame[0].startswith(ENGINE)]


@pytest.mark.parametrize("name", USER_ONLY)
def test_user_frames_only_as_in_jax(name: str):
    ours, theirs = (error_of(j, USER_ONLY[name]) for j in (minijax, jax))
    assert frames(ours) == frames(theirs)
    assert all(file == HERE for file, _, _ in frames(ours)), "a frame of an engine"
    assert type(ours).__name__ == type(theirs).__name__
    assert "JAX_TRACEBACK_FILTERING=off" in ours.__notes__[0] and len(ours.__notes__) == len(theirs.__notes__) == 1


@pytest.mark.parametrize("name", OURS_ALONE)
def test_user_frames_only(name: str):
    error = error_of(minijax, OURS_ALONE[name])
    assert not engine_frames(error) and len(error.__notes__) == 1
    if error.__cause__ is not None:
        assert not [f for f in traceback.extract_tb(error.__cause__.__traceback__) if f.filename.startswith(ENGINE)]


def test_library_functions_end_at_the_operation():
    """As in JAX: they show, what they are made of does not."""
    error = error_of(minijax, lambda j: j.numpy.dot(V, np.ones(2, np.float32)))
    shown = [Path(file).name for file, _, _ in engine_frames(error)]
    assert "core.py" not in shown and "contractions.py" in shown
    assert not engine_frames(error_of(minijax, lambda j: j.jit(lambda x: j.numpy.dot(x, np.ones(2, "f")))(V)))


def test_causes_stay():
    ours, theirs = (error_of(j, USER_ONLY["cause"]) for j in (minijax, jax))
    assert type(ours.__cause__) is type(theirs.__cause__) is ValueError
    assert ours.__suppress_context__ and "first" in "".join(traceback.format_exception(ours))


def test_a_note_is_added_once():
    def again(x):
        try:
            minijax.jit(raising)(x)
        except KeyError as error:
            raise error

    error = error_of(minijax, lambda j: again(1.0))
    with pytest.raises(KeyError) as caught:
        minijax.jit(lambda x: (_ for _ in ()).throw(error))(1.0)
    assert len(caught.value.__notes__) == 1


# ----------------------------------------------------------------- the flag


@pytest.fixture
def filtering():
    def set_mode(mode: str) -> None:
        for engine in (jax, minijax):
            engine.config.update("jax_traceback_filtering", mode)

    yield set_mode
    set_mode("auto")


def test_off(filtering: Callable):
    filtering("off")
    ours, theirs = (error_of(j, USER_ONLY["jit"]) for j in (minijax, jax))
    assert engine_frames(ours) and not hasattr(ours, "__notes__") and not hasattr(theirs, "__notes__")


def test_tracebackhide(filtering: Callable):
    filtering("tracebackhide")
    error = error_of(minijax, USER_ONLY["jit"])
    assert engine_frames(error) and not hasattr(error, "__notes__")
    entry, hidden = error.__traceback__, {}
    while entry is not None:
        frame = entry.tb_frame
        hidden[frame.f_code.co_filename] = frame.f_locals.get("__tracebackhide__", False)
        entry = entry.tb_next
    assert not hidden[HERE] and all(hide for file, hide in hidden.items() if file.startswith(ENGINE))


def test_remove_frames(filtering: Callable):
    filtering("remove_frames")
    ours, theirs = (error_of(j, USER_ONLY["jit"]) for j in (minijax, jax))
    assert frames(ours) == frames(theirs) and not hasattr(ours, "__notes__")
    assert type(theirs.__cause__).__name__ == type(ours.__cause__).__name__ == "UnfilteredStackTrace"
    assert isinstance(ours.__cause__, UnfilteredStackTrace) and "KeyError: 'mine'" in str(ours.__cause__)
    whole = [f.filename for f in traceback.extract_tb(ours.__cause__.__traceback__)]
    assert HERE in whole and any(file.startswith(ENGINE) for file in whole)
    assert ours.__context__ is None and ours.__suppress_context__


def test_remove_frames_keeps_the_cause(filtering: Callable):
    filtering("remove_frames")
    ours, theirs = (error_of(j, USER_ONLY["cause"]) for j in (minijax, jax))
    assert type(ours.__cause__.__cause__) is type(theirs.__cause__.__cause__) is ValueError


def test_the_environment_variable():
    program = "import minijax as jax\ndef f(x): raise KeyError('mine')\njax.jit(f)(1.0)\n"
    shown = {}
    for mode in ("off", "auto"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            env={"JAX_TRACEBACK_FILTERING": mode, "PYTHONPATH": str(Path(ENGINE).parent), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 1
        shown[mode] = run.stderr
    assert ENGINE in shown["off"] and ENGINE not in shown["auto"]
    assert "JAX_TRACEBACK_FILTERING=off" in shown["auto"]
    assert shown["auto"].count('File "<string>"') == 2 and "KeyError: 'mine'" in shown["auto"]
