"""Families of primitives: elementwise, bilinear and reducing ones, and how tangents add up.

A block for one primitive stays near eight lines because what its family shares is said here:

    sin_p = unary("sin", np.sin, accepts="f")
    def_jvp(sin_p, lambda t, x: mul(t, cos(x)))
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import ArrayImpl
from minijax.core import _FP_QUIET, Primitive, Rule, ShapedArray, Zero, _fp_state, get_aval, is_linear
from minijax.primitives.shaping import broadcast, broadcast_in_dim, expand_dims, move_axis, reshape
from minijax.primitives.standard import require_dtype, standard, zero_like
from minijax.primitives.sums import sum_to_shape

_NUMPY = (np.ndarray, np.generic)
_NUMBERS = (int, float, complex)

# ----------------------------------------------------------------- elementwise


def unary(
    name: str,
    impl: Rule,
    accepts: str,
    dtype: Any = None,
    check: Callable[..., None] | None = None,
    accuracy: bool = False,
) -> Primitive:
    """An elementwise primitive of one operand; `accepts` are NumPy's kind letters (b i u f c).

    With `accuracy` it may have a parameter of this name, as in JAX. NumPy leaves no choice, so `impl` does
    not get it.
    """
    prim = nary(name, impl, (accepts,), dtype, check)
    if accuracy:
        prim.impl = lambda x, accuracy=None: impl(x)
    return prim


def binary(name: str, impl: Rule, accepts: str, dtype: Any = None) -> Primitive:
    """An elementwise primitive of two operands of one dtype."""
    return nary(name, impl, (accepts, accepts), dtype)


def nary(
    name: str,
    impl: Rule,
    accepts: Sequence[str],
    dtype: Any = None,
    check: Callable[..., None] | None = None,
    one_dtype: bool = True,
) -> Primitive:
    """An elementwise primitive: operands of one dtype, of one shape up to axes of length 1 and scalars.

    The result has the first operand's dtype, or `dtype` where the operation fixes it (comparisons), which may be
    a function of the first operand's (the parts of complex numbers).
    check(*avals, **params) raises an error where more than dtypes and shapes is amiss. Without
    `one_dtype` the other operands' dtypes may differ from the first one's.
    """

    def out_dtype(*avals: ShapedArray, **params: Any) -> Any:
        for aval, kinds in zip(avals, accepts, strict=True):
            require_dtype(name, aval, kinds)
        if one_dtype:
            check_same_dtypes(name, avals)
        if check is not None:
            check(*avals, **params)
        if dtype is None:
            return avals[0].dtype
        return dtype(avals[0].dtype) if isinstance(dtype, FunctionType) else np.dtype(dtype)

    prim = standard(
        name,
        impl,
        shape=lambda *avals, **params: broadcast_operands(name, avals),
        dtype=out_dtype,
    )
    prim.impl = _taking_narrow_integers(impl, dtype is None)
    prim.batch = (batch_unary if len(accepts) == 1 else batch_nary)(prim)
    # The short cuts leave out all checks but the plainest.
    if check is None and one_dtype:
        kinds = "".join(sorted(set.intersection(*map(set, accepts))))
        evaluate = {1: evaluate_unary, 2: evaluate_binary}.get(len(accepts))
        if evaluate is not None:
            prim.evaluate = evaluate(prim, impl, kinds)
        if dtype is None:
            prim.shape_rule = _shape_of_equals(prim.shape_rule, kinds)
    return prim


def _taking_narrow_integers(impl: Rule, keeps_dtype: bool) -> Rule:
    """`impl`, given 8-bit integers in place of those of fewer bits, with which NumPy cannot compute."""

    def narrow_impl(*operands: np.ndarray, **params: Any) -> np.ndarray:
        dtype = operands[0].dtype
        if dtype.kind != "V" or not dtypes.is_integer(dtype):
            return impl(*operands, **params)
        wide = np.int8 if dtypes.kind(dtype) == "i" else np.uint8
        out = impl(*[x.astype(wide) for x in operands], **params)
        return out.astype(dtype) if keeps_dtype else out

    return narrow_impl


def _dtypes_of_kinds(kinds: str) -> frozenset:
    return frozenset([dtype for dtype in map(np.dtype, "?bBhHiIqQefdFD") if dtype.kind in kinds])


def _shape_of_equals(rule: Rule, kinds: str) -> Rule:
    """The shape rule `rule`, which operands of one aval need not go through; recording asks very often."""
    accepted = _dtypes_of_kinds(kinds)

    def shape_rule(x: ShapedArray, *others: ShapedArray, **params: Any) -> ShapedArray:
        dtype, shape = x.dtype, x.shape
        for y in others:
            if y.dtype is not dtype or (y.shape != shape and y.shape) or (x.weak_type and not y.weak_type):
                return rule(x, *others, **params)
        return x if dtype in accepted else rule(x, *others, **params)

    return shape_rule


def evaluate_unary(prim: Primitive, impl: Rule, kinds: str) -> Rule:
    """Eager evaluation without abstract values, for the dtypes of these kinds."""

    def evaluate(x: Any, accuracy: Any = None, **params: Any) -> Any:
        if type(x) is not ArrayImpl or x._data.dtype.kind not in kinds:
            return prim._evaluate(x, **params)
        token = _fp_state.set(_FP_QUIET)
        try:
            return ArrayImpl(impl(x._data, **params), x.weak_type)
        finally:
            _fp_state.reset(token)

    return evaluate


def evaluate_binary(prim: Primitive, impl: Rule, kinds: str) -> Rule:
    """Eager evaluation without abstract values: the common case of two operands that plainly fit.

    Every operator on arrays comes here, so each test counts.
    """
    be_quiet, end_quiet = _fp_state.set, _fp_state.reset

    def evaluate_buffers(a: Any, b: Any, weak: bool) -> ArrayImpl | None:
        dtype = a.dtype
        if dtype is not b.dtype or dtype.kind not in kinds or (a.ndim != b.ndim and a.ndim and b.ndim):
            return None
        token = be_quiet(_FP_QUIET)
        try:
            return ArrayImpl(impl(a, b), weak)
        except ValueError:  # the lengths differ, about which the shape rule has a better text
            return None
        finally:
            end_quiet(token)

    def evaluate(x: Any, y: Any) -> Any:
        a, weak = (x._data, x.weak_type) if type(x) is ArrayImpl else _buffer(x)
        b, weak_too = (y._data, y.weak_type) if type(y) is ArrayImpl else _buffer(y)
        if a is None or b is None:
            return prim._evaluate(x, y)
        out = evaluate_buffers(a, b, weak and weak_too)
        return prim._evaluate(x, y) if out is None else out

    prim.evaluate_buffers = evaluate_buffers
    return evaluate


def _buffer(x: Any) -> tuple[Any, bool]:
    """What NumPy computes with for a number `x`, and its weak type; None if that takes more thought."""
    # The constants of derivative rules are NumPy scalars; a Python number is a weakly typed one.
    if isinstance(x, _NUMPY):
        return x, False
    if type(x) in _NUMBERS:
        return dtypes.python_scalar_dtype(type(x), x).type(x), True
    return None, False


def in_float32(kernel: Rule) -> Rule:
    """The kernel, given float32 operands in place of those of 16 bits or fewer and rounded once, as by XLA."""

    def impl(*operands: np.ndarray) -> np.ndarray:
        dtype = operands[0].dtype
        if dtype.itemsize > 2:
            return kernel(*operands)
        return kernel(*[x.astype(np.float32) for x in operands]).astype(dtype)

    return impl


def real_or_complex(real: Rule, complex_: Rule) -> Rule:
    """The kernel `complex_` for complex operands, `real` for all others."""
    return lambda *operands: (complex_ if operands[0].dtype.kind == "c" else real)(*operands)


def in_float64(kernel: Rule) -> Rule:
    """The kernel, given float64 operands whatever their dtype, and rounded once.

    For functions of many steps, whose errors add up to thousands of ULP in float32.
    """

    def impl(*operands: np.ndarray) -> np.ndarray:
        return kernel(*[x.astype(np.float64) for x in operands]).astype(operands[0].dtype)

    return impl


def check_same_dtypes(name: str, avals: Sequence[ShapedArray]) -> None:
    """Raise TypeError unless the operands have one dtype: primitives never promote."""
    if any(aval.dtype != avals[0].dtype for aval in avals):
        got = ", ".join(aval.dtype.name for aval in avals)
        raise TypeError(
            f"lax.{name} requires arguments to have the same dtypes, got {got}. "
            f"Convert one with x.astype(...), or use the function of jax.numpy, which promotes dtypes."
        )


def broadcast_operands(name: str, avals: Sequence[ShapedArray]) -> tuple[int, ...]:
    """The common shape of elementwise operands: scalars fit anything, others up to axes of length 1.

    Raises TypeError where ranks or lengths differ.
    """
    shapes = [aval.shape for aval in avals if aval.shape]
    if not shapes or all(shape == shapes[0] for shape in shapes):
        return shapes[0] if shapes else ()
    if len({len(shape) for shape in shapes}) > 1:
        raise TypeError(
            f"{name}: arrays must have the same number of dimensions, got shapes "
            f"{', '.join(str(aval.shape) for aval in avals)}. Give the smaller one axes of length 1 by "
            "reshape or expand_dims, or use the function of jax.numpy, which broadcasts."
        )
    out = []
    for axis, lengths in enumerate(zip(*shapes, strict=True)):
        wide = {n for n in lengths if n != 1}
        if len(wide) > 1:
            raise TypeError(
                f"{name} got incompatible shapes for broadcasting: "
                f"{', '.join(str(aval.shape) for aval in avals)} differ along axis {axis}. Lengths must be "
                "equal or 1; check the operands' shapes."
            )
        out.append(wide.pop() if wide else 1)
    return tuple(out)


def batch_unary(prim: Primitive) -> Rule:
    """The batch rule of what leaves its operand's batch axis where it is."""
    return lambda axis_size, args, dims, **params: (prim.bind(*args, **params), dims[0])


