"""Jaxprs: programs as data. Staging a function into one, checking, evaluating it (printing: `jaxpr_text.py`).

    { lambda a:f32[3]; b:f32[3]. let c:f32[3] = mul b a in (c,) }

reads: with the constant `a` closed over and the argument `b`, the equation binds `mul` to
both, and `c` is the result. Programs are flat: a list of equations, no recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minijax import config, dtypes, errors
from minijax.caches import Cache
from minijax.core import (
    LinearArg,
    Primitive,
    ShapedArray,
    Trace,
    Tracer,
    as_array,
    current_trace,
    get_aval,
    set_current_trace,
)
from minijax.effects import equation_effects, program_effects
from minijax.jaxpr_text import Printer
from minijax.leak_checks import finding_leaks, origin
from minijax.pretty import format_doc
from minijax.source_info import Source, at_source, names_here, user_source

# ----------------------------------------------------------------- the data


class Var(LinearArg):
    """A variable: bound once, as an argument or as the result of an equation.

    It is a `LinearArg` too: in a recorded linear program the variable itself is what a
    transpose rule finds in place of an operand it must be linear in.
    """

    __slots__ = ("_aval", "eqn")

    def __init__(self, aval: ShapedArray | None, eqn: Eqn | None = None):
        self._aval = aval
        self.eqn = eqn

    @property
    def aval(self) -> ShapedArray:
        """What the variable stands for; found by the shape rules if recording has left it open."""
        if self._aval is None:
            _infer_avals(self)
        return self._aval

    @aval.setter
    def aval(self, aval: ShapedArray) -> None:
        self._aval = aval

    def __repr__(self) -> str:
        return f"Var(id={id(self)}):{self.aval.str_short()}"


class Literal:
    """A constant operand: a scalar in a staged jaxpr, any residual in a recorded linear program."""

    __slots__ = ("val",)

    def __init__(self, val: Any):
        self.val = val

    @property
    def aval(self) -> ShapedArray:
        """The constant's aval."""
        return get_aval(self.val)

    def __repr__(self) -> str:
        # A Python number is shown as the user wrote it, 0.1, not as the float32 0.10000000149011612.
        value = self.val.item() if isinstance(self.val, np.generic) else self.val
        return f"{value}:{self.aval.str_short()}"


Atom = Var | Literal


class Eqn:
    """`outvars = primitive[params] invars`, and the user's line that asked for it."""

    __slots__ = ("primitive", "invars", "outvars", "params", "source")

    def __init__(
        self,
        primitive: Primitive,
        invars: list[Atom],
        outvars: list[Var],
        params: dict[str, Any],
        source: Any = None,
    ):
        self.primitive = primitive
        self.invars = invars
        self.outvars = outvars
        self.params = params
        self.source: Source | None = source

    def replace(self, **changes: Any) -> Eqn:
        """A copy with some fields changed."""
        return Eqn(*(changes.get(k, getattr(self, k)) for k in self.__slots__))

    effects = property(equation_effects)
    source_info = property(lambda self: self.source, doc="JAX's name for `source`.")

    def __repr__(self) -> str:
        return format_doc(Printer(set(self.outvars)).eqn(self))


class Jaxpr:
    """lambda constvars; invars. let eqns in outvars"""

    __slots__ = ("constvars", "invars", "eqns", "outvars")

    def __init__(self, constvars: list[Var], invars: list[Var], eqns: list[Eqn], outvars: list[Atom]):
        self.constvars = constvars
        self.invars = invars
        self.eqns = eqns
        self.outvars = outvars

    def replace(self, **changes: Any) -> Jaxpr:
        """A copy with some fields changed."""
        return Jaxpr(*(changes.get(k, getattr(self, k)) for k in self.__slots__))

    effects = property(program_effects)

    def __repr__(self) -> str:
        return self.pretty_print()

    def pretty_print(self, *, width: int = 80, **options: bool) -> str:
        """The text, laid out for lines of `width` columns; source_info and name_stack add comments about equations."""
        return format_doc(Printer(**options).program(self), width)


