"""From a jaxpr to the text of a Python function over NumPy, and what its names stand for.

Variables of the jaxpr are variables of the text, in the letters that it prints. Three things make it quicker than
calling the primitives one by one: results go into buffers that nobody needs any more, what is repeated along an axis
is kept once and left to NumPy's broadcasting, and large elementwise groups run block by block.
"""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax.compiler.aliasing import escaping, is_fresh
from minijax.compiler.blocks import Loop
from minijax.compiler.control import CONTROL
from minijax.compiler.grouping import elementwise_p
from minijax.compiler.kernels import Step, is_native, may_overwrite, statements, steps_of
from minijax.compiler.memory import Memory, Value
from minijax.compiler.movement import MOVEMENT
from minijax.compiler.names import Lines, Names
from minijax.compiler.products import PRODUCTS
from minijax.compiler.reducing import REDUCING
from minijax.compiler.rewriting import literal_value
from minijax.compiler.scratch import scratch_bytes
from minijax.compiler.workspaces import Plan
from minijax.core import as_array
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn, Jaxpr, Literal, Var, last_uses

__all__ = ["Emitter", "Program", "emit"]

# Elements from which it pays to write into a used buffer rather than into a new one.
LARGE = 1 << 10
# How primitives are written that are more than one NumPy function of each element: write(emitter, equation, dead)
# says whether it could. Where it could not, their `impl` is called.
WRITERS: dict[str, Callable[[Any, Eqn, Sequence[Var]], bool]] = {**MOVEMENT, **PRODUCTS, **REDUCING}


class Program(NamedTuple):
    """The text of a function, the names in it that are not Python's, and the plan of the memory that it works in.

    `sources` has the places in the user's program that the comments of the text stand for.
    """

    text: str
    names: dict[str, Any]
    plan: Plan
    sources: dict[str, Any]


def emit(closed: ClosedJaxpr, name: str = "program", donated: Sequence[int] = ()) -> Program:
    """The program as a function of its workspaces and of as many arrays as it has arguments; it returns a tuple.

    It may write into the arguments whose numbers are `donated`; they have to be in C's order.
    """
    names, plan = Names(), Plan()
    given_up = {closed.jaxpr.invars[i] for i in donated}
    emitter = Emitter(closed, names, plan, escaping(closed.jaxpr, closed.jaxpr.outvars, given_up))
    arguments = [names.of(v) for v in closed.jaxpr.invars]
    for i, (v, argument) in enumerate(zip(closed.jaxpr.invars, arguments, strict=True)):
        if i in donated:
            emitter.memory.own(v, argument, v.aval.shape, ordered=True)
        else:
            emitter.memory.given(v, Value(argument, v.aval.shape))
    emitter.run()
    results = _results(emitter, closed.jaxpr, donated)
    emitter.line(f"return ({', '.join(results)}{',' if len(results) == 1 else ''})")
    lines = [f"({', '.join(plan.spaces.values())},) = spaces", *emitter.lines] if plan.spaces else emitter.lines
    body = "\n".join(f"    {line}" for line in lines)
    return Program(f"def {name}(spaces, {', '.join(arguments)}):\n{body}\n", names.table, plan, names.sources)


def _results(emitter: Emitter, jaxpr: Jaxpr, donated: Sequence[int]) -> list[str]:
    """All results, no two of which are one array, nor one that was given: each can be donated by itself."""
    own = {v for eqn in jaxpr.eqns for v in eqn.outvars} | {jaxpr.invars[i] for i in donated}
    texts = []
    for v in jaxpr.outvars:
        text = emitter.result(v)
        texts.append(text if type(v) is not Var or v in own else f"{text}.view()")
        own.discard(v)
    return texts


