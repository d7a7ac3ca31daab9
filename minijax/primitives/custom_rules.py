"""The primitives behind custom_jvp and custom_vjp: calls that bring their own derivative.

Their functions are parameters. While nobody stages the program they stay plain Python functions, so
that a custom_jvp function may look at concrete values; staging turns `call_jaxpr` into a jaxpr.
The classes that users decorate with are in `custom_derivatives.py`.

    custom_jvp_call: call_jaxpr(*args) -> outs;  jvp(*args, *tangents) -> [*outs, *out_tangents]
    custom_vjp_call: call_jaxpr(*args) -> outs;  fwd(*args) -> (outs, residuals);
                     bwd(*residuals, *cts) -> cts
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minijax import compiler, dtypes
from minijax.batching import BatchTrace, BatchTracer, batched, place_batch_axis
from minijax.core import EVAL, Primitive, Trace, Zero, current_trace, get_aval, set_current_trace
from minijax.errors import UnexpectedTracerError
from minijax.jaxpr import ClosedJaxpr, Eqn, JaxprTrace, stage
from minijax.jaxpr_transforms import dce_keeping
from minijax.linearize import LinearTrace
from minijax.named_axes import in_scope
from minijax.primitives.calls import evaluate_jaxpr, hoist_constants, transpose_call, without
from minijax.primitives.families import instantiate
from minijax.primitives.shaping import as_value, move_axis
from minijax.primitives.standard import zero_like
from minijax.primitives.sums import reduce_sum

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
        raise UnexpectedTracerError(
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


# ----------------------------------------------------------------- a vmap around


class _SameVmap(BatchTrace):
    """A vmap once more, around a function that was defined inside of it and may close over its tracers."""

    __slots__ = ("known",)

    def __init__(self, size: int, around: BatchTrace):
        super().__init__(size)
        self.known = (around, *getattr(around, "known", ()))

    def pair(self, x: Any) -> tuple[Any, int | None]:
        if type(x) is BatchTracer and any(x._trace is trace for trace in self.known):
            return x.val, x.dim
        return super().pair(x)


def defined_here(fun: Callable) -> Callable:
    """`fun`, which knows from now on which vmaps are around it. A jit in between passes on what is closed over."""
    vmaps, trace = [], current_trace()
    while trace is not EVAL and not isinstance(trace, JaxprTrace):
        if isinstance(trace, BatchTrace):
            vmaps.append(trace)
        trace = trace.parent
    if vmaps:
        fun.vmaps = vmaps
    return fun


def _batched(fun: Callable, size: int, dims: Sequence[int | None], parent: Trace) -> Callable:
    """`fun` for all examples of the vmap with this parent, its results with the batch axis in front."""
    vmaps = getattr(fun, "vmaps", ())
    around = next((trace for trace in vmaps if trace.parent is parent), None)
    if around is None:
        return batched(fun, size, dims)

    def call(*args: Any) -> list[Any]:
        trace = _SameVmap(size, around)
        try:
            with set_current_trace(trace), in_scope(size):
                outs = fun(*map(trace.wrap, args, dims))
            pairs = [trace.pair(x) for x in outs]
        finally:
            trace.valid = False
        return [place_batch_axis(x, d, 0, size) for x, d in pairs]

    call.vmaps = vmaps
    return call


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
    call = _batched(call_jaxpr, axis_size, dims, current_trace())
    batched_jvp = _batched_jvp(jvp, axis_size, dims[params["num_consts"] :])
    outs = custom_jvp_call_p.bind(*args, call_jaxpr=call, jvp=batched_jvp, **params)
    return outs, [0] * len(outs)


def _batched_jvp(jvp: Callable, size: int, dims: Sequence[int | None]) -> Callable:
    around = current_trace()

    @functools.wraps(jvp)
    def call(*args: Any) -> list[Any]:
        tangent_dims = [None if type(t) is Zero else d for t, d in zip(args[len(dims) :], dims, strict=True)]
        zero: list[bool] = []

        def flat(*examples: Any) -> list[Any]:
            primals, tangents = examples[: len(dims)], examples[len(dims) :]
            tangents = [zero_like(p) if type(t) is Zero else t for p, t in zip(primals, tangents, strict=True)]
            results = jvp(*primals, *tangents)
            zero.extend(type(x) is Zero for x in results)
            return [x for x in results if type(x) is not Zero]

        flat.vmaps = getattr(jvp, "vmaps", ())
        given = iter(_batched(flat, size, [*dims, *tangent_dims], around)(*args))
        outs = [next(given) for _ in zero[: len(zero) // 2]]
        return [*outs, *[zero_like(o) if z else next(given) for o, z in zip(outs, zero[len(outs) :], strict=True)]]

    return call


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
    own = list(dims[params["num_consts"] :])
    call = _batched(call_jaxpr, axis_size, dims, current_trace())
    outs = custom_vjp_call_p.bind(
        *args,
        call_jaxpr=call,
        fwd=_batched_fwd(fwd, axis_size, own),
        bwd=_batched_bwd(bwd, axis_size, own),
        **params,
    )
    return outs, [0] * len(outs)


def _batched_fwd(fwd: Callable, size: int, dims: Sequence[int | None]) -> Callable:
    around = current_trace()

    @functools.wraps(fwd)
    def call(*args: Any, **kwargs: Any) -> tuple[list[Any], list[Any]]:
        counts: list[int] = []

        def flat(*examples: Any) -> list[Any]:
            outs, residuals = fwd(*examples, **kwargs)
            counts.append(len(outs))
            return [*outs, *residuals]

        flat.vmaps = getattr(fwd, "vmaps", ())
        results = _batched(flat, size, dims, around)(*args)
        return results[: counts[0]], results[counts[0] :]

    return call


def _batched_bwd(bwd: Callable, size: int, dims: Sequence[int | None]) -> Callable:
    """The user's bwd for all examples; an argument they share gets the sum of their cotangents."""
    around = current_trace()

    @functools.wraps(bwd)
    def call(*args: Any) -> list[Any]:
        in_dims = [None if type(x) is Zero else 0 for x in args]
        nonzero: list[bool] = []

        def flat(*examples: Any) -> list[Any]:
            cts = bwd(*[_zero_of_example(x) if type(x) is Zero else x for x in examples])
            nonzero.extend(ct is not None for ct in cts)
            return [ct for ct in cts if ct is not None]

        flat.vmaps = getattr(bwd, "vmaps", ())
        given = iter(_batched(flat, size, in_dims, around)(*args))
        return [_unbatched(next(given), d) if nz else None for nz, d in zip(nonzero, dims, strict=True)]

    return call


def _zero_of_example(ct: Zero) -> Zero:
    return Zero(ct.aval.update(shape=ct.aval.shape[1:]))


def _unbatched(ct: Any, dim: int | None) -> Any:
    """The cotangent of an argument that carries the batch axis at `dim`, or that all examples share."""
    return reduce_sum(ct, (0,)) if dim is None else move_axis(ct, 0, dim)


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
