"""Linearisation: one forward run that also writes down the derivative as a linear program.

Reverse mode needs the derivative of `f` at `x` as a program that can be run backwards. The
derivative, t -> df(x) t, is linear in t; it is made of the same jvp rules as forward mode,
with two kinds of values in them. In sin's rule, `mul(t, cos(x))`,

* `x` is known: `cos(x)` is evaluated there and then, in the parent trace;
* `t` is not: `mul(t, c)` is *recorded*, with the value of c = cos(x), the *residual*, in it.

`LinearTrace` tells the two apart by looking whether an operand is one of its own tracers. What
it records is a `Jaxpr` whose literals hold the residuals; `transpose.py` runs it backwards.
JAX calls the same step partial evaluation, and so do the parts below that split a jaxpr
into what is known and what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minijax.array import ArrayImpl
from minijax.config import debugging
from minijax.core import (
    EVAL,
    Primitive,
    ShapedArray,
    Trace,
    Tracer,
    Zero,
    _current,
    current_trace,
    get_aval,
    set_current_trace,
)
from minijax.jaxpr import ClosedJaxpr, Eqn, Jaxpr, Literal, Var, dce_jaxpr
from minijax.primitives.families import sum_of_rules
from minijax.primitives.standard import zero_like
from minijax.source_info import names_here, user_source


class LinearTracer(Tracer):
    """A value of the linear program that is being recorded: nothing is known but its variable."""

    __slots__ = ("_var",)

    def __init__(self, trace: LinearTrace, var: Var):
        self._trace = trace
        self._var = var

    @property
    def aval(self) -> ShapedArray:
        """The aval of the variable."""
        return self._var.aval

    def __repr__(self) -> str:
        return f"LinearTracer({self.aval.str_short()})"


class LinearTrace(Trace):
    """Evaluates what is known in the parent trace and records what depends on its own tracers."""

    __slots__ = ("parent", "invars", "eqns", "valid", "outside")

    def __init__(self, parent: Trace):
        self.parent = parent
        self.outside = len(names_here()) if parent is not EVAL or debugging else None  # None: nobody asks for lines
        self.invars: list[Var] = []
        self.eqns: list[Eqn] = []
        self.valid = True

    def new_arg(self, aval: ShapedArray) -> LinearTracer:
        """A tracer for one more argument of the linear program."""
        var = Var(aval)
        self.invars.append(var)
        return LinearTracer(self, var)

    def owns(self, x: Any) -> bool:
        """Whether `x` is unknown here."""
        return type(x) is LinearTracer and x._trace is self

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        # Both loops are written out: every operation of reverse mode comes here several times.
        for x in args:
            if type(x) is LinearTracer and x._trace is self:
                break
        else:
            return self.parent.process(prim, args, params)
        invars = [x._var if type(x) is LinearTracer and x._trace is self else Literal(x) for x in args]
        if prim.partial_eval is not None:
            return prim.partial_eval(self, args, **params)
        if prim.multiple_results:
            avals = prim.rule("shape_rule")(*[v.aval for v in invars], **params)
            return self.record(prim, invars, avals, params)
        # The variable's aval is left open: linearize knows it from the primal result, at no cost.
        var = Var(None)
        var.eqn = eqn = Eqn(prim, invars, [var], params, None if self.outside is None else user_source(self.outside))
        self.eqns.append(eqn)
        return LinearTracer(self, var)

    def record(self, prim: Primitive, invars: Sequence[Any], avals: Sequence[ShapedArray], params: dict) -> list[Any]:
        """Append an equation with several results of known avals."""
        outvars = [Var(aval) for aval in avals]
        source = None if self.outside is None else user_source(self.outside)
        self.eqns.append(Eqn(prim, list(invars), outvars, params, source))
        return [LinearTracer(self, v) for v in outvars]

    def atom(self, x: Any) -> Any:
        """The operand that stands for `x` in a recorded equation."""
        return x._var if type(x) is LinearTracer and x._trace is self else Literal(x)

    def program(self, outs: Sequence[Any]) -> Jaxpr:
        """The finished linear program; results that are no tracers of this trace become literals."""
        return Jaxpr([], self.invars, self.eqns, [self.atom(x) for x in outs])


class LinearizeTracer(Tracer):
    """A primal value, its aval, and the tracer of its tangent in the linear program."""

    __slots__ = ("primal", "tangent", "aval")

    def __init__(self, trace: LinearizeTrace, primal: Any, tangent: Any, aval: ShapedArray):
        self._trace = trace
        self.primal = primal
        self.tangent = tangent
        self.aval = aval

    def concrete(self, error: type[Exception], *details: str) -> Any:
        return self.primal.concrete(error, *details) if isinstance(self.primal, Tracer) else self.primal

    def __repr__(self) -> str:
        return f"GradTracer(primal={self.primal}, typeof(tangent)={get_aval(self.tangent).str_short()})"


class LinearizeTrace(Trace):
    """One running linearisation: primals go to the parent trace, tangents to `linear`."""

    __slots__ = ("parent", "linear", "valid")

    def __init__(self) -> None:
        self.parent = current_trace()
        self.linear = LinearTrace(self.parent)
        self.valid = True

    def pair(self, x: Any) -> tuple[Any, Any]:
        """Primal and tangent of `x`; what is not this trace's own is a constant."""
        if type(x) is LinearizeTracer and x._trace is self:
            return x.primal, x.tangent
        return x, zero_like(x)

    def wrap(self, primal: Any, tangent: Any) -> Any:
        """The tracer of a pair; a constant needs none.

        A known tangent has nothing to do with those of the arguments; being linear in them, it is zero.
        """
        if type(tangent) is LinearTracer and tangent._trace is self.linear:
            return LinearizeTracer(self, primal, tangent, get_aval(primal))
        return primal

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        primals: list[Any] = []
        tangents: list[Any] = []
        active = False
        for x in args:
            if type(x) is LinearizeTracer and x._trace is self:
                primals.append(x.primal)
                tangents.append(x.tangent)
                active = True
            else:
                primals.append(x)
                tangents.append(None)
        if not active:
            return self.parent.process(prim, args, params)
        if prim.jvp_rules is not None:
            return self.by_rules(prim, primals, tangents, params)
        tangents = [zero_like(p) if t is None else t for p, t in zip(primals, tangents, strict=True)]
        with set_current_trace(self.linear):
            rule = prim.linearize or prim.rule("jvp")
            out, tangent = rule(primals, tangents, **params)
        if prim.multiple_results:
            return [self.wrap(p, t) for p, t in zip(out, tangent, strict=True)]
        return self.wrap(out, tangent)

    def by_rules(self, prim: Primitive, primals: list[Any], tangents: list[Any], params: dict[str, Any]) -> Any:
        """The common case, kept short: one rule for each operand, one result."""
        out = self.parent.process(prim, primals, params)
        token = _current.set(self.linear)
        try:
            tangent = sum_of_rules(prim, out, primals, tangents, params)
        finally:
            _current.reset(token)
        if type(tangent) is not LinearTracer:
            return self.wrap(out, tangent)
        if type(out) is ArrayImpl:
            aval = ShapedArray(out._data.shape, out._data.dtype, out.weak_type)
        else:
            aval = get_aval(out)
        if tangent._var._aval is None:
            tangent._var._aval = aval
        return LinearizeTracer(self, out, tangent, aval)


