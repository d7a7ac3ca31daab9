"""cond: one of several functions, chosen while the program runs.

    cond[branches] index *operands  ->  *results

Each branch takes all operands, used or not, and gives results of the same types; the index is an int32 scalar
within bounds. Under vmap the index may differ from example to example: then every branch runs on all examples,
and each example's result is selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minijax import compiler, dtypes
from minijax.core import NOT_LINEAR, Primitive, ShapedArray, current_trace, get_aval, is_linear
from minijax.effects import has_io
from minijax.errors import JaxprTypeError
from minijax.jaxpr import ClosedJaxpr, Eqn, Var, stage
from minijax.jaxpr_transforms import (
    Flags,
    batch_in_front,
    dce_keeping,
    jvp_jaxpr,
    linearize_jaxpr,
    partial_eval_jaxpr,
    transpose_jaxpr,
)
from minijax.linearize import LinearTrace
from minijax.primitives.calls import (
    merge_tangents,
    same_types,
    short_types,
    split_tangents,
    without,
)
from minijax.primitives.comparison import eq
from minijax.primitives.conversion import stop_gradient
from minijax.primitives.families import batch_axis_in_front
from minijax.primitives.selection import select, select_n
from minijax.primitives.shaping import broadcast_in_dim, move_axis
from minijax.primitives.standard import def_jvp_zero, standard

cond_p = Primitive("cond", multiple_results=True)
Branches = tuple[ClosedJaxpr, ...]

# ----------------------------------------------------------------- evaluation


def _impl(index: np.ndarray, *buffers: np.ndarray, branches: Branches) -> list[np.ndarray]:
    return compiler.run(branches[int(index)], buffers)


def _shape(index: ShapedArray, *avals: ShapedArray, branches: Branches) -> list[ShapedArray]:
    if (index.shape, index.dtype) != ((), np.int32):
        raise JaxprTypeError(f"cond: the index of the branch must be i32[], got {index.str_short()}.")
    for i, branch in enumerate(branches):
        if not same_types(branch.in_avals, avals):
            raise JaxprTypeError(
                f"cond: branch {i} takes {short_types(branch.in_avals)}, the operands are {short_types(avals)}."
            )
        if not same_types(branch.out_avals, branches[0].out_avals):
            raise JaxprTypeError(
                f"cond: branch {i} returns {short_types(branch.out_avals)}, branch 0 returns "
                f"{short_types(branches[0].out_avals)}."
            )
    return branches[0].out_avals


# ----------------------------------------------------------------- derivatives


def _in_any(flags: Sequence[Sequence[bool]]) -> Flags:
    """For each result whether something holds of it in any branch: then it must hold in all."""
    return tuple([any(column) for column in zip(*flags, strict=True)])


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], *, branches: Branches) -> tuple[list[Any], list[Any]]:
    nonzero, given = split_tangents(tangents[1:])
    nonzero_out = _in_any([jvp_jaxpr(b, nonzero)[1] for b in branches])
    derivatives = tuple([jvp_jaxpr(b, nonzero, nonzero_out)[0] for b in branches])
    results = cond_p.bind(*primals, *given, branches=derivatives)
    outs = results[: len(nonzero_out)]
    return outs, merge_tangents(outs, nonzero_out, results[len(nonzero_out) :])


def _linearize(primals: Sequence[Any], tangents: Sequence[Any], *, branches: Branches) -> tuple[list[Any], list[Any]]:
    """The chosen branch runs now and leaves its residuals; what is recorded is a cond of the linear parts."""
    nonzero, given = split_tangents(tangents[1:])
    no_forwarding = (False,) * len(nonzero)
    nonzero_out = _in_any([linearize_jaxpr(b, nonzero, (), no_forwarding).nonzero_out for b in branches])
    halves = [linearize_jaxpr(b, nonzero, nonzero_out, no_forwarding) for b in branches]
    primal, linear = with_common_residuals(
        [h.primal for h in halves], [h.linear for h in halves], len(nonzero_out), len(given)
    )
    results = cond_p.bind(*primals, branches=primal)
    outs, residuals = results[: len(nonzero_out)], results[len(nonzero_out) :]
    needed, linear = _pruned(linear, (True,) * sum(nonzero_out))
    operands = [x for x, n in zip([*residuals, *given], needed, strict=True) if n]
    out_tangents = _record(current_trace(), [primals[0], *operands], linear)
    return outs, merge_tangents(outs, nonzero_out, out_tangents)


def _record(trace: LinearTrace, operands: Sequence[Any], branches: Branches) -> list[Any]:
    return trace.record(cond_p, [trace.atom(x) for x in operands], branches[0].out_avals, {"branches": branches})


def _partial_eval(trace: LinearTrace, args: Sequence[Any], *, branches: Branches) -> list[Any]:
    """With a known index, one cond computes what is known; another one, of the rest, is recorded."""
    if trace.owns(args[0]):
        return _record(trace, args, branches)
    unknown = tuple([trace.owns(x) for x in args[1:]])
    out_unknown = _in_any([partial_eval_jaxpr(b, unknown)[2] for b in branches])
    parts = [partial_eval_jaxpr(b, unknown, out_unknown) for b in branches]
    if all(out_unknown) and not any(known.eqns for known, _, _ in parts):
        return _record(trace, args, branches)
    num_known = out_unknown.count(False)
    known, rest = with_common_residuals([p[0] for p in parts], [p[1] for p in parts], num_known, sum(unknown))
    operands = [x for x in args if not trace.owns(x)]
    results = trace.parent.process(cond_p, operands, {"branches": known}) if known[0].out_avals else []
    known_outs, residuals = iter(results[:num_known]), results[num_known:]
    own = [x for x in args if trace.owns(x)]
    unknown_outs = iter(_record(trace, [args[0], *residuals, *own], rest))
    return [next(unknown_outs) if u else next(known_outs) for u in out_unknown]


def with_common_residuals(
    first: Sequence[ClosedJaxpr], second: Sequence[ClosedJaxpr], num_outs: int, num_own: int
) -> tuple[Branches, Branches]:
    """Branches that give and take residuals of the same types.

    first: args -> (*outs, *residuals); second: (*residuals, *own args) -> outs. Residuals of one type share a
    place, whichever branch they come from; where a branch has none, something undefined stands in.
    """
    places: dict[tuple[ShapedArray, int], int] = {}
    avals: list[ShapedArray] = []
    taken = []
    for branch in first:
        seen: dict[ShapedArray, int] = {}
        taken.append([])
        for aval in branch.out_avals[num_outs:]:
            number = seen[aval] = seen.get(aval, -1) + 1
            if (aval, number) not in places:
                places[aval, number] = len(avals)
                avals.append(aval)
            taken[-1].append(places[aval, number])
    key = tuple(avals)
    giving = [_giving(b, num_outs, key, tuple(t)) for b, t in zip(first, taken, strict=True)]
    taking = [_taking(b, num_own, key, tuple(t)) for b, t in zip(second, taken, strict=True)]
    return tuple(giving), tuple(taking)


def _giving(branch: ClosedJaxpr, num_outs: int, avals: tuple[ShapedArray, ...], places: tuple[int, ...]) -> ClosedJaxpr:
    def fun(*args: Any) -> list[Any]:
        results = branch(*args)
        residuals = [_undefined(aval) for aval in avals]
        for place, x in zip(places, results[num_outs:], strict=True):
            residuals[place] = x
        return [*results[:num_outs], *residuals]

    return branch.derived(("giving", num_outs, avals, places), lambda: stage(fun, branch.in_avals))


def _taking(branch: ClosedJaxpr, num_own: int, avals: tuple[ShapedArray, ...], places: tuple[int, ...]) -> ClosedJaxpr:
    def make() -> ClosedJaxpr:
        residuals: list[Var] = [Var(aval) for aval in avals]
        invars = branch.jaxpr.invars
        split = len(invars) - num_own
        for place, v in zip(places, invars[:split], strict=True):
            residuals[place] = v
        return branch.replace(jaxpr=branch.jaxpr.replace(invars=[*residuals, *invars[split:]]))

    return branch.derived(("taking", num_own, avals, places), make)


def _transpose(cts: Sequence[Any], index: Any, *args: Any, branches: Branches) -> list[Any]:
    """Results without a cotangent are left out first, with what only they depend on."""
    nonzero, given = split_tangents(cts)
    needed, branches = _pruned(branches, nonzero)
    operands = [x for x, n in zip(args, needed, strict=True) if n]
    linear, there = tuple([is_linear(x) for x in operands]), (True,) * len(given)
    avals = {"given_avals": tuple([get_aval(ct) for ct in given])}
    nonzero_in = _in_any([transpose_jaxpr(b, linear, there, **avals)[1] for b in branches])
    transposed = tuple([transpose_jaxpr(b, linear, there, nonzero_in, **avals)[0] for b in branches])
    results = cond_p.bind(index, *[x for x in operands if not is_linear(x)], *given, branches=transposed)
    found, flags = iter(results), iter(nonzero_in)
    return [None, *[next(found) if n and is_linear(x) and next(flags) else None for x, n in zip(args, needed)]]


# ----------------------------------------------------------------- batching, dead code


def _batch(
    axis_size: int, args: Sequence[Any], dims: Sequence[int | None], *, branches: Branches
) -> tuple[list[Any], list[int | None]]:
    if has_io(*branches):
        raise NotImplementedError(
            "vmap of cond: a branch calls jax.experimental.io_callback; where all branches run, it would be called for "
            "examples that do not choose it. Call back outside of the cond."
        )
    if dims[0] is not None:
        return _batch_by_selection(axis_size, args, dims, branches)
    operands = [x if d is None else move_axis(x, d, 0) for x, d in zip(args, dims, strict=True)]
    batched = [d is not None for d in dims[1:]]
    batched_out = _in_any([batch_in_front(b, axis_size, batched)[1] for b in branches])
    branches = tuple([batch_in_front(b, axis_size, batched, batched_out)[0] for b in branches])
    return cond_p.bind(*operands, branches=branches), [0 if b else None for b in batched_out]


def _batch_by_selection(axis_size: int, args: Any, dims: Any, branches: Branches) -> tuple[list[Any], list[int]]:
    """All branches run; an example reaches those that it does not choose without a derivative.

    A branch that is not chosen may divide by zero. Its result is dropped, but 0 * inf in its derivative would
    not be: the operands of such examples go in through stop_gradient.
    """
    index, *operands = [batch_axis_in_front(x, d, axis_size) for x, d in zip(args, dims, strict=True)]
    results = []
    for i, branch in enumerate(branches):
        batched, _ = batch_in_front(branch, axis_size, [True] * len(operands), [True] * len(branch.out_avals))
        chosen = eq(index, np.int32(i))
        results.append(batched(*[_guarded(chosen, x) for x in operands]))
    outs = [select_n(_stretched(index, cases[0]), *cases) for cases in zip(*results, strict=True)]
    return outs, [0] * len(outs)


def _guarded(chosen: Any, x: Any) -> Any:
    without_derivative = stop_gradient(x)
    return select(_stretched(chosen, x), x, without_derivative)


def _stretched(which: Any, x: Any) -> Any:
    """What holds for each example, repeated over the axes of `x`, which has one more for the examples."""
    return which if np.ndim(x) == np.ndim(which) else broadcast_in_dim(which, np.shape(x), (0,))


def _pruned(branches: Branches, used: Flags) -> tuple[Flags, Branches]:
    """Which operands some branch needs for the results that are used, and the branches with only those."""
    none = (False,) * len(branches[0].in_avals)
    needed = _in_any([dce_keeping(b, used, none)[1] for b in branches])
    return needed, tuple([dce_keeping(b, used, needed)[0] for b in branches])


def _dce(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    branches = eqn.params["branches"]
    needed, pruned = _pruned(branches, tuple(used))
    if all(new is old for new, old in zip(pruned, branches, strict=True)):
        pruned = branches
    return without(eqn, (True, *needed), used, branches=pruned)


cond_p.impl = _impl
cond_p.shape_rule = _shape
cond_p.jvp = _jvp
cond_p.linearize = _linearize
cond_p.partial_eval = _partial_eval
cond_p.transpose = _transpose
cond_p.batch = _batch
cond_p.dce = _dce

# ----------------------------------------------------------------- empty2

# A value that nobody reads, where a branch has no residual to give. It is not left to chance: it is zero.
empty2_p = standard(
    "empty2",
    lambda *, dtype: np.zeros((), dtypes.physical_dtype(dtype)),
    shape=lambda *, dtype: (),
    dtype=lambda *, dtype: dtype,
    weak=lambda *, dtype: False,
)
def_jvp_zero(empty2_p)
empty2_p.transpose = NOT_LINEAR
empty2_p.batch = lambda axis_size, args, dims, **params: (empty2_p.bind(**params), None)


def _undefined(aval: ShapedArray) -> Any:
    return broadcast_in_dim(empty2_p.bind(dtype=aval.dtype), aval.shape, ())
