"""while: a loop that runs as long as a predicate of its carry holds.

    while[cond_jaxpr cond_nconsts body_jaxpr body_nconsts] *cond consts *body consts *carry  ->  *carry

How often it runs is known only when it has run, so that there is no room to keep residuals in: it has a forward
derivative, but none in reverse mode. Under vmap the predicate may differ from example to example. Then it has
a batch axis in front (several in nested vmaps), and so has the carry; the loop runs as long as it holds for
any example, and the others keep their carry.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np

from minijax import compiler
from minijax.batching import place_batch_axis
from minijax.core import Primitive, ShapedArray
from minijax.effects import has_io
from minijax.errors import JaxprTypeError
from minijax.jaxpr import ClosedJaxpr, Var
from minijax.jaxpr_transforms import (
    Flags,
    batch_jaxpr,
    body_of_all_turns,
    fixed_point,
    jvp_jaxpr,
    partial_eval_jaxpr,
    rearranged,
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
)
from minijax.primitives.families import instantiate
from minijax.primitives.scan import interleaved

while_p = Primitive("while", multiple_results=True)

# ----------------------------------------------------------------- evaluation


def _impl(*buffers: np.ndarray, cond_jaxpr: ClosedJaxpr, body_jaxpr: ClosedJaxpr, **params: Any) -> list[np.ndarray]:
    """As the compiler writes it, but for a batch of loops, and where it is asked to stop at the first NaN."""
    params |= {"cond_jaxpr": cond_jaxpr, "body_jaxpr": body_jaxpr}
    if locating.get() or cond_jaxpr.out_avals[0].ndim:
        return _turn_by_turn(*buffers, **params)
    conds = cond_jaxpr.in_avals[: params["cond_nconsts"]]
    return run_as_program(body_jaxpr, while_p, buffers, [*conds, *body_jaxpr.in_avals], params)


def _turn_by_turn(
    *buffers: np.ndarray, cond_jaxpr: ClosedJaxpr, cond_nconsts: int, body_jaxpr: ClosedJaxpr, body_nconsts: int
) -> list[np.ndarray]:
    cond_consts, body_consts, carry = split_list(buffers, cond_nconsts, body_nconsts)
    condition, body = compiler.executable(cond_jaxpr), compiler.executable(body_jaxpr)
    batched = cond_jaxpr.out_avals[0].ndim > 0
    while True:
        (predicate,) = condition(*cond_consts, *carry)
        if not (predicate.any() if batched else predicate):
            return carry
        after = body(*body_consts, *carry)
        if batched and not predicate.all():
            after = [_chosen(predicate, *pair) for pair in zip(after, carry, strict=True)]
        carry = after


def _chosen(predicate: np.ndarray, new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Example by example the new carry where the loop goes on, else the old one."""
    return np.where(predicate.reshape(predicate.shape + (1,) * (new.ndim - predicate.ndim)), new, old)


def _shape(
    *avals: ShapedArray, cond_jaxpr: ClosedJaxpr, cond_nconsts: int, body_jaxpr: ClosedJaxpr, body_nconsts: int
) -> list[ShapedArray]:
    cond_consts, body_consts, carry = split_list(avals, cond_nconsts, body_nconsts)
    for what, closed, consts in (("cond", cond_jaxpr, cond_consts), ("body", body_jaxpr, body_consts)):
        if not same_types(closed.in_avals, [*consts, *carry]):
            raise JaxprTypeError(
                f"while: {what}_jaxpr takes {short_types(closed.in_avals)}, but its consts and the carry are "
                f"{short_types([*consts, *carry])}."
            )
    if not same_types(body_jaxpr.out_avals, carry):
        raise JaxprTypeError(
            f"while: the body takes a carry of {short_types(carry)} and returns one of "
            f"{short_types(body_jaxpr.out_avals)}."
        )
    return body_jaxpr.out_avals


# ----------------------------------------------------------------- derivatives


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> tuple[list[Any], list[Any]]:
    """The tangents travel in the carry; the predicate does not look at them."""
    tangents = tangents[cond_nconsts:]
    nonzero, body, carry = body_of_all_turns(
        body_jaxpr, split_tangents(tangents)[0], body_nconsts, len(body_jaxpr.out_avals), partial(jvp_jaxpr, body_jaxpr)
    )
    consts = nonzero[:body_nconsts]
    cond_consts, body_consts, primal_carry = split_list(primals, cond_nconsts, body_nconsts)
    given = [instantiate(t) for t, nz in zip(tangents, nonzero, strict=True) if nz]
    order = interleaved((body_nconsts, len(carry)), (sum(consts), sum(carry)))
    operands = [*body_consts, *primal_carry, *given]
    outs = while_p.bind(
        *cond_consts,
        *[operands[i] for i in order],
        cond_jaxpr=_with_unused(cond_jaxpr, [body.in_avals[i] for i in order[len(order) - sum(carry) :]]),
        cond_nconsts=cond_nconsts,
        body_jaxpr=rearranged(body, order),
        body_nconsts=body_nconsts + sum(consts),
    )
    return outs[: len(carry)], merge_tangents(outs[: len(carry)], carry, outs[len(carry) :])


