"""Pass: calls become what they call, so that the other passes see one flat program."""

from __future__ import annotations

from collections.abc import Sequence

from minijax.compiler.rewriting import Rewriter, rewrite
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn

__all__ = ["inline"]

# Primitives that call a program once, and the parameter that it stands in. checkpoint is not among them: its
# program, written out beside that of the forward pass, would be recognised as the same and not be computed anew.
CALLS = {"jit": "jaxpr", "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr", "composite": "jaxpr"}


def inline(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program without calls of jitted functions and of functions with rules of their own."""
    return rewrite(closed, _inlined)


def _inlined(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    parameter = CALLS.get(eqn.primitive.name)
    if parameter is None:
        return None
    return program.splice(eqn.params[parameter], eqn.invars, _inlined)
