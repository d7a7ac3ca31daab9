"""What primitives that call a jaxpr have in common: a rule transforms the jaxpr and calls the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import compiler
from minijax.array import ArrayImpl
from minijax.core import Primitive, ShapedArray, Tracer, Zero, as_array, is_linear
from minijax.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Var
from minijax.jaxpr_transforms import batch_jaxpr, dce_keeping, jvp_jaxpr, rearranged, transpose_jaxpr
from minijax.policy_split import Flags, Policy, SplitEqn, picked, read_but_not_there, split_jaxpr
from minijax.primitives.standard import zero_like


def call_primitive(name: str) -> Primitive:
    """A primitive whose parameter `jaxpr` is called on its operands. Its linearisation is its own matter."""
    prim = Primitive(name, multiple_results=True)
    prim.impl = _impl
    prim.evaluate = lambda *args, jaxpr, **params: evaluate_jaxpr(jaxpr, args)
    prim.shape_rule = _shape
    prim.jvp = lambda primals, tangents, **params: _jvp(prim, primals, tangents, **params)
    prim.transpose = lambda cts, *args, **params: _transpose(prim, cts, args, **params)
    prim.batch = lambda axis_size, args, dims, **params: _batch(prim, axis_size, args, dims, **params)
    prim.dce = _dce
    return prim


def run_as_program(
    closed: ClosedJaxpr, prim: Primitive, buffers: Sequence[np.ndarray], avals: Sequence[ShapedArray], params: dict
) -> list[np.ndarray]:
    """Evaluate one equation as the compiler writes it. The program is kept with `closed`, one of its parameters."""

    def whole() -> ClosedJaxpr:
        invars = [Var(aval) for aval in avals]
        outvars = [Var(aval) for aval in prim.rule("shape_rule")(*avals, **params)]
        return ClosedJaxpr(Jaxpr([], invars, [Eqn(prim, invars, outvars, params)], outvars), [])

    return compiler.run(closed.derived((prim, *params.values()), whole), buffers)


def hoist_tracers(closed: ClosedJaxpr) -> tuple[list[Any], ClosedJaxpr]:
    """Turn constants that are tracers into leading arguments: a jaxpr outlives the traces around it."""
    constants = list(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    traced = [(v, c) for v, c in constants if isinstance(c, Tracer)]
    if not traced:
        return [], closed
    rest = [(v, c) for v, c in constants if not isinstance(c, Tracer)]
    invars = [*(v for v, _ in traced), *closed.jaxpr.invars]
    hoisted = Jaxpr([v for v, _ in rest], invars, closed.jaxpr.eqns, closed.jaxpr.outvars)
    return [c for _, c in traced], ClosedJaxpr(hoisted, [c for _, c in rest])


def hoist_constants(closed: ClosedJaxpr) -> tuple[list[Any], ClosedJaxpr]:
    """Turn all constants into leading arguments: loops and branches take them as operands, as in JAX."""
    jaxpr = closed.jaxpr
    if not jaxpr.constvars:
        return [], closed
    return closed.consts, ClosedJaxpr(jaxpr.replace(constvars=[], invars=[*jaxpr.constvars, *jaxpr.invars]), [])


def evaluate_jaxpr(closed: ClosedJaxpr, args: Sequence[Any]) -> list[ArrayImpl]:
    """Run a jaxpr on concrete arrays."""
    outs = compiler.run(closed, [as_array(x)._data for x in args])
    return [ArrayImpl(o, aval.weak_type) for o, aval in zip(outs, closed.out_avals, strict=True)]


def split_tangents(tangents: Sequence[Any]) -> tuple[tuple[bool, ...], list[Any]]:
    """Which tangents are not symbolic zeros, and those."""
    nonzero = tuple(type(t) is not Zero for t in tangents)
    return nonzero, [t for t in tangents if type(t) is not Zero]


def merge_tangents(outs: Sequence[Any], nonzero: Sequence[bool], given: Sequence[Any]) -> list[Any]:
    """A tangent for each of `outs`: the given ones where nonzero, symbolic zeros elsewhere."""
    rest = iter(given)
    return [next(rest) if nz else zero_like(o) for o, nz in zip(outs, nonzero, strict=True)]


def split_list(xs: Sequence[Any], *sizes: int) -> list[list[Any]]:
    """The parts of these sizes one after the other, and what is left."""
    parts, start = [], 0
    for size in sizes:
        parts.append(list(xs[start : start + size]))
        start += size
    return [*parts, list(xs[start:])]


def same_types(first: Sequence[ShapedArray], second: Sequence[ShapedArray]) -> bool:
    """Whether there are as many avals, of the same shapes and dtypes; weak types do not count."""
    return len(first) == len(second) and all(same_type(a, b) for a, b in zip(first, second))


def same_type(a: ShapedArray, b: ShapedArray) -> bool:
    """Whether shapes and dtypes are the same."""
    return a.shape == b.shape and a.dtype == b.dtype


def short_types(avals: Sequence[ShapedArray]) -> str:
    """The avals as jaxprs show them."""
    return f"({', '.join(a.str_short() for a in avals)})"


def _impl(*buffers: np.ndarray, jaxpr: ClosedJaxpr, **params: Any) -> list[np.ndarray]:
    return compiler.run(jaxpr, buffers)


def _shape(*avals: ShapedArray, jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
    return jaxpr.out_avals


def _jvp(prim: Primitive, primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> Any:
    nonzero, given = split_tangents(tangents)
    derivative, nonzero_out = jvp_jaxpr(jaxpr, nonzero)
    results = prim.bind(*primals, *given, jaxpr=derivative, **params)
    outs = results[: len(nonzero_out)]
    return outs, merge_tangents(outs, nonzero_out, results[len(nonzero_out) :])


def _transpose(prim: Primitive, cts: Sequence[Any], args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> Any:
    return transpose_call(cts, args, jaxpr, lambda transposed, *xs: prim.bind(*xs, jaxpr=transposed, **params))


def transpose_call(cts: Sequence[Any], args: Sequence[Any], closed: ClosedJaxpr, call: Callable) -> list[Any]:
    """Cotangents of the operands of a call of a jaxpr; call(transposed jaxpr, *operands) runs the transposed one."""
    linear = tuple(is_linear(x) for x in args)
    nonzero, given = split_tangents(cts)
    transposed, nonzero_in = transpose_jaxpr(closed, linear, nonzero)
    results, flags = iter(call(transposed, *[x for x in args if not is_linear(x)], *given)), iter(nonzero_in)
    return [None if not is_linear(x) else next(results) if next(flags) else Zero(x.aval) for x in args]


def _batch(prim: Primitive, axis_size: int, args: Any, dims: Any, *, jaxpr: ClosedJaxpr, **params: Any) -> Any:
    batched, out_dims = batch_jaxpr(jaxpr, axis_size, tuple(dims))
    return prim.bind(*args, jaxpr=batched, **params), out_dims


def _dce(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    closed = eqn.params["jaxpr"]
    jaxpr, used_inputs = dce_keeping(closed, tuple(used), (False,) * len(eqn.invars))
    return without(eqn, used_inputs, used, jaxpr=jaxpr)


def without(eqn: Eqn, used_inputs: Sequence[bool], used_outputs: Sequence[bool], **params: Any) -> Eqn:
    """The equation with only the operands and results that are used, and with other parameters."""
    if all(used_inputs) and all(used_outputs) and all(eqn.params[name] is value for name, value in params.items()):
        return eqn
    return eqn.replace(
        invars=[v for v, u in zip(eqn.invars, used_inputs, strict=True) if u],
        outvars=[v for v, u in zip(eqn.outvars, used_outputs, strict=True) if u],
        params={**eqn.params, **params},
    )


def split_call(policy: Policy, eqn: Eqn, unknown: Flags, there: Flags, forward: bool = False) -> SplitEqn:
    """The halves of a call: two calls, of the halves of its jaxpr.

    With `forward`, a residual that is an operand or a result of the first call is not returned once more.
    """
    known, later, unknown_out, there_out, count = split_jaxpr(eqn.params["jaxpr"], unknown, there, policy)
    operands, results = picked(eqn.invars, unknown, False), picked(eqn.outvars, unknown_out, False)
    inside = known.jaxpr.outvars[len(results) :]
    sources = dict(zip([*known.jaxpr.outvars[: len(results)], *known.jaxpr.invars], [*results, *operands]))
    found = [sources.get(v) if forward else None for v in inside]
    residuals = [Var(v.aval) if type(s) is not Var else s for v, s in zip(inside, found, strict=True)]
    new = [i for i, s in enumerate(found) if type(s) is not Var]
    if len(new) < count:
        known = rearranged(known, results=[*range(len(results)), *[len(results) + i for i in new]])
    return SplitEqn(
        eqn.replace(
            invars=operands,
            outvars=[*results, *[residuals[i] for i in new]],
            params={**eqn.params, "jaxpr": known},
        ),
        eqn.replace(
            invars=[*residuals, *picked(eqn.invars, there)],
            outvars=picked(eqn.outvars, there_out),
            params={**eqn.params, "jaxpr": later},
        ),
        unknown_out,
        there_out,
        [*read_but_not_there(eqn, there), *residuals],
    )