class Emitter:
    """Writes the equations of one program into `lines`: those of a function, or of the body of a loop or a branch.

    `targets` has places that wait for results of this program; those in `placed` have been computed right there.
    """

    def __init__(self, closed: ClosedJaxpr, names: Names, plan: Plan, escaping: set[Var], depth: int = 0):
        self.jaxpr: Jaxpr = closed.jaxpr
        self.names = names
        self.plan = plan
        self.depth = depth
        self.lines = Lines()
        self.targets: dict[Var, str] = {}
        self.placed: set[Var] = set()
        # In the body of a loop: what is the same in each turn, and lines to write before the loop.
        self.unchanging: set[Var] = set()
        self.preamble: list[str] = []
        # The kinds of results that each equation can write into a used buffer.
        self.writes = [_written_kinds(eqn) for eqn in self.jaxpr.eqns]
        wanted = collections.Counter(kind for kinds in self.writes for kind in kinds)
        self.memory = Memory(plan, escaping, wanted)
        self.values = self.memory.values
        for v, const in zip(self.jaxpr.constvars, closed.consts, strict=True):
            name = names.of(v)
            names.table[name] = as_array(const)._data
            self.memory.given(v, Value(name, v.aval.shape))

    def inner(self, closed: ClosedJaxpr, kept: Sequence[Atom]) -> Emitter:
        """What writes a program within this one, whose results `kept` are looked at after it."""
        return Emitter(closed, self.names, self.plan, escaping(closed.jaxpr, kept), self.depth + 1)

    # ------------------------------------------------------------- operands

    def narrow(self, v: Atom) -> Value:
        """An operand as it is held."""
        if type(v) is Var:
            return self.values[v]
        return Value(self.number(v), ())

    def number(self, v: Literal) -> str:
        """The text of a literal: the number itself where NumPy takes it for one of the right dtype."""
        value = literal_value(v)[()]
        if value.dtype.kind == "f" and value.dtype.itemsize >= 4 and math.isfinite(value):
            text = repr(value.item()) if value.dtype.itemsize == 8 else str(value)
            return text if value.dtype.type(float(text)) == value else repr(float(value))
        if value.dtype.kind in "iu" and value.dtype.itemsize >= 4:
            return str(value.item())
        return self.names.constant(value, "number")

    def texts(self, eqn: Eqn, held: Mapping[Var, Any]) -> list[str]:
        """The operands of an elementwise equation, variables as they are held.

        A number alone does not tell NumPy its dtype: it gets a name, unless an array of this dtype is beside it.
        """
        texts = [held[v].text if type(v) is Var else self.number(v) for v in eqn.invars]
        known = {v.aval.dtype for v, text in zip(eqn.invars, texts, strict=True) if _is_name(text)}
        return [
            text if _is_name(text) or v.aval.dtype in known else self.typed(text, v.aval.dtype)
            for v, text in zip(eqn.invars, texts, strict=True)
        ]

    def typed(self, text: str, dtype: Any) -> str:
        """The name of a constant for the text of a number."""
        return self.names.constant(dtype.type(float(text) if dtype.kind == "f" else int(text)), "number")

    def whole(self, v: Atom) -> str:
        """An operand in its full shape, as an array."""
        if type(v) is not Var:
            return self.names.constant(literal_value(v), "number")
        value = self.values[v]
        if value.shape != v.aval.shape and not value.shape:
            return f"np.full({v.aval.shape}, {value.text}, np.{v.aval.dtype.name})"
        if value.shape != v.aval.shape:
            return f"np.broadcast_to({value.text}, {v.aval.shape})"
        if not value.shape and not _is_name(value.text):
            return f"np.asarray({self.typed(value.text, v.aval.dtype)})"
        return value.text if value.shape else f"np.asarray({value.text})"

    def result(self, v: Atom) -> str:
        """A result of the whole function: an array of its own, or one that was given."""
        if type(v) is not Var or self.values[v].shape != v.aval.shape:
            return f"np.array({self.whole(v)})"
        return self.whole(v)

    # ------------------------------------------------------------- equations

    def run(self) -> None:
        """Write all equations, and let go of what nobody needs any more."""
        for eqn, dead, kinds in zip(self.jaxpr.eqns, last_uses(self.jaxpr), self.writes, strict=True):
            self.memory.wanted.subtract(kinds)
            if eqn.primitive is not elementwise_p:
                self.names.comment(self.lines, eqn.source)
            for v in eqn.outvars:
                self.names.of(v)  # now, as they come in this order where the jaxpr is printed
            self.equation(eqn, dead)
            large = [v for v in dead if v in self.values and math.prod(self.values[v].shape) >= LARGE]
            names = self.memory.release(large)
            if names:
                self.line(f"del {', '.join(names)}")

    def line(self, text: str) -> None:
        """Write one line."""
        self.lines.append(text)

    def equation(self, eqn: Eqn, dead: Sequence[Var]) -> None:
        """Write one equation."""
        if eqn.primitive.name in CONTROL and CONTROL[eqn.primitive.name](self, eqn, dead):
            return
        if not all(is_native(v) for v in (*eqn.invars, *eqn.outvars)):
            return self.generic(eqn)
        if eqn.primitive is elementwise_p:
            return self.loop(eqn, dead)
        writer = WRITERS.get(eqn.primitive.name)
        if writer is not None:
            return None if writer(self, eqn, dead) else self.generic(eqn)
        steps = steps_of(eqn, self.texts(eqn, self.values))
        return self.generic(eqn) if steps is None else self.elementwise(eqn, steps, dead)

    def view(self, v: Var, text: str, shape: tuple[int, ...], of: Value) -> None:
        """`v` looks at what `of` looks at, by this expression."""
        name = self.names.of(v)
        self.line(f"{name} = {text}")
        self.memory.bind(v, Value(name, shape, of.buffer))

    def own(self, v: Var, text: str, ordered: bool = False) -> None:
        """`v` is the array that this expression makes, with its elements in the order of C if `ordered`."""
        name = self.names.of(v)
        self.line(f"{name} = {text}")
        self.memory.own(v, name, v.aval.shape, ordered)

    def into(self, v: Var, text: str) -> None:
        """`v` is what this call of NumPy makes, in the order of C; it takes an `out`."""
        target, space = self.targets.get(v), None
        if target is None:
            space = self.memory.space(v, v.aval.shape)
            if space is None:
                return self.own(v, text, ordered=True)
        name = self.names.of(v)
        self.line(f"{name} = {text[:-1]}, out={target or space[0]})")
        return self.place(v) if target else self.memory.own(v, name, v.aval.shape, ordered=True, slab=space[1])

    def place(self, v: Var) -> None:
        """`v` is in the place that waited for it, where nobody may write any more."""
        self.placed.add(v)
        self.memory.bind(v, Value(self.names.of(v), v.aval.shape))

    def generic(self, eqn: Eqn) -> None:
        """Call the primitive's `impl`."""
        fresh = is_fresh(eqn)
        operands = ", ".join(self.whole(v) for v in eqn.invars)
        if not fresh:
            for v in eqn.invars:
                self.memory.give_away(v)
        names = [self.names.of(v) for v in eqn.outvars]
        several = "," if eqn.primitive.multiple_results and len(names) == 1 else ""
        left = f"{', '.join(names)}{several} = " if names else ""
        self.plan.pass_by(scratch_bytes(eqn) + sum(_result_bytes(v) for v in eqn.outvars))
        impl = eqn.primitive.rule("impl")
        call = functools.partial(impl, **eqn.params) if eqn.params else impl
        self.line(f"{left}{self.names.constant(call, eqn.primitive.name.replace('-', '_'))}({operands})")
        for v, name in zip(eqn.outvars, names, strict=True):
            if fresh:
                self.memory.own(v, name, v.aval.shape)
            else:
                self.memory.bind(v, Value(name, v.aval.shape))

    def elementwise(self, eqn: Eqn, steps: list[Step], dead: Sequence[Var]) -> None:
        """NumPy calls, into the place that waits for the result or a buffer that has become free, if there is one."""
        (v,) = eqn.outvars
        shape = np.broadcast_shapes(*[self.narrow(x).shape for x in eqn.invars])
        name = self.names.of(v)
        target = self.targets.get(v) if shape == v.aval.shape else None
        if target is not None:
            self.lines += statements(steps, name, target, scalar=not shape)
            return self.place(v)
        out, ordered, slab = None, False, None
        if math.prod(shape) >= LARGE:
            dying = [x for x in dead if x in eqn.invars] if may_overwrite(steps) else []
            out, ordered, slab = self.room(v, shape, dying)
        self.lines += statements(steps, name, out, scalar=not shape)
        return self.memory.own(v, name, shape, ordered, slab)

    def room(
        self, v: Var, shape: tuple[int, ...], dying: Sequence[Var], ordered: bool = False
    ) -> tuple[str | None, bool, int | None]:
        """An array for a result: that of a variable that dies, or in a slab; whether it is in C's order; its slab."""
        used = self.memory.claim(v, shape, dying, ordered)
        if used is not None:
            return used.text, used.ordered, used.slab
        space = self.memory.space(v, shape)
        return (None, False, None) if space is None else (space[0], True, space[1])

    def loop(self, eqn: Eqn, dead: Sequence[Var]) -> None:
        """A group of elementwise equations, block by block."""
        self.lines += Loop(self, eqn, dead).lines()


def _result_bytes(v: Var) -> int:
    return v.aval.size * v.aval.dtype.itemsize if is_native(v) else 0


def _is_name(text: str) -> bool:
    return text.isidentifier()


def _written_kinds(eqn: Eqn) -> list[tuple[Any, Any]]:
    """Shapes and dtypes of the results, if they are computed by NumPy functions that can write into a buffer."""
    if eqn.primitive is not elementwise_p and steps_of(eqn, ["x"] * len(eqn.invars)) is None:
        return []
    return [(v.aval.shape, v.aval.dtype) for v in eqn.outvars]
