"""The text of a jaxpr, laid out as JAX prints it.

This stands below `jaxpr.py`, which prints itself with it, so it knows jaxprs by their fields only: a
literal has `val`, a variable has `eqn`, a jaxpr has `eqns`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minijax.pretty import Break, Comment, Doc, Group, Nest, join


def letters(n: int) -> str:
    """0 -> a, 25 -> z, 26 -> ba: numbers in base 26 with letters for digits, as JAX names variables."""
    text = ""
    while not text or n:
        n, digit = divmod(n, 26)
        text = chr(ord("a") + digit) + text
    return text


# What JAX prints as the name of these is that of a function, and does not name the jaxpr.
_NAMED_BY_FUNCTION = ("custom_jvp_call", "custom_vjp_call")

# JAX's limit: a body of more equations is written in front.
_LONG = 10


def _shared_jaxprs(jaxpr: Any) -> list[tuple[str, Any]]:
    """The jaxprs within `jaxpr` that are written in front of it, with their names, in order of appearance."""
    counts: dict[int, int] = {}
    names: dict[int, str] = {}
    queue = [jaxpr]
    for inner in queue:
        counts[id(inner)] = counts.get(id(inner), 0) + 1 + (inner is not jaxpr and len(inner.eqns) > _LONG)
        for eqn in inner.eqns:
            nested = _jaxprs_in(eqn.params)
            queue += nested
            name = None if eqn.primitive.name in _NAMED_BY_FUNCTION else eqn.params.get("name")
            for body in nested if name else ():
                names.setdefault(id(body), name.strip("<>"))
    found: list[tuple[str, Any]] = []
    uses: dict[str, int] = {}
    for inner in {id(body): body for body in queue}.values():
        if counts[id(inner)] > 1:
            name = names.get(id(inner), "jaxpr")
            uses[name] = uses.get(name, 0) + 1
            found.append((name if uses[name] == 1 else f"{name}{uses[name] - 1}", inner))
    return found


def _jaxprs_in(params: dict[str, Any]) -> list[Any]:
    values = [v for p in params.values() for v in (p if isinstance(p, tuple) else (p,)) if hasattr(v, "eqns")]
    return [getattr(v, "jaxpr", v) for v in values]


class Printer:
    """Names variables in order of appearance, through nested jaxprs, and lays the text out as JAX does."""

    def __init__(self, used: Iterable[Any] = (), *, source_info: bool = False, name_stack: bool = False):
        self.names: dict[Any, str] = {}
        self.source_info, self.name_stack = source_info, name_stack  # which comments equations get
        self.count = 0
        self.used = set(used)
        self.shared: dict[int, str] = {}  # id of a jaxpr that stands in front -> its name

    def name(self, v: Any) -> str:
        if hasattr(v, "val"):
            return str(v)
        if v not in self.names:
            self.names[v] = self.fresh_name()
        return self.names[v]

    def fresh_name(self) -> str:
        self.count += 1
        name = letters(self.count - 1)
        return self.fresh_name() if name in self.shared.values() else name

    def binder(self, v: Any) -> str:
        return f"{self.name(v) if v in self.used else '_'}:{v.aval.str_short()}"

    def row(self, texts: list[str], separator: str = "") -> Doc:
        return Nest(2, Group(join([separator, Group(Break())], texts)))

    def program(self, jaxpr: Any) -> Doc:
        """A jaxpr, before it those within it that are long or occur more than once: let name = ... in."""
        in_front = _shared_jaxprs(jaxpr)
        self.shared = {id(inner): name for name, inner in in_front}
        docs: list[Doc] = []
        for name, inner in in_front:
            docs += ["let ", name, " = ", self.written_out(inner), " in", Break()]
        return [*docs, self.written_out(jaxpr)]

    def jaxpr(self, jaxpr: Any) -> Doc:
        return self.shared.get(id(jaxpr)) or self.written_out(jaxpr)

    def written_out(self, jaxpr: Any) -> Doc:
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
        chosen = eqn.primitive.printed
        params = eqn.params if chosen is None else chosen(eqn.params)
        # Calls of functions begin with the name.
        keys = sorted(params, key=lambda k: (chosen is None or k != "name", k))
        if eqn.primitive.name == "jit":
            self.share_names(eqn)
        pairs = [[f"{k}=", self.value(params[k])] for k in keys]
        brackets = [Group([Nest(2, ["[", Break(""), *join(Break(), pairs)]), Break(""), "]"])] if pairs else []
        operands = self.row([self.name(v) for v in eqn.invars])
        equals = [binders, " = "] if eqn.outvars else []
        return [*self.comments(eqn), *equals, eqn.primitive.name, *brackets, " ", operands]

    def comments(self, eqn: Any) -> list[Doc]:
        """The user's place that an equation comes from, and the names it has there, if they are wanted."""
        source = eqn.source
        place = [Comment(str(source) if source else "")] if self.source_info else []
        return [*place, Comment(f"[{source.name_stack if source else ''}]")] if self.name_stack else place

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
        if type(value) is tuple and value and all(hasattr(v, "eqns") for v in value):
            docs = join(Break(), [self.value(v) for v in value])
            return Group([Nest(2, ["(", Break(""), *docs]), Break(""), ")"])
        return getattr(value, "__name__", None) if callable(value) and hasattr(value, "__name__") else str(value)
