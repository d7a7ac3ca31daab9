"""Tools to look into programs: breakpoints, checks for bad numbers and leaks, logs, names of places."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import minijax

# ----------------------------------------------------------------- breakpoint

COMMANDS = """p x
w + z
pp {'a': x}
missing
1 / 0
list
up
p d
d['a']
up
up
down
down
down

where
c
"""


def stopping(engine: Any, commands: str, out: io.StringIO, **options: Any) -> Callable:
    """A function of two frames that stops in the inner one."""

    def inner(x, z):
        w = x * 2
        engine.debug.breakpoint(stdin=io.StringIO(commands), stdout=out, num_frames=3, **options)
        return w + z

    def outer(x):
        y = x + 1
        d = {"a": [y, 2], "n": None}
        return inner(y, 3.0) + d["a"][1]

    return outer


TRANSFORMED: dict[str, Callable[[Any, Callable], Any]] = {
    "eager": lambda j, f: f(1.0),
    "jit": lambda j, f: j.jit(f)(1.0),
    "grad": lambda j, f: j.grad(f)(1.0),
    "jit of grad": lambda j, f: j.jit(j.grad(f))(1.0),
    "vmap": lambda j, f: j.vmap(f)(np.ones(2, np.float32)),
    "scan": lambda j, f: j.lax.scan(lambda c, _: (f(c), None), 1.0, None, length=2),
}


@pytest.mark.parametrize("options", [{}, {"ordered": True}, {"backend": "cli"}], ids=str)
@pytest.mark.parametrize("name", TRANSFORMED)
def test_breakpoint_prints_what_that_of_jax_prints(name: str, options: dict[str, Any]):
    outs = {}
    for engine in (jax, minijax):
        out = io.StringIO()
        TRANSFORMED[name](engine, stopping(engine, COMMANDS * 2, out, **options))
        engine.effects_barrier()
        outs[engine] = out.getvalue()
    assert outs[minijax] == outs[jax]
    assert "(jdb) " in outs[minijax] and "ZeroDivisionError" in outs[minijax]


def test_breakpoint_sees_no_tracers():
    out = io.StringIO()
    minijax.jit(minijax.grad(stopping(minijax, "p x\nup\np d\nc\n", out)))(1.0)
    assert "Tracer" not in out.getvalue() and "Array(2., dtype=float32)" in out.getvalue()


def test_breakpoint_with_a_token():
    for engine in (jax, minijax):
        out = io.StringIO()

        def f(x, used, engine=engine, out=out):
            stop = engine.debug.breakpoint(token=x * 2, stdin=io.StringIO("p x\nc\n"), stdout=out, num_frames=1)
            return stop if used else x

        assert float(engine.jit(f, static_argnums=1)(3.0, True)) == 6.0
        assert "3." in out.getvalue()
        out.truncate(0)
        assert float(engine.jit(f, static_argnums=1)(4.0, False)) == 4.0
        assert not out.getvalue()
        with pytest.raises(ValueError, match="token"):
            engine.debug.breakpoint(token=1.0, ordered=True)


def test_breakpoint_on_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(sys, "stdin", io.StringIO("p x\nhelp\nhelp up\nc\n"))

    def f(x):
        minijax.debug.breakpoint()
        return x

    assert float(minijax.jit(f)(5.0)) == 5.0
    out = capsys.readouterr().out
    assert "Entering jdb:" in out and "Array(5., dtype=float32)" in out
    assert "Documented commands" in out and "calling function" in out


def test_breakpoint_quits_the_program():
    with pytest.raises(SystemExit):
        minijax.jit(stopping(minijax, "q\n", io.StringIO()))(1.0)
    with pytest.raises(SystemExit):  # the end of the input
        minijax.jit(stopping(minijax, "", io.StringIO()))(1.0)


# ----------------------------------------------------------------- leaked tracers

KEPT: list[Any] = []


class Holder:
    """Something with attributes."""


HOLDER = Holder()


def leaky(engine: Any, x: Any) -> Any:
    y = engine.numpy.sin(x)
    KEPT.append(y)
    return y * 2


def keeps_argument(x: Any) -> Any:
    HOLDER.kept = x
    return x


def keeps_function(x: Any) -> Any:
    def inner():
        return x

    KEPT.append(inner)
    return x


def wave(engine: Any, x: Any) -> Any:
    return engine.numpy.sin(x) * x


def doubled(engine: Any) -> Callable:
    f = engine.custom_vjp(lambda x: x * 2)
    f.defvjp(lambda x: (x * 2, x), lambda r, ct: (ct * r,))
    return f


# What runs, and words of the message where it leaks.
LEAKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "jit": (lambda j: j.jit(lambda x: leaky(j, x))(1.0), "sin|(leaky)|global 'KEPT'"),
    "argument": (lambda j: j.jit(keeps_argument)(1.0), "argument 0|keeps_argument|'kept'|Holder"),
    "closure": (lambda j: j.jit(keeps_function)(1.0), "keeps_function|closes over"),
    "vmap": (lambda j: j.vmap(keeps_argument)(np.ones(2, np.float32)), "examples|keeps_argument"),
    "scan": (lambda j: j.lax.scan(lambda c, _: (leaky(j, c), None), 1.0, None, length=2), "sin|(leaky)"),
    "while": (lambda j: j.lax.while_loop(lambda c: c < 2, lambda c: leaky(j, c) + 3, 1.0), "sin|(leaky)"),
    "cond": (lambda j: j.lax.cond(True, keeps_argument, lambda x: x, 1.0), "keeps_argument"),
    "make_jaxpr": (lambda j: j.make_jaxpr(keeps_argument)(1.0), "keeps_argument"),
    "eval_shape": (lambda j: j.eval_shape(keeps_argument, 1.0), "keeps_argument"),
    "checkpoint": (lambda j: j.checkpoint(keeps_argument)(1.0), "keeps_argument"),
    "grad within jit": (lambda j: j.jit(lambda x: j.grad(keeps_argument)(x))(1.0), "<lambda>"),
    "jit within grad": (lambda j: j.grad(j.jit(keeps_argument))(1.0), "keeps_argument"),
}

NO_LEAKS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda j: j.grad(lambda x: wave(j, x))(1.0),
    "jit of grad": lambda j: j.jit(j.grad(lambda x: wave(j, x)))(1.0),
    "grad of jit": lambda j: j.grad(j.jit(lambda x: wave(j, x)))(1.0),
    "vjp": lambda j: j.vjp(lambda x: wave(j, x), 1.0)[1](1.0),
    "linearize in jit": lambda j: j.jit(lambda x: j.linearize(lambda y: wave(j, y) * x, x)[1](x))(1.0),
    "grad of scan": lambda j: j.grad(lambda a: j.lax.scan(lambda c, _: (wave(j, c) * a, c), a, None, length=3)[0])(1.0),
    "jit of vmap of grad": lambda j: j.jit(lambda x: j.vmap(j.grad(lambda y: y * y * x))(np.ones(3, "f")))(1.0),
    "hessian": lambda j: j.hessian(lambda x: wave(j, x).sum())(np.ones(2, np.float32)),
    "custom_vjp": lambda j: j.jit(j.grad(doubled(j)))(1.0),
    "grad of checkpoint": lambda j: j.grad(j.checkpoint(lambda x: wave(j, j.numpy.cos(x))))(1.0),
    "vmap of while": lambda j: j.vmap(lambda n: j.lax.while_loop(lambda c: c < n, lambda c: c + 1, 0.0))(
        np.arange(3.0, dtype="f")
    ),
    "grad of cond": lambda j: j.grad(lambda x: j.lax.cond(x > 0, lambda x: wave(j, x), lambda x: x, x))(1.0),
}


@pytest.fixture
def nothing_kept():
    KEPT.clear()
    yield
    KEPT.clear()
    vars(HOLDER).clear()


@pytest.mark.parametrize("name", LEAKS)
def test_leaks_are_found(name: str, nothing_kept: None):
    program, words = LEAKS[name]
    with minijax.checking_leaks(), pytest.raises(Exception, match="Leaked trace") as ours:
        program(minijax)
    assert type(ours.value) is Exception
    for word in words.split("|"):
        assert word in str(ours.value), str(ours.value)


@pytest.mark.full
@pytest.mark.parametrize("name", LEAKS)
def test_jax_finds_the_same_leaks(name: str, nothing_kept: None):
    with jax.checking_leaks(), pytest.raises(Exception, match="Leaked trace") as caught:
        LEAKS[name][0](jax)
    assert type(caught.value) is Exception


@pytest.mark.parametrize("name", NO_LEAKS)
def test_nothing_else_leaks(name: str):
    with minijax.checking_leaks():
        NO_LEAKS[name](minijax)


def test_earlier_leaks_do_not_count(nothing_kept: None):
    minijax.jit(keeps_argument)(1.0)
    with minijax.checking_leaks():
        minijax.jit(lambda x: x + 1)(2.0)
    minijax.config.update("jax_check_tracer_leaks", True)
    try:
        with pytest.raises(Exception, match="Leaked"):
            minijax.jit(lambda x: keeps_argument(x) + 1)(2.0)
    finally:
        minijax.config.update("jax_check_tracer_leaks", False)


# ----------------------------------------------------------------- logs

A, B = np.ones(3, np.float32), np.ones((2, 3), np.float32)


def wavy(x, y):
    return x * y + y


def called_twice(engine: Any) -> None:
    f = engine.jit(wavy)
    f(A, 2.0)
    f(A, 3.0)
    f(B, 3.0)


LOGGED: dict[str, Callable[[Any], Any]] = {
    "jit": lambda j: j.jit(wavy)(A, 2.0),
    "called again": called_twice,
    "nested": lambda j: j.jit(lambda x: j.jit(wavy)(x, x) * 2)(A),
    "jit of grad": lambda j: j.jit(j.grad(lambda x: wavy(x, x)))(1.0),
    "grad of jit": lambda j: j.grad(j.jit(lambda x: j.numpy.cos(x)))(np.float32(1)),
    "vmap of jit": lambda j: j.vmap(j.jit(lambda x: x + 1))(A),
    "lower": lambda j: j.jit(wavy).lower(A, 1).compile(),
    "static arguments": lambda j: j.jit(wavy, static_argnums=1)(A, 2),
}


def messages(engine: Any, flag: str, program: Callable, caplog: pytest.LogCaptureFixture) -> list[tuple]:
    """Logger, level and text of each record, apart from times and from how arguments lie on devices."""
    caplog.clear()
    with getattr(engine, flag)(True), caplog.at_level("WARNING"):
        program(engine)
    texts = [(r.name, r.levelname, r.getMessage().split(" Argument mapping")[0]) for r in caplog.records]
    return [(name, level, re.sub(r" in [\d.]+ sec", "", text)) for name, level, text in texts]


@pytest.mark.parametrize("name", LOGGED)
def test_log_compiles(name: str, caplog: pytest.LogCaptureFixture):
    ours, theirs = (messages(j, "log_compiles", LOGGED[name], caplog) for j in (minijax, jax))
    assert [m for m in ours if "of jit(" not in m[2]] == [
        m for m in theirs if "of jit(" not in m[2] and "MLIR" not in m[2] and "convert_element" not in m[2]
    ]
    compiled = [text for _, _, text in ours if text.startswith("Compiling")]
    assert len(compiled) == sum("Finished compilation of jit(" in text for _, _, text in ours) > 0


def miss_again(engine: Any) -> None:
    def steep(x, y):
        return x * y

    f = engine.jit(steep, static_argnames="y")
    f(A, y=2)
    f(A, y=3)
    f(B, y=3)
    f(A, y=3)
    f(x=A, y=3)


def test_explain_cache_misses(caplog: pytest.LogCaptureFixture):
    ours, theirs = (messages(j, "explain_cache_misses", miss_again, caplog) for j in (minijax, jax))
    assert [(name, level, text.split(":")[0]) for name, level, text in ours] == [
        (name, level, text.split(":")[0]) for name, level, text in theirs
    ]
    texts = [text for _, _, text in ours]
    assert len(texts) == 4 and all(f"{__file__}" in text and "steep" in text for text in texts)
    assert "now y=3, before y=2" in texts[1]
    assert "now f32[2,3], before f32[3]" in texts[2]
    assert "structure of (args, kwargs)" in texts[3]


def test_nothing_is_logged_otherwise(caplog: pytest.LogCaptureFixture):
    with caplog.at_level("DEBUG"):
        minijax.jit(lambda x: x + 1)(A)
    assert not caplog.records
