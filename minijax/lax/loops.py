"""Loops: scan, while_loop, fori_loop. Arguments are checked here; the primitives have the rules."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes, errors
from minijax.core import Tracer, as_operand, get_aval
from minijax.jaxpr_transforms import dce_keeping, forwarded_results, rearranged
from minijax.lax.bodies import Body, avals_of, check_carry, is_concrete, promoted_carry, trace_body
from minijax.primitives.arithmetic import add
from minijax.primitives.comparison import lt
from minijax.primitives.conversion import convert
from minijax.primitives.joining import concatenate
from minijax.primitives.scan import scan_p
from minijax.primitives.shaping import as_value, expand_dims
from minijax.primitives.slicing import index_in_dim
from minijax.primitives.while_loop import while_p
from minijax.tracebacks import api_boundary
from minijax.tree_util import tree_flatten, tree_map, tree_structure, tree_unflatten

__all__ = ["fori_loop", "scan", "while_loop"]

# ----------------------------------------------------------------- scan


@api_boundary
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
) -> tuple[Any, Any]:
    """(carry, ys) of the loop carry, y = f(carry, x) over the leading axis of all leaves of `xs`.

    The ys are stacked. Carry and ys are pytrees; the carry keeps its structure, shapes and dtypes. With xs=None
    say `length`. `reverse` goes from the last slice to the first; `unroll` makes no difference here.
    Raises TypeError for a carry that changes its type, ValueError for lengths that differ.
    """
    if not callable(f):
        raise TypeError(f"lax.scan: f argument should be a callable, got {f!r}. Pass the function itself.")
    return _scan(f, init, xs, length, reverse, unroll, f)


def _scan(
    f: Callable, init: Any, xs: Any, length: int | None, reverse: bool, unroll: int | bool, made_from: Callable
) -> tuple[Any, Any]:
    """The loop of `f`, which is the user's function `made_from`, or made from it."""
    xs_leaves, xs_tree = tree_flatten(xs)
    length = _scan_length(xs_leaves, length)
    unroll = _scan_unroll(unroll, length)
    if config.disable_jit.value:
        return _python_scan(f, init, xs, length, reverse)
    init_leaves, init_tree = tree_flatten(init)
    in_tree = tree_structure(((init, xs), {}))
    slices = [a.update(shape=a.shape[1:]) for a in avals_of(xs_leaves)]

    def trace(carry: Sequence[Any]) -> tuple[Body, Any]:
        body = trace_body(f, in_tree, [*avals_of(carry), *slices], made_from)
        return body, _carry_tree(body.out_tree)

    body, out_tree = trace(init_leaves)
    num_carry = len(init_leaves)
    if out_tree.num_leaves == num_carry:
        carry_avals = body.closed.out_avals[:num_carry]
        init_leaves, changed = promoted_carry(init_leaves, avals_of(init_leaves), carry_avals)
        if changed:
            body, out_tree = trace(init_leaves)
    carry_avals = body.closed.out_avals[: out_tree.num_leaves]
    check_carry("scan body", f, init_tree, avals_of(init_leaves), out_tree, carry_avals)
    params = {"length": length, "reverse": bool(reverse), "unroll": unroll}
    return tree_unflatten(body.out_tree, _bind_scan(body, init_leaves, xs_leaves, params))


def _scan_length(leaves: Sequence[Any], length: Any) -> int:
    without = [x for x in leaves if not hasattr(x, "shape")]
    if without:
        raise ValueError(
            f"scan got value with no leading axis to scan over: {', '.join(builtins.map(str, without))}. Every leaf "
            "of xs must be an array; what is the same in each turn belongs in the carry or into a closure."
        )
    lengths = [x.shape[0] for x in leaves]
    if length is not None:
        if isinstance(length, Tracer):
            raise errors.ConcretizationTypeError(
                length,
                "The `length` argument to `scan` is a number of turns and must be concrete. lax.fori_loop and "
                "lax.while_loop run as often as a traced value says.",
            )
        length = int(length)
        if any(n != length for n in lengths):
            raise ValueError(
                f"scan got `length` argument of {length} which disagrees with leading axis sizes {lengths}. "
                "Leave `length` out when there are xs."
            )
        return length
    if len(set(lengths)) > 1:
        raise ValueError(
            f"scan got values with different leading axis sizes: {', '.join(builtins.map(str, lengths))}. All "
            "leaves of xs are scanned together and need one length."
        )
    if not lengths:
        raise ValueError("scan got no values to scan over and `length` not provided: give one of them.")
    return lengths[0]


