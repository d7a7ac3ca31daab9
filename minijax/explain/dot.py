"""Jaxprs as graphs, in Graphviz's language DOT: a box for each equation, an arrow for each operand.

It knows jaxprs by their fields only (`eqns`, `invars`, `primitive.name` ...), which are the same in JAX, so
it draws the programs of both. A jaxpr within an equation, as the body of a loop, is a frame of its own, to which
the equation's box points.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from minijax.jaxpr_text import letters

__all__ = ["Dot", "to_dot"]

_STYLE = """  compound=true; rankdir=TB; ranksep=0.3; nodesep=0.3;
  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", fillcolor=white, margin="0.12,0.06"];
  edge [fontname="Helvetica", fontsize=9, arrowsize=0.7];
  graph [fontname="Helvetica", fontsize=11, style="rounded,filled", color=gray60, fillcolor=gray96];"""
_ARGUMENT, _CONSTANT, _RESULT, _NEST = "lightblue", "gray85", "palegreen", "lightyellow"
_DEAD = 'style="rounded,dashed", fontcolor=gray45, color=gray45'  # nobody uses its results

# What the types of the results say already, and what concerns devices.
_SAID_ELSEWHERE = {"new_dtype", "preferred_element_type", "dtype", "weak_type", "sharding", "out_sharding", "name"}
_LONGEST_PARAMETER = 40
_SECONDS_FOR_LAYOUT = 20.0


class Dot(str):
    """DOT text of a program. A notebook shows it as a picture if Graphviz is there, else as the program's text."""

    __slots__ = ("program",)
    program: str
    """the jaxpr as it prints"""

    def _repr_svg_(self) -> str | None:
        """The picture, by Graphviz's `dot`; None where that is missing or the graph is too large for it."""
        dot = shutil.which("dot")
        if dot is None:
            return None
        try:
            done = subprocess.run(
                [dot, "-Tsvg"],
                input=self,
                capture_output=True,
                encoding="utf-8",
                check=True,
                timeout=_SECONDS_FOR_LAYOUT,
            )
        except subprocess.TimeoutExpired:
            return None
        return done.stdout

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.program)


def to_dot(jaxpr: Any) -> Dot:
    """The graph of a jaxpr of minijax or JAX, as `jax.make_jaxpr(f)(x)` gives it, in DOT.

    Variables have the letters of the printed jaxpr. Raises TypeError for what is no jaxpr.
    """
    if not hasattr(jaxpr, "eqns"):
        raise TypeError(
            f"to_dot draws a jaxpr, and got {type(jaxpr).__name__}. Stage the function first: "
            "to_dot(jax.make_jaxpr(f)(x))"
        )
    drawing = _Drawing()
    drawing.draw(_open(jaxpr), indent="  ")
    lines = ["digraph {", _STYLE, *drawing.lines, *drawing.pointers, "}"]
    dot = Dot("\n".join(lines) + "\n")
    dot.program = str(jaxpr)
    return dot


# ----------------------------------------------------------------- drawing


