"""Tools to look into programs: breakpoints, logs, names of places, programs without jit; as JAX's."""

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

V3 = np.arange(3, dtype=np.float32)

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


MORE = [pytest.param(options, marks=pytest.mark.full) for options in ({"ordered": True}, {"backend": "cli"})]


@pytest.mark.parametrize("options", [{}, *MORE], ids=str)
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


# ----------------------------------------------------------------- names of places


def scoped(engine: Any) -> Callable:
    """A function of three scopes."""

    @engine.named_scope("outer")
    def f(x):
        with engine.named_scope("inner"), engine.named_scope("innermost"):
            y = engine.numpy.sin(x)
        return y * 2

    return f


def branching(engine: Any) -> Callable:
    def f(x):
        with engine.named_scope("choice"):
            return engine.lax.cond(x > 0, engine.named_scope("yes")(lambda x: x * 2), lambda x: x, x)

    return f


SCOPES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "plain": (scoped, 1.0),
    "grad": (lambda j: j.grad(scoped(j)), 1.0),
    "vmap": (lambda j: j.vmap(scoped(j)), V3),
    "jvp": (lambda j: lambda x: j.jvp(scoped(j), (x,), (x,)), 1.0),
    "vmap of grad": (lambda j: j.vmap(j.grad(scoped(j))), V3),
    "jit": (lambda j: j.jit(scoped(j)), 1.0),
    "vjp": (lambda j: lambda x: j.vjp(scoped(j), x)[1](x), 1.0),
    "linear_transpose": (lambda j: j.linear_transpose(lambda x: x * 2.0, 1.0), 1.0),
    "scan": (lambda j: lambda x: j.lax.scan(lambda c, _: (scoped(j)(c), None), x, None, length=2)[0], 1.0),
    "checkpoint": (lambda j: j.checkpoint(scoped(j)), 1.0),
    "cond": (branching, 1.0),
    "grad of cond": (lambda j: j.grad(branching(j)), 1.0),
    "named_call": (lambda j: j.named_call(lambda x: x * 2.0, name="called"), 1.0),
    "around a jaxpr": (lambda j: j.named_scope("around")(lambda x: j.jit(scoped(j))(x) * 3), 1.0),
    "within a transformation": (
        lambda j: lambda x: j.named_scope("around")(lambda y: j.grad(lambda z: j.numpy.sin(z) * y)(y))(x),
        1.0,
    ),
}


@pytest.mark.parametrize("name", SCOPES)
def test_names_stand_beside_equations(name: str):
    make, x = SCOPES[name]
    ours, theirs = (j.make_jaxpr(make(j))(x).pretty_print(name_stack=True) for j in (minijax, jax))
    assert ours == theirs
    assert "# [" in ours


def test_name_stack_of_an_equation():
    eqns = minijax.make_jaxpr(scoped(minijax))(1.0).eqns
    assert [eqn.source_info.name_stack for eqn in eqns] == ["outer/inner/innermost", "outer"]
    with minijax.named_scope("not part of it"):
        (eqn,) = minijax.make_jaxpr(lambda x: x + 1)(1.0).eqns
    assert eqn.source_info.name_stack == ""


def test_lines_stand_beside_equations():
    text = minijax.make_jaxpr(minijax.grad(scoped(minijax)))(1.0).pretty_print(source_info=True, width=200)
    lines = [line for line in text.split("\n") if "#" in line]
    assert len(lines) == 5 and all(line.endswith("(f)") and __file__ in line for line in lines)
    assert len({line.index("#") for line in lines}) == 1


def test_a_scope_ends():
    scope = minijax.named_scope("again")
    with pytest.raises(ZeroDivisionError), scope, scope:
        1 / 0  # noqa: B018
    assert minijax.source_info.names_here() == ()


# ----------------------------------------------------------------- without jit, and evaluation while tracing


def looked_at(x: Any) -> str:
    """A value as text: what kind of thing the function was given."""
    return f"{type(x).__name__} {x} {getattr(x, 'dtype', None)} {getattr(x, 'weak_type', None)}"


def deciding(x: Any) -> Any:
    """Needs to know the value."""
    return x * x if x > 0 else x - 1