def _scan_unroll(unroll: Any, length: int) -> int:
    if isinstance(unroll, Tracer):
        raise errors.ConcretizationTypeError(
            unroll, "The `unroll` argument to `scan` must be a concrete `int` or `bool`."
        )
    if isinstance(unroll, bool):
        unroll = max(length, 1) if unroll else 1
    if operator.index(unroll) < 0:
        raise ValueError(f"scan: `unroll` must be a `bool` or a non-negative `int`, got {unroll}.")
    return operator.index(unroll)


def _carry_tree(tree: Any) -> Any:
    """The tree of the carry that a scan's body returns. Raises TypeError unless the result is a pair."""
    if len(tree.children()) != 2:
        raise TypeError(
            f"scan body output must be a pair, got {tree}. Return (carry, y); y is None if there is nothing to stack."
        )
    return tree.children()[0]


def _python_scan(f: Callable, init: Any, xs: Any, length: int, reverse: bool) -> tuple[Any, Any]:
    """The loop in plain Python, in which one can print and set breakpoints: under disable_jit."""
    if length == 0:
        raise ValueError(
            "zero-length scan is not supported in disable_jit() mode because the output type is unknown. "
            "Run it under jit."
        )
    carry, ys = init, []
    for i in reversed(range(length)) if reverse else range(length):
        carry, y = f(carry, tree_map(lambda x, i=i: index_in_dim(x, i, keepdims=False), xs))
        ys.append(y)
    return carry, tree_map(_stacked, *(reversed(ys) if reverse else ys))


def _stacked(*slices: Any) -> Any:
    return concatenate([expand_dims(x, (0,)) for x in slices], 0)


