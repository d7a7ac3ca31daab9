"""The memory plan: whose buffer a variable is held in, and which buffers are free to be written to.

Written to are only buffers that the program itself has made and that no variable alive looks at: never arguments
(unless they were donated), constants or results, and nothing that a called function might have kept.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from minijax.compiler.workspaces import LARGE, Plan
from minijax.jaxpr import Atom, Var

__all__ = ["Buffer", "Memory", "Value"]

Shape = tuple[int, ...]
Kind = tuple[Shape, Any]  # shape and dtype


class Buffer:
    """Memory that the program itself has made: `text` is the array as it was made, `lookers` look at it.

    It is `ordered` if its elements are known to lie in the order of C. It may lie in a `slab`.
    """

    __slots__ = ("text", "ordered", "slab", "kind", "lookers")

    def __init__(self, text: str, shape: Shape, dtype: Any, ordered: bool, slab: int | None):
        self.text = text
        self.ordered = ordered
        self.slab = slab
        self.kind: Kind = (shape, dtype)
        self.lookers: dict[Var, None] = {}


class Value:
    """How a variable is held: under a name, with the `shape` that its array really has.

    That has axes of length 1 (or no axes at all) where the variable's own shape repeats what is there. `buffer` is
    what it looks at, None for memory that others may know.
    """

    __slots__ = ("text", "shape", "buffer")

    def __init__(self, text: str, shape: Shape, buffer: Buffer | None = None):
        self.text = text
        self.shape = shape
        self.buffer = buffer


class Memory:
    """What is known of all variables at one place in the program.

    `plan` says what lies in slabs. Variables that are `escaping` never lie there. `wanted` counts the results to come
    that can be written into a used buffer, by shape and dtype.
    """

    def __init__(self, plan: Plan, escaping: set[Var], wanted: Counter[Kind]) -> None:
        self.values: dict[Var, Value] = {}
        self.plan = plan
        self.escaping = escaping
        self.wanted = wanted
        self.lasting: set[str] = set()  # names that are not this program's to delete
        self._called: dict[str, dict[Var, None]] = {}  # the variables alive that go by a name
        self._spare: dict[Kind, list[Buffer]] = {}  # those that nobody looks at
        self._obsolete: list[str] = []  # names of buffers that go by another name now

    def bind(self, v: Var, value: Value) -> None:
        """From here on `v` is held in this way."""
        self.values[v] = value
        self._called.setdefault(value.text, {})[v] = None
        if value.buffer is not None:
            value.buffer.lookers[v] = None

    def given(self, v: Var, value: Value) -> None:
        """`v` is held in this way outside of the program, too."""
        self.lasting.add(value.text)
        self.bind(v, value)

    def own(self, v: Var, text: str, shape: Shape, ordered: bool = False, slab: int | None = None) -> None:
        """From here on `v` is held in an array of its own, if it is an array."""
        if not shape:
            return self.bind(v, Value(text, shape))
        if slab is None:
            self.plan.allocate(_bytes((shape, v.aval.dtype)))
        return self.bind(v, Value(text, shape, Buffer(text, shape, v.aval.dtype, ordered, slab)))

    def space(self, v: Var, shape: Shape) -> tuple[str, int] | None:
        """A place in a slab for a variable that is worth it: an array, and its slab."""
        kind = shape, v.aval.dtype
        if v in self.escaping or _bytes(kind) < LARGE or v.aval.dtype.hasobject:
            return None
        return self.plan.take(*kind)

    def release(self, dead: Iterable[Var]) -> list[str]:
        """Nobody reads these variables any more: their buffers may be free. Names that are of no use any longer."""
        names, self._obsolete = self._obsolete, []
        for v in dead:
            value = self.values.pop(v, None)
            if value is None:
                continue
            called, buffer = self._called[value.text], value.buffer
            del called[v]
            if buffer is not None:
                del buffer.lookers[v]
            if not called and (buffer is None or value.text != buffer.text):
                names.append(value.text)
            if buffer is not None and not buffer.lookers and not self._keep(buffer):
                names.append(buffer.text)
        return [name for name in names if name not in self.lasting]

    def _keep(self, buffer: Buffer) -> bool:
        """Keep a buffer for a result to come, if there is one of its kind."""
        if buffer.slab is not None:
            self.plan.give_back(buffer.slab)
            return False
        spare = self._spare.setdefault(buffer.kind, [])
        # One is enough: the memory of more would be missed by what makes arrays of its own, such as products.
        if spare or self.wanted[buffer.kind] <= 0:
            self.plan.allocate(-_bytes(buffer.kind))
            return False
        spare.append(buffer)
        return True

    def give_away(self, v: Atom) -> None:
        """Somebody else may keep the buffer of `v` from here on, unless it lies in a slab."""
        value = self.values.get(v) if type(v) is Var else None
        if value is not None and value.buffer is not None and value.buffer.slab is None:
            for looker in value.buffer.lookers:
                self.values[looker].buffer = None

    def claim(self, result: Var, shape: Shape, dying: Sequence[Var] = (), ordered: bool = False) -> Buffer | None:
        """A free buffer for a result, preferably that of a variable that dies where the result is made."""
        kind = shape, result.aval.dtype
        for v in dying:
            value = self.values.get(v)
            buffer = value.buffer if value is not None else None
            if buffer is None or value.text != buffer.text or buffer.kind != kind or len(buffer.lookers) > 1:
                continue
            if ordered <= buffer.ordered and (buffer.slab is None or result not in self.escaping):
                del self.values[v], self._called[value.text][v]
                return self._used(buffer)
        spare = self._spare.get(kind)
        return self._used(spare.pop()) if spare and ordered <= spare[-1].ordered else None

    def _used(self, buffer: Buffer) -> Buffer:
        self._obsolete.append(buffer.text)
        if buffer.slab is None:
            self.plan.allocate(-_bytes(buffer.kind))
        return buffer


def _bytes(kind: Kind) -> int:
    return math.prod(kind[0]) * kind[1].itemsize