WITHOUT_JIT: dict[str, Callable[[Any, Callable], Any]] = {
    "jit": lambda j, see: j.jit(lambda x: see(x) or deciding(x))(2.0),
    "jit of an array": lambda j, see: j.jit(lambda x: see(x) or x.sum())(V3),
    "jit of an object": lambda j, see: j.jit(lambda x: see(x) or 1.0)("word"),
    "static": lambda j, see: j.jit(lambda x, n: see(n) or x * n, static_argnums=1)(1.0, 3),
    "scan": lambda j, see: j.lax.scan(lambda c, x: see(c) or see(x) or (deciding(c), x), 0.0, V3),
    "scan without arrays": lambda j, see: j.lax.scan(lambda c, x: see(c) or see(x) or (c + 1, None), 0.0, None, 2),
    "scan in reverse": lambda j, see: j.lax.scan(lambda c, x: see(x) or (c + x, c), 0.0, V3, reverse=True),
    "scan of nothing": lambda j, see: j.lax.scan(lambda c, x: (c + x, c), 0.0, V3[:0]),
    "scan of trees": lambda j, see: j.lax.scan(lambda c, x: ({"a": c["a"] + x}, (c["a"], None)), {"a": 0.0}, V3),
    "while": lambda j, see: j.lax.while_loop(lambda c: see(c) or c < 3, lambda c: c + 1 if c < 9 else c, 0),
    "fori": lambda j, see: j.lax.fori_loop(0, 3, lambda i, c: see(i) or see(c) or c + i, 0),
    "cond": lambda j, see: j.lax.cond(True, lambda x: see(x) or x + 1, lambda x: 1 / 0, 1.0),
    "cond of an array": lambda j, see: j.lax.cond(j.numpy.array(False), lambda x: 1 / 0, lambda x: x, V3),
    "switch": lambda j, see: j.lax.switch(1, [lambda x: 1 / 0, lambda x: see(x) or x], 2.0),
    "map": lambda j, see: j.lax.map(lambda x: see(x) or deciding(x), V3),
    "associative_scan": lambda j, see: j.lax.associative_scan(lambda a, b: a + b, V3),
    "checkpoint": lambda j, see: j.checkpoint(deciding)(1.0),
    "grad": lambda j, see: j.grad(j.jit(deciding))(2.0),
    "grad of scan": lambda j, see: j.grad(
        lambda x: j.lax.scan(lambda c, _: (c * x if c > 0 else c, None), 1.0, None, length=3)[0]
    )(2.0),
    "grad of while": lambda j, see: j.grad(lambda x: j.lax.while_loop(lambda c: c < 5, lambda c: c * x, x))(2.0),
    "vmap of cond": lambda j, see: j.vmap(lambda x: j.lax.cond(x > 0, lambda x: x * x, lambda x: x - 1, x))(V3),
    "vmap of while": lambda j, see: j.vmap(lambda n: j.lax.while_loop(lambda c: c < n, lambda c: c + 1, 0.0))(V3),
    "make_jaxpr": lambda j, see: see(str(j.make_jaxpr(j.jit(lambda x: x + 1))(1.0))),
    "make_jaxpr of scan": lambda j, see: see(
        str(j.make_jaxpr(lambda x: j.lax.scan(lambda c, _: (c + 1, None), x, None, length=2)[0])(1.0))
    ),
}


def results(engine: Any, program: Callable) -> tuple[str, list[str], list[Any]]:
    """The exception's class or "fine", what the functions saw, and the leaves of the result."""
    seen: list[str] = []
    try:
        with engine.disable_jit():
            leaves = engine.tree_util.tree_leaves(program(engine, lambda x: seen.append(looked_at(x))))
    except Exception as error:
        return type(error).__name__, [], []
    return "fine", seen, [(np.asarray(x).tolist(), getattr(x, "weak_type", None)) for x in leaves]


SLOW = {"associative_scan", "vmap of while", "scan in reverse", "scan of nothing", "grad", "cond of an array", "map"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full if name in SLOW else ()) for name in WITHOUT_JIT]
)
def test_disable_jit(name: str):
    assert results(minijax, WITHOUT_JIT[name]) == results(jax, WITHOUT_JIT[name])


def at_compile_time(j: Any, x: Any) -> Any:
    with j.ensure_compile_time_eval():
        y = j.numpy.sqrt(j.numpy.ones(4)).sum()
        return x * (y * 2 if y > 1 else y)


def nested_at_compile_time(j: Any, x: Any) -> Any:
    with j.ensure_compile_time_eval():
        y = j.jit(lambda a: a * 2)(3.0)
        g = j.grad(lambda a: a**2)(3.0)
        s = j.lax.scan(lambda c, _: (c + 1, None), 0.0, None, length=2)[0]
        return x * float(y) * float(g) * float(s)


@pytest.mark.parametrize("fun", [at_compile_time, pytest.param(nested_at_compile_time, marks=pytest.mark.full)])
def test_evaluation_while_tracing(fun: Callable):
    for transformed in (lambda j, f: j.jit(f)(1.0), lambda j, f: j.grad(f)(1.0), lambda j, f: j.vmap(f)(V3)):
        ours, theirs = (transformed(j, lambda x, j=j: fun(j, x)) for j in (minijax, jax))
        np.testing.assert_array_equal(ours, theirs)
    texts = [str(j.make_jaxpr(lambda x, j=j: fun(j, x))(1.0)) for j in (minijax, jax)]
    assert texts[0] == texts[1]
