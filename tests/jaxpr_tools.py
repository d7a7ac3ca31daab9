"""Bringing the jaxprs of two engines to one form, so that their printed texts can be compared.

Three things are done to both sides alike, on the jaxpr objects; then each engine prints with its own printer.
Calls of nested `jit` are inlined, because which library functions JAX wraps in a jit of their own is no part
of the promise. Parameters listed in oracle_facts.py are struck out. NumPy integers in parameters become Python's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import oracle_facts


def text(closed_jaxpr: Any) -> str:
    """The printed jaxpr after the steps above."""
    return str(normalised(closed_jaxpr))


def normalised(closed_jaxpr: Any) -> Any:
    """The closed jaxpr after the steps above."""
    inliner = _Inliner()
    jaxpr = inliner.run(closed_jaxpr.jaxpr)
    constvars = [*closed_jaxpr.jaxpr.constvars, *inliner.constvars]
    return type(closed_jaxpr)(_changed(jaxpr, constvars=constvars), [*closed_jaxpr.consts, *inliner.consts])


class _Inliner:
    """Rewrites one jaxpr. Constants of inlined bodies become constants of the whole."""

    def __init__(self):
        self.constvars: list[Any] = []
        self.consts: list[Any] = []
        self.eqns: list[Any] = []

    def run(self, jaxpr: Any) -> Any:
        names = {v: v for v in [*jaxpr.constvars, *jaxpr.invars]}
        outvars = self.walk(jaxpr, names)
        used = {v for eqn in self.eqns for v in eqn.invars if _is_var(v)} | {v for v in outvars if _is_var(v)}
        eqns = [e.replace(outvars=[v if v in used else oracle_facts.unused(v) for v in e.outvars]) for e in self.eqns]
        return _changed(jaxpr, eqns=eqns, outvars=outvars)

    def walk(self, jaxpr: Any, names: dict[Any, Any]) -> list[Any]:
        """Append the equations of `jaxpr`, its variables replaced by `names`; its results."""
        for eqn in jaxpr.eqns:
            invars = [names[v] if _is_var(v) else v for v in eqn.invars]
            if eqn.primitive.name == "jit":
                names.update(zip(eqn.outvars, self.body(eqn.params["jaxpr"], invars), strict=True))
                continue
            outvars = [type(v)(v.aval) for v in eqn.outvars]
            names.update(zip(eqn.outvars, outvars, strict=True))
            self.eqns.append(eqn.replace(invars=invars, outvars=outvars, params=_parameters(eqn.params)))
        return [names[v] if _is_var(v) else v for v in jaxpr.outvars]

    def body(self, closed: Any, invars: list[Any]) -> list[Any]:
        constvars = [type(v)(v.aval) for v in closed.jaxpr.constvars]
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


def _parameters(params: dict[str, Any]) -> dict[str, Any]:
    return {k: _parameter(v) for k, v in params.items() if k not in oracle_facts.STRUCK_PARAMETERS}


def _parameter(value: Any) -> Any:
    if _is_jaxpr(value):
        return normalised(value) if hasattr(value, "jaxpr") else _Inliner().run(value)
    if type(value) in (tuple, list):
        return type(value)(map(_parameter, value))
    return int(value) if isinstance(value, np.integer) else value


def _is_var(atom: Any) -> bool:
    return not hasattr(atom, "val")


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns")


def _changed(jaxpr: Any, **fields: Any) -> Any:
    if hasattr(jaxpr, "replace"):
        return jaxpr.replace(**fields)
    return type(jaxpr)(*(fields.get(k, getattr(jaxpr, k)) for k in ("constvars", "invars", "eqns", "outvars")))
