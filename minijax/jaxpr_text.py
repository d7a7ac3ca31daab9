"""The text of a jaxpr, laid out as JAX prints it.

This stands below `jaxpr.py`, which prints itself with it, so it knows jaxprs by their fields only: a
literal has `val`, a variable has `eqn`, a jaxpr has `eqns`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minijax.pretty import Break, Doc, Group, Nest, join


def _letters(n: int) -> str:
    """0 -> a, 25 -> z, 26 -> ba: numbers in base 26 with letters for digits, as JAX names variables."""
    text = ""
    while not text or n:
        n, digit = divmod(n, 26)
        text = chr(ord("a") + digit) + text
    return text


class Printer:
    """Names variables in order of appearance, through nested jaxprs, and lays the text out as JAX does."""

    def __init__(self, used: Iterable[Any] = ()):
        self.names: dict[Any, str] = {}
        self.count = 0
        self.used = set(used)

    def name(self, v: Any) -> str:
        if hasattr(v, "val"):
            return str(v)
        if v not in self.names:
            self.names[v] = _letters(self.count)
            self.count += 1
        return self.names[v]

    def binder(self, v: Any) -> str:
        return f"{self.name(v) if v in self.used else '_'}:{v.aval.str_short()}"

    def row(self, texts: list[str], separator: str = "") -> Doc:
        return Nest(2, Group(join([separator, Group(Break())], texts)))

    def jaxpr(self, jaxpr: Any) -> Doc:
        self.used.update(v for eqn in jaxpr.eqns for v in eqn.invars if hasattr(v, "eqn"))
        self.used.update(v for v in jaxpr.outvars if hasattr(v, "eqn"))
        self.used.update([*jaxpr.constvars, *jaxpr.invars])
        consts = self.row([self.binder(v) for v in jaxpr.constvars])
        args = self.row([self.binder(v) for v in jaxpr.invars])
        eqns = join(Break("; "), [self.eqn(eqn) for eqn in jaxpr.eqns])
        outs = self.row([self.name(v) for v in jaxpr.outvars], ",")
        end = ",)" if len(jaxpr.outvars) == 1 else ")"
        body = [
            "{ lambda ",
            consts,
            "; ",
            args,
            ". let",
            Nest(2, [Break(), *eqns]),
            Break(),
            "in (",
            outs,
            end,
        ]
        return Group([Nest(2, body), " }"])

    def eqn(self, eqn: Any) -> Doc:
        binders = self.row([self.binder(v) for v in eqn.outvars])
        params = eqn.params if eqn.primitive.printed is None else eqn.primitive.printed(eqn.params)
        first = ["name"] if "name" in params else []
        keys = first + sorted(k for k in params if k != "name")
        if eqn.primitive.name == "jit":
            self.share_names(eqn)
        pairs = [[f"{k}=", self.value(params[k])] for k in keys]
        brackets = [Group([Nest(2, ["[", Break(""), *join(Break(), pairs)]), Break(""), "]"])] if pairs else []
        operands = self.row([self.name(v) for v in eqn.invars])
        equals = [binders, " = "] if eqn.outvars else []
        return [*equals, eqn.primitive.name, *brackets, " ", operands]

    def share_names(self, eqn: Any) -> None:
        """A called jaxpr's variables are named after what they are called with."""
        inner = eqn.params["jaxpr"].jaxpr
        for inner_vars, outer_vars in ((inner.invars, eqn.invars), (inner.outvars, eqn.outvars)):
            taken: set[Any] = set()
            for v, like in zip(inner_vars, outer_vars, strict=True):
                free = hasattr(v, "eqn") and v not in self.names
                if free and hasattr(like, "eqn") and like not in taken and like in self.used:
                    taken.add(like)
                    self.names[v] = self.name(like)

    def value(self, value: Any) -> Doc:
        if hasattr(value, "eqns"):
            return self.jaxpr(getattr(value, "jaxpr", value))
        if isinstance(value, tuple) and value and all(hasattr(v, "eqns") for v in value):
            docs = join(Break(), [self.value(v) for v in value])
            return Group([Nest(2, ["(", Break(""), *docs]), Break(""), ")"])
        return getattr(value, "__name__", None) if callable(value) and hasattr(value, "__name__") else str(value)
