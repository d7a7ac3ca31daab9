"""How primitives are written that contain programs: loops and branches of Python around the lines of these.

The carry of a loop goes by the names of the body's arguments. Where a turn makes a new array for it anyway, the loop
owns its memory, and the next turn may write into it: a sum that goes through the loop is added up in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax import dtypes
from minijax.compiler.kernels import is_native
from minijax.compiler.memory import Value
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn, Var

__all__ = ["CONTROL", "PROGRAMS"]

# Blocks within blocks that are written out; Python has a limit, and what is deeper is called.
DEPTH = 8
# Elements of a carry from which it pays to own its memory.
LARGE = 1 << 10

# The parameters of these primitives that are programs which the passes go through, too.
PROGRAMS = {
    "scan": ("jaxpr",),
    "while": ("body_jaxpr", "cond_jaxpr"),
    "cond": ("branches",),
    "remat2": ("jaxpr",),
}


# ----------------------------------------------------------------- the carry


class _Carry:
    """The carry of a loop around `body`: its variables in the body, how they start and how a turn ends."""

    def __init__(self, emitter: Any, body: ClosedJaxpr, first: int, start: Sequence[Atom]):
        self.emitter = emitter
        self.start = start
        self.variables = body.jaxpr.invars[first : first + len(start)]
        self.results = body.jaxpr.outvars[: len(start)]
        self.owned = [is_native(v) and v.aval.size >= LARGE and v.aval.ndim > 0 for v in self.variables]

    def bind(self, inner: Any) -> None:
        """The variables, for a program in the loop that may write into those that the loop owns."""
        for v, owned in zip(self.variables, self.owned, strict=True):
            name = inner.names.of(v)
            if owned:
                inner.memory.own(v, name, v.aval.shape)
            else:
                inner.memory.given(v, Value(name, v.aval.shape))

    def settled(self, inner: Any) -> bool:
        """Whether each turn leaves a buffer of its own in all that is owned; what does not is not owned any more."""
        before = list(self.owned)
        held = [inner.values.get(v) if type(v) is Var else None for v in self.results]
        buffers = [None if value is None else value.buffer for value in held]
        for i, (v, value, buffer) in enumerate(zip(self.variables, held, buffers, strict=True)):
            whole = buffer is not None and value.text == buffer.text and value.shape == v.aval.shape
            if not whole or sum(other is buffer for other in buffers) > 1:
                self.owned[i] = False
        return self.owned == before

    def begin(self) -> None:
        """The lines before the loop."""
        for v, x, owned in zip(self.variables, self.start, self.owned, strict=True):
            name, text = self.emitter.names.of(v), self.emitter.whole(x)
            self.emitter.memory.give_away(x)
            if v.aval.ndim == 0 and is_native(v):
                text = f"{text}[()]"
            elif owned and not text.startswith("np.full("):
                text = f"np.array({text})"
            self.emitter.line(f"{name} = {text}")

    def end_of_turn(self, inner: Any) -> None:
        """The line at the end of the body, by which results become arguments."""
        pairs = [(inner.names.of(v), _text(inner, x)) for v, x in zip(self.variables, self.results, strict=True)]
        changed = [(name, text) for name, text in pairs if name != text]
        if changed:
            inner.line(f"{', '.join(name for name, _ in changed)} = {', '.join(text for _, text in changed)}")

    def finish(self, outvars: Sequence[Var]) -> None:
        """The lines after the loop: its results."""
        for v, variable, owned in zip(outvars, self.variables, self.owned, strict=True):
            name = self.emitter.names.of(v)
            self.emitter.line(f"{name} = {self.emitter.names.of(variable)}")
            if owned:
                self.emitter.memory.own(v, name, v.aval.shape)
            else:
                self.emitter.memory.bind(v, Value(name, v.aval.shape))
        names = [self.emitter.names.of(v) for v in self.variables if v.aval.size >= LARGE]
        if names:
            self.emitter.line(f"del {', '.join(names)}")


def _text(emitter: Any, v: Atom) -> str:
    """A whole array, or a number for what has no axes."""
    if v.aval.ndim or not is_native(v):
        return emitter.whole(v)
    text = emitter.narrow(v).text
    return text if text.isidentifier() else emitter.typed(text, v.aval.dtype)


def _named(emitter: Any, v: Atom) -> str:
    """The name of a whole array."""
    text = emitter.whole(v)
    if text.isidentifier():
        return text
    name = emitter.names.temporary("whole")
    emitter.line(f"{name} = {text}")
    return name


def _given(emitter: Any, inner: Any, variables: Sequence[Var], operands: Sequence[Atom]) -> None:
    """The arguments of an inner program are held there as they are held outside; it may keep or return them."""
    for v, x in zip(variables, operands, strict=True):
        value = emitter.narrow(x)
        emitter.memory.give_away(x)
        inner.memory.given(v, Value(value.text, value.shape))


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines] or ["    pass"]


# ----------------------------------------------------------------- scan


def _scan(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    body, length = eqn.params["jaxpr"], eqn.params["length"]
    consts, carried = eqn.params["num_consts"], eqn.params["num_carry"]
    if emitter.depth >= DEPTH:
        return False
    first = consts + carried
    carry = _Carry(emitter, body, consts, eqn.invars[consts:first])
    xs = [_named(emitter, x) for x in eqn.invars[first:]]
    for x in eqn.invars[first:]:
        emitter.memory.give_away(x)
    stacks = [emitter.names.of(v) for v in eqn.outvars[carried:]]
    turn = emitter.names.temporary("turn")
    _new_stacks(emitter, eqn.outvars[carried:])
    while True:
        inner = emitter.inner(body, body.jaxpr.outvars[:carried])
        with emitter.plan.turn():
            _given(emitter, inner, body.jaxpr.invars[:consts], eqn.invars[:consts])
            inner.unchanging.update(body.jaxpr.invars[:consts])
            carry.bind(inner)
            _slices(inner, body.jaxpr.invars[first:], xs, turn)
            _stack(inner, body, stacks, carried, turn)
        if carry.settled(inner):
            break
    carry.end_of_turn(inner)
    carry.begin()
    emitter.lines += inner.preamble
    turns = f"range({length - 1}, -1, -1)" if eqn.params["reverse"] else f"range({length})"
    emitter.line(f"for {turn} in {turns}:")
    emitter.lines += _indented(inner.lines)
    carry.finish(eqn.outvars[:carried])
    return True


def _new_stacks(emitter: Any, outvars: Sequence[Var]) -> None:
    """Arrays that the turns will fill."""
    for v in outvars:
        name = emitter.names.of(v)
        space = emitter.memory.space(v, v.aval.shape) if is_native(v) else None
        if space is None:
            dtype = emitter.names.constant(dtypes.physical_dtype(v.aval.dtype), "dtype")
            emitter.line(f"{name} = np.empty({v.aval.shape}, {dtype})")
        else:
            emitter.line(f"{name} = {space[0]}")
        emitter.memory.own(v, name, v.aval.shape, ordered=True, slab=space and space[1])


def _slices(inner: Any, variables: Sequence[Var], xs: Sequence[str], turn: str) -> None:
    """The slices of this turn."""
    for v, x in zip(variables, xs, strict=True):
        name = inner.names.of(v)
        inner.line(f"{name} = {x}[{turn}]" if is_native(v) else f"{name} = {x}[{turn}, ...]")
        inner.memory.bind(v, Value(name, v.aval.shape))


def _stack(inner: Any, body: ClosedJaxpr, stacks: Sequence[str], carried: int, turn: str) -> None:
    """The body, with what each turn adds to the stacks."""
    made = {v for eqn in body.eqns for v in eqn.outvars}
    pairs = list(zip(body.jaxpr.outvars[carried:], stacks, strict=True))
    for v, stack in pairs:
        if type(v) is Var and v in made and v.aval.ndim and is_native(v):
            inner.targets.setdefault(v, f"{stack}[{turn}]")
    inner.run()
    for v, stack in pairs:
        if v not in inner.placed or inner.targets[v] != f"{stack}[{turn}]":
            inner.line(f"{stack}[{turn}] = {_text(inner, v)}")


# ----------------------------------------------------------------- while


def _while(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    condition, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    nc, nb = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    if emitter.depth >= DEPTH or condition.out_avals[0].ndim:
        return False
    carry = _Carry(emitter, body, nb, eqn.invars[nc + nb :])
    while True:
        inner = emitter.inner(body, body.jaxpr.outvars)
        with emitter.plan.turn():
            _given(emitter, inner, body.jaxpr.invars[:nb], eqn.invars[nc : nc + nb])
            inner.unchanging.update(body.jaxpr.invars[:nb])
            carry.bind(inner)
            inner.run()
        if carry.settled(inner):
            break
    carry.end_of_turn(inner)
    test = emitter.inner(condition, [])
    _given(emitter, test, condition.jaxpr.invars[:nc], eqn.invars[:nc])
    for v, variable in zip(condition.jaxpr.invars[nc:], carry.variables, strict=True):
        test.memory.given(v, Value(test.names.of(variable), v.aval.shape))
    with emitter.plan.turn():
        test.run()
    test.line(f"if not {_text(test, condition.jaxpr.outvars[0])}:")
    test.line("    break")
    carry.begin()
    emitter.lines += inner.preamble
    emitter.line("while True:")
    emitter.lines += _indented([*test.lines, *inner.lines])
    carry.finish(eqn.outvars)
    return True


# ----------------------------------------------------------------- cond and checkpoint


def _cond(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    branches, (index, *operands) = eqn.params["branches"], eqn.invars
    if emitter.depth >= DEPTH:
        return False
    which, names = _text(emitter, index), [emitter.names.of(v) for v in eqn.outvars]
    for i, branch in enumerate(branches):
        inner = emitter.inner(branch, branch.jaxpr.outvars)
        with emitter.plan.turn():
            _given(emitter, inner, branch.jaxpr.invars, operands)
            inner.run()
        results = ", ".join(_text(inner, v) for v in branch.jaxpr.outvars)
        if names:
            inner.line(f"{', '.join(names)} = {results}")
        last = i == len(branches) - 1
        if len(branches) > 1:
            emitter.line("else:" if last else f"{'elif' if i else 'if'} {which} == {i}:")
        emitter.lines += _indented(inner.lines) if len(branches) > 1 else inner.lines
    for v, name in zip(eqn.outvars, names, strict=True):
        emitter.memory.bind(v, Value(name, v.aval.shape))
    return True


def _checkpoint(emitter: Any, eqn: Eqn, dead: Sequence[Var]) -> bool:
    """The program itself, written where no pass sees that the forward pass has computed the same."""
    body = eqn.params["jaxpr"]
    inner = emitter.inner(body, body.jaxpr.outvars)
    inner.depth = emitter.depth
    with emitter.plan.turn():
        _given(emitter, inner, body.jaxpr.invars, eqn.invars)
        inner.run()
    emitter.lines += inner.lines
    for v, x in zip(eqn.outvars, body.jaxpr.outvars, strict=True):
        name = emitter.names.of(v)
        emitter.line(f"{name} = {_text(inner, x)}")
        emitter.memory.bind(v, Value(name, v.aval.shape))
    return True


CONTROL = {"scan": _scan, "while": _while, "cond": _cond, "remat2": _checkpoint}
