"""The loop that a group of elementwise equations becomes: all of them on one block, then on the next.

Blocks are pieces of the flattened arrays; or rows, where an operand is repeated along an axis. What is the same for
all blocks is computed before the loop. What fits into one block needs no loop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minijax.compiler.kernels import may_overwrite, statements, steps_of
from minijax.compiler.names import Lines
from minijax.jaxpr import Eqn, Jaxpr, Var, last_uses
from minijax.primitives.sums import reduce_sum_p
from minijax.workers import in_parallel, thread_count

__all__ = ["BLOCK", "Loop"]

# Elements of a block. A few such blocks of float32 fit into a second-level cache, and computing one takes several
# times as long as calling NumPy does.
BLOCK = 1 << 16

# Work, in elements times equations, from which a loop is shared by threads: about a hundred microseconds.
SHARED = 1 << 20
# Equations that cost as much as several.
_COST = {**dict.fromkeys(("exp", "log", "sin", "cos", "tanh", "logistic", "exp2", "expm1", "log1p"), 8), "div": 2}

Shape = tuple[int, ...]


class _Held(NamedTuple):
    """An array within the loop: its name, its whole shape, and whether it is cut into blocks."""

    text: str
    shape: Shape
    cut: bool


class Loop:
    """The text of one group: lines `before` the loop, lines `within` it and lines `after` it."""

    def __init__(self, emitter: Any, eqn: Eqn, dead: Sequence[Var]):
        self.emitter = emitter
        self.body: Jaxpr = eqn.params["jaxpr"].jaxpr
        self.shape: Shape = self.body.eqns[0].outvars[0].aval.shape
        self.operands = [emitter.values[v] for v in eqn.invars]
        self.before, self.within = Lines(), Lines()
        self.after: list[str] = []
        self.new_blocks: dict[str, tuple[Shape, Any]] = {}
        # Names that nobody needs after the loop, where they would only keep memory.
        self.local: list[str] = []
        self.held: dict[Var, _Held] = {}
        self.results = dict(zip(self.body.outvars, eqn.outvars, strict=True))
        # Names of blocks that are free, and of those that hold a variable.
        self.spare: dict[Any, list[str]] = {}
        self.blocks: dict[Var, str] = {}
        self.slabs: list[int] = []
        # Operands whose memory may be written to from that equation on which reads them last.
        self.dying = {v: x for v, x in zip(self.body.invars, eqn.invars, strict=True) if x in dead}

    def lines(self) -> list[str]:
        """The loop; binds the results."""
        by_rows = any(eqn.primitive is reduce_sum_p and eqn.outvars[0].aval.shape for eqn in self.body.eqns)
        self.flat = not by_rows and all(x.shape in ((), self.shape) for x in self.operands)
        self.length = math.prod(self.shape) if self.flat else self.shape[0]
        self.step = _step(self.length, BLOCK if self.flat else BLOCK // math.prod(self.shape[1:]))
        self.single = self.step == self.length
        for v, value in zip(self.body.invars, self.operands, strict=True):
            self.held[v] = self.operand(v, value.text, value.shape)
        free: list[Var] = []
        for eqn, dead in zip(self.body.eqns, last_uses(self.body), strict=True):
            self.member(eqn, dead, free)
            free += [self.dying[v] for v in dead if v in self.dying]
            for v in dead:
                if v in self.blocks:
                    self.spare.setdefault((self.held[v].shape, v.aval.dtype), []).append(self.blocks[v])
        if self.within and not self.single:
            self.within[:] = self.in_loop()
        for slab in self.slabs:
            self.emitter.plan.give_back(slab)
        end = [f"del {', '.join(dict.fromkeys(self.local))}"] if self.local else []
        return [*self.before, *self.within, *end, *self.after]

    def in_loop(self) -> list[str]:
        """The lines for one block, for all blocks; in a function that threads share, if there is much to do."""
        steps = sum(_COST.get(eqn.primitive.name, 1) for eqn in self.body.eqns)
        shared = steps * math.prod(self.shape) >= SHARED and thread_count() > 1
        first, last = ("first", "last") if shared else (0, self.length)
        stop = "start + {0}" if self.length % self.step == 0 else "min(start + {0}, {1})"
        loop = [
            f"for start in range({first}, {last}, {self.step}):",
            f"    stop = {stop.format(self.step, self.length)}",
            *[f"    {line}" for line in self.within],
        ]
        if not shared:
            return loop
        self.local = [name for name in self.local if any(line.startswith(f"{name} = ") for line in self.before)]
        self.emitter.names.table["in_parallel"] = in_parallel
        name = self.emitter.names.temporary("loop")
        own = [list(self.new_blocks)]
        for _ in range(1, thread_count()):
            own.append([self.new_block(*self.new_blocks[block]) for block in own[0]])
        spaces = ", ".join(f"({', '.join(blocks)}{',' if len(blocks) == 1 else ''})" for blocks in own)
        head = f"def {name}({', '.join(['first', 'last', *own[0]])}):"
        call = f"in_parallel({name}, {self.length}, {self.step}, {spaces})"
        return [head, *[f"    {line}" for line in loop], call]

    def operand(self, v: Var, text: str, shape: Shape) -> _Held:
        """What an argument of the body is called in the loop."""
        whole = not shape or (not self.flat and shape[0] == 1 != self.shape[0])
        if whole or self.single:
            return _Held(text, shape, not whole)
        part = f"{self.emitter.names.of(v)}_part"
        self.local.append(part)
        self.within.append(f"{part} = {self.piece(text)}")
        return _Held(part, shape, True)

    def piece(self, name: str) -> str:
        """That part of a whole array that is in the block."""
        if self.single:
            return name
        if self.flat and len(self.shape) > 1:
            flat = f"{name}_flat"
            if flat not in self.local:
                self.before.append(f"{flat} = {name}.reshape(-1)")
                self.local.append(flat)
            name = flat
        return f"{name}[start:stop]"

    def member(self, eqn: Eqn, dead: Sequence[Var], free: Sequence[Var]) -> None:
        """Write down one equation."""
        if eqn.primitive is reduce_sum_p:
            return self.reduction(eqn)
        (v,), operands = eqn.outvars, [self.held[x] for x in eqn.invars if type(x) is Var]
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        cut = any(x.cut for x in operands)
        steps = steps_of(eqn, self.emitter.texts(eqn, self.held))
        name = self.emitter.names.of(v)
        if cut and v in self.results and not self.single:
            name += "_part"
        out = None
        if cut:
            if may_overwrite(steps):
                free = [*free, *(self.dying[x] for x in dead if x in self.dying)]
            out = self.result(v, shape, free) if v in self.results else self.block(v, shape, dead, steps)
        elif v in self.results:
            self.emitter.memory.own(self.results[v], name, shape)
        if cut and not (v in self.results and self.single):
            self.local.append(name)
        lines = self.within if cut else self.before
        self.emitter.names.comment(lines, eqn.source)
        lines.extend(statements(steps, name, out, scalar=not shape))
        self.held[v] = _Held(name, shape, cut)
        return None

    def reduction(self, eqn: Eqn) -> None:
        """A sum: of rows, block by block; or of everything, the sums of all blocks."""
        (v,), (x,), axes = eqn.outvars, eqn.invars, eqn.params["axes"]
        held, outer, dtype = self.held[x], self.results[v], v.aval.dtype.name
        name = self.emitter.names.of(outer)
        block = self.shape if self.single or not held.cut else f"(stop - start, {', '.join(map(str, self.shape[1:]))})"
        text = held.text if held.cut and held.shape == self.shape else f"np.broadcast_to({held.text}, {block})"
        if self.single or not held.cut:
            lines = self.within if held.cut else self.before
            lines.append(f"{name} = np.add.reduce({text}, {axes}, np.{dtype})")
        elif v.aval.shape:
            self.before.append(f"{name} = np.empty({v.aval.shape}, np.{dtype})")
            self.within.append(f"np.add.reduce({text}, {axes}, np.{dtype}, {name}[start:stop])")
        else:
            parts = f"{name}_parts"
            self.before.append(f"{parts} = np.empty({-(-self.length // self.step)}, np.{dtype})")
            self.within.append(f"{parts}[start // {self.step}] = np.add.reduce({text}, None, np.{dtype})")
            self.after.append(f"{name} = np.add.reduce({parts}, None, np.{dtype})")
        self.emitter.memory.own(outer, name, v.aval.shape, ordered=True)

    def result(self, v: Var, shape: Shape, free: Sequence[Var]) -> str:
        """The piece, of a whole array for what the group returns, that a block fills."""
        outer, dtype = self.results[v], v.aval.dtype
        name = self.emitter.names.of(outer)
        target = self.emitter.targets.get(outer) if shape == outer.aval.shape else None
        if target is not None:
            self.before.append(f"{name} = {target}")
            self.emitter.place(outer)
            return self.piece(name)
        # A used buffer may have its elements in another order, in which it cannot be flattened.
        ordered = self.flat and len(shape) > 1 and not self.single
        text, in_order, slab = self.emitter.room(outer, shape, free, ordered)
        self.before.append(f"{name} = {text or f'np.empty({shape}, np.{dtype.name})'}")
        self.emitter.memory.own(outer, name, shape, in_order or text is None, slab)
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
            rows = (self.step,) if self.flat and not self.single else (self.step, *shape[1:])
            name = self.new_block(shape if self.single else rows, dtype)
            self.new_blocks[name] = (shape if self.single else rows, dtype)
        self.blocks[v] = name
        return name if self.length % self.step == 0 else f"{name}[:stop - start]"

    def new_block(self, shape: Shape, dtype: Any) -> str:
        """The name of a block in a slab, until the loop ends."""
        name, slab = self.emitter.plan.take(shape, dtype)
        self.slabs.append(slab)
        return name


def _step(length: int, wanted: int) -> int:
    """The length of a block: one that divides the whole, if there is one not far below the wanted length."""
    wanted = max(1, min(wanted, length))
    return next((step for step in range(wanted, wanted // 2, -1) if length % step == 0), wanted)
