"""custom_vjp and custom_gradient: functions with their own reverse derivative."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minijax import dtypes
from minijax.core import ShapedArray, Tracer, Zero, get_aval
from minijax.custom_derivatives.arguments import (
    CustomFunction,
    ResultType,
    closures_explained,
    examples_in_closure,
    name_of,
    without_first,
)
from minijax.custom_derivatives.zeros import CustomVJPPrimal, SymbolicZero, visible_zero
from minijax.errors import UnexpectedTracerError
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.primitives.batched_rules import defined_here
from minijax.primitives.calls import hoist_constants
from minijax.primitives.custom_rules import custom_vjp_call_p
from minijax.primitives.remat_opt import forward_pass
from minijax.primitives.shaping import as_value
from minijax.tracebacks import api_boundary
from minijax.tree_util import (
    keystr,
    register_pytree_node,
    tree_flatten,
    tree_flatten_with_path,
    tree_leaves,
    tree_structure,
    tree_unflatten,
)


class custom_vjp(CustomFunction):
    """A function with its own reverse derivative: `f.defvjp(fwd, bwd)`.

    fwd(*args) -> (out, residuals); bwd(*nondiff_args, residuals, cotangent) -> a tuple with a cotangent for
    each differentiable argument, None for zero. Forward mode raises TypeError.
    Source: https://docs.jax.dev/en/latest/notebooks/Custom_derivative_rules_for_Python_code.html
    """

    kind = "custom_vjp"
    fwd: Callable | None = None
    bwd: Callable | None = None
    symbolic_zeros = False
    optimize_remat = False

    def defvjp(self, fwd: Callable, bwd: Callable, symbolic_zeros: bool = False, optimize_remat: bool = False) -> None:
        """Set the rules; `symbolic_zeros` shows them which arguments matter and which cotangents are zero.

        With `optimize_remat` a checkpoint that needs no residual of fwd calls the function in its place. Raises
        NotImplementedError for both options together.
        """
        if symbolic_zeros and optimize_remat:
            raise NotImplementedError("defvjp: symbolic_zeros and optimize_remat do not go together. Choose one.")
        self.fwd, self.bwd = fwd, bwd
        self.symbolic_zeros, self.optimize_remat = symbolic_zeros, optimize_remat

    @api_boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        nondiff, diff, rebuild = self._split(self._positional(args, kwargs))
        self._check_call(nondiff)
        leaves, in_tree = tree_flatten(tuple(diff))
        in_avals = [get_aval(x).to_tangent_aval() for x in leaves]
        trees: dict[str, Any] = {}
        result_type = ResultType()

        def flat_fun(*flat: Any) -> list[Any]:
            outs, trees["out"] = tree_flatten(self.fun(*rebuild(tree_unflatten(in_tree, flat))))
            result_type.note(outs, trees["out"])
            return outs

        def run_fwd(*flat: Any) -> tuple[list[Any], list[Any]]:
            rule = f"Custom VJP fwd rule {name_of(self.fwd)} for function {self._name}"
            with closures_explained(self._name, self.fun, self.fwd):
                result = self.fwd(*rebuild(tree_unflatten(in_tree, flat)))
            out, res = _checked_pair(rule, result)
            outs, trees["out"] = tree_flatten(out)
            residuals, trees["res"] = tree_flatten(res)
            result_type.check(outs, trees["out"], rule, self._name)
            return outs, residuals

        @functools.wraps(self.fwd)
        def flat_fwd(*flat: Any, nonzero: Sequence[bool] | None = None) -> tuple[list[Any], list[Any]]:
            if self.optimize_remat:
                return forward_pass(run_fwd, flat_fun, flat)
            if nonzero is not None:
                flat = tuple([CustomVJPPrimal(x, nz) for x, nz in zip(flat, nonzero, strict=True)])
            return run_fwd(*flat)

        @functools.wraps(self.bwd)
        def flat_bwd(*flat: Any) -> list[Any]:
            n = trees["res"].num_leaves
            residuals = tree_unflatten(trees["res"], flat[:n])
            ct = tree_unflatten(trees["out"], [visible_zero(x) if type(x) is Zero else as_value(x) for x in flat[n:]])
            return _checked_cotangents(self, self.bwd(*nondiff, residuals, ct), in_tree, in_avals)

        consts = examples_in_closure(self.fun)
        outs = custom_vjp_call_p.bind(
            *consts,
            *leaves,
            call_jaxpr=defined_here(without_first(flat_fun, len(consts))),
            fwd=defined_here(flat_fwd),
            bwd=defined_here(flat_bwd),
            name=self._name,
            num_consts=len(consts),
            symbolic_zeros=self.symbolic_zeros,
        )
        return tree_unflatten(trees["out"], outs)

    def _check_call(self, nondiff: Sequence[Any]) -> None:
        if self.fwd is None or self.bwd is None:
            raise AttributeError(
                f"No VJP defined for custom_vjp function {self._name} using defvjp. "
                f"Call `{self._name}.defvjp(fwd, bwd)` before the first call."
            )
        if any(isinstance(x, Tracer) for x in tree_leaves(nondiff)):
            raise UnexpectedTracerError(
                f"a traced array is an argument of the custom_vjp function {self._name} at a position of "
                f"nondiff_argnums={self.nondiff_argnums}: bwd runs later, when the trace may have ended. Such "
                "arguments are for functions and settings; give arrays as ordinary arguments, with None for their "
                "cotangent."
            )


# ----------------------------------------------------------------- what the rules return


def _checked_pair(rule: str, result: Any) -> Any:
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(
            f"{rule} must produce a pair (list or tuple of length two), but got {result}. Return "
            "(primal_out, residuals)."
        )
    return result


def _checked_cotangents(rules: custom_vjp, result: Any, in_tree: Any, avals: Sequence[ShapedArray]) -> list[Any]:
    """A cotangent or None for each leaf of the arguments, from what the user's bwd returned."""
    rule = f"Custom VJP bwd rule {name_of(rules.bwd)} for function {rules._name}"
    shells = tree_unflatten(in_tree, range(in_tree.num_leaves))
    if not isinstance(result, tuple | list) or len(result) != len(shells):
        raise TypeError(
            f"{rule} must produce a tuple of length equal to the primal args tuple ({len(shells)}), but got {result}. "
            "Return one cotangent for each argument; for a single argument write `return (ct,)`."
        )
    cts = [x for ct, shell in zip(result, shells, strict=True) for x in _leaves_or_none(ct, shell, rule)]
    paths = [path for path, _ in tree_flatten_with_path(shells)[0]]
    return [_checked_cotangent(*parts, rule) for parts in zip(cts, avals, paths, strict=True)]