def batch_nary(prim: Primitive) -> Rule:
    """The batch rule of what works element by element on several operands."""

    def batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> Any:
        lined_up, dim = line_up_batch_axes(args, dims)
        return prim.bind(*lined_up, **params), dim

    return batch


def line_up_batch_axes(args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Sequence[Any], int]:
    """Elementwise operands whose batch axes fall on one another, and where that axis is."""
    shapes = {(np.shape(x), d) for x, d in zip(args, dims, strict=True) if np.ndim(x)}
    if len(shapes) == 1:
        # Only scalars beside operands of one shape and one batch axis: nothing to line up.
        return args, shapes.pop()[1]
    fronted = [_batch_axis_first(x, d) for x, d in zip(args, dims, strict=True)]
    rank = max(np.ndim(x) for x in fronted)
    return [
        x if d is None or np.ndim(x) == rank else expand_dims(x, range(np.ndim(x), rank))
        for x, d in zip(fronted, dims, strict=True)
    ], 0


def _batch_axis_first(x: Any, dim: int | None) -> Any:
    """`x` with its batch axis in front; an unbatched array gets one of length 1, a scalar needs none."""
    if dim is None:
        return expand_dims(x, (0,)) if np.ndim(x) else x
    return move_axis(x, dim, 0)


def batch_axis_in_front(x: Any, dim: int | None, size: int) -> Any:
    """`x` with its batch axis in front, repeated `size` times if it has none."""
    return broadcast(x, (size,)) if dim is None else move_axis(x, dim, 0)


