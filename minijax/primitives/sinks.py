"""dce_sink: a value counts as used, so that what computes it is not left out."""

from __future__ import annotations

from typing import Any

from minijax.core import Primitive
from minijax.effects import no_dce_effect
from minijax.primitives.families import is_zero
from minijax.tree_util import tree_map

__all__ = ["dce_sink", "dce_sink_p"]


def dce_sink(val: Any, *, prevent_mlir_dce: bool = False) -> None:
    """Mark the arrays of a tree as used. prevent_mlir_dce: also for XLA; it means nothing here."""
    tree_map(lambda x: dce_sink_p.bind(x, prevent_mlir_dce=prevent_mlir_dce), val)


dce_sink_p = Primitive("dce_sink", multiple_results=True)
dce_sink_p.effects = lambda params: no_dce_effect
dce_sink_p.impl = lambda x, **params: []
dce_sink_p.shape_rule = lambda x, **params: []
# There are no results, so nothing to send back.
dce_sink_p.transpose = lambda cts, x, **params: [None]


def _jvp(primals: Any, tangents: Any, **params: Any) -> tuple[list, list]:
    """The tangent is kept, too."""
    for x in (*primals, *tangents):
        if not is_zero(x):
            dce_sink_p.bind(x, **params)
    return [], []


dce_sink_p.jvp = _jvp
# As in JAX, where batching leaves the mark out.
dce_sink_p.batch = lambda axis_size, args, dims, **params: ([], [])
