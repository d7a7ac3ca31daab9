"""The backward pass: run a recorded linear program from its results to its arguments.

The program holds y = A t, one linear equation after the other; the cotangent of t is the transpose of A times the
cotangent of y. Each equation's transpose rule turns the cotangent of its result into cotangents of its operands, last
equation first, and what arrives at a variable from several sides adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax.core import Zero
from minijax.jaxpr import Jaxpr, Literal, Var
from minijax.primitives.families import add_any_p
from minijax.source_info import at_source


def backward_pass(program: Jaxpr, cotangents: Sequence[Any], added_to: Sequence[Any] = ()) -> list[Any]:
    """Cotangents of the program's arguments, given those of its results; either may be `Zero`.

    With `added_to`, they are added to what it holds for each argument; None is nothing.
    """
    env: dict[Var, Any] = {v: ct for v, ct in zip(program.invars, added_to) if ct is not None}
    _add_up(env, program.outvars, cotangents)
    for eqn in reversed(program.eqns):
        prim = eqn.primitive
        if prim.multiple_results:
            if not any(v in env for v in eqn.outvars):
                continue
            ct = [env.pop(v) if v in env else Zero(v.aval) for v in eqn.outvars]
        else:
            ct = env.pop(eqn.outvars[0], None)
            if ct is None:
                continue
        # A variable is what a rule finds in place of an operand it is linear in.
        operands = [v.val if type(v) is Literal else v for v in eqn.invars]
        if eqn.source is None:
            _add_up(env, eqn.invars, prim.transpose(ct, *operands, **eqn.params))
        else:
            _add_up(env, eqn.invars, at_source(eqn.source, prim.transpose, (ct, *operands), eqn.params))
    return [env[v] if v in env else Zero(v.aval) for v in program.invars]


def _add_up(env: dict[Var, Any], atoms: Sequence[Any], cotangents: Sequence[Any]) -> None:
    """Add what arrives at each variable to what is there; None and `Zero` are nothing."""
    for v, ct in zip(atoms, cotangents, strict=True):
        if ct is not None and type(v) is Var and type(ct) is not Zero:
            env[v] = add_any_p.bind(env[v], ct) if v in env else ct