# ----------------------------------------------------------------- derivatives by operand


def def_jvp(prim: Primitive, *rules: Callable[..., Any] | None, with_out: bool = False) -> None:
    """The tangent of `prim` is the sum over operands of rule(tangent, *primals, **params).

    Each rule must be linear in its first argument: reverse mode transposes what it binds. None
    stands for an operand that has no tangent (an index, a predicate). With `with_out` the rules
    are called as rule(tangent, out, *primals, **params): exp's derivative is its own result.
    """
    prim.jvp_rules = rules
    prim.jvp_with_out = with_out
    prim.jvp = lambda primals, tangents, **params: _jvp_by_rules(prim, primals, tangents, params)


def _jvp_by_rules(prim: Primitive, primals: Sequence[Any], tangents: Sequence[Any], params: dict) -> Any:
    out = prim.bind(*primals, **params)
    return out, sum_of_rules(prim, out, primals, tangents, params)


def sum_of_rules(prim: Primitive, out: Any, primals: Sequence[Any], tangents: Sequence[Any], params: dict) -> Any:
    """The tangent of `out`, which `prim` gave for `primals`, by the rules of `def_jvp`."""
    if prim.jvp_joint is not None:
        return prim.jvp_joint(out, primals, tangents, **params)
    operands = (out, *primals) if prim.jvp_with_out else primals
    # All terms before the first sum, as in JAX: the order of equations is part of a jaxpr's text.
    terms = [
        rule(t, *operands, **params)
        for t, rule in zip(tangents, prim.jvp_rules)
        if t is not None and rule is not None and type(t) is not Zero
    ]
    if len(terms) == 1:
        return terms[0]
    terms = [t for t in terms if type(t) is not Zero]
    return functools.reduce(add_any_p.bind, terms) if terms else zero_like(out)


