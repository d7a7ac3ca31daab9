"""Branches: cond, switch, platform_dependent. Arguments are checked here; the primitive has the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes
from minijax.jaxpr import ClosedJaxpr, Jaxpr, Var
from minijax.jaxpr_transforms import forwarded_results, rearranged
from minijax.jitted import fun_name
from minijax.lax.bodies import Body, avals_of, is_concrete, leaf_paths, trace_body
from minijax.primitives.calls import same_type
from minijax.primitives.comparison import ne
from minijax.primitives.cond import cond_p
from minijax.primitives.conversion import convert
from minijax.primitives.selection import clamp
from minijax.primitives.shaping import as_value
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_unflatten

__all__ = ["cond", "platform_dependent", "switch"]

_NO_OPERAND = object()


@api_boundary
def cond(pred: Any, true_fun: Callable, false_fun: Callable, *operands: Any, operand: Any = _NO_OPERAND) -> Any:
    """true_fun(*operands) if the scalar `pred` is true, else false_fun(*operands); only one of them runs.

    Both must give pytrees of one structure, shapes and dtypes. Numbers are true unless they are 0. An older
    form, cond(pred, x, true_fun, y, false_fun), gives each its own operand. Under vmap over `pred` both run.
    Raises TypeError for a predicate that is no scalar and for results that differ.
    """
    if not (callable(true_fun) and callable(false_fun)):
        if callable(false_fun) and len(operands) == 2 and callable(operands[1]):
            return _cond_with_two_operands(pred, true_fun, false_fun, *operands)
        raise TypeError(
            f"lax.cond: true_fun and false_fun arguments should be callable, got {true_fun!r} and {false_fun!r}. "
            "Wrap values in functions: lax.cond(pred, lambda: 1.0, lambda: 2.0)."
        )
    operands = _with_keyword("cond", operands, operand)
    pred = _predicate(pred)
    if config.disable_jit.value and is_concrete(pred):
        return true_fun(*operands) if pred else false_fun(*operands)
    leaves, in_tree = tree_flatten((operands, {}))
    true_body, false_body = (trace_body(fun, in_tree, avals_of(leaves)) for fun in (true_fun, false_fun))
    _check_branches("cond", "true_fun", "false_fun", (true_fun, false_fun), (true_body, false_body))
    index = convert(pred, np.dtype(np.int32))
    (true_jaxpr, false_jaxpr), consts = _with_common_consts([true_body, false_body])
    outs = _bind_cond(index, [false_jaxpr, true_jaxpr], [*consts, *leaves])
    return tree_unflatten(true_body.out_tree, outs)


def _cond_with_two_operands(pred: Any, x: Any, true_fun: Callable, y: Any, false_fun: Callable) -> Any:
    return cond(pred, lambda x, _: true_fun(x), lambda _, y: false_fun(y), x, y)


def _with_keyword(name: str, operands: tuple, operand: Any) -> tuple:
    if operand is _NO_OPERAND:
        return operands
    if operands:
        raise TypeError(
            f"lax.{name}: with the keyword `operand` there can be no positional operands, got {operand!r} and "
            f"{operands!r}. Give all of them by position."
        )
    return (operand,)


def _predicate(pred: Any) -> Any:
    """The predicate as a boolean. Raises TypeError unless it is a boolean or a number."""
    if pred is None:
        raise TypeError("cond predicate is None: give a boolean scalar.")
    if isinstance(pred, Sequence) or np.ndim(pred):
        shape = f"a {type(pred).__name__}" if isinstance(pred, Sequence) else f"an array of shape {np.shape(pred)}"
        raise TypeError(
            f"cond: pred must be a scalar, got {pred}, which is {shape}. Reduce it by jnp.any or jnp.all, choose "
            "element by element with jnp.where, or map over it with vmap."
        )
    kind = dtypes.kind(_scalar_dtype("cond: pred must be a boolean or a number", pred))
    if kind == "b":
        return pred
    if kind not in "iuf":
        raise TypeError(f"cond: pred must be a boolean or a real number, got {pred!r}. Compare it with something.")
    return ne(pred, dtypes.dtype(pred).type(0)) if not is_concrete(pred) else bool(pred != 0)


def _scalar_dtype(what: str, x: Any) -> Any:
    try:
        return dtypes.dtype(x)
    except (TypeError, ValueError):
        raise TypeError(f"{what}, got {x!r} of type {type(x)}.") from None


@api_boundary
def switch(index: Any, branches: Sequence[Callable], *operands: Any, operand: Any = _NO_OPERAND) -> Any:
    """branches[index](*operands); an index beyond the ends chooses the last or the first branch.

    All branches give pytrees of one structure, shapes and dtypes. Raises TypeError for an index that is no
    integer scalar and for results that differ, ValueError for no branches.
    """
    if not all(callable(branch) for branch in branches):
        raise TypeError(f"lax.switch: branches argument should be a sequence of callables, got {branches!r}.")
    operands, branches = _with_keyword("switch", operands, operand), tuple(branches)
    if np.ndim(index):
        raise TypeError(
            f"lax.switch: the branch index must be scalar, got {index} of shape {np.shape(index)}. Map over it with "
            "vmap."
        )
    dtype = _scalar_dtype("lax.switch: the index must be an integer", index)
    if dtypes.kind(dtype) not in "iu":
        raise TypeError(f"lax.switch: the index must be an integer, got {index!r} of dtype {dtype.name}.")
    if not branches:
        raise ValueError("lax.switch: empty branch sequence. Give at least one function.")
    if len(branches) == 1:
        return branches[0](*operands)
    index = clamp(np.int32(0), convert(index, np.dtype(np.int32)), np.int32(len(branches) - 1))
    if config.disable_jit.value and is_concrete(index):
        return branches[int(index)](*operands)
    leaves, in_tree = tree_flatten((operands, {}))
    bodies = [trace_body(fun, in_tree, avals_of(leaves)) for fun in branches]
    for i, body in enumerate(bodies[1:], 1):
        _check_branches("switch", "branch 0", f"branch {i}", (branches[0], branches[i]), (bodies[0], body))
    jaxprs, consts = _with_common_consts(bodies)
    return tree_unflatten(bodies[0].out_tree, _bind_cond(index, jaxprs, [*consts, *leaves]))


def _check_branches(
    what: str, name: str, other_name: str, functions: tuple[Callable, Callable], bodies: tuple[Body, Body]
) -> None:
    first, second = bodies
    who = f"{name} is {fun_name(functions[0])} and {other_name} is {fun_name(functions[1])}"
    if first.out_tree != second.out_tree:
        raise TypeError(
            f"{what} branch outputs must have the same pytree structure, but {name} returns {first.out_tree} and "
            f"{other_name} returns {second.out_tree} ({who}). Which branch runs is not known while tracing: return "
            "the same structure from both."
        )
    lines = [
        f"  * the output{path and f' at path {path}'} has type {a.str_long()} in {name} and {b.str_long()} in "
        f"{other_name}"
        for path, a, b in zip(leaf_paths(first.out_tree), first.closed.out_avals, second.closed.out_avals, strict=True)
        if not same_type(a, b)
    ]
    if lines:
        raise TypeError(
            f"{what} branches must have equal output types, but they differ ({who}):\n"
            + "\n".join(lines)
            + "\nConvert one of them, for example by .astype()."
        )


def _with_common_consts(bodies: Sequence[Body]) -> tuple[list[ClosedJaxpr], list[Any]]:
    """The branches as jaxprs that all take what any of them closes over, each value once."""
    position: dict[int, int] = {}
    consts: list[Any] = []
    for c in [c for body in bodies for c in body.consts]:
        if id(c) not in position:
            position[id(c)] = len(consts)
            consts.append(c)
    jaxprs = []
    for body in bodies:
        closed = body.closed
        own, args = closed.jaxpr.invars[: len(body.consts)], closed.jaxpr.invars[len(body.consts) :]
        there = {position[id(c)]: v for c, v in zip(body.consts, own, strict=True)}
        invars = [there.get(i) or Var(aval) for i, aval in enumerate(avals_of(consts))]
        jaxprs.append(ClosedJaxpr(Jaxpr([], [*invars, *args], closed.eqns, closed.jaxpr.outvars), []))
    return jaxprs, consts


def _bind_cond(index: Any, branches: Sequence[ClosedJaxpr], operands: Sequence[Any]) -> list[Any]:
    """Bind the cond; a result that is the same operand in all branches does not go through it, as in JAX."""
    sources = [
        found[0] if len(set(found)) == 1 else None
        for found in zip(*[forwarded_results(b) for b in branches], strict=True)
    ]
    kept = [i for i, source in enumerate(sources) if source is None]
    outs = iter(cond_p.bind(index, *operands, branches=tuple([rearranged(b, results=kept) for b in branches])))
    return [next(outs) if source is None else as_value(operands[source]) for source in sources]


@api_boundary
def platform_dependent(*args: Any, default: Callable | None = None, **per_platform: Callable) -> Any:
    """per_platform[platform](*args), or default(*args) where there is none for the platform.

    Programs run on the CPU here, so it is the function named `cpu`, chosen at once; JAX puts all of them into
    the jaxpr. Raises NotImplementedError if there is neither this one nor a default.
    """
    for name, fun in {**per_platform, **({} if default is None else {"default": default})}.items():
        if not callable(fun):
            raise TypeError(f"lax.platform_dependent: the '{name}' branch must be a callable, got {fun!r}.")
    if "gpu" in per_platform:
        raise ValueError("lax.platform_dependent: there is no platform 'gpu'. Use 'cuda' or 'rocm'.")
    chosen = per_platform.get("cpu", default)
    if chosen is None:
        raise NotImplementedError(
            f"lax.platform_dependent: there are branches for {sorted(per_platform)}, but programs run on the cpu. "
            "Give a function for it, cpu=..., or default=..."
        )
    return chosen(*args)
