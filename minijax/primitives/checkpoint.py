"""checkpoint (remat): trade time for memory by computing residuals anew in the backward pass.

As a primitive it calls a jaxpr. Forward it just runs. Where it is differentiated, its derivative is cut in two
under the policy (see `policy_split.py`): the first half runs now, and what is recorded is one call of the second,
on the residuals that the policy keeps and on the call's own operands. Transposed, that call computes the rest anew.

`prevent_cse`, a bool or one for each operand, is for compilers. One that inlines a differentiated call would find the
second computation of a value and drop it, and with it what the checkpoint is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minijax import dtypes
from minijax.core import Zero, is_linear, set_current_trace
from minijax.effects import has_io
from minijax.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Var, dce_jaxpr
from minijax.jaxpr_transforms import batch_jaxpr, dce_keeping
from minijax.linearize import LinearTrace
from minijax.policy_split import Flags, Policy, SplitEqn, nothing_saveable, picked, split_jaxpr
from minijax.primitives.calls import call_primitive, split_call
from minijax.primitives.conversion import reduce_precision_p

remat_p = call_primitive("remat2")
_call_jvp, _call_transpose, _call_dce = remat_p.jvp, remat_p.transpose, remat_p.dce


class _Halves(NamedTuple):
    """known: known args -> (*known results, *residuals); later: (*residuals, *used args) -> unknown results."""

    known: ClosedJaxpr
    later: ClosedJaxpr
    unknown_out: list[bool]
    num_residuals: int
    used: list[bool]


def _partial_eval(trace: LinearTrace, args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """Compute the known results and the residuals; record a call for the other results."""
    if has_io(jaxpr):
        raise NotImplementedError(
            "checkpoint: a function that calls jax.experimental.io_callback cannot be differentiated under it: what is "
            "computed anew would call again. Call back outside of the checkpoint."
        )
    if params["differentiated"] and jaxpr.effects:
        # This is the later half already. Cut once more, both of its halves would print.
        return trace.record(remat_p, [trace.atom(x) for x in args], jaxpr.out_avals, {"jaxpr": jaxpr, **params})
    halves = _halves(jaxpr, tuple([trace.owns(x) for x in args]), params["policy"] or nothing_saveable)
    with set_current_trace(trace.parent):
        results = halves.known(*[x for x in args if not trace.owns(x)])
    num_known = halves.unknown_out.count(False)
    known_outs, residuals = iter(results[:num_known]), results[num_known:]
    operands = [trace.atom(x) for x in [*residuals, *picked(args, halves.used)]]
    params["prevent_cse"] = _barriers(params, lambda own: [*[True] * len(residuals), *picked(own, halves.used)])
    params.update(jaxpr=halves.later, differentiated=True)
    outs = iter(trace.record(remat_p, operands, halves.later.out_avals, params))
    return [next(outs) if u else next(known_outs) for u in halves.unknown_out]


def _halves(closed: ClosedJaxpr, unknown: tuple[bool, ...], policy: Policy) -> _Halves:
    def make() -> _Halves:
        known, later, unknown_out, there_out, count = split_jaxpr(closed, unknown, (True,) * len(unknown), policy)
        later_jaxpr, used = dce_jaxpr(later.jaxpr, picked(unknown_out, there_out))
        num_known = unknown_out.count(False)
        known_jaxpr, _ = dce_jaxpr(known.jaxpr, [True] * num_known + used[:count])
        known_jaxpr = _rounded_residuals(known_jaxpr.replace(invars=known.jaxpr.invars), num_known)
        halves = known.replace(jaxpr=known_jaxpr), later.replace(jaxpr=later_jaxpr)
        return _Halves(*halves, unknown_out, sum(used[:count]), used[count:])

    return closed.derived(("halves", unknown, policy), make)


def _rounded_residuals(known: Jaxpr, num_known: int) -> Jaxpr:
    """As JAX writes it: residuals that the first half reads too are rounded to the precision that they have.

    XLA may compute the first half in a higher one; the second half would not start from the same numbers.
    """
    read = {v for eqn in known.eqns for v in eqn.invars}
    rounded = {v for v in known.outvars[num_known:] if v in read and dtypes.is_float(v.aval.dtype)}
    eqns: list[Eqn] = []
    for eqn in known.eqns:
        exact = {v: Var(v.aval) for v in eqn.outvars if v in rounded}
        eqns.append(eqn.replace(outvars=[exact.get(v, v) for v in eqn.outvars]) if exact else eqn)
        eqns += [_rounding(x, v, eqn) for v, x in exact.items()]
    return known.replace(eqns=eqns)


def _rounding(x: Var, out: Var, eqn: Eqn) -> Eqn:
    info = dtypes.finfo(x.aval.dtype)
    params = {"exponent_bits": int(info.nexp), "mantissa_bits": int(info.nmant)}
    return Eqn(reduce_precision_p, [x], [out], params, eqn.source)


# ----------------------------------------------------------------- prevent_cse for each operand


def _barriers(params: dict[str, Any], change: Callable[[Flags], list[bool]]) -> Any:
    """The parameter for other operands: change(flags of the old ones) gives theirs."""
    own = params["prevent_cse"]
    return own if isinstance(own, bool) else tuple(change(own))


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    params["prevent_cse"] = _barriers(params, lambda own: [*own, *[True for t in tangents if type(t) is not Zero]])
    return _call_jvp(primals, tangents, **params)


def _transpose(cts: Sequence[Any], *args: Any, **params: Any) -> list[Any]:
    linear = [is_linear(x) for x in args]
    nonzero = [True for ct in cts if type(ct) is not Zero]
    params["prevent_cse"] = _barriers(params, lambda own: [*picked(own, linear, False), *nonzero])
    return _call_transpose(cts, *args, **params)


def _dce(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    _, left = dce_keeping(eqn.params["jaxpr"], tuple(used), (False,) * len(eqn.invars))
    barriers = _barriers(eqn.params, lambda own: picked(own, left))
    eqn = _call_dce(eqn, used)
    return eqn if isinstance(barriers, bool) else _with(eqn, prevent_cse=barriers)


def _with(eqn: Eqn, **params: Any) -> Eqn:
    return eqn.replace(params={**eqn.params, **params})


def _batch(axis_size: int, args: Sequence[Any], dims: Any, *, jaxpr: ClosedJaxpr, **params: Any) -> Any:
    """As JAX does, with the batch axis of the results in front."""
    batched, out_dims = batch_jaxpr(jaxpr, axis_size, tuple(dims), (None,) * len(jaxpr.out_avals))
    return remat_p.bind(*args, jaxpr=batched, **params), out_dims


# ----------------------------------------------------------------- a checkpoint within a checkpoint


def _split(policy: Policy, eqn: Eqn, unknown: Flags, there: Flags) -> SplitEqn:
    """The policy of the outer one decides."""
    parts = split_call(policy, eqn, unknown, there)
    num_residuals = len(parts.later.invars) - sum(there)
    known = _barriers(eqn.params, lambda own: picked(own, unknown, False))
    later = _barriers(eqn.params, lambda own: [*[True] * num_residuals, *picked(own, there)])
    return parts._replace(
        known=_with(parts.known, prevent_cse=known),
        later=_with(parts.later, prevent_cse=later, differentiated=True),
    )


remat_p.jvp = _jvp
remat_p.partial_eval = _partial_eval
remat_p.transpose = _transpose
remat_p.batch = _batch
remat_p.dce = _dce
remat_p.split = _split
