"""What running an equation does beside computing its results: print, call back, write a file.

An effect stands in `jaxpr.effects`, on the equation that has it and on everything around that. Equations that
have one stay in a program even if nobody reads their results. *Ordered* effects happen in the order of the
program; here all do, since equations run one after the other.
"""

from __future__ import annotations

from typing import Any

__all__ = ["DebugEffect", "Effect", "IOEffect", "NoDCEEffect", "OrderedDebugEffect", "OrderedIOEffect"]


class Effect:
    """A side effect. There is one object of each class, which compares by identity."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class DebugEffect(Effect):
    """Shows a value to somebody: it may happen several times, or not at all, where a transformation sees fit."""

    def __str__(self) -> str:
        return "Debug"


class OrderedDebugEffect(Effect):
    """As DebugEffect, in the order of the program."""

    def __str__(self) -> str:
        return "OrderedDebug"


class IOEffect(Effect):
    """Reads or changes something outside of the program."""

    def __str__(self) -> str:
        return "IO"


class OrderedIOEffect(Effect):
    """As IOEffect, in the order of the program."""

    def __str__(self) -> str:
        return "OrderedIO"


class NoDCEEffect(Effect):
    """Nothing but that the equation stays."""

    def __str__(self) -> str:
        return "NoDCE"


debug_effect, ordered_debug_effect = DebugEffect(), OrderedDebugEffect()
io_effect, ordered_io_effect = IOEffect(), OrderedIOEffect()
no_dce_effect = NoDCEEffect()


def has_io(*jaxprs: Any, ordered_only: bool = False) -> bool:
    """Whether any of the jaxprs reads or changes something outside of the program."""
    unwanted = {ordered_io_effect} if ordered_only else {io_effect, ordered_io_effect}
    return any(not unwanted.isdisjoint(jaxpr.effects) for jaxpr in jaxprs)


def program_effects(jaxpr: Any) -> set[Effect]:
    """What a jaxpr does beside computing its results: the effects of its equations."""
    return {effect for eqn in jaxpr.eqns for effect in equation_effects(eqn)}


def equation_effects(eqn: Any) -> set[Effect]:
    """What an equation does beside computing its results, in jaxprs that it calls too."""
    own = set() if eqn.primitive.effects is None else {eqn.primitive.effects(eqn.params)}
    called = [p for value in eqn.params.values() for p in (value if type(value) is tuple else (value,))]
    return own.union(*[program_effects(p) for p in called if hasattr(p, "eqns")])
