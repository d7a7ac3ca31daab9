"""The heart of minijax: primitives, the current trace, and eager evaluation.

A *primitive* is an operation that the engine knows by name (`sin`, `dot_general`).
User code never calls NumPy; it *binds* primitives. What a bind does is decided by one
context variable, the *current trace*:

    sin_p.bind(x)  ->  current_trace.process(sin_p, (x,), {})

With nothing going on that is `EVAL`, which runs NumPy. Inside `jvp`, `vmap`, `jit` ... it
is that transformation's `Trace`. A trace knows the trace it was started in (its parent),
takes apart the tracers that are its own, applies the primitive's rule with the parent as
current trace, and wraps the results. A tracer of another trace is a constant to it.

Why that is enough, even when transformations nest. The classic trap is

    grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0)        # must be 1.0

The inner `grad` sees `x + y`, where `y` is its own tracer and `x` belongs to the outer one.
A system that only asked "is it a tracer?" would differentiate with respect to `x` as well
(perturbation confusion) and answer 2. Here the inner trace compares the tracer's trace
with itself, so `x` is a constant to it.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minijax import dtypes, errors
from minijax.array import Array, ArrayImpl
from minijax.config import debugging
from minijax.nan_checks import check_values
from minijax.sharding import unsharded
from minijax.tracebacks import boundary, hide_frames

# ----------------------------------------------------------------- abstract values


class ShapedArray:
    """An abstract array (*aval*): what is known of a value without computing it."""

    __slots__ = ("shape", "dtype", "weak_type")

    def __init__(self, shape: tuple[int, ...], dtype: Any, weak_type: bool = False):
        self.shape = shape
        self.dtype = dtype
        self.weak_type = weak_type

    ndim = Array.ndim
    size = Array.size
    sharding = property(unsharded)

    def __eq__(self, other: object) -> bool:
        same = type(other) is ShapedArray and self.shape == other.shape
        return same and self.dtype == other.dtype and self.weak_type == other.weak_type

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.weak_type))

    def str_short(self) -> str:
        """The short form of jaxprs, such as `f32[3,4]`."""
        return f"{dtypes.short_dtype_name(self.dtype)}[{','.join(map(str, self.shape))}]"

    def str_long(self) -> str:
        """The long form, such as `float32[3,4]`."""
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"

    def __str__(self) -> str:
        return self.str_long()

    def __repr__(self) -> str:
        return f"ShapedArray({self.str_long()}{', weak_type=True' if self.weak_type else ''})"

    def update(self, **changes: Any) -> ShapedArray:
        """A copy with some fields changed."""
        fields = {"shape": self.shape, "dtype": self.dtype, "weak_type": self.weak_type}
        return ShapedArray(**(fields | changes))

    def strip_weak_type(self) -> ShapedArray:
        """The same aval, strongly typed."""
        return ShapedArray(self.shape, self.dtype) if self.weak_type else self

    def to_tangent_aval(self) -> ShapedArray:
        """The aval of tangents and cotangents: float0 unless the dtype is a float or complex."""
        if dtypes.is_inexact(self.dtype):
            return self
        return ShapedArray(self.shape, dtypes.float0)


def get_aval(x: Any) -> ShapedArray:
    """The aval of an array, tracer, NumPy array or Python scalar."""
    if type(x) is ArrayImpl:
        return ShapedArray(x.shape, x.dtype, x.weak_type)
    if isinstance(x, Tracer):
        return x.aval
    return get_aval(as_array(x))


def as_array(x: Any) -> ArrayImpl:
    """A concrete Array from an operand of `bind`: Python scalars become weakly typed.

    Raises UnexpectedTracerError for a tracer: only a leaked one can get here.
    Raises TypeError for anything that is no array at all.
    """
    if type(x) is ArrayImpl:
        return x
    if isinstance(x, Tracer):
        raise errors.UnexpectedTracerError(errors.leak_text(x))
    if type(x) in dtypes.python_scalar_dtypes:
        return ArrayImpl(np.asarray(x, dtypes.python_scalar_dtype(type(x), x)), type(x) is not bool)
    if isinstance(x, np.ndarray | np.generic):
        dtype = dtypes.canonicalize_dtype(x.dtype)
        return ArrayImpl(np.array(x, dtype=dtype, order="K"))
    if hasattr(x, "__jax_array__"):
        return as_array(x.__jax_array__())
    raise TypeError(
        f"Value {x!r} of type {type(x)} is not a valid JAX type: an array or a number is needed here. "
        "Convert it first, for example with jnp.asarray(value)."
    )


def as_operand(x: Any) -> Array:
    """An argument of a transformed function as an Array; tracers stay what they are.

    Raises TypeError for what is no array or number.
    """
    return x if isinstance(x, Array) else as_array(x)


# ----------------------------------------------------------------- traces and tracers


class Trace:
    """What one running transformation does with each bound primitive.

    `parent` is the trace it was started in; `valid` turns false when the transformation has
    ended, after which its tracers have leaked.
    """

    __slots__ = ()
    parent: Trace
    valid: bool = True

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """Apply the transformation's rule of `prim`; one value, or a list if prim.multiple_results."""
        raise NotImplementedError


