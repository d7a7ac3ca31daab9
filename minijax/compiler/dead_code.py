"""Pass: what nobody reads is not computed. Effects stay."""

from __future__ import annotations

from minijax.jaxpr import ClosedJaxpr, dce_jaxpr

__all__ = ["drop_dead_code"]


def drop_dead_code(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The program with only those equations, and constants, that results or effects depend on. Bit-identical."""
    live, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    used = {v for eqn in live.eqns for v in eqn.invars} | set(live.outvars)
    kept = [(v, c) for v, c in zip(closed.jaxpr.constvars, closed.consts, strict=True) if v in used]
    jaxpr = closed.jaxpr.replace(eqns=live.eqns, constvars=[v for v, _ in kept])
    return ClosedJaxpr(jaxpr, [c for _, c in kept])
