"""What the passes share: writing a jaxpr anew, equation by equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax.core import Primitive, ShapedArray, as_array
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn, Jaxpr, Literal, Var

__all__ = ["Rewriter", "Rule", "literal_value", "rewrite"]


def literal_value(v: Literal) -> np.ndarray:
    """The number that a literal stands for, in its dtype."""
    return as_array(v.val)._data.astype(v.aval.dtype, copy=False)


class Rewriter:
    """A program that is being written anew.

    `definition` has the new equation of each variable; `value(atom)` is what an atom is known to be.
    """

    def __init__(self, closed: ClosedJaxpr):
        self.eqns: list[Eqn] = []
        self.definition: dict[Var, Eqn] = {}
        self.consts: dict[Var, Any] = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
        self._replaced: dict[Var, Atom] = {}

    def atom(self, v: Atom) -> Atom:
        """What stands for an atom of the old program in the new one."""
        while type(v) is Var and v in self._replaced:
            v = self._replaced[v]
        return v

    def maker(self, v: Atom) -> Eqn | None:
        """The equation that a variable of the new program results from; None for arguments and constants."""
        return self.definition.get(v) if type(v) is Var else None

    def value(self, v: Atom) -> np.ndarray | None:
        """The value of an atom that is known, None if it is not."""
        if type(v) is Literal:
            return literal_value(v)
        return as_array(self.consts[v])._data if v in self.consts else None

    def constant(self, value: np.ndarray) -> Atom:
        """An atom that stands for a value: a literal for a scalar."""
        if not value.shape and value.dtype.kind != "V":
            return Literal(value[()])
        array = as_array(value)
        var = Var(ShapedArray(array.shape, array.dtype))
        self.consts[var] = array
        return var

    def keep(self, eqn: Eqn) -> None:
        """Append an equation, whose operands are those of the new program."""
        self.eqns.append(eqn)
        for v in eqn.outvars:
            self.definition[v] = eqn

    def emit(self, prim: Primitive, operands: Sequence[Atom], like: Eqn, **params: Any) -> Var:
        """Append an equation of one result, for the source line of the equation `like`; the result."""
        aval = prim.rule("shape_rule")(*[v.aval for v in operands], **params)
        var = Var(aval)
        self.keep(like.replace(primitive=prim, invars=list(operands), outvars=[var], params=params))
        return var

    def splice(self, body: ClosedJaxpr, operands: Sequence[Atom], rule: Rule) -> list[Atom]:
        """Write the equations of another program here, given its operands; its results."""
        self._replaced.update(zip(body.jaxpr.invars, operands, strict=True))
        for v, const in zip(body.jaxpr.constvars, body.consts, strict=True):
            self.consts[v] = const
        # A program may be called twice: each call has variables of its own.
        for eqn in body.jaxpr.eqns:
            self.rewrite(eqn.replace(outvars=[self._renamed(v) for v in eqn.outvars]), rule)
        return [self.atom(v) for v in body.jaxpr.outvars]

    def _renamed(self, v: Var) -> Var:
        self._replaced[v] = new = Var(v.aval)
        return new

    def rewrite(self, eqn: Eqn, rule: Rule) -> None:
        """Append what `rule` makes of an equation of the old program."""
        eqn = eqn.replace(invars=[self.atom(v) for v in eqn.invars])
        results = rule(self, eqn)
        if results is None:
            self.keep(eqn)
        else:
            self._replaced.update(zip(eqn.outvars, results, strict=True))


# rule(rewriter, equation): the atoms that stand for its results, or None to leave it as it is.
Rule = Callable[[Rewriter, Eqn], Sequence[Atom] | None]


def rewrite(closed: ClosedJaxpr, rule: Rule) -> ClosedJaxpr:
    """The program with each equation replaced as the rule says. Arguments and results stay as many as they are."""
    new = Rewriter(closed)
    for eqn in closed.jaxpr.eqns:
        new.rewrite(eqn, rule)
    outvars = [new.atom(v) for v in closed.jaxpr.outvars]
    jaxpr = Jaxpr(list(new.consts), closed.jaxpr.invars, new.eqns, outvars)
    return ClosedJaxpr(jaxpr, list(new.consts.values()))