class ClosedJaxpr:
    """A jaxpr together with the values of its constants. Calling it evaluates it.

    `cache` holds what was derived from it (its linearised, batched, compiled ... forms), which
    therefore lives exactly as long as the jaxpr itself.
    """

    __slots__ = ("jaxpr", "consts", "cache", "__weakref__")

    def __init__(self, jaxpr: Jaxpr, consts: Sequence[Any]):
        self.jaxpr = jaxpr
        self.consts = list(consts)
        self.cache = Cache()

    def replace(self, *, jaxpr: Jaxpr | None = None, consts: Sequence[Any] | None = None) -> ClosedJaxpr:
        """A copy with another jaxpr or other constants."""
        return ClosedJaxpr(jaxpr or self.jaxpr, self.consts if consts is None else consts)

    @property
    def eqns(self) -> list[Eqn]:
        """The equations, in order."""
        return self.jaxpr.eqns

    @property
    def in_avals(self) -> list[ShapedArray]:
        """Avals of the arguments."""
        return [v.aval for v in self.jaxpr.invars]

    @property
    def out_avals(self) -> list[ShapedArray]:
        """Avals of the results."""
        return [v.aval for v in self.jaxpr.outvars]

    effects = property(program_effects)

    @property
    def literals(self) -> list[Any]:
        """JAX's older name for `consts`."""
        return self.consts

    def __call__(self, *args: Any) -> list[Any]:
        return eval_jaxpr(self.jaxpr, self.consts, *args)

    def __repr__(self) -> str:
        return repr(self.jaxpr)

    def pretty_print(self, *, width: int = 80, **options: bool) -> str:
        """The text, as that of the jaxpr."""
        return self.jaxpr.pretty_print(width=width, **options)

    def derived(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make()` returns, remembered under `key` and what tracing reads from the configuration."""
        key = (key, config.trace_context())
        found = self.cache.get(key)
        return self.cache.keep(key, make()) if found is None else found


def _infer_avals(var: Var) -> None:
    # A loop, not a recursion: a rule may record a long chain before anyone asks.
    pending = [var]
    while pending:
        eqn = pending[-1].eqn
        unknown = [v for v in eqn.invars if type(v) is Var and v._aval is None]
        if unknown:
            pending.extend(unknown)
            continue
        avals = eqn.primitive.rule("shape_rule")(*[v.aval for v in eqn.invars], **eqn.params)
        for v, aval in zip(eqn.outvars, avals if eqn.primitive.multiple_results else [avals], strict=True):
            if v._aval is None:
                v._aval = aval
        pending.pop()


# ----------------------------------------------------------------- staging


class JaxprTracer(Tracer):
    """A value of a program that is being written down: only its aval is known."""

    __slots__ = ("_var",)

    def __init__(self, trace: JaxprTrace, var: Var):
        self._trace = trace
        self._var = var

    @property
    def aval(self) -> ShapedArray:
        """The aval of the variable."""
        return self._var.aval

    _origin_msg = origin

    def __repr__(self) -> str:
        return f"JitTracer({'~' if self.weak_type else ''}{self.aval.str_long()})"


class JaxprTrace(Trace):
    """Writes down each bound primitive as an equation instead of evaluating it."""

    __slots__ = ("parent", "invars", "eqns", "constants", "name", "valid", "outside")

    def __init__(self, name: str = "f"):
        self.parent = current_trace()
        self.name, self.outside = name, len(names_here())  # names around the jaxpr are not those of its equations
        self.invars: list[Var] = []
        self.eqns: list[Eqn] = []
        # id of a closed-over value -> its variable and the value, whose life keeps the id its own
        self.constants: dict[int, tuple[Var, Any]] = {}
        self.valid = True

    def new_arg(self, aval: ShapedArray) -> JaxprTracer:
        """A tracer for one more argument of the program."""
        var = Var(aval)
        self.invars.append(var)
        return JaxprTracer(self, var)

    def atom(self, x: Any) -> Atom:
        """The operand that stands for `x`: a variable, a literal, or a new constant of the program."""
        if isinstance(x, JaxprTracer) and x._trace is self:
            return x._var
        if type(x) in dtypes.python_scalar_dtypes:
            return Literal(x)
        if isinstance(x, np.generic) or (type(x) is np.ndarray and not x.shape):
            return Literal(as_array(x)._data[()])
        if id(x) not in self.constants:
            if not isinstance(x, Tracer):
                value = as_array(x)
            elif x._trace.valid:
                value = x
            else:
                as_array(x)  # raises: a tracer that outlived its trace
            self.constants[id(x)] = (Var(get_aval(value)), (value, x))
        return self.constants[id(x)][0]

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        if prim.stage is not None:
            staged = prim.stage(self, args, params)
            if staged is not None:
                return staged
        return self.record(prim, args, params)

    def record(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """Append an equation; the tracer(s) of its result(s)."""
        invars = [self.atom(x) for x in args]
        avals = prim.rule("shape_rule")(*[v.aval for v in invars], **params)
        outvars = [Var(aval) for aval in avals] if prim.multiple_results else [Var(avals)]
        self.eqns.append(Eqn(prim, invars, outvars, params, user_source(self.outside)))
        tracers = [JaxprTracer(self, v) for v in outvars]
        return tracers if prim.multiple_results else tracers[0]

    def close(self, outs: Iterable[Any]) -> ClosedJaxpr:
        """The finished program, returning `outs`."""
        outvars = [self.atom(x) for x in outs]
        constvars = [var for var, _ in self.constants.values()]
        consts = [value for _, (value, _) in self.constants.values()]
        closed = ClosedJaxpr(Jaxpr(constvars, self.invars, self.eqns, outvars), consts)
        if config.enable_checks.value:
            check_jaxpr(closed.jaxpr)
        return closed


@finding_leaks
def stage(fun: Callable[..., Sequence[Any]], avals: Sequence[ShapedArray], name: str = "f") -> ClosedJaxpr:
    """Write down what `fun`, from flat arguments to a flat list, does for arguments of these avals."""
    trace = JaxprTrace(name)
    tracers = [trace.new_arg(aval) for aval in avals]
    try:
        with set_current_trace(trace):
            outs = fun(*tracers)
        return trace.close(outs)
    finally:
        trace.valid = False


# ----------------------------------------------------------------- evaluating, checking, cleaning


def eval_jaxpr(jaxpr: Jaxpr, consts: Sequence[Any], *args: Any) -> list[Any]:
    """Bind each equation in order, under the current trace. A variable is dropped after its last use."""
    env: dict[Var, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    last = last_uses(jaxpr)
    for i, eqn in enumerate(jaxpr.eqns):
        operands = [env[v] if type(v) is Var else v.val for v in eqn.invars]
        out = at_source(eqn.source, eqn.primitive.bind, operands, eqn.params)
        env.update(zip(eqn.outvars, out if eqn.primitive.multiple_results else [out], strict=True))
        for v in last[i]:
            env.pop(v, None)
    return [env[v] if type(v) is Var else v.val for v in jaxpr.outvars]


def last_uses(jaxpr: Jaxpr) -> list[list[Var]]:
    """For each equation the variables that nobody needs after it."""
    seen = {v for v in jaxpr.outvars if type(v) is Var}
    out: list[list[Var]] = []
    for eqn in reversed(jaxpr.eqns):
        done = [v for v in dict.fromkeys([*eqn.invars, *eqn.outvars]) if type(v) is Var and v not in seen]
        seen.update(done)
        out.append(done)
    return out[::-1]


def check_jaxpr(jaxpr: Jaxpr) -> None:
    """Raise JaxprTypeError unless each variable is bound once, before its use, with the aval of its rule."""
    bound: dict[Var, None] = {}

    def bind_var(v: Var) -> None:
        if v in bound:
            raise errors.JaxprTypeError(f"variable {v} is bound twice in\n{jaxpr}")
        bound[v] = None

    def check_atom(v: Atom) -> None:
        if type(v) is Var and v not in bound:
            raise errors.JaxprTypeError(f"variable {v} is used before it is bound in\n{jaxpr}")

    for v in [*jaxpr.constvars, *jaxpr.invars]:
        bind_var(v)
    for eqn in jaxpr.eqns:
        for v in eqn.invars:
            check_atom(v)
        avals = eqn.primitive.rule("shape_rule")(*[v.aval for v in eqn.invars], **eqn.params)
        for v, aval in zip(eqn.outvars, avals if eqn.primitive.multiple_results else [avals], strict=True):
            bind_var(v)
            if (v.aval.shape, v.aval.dtype) != (aval.shape, aval.dtype):
                raise errors.JaxprTypeError(f"{eqn.primitive} gives {aval.str_short()}, not {v}, in\n{jaxpr}")
    for v in jaxpr.outvars:
        check_atom(v)


def dce_jaxpr(jaxpr: Jaxpr, used_outputs: Sequence[bool]) -> tuple[Jaxpr, list[bool]]:
    """Drop outputs that are not used and equations that nothing depends on.

    Returns the jaxpr, with only the used arguments left, and which arguments those are.
    """
    outvars = [v for v, used in zip(jaxpr.outvars, used_outputs, strict=True) if used]
    live = {v for v in outvars if type(v) is Var}
    eqns = []
    for eqn in reversed(jaxpr.eqns):
        used = [v in live for v in eqn.outvars]
        if not any(used) and not eqn.effects:
            continue
        if eqn.primitive.dce is not None:
            eqn = eqn.primitive.dce(eqn, used)
        live.update(v for v in eqn.invars if type(v) is Var)
        eqns.append(eqn)
    used_inputs = [v in live for v in jaxpr.invars]
    invars = [v for v in jaxpr.invars if v in live]
    return Jaxpr(jaxpr.constvars, invars, eqns[::-1], outvars), used_inputs
