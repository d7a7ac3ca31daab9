"""Pass: what is computed twice in the same way is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax.compiler.rewriting import Rewriter, rewrite
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn, Literal, Var

__all__ = ["merge_common"]


# x * y and y * x are the same to the bit.
_COMMUTATIVE = frozenset({"add", "add_any", "and", "eq", "mul", "ne", "or", "xor"})


def merge_common(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program without equations that repeat an earlier one. Bit-identical."""
    seen: dict[Any, list[Var]] = {}

    def merged(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
        key = None if eqn.effects else _key(eqn)
        if key is None:
            return None
        found = seen.setdefault(key, eqn.outvars)
        return None if found is eqn.outvars else found

    return rewrite(closed, merged)


def _key(eqn: Eqn) -> Any:
    """The same for equations that compute the same; None for those that cannot be compared.

    Equality is not enough where 0.0 == -0.0 and 1 == True.
    """
    params = tuple((name, type(x), repr(x) if isinstance(x, float | complex) else x) for name, x in eqn.params.items())
    operands: Any = tuple(map(_identity, eqn.invars))
    try:
        if eqn.primitive.name in _COMMUTATIVE and len(set(operands)) == 2:
            operands = frozenset(operands)
        key = eqn.primitive, operands, params
        hash(key)
    except TypeError:
        return None
    return key


def _identity(v: Atom) -> Any:
    if type(v) is not Literal:
        return v
    value = v.aval
    # By its bits: 0.0 and -0.0 are equal, and NaN is not equal to itself.
    return value.dtype, value.dtype.type(v.val).tobytes()
