"""The passes of the compiler, in their order."""

from __future__ import annotations

from collections.abc import Callable

from minijax.compiler.algebra import simplify
from minijax.compiler.common import merge_common
from minijax.compiler.constants import fold_constants
from minijax.compiler.dead_code import drop_dead_code
from minijax.compiler.grouping import group_elementwise
from minijax.compiler.inline import inline
from minijax.compiler.layouts import fold_layouts
from minijax.jaxpr import ClosedJaxpr

__all__ = ["PASSES", "optimize"]

PASSES: tuple[Callable[[ClosedJaxpr], ClosedJaxpr], ...] = (
    inline,
    drop_dead_code,
    fold_constants,
    simplify,
    fold_layouts,
    fold_constants,
    merge_common,
    drop_dead_code,
    group_elementwise,
)


def optimize(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program after all passes."""
    for run in PASSES:
        closed = run(closed)
    return closed
