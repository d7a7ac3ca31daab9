"""The transformations once more, from jaxpr to jaxpr: how jit, checkpoint and control flow are transformed.

Each runs a jaxpr under the transformation and stages what it does. The result is kept with the jaxpr it
was made from.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minijax.array import ArrayImpl
from minijax.batching import batch_flat, place_batch_axis
from minijax.core import ShapedArray, Tracer, Zero, current_trace, set_current_trace
from minijax.jaxpr import ClosedJaxpr, Jaxpr, Literal, Var, dce_jaxpr, stage
from minijax.jvp import jvp_flat
from minijax.linearize import LinearTrace, close_program, linearize_flat, residuals_of, without_dead_equations
from minijax.named_axes import axis_name_of
from minijax.primitives.families import instantiate
from minijax.primitives.standard import zero_like
from minijax.transpose import backward_pass

Flags = tuple[bool, ...]


def fixed_point(flags: Sequence[bool], one_turn: Callable[[Flags], tuple[Any, Sequence[bool]]]) -> tuple[Flags, Any]:
    """What holds of a loop's carry (nonzero, unknown, batched) in every turn, and the body made for it.

    `flags` is what holds before the first turn. one_turn(flags) gives the body that was made for such a carry
    and what holds of its results; whatever comes out in one turn goes into the next.
    """
    flags = tuple(flags)
    while True:
        body, after = one_turn(flags)
        joined = tuple([a or b for a, b in zip(flags, after, strict=True)])
        if joined == flags:
            return flags, body
        flags = joined


def body_of_all_turns(
    closed: ClosedJaxpr,
    flags: Sequence[bool],
    num_consts: int,
    num_carry: int,
    transform: Callable[[Flags, Flags], tuple[Any, Sequence[bool]]],
) -> tuple[Flags, Any, Sequence[bool]]:
    """What holds of a loop's operands (*consts, *carry, *xs) in every turn, and its body transformed for that.

    `flags` is what holds before the first turn. transform(arguments, wanted) gives the body for arguments of which
    it holds, where it is made to hold of the `wanted` results, and for which of the results (*carry, *ys) it does;
    the last of these come behind the body.
    """
    first_x = num_consts + num_carry
    consts, init, xs = flags[:num_consts], flags[num_consts:first_x], flags[first_x:]
    num_ys = len(closed.jaxpr.outvars) - num_carry

    def one_turn(carry: Flags) -> tuple[Any, Sequence[bool]]:
        found = transform((*consts, *carry, *xs), (*carry, *[False] * num_ys))
        return found, found[1][:num_carry]

    carry, (made, after) = fixed_point(init, one_turn)
    return (*consts, *carry, *xs), made, after


def rearranged(
    closed: ClosedJaxpr, arguments: Sequence[int] | None = None, results: Sequence[int] | None = None
) -> ClosedJaxpr:
    """The jaxpr with its arguments in another order, and those of its results that are named, in this order."""

    def pick(variables: list[Any], positions: Sequence[int] | None) -> list[Any]:
        return variables if positions is None else [variables[i] for i in positions]

    def make() -> ClosedJaxpr:
        jaxpr = closed.jaxpr
        return closed.replace(
            jaxpr=jaxpr.replace(invars=pick(jaxpr.invars, arguments), outvars=pick(jaxpr.outvars, results))
        )

    key = (None if arguments is None else tuple(arguments), None if results is None else tuple(results))
    return closed.derived(("rearranged", key), make)


def forwarded_results(closed: ClosedJaxpr) -> list[int | None]:
    """For each result the position of the argument that it is, or None."""
    position = {v: i for i, v in enumerate(closed.jaxpr.invars)}
    return [position.get(v) if type(v) is Var else None for v in closed.jaxpr.outvars]


def dce_keeping(closed: ClosedJaxpr, used: Flags, keep: Flags) -> tuple[ClosedJaxpr, list[bool]]:
    """The jaxpr without the results that are not used, and without arguments that nobody needs or keeps.

    Also says which arguments are left. If there is nothing to drop it is the same jaxpr, with all that is kept
    with it.
    """

    def make() -> tuple[ClosedJaxpr, list[bool]]:
        jaxpr, needed = dce_jaxpr(closed.jaxpr, used)
        left = [n or k for n, k in zip(needed, keep, strict=True)]
        same_eqns = len(jaxpr.eqns) == len(closed.eqns) and all(map(operator.is_, jaxpr.eqns, closed.eqns))
        if same_eqns and all(left) and all(used):
            return closed, left
        jaxpr.invars = [v for v, there in zip(closed.jaxpr.invars, left, strict=True) if there]
        return ClosedJaxpr(jaxpr, closed.consts), left

    return closed.derived(("dce", used, keep), make)


def jvp_jaxpr(closed: ClosedJaxpr, nonzero: Flags, wanted: Flags = ()) -> tuple[ClosedJaxpr, list[bool]]:
    """The forward derivative of a jaxpr: (*primals, *nonzero tangents) -> (*outs, *nonzero tangents).

    Also says which results have a nonzero tangent; those that are `wanted` get one in any case.
    """
    wanted = wanted or (False,) * len(closed.jaxpr.outvars)

    def make() -> tuple[ClosedJaxpr, list[bool]]:
        nonzero_out: list[bool] = []

        def fun(*args: Any) -> list[Any]:
            primals, given = args[: len(nonzero)], iter(args[len(nonzero) :])
            tangents = [next(given) if nz else zero_like(p) for p, nz in zip(primals, nonzero, strict=True)]
            outs, out_tangents = jvp_flat(closed, primals, tangents)
            out_tangents = [instantiate(t) if w else t for t, w in zip(out_tangents, wanted, strict=True)]
            nonzero_out.extend(type(t) is not Zero for t in out_tangents)
            return [*outs, *(t for t in out_tangents if type(t) is not Zero)]

        avals = closed.in_avals
        tangent_avals = [a.to_tangent_aval() for a, nz in zip(avals, nonzero, strict=True) if nz]
        return stage(fun, [*avals, *tangent_avals], "jvp"), nonzero_out

    return closed.derived(("jvp", nonzero, wanted), make)


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


def linearize_jaxpr(
    closed: ClosedJaxpr, nonzero: Flags, wanted: Flags = (), may_forward: Flags | None = None
) -> LinearizedJaxpr:
    """Split the derivative of a jaxpr with respect to the `nonzero` arguments in two jaxprs.

    Results that are `wanted` have a tangent even if it is zero. A residual that is an argument is forwarded
    where `may_forward` allows it; a loop's carry is another value in each turn and may not.
    """
    wanted = wanted or (False,) * len(closed.jaxpr.outvars)

    def make() -> LinearizedJaxpr:
        found: list[Any] = []

        def fun(*primals: Any) -> list[Any]:
            outs, program, nonzero_out = linearize_flat(closed, primals, nonzero)
            given = iter(program.outvars)
            program.outvars = [
                next(given) if nz else Literal(instantiate(zero_like(x)))
                for x, nz, w in zip(outs, nonzero_out, wanted, strict=True)
                if nz or w
            ]
            nonzero_out = [nz or w for nz, w in zip(nonzero_out, wanted, strict=True)]
            program = without_dead_equations(program)
            residuals = residuals_of(program)
            position = {id(p): i for i, p in enumerate(primals) if may_forward is None or may_forward[i]}
            forwarded = [position.get(id(r)) for r in residuals]
            found.extend([close_program(program, residuals), nonzero_out, forwarded])
            return [*outs, *(r for r, i in zip(residuals, forwarded, strict=True) if i is None)]

        primal = stage(fun, closed.in_avals, "linearize")
        everything = (True,) * len(primal.jaxpr.outvars), (True,) * len(primal.jaxpr.invars)
        return LinearizedJaxpr(dce_keeping(primal, *everything)[0], *found)

    return closed.derived(("linearize", nonzero, wanted, may_forward), make)


def partial_eval_jaxpr(
    closed: ClosedJaxpr, unknown: Flags, wanted: Flags = ()
) -> tuple[ClosedJaxpr, ClosedJaxpr, list[bool]]:
    """Split a jaxpr into what can be computed from its known arguments and the rest.

    known: known args -> (*known results, *residuals); rest: (*residuals, *unknown args) -> unknown results.
    Also says which results are unknown; those that are `wanted` count as unknown in any case.
    """
    wanted = wanted or (False,) * len(closed.jaxpr.outvars)

    def make() -> tuple[ClosedJaxpr, ClosedJaxpr, list[bool]]:
        found: list[Any] = []

        def fun(*known: Any) -> list[Any]:
            trace, values = LinearTrace(current_trace()), iter(known)
            args = [trace.new_arg(a) if u else next(values) for a, u in zip(closed.in_avals, unknown, strict=True)]
            with set_current_trace(trace):
                outs = closed(*args)
            out_unknown = [w or trace.owns(x) for x, w in zip(outs, wanted, strict=True)]
            program = trace.program([x for x, u in zip(outs, out_unknown, strict=True) if u])
            program = without_dead_equations(program)
            residuals = _residuals_by_distance(program)
            found.extend([close_program(program, residuals), out_unknown])
            return [*(x for x, u in zip(outs, out_unknown, strict=True) if not u), *residuals]

        known_avals = [a for a, u in zip(closed.in_avals, unknown, strict=True) if not u]
        known = stage(fun, known_avals, "known")
        return known, *found

    return closed.derived(("partial_eval", unknown, wanted), make)


def _residuals_by_distance(program: Jaxpr) -> list[Any]:
    """The residuals of a recorded program, each once, in the order in which JAX takes them: it shows in jaxprs.

    That is the reverse of a walk from the results back, on which everything comes after what it is read by, and the
    operands of what was reached last come next.
    """
    made_by = {v: eqn for eqn in program.eqns for v in eqn.outvars}

    def operands(node: Any) -> list[Any]:
        return made_by[node].invars if type(node) is Var and node in made_by else []

    ends = list(dict.fromkeys([*program.invars, *program.outvars]))
    readers: dict[Any, int] = {}
    pending = list(ends)
    while pending:
        node = pending.pop()
        readers[node] = readers.get(node, 0) + 1
        if readers[node] == 1:
            pending += operands(node)
    for node in ends:
        readers[node] -= 1
    pending, walk = [node for node in ends if not readers[node]], []
    while pending:
        walk.append(pending.pop())
        for node in operands(walk[-1]):
            readers[node] -= 1
            if not readers[node]:
                pending.append(node)
    found = [node.val for node in reversed(walk) if type(node) is Literal and isinstance(node.val, Tracer | ArrayImpl)]
    return list({id(value): value for value in found}.values())


def transpose_jaxpr(
    closed: ClosedJaxpr,
    linear: Flags,
    nonzero: Flags,
    wanted: Flags = (),
    added_to: Flags = (),
    linear_avals: tuple[ShapedArray, ...] = (),
    given_avals: tuple[ShapedArray, ...] = (),
) -> tuple[ClosedJaxpr, list[bool]]:
    """The transpose of a jaxpr that is linear in some arguments, as a jaxpr.

    (*other args, *nonzero cotangents of the results) -> nonzero cotangents of the linear arguments. Also says
    which of those are nonzero. What depends on the other arguments alone is evaluated on the way.
    `wanted` and `added_to` have an entry for each linear argument: cotangents that are wanted are given even
    if they are zero, and those to be added to one that there is already take it as one more argument, in front
    of the cotangents of the results. The avals of the linear arguments and of the given cotangents are those of the
    jaxpr, unless others are given: they may differ in weak types.
    """
    count = sum(linear)
    wanted, added_to = wanted or (False,) * count, added_to or (False,) * count

    def make() -> tuple[ClosedJaxpr, list[bool]]:
        nonzero_in: list[bool] = []
        out_avals = [a.to_tangent_aval() for a in closed.out_avals]
        unknown = [a.to_tangent_aval() for a, lin in zip(closed.in_avals, linear, strict=True) if lin]

        def fun(*args: Any) -> list[Any]:
            values = iter(args)
            trace = LinearTrace(current_trace())
            variables = iter([trace.new_arg(a) for a in unknown])
            operands = [next(variables) if lin else next(values) for lin in linear]
            with set_current_trace(trace):
                outs = closed(*operands)
            there = [next(values) if add else None for add in added_to]
            cts = [next(values) if nz else Zero(a) for a, nz in zip(out_avals, nonzero, strict=True)]
            program = trace.program(outs)
            if linear_avals:
                _change_arguments(program, linear_avals)
            cts_in = backward_pass(program, cts, there)
            cts_in = [instantiate(ct) if w else ct for ct, w in zip(cts_in, wanted, strict=True)]
            nonzero_in.extend(type(ct) is not Zero for ct in cts_in)
            return [ct for ct in cts_in if type(ct) is not Zero]

        known = [a for a, lin in zip(closed.in_avals, linear, strict=True) if not lin]
        there = [a for a, add in zip(unknown, added_to, strict=True) if add]
        given = given_avals or [a for a, nz in zip(out_avals, nonzero, strict=True) if nz]
        return stage(fun, [*known, *there, *given], "transpose"), nonzero_in

    key = ("transpose", linear, nonzero, wanted, added_to, linear_avals, given_avals)
    return closed.derived(key, make)


def _change_arguments(program: Jaxpr, avals: Sequence[ShapedArray]) -> None:
    """Give the arguments of a recorded program other weak types; what is computed from them keeps its own."""
    for v in [v for eqn in program.eqns for v in eqn.outvars]:
        v.aval = v.aval  # those that recording has left open are found now
    for v, aval in zip(program.invars, avals, strict=True):
        v.aval = aval


Dims = tuple[int | None, ...]


def batch_jaxpr(
    closed: ClosedJaxpr, size: int, dims: Dims, places: Dims | None = None
) -> tuple[ClosedJaxpr, list[int | None]]:
    """The jaxpr for all examples at once, and where its results carry the batch axis.

    With `places`, a result that has a place there carries the axis at it, even if it is the same for all
    examples; other results carry it in front, if at all.
    """

    def make() -> tuple[ClosedJaxpr, list[int | None]]:
        out_dims: list[int | None] = []

        def fun(*args: Any) -> list[Any]:
            outs, found = batch_flat(closed, size, args, dims)
            if places is not None:
                wanted = [0 if p is None and d is not None else p for p, d in zip(places, found, strict=True)]
                outs = [
                    x if w is None else place_batch_axis(x, d, w, size)
                    for x, d, w in zip(outs, found, wanted, strict=True)
                ]
                found = wanted
            out_dims.extend(found)
            return outs

        return stage(fun, [_with_axis(a, d, size) for a, d in zip(closed.in_avals, dims, strict=True)]), out_dims

    return closed.derived(("batch", size, axis_name_of(size), dims, places), make)


def batch_in_front(
    closed: ClosedJaxpr, size: int, batched: Sequence[bool], wanted: Sequence[bool] | None = None
) -> tuple[ClosedJaxpr, list[bool]]:
    """The jaxpr for all examples at once, every batch axis in front: which arguments and which results have one.

    Those that are `wanted` have one in any case.
    """
    dims = tuple([0 if b else None for b in batched])
    places = None if wanted is None else tuple([0 if w else None for w in wanted])
    made, out_dims = batch_jaxpr(closed, size, dims, places)
    return made, [d is not None for d in out_dims]


def _with_axis(aval: ShapedArray, dim: int | None, size: int) -> ShapedArray:
    if dim is None:
        return aval
    return aval.update(shape=(*aval.shape[:dim], size, *aval.shape[dim:]))
