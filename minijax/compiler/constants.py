"""Pass: what depends on constants alone is computed once, at compile time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minijax.compiler.rewriting import Rewriter, rewrite
from minijax.core import quiet_floating_point
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn

__all__ = ["LIMIT", "fold_constants"]

# The largest result, in bytes, that is worth keeping with the program.
LIMIT = 1 << 16
# Repeating a number costs nothing where it is used, and an array of it would hide that it is one number.
_LAZY = ("broadcast_in_dim",)


def fold_constants(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with known results in place of equations whose operands are all known. Bit-identical."""
    return rewrite(closed, _folded)


def _folded(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    operands = [program.value(v) for v in eqn.invars]
    if eqn.effects or eqn.primitive.name in _LAZY or any(x is None for x in operands):
        return None
    if sum(v.aval.size * v.aval.dtype.itemsize for v in eqn.outvars) > LIMIT:
        return None
    with quiet_floating_point():
        out = eqn.primitive.rule("impl")(*operands, **eqn.params)
    results = out if eqn.primitive.multiple_results else [out]
    return [program.constant(np.asarray(x)) for x in results]
