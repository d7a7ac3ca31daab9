"""The passes of the compiler, in their order."""

from __future__ import annotations

from collections.abc import Callable

from minijax import config
from minijax.compiler.algebra import simplify
from minijax.compiler.common import merge_common
from minijax.compiler.constants import fold_constants
from minijax.compiler.control import PROGRAMS
from minijax.compiler.dead_code import drop_dead_code
from minijax.compiler.grouping import group_elementwise
from minijax.compiler.hoisting import hoist
from minijax.compiler.inline import inline
from minijax.compiler.layouts import fold_layouts
from minijax.jaxpr import ClosedJaxpr, Eqn

__all__ = ["PASSES", "enabled_passes", "everywhere", "optimize"]

PASSES: tuple[Callable[[ClosedJaxpr], ClosedJaxpr], ...] = (
    inline,
    drop_dead_code,
    fold_constants,
    simplify,
    fold_layouts,
    fold_constants,
    merge_common,
    hoist,
    drop_dead_code,
    group_elementwise,
)


def optimize(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program after all passes but those that are switched off."""
    for run in enabled_passes():
        closed = everywhere(run, closed)
    return closed


def enabled_passes() -> list[Callable[[ClosedJaxpr], ClosedJaxpr]]:
    """The passes in their order, without those that the flag minijax_disabled_passes names."""
    return [run for run in PASSES if run.__name__ not in config.disabled_passes.value]


def everywhere(run: Callable[[ClosedJaxpr], ClosedJaxpr], closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program after a pass has gone through it and through the bodies of its loops and branches."""
    eqns = [_within(run, eqn) for eqn in closed.eqns]
    if any(new is not old for new, old in zip(eqns, closed.eqns)):
        closed = closed.replace(jaxpr=closed.jaxpr.replace(eqns=eqns))
    return run(closed)


def _within(run: Callable[[ClosedJaxpr], ClosedJaxpr], eqn: Eqn) -> Eqn:
    parameters = PROGRAMS.get(eqn.primitive.name)
    if parameters is None:
        return eqn
    changed = {}
    for name in parameters:
        program = eqn.params[name]
        several = isinstance(program, tuple)
        changed[name] = tuple(everywhere(run, p) for p in program) if several else everywhere(run, program)
    return eqn.replace(params={**eqn.params, **changed})
