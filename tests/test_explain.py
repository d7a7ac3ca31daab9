"""Drawings of jaxprs: of both engines alike, whole, and in words that Graphviz understands."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from typing import Any

import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

import minijax
from minijax.explain import Dot, to_dot

ENGINES = pytest.mark.parametrize("engine", [minijax, jax], ids=["minijax", "jax"])


def polynomial(engine: Any, steps: list[tuple[str, int, int]]) -> Any:
    """A jaxpr of one equation for each step: an operation on two of the values so far."""

    def fun(x: Any, y: Any) -> Any:
        values = [x, y]
        for name, i, j in steps:
            values.append(getattr(engine.lax, name)(values[i % len(values)], values[j % len(values)]))
        return values[-1]

    return engine.make_jaxpr(fun)(1.0, 2.0)


def loops(engine: Any) -> Any:
    """A branch in a loop in a jitted function, and a constant array."""
    table = engine.numpy.arange(3.0) + 1

    @engine.jit
    def body(total: Any, x: Any) -> Any:
        return total * x, engine.lax.cond(total > 0, engine.lax.sin, engine.lax.cos, total)

    return engine.make_jaxpr(lambda x: engine.lax.scan(body, x, table))(1.0)


def nodes(dot: str) -> list[str]:
    """The labels of the nodes."""
    return re.findall(r'^ *n\d+ \[label="((?:[^"\\]|\\.)*)"', dot, re.M)


@given(st.lists(st.tuples(st.sampled_from(["add", "mul", "sub"]), st.integers(0, 9), st.integers(0, 9)), max_size=8))
def test_a_box_for_each_equation_and_an_arrow_for_each_operand(steps):
    jaxpr = polynomial(minijax, steps)
    dot = to_dot(jaxpr)
    assert dot == to_dot(polynomial(jax, steps))
    assert len(nodes(dot)) == len(jaxpr.jaxpr.invars) + len(steps) + 1  # one more for the result
    assert Counter(label.split()[0] for label in nodes(dot)[2:-1]) == Counter(name for name, _, _ in steps)
    assert dot.count("->") == 2 * len(steps) + 1


@ENGINES
def test_letters_and_types_are_those_of_the_printed_text(engine):
    jaxpr = engine.make_jaxpr(engine.grad(lambda x: engine.numpy.sum(x * engine.numpy.sin(x))))(engine.numpy.ones(3))
    dot = to_dot(jaxpr)
    for binder, name in re.findall(r"(\w+:f32\[3?\]) = (\w+)", str(jaxpr)):
        assert any(label.startswith(name) and label.endswith(rf"\n{binder}") for label in nodes(dot)), (binder, name)
    assert "result: " in nodes(dot)[-1]
    assert "dashed" in dot  # the product itself, which its gradient has no use for


@ENGINES
def test_inner_jaxprs_are_frames_with_their_equations(engine):
    dot = to_dot(loops(engine))
    frames = re.findall(r'subgraph cluster\d+ \{\s*label="([^"]*)"', dot)
    assert [title.split()[0] for title in frames] == ["scan", "jit", "cond", "cond"]
    for name in ("sin", "cos", "mul", "gt"):
        assert len([label for label in nodes(dot) if label.startswith(f"{name} ")]) == 1
    assert len(re.findall(r"lhead=cluster\d+, style=dashed", dot)) == 4


@ENGINES
def test_a_function_called_twice_is_drawn_once(engine):
    inner = engine.jit(lambda x: engine.lax.sin(x))
    dot = to_dot(engine.make_jaxpr(lambda x: inner(inner(x)))(1.0))
    assert dot.count("subgraph") == 1
    assert dot.count("lhead=cluster0") == 2


@ENGINES
def test_programs_without_arguments_equations_or_results(engine):
    assert nodes(to_dot(engine.make_jaxpr(lambda: 3.0)())) == ["result: 3.0"]
    assert nodes(to_dot(engine.make_jaxpr(lambda x: ())(1))) == ["a:i32[]", "result: nothing"]


def test_a_recorded_linear_program_can_be_drawn():
    linear = minijax.linearize(lambda x: minijax.numpy.sin(x) * minijax.numpy.ones(2), minijax.numpy.ones(2))[1]
    assert "f32[2]" in to_dot(linear.jaxpr)


def test_what_is_no_jaxpr_is_refused_with_the_remedy():
    with pytest.raises(TypeError, match=r"to_dot\(jax.make_jaxpr\(f\)\(x\)\)"):
        to_dot(minijax.numpy.sin)


@ENGINES
@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_draws_it(engine):
    for jaxpr in (loops(engine), polynomial(engine, [("mul", 0, 0)]), engine.make_jaxpr(lambda: 3.0)()):
        svg = to_dot(jaxpr)._repr_svg_()
        assert svg.rstrip().endswith("</svg>")
        assert svg.count('class="node"') == len(nodes(to_dot(jaxpr)))


def shown(dot: Dot) -> dict[str, str]:
    """What a notebook gets to show."""
    formats, _ = DisplayFormatter().format(dot)
    return formats


def test_a_notebook_shows_a_picture_with_graphviz_and_the_program_without(monkeypatch):
    jaxpr = minijax.make_jaxpr(minijax.lax.sin)(1.0)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert shown(to_dot(jaxpr)) == {"text/plain": str(jaxpr)}

    done = subprocess.CompletedProcess([], 0, stdout="<svg/>")
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(
        subprocess, "run", lambda command, input, **options: done if input.startswith("digraph") else None
    )
    assert shown(to_dot(jaxpr)) == {"text/plain": str(jaxpr), "image/svg+xml": "<svg/>"}


def test_a_graph_that_takes_too_long_to_lay_out_is_shown_as_text(monkeypatch):
    def run(command: list[str], timeout: float, **options: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", run)
    assert "image/svg+xml" not in shown(to_dot(minijax.make_jaxpr(minijax.lax.sin)(1.0)))
