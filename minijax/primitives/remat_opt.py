"""remat_opt: the fwd rule of a custom_vjp function as one equation, which dead code elimination may replace.

    remat_opt[fun_jaxpr fwd_jaxpr num_res] *args  ->  *residuals *results

A checkpoint computes fwd's residuals anew in the backward pass, so it does not need them the first time. Then the
equation becomes a call of the function itself, which may be cheaper than fwd. Where the equation is differentiated,
it is as if fwd had been called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import compiler
from minijax.core import NOT_LINEAR, Primitive, ShapedArray, get_aval
from minijax.jaxpr import ClosedJaxpr, Eqn, Var, stage
from minijax.jaxpr_transforms import batch_jaxpr, dce_keeping, jvp_jaxpr
from minijax.primitives.calls import evaluate_jaxpr, hoist_constants, merge_tangents, split_tangents, without
from minijax.primitives.jit import jit_p

remat_opt_p = Primitive("remat_opt", multiple_results=True)


def forward_pass(fwd: Callable, fun: Callable, args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """fwd(*args), a pair of flat lists (results, residuals), as one equation. `fun` gives the results alone."""
    counts: list[int] = []

    def flat(*args: Any) -> list[Any]:
        outs, residuals = fwd(*args)
        counts.append(len(residuals))
        return [*residuals, *outs]

    avals = [get_aval(x) for x in args]
    consts, fwd_jaxpr = hoist_constants(stage(flat, avals, "fwd"))
    others, fun_jaxpr = hoist_constants(stage(fun, avals, "fun"))
    # Both take what either closes over.
    results = remat_opt_p.bind(
        *consts,
        *others,
        *args,
        fwd_jaxpr=_with_unused(fwd_jaxpr, len(consts), others),
        fun_jaxpr=_with_unused(fun_jaxpr, 0, consts),
        num_res=counts[0],
    )
    return results[counts[0] :], results[: counts[0]]


def _with_unused(closed: ClosedJaxpr, place: int, values: Sequence[Any]) -> ClosedJaxpr:
    """The jaxpr with further arguments like these at the place, which it does not use."""
    invars = closed.jaxpr.invars
    invars = [*invars[:place], *[Var(get_aval(x)) for x in values], *invars[place:]]
    return closed.replace(jaxpr=closed.jaxpr.replace(invars=invars))


def _impl(*buffers: np.ndarray, fwd_jaxpr: ClosedJaxpr, **params: Any) -> list[np.ndarray]:
    return compiler.run(fwd_jaxpr, buffers)


def _shape(*avals: ShapedArray, fwd_jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    return fwd_jaxpr.out_avals


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], *, fwd_jaxpr: ClosedJaxpr, **params: Any) -> Any:
    nonzero, given = split_tangents(tangents)
    derivative, nonzero_out = jvp_jaxpr(fwd_jaxpr, nonzero)
    results = derivative(*primals, *given)
    outs = results[: len(nonzero_out)]
    return outs, merge_tangents(outs, nonzero_out, results[len(nonzero_out) :])


def _batch(
    axis_size: int,
    args: Sequence[Any],
    dims: Sequence[int | None],
    *,
    fwd_jaxpr: ClosedJaxpr,
    fun_jaxpr: ClosedJaxpr,
    num_res: int,
) -> tuple[list[Any], list[int]]:
    batched = [
        batch_jaxpr(closed, axis_size, tuple(dims), (0,) * len(closed.out_avals))[0]
        for closed in (fwd_jaxpr, fun_jaxpr)
    ]
    outs = remat_opt_p.bind(*args, fwd_jaxpr=batched[0], fun_jaxpr=batched[1], num_res=num_res)
    return outs, [0] * len(outs)


def _dce(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    """Without residuals a call of the function; else fwd without the results that nobody reads."""
    num_res = eqn.params["num_res"]
    keep = (True,) * len(eqn.invars)
    fun_jaxpr, _ = dce_keeping(eqn.params["fun_jaxpr"], tuple(used[num_res:]), keep)
    if not any(used[:num_res]):
        params = {"jaxpr": fun_jaxpr, "name": "fun", "inline": True, "keep_unused": False}
        outvars = [v for v, u in zip(eqn.outvars, used, strict=True) if u]
        return eqn.replace(primitive=jit_p, params=params, outvars=outvars)
    fwd_jaxpr, _ = dce_keeping(eqn.params["fwd_jaxpr"], tuple(used), keep)
    return without(eqn, keep, used, fwd_jaxpr=fwd_jaxpr, fun_jaxpr=fun_jaxpr, num_res=sum(used[:num_res]))


remat_opt_p.impl = _impl
remat_opt_p.evaluate = lambda *args, fwd_jaxpr, **params: evaluate_jaxpr(fwd_jaxpr, args)
remat_opt_p.shape_rule = _shape
remat_opt_p.jvp = _jvp
remat_opt_p.transpose = NOT_LINEAR
remat_opt_p.batch = _batch
remat_opt_p.dce = _dce
