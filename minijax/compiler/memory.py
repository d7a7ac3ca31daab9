"""The memory plan: whose buffer a variable is held in, and which buffers are free to be written to.

Written to are only buffers that the program itself has made and that no variable alive looks at: never arguments
(unless they were donated), constants or results, and nothing that a called function might have kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from minijax.jaxpr import Atom, Var

__all__ = ["Buffer", "Memory", "Value"]

Shape = tuple[int, ...]
Kind = tuple[Shape, Any]  # shape and dtype


class Buffer:
    """Memory that the program itself has made: `text` is the array as it was made, `lookers` look at it.

    It is `ordered` if its elements are known to lie in the order of C.
    """

    __slots__ = ("text", "ordered", "kind", "lookers")

    def __init__(self, text: str, shape: Shape, dtype: Any, ordered: bool):
        self.text = text
        self.ordered = ordered
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

    `wanted` counts the results to come that can be written into a used buffer, by shape and dtype.
    """

    def __init__(self, wanted: Counter[Kind]) -> None:
        self.values: dict[Var, Value] = {}
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

    def own(self, v: Var, text: str, shape: Shape, ordered: bool = False) -> None:
        """From here on `v` is held in an array of its own, if it is an array."""
        self.bind(v, Value(text, shape, Buffer(text, shape, v.aval.dtype, ordered) if shape else None))

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
        spare = self._spare.setdefault(buffer.kind, [])
        # One is enough: the memory of more would be missed by what makes arrays of its own, such as products.
        if spare or self.wanted[buffer.kind] <= 0:
            return False
        spare.append(buffer)
        return True

    def give_away(self, v: Atom) -> None:
        """Somebody else may keep the buffer of `v` from here on."""
        value = self.values.get(v) if type(v) is Var else None
        if value is not None and value.buffer is not None:
            for looker in value.buffer.lookers:
                self.values[looker].buffer = None

    def claim(self, kind: Kind, dying: Sequence[Var] = (), ordered: bool = False) -> str | None:
        """The name of a free buffer, preferably that of a variable that dies where the result is made."""
        for v in dying:
            value = self.values.get(v)
            buffer = value.buffer if value is not None else None
            if buffer is None or value.text != buffer.text or buffer.kind != kind or len(buffer.lookers) > 1:
                continue
            if ordered <= buffer.ordered:
                del self.values[v], self._called[value.text][v]
                return self._used(buffer)
        spare = self._spare.get(kind)
        return self._used(spare.pop()) if spare and ordered <= spare[-1].ordered else None

    def _used(self, buffer: Buffer) -> str:
        self._obsolete.append(buffer.text)
        return buffer.text
