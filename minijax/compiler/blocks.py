"""The loop that a group of elementwise equations becomes: all of them on one block, then on the next.

Blocks are pieces of the flattened arrays; or rows, where an operand is repeated along an axis. What is the same for
all blocks is computed before the loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax.compiler.kernels import may_overwrite, statements, steps_of
from minijax.compiler.memory import Memory, Value
from minijax.jaxpr import Eqn, Jaxpr, Var, last_uses

__all__ = ["BLOCK", "Loop"]

# Elements of a block. A few such blocks of float32 fit into a second-level cache, and computing one takes several
# times as long as calling NumPy does.
BLOCK = 1 << 14

Shape = tuple[int, ...]


class _Held(NamedTuple):
    """An array within the loop: its name, its whole shape, and whether it is cut into blocks."""

    text: str
    shape: Shape
    cut: bool


class Loop:
    """The text of one group: lines `before` the loop and lines `within` it."""

    def __init__(self, eqn: Eqn, fresh_name: Callable[[], str], texts: Callable[..., list[str]]):
        self.body: Jaxpr = eqn.params["jaxpr"].jaxpr
        self.shape: Shape = eqn.outvars[0].aval.shape
        self.fresh_name = fresh_name
        self.texts = texts
        self.before: list[str] = []
        self.within: list[str] = []
        # Names that nobody needs after the loop, where they would only keep memory.
        self.local: list[str] = []
        self.held: dict[Var, _Held] = {}
        self.results = dict(zip(self.body.outvars, eqn.outvars, strict=True))
        # Names of blocks that are free, and of those that hold a variable.
        self.spare: dict[Any, list[str]] = {}
        self.blocks: dict[Var, str] = {}

    def lines(self, memory: Memory, operands: Sequence[Value]) -> list[str]:
        """The loop, its operands being held like this; binds the results."""
        self.flat = all(x.shape in ((), self.shape) for x in operands)
        self.length = math.prod(self.shape) if self.flat else self.shape[0]
        self.step = _step(self.length, BLOCK if self.flat else BLOCK // math.prod(self.shape[1:]))
        for v, value in zip(self.body.invars, operands, strict=True):
            self.held[v] = self.operand(value)
        for eqn, dead in zip(self.body.eqns, last_uses(self.body), strict=True):
            self.member(eqn, dead, memory)
            for v in dead:
                if v in self.blocks:
                    self.spare.setdefault((self.held[v].shape, v.aval.dtype), []).append(self.blocks[v])
        if not self.within:
            return self.before
        stop = "start + {0}" if self.length % self.step == 0 else "min(start + {0}, {1})"
        head = [
            f"for start in range(0, {self.length}, {self.step}):",
            f"    stop = {stop.format(self.step, self.length)}",
        ]
        end = f"del {', '.join(self.local)}"
        return [*self.before, *head, *[f"    {line}" for line in self.within], end]

    def operand(self, value: Value) -> _Held:
        if not value.shape or (not self.flat and value.shape[0] == 1 != self.shape[0]):
            return _Held(value.text, value.shape, False)
        return _Held(self.piece(value.text), value.shape, True)

    def piece(self, name: str) -> str:
        """The name of that part of a whole array that is in the block."""
        if self.flat and len(self.shape) > 1:
            flat = self.fresh_name()
            self.before.append(f"{flat} = {name}.reshape(-1)")
            self.local.append(flat)
            name = flat
        piece = self.fresh_name()
        self.local.append(piece)
        self.within.append(f"{piece} = {name}[start:stop]")
        return piece

    def member(self, eqn: Eqn, dead: Sequence[Var], memory: Memory) -> None:
        """Write down one equation."""
        (v,), operands = eqn.outvars, [self.held[x] for x in eqn.invars if type(x) is Var]
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        cut = any(x.cut for x in operands)
        steps = steps_of(eqn, self.texts(eqn, self.held))
        name = self.fresh_name()
        out = None
        if cut:
            out = self.result(v, shape, memory) if v in self.results else self.block(v, shape, dead, steps)
        elif v in self.results:
            memory.bind(self.results[v], Value(name, shape, self.results[v] if shape else None))
        if cut:
            self.local.append(name)
        (self.within if cut else self.before).extend(statements(steps, name, out, scalar=not shape))
        self.held[v] = _Held(name, shape, cut)

    def result(self, v: Var, shape: Shape, memory: Memory) -> str:
        """A whole array for what the group returns; the piece of it that a block fills."""
        outer, dtype = self.results[v], v.aval.dtype
        # A used buffer may have its elements in another order, in which it cannot be flattened.
        name = None if self.flat and len(shape) > 1 else memory.claim(shape, dtype)
        if name is None:
            name = self.fresh_name()
            self.before.append(f"{name} = np.empty({shape}, np.{dtype.name})")
        memory.bind(outer, Value(name, shape, outer))
        return self.piece(name)

    def block(self, v: Var, shape: Shape, dead: Sequence[Var], steps: Any) -> str:
        """A block for what does not leave the loop: that of an operand that dies, a spare or a new one."""
        dtype, key = v.aval.dtype, (shape, v.aval.dtype)
        name = None
        if may_overwrite(steps):
            fit = [x for x in dead if x in self.blocks and (self.held[x].shape, x.aval.dtype) == key]
            name = self.blocks.pop(fit[0]) if fit else None
        if name is None and self.spare.get(key):
            name = self.spare[key].pop()
        if name is None:
            name = self.fresh_name()
            self.local.append(name)
            rows = (self.step,) if self.flat else (self.step, *shape[1:])
            self.before.append(f"{name} = np.empty({rows}, np.{dtype.name})")
        self.blocks[v] = name
        return name if self.length % self.step == 0 else f"{name}[:stop - start]"


def _step(length: int, wanted: int) -> int:
    """The length of a block: one that divides the whole, if there is one not far below the wanted length."""
    wanted = max(1, min(wanted, length))
    return next((step for step in range(wanted, wanted // 2, -1) if length % step == 0), wanted)
