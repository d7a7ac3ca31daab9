"""The backward pass: run a recorded linear program from its results to its arguments.

The program holds y = A t, one linear equation after the other; the cotangent of t is
the transpose of A times the cotangent of y. Each equation's transpose rule turns
the cotangent of its result into cotangents of its operands, last equation first, and what
arrives at a variable from several sides adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax.core import Zero
from minijax.jaxpr import Jaxpr, Literal, Var
from minijax.primitives.families import add_any_p


def backward_pass(program: Jaxpr, cotangents: Sequence[Any]) -> list[Any]:
    """Cotangents of the program's arguments, given those of its results; either may be `Zero`."""
    env: dict[Var, Any] = {}

    def add(v: Any, ct: Any) -> None:
        if type(v) is Var and ct is not None and type(ct) is not Zero:
            env[v] = add_any_p.bind(env[v], ct) if v in env else ct

    for v, ct in zip(program.outvars, cotangents, strict=True):
        add(v, ct)
    for eqn in reversed(program.eqns):
        prim = eqn.primitive
        if prim.multiple_results:
            if not any(v in env for v in eqn.outvars):
                continue
            ct = [env.pop(v, None) for v in eqn.outvars]
            ct = [Zero(v.aval) if c is None else c for v, c in zip(eqn.outvars, ct, strict=True)]
        else:
            ct = env.pop(eqn.outvars[0], None)
            if ct is None:
                continue
        operands = [v.val if type(v) is Literal else v for v in eqn.invars]
        for v, c in zip(eqn.invars, prim.rule("transpose")(ct, *operands, **eqn.params), strict=True):
            add(v, c)
    return [env[v] if v in env else Zero(v.aval) for v in program.invars]
