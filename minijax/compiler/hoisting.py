"""Pass: what is the same in each turn of a loop is computed once, before it; and sums over turns after it.

A scan that adds a product (or a sum) to its carry in every turn, as the derivative with respect to weights does, hands
out the factors of all turns instead, and one large product after the loop adds them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minijax.compiler.rewriting import Rewriter, rewrite
from minijax.core import ShapedArray
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn, Jaxpr, Var
from minijax.primitives.arithmetic import add_p
from minijax.primitives.dot import dot_general_p
from minijax.primitives.sums import reduce_sum_p

__all__ = ["hoist"]

# Computing these anew in each turn costs nothing, and an array of what they repeat would cost memory.
_LAZY = ("broadcast_in_dim", "iota")
# Elements of a sum from which one sum over all turns pays.
LARGE = 1 << 8


def hoist(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with loops that do less in each turn. Bit-identical, but for the order of sums over turns."""
    return rewrite(closed, _hoisted)


def _hoisted(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    if eqn.primitive.name == "scan":
        return _scan(program, eqn)
    return _while(program, eqn) if eqn.primitive.name == "while" else None


# ----------------------------------------------------------------- what is the same in each turn


def _same_in_each_turn(body: Jaxpr, consts: Sequence[Var]) -> list[Eqn]:
    """The equations that depend on constants alone, if there is more to them than repeating."""
    known = {*consts, *body.constvars}
    found = []
    for eqn in body.eqns:
        of_known = all(type(v) is not Var or v in known for v in eqn.invars)
        if of_known and not eqn.effects and eqn.primitive.name not in _LAZY and eqn.invars:
            found.append(eqn)
            known.update(eqn.outvars)
    return found


def _moved(program: Rewriter, body: ClosedJaxpr, eqns: Sequence[Eqn], consts: int, operands: Sequence[Atom]) -> Any:
    """Write `eqns` of a body before the loop: the body that takes their results as constants, and these."""
    stands_for: dict[Var, Atom] = dict(zip(body.jaxpr.invars[:consts], operands[:consts], strict=True))
    for v, const in zip(body.jaxpr.constvars, body.consts, strict=True):
        program.consts[v] = const
    moved = set(map(id, eqns))
    for eqn in eqns:
        outvars = [Var(v.aval) for v in eqn.outvars]
        program.keep(eqn.replace(invars=[stands_for.get(v, v) for v in eqn.invars], outvars=outvars))
        stands_for.update(zip(eqn.outvars, outvars, strict=True))
    left = [eqn for eqn in body.eqns if id(eqn) not in moved]
    read = {v for eqn in left for v in eqn.invars} | set(body.jaxpr.outvars)
    new = [v for eqn in eqns for v in eqn.outvars if v in read]
    invars = [*body.jaxpr.invars[:consts], *new, *body.jaxpr.invars[consts:]]
    jaxpr = body.jaxpr.replace(invars=invars, eqns=left)
    return ClosedJaxpr(jaxpr, body.consts), [stands_for[v] for v in new]


def _while(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    """The body's part; conditions are short."""
    params = eqn.params
    body, nc, nb = params["body_jaxpr"], params["cond_nconsts"], params["body_nconsts"]
    same = _same_in_each_turn(body.jaxpr, body.jaxpr.invars[:nb])
    # A loop may have no turn at all: only what is sure to be cheap is worth computing for nothing.
    same = [e for e in same if sum(v.aval.size for v in e.outvars) <= LARGE and not e.primitive.multiple_results]
    if not same:
        return None
    new_body, new = _moved(program, body, same, nb, eqn.invars[nc:])
    invars = [*eqn.invars[: nc + nb], *new, *eqn.invars[nc + nb :]]
    outvars = [Var(v.aval) for v in eqn.outvars]
    changed = {**params, "body_jaxpr": new_body, "body_nconsts": nb + len(new)}
    program.keep(eqn.replace(invars=invars, outvars=outvars, params=changed))
    return outvars


# ----------------------------------------------------------------- scans


def _scan(program: Rewriter, eqn: Eqn) -> Sequence[Atom] | None:
    body, consts = eqn.params["jaxpr"], eqn.params["num_consts"]
    same = _same_in_each_turn(body.jaxpr, body.jaxpr.invars[:consts]) if eqn.params["length"] > 0 else []
    sums = _sums_over_turns(body.jaxpr, consts, eqn.params["num_carry"]) if eqn.params["length"] > 1 else {}
    if not same and not sums:
        return None
    operands = list(eqn.invars)
    if same:
        body, new = _moved(program, body, same, consts, operands)
        operands[consts:consts] = new
        consts += len(new)
    params = {**eqn.params, "jaxpr": body, "num_consts": consts}
    return _summed_after(program, eqn.replace(invars=operands, params=params), sums)


def _sums_over_turns(body: Jaxpr, consts: int, carried: int) -> dict[int, tuple[Eqn, Eqn]]:
    """For carries that are only added to, their number: the equations that make the term and that add it."""
    made = {v: eqn for eqn in body.eqns for v in eqn.outvars}
    uses: dict[Any, int] = {}
    for v in [v for eqn in body.eqns for v in eqn.invars] + body.outvars:
        if type(v) is Var:
            uses[v] = uses.get(v, 0) + 1
    found = {}
    for i, (carry, out) in enumerate(zip(body.invars[consts : consts + carried], body.outvars[:carried], strict=True)):
        added = made.get(out) if type(out) is Var else None
        if added is None or added.primitive.name not in ("add", "add_any") or carry not in added.invars:
            continue
        (term,) = [v for v in added.invars if v is not carry] or [carry]
        maker = made.get(term) if type(term) is Var else None
        if maker is None or uses[carry] != 1 or uses[out] != 1 or uses[term] != 1 or not _is_sum(maker):
            continue
        if out.aval.dtype.name in ("float32", "float64") and out.aval.size >= LARGE:
            found[i] = maker, added
    return found


def _is_sum(eqn: Eqn) -> bool:
    if eqn.primitive is dot_general_p:
        (_, _), (batch, _) = eqn.params["dimension_numbers"]
        return not batch and all(type(v) is Var for v in eqn.invars)
    return eqn.primitive is reduce_sum_p


def _summed_after(program: Rewriter, eqn: Eqn, sums: dict[int, tuple[Eqn, Eqn]]) -> Sequence[Atom]:
    """Write the scan without these carries, and after it the sums of their terms."""
    params, body = eqn.params, eqn.params["jaxpr"].jaxpr
    consts, carried, length = params["num_consts"], params["num_carry"], params["length"]
    dropped = {id(e) for pair in sums.values() for e in pair}
    left = [i for i in range(carried) if i not in sums]
    xs = dict(zip(body.invars[consts + carried :], eqn.invars[consts + carried :], strict=True))
    factors = dict.fromkeys(v for maker, _ in sums.values() for v in maker.invars if v not in xs)
    invars = [*body.invars[:consts], *(body.invars[consts + i] for i in left), *body.invars[consts + carried :]]
    outvars = [*(body.outvars[i] for i in left), *body.outvars[carried:], *factors]
    jaxpr = Jaxpr(body.constvars, invars, [e for e in body.eqns if id(e) not in dropped], outvars)
    operands = [*eqn.invars[:consts], *(eqn.invars[consts + i] for i in left), *eqn.invars[consts + carried :]]
    results = [Var(eqn.outvars[i].aval) for i in left] + [Var(v.aval) for v in eqn.outvars[carried:]]
    stacks = {v: Var(ShapedArray((length, *v.aval.shape), v.aval.dtype)) for v in factors}
    changed = {**params, "jaxpr": ClosedJaxpr(jaxpr, params["jaxpr"].consts), "num_carry": len(left)}
    program.keep(eqn.replace(invars=operands, outvars=[*results, *stacks.values()], params=changed))
    rest = iter(results)
    found = []
    for i in range(len(eqn.outvars)):
        if i in sums:
            maker, added = sums[i]
            term = _over_turns(program, maker, [stacks[v] if v in stacks else xs[v] for v in maker.invars])
            found.append(program.emit(add_p, [eqn.invars[consts + i], term], added))
        else:
            found.append(next(rest))
    return found


def _over_turns(program: Rewriter, eqn: Eqn, operands: Sequence[Atom]) -> Atom:
    """A product or a sum of what all turns have, over the turns as well."""
    if eqn.primitive is reduce_sum_p:
        return program.emit(reduce_sum_p, operands, eqn, axes=(0, *(d + 1 for d in eqn.params["axes"])))
    (xc, yc), _ = eqn.params["dimension_numbers"]
    contracted = (0, *(d + 1 for d in xc)), (0, *(d + 1 for d in yc))
    return program.emit(dot_general_p, operands, eqn, **{**eqn.params, "dimension_numbers": (contracted, ((), ()))})
