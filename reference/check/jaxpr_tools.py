"""Bringing the jaxprs of two engines to one form, so that their printed texts can be compared.

Three things are done to both sides alike, on the jaxpr objects; then each engine prints with its own printer.
Calls of nested `jit` are inlined, because which library functions JAX wraps in one of their own is no part of
the promise. Parameters listed in oracle_facts.py are struck out. NumPy integers in parameters become Python
integers.

Dead equations count: a program that computes what nobody needs shows it. Only where JAX has a nested jit,
whose body it prunes when it is differentiated or batched, may the texts agree after pruning both sides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import oracle_facts


def assert_same_text(ours: Any, theirs: Any, what: str = "") -> None:
    """Assert that the closed jaxprs print alike after the steps above."""
    texts = text(ours), text(theirs)
    if texts[0] != texts[1] and "jit" in primitives_in(theirs):
        texts = text(ours, prune=True), text(theirs, prune=True)
    assert texts[0] == texts[1], what


def text(closed_jaxpr: Any, prune: bool = False) -> str:
    """The printed jaxpr after the steps above."""
    return str(normalised(closed_jaxpr, prune))


def normalised(closed_jaxpr: Any, prune: bool = False) -> Any:
    """The closed jaxpr after the steps above."""
    inliner = _Inliner(prune)
    jaxpr = inliner.run(closed_jaxpr.jaxpr)
    constvars = [*jaxpr.constvars, *inliner.constvars]
    return type(closed_jaxpr)(_changed(jaxpr, constvars=constvars), [*closed_jaxpr.consts, *inliner.consts])


class _Inliner:
    """Rewrites one jaxpr. Constants of inlined bodies become constants of the whole.

    All variables are new ones, because names are given by variable and a jaxpr may occur twice in another.
    """

    def __init__(self, prune: bool):
        self.prune = prune
        self.constvars: list[Any] = []
        self.consts: list[Any] = []
        self.eqns: list[Any] = []

    def run(self, jaxpr: Any) -> Any:
        constvars, invars = _copies(jaxpr.constvars), _copies(jaxpr.invars)
        names = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constvars, *invars], strict=True))
        outvars = self.walk(jaxpr, names)
        eqns = self.marked({v for v in outvars if _is_var(v)})
        return _changed(jaxpr, constvars=constvars, invars=invars, eqns=eqns, outvars=outvars)

    def marked(self, used: set[Any]) -> list[Any]:
        """The equations, results that nobody reads marked as such; without dead ones when pruning."""
        eqns = []
        for eqn in reversed(self.eqns):
            live = any(v in used for v in eqn.outvars) or not (eqn.outvars or (self.prune and not eqn.effects))
            if live or not (self.prune or all(map(_is_float0, eqn.outvars))):
                outvars = [v if v in used else oracle_facts.unused(v) for v in eqn.outvars]
                eqns.append(eqn.replace(outvars=outvars))
                used.update(v for v in eqn.invars if _is_var(v))
        return eqns[::-1]

    def walk(self, jaxpr: Any, names: dict[Any, Any]) -> list[Any]:
        """Append the equations of `jaxpr`, its variables replaced by `names`; its results."""
        for eqn in jaxpr.eqns:
            invars = [names[v] if _is_var(v) else v for v in eqn.invars]
            called = eqn.params.get(oracle_facts.CALLS.get(eqn.primitive.name))
            if called is not None:
                names.update(zip(eqn.outvars, self.body(called, invars), strict=True))
                continue
            folded = _folded(eqn, invars)
            if folded is not None:
                names[eqn.outvars[0]] = folded
                continue
            outvars = _copies(eqn.outvars)
            names.update(zip(eqn.outvars, outvars, strict=True))
            self.eqns.append(eqn.replace(invars=invars, outvars=outvars, params=self.parameters(eqn.params)))
        return [names[v] if _is_var(v) else v for v in jaxpr.outvars]

    def parameters(self, params: dict[str, Any]) -> dict[str, Any]:
        return {k: self.parameter(v) for k, v in params.items() if k not in oracle_facts.STRUCK_PARAMETERS}

    def parameter(self, value: Any) -> Any:
        if _is_jaxpr(value):
            closed = hasattr(value, "jaxpr")
            return normalised(value, self.prune) if closed else _Inliner(self.prune).run(value)
        if isinstance(value, tuple | list):
            parts = map(self.parameter, value)
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        return int(value) if isinstance(value, np.integer) else value

    def body(self, closed: Any, invars: list[Any]) -> list[Any]:
        constvars = _copies(closed.jaxpr.constvars)
        self.constvars += constvars
        self.consts += closed.consts
        inner = [*closed.jaxpr.constvars, *closed.jaxpr.invars]
        return self.walk(closed.jaxpr, dict(zip(inner, [*constvars, *invars], strict=True)))


def primitives_in(closed_jaxpr: Any) -> set[str]:
    """Names of all primitives, those of nested jaxprs included."""
    names, pending = set(), [closed_jaxpr]
    while pending:
        for eqn in pending.pop().eqns:
            names.add(eqn.primitive.name)
            pending += [v for p in eqn.params.values() for v in (p if isinstance(p, tuple) else (p,)) if _is_jaxpr(v)]
    return names


def _folded(eqn: Any, invars: list[Any]) -> Any:
    """The literal that a conversion of a literal comes to.

    A Python number that a library function hands to its own jit is converted inside it. Both engines fold
    such conversions where they inline a call by tracing it, and so does inlining here.
    """
    if eqn.primitive.name == "convert_element_type" and not _is_var(invars[0]):
        return oracle_facts.literal(invars[0], eqn.params["new_dtype"])
    if eqn.primitive.name == "broadcast_in_dim" and not _is_var(invars[0]) and eqn.params["shape"] == ():
        return invars[0]
    return None


def _copies(variables: list[Any]) -> list[Any]:
    return [type(v)(v.aval) for v in variables]


def _is_float0(var: Any) -> bool:
    # A zero tangent of integers that nobody reads: JAX writes an equation to make one, minijax does not.
    return getattr(var.aval.dtype, "names", None) == ("float0",)


def _is_var(atom: Any) -> bool:
    return not hasattr(atom, "val")


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns")


def _changed(jaxpr: Any, **fields: Any) -> Any:
    if hasattr(jaxpr, "replace"):
        return jaxpr.replace(**fields)
    return type(jaxpr)(*(fields.get(k, getattr(jaxpr, k)) for k in ("constvars", "invars", "eqns", "outvars")))
