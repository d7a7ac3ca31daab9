"""The functions that users give to loops and branches: traced into jaxprs, and checked against one another.

As with jit, a function is traced once for each kind of arguments, and the jaxpr, with all that is derived from it,
is kept as long as the function lives.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minijax import config, dtypes
from minijax.caches import cache_of
from minijax.core import ShapedArray, Tracer, get_aval
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.jitted import flat_function, fun_name
from minijax.primitives.calls import hoist_constants, same_type
from minijax.primitives.conversion import convert
from minijax.tree_util import keystr, tree_flatten_with_path, tree_unflatten


class Body(NamedTuple):
    """A traced function: (*consts, *arguments) -> results; what it closes over, and the tree of its result."""

    closed: ClosedJaxpr
    consts: list[Any]
    out_tree: Any


def trace_body(fun: Callable, in_tree: Any, avals: Sequence[ShapedArray], made_from: Callable | None = None) -> Body:
    """`fun(*args)` as a jaxpr; in_tree is the tree of (args, {}).

    `made_from` is the user's function that a loop has put `fun` around.
    """
    cache = cache_of(made_from or fun)
    key = (fun_name(fun), in_tree, tuple(avals), config.trace_context())
    body = cache.get(key)
    if body is None:
        out_trees: list[Any] = []
        consts, closed = hoist_constants(stage(flat_function(fun, in_tree, out_trees), avals, fun_name(fun)))
        body = Body(closed, consts, out_trees[-1])
        if any(isinstance(c, Tracer) for c in consts):
            return body  # a tracer of the surrounding transformation must not outlive it
        body = cache.keep(key, body)
    return body


def avals_of(leaves: Sequence[Any]) -> list[ShapedArray]:
    """The avals of operands. Raises TypeError for what is no array or number."""
    return [get_aval(x) for x in leaves]


def is_concrete(x: Any) -> bool:
    """Whether the value of `x` is known."""
    return not isinstance(x, Tracer)


def promoted_carry(
    values: Sequence[Any], avals: Sequence[ShapedArray], after: Sequence[ShapedArray]
) -> tuple[list[Any], bool]:
    """The initial carry, weakly typed leaves with the dtype that one turn gives them; whether any changed.

    Of a carry that starts with 0.0 the dtype is what the body makes of it.
    """
    out, changed = [], False
    for x, aval, later in zip(values, avals, after, strict=True):
        if aval.weak_type and not same_type(aval, later):
            x, changed = convert(x, dtypes.result_type(x, later)), True
        out.append(x)
    return out, changed


def check_carry(
    what: str, fun: Callable, tree: Any, avals: Sequence[ShapedArray], out_tree: Any, out_avals: Sequence[ShapedArray]
) -> None:
    """Raise TypeError, which names the leaves, unless a body returns a carry like the one that it takes."""
    name = _first_parameter(fun)
    if tree != out_tree:
        raise TypeError(
            f"{what} function: carry input and carry output must have the same pytree structure, but the input is "
            f"{tree} and the output {out_tree}. {_missing_leaves(name, tree, out_tree)}Return a carry of the "
            "structure that the function takes."
        )
    lines = [
        f"  * {name}{path} has type {a.str_long()} in the carry input and {b.str_long()} in the carry output"
        for path, a, b in zip(leaf_paths(tree), avals, out_avals, strict=True)
        if not same_type(a, b)
    ]
    if lines:
        raise TypeError(
            f"{what} function: carry input and carry output must have equal types, because each turn is given what "
            "the one before has returned, but they differ:\n"
            + "\n".join(lines)
            + "\nConvert one of the two: the initial value, or what the function returns, for example by .astype()."
        )


def _first_parameter(fun: Callable) -> str:
    try:
        return next(iter(inspect.signature(fun).parameters), "carry")
    except (TypeError, ValueError):  # builtins
        return "carry"


def leaf_paths(tree: Any) -> list[str]:
    """How each leaf of a tree is reached, such as `['a'][0]`."""
    return [keystr(path) for path, _ in tree_flatten_with_path(tree_unflatten(tree, range(tree.num_leaves)))[0]]


def _missing_leaves(name: str, tree: Any, out_tree: Any) -> str:
    before, after = leaf_paths(tree), leaf_paths(out_tree)
    gone = [f"{name}{path}" for path in before if path not in after]
    new = [f"{name}{path}" for path in after if path not in before]
    text = f"The input leaves {', '.join(gone)} are not in the output. " if gone else ""
    return text + (f"The output leaves {', '.join(new)} are not in the input. " if new else "")
