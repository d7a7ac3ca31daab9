"""From a jaxpr to the text of a Python function over NumPy, and what its names stand for.

One variable of the jaxpr is one variable of the text, in JAX's letters. Three things make it quicker than calling
the primitives one by one: results go into buffers that nobody needs any more, what is repeated along an axis is kept
once and left to NumPy's broadcasting, and large elementwise groups run block by block.
"""

from __future__ import annotations

import collections
import functools
import keyword
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax.compiler.blocks import Loop
from minijax.compiler.grouping import elementwise_p
from minijax.compiler.kernels import Step, is_native, may_overwrite, statements, steps_of
from minijax.compiler.memory import Memory, Value
from minijax.compiler.rewriting import literal_value
from minijax.core import as_array
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn, Jaxpr, Literal, Var, last_uses
from minijax.jaxpr_text import letters
from minijax.primitives.dot import dot_general_p

__all__ = ["Program", "emit"]

# Elements from which it pays to write into a used buffer rather than into a new one.
LARGE = 1 << 10
# Primitives whose results are arrays of their own: no views of operands, nor of one row that stands for many, as that
# of iota is. (Those with kernels are such too.)
FRESH = frozenset(
    {"argmax", "argmin", "conv_general_dilated", "cumsum", "dot_general", "gather", "reduce_and", "reduce_max"}
    | {"reduce_min", "reduce_or", "reduce_prod", "reduce_sum", "scatter", "scatter-add"}
)


class Program(NamedTuple):
    """The text of a function, and the names in it that are not Python's."""

    text: str
    names: dict[str, Any]


def emit(closed: ClosedJaxpr, name: str = "program") -> Program:
    """The program as a function of as many arrays as it has arguments, which returns a tuple of arrays."""
    return _Emitter(closed).function(name)


