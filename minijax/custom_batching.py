"""jax.custom_batching: functions whose batching rule the user writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minijax.arguments import operands_of
from minijax.core import get_aval
from minijax.custom_derivatives.arguments import FunctionWithRule, name_of, positional
from minijax.errors import UnexpectedTracerError
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.lax.mapping import map as lax_map
from minijax.primitives.calls import hoist_constants
from minijax.primitives.custom_vmap import Rule, custom_vmap_p
from minijax.tree_util import tree_flatten, tree_leaves, tree_map, tree_structure, tree_unflatten

__all__ = ["custom_vmap", "sequential_vmap"]


class custom_vmap(FunctionWithRule):
    """A function with its own batching rule: rule(axis_size, in_batched, *args) -> (out, out_batched).

    in_batched is a list of trees of bools like the arguments; what is batched carries the axis in front, here and in
    the result. Forward mode differentiates the rule; for reverse mode wrap the function in `custom_vjp`.
    Source: https://docs.jax.dev/en/latest/_autosummary/jax.custom_batching.custom_vmap.html
    """

    vmap_rule: Callable | None = None

    def def_vmap(self, vmap_rule: Callable) -> Callable:
        """Set the rule, which is returned."""
        self.vmap_rule = vmap_rule
        return vmap_rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = positional(self.fun, "custom_vmap", args, kwargs)
        if self.vmap_rule is None:
            raise AttributeError(
                f"No batching rule defined for custom_vmap function {name_of(self.fun)} using def_vmap. Define it with "
                f"`@{name_of(self.fun)}.def_vmap` before the first call."
            )
        leaves, in_tree = tree_flatten(args)
        operands = operands_of("custom_vmap", leaves)
        out_trees: list[Any] = []

        def flat(*leaves: Any) -> list[Any]:
            outs, tree = tree_flatten(self.fun(*tree_unflatten(in_tree, leaves)))
            out_trees.append(tree)
            return outs

        consts, call = hoist_constants(stage(flat, [get_aval(x) for x in operands], name_of(self.fun)))
        outs = custom_vmap_p.bind(
            *consts,
            *operands,
            call=call,
            rule=_flat_rule(self.vmap_rule, len(consts), in_tree, out_trees[-1], call),
            in_tree=tree_structure((consts, args)),
            out_tree=out_trees[-1],
        )
        return tree_unflatten(out_trees[-1], outs)


def _flat_rule(rule: Callable, num_consts: int, in_tree: Any, out_tree: Any, call: ClosedJaxpr) -> Rule:
    """The user's rule for leaves, checked."""

    @functools.wraps(rule)
    def flat_rule(size: int, batched: Sequence[bool], operands: Sequence[Any]) -> tuple[list[Any], list[bool]]:
        if any(batched[:num_consts]):
            raise UnexpectedTracerError(
                f"the custom vmap rule {name_of(rule)} does not know of the batched values that its function closes "
                "over. Pass them to the function as arguments."
            )
        args = tree_unflatten(in_tree, operands[num_consts:])
        result = rule(size, list(tree_unflatten(in_tree, batched[num_consts:])), *args)
        outs, out_batched = _checked_result(rule, result, out_tree)
        for x, b, aval in zip(outs, out_batched, call.out_avals, strict=True):
            wanted = (size, *aval.shape) if b else aval.shape
            if get_aval(x).shape != wanted:
                raise ValueError(
                    f"the custom vmap rule {name_of(rule)} returned {get_aval(x).str_short()} for a result of the "
                    f"function that is {aval.str_short()}, and says that it is {'' if b else 'not '}batched: then it "
                    f"has the shape {wanted}. Put the batch axis in front."
                )
        return outs, out_batched

    return flat_rule


def _checked_result(rule: Callable, result: Any, out_tree: Any) -> tuple[list[Any], list[bool]]:
    """Leaves of (out, out_batched). Raises ValueError if the trees do not fit."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise ValueError(
            f"the custom vmap rule {name_of(rule)} must return a pair, the result and which of its leaves are batched, "
            f"but got {result}. Return (out, True) for one batched array."
        )
    outs, tree = tree_flatten(result[0])
    out_batched, batched_tree = tree_flatten(result[1])
    if tree != batched_tree:
        raise ValueError(
            f"the custom vmap rule {name_of(rule)} returned a result of the structure {tree} and said of the structure "
            f"{batched_tree} what is batched. Return a bool for each array of the result, in the same tree."
        )
    if tree != out_tree:
        raise ValueError(
            f"the custom vmap rule {name_of(rule)} returned a result of the structure {tree}, the function itself one "
            f"of {out_tree}. Return the same tree."
        )
    return outs, [bool(b) for b in out_batched]


def sequential_vmap(f: Callable) -> custom_vmap:
    """`f`, which vmap calls with one example after the other, in a loop: for what cannot take all at once."""
    looped = custom_vmap(f)

    @looped.def_vmap
    def rule(axis_size: int, in_batched: list[Any], *args: Any) -> tuple[Any, Any]:
        batched = tree_leaves(in_batched)
        leaves, tree = tree_flatten(args)

        def one(examples: list[Any]) -> Any:
            given = iter(examples)
            return looped(
                *tree_unflatten(tree, [next(given) if b else x for x, b in zip(leaves, batched, strict=True)])
            )

        out = lax_map(one, [x for x, b in zip(leaves, batched, strict=True) if b])
        return out, tree_map(lambda _: True, out)

    return looped
