"""jit: the call of a jaxpr as one equation. What `jit` of a function does is in `jitted.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax.compile_logs import compile_with_log
from minijax.config import debugging
from minijax.jaxpr import ClosedJaxpr
from minijax.jaxpr_transforms import linearize_jaxpr, partial_eval_jaxpr
from minijax.linearize import LinearTrace
from minijax.primitives.calls import call_primitive, evaluate_jaxpr, merge_tangents, split_call, split_tangents

jit_p = call_primitive("jit")
jit_p.printed = lambda params: {"name": params["name"], "jaxpr": params["jaxpr"]}
jit_p.stage = lambda trace, args, params: params["jaxpr"](*args) if params["inline"] else None


def _evaluate(*args: Any, jaxpr: ClosedJaxpr, name: str, **params: Any) -> list[Any]:
    if debugging:
        compile_with_log(jaxpr, name)
    return evaluate_jaxpr(jaxpr, args)


def _linearize(primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> Any:
    """Run the primal part now; what is recorded is one call of the linear part."""
    nonzero, given = split_tangents(tangents)
    halves = linearize_jaxpr(jaxpr, nonzero)
    results = jit_p.bind(*primals, jaxpr=halves.primal, **params)
    outs, computed = results[: len(halves.nonzero_out)], results[len(halves.nonzero_out) :]
    residuals = halves.residuals(primals, computed)
    out_tangents = jit_p.bind(*residuals, *given, jaxpr=halves.linear, **params)
    return outs, merge_tangents(outs, halves.nonzero_out, out_tangents)


def _partial_eval(trace: LinearTrace, args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """Compute what the known operands determine; record a call of the rest."""
    known, rest, out_unknown = partial_eval_jaxpr(jaxpr, tuple(trace.owns(x) for x in args))
    known_args = [x for x in args if not trace.owns(x)]
    if known.eqns:
        results = trace.parent.process(jit_p, known_args, {"jaxpr": known, **params})
    else:  # nothing to compute: the results are among the operands
        results = known(*known_args)
    residuals = results[out_unknown.count(False) :]
    operands = [trace.atom(x) for x in [*residuals, *(x for x in args if trace.owns(x))]]
    unknown_outs = iter(trace.record(jit_p, operands, rest.out_avals, {"jaxpr": rest, **params}))
    known_outs = iter(results)
    return [next(unknown_outs) if u else next(known_outs) for u in out_unknown]


jit_p.evaluate = _evaluate
jit_p.linearize = _linearize
jit_p.partial_eval = _partial_eval
jit_p.split = lambda policy, eqn, unknown, there: split_call(policy, eqn, unknown, there, forward=True)