def _with_unused(closed: ClosedJaxpr, avals: Sequence[ShapedArray]) -> ClosedJaxpr:
    """The jaxpr with further arguments that it does not use."""
    jaxpr = closed.jaxpr
    invars = [*jaxpr.invars, *map(Var, avals)]
    return closed.derived(("unused", tuple(avals)), lambda: closed.replace(jaxpr=jaxpr.replace(invars=invars)))


def _partial_eval(
    trace: LinearTrace,
    args: Sequence[Any],
    *,
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> list[Any]:
    """If the predicate is known, run a loop over what is known. The whole loop is recorded in any case."""
    unknown = [trace.owns(x) for x in args]
    cond_consts, body_consts, _ = split_list(unknown, cond_nconsts, body_nconsts)

    def known_part(unknown: Flags, wanted: Flags) -> tuple[ClosedJaxpr, list[bool]]:
        known, _, out_unknown = partial_eval_jaxpr(body_jaxpr, unknown, wanted)
        return known, out_unknown

    _, body, carry = body_of_all_turns(
        body_jaxpr, unknown[cond_nconsts:], body_nconsts, len(body_jaxpr.out_avals), known_part
    )
    condition, _, (cond_unknown,) = partial_eval_jaxpr(cond_jaxpr, (*cond_consts, *carry))
    params = {
        "cond_jaxpr": cond_jaxpr,
        "cond_nconsts": cond_nconsts,
        "body_jaxpr": body_jaxpr,
        "body_nconsts": body_nconsts,
    }
    whole = trace.record(while_p, [trace.atom(x) for x in args], body_jaxpr.out_avals, params)
    if cond_unknown or all(unknown):
        return whole
    known = [x for x, u in zip(args, (*cond_consts, *body_consts, *carry), strict=True) if not u]
    params = {
        "cond_jaxpr": condition,
        "cond_nconsts": cond_consts.count(False),
        "body_jaxpr": rearranged(body, results=range(carry.count(False))),
        "body_nconsts": body_consts.count(False),
    }
    known_outs = iter(trace.parent.process(while_p, known, params))
    return [w if u else next(known_outs) for w, u in zip(whole, carry, strict=True)]


def _no_transpose(*args: Any, **params: Any) -> NoReturn:
    raise ValueError(
        "Reverse-mode differentiation does not work for lax.while_loop, nor for lax.fori_loop with bounds that are "
        "traced: how often it runs, and so how many intermediate values it would have to keep, is not known before. "
        "Use lax.scan, or lax.fori_loop with Python integers as bounds; or forward mode, jax.jvp or jax.jacfwd."
    )


# ----------------------------------------------------------------- batching


def _batch(
    axis_size: int,
    args: Sequence[Any],
    dims: Sequence[int | None],
    *,
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> tuple[list[Any], list[int | None]]:
    cond_dims, body_dims, init_dims = split_list(dims, cond_nconsts, body_nconsts)

    def one_turn(carry: Sequence[bool]) -> Any:
        in_dims = tuple([0 if b else None for b in carry])
        made = batch_jaxpr(body_jaxpr, axis_size, (*body_dims, *in_dims), in_dims)
        return made, [d is not None for d in made[1]]

    carry, _ = fixed_point([d is not None for d in init_dims], one_turn)
    in_front = tuple([0 if b else None for b in carry])
    _, (predicate_dim,) = batch_jaxpr(cond_jaxpr, axis_size, (*cond_dims, *in_front), (None,))
    if has_io(cond_jaxpr, body_jaxpr, ordered_only=predicate_dim is None):
        raise Exception(  # JAX's class
            "vmap of while_loop: the loop calls jax.experimental.io_callback, ordered or in a loop that runs longer for"
            " some examples than for others. What is called then would not be what a loop over the examples calls."
        )
    rank = cond_jaxpr.out_avals[0].ndim
    # The axes of the predicate are those of the carry in front: a new one of both is first of all, one that
    # the predicate does not have comes behind them.
    if predicate_dim is not None:
        places: tuple[int | None, ...] = (0,) * len(carry)
    else:
        places = tuple([rank if b else None for b in carry])
    condition, _ = batch_jaxpr(cond_jaxpr, axis_size, (*cond_dims, *places), (predicate_dim,))
    body, _ = batch_jaxpr(body_jaxpr, axis_size, (*body_dims, *places), places)
    init = args[cond_nconsts + body_nconsts :]
    moved = [
        x if p is None else place_batch_axis(x, d, p, axis_size)
        for x, d, p in zip(init, init_dims, places, strict=True)
    ]
    outs = while_p.bind(
        *args[: cond_nconsts + body_nconsts],
        *moved,
        cond_jaxpr=condition,
        cond_nconsts=cond_nconsts,
        body_jaxpr=body,
        body_nconsts=body_nconsts,
    )
    return outs, list(places)


while_p.impl = _impl
while_p.shape_rule = _shape
while_p.jvp = _jvp
while_p.partial_eval = _partial_eval
while_p.transpose = _no_transpose
while_p.batch = _batch