def def_joint_jvp(prim: Primitive, rule: Callable[..., Any]) -> None:
    """The tangent of `prim` is rule(out, primals, tangents, **params), where it is no sum over operands.

    Tangents may be Zero or None, which `is_zero` tells; at least one is neither.
    """
    prim.jvp_joint = rule
    prim.jvp_rules = ()
    prim.jvp = lambda primals, tangents, **params: _jvp_by_rules(prim, primals, tangents, params)


def def_jointly_linear(prim: Primitive, transpose: Callable[..., Any], operands: Sequence[int] | None = None) -> None:
    """`prim` is linear in `operands` (positions; all of them by default) taken together, as concatenation is.

    transpose(ct, *args, **params) is as in `core.Primitive`.
    """

    def rule(out: Any, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        args = list(primals)
        for i in range(len(args)) if operands is None else operands:
            args[i] = materialize(tangents[i], args[i])
        return prim.bind(*args, **params)

    def_joint_jvp(prim, rule)
    prim.transpose = transpose


def operand_shape(x: Any) -> tuple[int, ...]:
    """The shape of an argument of a transpose rule, linear or not."""
    return x.aval.shape if is_linear(x) else np.shape(x)


def is_zero(t: Any) -> bool:
    """Whether a tangent is known to be zero."""
    return t is None or type(t) is Zero


def materialize(t: Any, primal: Any) -> Any:
    """The tangent of `primal` as an array, of zeros if need be, in the rules of def_joint_jvp."""
    return zeros(zero_like(primal).aval) if is_zero(t) else t


def def_not_differentiable(*prims: Primitive) -> None:
    """Differentiating these primitives raises an error, as in JAX: they have no rule."""
    for prim in prims:
        prim.jvp = lambda primals, tangents, *, prim=prim, **params: _no_derivative(prim)


def _no_derivative(prim: Primitive) -> Any:
    raise NotImplementedError(
        f"Differentiation rule for '{prim.name}' not implemented. Keep it out of what is differentiated by "
        "lax.stop_gradient on its operands, or give the function that uses it a jax.custom_jvp rule."
    )


def def_bilinear(prim: Primitive, lhs: Callable[..., Any], rhs: Callable[..., Any]) -> None:
    """`prim` is linear in each of its two operands.

    lhs(ct, x_aval, y, **params) and rhs(ct, x, y_aval, **params) are the cotangents of x and y.
    """
    def_jvp(
        prim,
        lambda t, x, y, **params: prim.bind(t, y, **params),
        lambda t, x, y, **params: prim.bind(x, t, **params),
    )

    def transpose(ct: Any, x: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        if is_linear(x):
            return lhs(ct, x.aval, y, **params), None
        return None, rhs(ct, x, y.aval, **params)

    prim.transpose = transpose


# Tangents and cotangents add up by a primitive of their own, as in JAX, so that a reader of
# a jaxpr can tell the engine's additions from the user's.
add_any_p = binary("add_any", np.add, accepts="biufc")
def_jointly_linear(add_any_p, lambda ct, x, y: (ct if is_linear(x) else None, ct if is_linear(y) else None))


def _add_any_batch(axis_size: int, args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
    """Both operands keep one shape, which the transpose relies on: no axes of length 1 as elsewhere."""
    dim = dims[0] if dims[1] is None else dims[1]
    return add_any_p.bind(*[_batched_at(dim, x, d, axis_size) for x, d in zip(args, dims)]), dim


def _batched_at(place: int, x: Any, dim: int | None, size: int) -> Any:
    """`x` with its batch axis at `place`, repeated `size` times if it has none."""
    if dim is not None:
        return move_axis(x, dim, place)
    shape = np.shape(x)
    others = [d for d in range(len(shape) + 1) if d != place]
    return broadcast_in_dim(x, (*shape[:place], size, *shape[place:]), others)


add_any_p.batch = _add_any_batch


def unbroadcast(ct: Any, aval: ShapedArray) -> Any:
    """Sum the cotangent of an elementwise result down to the shape of one operand."""
    shape = ct._data.shape if type(ct) is ArrayImpl else np.shape(ct)
    return ct if shape == aval.shape else sum_to_shape(ct, aval.shape)


def instantiate(x: Any) -> Any:
    """An array of zeros for a symbolic zero; anything else as it is."""
    if type(x) is not Zero:
        return x
    return zeros(x.aval)


def zeros(aval: ShapedArray) -> Any:
    """Zeros of an aval's shape, dtype and weak type."""
    weak = aval.weak_type and aval.dtype in (dtypes.default_float_dtype(), dtypes.default_complex_dtype())
    zero = dtypes.scalar_type_of(aval)(0) if weak else np.zeros((), dtypes.physical_dtype(aval.dtype))[()]
    return broadcast_in_dim(zero, aval.shape, ())


def like(x: Any, value: float) -> Any:
    """The constant `value` as a scalar of x's dtype, which a jaxpr shows as a literal (JAX: _const).

    Beside a weakly typed scalar it is a Python number, so that the result stays weakly typed.
    """
    if type(x) is ArrayImpl and not x.weak_type:
        return x._data.dtype.type(value)
    aval = get_aval(x)
    return _constant(aval, value, aval.weak_type and not aval.shape)


def scalar_like(x: Any, value: float) -> Any:
    """The constant `value` as a scalar of x's dtype and weak type (JAX: full_like with shape ())."""
    aval = get_aval(x)
    return _constant(aval, value, aval.weak_type)


def filled_like(x: Any, value: float) -> Any:
    """`value` in the shape, dtype and weak type of `x`; a plain scalar if that is what x is."""
    shape = np.shape(x)
    return broadcast_in_dim(scalar_like(x, value), shape, ()) if shape else scalar_like(x, value)


def _constant(aval: ShapedArray, value: float, weak: bool) -> Any:
    if weak:
        return dtypes.scalar_type_of(aval)(value)
    return aval.dtype.type(value)


def widen(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` stretched to the shape of the elementwise result that it takes part in."""
    lengths = np.shape(x)
    if lengths == shape:
        return x
    kept = [d for d, (n, m) in enumerate(zip(lengths, shape)) if n == m]
    if len(kept) < len(lengths):
        x = reshape(x, [lengths[d] for d in kept])
    return broadcast_in_dim(x, shape, kept)
