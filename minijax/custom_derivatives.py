"""custom_jvp and custom_vjp: functions whose derivative the user writes.

The classes deal with pytrees, keyword arguments, non-differentiable arguments and with checking what
the user's rules return; `primitives/custom_rules.py` deals with transformations.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minijax import dtypes
from minijax.caches import KeepsItsTraces
from minijax.core import ShapedArray, Zero, get_aval
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.primitives.calls import hoist_constants
from minijax.primitives.custom_rules import custom_jvp_call_p, custom_vjp_call_p
from minijax.primitives.families import add_any_p
from minijax.primitives.families import zeros as zeros_of_aval
from minijax.tree_util import register_pytree_node, tree_flatten, tree_map, tree_structure, tree_unflatten

__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "custom_vjp_primal_tree_values",
    "zero_from_primal",
]


class SymbolicZero:
    """A tangent or cotangent that is zero, as rules with `symbolic_zeros=True` get to see it."""

    def __init__(self, aval: ShapedArray):
        self.aval = aval
        self.shape = aval.shape
        self.dtype = aval.dtype

    def __repr__(self) -> str:
        return f"SymbolicZero({self.aval!r})"


class CustomVJPPrimal(NamedTuple):
    """An argument as fwd gets it with `symbolic_zeros=True`: the value, and whether it is differentiated."""

    value: Any
    perturbed: bool


def custom_vjp_primal_tree_values(tree: Any) -> Any:
    """The values in a tree of `CustomVJPPrimal`s. Raises TypeError for other leaves."""

    def value(leaf: Any) -> Any:
        if not isinstance(leaf, CustomVJPPrimal):
            raise TypeError(f"custom_vjp_primal_tree_values: a leaf is {leaf!r}, not what fwd gets by symbolic_zeros.")
        return leaf.value

    return tree_map(value, tree, is_leaf=lambda x: isinstance(x, CustomVJPPrimal))


def zero_from_primal(val: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangent of `val`, as an array or symbolically."""
    aval = get_aval(val).to_tangent_aval()
    return SymbolicZero(aval) if symbolic_zeros else zeros_of_aval(aval)


class _CustomRules(KeepsItsTraces):
    """What both decorators share: names of arguments, and splitting off the non-differentiable ones."""

    def __init__(self, fun: Callable, nondiff_argnums: Sequence[int] = (), nondiff_argnames: Sequence[str] = ()):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = tuple(nondiff_argnums)
        self.symbolic_zeros = False
        if nondiff_argnames:
            names = list(inspect.signature(fun).parameters)
            named = {names.index(n) for n in nondiff_argnames}
            self.nondiff_argnums = tuple(sorted({*self.nondiff_argnums, *named}))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def _name(self) -> str:
        return getattr(self.fun, "__name__", str(self.fun))

    def _positional(self, args: tuple, kwargs: dict[str, Any]) -> tuple:
        """All arguments by position, defaults filled in: rules know positions only."""
        try:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
        except ValueError:  # a builtin without a signature
            return args
        if bound.kwargs:
            raise TypeError(
                f"{self._name} with a custom derivative rule got keyword-only arguments "
                f"{sorted(bound.kwargs)}: its rules can only be given positional arguments. "
                "Make them positional in its signature."
            )
        bound.apply_defaults()
        return bound.args

    def _split(self, args: tuple) -> tuple[list[Any], list[Any], Callable[[Sequence[Any]], list[Any]]]:
        """The non-differentiable arguments, the others, and how to put all back in their places."""
        numbers = [i if i >= 0 else i + len(args) for i in self.nondiff_argnums]
        if any(not 0 <= i < len(args) for i in numbers):
            raise ValueError(
                f"nondiff_argnums {self.nondiff_argnums} of {self._name} name positions outside its "
                f"{len(args)} arguments."
            )
        nondiff = [args[i] for i in numbers]
        diff = [x for i, x in enumerate(args) if i not in numbers]

        def rebuild(dynamic: Sequence[Any]) -> list[Any]:
            rest = iter(dynamic)
            return [args[i] if i in numbers else next(rest) for i in range(len(args))]

        return nondiff, diff, rebuild


