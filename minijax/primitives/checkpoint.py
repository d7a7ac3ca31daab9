"""checkpoint (remat): trade time for memory by computing residuals anew in the backward pass.

As a primitive it calls a jaxpr. Forward it just runs; its linear part keeps the *arguments* as
residuals instead of intermediate values, and its transpose runs the jaxpr again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from minijax.jaxpr import ClosedJaxpr, dce_jaxpr
from minijax.jaxpr_transforms import jvp_jaxpr, partial_eval_jaxpr
from minijax.linearize import LinearTrace
from minijax.primitives.calls import call_primitive, merge_tangents, split_tangents

remat_p = call_primitive("remat2")


def _linearize(primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> Any:
    """Evaluate the primal half of the jvp; record one call of its tangent half, on the primals."""
    nonzero, given = split_tangents(tangents)
    derivative, nonzero_out = jvp_jaxpr(jaxpr, nonzero)
    is_primal = [i < len(nonzero_out) for i in range(len(derivative.jaxpr.outvars))]
    outs = _with_outputs(derivative, is_primal)(*primals, *given)
    tangents_only = _with_outputs(derivative, [not primal for primal in is_primal])
    params = {**params, "differentiated": True}
    out_tangents = remat_p.bind(*primals, *given, jaxpr=tangents_only, **params)
    return outs, merge_tangents(outs, nonzero_out, out_tangents)


def _partial_eval(trace: LinearTrace, args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """Compute the known results; record a call for the others, on all operands, known or not."""
    known, _, out_unknown = partial_eval_jaxpr(jaxpr, tuple(trace.owns(x) for x in args))
    known_outs: Iterator[Any] = iter(())
    if not all(out_unknown):
        known_only = _with_outputs(known, [i < out_unknown.count(False) for i in range(len(known.jaxpr.outvars))])
        known_args = [x for x in args if not trace.owns(x)]
        known_outs = iter(trace.parent.process(remat_p, known_args, {"jaxpr": known_only, **params}))
    rest = _with_outputs(jaxpr, out_unknown)
    outs = iter(trace.record(remat_p, [trace.atom(x) for x in args], rest.out_avals, {"jaxpr": rest, **params}))
    return [next(outs) if u else next(known_outs) for u in out_unknown]


def _with_outputs(closed: ClosedJaxpr, used: Sequence[bool]) -> ClosedJaxpr:
    """The jaxpr with only the used results, and all of its arguments."""

    def make() -> ClosedJaxpr:
        jaxpr, _ = dce_jaxpr(closed.jaxpr, used)
        jaxpr.invars = closed.jaxpr.invars
        return ClosedJaxpr(jaxpr, closed.consts)

    return closed.derived(("outputs", tuple(used)), make)


remat_p.linearize = _linearize
remat_p.partial_eval = _partial_eval
