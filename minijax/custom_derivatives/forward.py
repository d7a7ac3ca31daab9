"""custom_jvp: a function with its own forward derivative, which serves reverse mode as well."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minijax.core import Tracer, get_aval
from minijax.custom_derivatives.arguments import (
    CustomFunction,
    ResultType,
    closures_explained,
    examples_in_closure,
    name_of,
    without_first,
)
from minijax.custom_derivatives.zeros import SymbolicZero, hidden_zero, visible_zero, zero_from_primal
from minijax.primitives.batched_rules import defined_here
from minijax.primitives.conversion import stop_gradient
from minijax.primitives.custom_rules import custom_jvp_call_p
from minijax.primitives.families import add_any_p
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_map, tree_unflatten


class custom_jvp(CustomFunction):
    """A function with its own forward derivative: rule(primals, tangents) -> (out, tangent_out).

    It serves reverse mode as well, which transposes what the rule does to its tangents. Arguments
    in `nondiff_argnums` may be anything; the rule gets them first, before primals and tangents.
    Source: https://docs.jax.dev/en/latest/notebooks/Custom_derivative_rules_for_Python_code.html
    """

    kind = "custom_jvp"
    jvp: Callable | None = None
    symbolic_zeros = False

    def defjvp(self, jvp: Callable, symbolic_zeros: bool = False) -> Callable:
        """Set the rule. With `symbolic_zeros` it gets `SymbolicZero` objects for tangents that are zero."""
        self.jvp = jvp
        self.symbolic_zeros = symbolic_zeros
        return jvp

    def defjvps(self, *jvps: Callable | None) -> None:
        """Set one rule for each argument: rule(tangent, primal_out, *primals) is its part of the tangent."""
        if self.nondiff_argnums:
            raise TypeError("Can't use ``defjvps`` with ``nondiff_argnums``: write one rule and set it with defjvp.")

        def jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
            out = self(*primals)
            parts = [rule(t, out, *primals) for rule, t in zip(jvps, tangents, strict=True) if rule is not None]
            total = parts[0] if parts else tree_map(zero_from_primal, out)
            for part in parts[1:]:
                total = tree_map(add_any_p.bind, total, part)
            return out, total

        self.defjvp(jvp)

    @api_boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.jvp is None:
            raise AttributeError(
                f"No JVP defined for custom_jvp function {self._name} using defjvp. "
                f"Define it with `@{self._name}.defjvp` before the first call."
            )
        args = self._positional(args, kwargs)
        if self.nondiff_argnums:
            args = tuple([tree_map(_held, x) if i in self.nondiff_argnums else x for i, x in enumerate(args)])
        nondiff, diff, rebuild = self._split(args)
        leaves, in_tree = tree_flatten(tuple(diff))
        out_trees: list[Any] = []
        result_type = ResultType()

        def flat_fun(*flat: Any) -> list[Any]:
            outs, tree = tree_flatten(self.fun(*rebuild(tree_unflatten(in_tree, flat))))
            result_type.note(outs, tree)
            out_trees.append(tree)
            return outs

        @functools.wraps(self.jvp)
        def flat_jvp(*flat: Any) -> list[Any]:
            primals = tree_unflatten(in_tree, flat[: len(leaves)])
            tangents = tree_unflatten(in_tree, [visible_zero(t) for t in flat[len(leaves) :]])
            rule = f"Custom JVP rule {name_of(self.jvp)} for function {self._name}"
            with closures_explained(self._name, self.fun, self.jvp):
                result = self.jvp(*nondiff, primals, tangents)
            outs, out_tangents, tree = _checked_result(rule, result)
            result_type.check(outs, tree, rule, self._name)
            out_trees.append(tree)
            return [*outs, *out_tangents]

        consts = examples_in_closure(self.fun)
        outs = custom_jvp_call_p.bind(
            *consts,
            *leaves,
            call_jaxpr=defined_here(without_first(flat_fun, len(consts))),
            jvp=defined_here(flat_jvp),
            name=self._name,
            num_consts=len(consts),
            symbolic_zeros=self.symbolic_zeros,
        )
        return tree_unflatten(out_trees[-1], outs)


def _held(x: Any) -> Any:
    """A non-differentiable argument: if it is a tracer, its derivative ends here."""
    return stop_gradient(x) if isinstance(x, Tracer) else x


def _checked_result(rule: str, result: Any) -> tuple[list[Any], list[Any], Any]:
    """Leaves of the primal and tangent results of a user's jvp rule, and their tree."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(
            f"{rule} must produce a pair (list or tuple of length two) representing primal and tangent outputs, but "
            f"got {result}. Return (primal_out, tangent_out)."
        )
    outs, tree = tree_flatten(result[0])
    tangents, tangent_tree = tree_flatten(result[1], is_leaf=lambda x: isinstance(x, SymbolicZero))
    if tree != tangent_tree:
        raise TypeError(
            f"{rule} must produce primal and tangent outputs with equal container (pytree) structures, but got "
            f"{tree} and {tangent_tree} respectively. Return tangents in the structure of the result."
        )
    for o, t in zip(outs, tangents, strict=True):
        want = get_aval(o).to_tangent_aval()
        got = t.aval if isinstance(t, SymbolicZero) else get_aval(t)
        if (want.shape, want.dtype) != (got.shape, got.dtype):
            raise TypeError(
                f"{rule} must produce primal and tangent outputs with corresponding shapes and dtypes, but got primal "
                f"{get_aval(o).str_short()} (tangent type {want.str_short()}) and tangent {got.str_short()}. Make the "
                "tangent output match, for example with .astype and broadcast_to."
            )
    return outs, [hidden_zero(t) for t in tangents], tree
