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