class custom_jvp(_CustomRules):
    """A function with its own forward derivative: rule(primals, tangents) -> (out, tangent_out).

    It serves reverse mode as well, which transposes what the rule does to its tangents. Arguments
    in `nondiff_argnums` may be anything; the rule gets them first, before primals and tangents.
    Source: https://docs.jax.dev/en/latest/notebooks/Custom_derivative_rules_for_Python_code.html
    """

    jvp: Callable | None = None

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

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.jvp is None:
            raise AttributeError(
                f"No JVP defined for custom_jvp function {self._name} using defjvp. "
                f"Define it with `@{self._name}.defjvp` before the first call."
            )
        nondiff, diff, rebuild = self._split(self._positional(args, kwargs))
        leaves, in_tree = tree_flatten(tuple(diff))
        out_trees: list[Any] = []

        def flat_fun(*flat: Any) -> list[Any]:
            outs, tree = tree_flatten(self.fun(*rebuild(tree_unflatten(in_tree, flat))))
            out_trees.append(tree)
            return outs

        @functools.wraps(self.jvp)
        def flat_jvp(*flat: Any) -> list[Any]:
            primals = tree_unflatten(in_tree, flat[: len(leaves)])
            tangents = tree_unflatten(in_tree, [_visible_zero(t) for t in flat[len(leaves) :]])
            result = self.jvp(*nondiff, primals, tangents)
            outs, out_tangents, tree = _checked_jvp_result(self._name, result)
            out_trees.append(tree)
            return [*outs, *out_tangents]

        outs = custom_jvp_call_p.bind(
            *leaves,
            call_jaxpr=flat_fun,
            jvp=flat_jvp,
            name=self._name,
            num_consts=0,
            symbolic_zeros=self.symbolic_zeros,
        )
        return tree_unflatten(out_trees[-1], outs)


def _visible_zero(t: Any) -> Any:
    return SymbolicZero(t.aval) if type(t) is Zero else t


def _hidden_zero(t: Any) -> Any:
    return Zero(t.aval) if isinstance(t, SymbolicZero) else t


