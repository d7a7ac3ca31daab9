"""The memory plan: whose buffer a variable is held in, and which buffers are free to be written to.

Written to are only buffers that the program itself has made and that no variable alive looks at: never arguments,
constants or results, and nothing that a called function might have kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from minijax.jaxpr import Atom, Var

__all__ = ["Memory", "Value"]

Shape = tuple[int, ...]


class Value:
    """How a variable is held: under a name, with the `shape` that its array really has.

    That has axes of length 1 (or no axes at all) where the variable's own shape repeats what is there. `owner` is the
    variable whose buffer it is in; None for memory that others may know.
    """

    __slots__ = ("text", "shape", "owner")

    def __init__(self, text: str, shape: Shape, owner: Var | None = None):
        self.text = text
        self.shape = shape
        self.owner = owner


class Memory:
    """What is known of all variables at one place in the program.

    `wanted` counts the results to come that can be written into a used buffer, by shape and dtype.
    """

    def __init__(self, wanted: Counter[tuple[Shape, Any]]) -> None:
        self.values: dict[Var, Value] = {}
        self.wanted = wanted
        # The variables alive that go by a name, and those that look at the buffer of an owner.
        self._called: dict[str, set[Var]] = {}
        self._lookers: dict[Var, set[Var]] = {}
        # Names of buffers that nobody looks at.
        self._spare: dict[tuple[Shape, Any], list[str]] = {}

    def bind(self, v: Var, value: Value) -> None:
        """From here on `v` is held in this way."""
        self.values[v] = value
        self._called.setdefault(value.text, set()).add(v)
        if value.owner is not None:
            self._lookers.setdefault(value.owner, set()).add(v)

    def release(self, dead: Iterable[Var]) -> list[str]:
        """Nobody reads these variables any more: their buffers may be free. Names to delete, for the memory's sake."""
        names = []
        for v in dead:
            value = self.values.get(v)
            if value is None:
                continue
            called = self._called[value.text]
            called.discard(v)
            if value.owner is not None:
                lookers = self._lookers[value.owner]
                lookers.discard(v)
                if value.owner is not v and not called:
                    names.append(value.text)
                if not lookers and not self._keep(value.owner):
                    names.append(self.values[value.owner].text)
            elif not called:
                names.append(value.text)
        return names

    def _keep(self, owner: Var) -> bool:
        """Keep a buffer for a result to come, if there is one of its kind."""
        kind = self.values[owner].shape, owner.aval.dtype
        spare = self._spare.setdefault(kind, [])
        # One is enough: the memory of more would be missed by what makes arrays of its own, such as products.
        if spare or not self.wanted[kind]:
            return False
        spare.append(self.values[owner].text)
        return True

    def give_away(self, v: Atom) -> None:
        """Somebody else may keep the buffer of `v` from here on."""
        value = self.values.get(v) if type(v) is Var else None
        if value is None or value.owner is None:
            return
        for looker in self._lookers.pop(value.owner):
            self.values[looker].owner = None

    def claim(self, shape: Shape, dtype: Any, dying: Sequence[Var] = ()) -> str | None:
        """The name of a free buffer, preferably that of a variable that dies where the result is made.

        The result has to go by this name.
        """
        for v in dying:
            value = self.values.get(v)
            if value is None or value.owner is not v or self._lookers[v] != {v}:
                continue
            if value.shape == shape and v.aval.dtype == dtype:
                del self._lookers[v], self.values[v]
                return value.text
        spare = self._spare.get((shape, dtype))
        return spare.pop() if spare else None
