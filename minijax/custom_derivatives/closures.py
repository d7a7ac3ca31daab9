"""closure_convert: what a function closes over, as arguments, so that a custom rule can speak of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minijax import dtypes
from minijax.arguments import operands_of
from minijax.batching import BatchTracer
from minijax.core import Tracer, get_aval
from minijax.jaxpr import stage
from minijax.jitted import flat_function
from minijax.primitives.calls import hoist_constants
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_unflatten


@api_boundary
def closure_convert(fun: Callable, *example_args: Any) -> tuple[Callable, list[Any]]:
    """(converted, consts): what `fun` closes over and may be being differentiated becomes further arguments.

    fun(*args) equals converted(*args, *consts); the example arguments give shapes and dtypes.
    """
    leaves, in_tree = tree_flatten((example_args, {}))
    out_trees: list[Any] = []
    avals = [get_aval(x) for x in operands_of("closure_convert", leaves)]
    closed_over, jaxpr = hoist_constants(stage(flat_function(fun, in_tree, out_trees), avals))
    is_argument = [_may_be_differentiated(c) for c in closed_over]
    consts = [c for c, hoisted in zip(closed_over, is_argument, strict=True) if hoisted]

    def converted(*args_and_consts: Any) -> Any:
        split = len(args_and_consts) - len(consts)
        leaves, tree = tree_flatten((args_and_consts[:split], {}))
        if tree != in_tree:
            raise TypeError(
                f"the converted function expected arguments like {in_tree} before its consts, but got {tree}."
            )
        given = iter(args_and_consts[split:])
        values = [next(given) if hoisted else c for c, hoisted in zip(closed_over, is_argument, strict=True)]
        return tree_unflatten(out_trees[0], jaxpr(*values, *leaves))

    return converted, consts


def _may_be_differentiated(x: Any) -> bool:
    """Tracers of floats may; examples in a vmap if what they are examples of may."""
    while type(x) is BatchTracer:
        x = x.val
    return isinstance(x, Tracer) and dtypes.is_inexact(x.dtype)