def _checked_jvp_result(name: str, result: Any) -> tuple[list[Any], list[Any], Any]:
    """Leaves of the primal and tangent results of a user's jvp rule, and their tree."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(
            f"Custom JVP rule for function {name} must produce a pair (list or tuple of length two) "
            "representing primal "
            f"and tangent outputs, but got {result}. Return (primal_out, tangent_out)."
        )
    outs, tree = tree_flatten(result[0])
    tangents, tangent_tree = tree_flatten(result[1], is_leaf=lambda x: isinstance(x, SymbolicZero))
    if tree != tangent_tree:
        raise TypeError(
            f"Custom JVP rule for function {name} must produce primal and tangent outputs with equal "
            "container (pytree) "
            f"structures, but got {tree} and {tangent_tree} respectively. Return tangents in the structure "
            "of the result."
        )
    for o, t in zip(outs, tangents, strict=True):
        want, got = (
            get_aval(o).to_tangent_aval(),
            _hidden_zero(t).aval if isinstance(t, SymbolicZero) else get_aval(t),
        )
        if (want.shape, want.dtype) != (got.shape, got.dtype):
            raise TypeError(
                f"Custom JVP rule for function {name} must produce primal and tangent outputs with "
                "corresponding shapes "
                f"and dtypes, but got primal {get_aval(o).str_short()} (tangent type {want.str_short()}) "
                "and tangent "
                f"{got.str_short()}. Make the tangent output match, for example with .astype and "
                "broadcast_to."
            )
    return outs, [_hidden_zero(t) for t in tangents], tree


class custom_vjp(_CustomRules):
    """A function with its own reverse derivative: `f.defvjp(fwd, bwd)`.

    fwd(*args) -> (out, residuals); bwd(*nondiff_args, residuals, cotangent) -> a tuple with a cotangent for
    each differentiable argument, None for zero. Forward mode raises TypeError.
    Source: https://docs.jax.dev/en/latest/notebooks/Custom_derivative_rules_for_Python_code.html
    """

    fwd: Callable | None = None
    bwd: Callable | None = None
    optimize_remat = False

    def defvjp(self, fwd: Callable, bwd: Callable, symbolic_zeros: bool = False, optimize_remat: bool = False) -> None:
        """Set the rules; `symbolic_zeros` shows them which arguments matter and which cotangents are zero."""
        self.fwd, self.bwd = fwd, bwd
        self.symbolic_zeros, self.optimize_remat = symbolic_zeros, optimize_remat

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fwd is None or self.bwd is None:
            raise AttributeError(
                f"No VJP defined for custom_vjp function {self._name} using defvjp. "
                f"Call `{self._name}.defvjp(fwd, bwd)` before the first call."
            )
        nondiff, diff, rebuild = self._split(self._positional(args, kwargs))
        leaves, in_tree = tree_flatten(tuple(diff))
        in_avals = [get_aval(x).to_tangent_aval() for x in leaves]
        trees: dict[str, Any] = {}

        def flat_fun(*flat: Any) -> list[Any]:
            outs, trees["out"] = tree_flatten(self.fun(*rebuild(tree_unflatten(in_tree, flat))))
            return outs

        @functools.wraps(self.fwd)
        def flat_fwd(*flat: Any, nonzero: Sequence[bool] | None = None) -> tuple[list[Any], list[Any]]:
            if nonzero is not None:
                flat = [CustomVJPPrimal(x, nz) for x, nz in zip(flat, nonzero, strict=True)]
            result = self.fwd(*rebuild(tree_unflatten(in_tree, flat)))
            if not isinstance(result, tuple | list) or len(result) != 2:
                raise TypeError(
                    f"Custom VJP fwd rule {self.fwd.__name__} for function {self._name} must produce a pair "
                    "(list or tuple "
                    f"of length two), but got {result}. Return (primal_out, residuals)."
                )
            outs, trees["out"] = tree_flatten(result[0])
            residuals, trees["res"] = tree_flatten(result[1])
            return outs, residuals

        @functools.wraps(self.bwd)
        def flat_bwd(*flat: Any) -> list[Any]:
            n = trees["res"].num_leaves
            residuals = tree_unflatten(trees["res"], flat[:n])
            ct = tree_unflatten(trees["out"], [_visible_zero(x) for x in flat[n:]])
            return _checked_cotangents(self, self.bwd(*nondiff, residuals, ct), in_tree, in_avals)

        outs = custom_vjp_call_p.bind(
            *leaves,
            call_jaxpr=flat_fun,
            fwd=flat_fwd,
            bwd=flat_bwd,
            name=self._name,
            num_consts=0,
            symbolic_zeros=self.symbolic_zeros,
        )
        return tree_unflatten(trees["out"], outs)


def _checked_cotangents(rules: custom_vjp, result: Any, in_tree: Any, avals: Sequence[ShapedArray]) -> list[Any]:
    """A cotangent or None for each leaf of the arguments, from what the user's bwd returned."""
    where = f"Custom VJP bwd rule {rules.bwd.__name__} for function {rules._name}"
    if isinstance(result, list):
        result = tuple(result)
    shells = tree_unflatten(in_tree, range(in_tree.num_leaves))
    if not isinstance(result, tuple) or len(result) != len(shells):
        raise TypeError(
            f"{where} must produce a tuple of length equal to the primal args tuple ({len(shells)}), but "
            f"got {result}. "
            "Return one cotangent for each argument; for a single argument write `return (ct,)`."
        )
    cts: list[Any] = []
    for ct, shell in zip(result, shells, strict=True):
        cts += _leaves_or_none(ct, shell, where)
    for ct, aval in zip(cts, avals, strict=True):
        got = None if ct is None else get_aval(ct)
        if got is not None and aval.dtype != dtypes.float0 and (got.shape, got.dtype) != (aval.shape, aval.dtype):
            raise ValueError(
                f"{where} must produce cotangents of the arguments' shapes and dtypes, but got "
                f"{got.str_short()} for an "
                f"argument of type {aval.str_short()}. Sum over broadcast axes, or convert with .astype."
            )
    return [None if ct is None or aval.dtype == dtypes.float0 else ct for ct, aval in zip(cts, avals, strict=True)]


def _leaves_or_none(ct: Any, shell: Any, where: str) -> list[Any]:
    """Leaves of a cotangent tree; None stands for zeros of a whole subtree."""

    def is_zero(x: Any) -> bool:
        return x is None or isinstance(x, SymbolicZero)

    if is_zero(ct):
        return [None] * len(tree_flatten(shell)[0])
    given, tree = tree_flatten(ct, is_leaf=is_zero)
    wanted = tree_structure(shell)
    if tree == wanted:
        return [None if is_zero(x) else x for x in given]
    try:
        parts = tree.flatten_up_to(shell)
    except (ValueError, TypeError):
        raise TypeError(
            f"{where} must produce cotangents in the structure of the arguments, but got {tree} where the "
            "argument is "
            f"{wanted}. Return None, or a tree like the argument's."
        ) from None
    return [x for c, part in zip(given, parts, strict=True) for x in _leaves_or_none(c, part, where)]


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
