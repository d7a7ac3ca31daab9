"""The transformations once more, from jaxpr to jaxpr: how jit, checkpoint and control flow are transformed.

Each runs a jaxpr under the transformation and stages what it does. The result is kept with the jaxpr it
was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minijax.batching import batch_flat
from minijax.core import ShapedArray, Zero, current_trace, set_current_trace
from minijax.jaxpr import ClosedJaxpr, stage
from minijax.jvp import jvp_flat
from minijax.linearize import LinearTrace, close_program, linearize_flat, residuals_of, without_dead_equations
from minijax.primitives.standard import zero_like
from minijax.transpose import backward_pass


def jvp_jaxpr(closed: ClosedJaxpr, nonzero: tuple[bool, ...]) -> tuple[ClosedJaxpr, list[bool]]:
    """The forward derivative of a jaxpr: (*primals, *nonzero tangents) -> (*outs, *nonzero tangents).

    Also says which results have a nonzero tangent.
    """

    def make() -> tuple[ClosedJaxpr, list[bool]]:
        nonzero_out: list[bool] = []

        def fun(*args: Any) -> list[Any]:
            primals, given = args[: len(nonzero)], iter(args[len(nonzero) :])
            tangents = [next(given) if nz else zero_like(p) for p, nz in zip(primals, nonzero, strict=True)]
            outs, out_tangents = jvp_flat(closed, primals, tangents)
            nonzero_out.extend(type(t) is not Zero for t in out_tangents)
            return [*outs, *(t for t in out_tangents if type(t) is not Zero)]

        avals = closed.in_avals
        tangent_avals = [a.to_tangent_aval() for a, nz in zip(avals, nonzero, strict=True) if nz]
        return stage(fun, [*avals, *tangent_avals], "jvp"), nonzero_out

    return closed.derived(("jvp", nonzero), make)


class LinearizedJaxpr(NamedTuple):
    """The derivative of a jaxpr in two halves.

    primal: args -> (*results, *computed residuals); linear: (*residuals, *tangents) -> nonzero tangents.
    """

    primal: ClosedJaxpr
    linear: ClosedJaxpr
    nonzero_out: list[bool]
    # For each residual the argument that it is, or None where the primal half computes it.
    forwarded: list[int | None]

    def residuals(self, args: Sequence[Any], computed: Sequence[Any]) -> list[Any]:
        """All residuals, from the arguments and what the primal half returned behind its results."""
        rest = iter(computed)
        return [next(rest) if i is None else args[i] for i in self.forwarded]


def linearize_jaxpr(closed: ClosedJaxpr, nonzero: tuple[bool, ...]) -> LinearizedJaxpr:
    """Split the derivative of a jaxpr with respect to the `nonzero` arguments in two jaxprs."""

    def make() -> LinearizedJaxpr:
        found: list[Any] = []

        def fun(*primals: Any) -> list[Any]:
            outs, program, nonzero_out = linearize_flat(closed, primals, nonzero)
            program = without_dead_equations(program)
            residuals = residuals_of(program)
            position = {id(p): i for i, p in enumerate(primals)}
            forwarded = [position.get(id(r)) for r in residuals]
            found.extend([close_program(program, residuals), nonzero_out, forwarded])
            return [*outs, *(r for r, i in zip(residuals, forwarded, strict=True) if i is None)]

        return LinearizedJaxpr(stage(fun, closed.in_avals, "linearize"), *found)

    return closed.derived(("linearize", nonzero), make)


def partial_eval_jaxpr(closed: ClosedJaxpr, unknown: tuple[bool, ...]) -> tuple[ClosedJaxpr, ClosedJaxpr, list[bool]]:
    """Split a jaxpr into what can be computed from its known arguments and the rest.

    known: known args -> (*known results, *residuals); rest: (*residuals, *unknown args) -> unknown results.
    Also says which results are unknown.
    """

    def make() -> tuple[ClosedJaxpr, ClosedJaxpr, list[bool]]:
        found: list[Any] = []

        def fun(*known: Any) -> list[Any]:
            trace, values = LinearTrace(current_trace()), iter(known)
            args = [trace.new_arg(a) if u else next(values) for a, u in zip(closed.in_avals, unknown, strict=True)]
            with set_current_trace(trace):
                outs = closed(*args)
            out_unknown = [trace.owns(x) for x in outs]
            program = without_dead_equations(trace.program([x for x in outs if trace.owns(x)]))
            residuals = residuals_of(program)
            found.extend([close_program(program, residuals), out_unknown])
            return [*(x for x in outs if not trace.owns(x)), *residuals]

        known_avals = [a for a, u in zip(closed.in_avals, unknown, strict=True) if not u]
        known = stage(fun, known_avals, "known")
        return known, *found

    return closed.derived(("partial_eval", unknown), make)


def transpose_jaxpr(
    closed: ClosedJaxpr, linear: tuple[bool, ...], nonzero: tuple[bool, ...]
) -> tuple[ClosedJaxpr, list[bool]]:
    """The transpose of a jaxpr that is linear in some arguments, as a jaxpr.

    (*other args, *nonzero cotangents of the results) -> nonzero cotangents of the linear arguments. Also says
    which of those are nonzero. What depends on the other arguments alone is evaluated on the way.
    """

    def make() -> tuple[ClosedJaxpr, list[bool]]:
        nonzero_in: list[bool] = []
        out_avals = [a.to_tangent_aval() for a in closed.out_avals]

        def fun(*args: Any) -> list[Any]:
            values = iter(args)
            trace = LinearTrace(current_trace())
            operands = [
                trace.new_arg(a) if lin else next(values) for a, lin in zip(closed.in_avals, linear, strict=True)
            ]
            with set_current_trace(trace):
                outs = closed(*operands)
            cts = [next(values) if nz else Zero(a) for a, nz in zip(out_avals, nonzero, strict=True)]
            cts_in = backward_pass(trace.program(outs), cts)
            nonzero_in.extend(type(ct) is not Zero for ct in cts_in)
            return [ct for ct in cts_in if type(ct) is not Zero]

        known = [a for a, lin in zip(closed.in_avals, linear, strict=True) if not lin]
        given = [a for a, nz in zip(out_avals, nonzero, strict=True) if nz]
        return stage(fun, [*known, *given], "transpose"), nonzero_in

    return closed.derived(("transpose", linear, nonzero), make)


def batch_jaxpr(closed: ClosedJaxpr, size: int, dims: tuple[int | None, ...]) -> tuple[ClosedJaxpr, list[int | None]]:
    """The jaxpr for all examples at once, and where its results carry the batch axis."""

    def make() -> tuple[ClosedJaxpr, list[int | None]]:
        out_dims: list[int | None] = []

        def fun(*args: Any) -> list[Any]:
            outs, found = batch_flat(closed, size, args, dims)
            out_dims.extend(found)
            return outs

        return stage(fun, [_with_axis(a, d, size) for a, d in zip(closed.in_avals, dims, strict=True)]), out_dims

    return closed.derived(("batch", size, dims), make)


def _with_axis(aval: ShapedArray, dim: int | None, size: int) -> ShapedArray:
    if dim is None:
        return aval
    return aval.update(shape=(*aval.shape[:dim], size, *aval.shape[dim:]))
