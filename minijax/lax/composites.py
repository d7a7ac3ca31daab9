"""lax.composite."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minijax.arguments import operands_of
from minijax.core import Tracer
from minijax.errors import UnexpectedTracerError
from minijax.lax.bodies import avals_of, trace_body
from minijax.primitives.composite import composite_p
from minijax.tree_util import tree_flatten, tree_structure, tree_unflatten

__all__ = ["composite"]


def composite(decomposition: Callable, name: str, version: int = 0) -> Callable:
    """`decomposition` as one operation called `name`, which jaxprs show with its attributes and its body.

    Positional arguments are pytrees of arrays, keyword arguments are the attributes. There is neither a
    derivative nor batching. Raises UnexpectedTracerError if the decomposition closes over a traced value.
    """

    @functools.wraps(decomposition)
    def call(*args: Any, **attributes: Any) -> Any:
        leaves, _ = tree_flatten(args)
        operands = operands_of("composite", leaves)
        in_tree = tree_structure((args, {}))
        body = trace_body(functools.partial(decomposition, **attributes), in_tree, avals_of(operands))
        if any(isinstance(c, Tracer) for c in body.consts):
            raise UnexpectedTracerError(
                f"lax.composite: the decomposition of {name!r} closes over a traced value. Pass it as an argument."
            )
        outs = composite_p.bind(
            *body.consts,
            *operands,
            attributes=tuple([(key, *_flat(value)) for key, value in attributes.items()]),
            jaxpr=body.closed,
            name=name,
            version=version,
        )
        return tree_unflatten(body.out_tree, outs)

    return call


def _flat(value: Any) -> tuple[tuple[Any, ...], Any]:
    leaves, tree = tree_flatten(value)
    return tuple(leaves), tree
