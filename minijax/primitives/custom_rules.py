"""The primitives behind custom_jvp and custom_vjp: calls that bring their own derivative.

Their functions are parameters. While nobody stages the program they stay plain Python functions, so
that a custom_jvp function may look at concrete values; staging turns `call_jaxpr` into a jaxpr.
The classes that users decorate with are in `custom_derivatives`, what vmap does in `batched_rules.py`.

    custom_jvp_call: call_jaxpr(*args) -> outs;  jvp(*args, *tangents) -> [*outs, *out_tangents]
    custom_vjp_call: call_jaxpr(*args) -> outs;  fwd(*args) -> (outs, residuals);
                     bwd(*residuals, *cts) -> cts
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minijax import compiler, dtypes
from minijax.core import EVAL, Primitive, Zero, get_aval, set_current_trace
from minijax.errors import UnexpectedTracerError
from minijax.jaxpr import ClosedJaxpr, Eqn, JaxprTrace, stage
from minijax.jaxpr_transforms import dce_keeping
from minijax.linearize import LinearTrace
from minijax.primitives.batched_rules import ResultAxes, batched_bwd, batched_call, batched_fwd, batched_jvp
from minijax.primitives.calls import evaluate_jaxpr, hoist_constants, transpose_call, without
from minijax.primitives.families import instantiate
from minijax.primitives.shaping import as_value
from minijax.primitives.standard import zero_like

# ----------------------------------------------------------------- shared


def _evaluate(*args: Any, call_jaxpr: Any, **params: Any) -> list[Any]:
    if isinstance(call_jaxpr, ClosedJaxpr):
        return evaluate_jaxpr(call_jaxpr, args)
    with set_current_trace(EVAL):
        return call_jaxpr(*args)


def _stage(prim: Primitive, trace: JaxprTrace, args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    """Record the call, its function as a jaxpr; tracers that it closes over become leading operands."""
    return trace.record(prim, *_staged(args, params))


def _staged(args: Sequence[Any], params: dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """Operands and parameters of a call whose function is a jaxpr."""
    call = params["call_jaxpr"]
    if isinstance(call, ClosedJaxpr):
        return args, params
    consts, closed = hoist_constants(stage(call, [get_aval(x) for x in args], params["name"]))
    return [*consts, *args], {**params, "call_jaxpr": closed, "num_consts": len(consts) + params["num_consts"]}


def _check_constants(tangents: Sequence[Any], num_consts: int, name: str) -> None:
    if any(type(t) is not Zero for t in tangents[:num_consts]):
        raise closed_over(name)


def closed_over(name: str) -> UnexpectedTracerError:
    """The error of a function whose rule does not know of a value that is being differentiated."""
    return UnexpectedTracerError(
        f"Detected differentiation of the custom-derivative function {name} with respect to a value that it "
        "closes over: its rule says nothing about that derivative. Pass the value to the function as an argument."
    )


def _printed(*rules: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    names = ("name", "call_jaxpr", *rules, "symbolic_zeros")
    return lambda params: {k: params[k] for k in (*names, *(["num_consts"] if params["num_consts"] else []))}


def make_custom_call(name: str) -> Primitive:
    """The slots that both primitives fill in the same way."""
    prim = Primitive(name, multiple_results=True)
    prim.impl = lambda *buffers, call_jaxpr, **params: compiler.run(call_jaxpr, buffers)
    prim.evaluate = _evaluate
    prim.shape_rule = lambda *avals, call_jaxpr, **params: call_jaxpr.out_avals
    prim.stage = functools.partial(_stage, prim)
    return prim


def _without_results(eqn: Eqn, used: Sequence[bool], **rules: Callable) -> Eqn:
    if all(used):
        return eqn
    keep = (True,) * len(eqn.invars)
    call, _ = dce_keeping(eqn.params["call_jaxpr"], tuple(used), keep)
    return without(eqn, keep, used, call_jaxpr=call, **rules)


# ----------------------------------------------------------------- custom_jvp_call

custom_jvp_call_p = make_custom_call("custom_jvp_call")


def _jvp_by_user(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jvp: Callable,
    num_consts: int,
    name: str,
    **params: Any,
) -> tuple[list[Any], list[Any]]:
    _check_constants(tangents, num_consts, name)
    primals, tangents = primals[num_consts:], tangents[num_consts:]
    if not params["symbolic_zeros"]:
        tangents = [instantiate(t) for t in tangents]
    results = jvp(*map(as_value, primals), *tangents)
    outs, out_tangents = results[: len(results) // 2], results[len(results) // 2 :]
    return outs, [zero_like(o) if _is_float0(t) else t for o, t in zip(outs, out_tangents, strict=True)]


def _is_float0(t: Any) -> bool:
    return type(t) is not Zero and get_aval(t).dtype == dtypes.float0


def _batch_jvp_call(axis_size: int, args: Any, dims: Any, *, call_jaxpr: Any, jvp: Any, **params: Any) -> Any:
    axes = ResultAxes(axis_size)
    call = batched_call(call_jaxpr, dims, axes)
    jvp = batched_jvp(jvp, dims[params["num_consts"] :], axes)
    outs = custom_jvp_call_p.bind(*args, call_jaxpr=call, jvp=jvp, **params)
    return outs, axes.found


def _run_in_linear_program(
    trace: LinearTrace, args: Sequence[Any], *, call_jaxpr: Callable, **params: Any
) -> list[Any]:
    """A rule that calls such a function with tangents: what it does to them is linear, and recorded as it stands."""
    with set_current_trace(trace):
        return list(call_jaxpr(*args))


def _dce_jvp_call(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    """Without results that nobody reads. The operands stay: the rule may need them."""
    jvp = eqn.params["jvp"]

    @functools.wraps(jvp)
    def pruned(*args: Any) -> list[Any]:
        return [x for x, u in zip(jvp(*args), [*used, *used], strict=True) if u]

    return _without_results(eqn, used, jvp=pruned)


def _never_transposed(*args: Any, **params: Any) -> Any:
    raise NotImplementedError("a call with a custom derivative is differentiated, never transposed")


custom_jvp_call_p.jvp = _jvp_by_user
custom_jvp_call_p.partial_eval = _run_in_linear_program
custom_jvp_call_p.transpose = _never_transposed
custom_jvp_call_p.batch = _batch_jvp_call
custom_jvp_call_p.dce = _dce_jvp_call
custom_jvp_call_p.printed = _printed("jvp")


# ----------------------------------------------------------------- custom_vjp_call

custom_vjp_call_p = make_custom_call("custom_vjp_call")

# The derivative of a custom_vjp call as an operation of its own. It can only be transposed: what the user
# gave is the way back.
custom_vjp_linear_p = Primitive("custom_lin", multiple_results=True)


def _forward_by_user(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    fwd: Callable,
    bwd: Callable,
    num_consts: int,
    name: str,
    **params: Any,
) -> tuple[list[Any], list[Any]]:
    """Run the user's fwd; the tangents of its results hang on a custom_lin, which bwd transposes."""
    _check_constants(tangents, num_consts, name)
    primals, tangents = primals[num_consts:], tangents[num_consts:]
    nonzero = tuple(type(t) is not Zero for t in tangents)
    outs, residuals = fwd(*map(as_value, primals), **({"nonzero": nonzero} if params["symbolic_zeros"] else {}))
    out_tangents = custom_vjp_linear_p.bind(
        *residuals,
        *[t for t in tangents if type(t) is not Zero],
        num_residuals=len(residuals),
        bwd=bwd,
        name=name,
        nonzero=nonzero,
        in_avals=tuple(get_aval(p).to_tangent_aval() for p in primals),
        out_avals=tuple(get_aval(o).to_tangent_aval() for o in outs),
        symbolic_zeros=params["symbolic_zeros"],
    )
    return outs, [zero_like(o) if type(z) is Zero or z is None else z for o, z in zip(outs, out_tangents, strict=True)]