class _Drawing:
    """The lines of the graph so far, and what everything in it is called."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pointers: list[str] = []  # dashed arrows to frames, which have to be there first
        self.names: dict[Any, str] = {}  # variable -> its letter
        self.letters_used = 0
        self.nodes: dict[Any, str] = {}  # variable -> the node that computes it
        self.several: set[Any] = set()  # variables whose node computes others too: their arrows say which
        self.node_count = 0
        self.frames: dict[int, tuple[str, str]] = {}  # id of an inner jaxpr -> its cluster, and a node in it

    def draw(self, jaxpr: Any, indent: str) -> str:
        """Add the nodes and arrows of one jaxpr. Gives the node of its results."""
        used = {v for eqn in jaxpr.eqns for v in eqn.invars if not _is_literal(v)}
        used.update(v for v in jaxpr.outvars if not _is_literal(v))
        for v in jaxpr.constvars:
            self.nodes[v] = self.node(indent, [self.binder(v)], f"shape=ellipse, fillcolor={_CONSTANT}")
        for v in jaxpr.invars:
            self.nodes[v] = self.node(indent, [self.binder(v)], f"shape=ellipse, fillcolor={_ARGUMENT}")
        for eqn in jaxpr.eqns:
            self.equation(eqn, used, indent)
        results = ", ".join(self.operand(v) for v in jaxpr.outvars) or "nothing"
        node = self.node(indent, [f"result: {results}"], f"shape=ellipse, fillcolor={_RESULT}")
        self.arrows(jaxpr.outvars, node, indent)
        return node

    def equation(self, eqn: Any, used: set[Any], indent: str) -> None:
        """A box: the primitive with its operands, its parameters, the names and types of its results."""
        inner = list(_jaxprs_in(eqn.params.values()))
        operands = [self.operand(v) for v in eqn.invars]
        results = [self.binder(v, v in used) for v in eqn.outvars]
        if eqn.primitive.name in ("jit", "pjit"):
            self.share_names(inner, eqn)
        name = eqn.params.get("name")
        called = f"{eqn.primitive.name} {name}" if inner and isinstance(name, str) else eqn.primitive.name
        label = [" ".join([called, *operands]), *_parameters(eqn.params), *results]
        dead = not any(v in used for v in eqn.outvars)
        node = self.node(indent, label, f"fillcolor={_NEST}" if inner else _DEAD if dead else "")
        self.nodes.update((v, node) for v in eqn.outvars)
        if len(eqn.outvars) > 1:
            self.several.update(eqn.outvars)
        self.arrows(eqn.invars, node, indent)
        for body in inner:
            self.point_to_frame(node, body, called, indent)

    def point_to_frame(self, node: str, body: Any, title: str, indent: str) -> None:
        """A frame for an inner jaxpr, drawn once however many equations have it, and an arrow to it."""
        if id(body) not in self.frames:
            cluster = f"cluster{len(self.frames)}"
            self.frames[id(body)] = (cluster, "")
            self.lines += [f"{indent}subgraph {cluster} {{", f"{indent}  label={_quoted([title])};"]
            results = self.draw(body, indent + "  ")
            self.lines.append(f"{indent}}}")
            first = self.nodes[body.invars[0]] if body.invars else results
            self.frames[id(body)] = (cluster, first)
        cluster, inside = self.frames[id(body)]
        self.pointers.append(f"  {node} -> {inside} [lhead={cluster}, style=dashed, color=gray50];")

    def node(self, indent: str, label: Sequence[str], attributes: str = "") -> str:
        """Add a node; its identifier."""
        name = f"n{self.node_count}"
        self.node_count += 1
        more = f", {attributes}" if attributes else ""
        self.lines.append(f"{indent}{name} [label={_quoted(label)}{more}];")
        return name

    def arrows(self, atoms: Sequence[Any], node: str, indent: str) -> None:
        """An arrow to `node` from each variable among `atoms`."""
        for v in atoms:
            if not _is_literal(v):
                which = f" [label={_quoted([self.names[v]])}]" if v in self.several else ""
                self.lines.append(f"{indent}{self.nodes[v]} -> {node}{which};")

    def binder(self, v: Any, used: bool = True) -> str:
        """A variable with its type; `_` for what nobody uses."""
        if used and v not in self.names:
            self.names[v] = letters(self.letters_used)
            self.letters_used += 1
        return f"{self.names[v] if used else '_'}:{_type(v.aval)}"

    def operand(self, v: Any) -> str:
        """A variable's letter, a number, or the type of a constant array."""
        if not _is_literal(v):
            return self.names[v]
        return _number(v.val) or _type(v.aval) if not v.aval.shape else _type(v.aval)

    def share_names(self, inner: Sequence[Any], eqn: Any) -> None:
        """As in the printed text, the variables of a called jaxpr have the letters of what it is called with."""
        for body in inner:
            for own, outer in ((body.invars, eqn.invars), (body.outvars, eqn.outvars)):
                taken: set[str] = set()
                for v, like in zip(own, outer, strict=True):
                    if not _is_literal(v) and v not in self.names and self.names.get(like, "") not in taken | {""}:
                        self.names[v] = self.names[like]
                        taken.add(self.names[like])


# ----------------------------------------------------------------- texts


def _open(jaxpr: Any) -> Any:
    """The jaxpr itself of one with constants."""
    return getattr(jaxpr, "jaxpr", jaxpr)


def _jaxprs_in(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _jaxprs_in(value)
        elif hasattr(value, "eqns"):
            yield _open(value)


def _is_literal(v: Any) -> bool:
    return hasattr(v, "val")


def _type(aval: Any) -> str:
    """Dtype and shape in short, as `f32[3,4]`."""
    if not hasattr(aval, "shape") or not hasattr(aval, "dtype"):
        return str(aval)
    name = aval.dtype.name
    for long, short in (("bfloat", "bf"), ("float", "f"), ("complex", "c"), ("uint", "u"), ("int", "i")):
        if name.startswith(long) and name != "float0":
            name = short + name.removeprefix(long)
            break
    return f"{name}[{','.join(map(str, aval.shape))}]"


def _number(value: Any) -> str | None:
    """The text of a number, if it is one; JAX has subclasses of Python's, which print with their dtype."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    for kind in (bool, int, float, complex):
        if isinstance(value, kind):
            return repr(kind(value))
    return None


def _parameters(params: dict[str, Any]) -> list[str]:
    """A line for each parameter that says something in few words: numbers, words and tuples of them."""
    counts = not any(_jaxprs_in(params.values()))  # of consts and carries, where there are jaxprs
    lines = []
    for key, value in sorted(params.items()):
        says = _is_plain(value) and key not in _SAID_ELSEWHERE and "shape" not in key and (value != 0 or counts)
        if says and len(str(value)) <= _LONGEST_PARAMETER:
            lines.append(f"{key}={value}")
    return lines


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(x == () or _is_plain(x) for x in value)
    return isinstance(value, str | int | float) and value is not False


def _quoted(lines: Sequence[str]) -> str:
    """Lines of text as a string of DOT."""
    return '"' + r"\n".join(line.replace("\\", r"\\").replace('"', r"\"") for line in lines) + '"'
