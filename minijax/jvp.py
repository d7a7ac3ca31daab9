"""Forward mode: each value travels with its tangent.

`jvp(f, x, t)` runs `f` on pairs (x, t). For each bound primitive the trace below asks the
primitive's jvp rule for the pair of its result. That is all of forward-mode differentiation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minijax.core import (
    Primitive,
    ShapedArray,
    Trace,
    Tracer,
    Zero,
    current_trace,
    get_aval,
    set_current_trace,
)
from minijax.primitives.standard import zero_like


class JVPTracer(Tracer):
    """A primal value and its tangent."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: JVPTrace, primal: Any, tangent: Any):
        self._trace = trace
        self.primal = primal
        self.tangent = tangent

    @property
    def aval(self) -> ShapedArray:
        """The aval of the primal."""
        return get_aval(self.primal)

    def concrete(self, error: type[Exception], *details: str) -> Any:
        return self.primal.concrete(error, *details) if isinstance(self.primal, Tracer) else self.primal

    def __repr__(self) -> str:
        return f"JVPTracer(primal={self.primal}, tangent={self.tangent})"


class JVPTrace(Trace):
    """One running forward-mode differentiation."""

    __slots__ = ("parent", "valid")

    def __init__(self) -> None:
        self.parent = current_trace()
        self.valid = True

    def pair(self, x: Any) -> tuple[Any, Any]:
        """Primal and tangent of `x`; what is not this trace's own is a constant."""
        if type(x) is JVPTracer and x._trace is self:
            return x.primal, x.tangent
        return x, zero_like(x)

    def wrap(self, primal: Any, tangent: Any) -> Any:
        """The tracer of a pair; a constant needs none."""
        return primal if type(tangent) is Zero else JVPTracer(self, primal, tangent)

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        if not any(type(x) is JVPTracer and x._trace is self for x in args):
            return self.parent.process(prim, args, params)
        primals, tangents = zip(*map(self.pair, args), strict=True)
        with set_current_trace(self.parent):
            out, tangent = prim.rule("jvp")(primals, tangents, **params)
        if prim.multiple_results:
            return [self.wrap(p, t) for p, t in zip(out, tangent, strict=True)]
        return self.wrap(out, tangent)


def jvp_flat(
    fun: Callable[..., Sequence[Any]], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Results of `fun` (flat arguments to a flat list) at `primals`, and their tangents, perhaps `Zero`."""
    trace = JVPTrace()
    try:
        with set_current_trace(trace):
            outs = fun(*map(trace.wrap, primals, tangents))
        pairs = [trace.pair(x) for x in outs]
    finally:
        trace.valid = False
    return [p for p, _ in pairs], [t for _, t in pairs]
