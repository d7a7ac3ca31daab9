"""linear_call: a linear function with a transpose of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minijax.arguments import operands_of
from minijax.core import get_aval
from minijax.custom_derivatives.arguments import name_of
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.primitives.calls import hoist_constants
from minijax.primitives.linear_call import linear_call_p
from minijax.tree_util import tree_flatten, tree_unflatten


def linear_call(fun: Callable, fun_transpose: Callable, residual_args: Any, linear_args: Any) -> Any:
    """fun(residual_args, linear_args), linear in the latter; fun_transpose(residual_args, ct) is its transpose.

    The transpose of the transpose is `fun` again. fun_transpose returns cotangents in the tree of the linear
    arguments, else TypeError.
    """
    residuals, res_tree = tree_flatten(residual_args)
    linear, lin_tree = tree_flatten(linear_args)
    res_avals, lin_avals = ([get_aval(x) for x in operands_of("linear_call", part)] for part in (residuals, linear))
    consts, callee, out_tree = _traced(fun, res_tree, lin_tree, [*res_avals, *lin_avals])

    def transpose() -> tuple[ClosedJaxpr, list[Any]]:
        t_consts, transposed, tree = _traced(fun_transpose, res_tree, out_tree, [*res_avals, *callee.out_avals])
        if tree != lin_tree:
            raise TypeError(
                f"linear_call: the transpose {name_of(fun_transpose)} must return a tree like the linear arguments', "
                f"{lin_tree}, but got {tree}."
            )
        return transposed, t_consts

    outs = linear_call_p.bind(
        *consts,
        *residuals,
        *linear,
        callee=callee,
        transpose_thunk=transpose,
        num_callee_consts=len(consts),
        num_res=len(residuals),
    )
    return tree_unflatten(out_tree, outs)


def _traced(fun: Callable, res_tree: Any, lin_tree: Any, avals: list[Any]) -> tuple[list[Any], ClosedJaxpr, Any]:
    """What fun(residuals, linear) closes over, its jaxpr with that as leading arguments, and its result's tree."""
    out_trees: list[Any] = []
    split = res_tree.num_leaves

    def flat(*leaves: Any) -> list[Any]:
        out = fun(tree_unflatten(res_tree, leaves[:split]), tree_unflatten(lin_tree, leaves[split:]))
        outs, tree = tree_flatten(out)
        out_trees.append(tree)
        return outs

    consts, closed = hoist_constants(stage(flat, avals, name_of(fun)))
    return consts, closed, out_trees[-1]
