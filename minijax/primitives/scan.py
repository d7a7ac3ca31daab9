"""scan: a loop of known length over the leading axes of arrays, with a carry from turn to turn.

    scan[jaxpr num_consts num_carry length reverse unroll] *consts *carry *xs  ->  *carry *ys
    jaxpr: (*consts, *carry, *one slice of each x) -> (*carry, *one slice of each y)

`unroll` is kept for JAX's sake and changes nothing here. A rule makes a new body and binds a new scan with it.
What is true of the carry (nonzero, unknown, batched) at the start may not be all: what one turn makes so, stays
so. Rules therefore look for the fixed point first.

Reverse mode works as everywhere. The first half is a scan that also stacks the residuals of each turn, as further
ys; the second half is a linear scan over them, which runs in the other direction when it is transposed: its carry
is the cotangent of the carry, and cotangents of the consts add up in the carry too. Residuals that are the same in
each turn, because they depend on consts alone, are computed once, outside of the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minijax import compiler, dtypes
from minijax.batching import place_batch_axis
from minijax.core import Primitive, ShapedArray, Zero, current_trace, get_aval, is_linear, set_current_trace
from minijax.errors import JaxprTypeError
from minijax.jaxpr import ClosedJaxpr, Eqn
from minijax.jaxpr_transforms import (
    Flags,
    LinearizedJaxpr,
    batch_in_front,
    body_of_all_turns,
    dce_keeping,
    fixed_point,
    forwarded_results,
    jvp_jaxpr,
    linearize_jaxpr,
    partial_eval_jaxpr,
    rearranged,
    transpose_jaxpr,
)
from minijax.linearize import LinearTrace
from minijax.nan_checks import locating
from minijax.primitives.calls import (
    merge_tangents,
    run_as_program,
    same_types,
    short_types,
    split_list,
    split_tangents,
    without,
)
from minijax.primitives.families import instantiate

scan_p = Primitive("scan", multiple_results=True)

# ----------------------------------------------------------------- evaluation


def _impl(*buffers: np.ndarray, jaxpr: ClosedJaxpr, num_consts: int, num_carry: int, **params: Any) -> list[np.ndarray]:
    """As the compiler writes it, but where it is asked to stop at the first NaN."""
    params |= {"jaxpr": jaxpr, "num_consts": num_consts, "num_carry": num_carry}
    if locating.get():
        return _turn_by_turn(*buffers, **params)
    given = num_consts + num_carry
    xs = [a.update(shape=(params["length"], *a.shape)) for a in jaxpr.in_avals[given:]]
    return run_as_program(jaxpr, scan_p, buffers, [*jaxpr.in_avals[:given], *xs], params)


def _turn_by_turn(
    *buffers: np.ndarray,
    jaxpr: ClosedJaxpr,
    length: int,
    num_consts: int,
    num_carry: int,
    reverse: bool,
    unroll: int,
) -> list[np.ndarray]:
    consts, carry, xs = split_list(buffers, num_consts, num_carry)
    body = compiler.executable(jaxpr)
    ys = [np.empty((length, *a.shape), dtypes.physical_dtype(a.dtype)) for a in jaxpr.out_avals[num_carry:]]
    turns: Iterable[int] = range(length)
    for i in reversed(turns) if reverse else turns:
        outs = body(*consts, *carry, *[x[i, ...] for x in xs])
        carry = outs[:num_carry]
        for y, out in zip(ys, outs[num_carry:], strict=True):
            y[i] = out
    return [*carry, *ys]


def _shape(
    *avals: ShapedArray, jaxpr: ClosedJaxpr, length: int, num_consts: int, num_carry: int, **params: Any
) -> list[ShapedArray]:
    consts, carry, xs = split_list(avals, num_consts, num_carry)
    if not same_types(jaxpr.in_avals, [*consts, *carry, *[_slice(a) for a in xs]]):
        raise JaxprTypeError(
            f"scan: the body takes {short_types(jaxpr.in_avals)}, but consts, carry and one slice of each array "
            f"scanned over are {short_types([*consts, *carry, *[_slice(a) for a in xs]])}."
        )
    if any(a.shape[0] != length for a in xs):
        raise JaxprTypeError(f"scan of length {length}: the arrays scanned over are {short_types(xs)}.")
    out_carry, ys = jaxpr.out_avals[:num_carry], jaxpr.out_avals[num_carry:]
    if not same_types(out_carry, carry):
        raise JaxprTypeError(
            f"scan: the body takes a carry of {short_types(carry)} and returns one of {short_types(out_carry)}."
        )
    return [*out_carry, *[a.update(shape=(length, *a.shape)) for a in ys]]


def _slice(aval: ShapedArray) -> ShapedArray:
    return aval.update(shape=aval.shape[1:])


# ----------------------------------------------------------------- forward mode


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jaxpr: ClosedJaxpr,
    num_consts: int,
    num_carry: int,
    **params: Any,
) -> tuple[list[Any], list[Any]]:
    nonzero, body, nonzero_out = body_of_all_turns(
        jaxpr, split_tangents(tangents)[0], num_consts, num_carry, partial(jvp_jaxpr, jaxpr)
    )
    given = [instantiate(t) for t, nz in zip(tangents, nonzero, strict=True) if nz]
    consts, carry, xs = split_list(nonzero, num_consts, num_carry)
    order = interleaved((num_consts, num_carry, len(xs)), (sum(consts), sum(carry), sum(xs)))
    operands = [*primals, *given]
    num_ys = len(nonzero_out) - num_carry
    out_order = interleaved((num_carry, num_ys), (sum(carry), sum(nonzero_out) - sum(carry)))
    results = scan_p.bind(
        *[operands[i] for i in order],
        jaxpr=rearranged(body, order, out_order),
        num_consts=num_consts + sum(consts),
        num_carry=num_carry + sum(carry),
        **params,
    )
    found = [x for _, x in sorted(zip(out_order, results, strict=True), key=lambda pair: pair[0])]
    outs = found[: len(nonzero_out)]
    return outs, merge_tangents(outs, nonzero_out, found[len(nonzero_out) :])


def interleaved(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """Of two lists, one behind the other, in parts of these sizes: positions with corresponding parts together."""
    out, i, j = [], 0, sum(first)
    for m, n in zip(first, second, strict=True):
        out += [*range(i, i + m), *range(j, j + n)]
        i, j = i + m, j + n
    return out


# ----------------------------------------------------------------- reverse mode: two loops out of one


class _Loops(NamedTuple):
    """A loop cut in two: what the first gave, and the body and residuals of the second.

    body: (*residuals that stay the same, *own arguments, *residuals of one turn) -> own results
    """

    outs: list[Any]
    body: ClosedJaxpr
    fixed: list[Any]
    stacked: list[Any]


def run_first_loop(
    first: ClosedJaxpr,
    second: ClosedJaxpr,
    forwarded: Sequence[int | None],
    operands: Sequence[Any],
    num_consts: int,
    num_carry: int,
    params: dict[str, Any],
) -> _Loops:
    """Run the first of two loops, and find the residuals for the second.

    first: operands -> (*outs, *computed residuals); second: (*residuals, *own arguments) -> own results. For each
    residual `forwarded` has the operand that it is, or None if it is computed.
    """
    num_outs = len(first.out_avals) - list(forwarded).count(None)
    consts, rest = operands[:num_consts], operands[num_consts:]
    # What depends on consts alone is known before the loop; the outs are results of the loop in any case.
    unknown = (False,) * num_consts + (True,) * len(rest)
    wanted = tuple([i < num_outs for i in range(len(first.out_avals))])
    known, body, in_loop = partial_eval_jaxpr(first, unknown, wanted)
    before = known(*consts)
    hoisted, consts = before[: in_loop.count(False)], before[in_loop.count(False) :]
    results: list[Any] = []
    if body.out_avals or body.effects:
        results = scan_p.bind(*consts, *rest, jaxpr=body, num_consts=len(consts), num_carry=num_carry, **params)
    outs, from_loop, from_before = results[:num_outs], iter(results[num_outs:]), iter(hoisted)
    changing = iter(in_loop[num_outs:])
    residuals, stacked = [], []
    for i in forwarded:
        stacked.append(next(changing) if i is None else i >= num_consts + num_carry)
        residuals.append(operands[i] if i is not None else next(from_loop) if stacked[-1] else next(from_before))
    first_part = [i for i, s in enumerate(stacked) if not s]
    last_part = [i for i, s in enumerate(stacked) if s]
    body = rearranged(second, [*first_part, *range(len(residuals), len(second.in_avals)), *last_part])
    return _Loops(outs, body, [residuals[i] for i in first_part], [residuals[i] for i in last_part])


def _linearize(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jaxpr: ClosedJaxpr,
    num_consts: int,
    num_carry: int,
    **params: Any,
) -> tuple[list[Any], list[Any]]:
    """Run the primal loop now; what is recorded is one linear loop."""
    num_xs = len(jaxpr.in_avals) - num_consts - num_carry
    may_forward = (True,) * num_consts + (False,) * num_carry + (True,) * num_xs

    def halve(nonzero: Flags, wanted: Flags) -> tuple[LinearizedJaxpr, list[bool]]:
        halves = linearize_jaxpr(jaxpr, nonzero, wanted, may_forward)
        return halves, halves.nonzero_out

    nonzero, halves, nonzero_out = body_of_all_turns(jaxpr, split_tangents(tangents)[0], num_consts, num_carry, halve)
    loops = run_first_loop(halves.primal, halves.linear, halves.forwarded, primals, num_consts, num_carry, params)
    given = [instantiate(t) for t, nz in zip(tangents, nonzero, strict=True) if nz]
    consts, carry, _ = split_list(nonzero, num_consts, num_carry)
    out_tangents = _record_second_loop(current_trace(), loops, given, sum(consts), sum(carry), params)
    return loops.outs, merge_tangents(loops.outs, nonzero_out, out_tangents)


def _record_second_loop(
    trace: LinearTrace, loops: _Loops, own: Sequence[Any], num_consts: int, num_carry: int, params: dict[str, Any]
) -> list[Any]:
    invars = [trace.atom(x) for x in [*loops.fixed, *own, *loops.stacked]]
    num_consts += len(loops.fixed)
    params = {**params, "jaxpr": loops.body, "num_consts": num_consts, "num_carry": num_carry}
    return trace.record(scan_p, invars, _shape(*[v.aval for v in invars], **params), params)


def _partial_eval(
    trace: LinearTrace, args: Sequence[Any], *, jaxpr: ClosedJaxpr, num_consts: int, num_carry: int, **params: Any
) -> list[Any]:
    """Run a loop over what is known; record a loop for the rest. The linear part of a loop is recorded as it is."""

    def halve(unknown: Flags, wanted: Flags) -> tuple[Any, list[bool]]:
        known, rest, out_unknown = partial_eval_jaxpr(jaxpr, unknown, wanted)
        return (known, rest), out_unknown

    unknown, (known, rest), out_unknown = body_of_all_turns(
        jaxpr, [trace.owns(x) for x in args], num_consts, num_carry, halve
    )
    consts, carry, xs = split_list(unknown, num_consts, num_carry)
    if not known.eqns and all(carry) and all(out_unknown) and consts == sorted(consts) and xs == sorted(xs)[::-1]:
        params = {**params, "jaxpr": jaxpr, "num_consts": num_consts, "num_carry": num_carry}
        atoms = [trace.atom(x) for x in args]
        return trace.record(scan_p, atoms, _shape(*[v.aval for v in atoms], **params), params)
    operands = [x for x, u in zip(args, unknown, strict=True) if not u]
    known_consts, known_carry = num_consts - sum(consts), num_carry - sum(carry)
    known, forwarded = _without_forwarded(known, out_unknown.count(False), known_consts, known_carry)
    with set_current_trace(trace.parent):
        loops = run_first_loop(known, rest, forwarded, operands, known_consts, known_carry, params)
    own = [x for x, u in zip(args, unknown, strict=True) if u]
    unknown_outs = iter(_record_second_loop(trace, loops, own, sum(consts), sum(carry), params))
    known_outs = iter(loops.outs)
    return [next(unknown_outs) if u else next(known_outs) for u in out_unknown]


def _without_forwarded(
    known: ClosedJaxpr, num_outs: int, num_consts: int, num_carry: int
) -> tuple[ClosedJaxpr, list[int | None]]:
    """The known part without residuals that are consts or slices of xs, and which these are."""
    found = [
        None if i is None or num_consts <= i < num_consts + num_carry else i
        for i in forwarded_results(known)[num_outs:]
    ]
    computed = [num_outs + i for i, source in enumerate(found) if source is None]
    return rearranged(known, results=[*range(num_outs), *computed]), found


def _transpose(
    cts: Sequence[Any],
    *args: Any,
    jaxpr: ClosedJaxpr,
    num_consts: int,
    num_carry: int,
    reverse: bool,
    **params: Any,
) -> list[Any]:
    """Of a linear loop: (*residuals, *linear consts, *carry, *linear xs, *residuals of each turn).

    A part of the carry may be a known zero; nobody asks for its cotangent. Results without a cotangent are left out
    first, with what only they depend on.
    """
    body, used, used_results = _live_part(jaxpr, num_consts, num_carry, [type(ct) is not Zero for ct in cts])
    if not all(used):
        found = iter(
            _transpose(
                [ct for ct, u in zip(cts, used_results, strict=True) if u],
                *[x for x, u in zip(args, used, strict=True) if u],
                jaxpr=body,
                num_consts=sum(used[:num_consts]),
                num_carry=sum(used_results[:num_carry]),
                reverse=reverse,
                **params,
            )
        )
        return [next(found) if u else None for u in used]
    consts, carry, xs = split_list([is_linear(x) for x in args], num_consts, num_carry)
    num_fixed, num_linear = consts.count(False), sum(consts) + num_carry + sum(xs)
    fixed, linear, stacked = split_list(args, num_fixed, num_linear)
    ct_carry = [instantiate(ct) for ct in cts[:num_carry]]
    ct_consts = [instantiate(Zero(a.to_tangent_aval())) for a in jaxpr.in_avals[num_fixed:num_consts]]
    nonzero, ct_ys = split_tangents(cts[num_carry:])
    # The carry of the other direction is the cotangent; it is as strongly typed as the cotangent that it starts with.
    ct_carry_avals = [get_aval(ct) for ct in ct_carry]
    ct_y_avals = [_slice(get_aval(ct)) for ct in ct_ys]
    xs_avals = [a.to_tangent_aval() for a in jaxpr.in_avals[num_consts + num_carry : num_fixed + num_linear]]
    const_avals = [get_aval(ct) for ct in ct_consts]
    body, _ = transpose_jaxpr(
        jaxpr,
        (False,) * num_fixed + (True,) * num_linear + (False,) * len(stacked),
        (True,) * num_carry + nonzero,
        wanted=(True,) * num_linear,
        added_to=tuple([i < sum(consts) for i in range(num_linear)]),
        linear_avals=(*const_avals, *ct_carry_avals, *xs_avals),
        given_avals=(*ct_carry_avals, *ct_y_avals),
    )
    first, residuals, rest = split_list(range(len(body.in_avals)), num_fixed, len(stacked))
    results = scan_p.bind(
        *[*fixed, *ct_consts, *ct_carry, *ct_ys, *stacked],
        jaxpr=rearranged(body, [*first, *rest, *residuals]),
        num_consts=num_fixed,
        num_carry=len(ct_consts) + num_carry,
        reverse=not reverse,
        **params,
    )
    found = [ct if is_linear(x) else None for x, ct in zip(linear, results, strict=True)]
    return [*[None] * num_fixed, *found, *[None] * len(stacked)]


# ----------------------------------------------------------------- batching, dead code


def _batch(
    axis_size: int,
    args: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: ClosedJaxpr,
    num_consts: int,
    num_carry: int,
    **params: Any,
) -> tuple[list[Any], list[int | None]]:
    """The batch axis comes first in the body, so second in what is scanned over."""
    batched, body, batched_out = body_of_all_turns(
        jaxpr, [d is not None for d in dims], num_consts, num_carry, partial(batch_in_front, jaxpr, axis_size)
    )
    moved = []
    for i, (x, d, b) in enumerate(zip(args, dims, batched, strict=True)):
        place = 0 if i < num_consts + num_carry else 1
        moved.append(x if not b else place_batch_axis(x, d, place, axis_size))
    outs = scan_p.bind(*moved, jaxpr=body, num_consts=num_consts, num_carry=num_carry, **params)
    return outs, [None if not b else 0 if i < num_carry else 1 for i, b in enumerate(batched_out)]


def _dce(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    """Drop results that nobody reads, and parts of the carry that no used result depends on."""
    num_consts, num_carry = eqn.params["num_consts"], eqn.params["num_carry"]
    body, used_inputs, used_results = _live_part(eqn.params["jaxpr"], num_consts, num_carry, used)
    sizes = {"num_consts": sum(used_inputs[:num_consts]), "num_carry": sum(used_results[:num_carry])}
    return without(eqn, used_inputs, used_results, jaxpr=body, **sizes)


def _live_part(
    closed: ClosedJaxpr, num_consts: int, num_carry: int, used: Sequence[bool]
) -> tuple[ClosedJaxpr, list[bool], Flags]:
    """The body with what the `used` results depend on, in whatever turn; which operands and results that leaves."""
    used_ys = tuple(used[num_carry:])
    num_xs = len(closed.in_avals) - num_consts - num_carry

    def one_turn(carry: Sequence[bool]) -> Any:
        keep = (False,) * num_consts + tuple(carry) + (False,) * num_xs
        made = dce_keeping(closed, (*carry, *used_ys), keep)
        return made, made[1][num_consts : num_consts + num_carry]

    carry, (body, used_inputs) = fixed_point(used[:num_carry], one_turn)
    return body, used_inputs, (*carry, *used_ys)


scan_p.impl = _impl
scan_p.shape_rule = _shape
scan_p.jvp = _jvp
scan_p.linearize = _linearize
scan_p.partial_eval = _partial_eval
scan_p.transpose = _transpose
scan_p.batch = _batch
scan_p.dce = _dce