class Tracer(Array):
    """A stand-in for an array while a transformation looks on. `aval` says what it stands for."""

    __slots__ = ("_trace", "__weakref__")
    _trace: Trace
    aval: ShapedArray

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Length of each axis."""
        return self.aval.shape

    @property
    def dtype(self) -> Any:  # type: ignore[override]
        """The element type."""
        return self.aval.dtype

    @property
    def weak_type(self) -> bool:  # type: ignore[override]
        """Whether the dtype gives way in promotion, as that of a Python scalar does."""
        return self.aval.weak_type

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.aval.str_short()}>"

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise errors.TracerArrayConversionError(self)

    def concrete(self, error: type[Exception], *details: str) -> Any:
        """The value where it is known, as it is to derivatives outside of jit; else raise the error."""
        raise error(self, *details)

    def __index__(self) -> int:
        return self.concrete(errors.TracerIntegerConversionError).__index__()

    def __bool__(self) -> bool:
        return bool(self.concrete(errors.TracerBoolConversionError))

    def __int__(self) -> int:
        return int(self.concrete(errors.ConcretizationTypeError, "It arose in int()."))

    def __float__(self) -> float:
        raise errors.ConcretizationTypeError(self, "It arose in float().")  # as JAX: it would cut off the derivative

    def __complex__(self) -> complex:
        raise errors.ConcretizationTypeError(self, "It arose in complex().")

    def __reduce__(self):
        raise errors.ConcretizationTypeError(self, "Tracers cannot be pickled.")

    def __copy__(self) -> Tracer:
        return self

    def __deepcopy__(self, memo: dict) -> Tracer:
        return self


class EvalTrace(Trace):
    """No transformation is running: evaluate with NumPy."""

    __slots__ = ()

    def process(self, prim: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        out = prim.evaluate(*args, **params)
        return check_values(prim, args, params, out) if debugging else out


EVAL = EvalTrace()
_current: contextvars.ContextVar[Trace] = contextvars.ContextVar("current_trace", default=EVAL)
current_trace = _current.get


@contextmanager
def set_current_trace(trace: Trace) -> Iterator[None]:
    """Make `trace` the current one; whatever happens inside, the old one comes back."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)


# ----------------------------------------------------------------- primitives

Rule = Callable[..., Any]
_registry: dict[str, Primitive] = {}


def primitives() -> dict[str, Primitive]:
    """Every primitive there is, by name."""
    return dict(_registry)


def NOT_LINEAR(*args: Any, **params: Any) -> Any:
    """The transpose rule of what is never linear in any operand."""
    raise NotImplementedError("a nonlinear primitive cannot be transposed")


