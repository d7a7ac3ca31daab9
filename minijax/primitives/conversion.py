"""Primitives that change the dtype or the precision of a value, and those that only pass it on."""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning

from minijax import dtypes, tree_util
from minijax.array import Array, ArrayImpl
from minijax.core import (
    _FP_QUIET,
    ShapedArray,
    Zero,
    _fp_state,
    as_array,
    get_aval,
)
from minijax.jaxpr import JaxprTrace, JaxprTracer, Literal
from minijax.primitives.families import batch_unary, def_jvp, unary
from minijax.primitives.shaping import move_axis
from minijax.primitives.standard import (
    Shape,
    def_jvp_zero,
    def_linear,
    never_weak,
    standard,
    structural,
    zero_like,
)

__all__ = [
    "bitcast_convert_type",
    "convert_element_type",
    "copy",
    "reduce_precision",
    "stop_gradient",
]

# ----------------------------------------------------------------- convert_element_type


def convert_element_type(operand: Any, new_dtype: Any) -> Array:
    """The same numbers in another dtype, strongly typed.

    Floats are cut to integers towards zero; what is too large becomes the largest integer there is,
    too small the smallest, NaN 0. Integers wrap around. Everything but 0 is True. Of complex numbers real
    dtypes keep the real part, with a ComplexWarning.
    """
    return convert(operand, dtypes.check_and_canonicalize_user_dtype(new_dtype, "convert_element_type"))


def convert(operand: Any, new_dtype: Any = None, weak_type: bool = False, warn: bool = True) -> Array:
    """`operand` with this canonical dtype (its own for None) and weak type; itself if it has them already.

    Losing imaginary parts raises a ComplexWarning unless `warn` is off.
    """
    if isinstance(operand, Array):
        dtype = operand.dtype
        if (new_dtype is None or dtype == new_dtype) and operand.weak_type == weak_type:
            return operand
    else:
        operand, dtype = _plain_operand(operand)
    new_dtype = dtype if new_dtype is None else new_dtype
    if warn:
        check_imaginary_parts(operand, dtype, new_dtype)
    if isinstance(dtype, dtypes.ExtendedDType) or isinstance(new_dtype, dtypes.ExtendedDType):
        return _convert_extended(operand, dtype, new_dtype)
    if isinstance(operand, np.ndarray) and dtype == new_dtype and not weak_type:
        return as_array(operand)
    if type(operand) is int:
        operand = np.asarray(operand).astype(new_dtype)[()]  # it may be beyond the default int's range
    return convert_element_type_p.bind(operand, new_dtype=new_dtype, weak_type=weak_type)


def check_imaginary_parts(operand: Any, dtype: Any, new_dtype: Any) -> None:
    """Warn (ComplexWarning) of imaginary parts that get lost, and raise TypeError if a Python number has them."""
    if dtypes.kind(dtype) != "c" or dtypes.kind(new_dtype) == "c":
        return
    warnings.warn("Casting complex values to real discards the imaginary part", ComplexWarning, stacklevel=4)
    if type(operand) is complex:
        raise TypeError(f"the Python number {operand} cannot become {new_dtype}: it is not real. Take its real part.")


def _plain_operand(x: Any) -> tuple[Any, Any]:
    """What is no Array, and its dtype; 0-d NumPy arrays become scalars, which jaxprs show as literals."""
    if hasattr(x, "__jax_array__"):
        x = x.__jax_array__()
    return x[()] if isinstance(x, np.ndarray) and not x.ndim else x, dtypes.dtype(x)


def _convert_extended(operand: Any, dtype: Any, new_dtype: Any) -> Array:
    if dtype == new_dtype:
        return operand
    raise ValueError(
        f"convert_element_type cannot convert from {dtype} to {new_dtype}: random keys are no numbers. "
        "jax.random.key_data(key) gives their bits, jax.random.wrap_key_data makes keys of bits."
    )


def _convert_impl(x: np.ndarray, *, new_dtype: np.dtype, weak_type: bool) -> np.ndarray:
    if x.dtype.kind == "c" and new_dtype.kind != "c":
        x = x.real
    if dtypes.kind(x.dtype) == "f" and dtypes.kind(new_dtype) in "iu":
        return _float_to_integer(x, new_dtype)
    return x.astype(new_dtype, copy=False)