def linearize_flat(
    fun: Callable[..., Sequence[Any]], primals: Sequence[Any], nonzero: Sequence[bool] | None = None
) -> tuple[list[Any], Jaxpr, list[bool]]:
    """Run `fun` (flat arguments to a flat list) once and record its derivative.

    Returns the results, the linear program from the tangents of the `nonzero` arguments to the
    nonzero tangents of the results, and which results those are. Arguments that have no
    tangent space (integers) must not be among the nonzero ones.
    """
    trace = LinearizeTrace()
    args = []
    for i, p in enumerate(primals):
        if nonzero is None or nonzero[i]:
            aval = get_aval(p)
            args.append(LinearizeTracer(trace, p, trace.linear.new_arg(aval.to_tangent_aval()), aval))
        else:
            args.append(p)
    try:
        with set_current_trace(trace):
            outs = fun(*args)
        pairs = [trace.pair(x) for x in outs]
    finally:
        trace.valid = trace.linear.valid = False
    nonzero_out = [type(t) is not Zero for _, t in pairs]
    program = trace.linear.program([t for _, t in pairs if type(t) is not Zero])
    return [p for p, _ in pairs], program, nonzero_out


# ----------------------------------------------------------------- programs and residuals


def without_dead_equations(program: Jaxpr) -> Jaxpr:
    """The program with only the equations that some result needs."""
    live, _ = dce_jaxpr(program, [True] * len(program.outvars))
    return program.replace(eqns=live.eqns)


def residuals_of(program: Jaxpr) -> list[Any]:
    """The values in a recorded program that are not scalars of Python or NumPy, each once, in order."""
    found: dict[int, Any] = {}
    for eqn in program.eqns:
        for v in eqn.invars:
            if type(v) is Literal and isinstance(v.val, Tracer | ArrayImpl):
                found.setdefault(id(v.val), v.val)
    for v in program.outvars:
        if type(v) is Literal and isinstance(v.val, Tracer | ArrayImpl):
            found.setdefault(id(v.val), v.val)
    return list(found.values())


def close_program(program: Jaxpr, residuals: Sequence[Any]) -> ClosedJaxpr:
    """A recorded program as a jaxpr whose first arguments are its residuals."""
    variables = {id(r): Var(get_aval(r)) for r in residuals}

    def atom(v: Any) -> Any:
        return variables.get(id(v.val), v) if type(v) is Literal else v

    eqns = [eqn.replace(invars=[atom(v) for v in eqn.invars]) for eqn in program.eqns]
    for v in [v for eqn in eqns for v in eqn.outvars]:
        v.aval, v.eqn = v.aval, None  # the recorded equation holds residuals of a trace that will have ended
    invars = [*variables.values(), *program.invars]
    return ClosedJaxpr(Jaxpr([], invars, eqns, [atom(v) for v in program.outvars]), [])
