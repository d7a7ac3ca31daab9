"""What results look at: arrays of their own, or those of operands; and what of a program others may see later."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from minijax.compiler.grouping import elementwise_p
from minijax.compiler.kernels import is_native, steps_of
from minijax.jaxpr import Atom, ClosedJaxpr, Eqn, Jaxpr, Var, last_uses

__all__ = ["escaping", "is_fresh"]

# Primitives whose `impl` gives arrays of their own: no views of operands, nor of one row that stands for many, as
# that of iota is.
_FRESH = frozenset(
    {"argmax", "argmin", "concatenate", "conv_general_dilated", "cumsum", "dot_general", "gather", "reduce_and"}
    | {"reduce_max", "reduce_min", "reduce_or", "reduce_prod", "reduce_sum", "scatter", "scatter-add"}
    | {"select_and_scatter_add"}
)
# Those whose results look at their operand.
_VIEWS = frozenset({"broadcast_in_dim", "dynamic_slice", "reshape", "rev", "slice", "split", "squeeze", "transpose"})


def is_fresh(eqn: Eqn) -> bool:
    """Whether the results lie in memory that nobody else knows."""
    name = eqn.primitive.name
    if name == "reduce_window_max":  # windows of one element are the operand
        return any(length > 1 for length in eqn.params["window_dimensions"])
    return name in _FRESH or eqn.primitive is elementwise_p or steps_of(eqn, ["x"] * len(eqn.invars)) is not None


def escaping(jaxpr: Jaxpr, results: Iterable[Atom], donated: Collection[Var] = ()) -> set[Var]:
    """The variables whose memory may be looked at after the program has run, if `results` are.

    Among them are those whose memory a result can take over: that of a `donated` argument, where there is one, so that
    the others may lie in a workspace.
    """
    found = {v for v in results if type(v) is Var}
    for eqn, dead in zip(reversed(jaxpr.eqns), reversed(last_uses(jaxpr))):
        found.update(v for v in _kept(eqn, any(v in found for v in eqn.outvars)) if type(v) is Var)
        found.update(_heirs(eqn, [v for v in eqn.outvars if v in found], dead, donated))
    return found


def _heirs(eqn: Eqn, results: Sequence[Var], dead: Sequence[Var], donated: Collection[Var]) -> list[Var]:
    """An operand for each result that can be written over it."""
    found: list[Var] = []
    if results and (eqn.primitive is elementwise_p or steps_of(eqn, ["x"] * len(eqn.invars)) is not None):
        for result in results:
            kind = result.aval.shape, result.aval.dtype
            fit = [v for v in eqn.invars if v in dead and v not in found and (v.aval.shape, v.aval.dtype) == kind]
            found += sorted(fit, key=lambda v: v not in donated)[:1]
    return found


def _kept(eqn: Eqn, escapes: bool) -> Sequence[Atom]:
    """Operands that an equation may keep, or return where its results are looked at later."""
    name, params = eqn.primitive.name, eqn.params
    if name in _VIEWS and all(map(is_native, (*eqn.invars, *eqn.outvars))):
        return eqn.invars if escapes else ()
    if name == "scan":
        first = params["num_consts"]
        last = first + params["num_carry"]
        inside = _given_away(params["jaxpr"], params["jaxpr"].jaxpr.outvars[: params["num_carry"]], eqn.invars)
        return [*inside, *eqn.invars[first:last]]
    if name == "while":
        consts = eqn.invars[params["cond_nconsts"] :]
        body = params["body_jaxpr"]
        return [*_given_away(body, body.jaxpr.outvars, consts), *consts[params["body_nconsts"] :]]
    if name == "cond":
        return [v for b in params["branches"] for v in _given_away(b, b.jaxpr.outvars, eqn.invars[1:])]
    if name == "remat2":
        return _given_away(params["jaxpr"], params["jaxpr"].jaxpr.outvars, eqn.invars)
    return () if is_fresh(eqn) else eqn.invars


def _given_away(closed: ClosedJaxpr, results: Sequence[Atom], operands: Sequence[Atom]) -> list[Atom]:
    inside = escaping(closed.jaxpr, results)
    return [x for v, x in zip(closed.jaxpr.invars, operands, strict=True) if v in inside]
