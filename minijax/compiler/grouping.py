"""Pass: elementwise equations of one large shape become groups, each of which is one pass over memory.

NumPy reads and writes whole arrays. For arrays larger than the processor's cache that costs more than the arithmetic;
a group runs block by block, and what lies between its equations never leaves the cache.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from minijax import compiler
from minijax.compiler.kernels import KERNELS
from minijax.core import Primitive
from minijax.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Var

__all__ = ["GROUPED", "elementwise_p", "group_elementwise"]

# Elements from which blocks pay: two such float32 arrays fill a first-level cache.
GROUPED = 1 << 14

elementwise_p = Primitive("elementwise", multiple_results=True)
elementwise_p.impl = lambda *buffers, jaxpr: compiler.run(jaxpr, buffers)
elementwise_p.shape_rule = lambda *avals, jaxpr: jaxpr.out_avals


class _Group:
    """Equations of results of one shape that are to become one."""

    def __init__(self, number: int, shape: tuple[int, ...]):
        self.number = number
        self.shape = shape
        self.eqns: list[Eqn] = []
        self.after = 0  # the groups that come before, as bits


def group_elementwise(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with groups of elementwise equations. Bit-identical."""
    jaxpr = closed.jaxpr
    groups = [group for group in _find_groups(jaxpr) if len(group.eqns) > 1]
    if not groups:
        return closed
    read = _readers(jaxpr)
    merged: dict[int, Eqn] = {}
    for group in groups:
        eqn = _as_equation(group, read)
        merged.update((id(member), eqn) for member in group.eqns)
    eqns = [merged.get(id(eqn), eqn) for eqn in jaxpr.eqns]
    return ClosedJaxpr(jaxpr.replace(eqns=_in_order(jaxpr, list(dict.fromkeys(eqns)))), closed.consts)


def _find_groups(jaxpr: Jaxpr) -> list[_Group]:
    """Each elementwise equation joins the last group that it reads from, unless it also reads, in a roundabout way,
    what comes after that group."""
    groups: list[_Group] = []
    home: dict[Var, _Group] = {}
    # The groups that the equation of a variable comes after, without being in them: bit i is group i.
    after: dict[Var, int] = {}
    for eqn in jaxpr.eqns:
        operands = [v for v in eqn.invars if type(v) is Var]
        outside = functools.reduce(operator.or_, [after.get(v, 0) for v in operands], 0)
        homes = {home[v].number: home[v] for v in operands if v in home}
        group = _joined(eqn, groups, homes, outside) if _is_elementwise(eqn) else None
        for other in homes.values():
            if other is not group:
                outside |= 1 << other.number
        if group is not None:
            group.eqns.append(eqn)
            group.after |= outside
            home[eqn.outvars[0]] = group
        after.update(dict.fromkeys(eqn.outvars, outside))
    return groups


def _joined(eqn: Eqn, groups: list[_Group], homes: dict[int, _Group], outside: int) -> _Group:
    for number in sorted(homes, reverse=True):
        others = functools.reduce(operator.or_, [1 << other for other in homes if other != number], outside)
        fits = homes[number].shape == eqn.outvars[0].aval.shape
        if fits and not _all_before(groups, others) >> number & 1:
            return homes[number]
    groups.append(_Group(len(groups), eqn.outvars[0].aval.shape))
    return groups[-1]


def _all_before(groups: list[_Group], some: int) -> int:
    """`some` groups, as bits, and all that come before them."""
    found, new = 0, some
    while new:
        number = new.bit_length() - 1
        found |= 1 << number
        new = (new | groups[number].after) & ~found
    return found


def _is_elementwise(eqn: Eqn) -> bool:
    kernel = KERNELS.get(eqn.primitive.name)
    large = kernel is not None and eqn.outvars[0].aval.size >= GROUPED
    return large and kernel(eqn, ["x"] * len(eqn.invars)) is not None


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
    made = [v for eqn in group.eqns for v in eqn.outvars]
    results = [v for v in made if readers.get(v, set()) - members]
    operands = list(dict.fromkeys(v for eqn in group.eqns for v in eqn.invars if type(v) is Var and v not in set(made)))
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