def _checked_cotangent(ct: Any, aval: ShapedArray, path: Any, rule: str) -> Any:
    """None for zero. Raises ValueError for another shape; as in JAX a float may have another dtype."""
    if ct is None or (aval.dtype == dtypes.float0 and not isinstance(ct, SymbolicZero)):
        return None
    got = ct.aval if isinstance(ct, SymbolicZero) else get_aval(ct)
    if got.shape != aval.shape or isinstance(ct, SymbolicZero) and got.dtype != aval.dtype:
        raise ValueError(
            f"{rule} must produce cotangents of the arguments' shapes and dtypes, but got {got.str_short()} at "
            f"output{keystr(path)}, whose argument is {aval.str_short()}. Sum over broadcast axes, or write None for "
            "zero."
        )
    return None if isinstance(ct, SymbolicZero) else ct


def _leaves_or_none(ct: Any, shell: Any, rule: str) -> list[Any]:
    """Leaves of a cotangent tree. None is zero, and one cotangent serves, for a whole subtree of arguments."""

    def is_leaf(x: Any) -> bool:
        return x is None or isinstance(x, SymbolicZero)

    given, tree = tree_flatten(ct, is_leaf=is_leaf)
    try:
        parts = tree.flatten_up_to(shell)
    except (ValueError, TypeError):
        raise TypeError(
            f"{rule} must produce cotangents in the structure of the arguments, but got {tree} where the argument is "
            f"{tree_structure(shell)}. Return None, or a tree like the argument's."
        ) from None
    return [c for c, part in zip(given, parts, strict=True) for _ in tree_leaves(part)]


# ----------------------------------------------------------------- custom_gradient


class _StagedRule:
    """A user's gradient function as a jaxpr, with what it closes over: the residuals of custom_gradient."""

    def __init__(self, consts: Sequence[Any], closed: ClosedJaxpr, tree: Any):
        self.consts, self.closed, self.tree = consts, closed, tree

    def __call__(self, ct: Any) -> Any:
        cts = tree_unflatten(self.tree, self.closed(*self.consts, *tree_flatten(ct)[0]))
        return (cts,) if self.tree.num_nodes == 1 and self.tree.num_leaves == 1 else cts


register_pytree_node(
    _StagedRule, lambda r: (r.consts, (r.closed, r.tree)), lambda aux, consts: _StagedRule(consts, *aux)
)


@api_boundary
def custom_gradient(fun: Callable) -> Callable:
    """A function with its own reverse derivative, of a `fun` that returns (value, gradient function).

    The gradient function takes the cotangent of the value to a tuple with one for each argument; it may close over
    what `fun` has computed. custom_vjp does the same with two functions.
    """

    @functools.wraps(fun)
    def value(*args: Any, **kwargs: Any) -> Any:
        return fun(*args, **kwargs)[0]

    def fwd(*args: Any, **kwargs: Any) -> tuple[Any, _StagedRule]:
        out, rule = fun(*args, **kwargs)
        leaves, out_tree = tree_flatten(out)
        trees: list[Any] = []

        def flat_rule(*cts: Any) -> list[Any]:
            given, tree = tree_flatten(rule(tree_unflatten(out_tree, cts)))
            trees.append(tree)
            return given

        consts, closed = hoist_constants(stage(flat_rule, [get_aval(x).to_tangent_aval() for x in leaves]))
        return out, _StagedRule(consts, closed, trees[-1])

    wrapped = custom_vjp(value)
    wrapped.defvjp(fwd, lambda staged, ct: staged(ct))
    return wrapped
