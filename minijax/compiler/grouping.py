"""Pass: elementwise equations of one large shape become groups, each of which is one pass over memory.

NumPy reads and writes whole arrays. For arrays larger than the processor's cache that costs more than the arithmetic;
a group runs block by block, and what lies between its equations never leaves the cache.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from minijax.compiler.kernels import steps_of
from minijax.core import Primitive
from minijax.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Var
from minijax.primitives.sums import reduce_sum_p

__all__ = ["GROUPED", "elementwise_p", "group_elementwise"]

# Elements from which blocks pay: two such float32 arrays fill a first-level cache.
GROUPED = 1 << 14

elementwise_p = Primitive("elementwise", multiple_results=True, registered=False)
elementwise_p.shape_rule = lambda *avals, jaxpr: jaxpr.out_avals


class _Group:
    """Equations of results of one shape that are to become one. Groups that have been merged share their `bits`."""

    def __init__(self, number: int, shape: tuple[int, ...]):
        self.bits = 1 << number
        self.shape = shape
        self.eqns: list[Eqn] = []
        self.after = 0  # the groups that come before, as bits


def group_elementwise(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with groups of elementwise equations, and of sums of their results.

    Bit-identical, but for the order in which large sums are added up.
    """
    jaxpr = closed.jaxpr
    groups = [group for group in dict.fromkeys(_Groups(jaxpr).all) if _takes_several_steps(group)]
    if not groups:
        return closed
    read = _readers(jaxpr)
    merged: dict[int, Eqn] = {}
    place = {id(eqn): i for i, eqn in enumerate(jaxpr.eqns)}
    for group in groups:
        group.eqns.sort(key=lambda eqn: place[id(eqn)])
        eqn = _as_equation(group, read)
        merged.update((id(member), eqn) for member in group.eqns)
    eqns = [merged.get(id(eqn), eqn) for eqn in jaxpr.eqns]
    return ClosedJaxpr(jaxpr.replace(eqns=_in_order(jaxpr, list(dict.fromkeys(eqns)))), closed.consts)


def _takes_several_steps(group: _Group) -> bool:
    first = group.eqns[0]
    steps = steps_of(first, ["x"] * len(first.invars)) or ()
    return len(group.eqns) > 1 or len(steps) > 1 or any(step.function == "choose" for step in steps)


class _Groups:
    """All groups of a program. An equation joins those that it reads from, unless it also reads, in a roundabout
    way, what comes after them."""

    def __init__(self, jaxpr: Jaxpr):
        self.all: list[_Group] = []
        self.home: dict[Var, _Group] = {}
        # The groups that the equation of a variable comes after, without being in them.
        after: dict[Var, int] = {}
        for eqn in jaxpr.eqns:
            operands = [v for v in eqn.invars if type(v) is Var]
            outside = functools.reduce(operator.or_, [after.get(v, 0) for v in operands], 0)
            homes = list(dict.fromkeys(self.home[v] for v in operands if v in self.home))
            group = self.joined(eqn, homes, outside) if _is_elementwise(eqn) else None
            for other in homes:
                if group is None or not other.bits & group.bits:
                    outside |= other.bits
            if _is_final_sum(eqn) and homes and homes[0].shape == eqn.invars[0].aval.shape:
                homes[0].eqns.append(eqn)  # read by nobody in the group, so it is not at home there
            if group is not None:
                group.eqns.append(eqn)
                group.after |= outside
                self.home[eqn.outvars[0]] = group
            after.update(dict.fromkeys(eqn.outvars, outside))

    def joined(self, eqn: Eqn, homes: list[_Group], outside: int) -> _Group:
        """The group for an elementwise equation that reads from `homes`: one of these, several merged, or a new one."""
        found: _Group | None = None
        for home in reversed(homes):
            others = functools.reduce(
                operator.or_, [h.bits for h in homes if h is not home and h is not found], outside
            )
            if home.shape != eqn.outvars[0].aval.shape or self.before(others) & home.bits:
                continue
            if found is None:
                found = home
            elif not self.before(home.after) & found.bits and not self.before(found.after) & home.bits:
                found = self.merged(found, home)
        if found is None:
            found = _Group(len(self.all), eqn.outvars[0].aval.shape)
            self.all.append(found)
        return found

    def merged(self, first: _Group, second: _Group) -> _Group:
        """Two groups, neither of which comes before the other, as one."""
        second.bits |= first.bits
        second.after |= first.after
        second.eqns += first.eqns
        for eqn in first.eqns:
            self.home[eqn.outvars[0]] = second
        self.all = [second if group is first else group for group in self.all]
        return second

    def before(self, some: int) -> int:
        """`some` groups, as bits, and all that come before them."""
        found, new = 0, some
        while new:
            number = new.bit_length() - 1
            found |= self.all[number].bits
            new = (new | self.all[number].after) & ~found
        return found


def _is_elementwise(eqn: Eqn) -> bool:
    large = len(eqn.outvars) == 1 and eqn.outvars[0].aval.size >= GROUPED
    return large and steps_of(eqn, ["x"] * len(eqn.invars)) is not None


def _is_final_sum(eqn: Eqn) -> bool:
    """Whether it is a sum of a large array, over all axes or over the last ones, which may end a group."""
    if eqn.primitive is not reduce_sum_p:
        return False
    aval, axes = eqn.invars[0].aval, tuple(eqn.params["axes"])
    wide = aval.size >= GROUPED and aval.dtype.name in ("float32", "float64")
    return wide and len(axes) > 0 and axes in (tuple(range(aval.ndim)), tuple(range(aval.ndim - len(axes), aval.ndim)))


def _readers(jaxpr: Jaxpr) -> dict[Any, set[int]]:
    """For each variable the equations that read it, by id; -1 for the program's result."""
    readers: dict[Any, set[int]] = {}
    for eqn in jaxpr.eqns:
        for v in eqn.invars:
            if type(v) is Var:
                readers.setdefault(v, set()).add(id(eqn))
    for v in jaxpr.outvars:
        if type(v) is Var:
            readers.setdefault(v, set()).add(-1)
    return readers


def _as_equation(group: _Group, readers: dict[Any, set[int]]) -> Eqn:
    members = set(map(id, group.eqns))
    made = dict.fromkeys(v for eqn in group.eqns for v in eqn.outvars)
    results = [v for v in made if readers.get(v, set()) - members]
    operands = list(dict.fromkeys(v for eqn in group.eqns for v in eqn.invars if type(v) is Var and v not in made))
    body = ClosedJaxpr(Jaxpr([], operands, group.eqns, results), [])
    return group.eqns[-1].replace(
        primitive=elementwise_p, invars=list(operands), outvars=results, params={"jaxpr": body}
    )


def _in_order(jaxpr: Jaxpr, eqns: Sequence[Eqn]) -> list[Eqn]:
    """The equations, each after those that it reads from, and otherwise in the order they are in."""
    maker = {v: eqn for eqn in eqns for v in eqn.outvars}
    ordered: dict[int, Eqn] = {}
    effects = [eqn for eqn in eqns if eqn.effects]
    previous = dict(zip(map(id, effects[1:]), effects))
    for eqn in eqns:
        pending = [eqn]
        while pending:
            needed = [maker[v] for v in pending[-1].invars if type(v) is Var and v in maker]
            if id(pending[-1]) in previous:
                needed.append(previous[id(pending[-1])])
            missing = [e for e in needed if id(e) not in ordered]
            if missing:
                pending += missing
            else:
                done = pending.pop()
                ordered[id(done)] = done
    return list(ordered.values())