class _Emitter:
    def __init__(self, closed: ClosedJaxpr):
        self.closed = closed
        self.jaxpr: Jaxpr = closed.jaxpr
        self.names: dict[str, Any] = {"np": np}
        self.lines: list[str] = []
        # The kinds of results that each equation can write into a used buffer.
        self.writes = [_written_kinds(eqn) for eqn in self.jaxpr.eqns]
        self.memory = Memory(collections.Counter(kind for kinds in self.writes for kind in kinds))
        self.values = self.memory.values
        self._count = 0
        self._counts: collections.Counter[str] = collections.Counter()

    # ------------------------------------------------------------- names and constants

    def fresh_name(self) -> str:
        text = letters(self._count)
        self._count += 1
        return f"{text}_" if keyword.iskeyword(text) or text == "np" else text

    def constant(self, value: Any, prefix: str) -> str:
        """A name for a value that the text cannot spell."""
        name = f"{prefix}_{self._counts[prefix]}"
        self._counts[prefix] += 1
        self.names[name] = value
        return name

    def call(self, name: str, eqn: Eqn) -> str:
        """A name for the primitive's `impl` with the equation's parameters."""
        impl = eqn.primitive.rule("impl")
        return self.constant(functools.partial(impl, **eqn.params) if eqn.params else impl, name.replace("-", "_"))

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
        return self.constant(value, "number")

    def texts(self, eqn: Eqn, held: Mapping[Var, Any]) -> list[str]:
        """The operands of an elementwise equation, variables as they are held.

        A number alone does not tell NumPy its dtype: it gets a name, unless an array of this dtype is beside it.
        """
        texts = [held[v].text if type(v) is Var else self.number(v) for v in eqn.invars]
        known = {v.aval.dtype for v, text in zip(eqn.invars, texts, strict=True) if text.isidentifier()}
        return [
            text if text.isidentifier() or v.aval.dtype in known else self.typed(text, v.aval.dtype)
            for v, text in zip(eqn.invars, texts, strict=True)
        ]

    def typed(self, text: str, dtype: Any) -> str:
        """The name of a constant for the text of a number."""
        return self.constant(dtype.type(float(text) if dtype.kind == "f" else int(text)), "number")

    def whole(self, v: Atom) -> str:
        """An operand in its full shape, as an array."""
        if type(v) is not Var:
            return self.constant(literal_value(v), "number")
        value = self.values[v]
        if value.shape != v.aval.shape and not value.shape:
            return f"np.full({v.aval.shape}, {value.text}, np.{v.aval.dtype.name})"
        if value.shape != v.aval.shape:
            return f"np.broadcast_to({value.text}, {v.aval.shape})"
        if not value.shape and not value.text.isidentifier():
            return f"np.asarray({self.typed(value.text, v.aval.dtype)})"
        return value.text if value.shape else f"np.asarray({value.text})"

    # ------------------------------------------------------------- the function

    def function(self, name: str) -> Program:
        arguments = []
        for v in self.jaxpr.invars:
            arguments.append(self.fresh_name())
            self.memory.bind(v, Value(arguments[-1], v.aval.shape))
        for v, const in zip(self.jaxpr.constvars, self.closed.consts, strict=True):
            self.memory.bind(v, Value(self.constant(as_array(const)._data, "const"), v.aval.shape))
        for eqn, dead, kinds in zip(self.jaxpr.eqns, last_uses(self.jaxpr), self.writes, strict=True):
            self.memory.wanted.subtract(kinds)
            self.equation(eqn, dead)
            large = [v for v in dead if v in self.values and math.prod(self.values[v].shape) >= LARGE]
            names = [name for name in self.memory.release(large) if name not in self.names]
            if names:
                self.lines.append(f"del {', '.join(names)}")
        results = ", ".join(self.result(v) for v in self.jaxpr.outvars)
        self.lines.append(f"return ({results}{',' if len(self.jaxpr.outvars) == 1 else ''})")
        body = "\n".join(f"    {line}" for line in self.lines)
        return Program(f"def {name}({', '.join(arguments)}):\n{body}\n", self.names)

    def result(self, v: Atom) -> str:
        if type(v) is not Var or self.values[v].shape != v.aval.shape:
            return f"np.array({self.whole(v)})"
        return self.whole(v)

    def equation(self, eqn: Eqn, dead: Sequence[Var]) -> None:
        name = eqn.primitive.name
        if not all(is_native(v) for v in (*eqn.invars, *eqn.outvars)):
            return self.generic(eqn)
        if name in VIEWS:
            return VIEWS[name](self, eqn)
        if eqn.primitive is elementwise_p:
            loop = Loop(eqn, self.fresh_name, self.texts)
            self.lines += loop.lines(self.memory, [self.values[v] for v in eqn.invars])
            return None
        if _is_matrix_product(eqn):
            return self.matrix_product(eqn)
        steps = steps_of(eqn, self.texts(eqn, self.values))
        return self.generic(eqn) if steps is None else self.elementwise(eqn, steps, dead)

    # ------------------------------------------------------------- kinds of equations

    def generic(self, eqn: Eqn) -> None:
        """Call the primitive's `impl`."""
        fresh = eqn.primitive.name in FRESH
        operands = ", ".join(self.whole(v) for v in eqn.invars)
        if not fresh:
            for v in eqn.invars:
                self.memory.give_away(v)
        names = [self.fresh_name() for _ in eqn.outvars]
        several = "," if eqn.primitive.multiple_results and len(names) == 1 else ""
        left = f"{', '.join(names)}{several} = " if names else ""
        self.lines.append(f"{left}{self.call(eqn.primitive.name, eqn)}({operands})")
        for v, name in zip(eqn.outvars, names, strict=True):
            self.memory.bind(v, Value(name, v.aval.shape, v if fresh and v.aval.shape else None))

    def matrix_product(self, eqn: Eqn) -> None:
        """np.matmul of the operands or of transposed views, which BLAS reads as they are; the result is contiguous."""
        (x, y), (v,), ((xc, yc), _) = eqn.invars, eqn.outvars, eqn.params["dimension_numbers"]
        left = self.whole(x) + (".T" if tuple(xc) == (0,) else "")
        right = self.whole(y) + (".T" if tuple(yc) == (1,) else "")
        name = self.fresh_name()
        self.lines.append(f"{name} = np.matmul({left}, {right})")
        self.memory.bind(v, Value(name, v.aval.shape, v))

    def elementwise(self, eqn: Eqn, steps: list[Step], dead: Sequence[Var]) -> None:
        """NumPy calls, into a buffer that has become free where there is one."""
        (v,) = eqn.outvars
        shape = np.broadcast_shapes(*[self.narrow(x).shape for x in eqn.invars])
        name, out = self.fresh_name(), None
        if math.prod(shape) >= LARGE:
            dying = [x for x in dead if x in eqn.invars] if may_overwrite(steps) else []
            out = self.memory.claim(shape, v.aval.dtype, dying)
            name = out or name
        self.lines += statements(steps, name, out, scalar=not shape)
        self.memory.bind(v, Value(name, shape, v if shape else None))