def _batch_vjp_call(axis_size: int, args: Any, dims: Any, *, call_jaxpr: Any, fwd: Any, bwd: Any, **params: Any) -> Any:
    axes = ResultAxes(axis_size)
    own = dims[params["num_consts"] :]
    call = batched_call(call_jaxpr, dims, axes)
    fwd, bwd = batched_fwd(fwd, own, axes), batched_bwd(bwd, own, axes)
    outs = custom_vjp_call_p.bind(*args, call_jaxpr=call, fwd=fwd, bwd=bwd, **params)
    return outs, axes.found


def _dce_vjp_call(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    """Without results that nobody reads; for bwd they have zero cotangents."""
    fwd, bwd, symbolic = (eqn.params[k] for k in ("fwd", "bwd", "symbolic_zeros"))
    zeros = [Zero(a.to_tangent_aval()) for a in eqn.params["call_jaxpr"].out_avals]

    @functools.wraps(fwd)
    def pruned_fwd(*args: Any, **kwargs: Any) -> tuple[list[Any], list[Any]]:
        outs, residuals = fwd(*args, **kwargs)
        return [x for x, u in zip(outs, used, strict=True) if u], residuals

    @functools.wraps(bwd)
    def whole_bwd(*args: Any) -> list[Any]:
        num_residuals = len(args) - sum(used)
        given = iter(args[num_residuals:])
        cts = [next(given) if u else z if symbolic else instantiate(z) for u, z in zip(used, zeros, strict=True)]
        return bwd(*args[:num_residuals], *cts)

    return _without_results(eqn, used, fwd=pruned_fwd, bwd=whole_bwd)


def _record_call(trace: LinearTrace, args: Sequence[Any], **params: Any) -> list[Any]:
    """Kept as a call: in a jaxpr that is split, the rule will be needed when the part is differentiated."""
    args, params = _staged(args, params)
    return trace.record(custom_vjp_call_p, [trace.atom(x) for x in args], params["call_jaxpr"].out_avals, params)


def _transpose_call(cts: Sequence[Any], *args: Any, call_jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
    """A linear program calls the function with tangents: what it does to them is linear."""
    return transpose_call(cts, args, call_jaxpr, lambda transposed, *xs: transposed(*xs))


custom_vjp_call_p.jvp = _forward_by_user
custom_vjp_call_p.partial_eval = _record_call
custom_vjp_call_p.transpose = _transpose_call
custom_vjp_call_p.batch = _batch_vjp_call
custom_vjp_call_p.dce = _dce_vjp_call
custom_vjp_call_p.printed = _printed("fwd", "bwd")


def _no_forward_mode(*args: Any, name: str, **params: Any) -> Any:
    raise TypeError(
        f"can't apply forward-mode differentiation (jvp) to a custom_vjp function: {name} has only a rule "
        "for reverse mode. "
        "Use jax.grad, jax.vjp or jax.jacrev, or define the rule with jax.custom_jvp, which serves both "
        "modes."
    )


def _linear_transpose(
    cts: Sequence[Any], *args: Any, num_residuals: int, bwd: Callable, nonzero: Sequence[bool], **params: Any
) -> list[Any]:
    if not params["symbolic_zeros"]:
        cts = [instantiate(ct) for ct in cts]
    given = bwd(*args[:num_residuals], *cts)
    return [None] * num_residuals + [ct for ct, nz in zip(given, nonzero, strict=True) if nz]


custom_vjp_linear_p.impl = custom_vjp_linear_p.evaluate = _no_forward_mode
custom_vjp_linear_p.shape_rule = lambda *avals, out_avals, **params: list(out_avals)
custom_vjp_linear_p.jvp = lambda primals, tangents, **params: _no_forward_mode(**params)
custom_vjp_linear_p.batch = lambda axis_size, args, dims, **params: _no_forward_mode(**params)
custom_vjp_linear_p.transpose = _linear_transpose