def _float_to_integer(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Saturating conversion: C leaves it undefined beyond the integers' range, XLA does not."""
    if x.dtype.itemsize <= 2:
        x = x.astype(np.float32)
    low, high, smallest, largest = _integer_range(x.dtype, dtype)
    inside = np.greater(x, low) & np.less(x, high)
    if np.logical_and.reduce(inside, None):
        return x.astype(dtype)
    out = np.where(inside, x, x.dtype.type(0)).astype(dtype)
    return np.where(x <= low, smallest, np.where(x >= high, largest, out))


@functools.lru_cache
def _integer_range(source: np.dtype, target: np.dtype) -> tuple[Any, Any, Any, Any]:
    """The floats between which conversion is exact up to rounding, and the integers for what lies outside."""
    info = np.iinfo(target)
    # Powers of two, hence exact; the largest integer itself need not be.
    low, high = source.type(info.min), source.type(2.0 * (info.max // 2 + 1))
    return low, high, target.type(info.min), target.type(info.max)


convert_element_type_p = standard(
    "convert_element_type",
    _convert_impl,
    shape=lambda x, **params: x.shape,
    dtype=lambda x, *, new_dtype, weak_type: new_dtype,
    weak=lambda x, *, new_dtype, weak_type: weak_type,
)
convert_element_type_p.batch = batch_unary(convert_element_type_p)


def _evaluate_convert(x: Any, *, new_dtype: np.dtype, weak_type: bool) -> ArrayImpl:
    if type(x) is not ArrayImpl:
        x = as_array(x)
    token = _fp_state.set(_FP_QUIET)
    try:
        return ArrayImpl(_convert_impl(x._data, new_dtype=new_dtype, weak_type=weak_type), weak_type)
    finally:
        _fp_state.reset(token)


convert_element_type_p.evaluate = _evaluate_convert


def _convert_tangent(t: Any, x: Any, *, new_dtype: np.dtype, weak_type: bool) -> Any:
    if not dtypes.is_inexact(new_dtype):
        return Zero(ShapedArray(np.shape(x), dtypes.float0))
    return convert_element_type_p.bind(t, new_dtype=new_dtype, weak_type=weak_type)


def _convert_transpose(ct: Any, x: Any, *, new_dtype: np.dtype, weak_type: bool) -> tuple[Any]:
    if not dtypes.is_inexact(x.aval.dtype):
        return (Zero(x.aval.to_tangent_aval()),)
    return (convert_element_type_p.bind(ct, new_dtype=x.aval.dtype, weak_type=x.aval.weak_type),)


def_jvp(convert_element_type_p, _convert_tangent)
convert_element_type_p.transpose = _convert_transpose


def _convert_stage(trace: JaxprTrace, args: Any, params: dict[str, Any]) -> JaxprTracer | None:
    """In a jaxpr a converted scalar is another literal, and what needs no conversion stays what it is."""
    atom = trace.atom(args[0])
    if atom.aval.dtype == params["new_dtype"] and atom.aval.weak_type == params["weak_type"]:
        return JaxprTracer(trace, atom)
    if type(atom) is not Literal or np.ndim(atom.val):
        return None
    converted = _evaluate_convert(atom.val, **params)._data
    if not params["weak_type"]:
        return JaxprTracer(trace, Literal(converted[()]))
    is_default = converted.dtype == dtypes.canonicalize_dtype(dtypes.scalar_type_of(converted))
    return JaxprTracer(trace, Literal(converted.item())) if is_default else None


convert_element_type_p.stage = _convert_stage

# ----------------------------------------------------------------- bitcast_convert_type


def bitcast_convert_type(operand: Any, new_dtype: Any) -> Array:
    """The same bits seen as another dtype.

    A narrower dtype adds an axis at the end for the parts of each element, the lowest bits first; a wider
    one joins the elements along the last axis, whose length must fit.
    """
    new_dtype = dtypes.check_and_canonicalize_user_dtype(new_dtype, "bitcast_convert_type")
    return bitcast_convert_type_p.bind(operand, new_dtype=new_dtype)


def _bitcast_impl(x: np.ndarray, *, new_dtype: np.dtype) -> np.ndarray:
    if x.dtype.itemsize == new_dtype.itemsize:
        return x.view(new_dtype)
    shape = _bitcast_shape(x, new_dtype=new_dtype)
    return np.ascontiguousarray(x).reshape(-1).view(new_dtype).reshape(shape)


def _bitcast_shape(x: Any, *, new_dtype: np.dtype) -> Shape:
    old, new = x.dtype.itemsize, new_dtype.itemsize
    if old == new:
        return x.shape
    if old > new:
        return (*x.shape, old // new)
    if not x.shape or x.shape[-1] * old != new:
        raise ValueError(
            f"bitcast_convert_type cannot see {x.dtype.name} of shape {x.shape} as {new_dtype.name}: the "
            f"last axis must have length {new // old}, so that each row makes one element. Reshape first."
        )
    return x.shape[:-1]


def _bitcast_dtype(x: ShapedArray, *, new_dtype: np.dtype) -> np.dtype:
    if x.dtype != new_dtype and {"b", "c"} & {dtypes.kind(x.dtype), dtypes.kind(new_dtype)}:
        raise TypeError(
            "bitcast_convert_type does not convert from or to bool or complex numbers, got operand "
            f"{x.str_short()} and new_dtype {new_dtype.name}. Use x.astype(...), or x.view(...)."
        )
    if dtypes.itemsize_bits(x.dtype) < 8 and dtypes.itemsize_bits(new_dtype) != dtypes.itemsize_bits(x.dtype):
        raise ValueError(
            f"bitcast_convert_type cannot see {x.str_short()} as {new_dtype.name}: elements of less than a byte are "
            "not packed here. Convert them first, for example with x.astype('int8')."
        )
    return new_dtype


bitcast_convert_type_p = standard(
    "bitcast_convert_type", _bitcast_impl, _bitcast_shape, _bitcast_dtype, weak=never_weak
)
def_jvp_zero(bitcast_convert_type_p)


def _bitcast_batch(axis_size: int, args: Any, dims: Any, *, new_dtype: np.dtype) -> Any:
    (x,), (dim,) = args, dims
    if get_aval(x).dtype.itemsize < new_dtype.itemsize and dim == np.ndim(x) - 1:
        # A wider dtype uses up the last axis.
        x, dim = move_axis(x, dim, 0), 0
    return bitcast_convert_type_p.bind(x, new_dtype=new_dtype), dim


bitcast_convert_type_p.batch = _bitcast_batch

# ----------------------------------------------------------------- reduce_precision


def reduce_precision(operand: Any, exponent_bits: int, mantissa_bits: int) -> Array:
    """Round floats to what a format with so many bits can hold; the dtype stays.

    Ties go to even, too large becomes infinity, too small 0.
    """
    return reduce_precision_p.bind(
        operand, exponent_bits=operator.index(exponent_bits), mantissa_bits=operator.index(mantissa_bits)
    )


def _reduce_precision_impl(x: np.ndarray, *, exponent_bits: int, mantissa_bits: int) -> np.ndarray:
    info = dtypes.finfo(x.dtype)
    out = _round_mantissa(x, info.nmant - mantissa_bits) if mantissa_bits < info.nmant else x
    if exponent_bits >= info.nexp:
        return out
    bias = 2 ** (exponent_bits - 1) - 1
    magnitude = np.abs(out)
    # The exponent of all ones stands for infinity, that of all zeros for 0 (subnormals are flushed).
    out = np.where(magnitude >= x.dtype.type(2.0 ** (bias + 1)), np.copysign(x.dtype.type(np.inf), x), out)
    out = np.where(magnitude < x.dtype.type(2.0 ** (1 - bias)), np.copysign(x.dtype.type(0), x), out)
    return np.where(np.isnan(x), x, out)


def _round_mantissa(x: np.ndarray, dropped: int) -> np.ndarray:
    """Round the last `dropped` bits of the mantissa away; a carry rightly moves on into the exponent."""
    bits = x.view(f"u{x.dtype.itemsize}")
    unsigned = bits.dtype.type
    last_kept = bits >> unsigned(dropped) & unsigned(1)
    rounded = bits + (unsigned((1 << dropped - 1) - 1) + last_kept) & ~unsigned((1 << dropped) - 1)
    return np.where(np.isfinite(x), rounded.view(x.dtype), x)


def _check_bits(x: ShapedArray, *, exponent_bits: int, mantissa_bits: int) -> None:
    if exponent_bits < 1:
        raise ValueError(f"reduce_precision: exponent_bits must be at least 1, got {exponent_bits}.")
    if mantissa_bits < 0:
        raise ValueError(f"reduce_precision: mantissa_bits must not be negative, got {mantissa_bits}.")


reduce_precision_p = unary("reduce_precision", _reduce_precision_impl, accepts="f", check=_check_bits)
def_linear(reduce_precision_p, lambda ct, x, **params: reduce_precision_p.bind(ct, **params))

# ----------------------------------------------------------------- passing a value on


def stop_gradient(x: Any) -> Any:
    """`x`, a pytree of arrays, whose derivative is taken to be zero in every differentiation around."""
    return tree_util.tree_map(_stop_gradient, x)


def _stop_gradient(x: Any) -> Any:
    if dtypes.kind(dtypes.dtype(x)) == "V":
        return x
    return stop_gradient_p.bind(x)


def _identity(name: str, impl: Callable[[np.ndarray], np.ndarray] = lambda x: x) -> Any:
    prim = structural(name, impl, lambda x: x.shape)
    prim.batch = batch_unary(prim)
    return prim


stop_gradient_p = _identity("stop_gradient")
stop_gradient_p.jvp = lambda primals, tangents: (stop_gradient_p.bind(*primals), zero_like(*primals))


def copy(x: Any) -> Array:
    """`x` in a buffer of its own."""
    return copy_p.bind(x)


copy_p = _identity("copy", np.copy)
def_linear(copy_p, lambda ct, x: copy_p.bind(ct))
