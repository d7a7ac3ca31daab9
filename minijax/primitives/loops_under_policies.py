"""What scan, cond and while become inside of a checkpoint: their `split` rules (see `policy_split.py`).

Each is cut in two by cutting its bodies. The second half of a loop has all operands of the whole, since what it
does not need is dropped later; what its bodies keep of each turn is stacked, as where a loop is linearised.
"""

from __future__ import annotations

from typing import Any

from minijax.jaxpr import ClosedJaxpr, Eqn, Var, stage
from minijax.jaxpr_transforms import fixed_point, rearranged
from minijax.policy_split import (
    Flags,
    Policy,
    Split,
    SplitEqn,
    nothing_saveable,
    picked,
    read_but_not_there,
    split_jaxpr,
)
from minijax.primitives.calls import split_list
from minijax.primitives.cond import cond_p, with_common_residuals
from minijax.primitives.jit import jit_p
from minijax.primitives.scan import run_first_loop, scan_p
from minijax.primitives.while_loop import while_p


def _split_body(policy: Policy, body: ClosedJaxpr, unknown: Flags, make_unknown: Flags) -> Split:
    """All arguments and results of a body are there in its second half."""
    return split_jaxpr(body, unknown, (True,) * len(unknown), policy, make_unknown, (True,) * len(body.jaxpr.outvars))


# ----------------------------------------------------------------- scan


def _split_scan(policy: Policy, eqn: Eqn, unknown: Flags, there: Flags) -> SplitEqn:
    params = dict(eqn.params)
    body, num_consts, num_carry = (params.pop(k) for k in ("jaxpr", "num_consts", "num_carry"))
    consts, init, xs = split_list(unknown, num_consts, num_carry)
    num_ys = len(eqn.outvars) - num_carry

    def one_turn(carry: Flags) -> Any:
        halves = _split_body(policy, body, (*consts, *carry, *xs), (*carry, *[False] * num_ys))
        return halves, halves.unknown_out[:num_carry]

    carry, halves = fixed_point(init, one_turn)
    operands = picked(eqn.invars, (*consts, *carry, *xs), False)
    found: list[Any] = []

    def first_loop(*values: Any) -> list[Any]:
        sizes = consts.count(False), carry.count(False)
        computed = [None] * halves.num_residuals
        loops = run_first_loop(halves.known, halves.later, computed, values, *sizes, params)
        found.append(loops)
        return [*loops.outs, *loops.fixed, *loops.stacked]

    # Several equations: what stays the same in each turn is computed in front of the loop. They are one call.
    first = stage(first_loop, [v.aval for v in operands], "scan")
    outs, fixed, stacked = split_list(first.jaxpr.outvars, len(found[0].outs), len(found[0].fixed))
    fixed, stacked = ([Var(v.aval) for v in part] for part in (fixed, stacked))
    later_params = {"jaxpr": found[0].body, "num_consts": len(fixed) + num_consts, "num_carry": num_carry, **params}
    return SplitEqn(
        Eqn(
            jit_p,
            operands,
            [*picked(eqn.outvars, halves.unknown_out, False), *fixed, *stacked],
            {"jaxpr": first, "name": "scan", "inline": True, "keep_unused": False},
            eqn.source,
        ),
        eqn.replace(invars=[*fixed, *eqn.invars, *stacked], params=later_params),
        halves.unknown_out,
        [True] * len(eqn.outvars),
        [*read_but_not_there(eqn, there), *fixed, *stacked],
    )


# ----------------------------------------------------------------- cond


def _split_cond(policy: Policy, eqn: Eqn, unknown: Flags, there: Flags) -> SplitEqn:
    branches = eqn.params["branches"]
    num_outs, new = len(eqn.outvars), read_but_not_there(eqn, there)
    everything = [True] * num_outs
    if unknown[0]:
        return SplitEqn(None, eqn, everything, everything, new)
    none = (False,) * num_outs
    found = [_split_body(policy, b, unknown[1:], none).unknown_out for b in branches]
    unknown_out = [any(column) for column in zip(*found, strict=True)]
    halves = [_split_body(policy, b, unknown[1:], unknown_out) for b in branches]
    num_known = unknown_out.count(False)
    known, later = with_common_residuals(
        [h.known for h in halves], [h.later for h in halves], num_known, len(eqn.invars) - 1
    )
    residuals = [Var(a) for a in known[0].out_avals[num_known:]]
    return SplitEqn(
        eqn.replace(
            invars=picked(eqn.invars, unknown, False),
            outvars=[*picked(eqn.outvars, unknown_out, False), *residuals],
            params={"branches": known},
        ),
        eqn.replace(invars=[eqn.invars[0], *residuals, *eqn.invars[1:]], params={"branches": later}),
        unknown_out,
        everything,
        [*new, *residuals],
    )


# ----------------------------------------------------------------- while


def _split_while(policy: Policy, eqn: Eqn, unknown: Flags, there: Flags) -> SplitEqn:
    """Nothing can be kept of a loop of unknown length: the second half is the whole of it."""
    condition, cond_nconsts, body, body_nconsts = (
        eqn.params[k] for k in ("cond_jaxpr", "cond_nconsts", "body_jaxpr", "body_nconsts")
    )
    cond_consts, body_consts, init = split_list(unknown, cond_nconsts, body_nconsts)
    everything, new = [True] * len(eqn.outvars), read_but_not_there(eqn, there)

    def one_turn(carry: Flags) -> Any:
        halves = _split_body(nothing_saveable, body, (*body_consts, *carry), carry)
        return halves, halves.unknown_out

    carry, halves = fixed_point(init, one_turn)
    predicate = _split_body(nothing_saveable, condition, (*cond_consts, *carry), (False,))
    if predicate.unknown_out[0]:
        return SplitEqn(None, eqn, everything, everything, new)
    known = eqn.replace(
        invars=picked(eqn.invars, (*cond_consts, *body_consts, *carry), False),
        outvars=picked(eqn.outvars, carry, False),
        params={
            "cond_jaxpr": predicate.known,
            "cond_nconsts": cond_consts.count(False),
            "body_jaxpr": rearranged(halves.known, results=range(carry.count(False))),
            "body_nconsts": body_consts.count(False),
        },
    )
    return SplitEqn(known, eqn, carry, everything, new)


scan_p.split = _split_scan
cond_p.split = _split_cond
while_p.split = _split_while