class Primitive:
    """An operation and its rules; one slot for each thing that can be asked of it.

    impl(*ndarrays, **params)                    the value, by NumPy
    shape_rule(*avals, **params)                 the aval(s) of the result; checks shapes and dtypes
    jvp(primals, tangents, **params)             (out, tangent_out); a tangent may be a `jvp.Zero`
    transpose(ct, *args, **params)               a cotangent for each arg; linear ones are `LinearArg`
    batch(axis_size, args, dims, **params)       (out, out_dim); a dim is an int or None (not batched)
    linearize, partial_eval, dce, stage, split   higher-order primitives only: `linearize.py`, `jaxpr.py` ...

    Where `multiple_results` is set, value, aval, tangent, cotangent and dim are lists.
    """

    def __init__(self, name: str, multiple_results: bool = False, registered: bool = True):
        self.name = name
        self.multiple_results = multiple_results
        self.impl: Rule | None = None
        self.shape_rule: Rule | None = None
        self.jvp: Rule | None = None
        self.transpose: Rule | None = None
        self.batch: Rule | None = None
        self.linearize: Rule | None = None
        self.partial_eval: Rule | None = None
        self.dce: Rule | None = None
        self.split: Rule | None = None
        self.stage: Rule | None = None
        # What a jaxpr shows of the parameters (those that the result's aval gives away are left out).
        self.printed: Callable[[dict[str, Any]], dict[str, Any]] | None = None
        # effects(params): what it does beside computing its results, one of `effects.py`; None for nothing.
        self.effects: Callable[[dict[str, Any]], Any] | None = None
        # Per-operand linear rules, when `jvp` is the sum of them (see families.def_jvp).
        self.jvp_rules: tuple[Rule | None, ...] | None = None
        self.jvp_with_out = False
        # Instead of rules by operand: one for all tangents together (see families.def_joint_jvp).
        self.jvp_joint: Rule | None = None
        self.evaluate: Rule = self._evaluate
        # Elementwise primitives of two operands: (buffer, buffer, weak_type) to the result, or None if they do not
        # plainly fit. It is what makes operators quick.
        self.evaluate_buffers: Rule | None = None
        if registered:  # all but those of the compiler, which no program binds
            _registry[name] = self

    @boundary
    def bind(self, *args: Any, **params: Any) -> Any:
        """Hand the operation to the current trace."""
        try:
            return _current.get().process(self, args, params)
        except Exception as error:
            hide_frames(error)
            raise

    def _evaluate(self, *args: Any, **params: Any) -> Any:
        """Eager evaluation in full: check by the shape rule, then run NumPy."""
        arrays = [as_array(x) for x in args]
        avals = self.rule("shape_rule")(*[get_aval(x) for x in arrays], **params)
        token = _fp_state.set(_FP_QUIET)
        try:
            out = self.rule("impl")(*[x._data for x in arrays], **params)
        finally:
            _fp_state.reset(token)
        if self.multiple_results:
            return [ArrayImpl(o, aval.weak_type) for o, aval in zip(out, avals, strict=True)]
        return ArrayImpl(out, avals.weak_type)

    def rule(self, slot: str) -> Rule:
        """The rule in `slot`; an error that names primitive and slot if it is empty."""
        rule = getattr(self, slot)
        if rule is None:
            raise NotImplementedError(f"the primitive '{self.name}' has no {slot} rule")
        return rule

    def __repr__(self) -> str:
        return self.name


def _quiet_fp_state() -> tuple[contextvars.ContextVar, Any]:
    """NumPy's context variable of floating-point behaviour, and its value when nothing warns.

    XLA never warns about overflow or division by zero. `np.errstate` would do, at four times
    the price of an addition of ten numbers; setting the variable behind it costs a tenth.
    """
    with np.errstate(all="ignore"):
        for var, value in contextvars.copy_context().items():
            if var.name == "numpy.ufunc.extobj":
                return var, value
    raise ImportError("minijax needs NumPy 2.0 or newer, whose floating-point state is a context variable")


_fp_state, _FP_QUIET = _quiet_fp_state()


@contextmanager
def quiet_floating_point() -> Iterator[None]:
    """Evaluate without NumPy's floating-point warnings, as XLA does."""
    token = _fp_state.set(_FP_QUIET)
    try:
        yield
    finally:
        _fp_state.reset(token)


# ----------------------------------------------------------------- shared by the linear parts


class LinearArg:
    """Stands for an operand of unknown value, in which a transpose rule is to be linear."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray):
        self.aval = aval

    def __repr__(self) -> str:
        return f"LinearArg({self.aval.str_short()})"


def is_linear(x: Any) -> bool:
    """Whether `x`, an argument of a transpose rule, is the operand to transpose."""
    return isinstance(x, LinearArg)


class Zero:
    """A tangent or cotangent that is known to be zero; it never becomes an array by itself."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray):
        self.aval = aval

    def __repr__(self) -> str:
        return f"Zero({self.aval.str_short()})"