def _bind_scan(body: Body, init: Sequence[Any], xs: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    """Bind the scan, and take out what needs no loop, as JAX does.

    A part of the carry that the body returns as it came is a const; a y that is one of the xs is known.
    """
    closed, consts, num_carry = body.closed, list(body.consts), len(init)
    sources = forwarded_results(closed)
    fixed = [sources[i] == len(consts) + i for i in range(num_carry)]
    first_x = len(consts) + num_carry
    known_ys = [None if i is None or i < first_x else i - first_x for i in sources[num_carry:]]
    num_args, carry_at = len(closed.in_avals), range(len(consts), first_x)
    moved = [i for i, f in zip(carry_at, fixed, strict=True) if f]
    order = [*moved, *[i for i in range(num_args) if i not in moved]]
    kept = [i for i, f in enumerate(fixed) if not f]
    kept += [num_carry + i for i, x in enumerate(known_ys) if x is None]
    carry = [x for x, f in zip(init, fixed, strict=True) if not f]
    outs = scan_p.bind(
        *[x for x, f in zip(init, fixed, strict=True) if f],
        *consts,
        *carry,
        *xs,
        jaxpr=rearranged(closed, order, kept),
        num_consts=len(consts) + len(moved),
        num_carry=len(carry),
        **params,
    )
    found = iter(outs)
    out_carry = [as_value(x) if f else next(found) for x, f in zip(init, fixed, strict=True)]
    return [*out_carry, *[next(found) if i is None else as_value(xs[i]) for i in known_ys]]


# ----------------------------------------------------------------- while_loop


@api_boundary
def while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """The first of init_val, body_fun(init_val), body_fun(body_fun(init_val)), ... that does not satisfy cond_fun.

    The value is a pytree that keeps its structure, shapes and dtypes; cond_fun gives a boolean scalar. There is
    no reverse-mode derivative. Raises TypeError for a value that changes its type.
    """
    if not (callable(body_fun) and callable(cond_fun)):
        raise TypeError(
            f"lax.while_loop: body_fun and cond_fun arguments should be callable, got {cond_fun!r} and {body_fun!r}."
        )
    if config.disable_jit.value:
        try:
            return _python_while(cond_fun, body_fun, init_val)
        except errors.ConcretizationTypeError:
            pass  # the predicate is traced: an outer transformation needs the loop as a whole
    leaves, tree = tree_flatten(init_val)
    in_tree = tree_structure(((init_val,), {}))

    def trace(carry: Sequence[Any]) -> tuple[Body, Body]:
        avals = avals_of(carry)
        condition = trace_body(cond_fun, in_tree, avals)
        _check_predicate(condition)
        return condition, trace_body(body_fun, in_tree, avals)

    condition, body = trace(leaves)
    if body.out_tree.num_leaves == len(leaves):
        leaves, changed = promoted_carry(leaves, avals_of(leaves), body.closed.out_avals)
        if changed:
            condition, body = trace(leaves)
    check_carry("while_loop body", body_fun, tree, avals_of(leaves), body.out_tree, body.closed.out_avals)
    return tree_unflatten(body.out_tree, _bind_while(condition, body, leaves))


def _python_while(cond_fun: Callable, body_fun: Callable, value: Any) -> Any:
    value = tree_map(as_operand, value)
    while cond_fun(value):
        value = tree_map(as_operand, body_fun(value))
    return value


def _check_predicate(condition: Body) -> None:
    if condition.out_tree.num_nodes != 1 or condition.out_tree.num_leaves != 1:
        raise TypeError(f"cond_fun must return a boolean scalar, but got pytree {condition.out_tree}.")
    (aval,) = condition.closed.out_avals
    if (aval.shape, aval.dtype) != ((), np.bool_):
        raise TypeError(
            f"cond_fun must return a boolean scalar, but got output type {aval.str_long()}. Compare with something, "
            "and reduce an array by jnp.any or jnp.all."
        )


def _bind_while(condition: Body, body: Body, init: Sequence[Any]) -> list[Any]:
    """Bind the loop; what the body returns as it came and the predicate does not read is a const, as in JAX."""
    num_consts, num_cond = len(body.consts), len(condition.consts)
    sources = forwarded_results(body.closed)
    changes = tuple([num_consts + i != source for i, source in enumerate(sources)])
    pruned, read = dce_keeping(condition.closed, (True,), (True,) * num_cond + changes)
    fixed = [not r for r in read[num_cond:]]
    moved = [num_consts + i for i, f in enumerate(fixed) if f]
    order = [*moved, *[i for i in range(num_consts + len(init)) if i not in moved]]
    outs = while_p.bind(
        *condition.consts,
        *[x for x, f in zip(init, fixed, strict=True) if f],
        *body.consts,
        *[x for x, f in zip(init, fixed, strict=True) if not f],
        cond_jaxpr=pruned if moved else condition.closed,
        cond_nconsts=num_cond,
        body_jaxpr=rearranged(body.closed, order, [i for i, f in enumerate(fixed) if not f]),
        body_nconsts=num_consts + len(moved),
    )
    found = iter(outs)
    return [as_value(x) if f else next(found) for x, f in zip(init, fixed, strict=True)]


# ----------------------------------------------------------------- fori_loop


@api_boundary
def fori_loop(
    lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any, *, unroll: int | bool | None = None
) -> Any:
    """The value after val = body_fun(i, val) for i in range(lower, upper), starting with init_val.

    With bounds that are known while tracing it is a scan and has all derivatives; else a while_loop, without
    reverse mode. `unroll` is for the first case only. Raises TypeError for bounds of different dtypes and for a
    value that changes its type.
    """
    if not callable(body_fun):
        raise TypeError(f"lax.fori_loop: body_fun argument should be callable, got {body_fun!r}.")
    dtype = _bounds_dtype(lower, upper)
    if is_concrete(lower) and is_concrete(upper):
        return _fori_scan(int(lower), int(upper), body_fun, init_val, False if unroll is None else unroll)
    if unroll is not None and unroll is not False and unroll != 1:
        raise ValueError(
            "Can only use `unroll` in `fori_loop` if the loop bounds are statically known: pass Python integers, or "
            "leave it out."
        )

    def condition(state: tuple) -> Any:
        i, upper, _ = state
        return lt(i, upper)

    def body(state: tuple) -> tuple:
        i, upper, val = state
        return add(i, dtypes.dtype(i).type(1)), upper, body_fun(i, val)

    lower, upper = (x if dtypes.dtype(x) == dtype else convert(x, dtype) for x in (lower, upper))
    return while_loop(condition, body, (lower, upper, init_val))[2]


def _bounds_dtype(lower: Any, upper: Any) -> Any:
    if lower is None or upper is None:
        raise ValueError(f"fori_loop: the bounds must be integers, got {lower} and {upper}.")
    low, high = get_aval(lower), get_aval(upper)
    if low.dtype == high.dtype:
        return low.dtype
    if dtypes.kind(low.dtype) == dtypes.kind(high.dtype) == "i" and low.weak_type != high.weak_type:
        return high.dtype if low.weak_type else low.dtype
    raise TypeError(
        f"lower and upper arguments to fori_loop must have equal types, got {low.dtype.name} and {high.dtype.name}. "
        "Convert one of them."
    )


def _fori_scan(lower: int, upper: int, body_fun: Callable, init_val: Any, unroll: int | bool) -> Any:
    length = max(upper - lower, 0)
    if config.disable_jit.value and length == 0:
        return init_val

    def turn(i_and_val: tuple, _: None) -> tuple:
        i, val = i_and_val
        return (i + 1, body_fun(i, val)), None

    return _scan(turn, (lower, init_val), None, length, False, unroll, body_fun)[0][1]