def _is_matrix_product(eqn: Eqn) -> bool:
    """Whether it is a product of two matrices of floats, in their own dtype."""
    if eqn.primitive is not dot_general_p or any(v.aval.ndim != 2 for v in eqn.invars):
        return False
    contracted, batch = eqn.params["dimension_numbers"]
    kinds = {v.aval.dtype for v in (*eqn.invars, *eqn.outvars)}
    wide = len(kinds) == 1 and kinds.pop().name in ("float32", "float64")
    return wide and batch == ((), ()) and all(len(axes) == 1 for axes in contracted)


def _written_kinds(eqn: Eqn) -> list[tuple[Any, Any]]:
    """Shapes and dtypes of the results, if they are computed by NumPy functions that can write into a buffer."""
    if eqn.primitive is not elementwise_p and steps_of(eqn, ["x"] * len(eqn.invars)) is None:
        return []
    return [(v.aval.shape, v.aval.dtype) for v in eqn.outvars]


# ----------------------------------------------------------------- views


def _reshape(emitter: _Emitter, eqn: Eqn) -> None:
    (x,), (v,) = eqn.invars, eqn.outvars
    value = emitter.narrow(x)
    if not value.shape and math.prod(v.aval.shape) == x.aval.size and type(x) is Var and x.aval.shape:
        emitter.memory.bind(v, Value(value.text, (), value.owner))  # one number, repeated in another shape
        return
    name, order = emitter.fresh_name(), eqn.params["dimensions"]
    transposed = "" if order is None else f".transpose({order})"
    emitter.lines.append(f"{name} = {emitter.whole(x)}{transposed}.reshape({v.aval.shape})")
    emitter.memory.bind(v, Value(name, v.aval.shape, value.owner))


def _transpose(emitter: _Emitter, eqn: Eqn) -> None:
    (x,), (v,) = eqn.invars, eqn.outvars
    name = emitter.fresh_name()
    emitter.lines.append(f"{name} = {emitter.whole(x)}.transpose({eqn.params['permutation']})")
    emitter.memory.bind(v, Value(name, v.aval.shape, emitter.narrow(x).owner))


def _broadcast(emitter: _Emitter, eqn: Eqn) -> None:
    (x,), (v,) = eqn.invars, eqn.outvars
    value = emitter.narrow(x)
    places = eqn.params["broadcast_dimensions"]
    if not value.shape:
        emitter.memory.bind(v, Value(value.text, (), value.owner))
        return
    shape = [1] * len(v.aval.shape)
    for length, d in zip(value.shape, places, strict=True):
        shape[d] = length
    name = value.text
    if tuple(shape) != value.shape:
        name = emitter.fresh_name()
        emitter.lines.append(f"{name} = {value.text}.reshape({tuple(shape)})")
    emitter.memory.bind(v, Value(name, tuple(shape), value.owner))


VIEWS: dict[str, Callable[[_Emitter, Eqn], None]] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_in_dim": _broadcast,
}
