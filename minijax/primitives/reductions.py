"""Reductions over axes: extrema and their places, products, logical ones. The sum is in `sums.py`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minijax import dtypes
from minijax.array import Array, ArrayImpl
from minijax.core import _FP_QUIET, Primitive, ShapedArray, _fp_state
from minijax.primitives.arithmetic import div, mul, mul_p
from minijax.primitives.comparison import eq
from minijax.primitives.conversion import convert_element_type
from minijax.primitives.families import def_jvp, like
from minijax.primitives.masks import has_bits
from minijax.primitives.shaping import reshape, squeeze_p
from minijax.primitives.slicing import pad_p, slice_p
from minijax.primitives.standard import (
    Shape,
    def_jvp_zero,
    never_weak,
    require_dtype,
    standard,
    zero_like,
)
from minijax.primitives.sums import def_reducer_batch, reduce_sum, reduced_shape

__all__ = [
    "argmax",
    "argmin",
    "reduce_and",
    "reduce_max",
    "reduce_min",
    "reduce_or",
    "reduce_prod",
    "reduce_xor",
]

# ----------------------------------------------------------------- reduce_max, reduce_min


def reduce_max(operand: Any, axes: Sequence[int]) -> Array:
    """The largest element over `axes`: NaN if there is one, the dtype's least value if there is none."""
    return reduce_max_p.bind(operand, axes=tuple(axes))


def reduce_min(operand: Any, axes: Sequence[int]) -> Array:
    """The smallest element over `axes`: NaN if there is one, the dtype's largest value if there is none."""
    return reduce_min_p.bind(operand, axes=tuple(axes))


def lowest(dtype: np.dtype) -> Any:
    """What is below or equal to every value of the dtype."""
    if dtype.kind == "b":
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -math.inf


def highest(dtype: np.dtype) -> Any:
    """What is above or equal to every value of the dtype."""
    if dtype.kind == "b":
        return True
    return np.iinfo(dtype).max if dtype.kind in "iu" else math.inf


def _extremum(name: str, ufunc: np.ufunc, of_nothing: Callable[[np.dtype], Any], negative: bool) -> Primitive:
    """reduce_max or reduce_min; of equal zeros the one whose sign bit is `negative` counts as further out."""

    def impl(x: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
        if x.size == 0:
            return ufunc.reduce(x, axes, initial=of_nothing(x.dtype))
        out = ufunc.reduce(x, axes)
        if dtypes.kind(x.dtype) != "f":
            return out
        return settle_zeros(out, x, negative, lambda found: np.logical_or.reduce(found, axes))

    prim = standard(name, impl, reduced_shape)
    prim.evaluate = _evaluate_extremum(prim, impl)
    def_reducer_batch(prim)
    def_jvp(prim, _extremum_tangent, with_out=True)
    return prim


def settle_zeros(out: np.ndarray, x: np.ndarray, negative: bool, any_of: Callable[..., Any]) -> Any:
    """Extrema `out` of `x` with the signs of zeros right: NumPy keeps either zero, XLA orders -0.0 < 0.0."""
    if np.count_nonzero(out) == out.size or not _has_negative_zero(x):
        return out
    zero = out == 0
    found = any_of((x == 0) & (np.signbit(x) == negative))
    signed = np.where(found == negative, x.dtype.type(-0.0), x.dtype.type(0.0))
    return np.where(zero, signed, out)


def _has_negative_zero(x: np.ndarray) -> bool:
    if not has_bits(x.dtype):
        return True  # it may have
    bits = np.dtype(f"i{x.dtype.itemsize}")
    return bool((x.view(bits) == np.iinfo(bits).min).any())


def _evaluate_extremum(prim: Primitive, impl: Callable[..., Any]) -> Callable[..., Any]:
    """Eager evaluation without abstract values."""

    def evaluate(x: Any, *, axes: tuple[int, ...]) -> ArrayImpl:
        if type(x) is not ArrayImpl:
            return prim._evaluate(x, axes=axes)
        reduced_shape(x, axes=axes)
        token = _fp_state.set(_FP_QUIET)
        try:
            return ArrayImpl(impl(x._data, axes=axes), x.weak_type)
        finally:
            _fp_state.reset(token)

    return evaluate


def _extremum_tangent(t: Any, out: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
    """The mean of the tangents of those elements that are the extremum."""
    shape = [1 if d in axes else n for d, n in enumerate(np.shape(x))]
    chosen = convert_element_type(eq(x, reshape(out, shape)), dtypes.dtype(x))
    count = reduce_sum(chosen, axes)
    return div(reduce_sum(mul(t, chosen), axes), count)


reduce_max_p = _extremum("reduce_max", np.maximum, lowest, negative=False)
reduce_min_p = _extremum("reduce_min", np.minimum, highest, negative=True)


# ----------------------------------------------------------------- reduce_prod


def reduce_prod(operand: Any, axes: Sequence[int]) -> Array:
    """The product over `axes` in the operand's own dtype. TypeError for booleans."""
    return reduce_prod_p.bind(operand, axes=tuple(axes))


def accumulator_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype in which a running sum or product is kept: half-precision floats need a wider one."""
    return np.dtype(np.float32) if dtype.itemsize == 2 and dtype.kind not in "iu" else dtype


def _prod_impl(x: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
    return np.multiply.reduce(x, axes, accumulator_dtype(x.dtype)).astype(x.dtype, copy=False)


def _prod_dtype(x: ShapedArray, *, axes: tuple[int, ...]) -> Any:
    require_dtype("reduce_prod", x, "iufc")
    return x.dtype


reduce_prod_p = standard("reduce_prod", _prod_impl, reduced_shape, _prod_dtype)
def_reducer_batch(reduce_prod_p)


def _prod_jvp(primals: Sequence[Any], tangents: Sequence[Any], *, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Differentiate a tree of multiplications, not out / x * t: that would be 0 / 0 where x is 0.

    The reduced axes become one, in front; its upper half is multiplied into the lower until one is left.
    """
    (x,), (t,) = primals, tangents
    lengths = np.shape(x)
    kept = [d for d in range(len(lengths)) if d not in axes]
    sizes = (math.prod([lengths[d] for d in axes]), *[lengths[d] for d in kept])
    order = None if (*axes, *kept) == tuple(range(len(lengths))) else (*axes, *kept)
    x, t = reshape(x, sizes, order), reshape(t, sizes, order)
    while (n := sizes[0]) > 1:
        half = (n + 1) // 2
        lower = _rows((x, t), sizes, 0, half)
        upper = _rows((x, t), sizes, half, n)
        if n % 2:
            one = like(x, 1)
            padding = ((0, 1, 0), *[(0, 0, 0)] * len(kept))
            upper = pad_p.jvp((upper[0], one), (upper[1], zero_like(one)), padding_config=padding)
        x, t = mul_p.jvp(*zip(lower, upper, strict=True))
        sizes = (half, *sizes[1:])
    if n == 0:
        out = reduce_prod(primals[0], axes)
        return out, zero_like(out)
    return squeeze_p.jvp((x,), (t,), dimensions=(0,))


def _rows(pair: tuple[Any, Any], sizes: Shape, start: int, stop: int) -> tuple[Any, Any]:
    """Rows start ... stop - 1 of a primal and its tangent."""
    rest = sizes[1:]
    return slice_p.jvp(
        pair[:1],
        pair[1:],
        start_indices=(start, *[0] * len(rest)),
        limit_indices=(stop, *rest),
        strides=(1,) * len(sizes),
    )


reduce_prod_p.jvp = _prod_jvp


# ----------------------------------------------------------------- reduce_and, reduce_or, reduce_xor


def reduce_and(operand: Any, axes: Sequence[int]) -> Array:
    """Logical (bool) or bit by bit (integers) AND over `axes`."""
    return reduce_and_p.bind(operand, axes=tuple(axes))


def reduce_or(operand: Any, axes: Sequence[int]) -> Array:
    """Logical (bool) or bit by bit (integers) OR over `axes`."""
    return reduce_or_p.bind(operand, axes=tuple(axes))


def reduce_xor(operand: Any, axes: Sequence[int]) -> Array:
    """Logical (bool) or bit by bit (integers) exclusive OR over `axes`."""
    return reduce_xor_p.bind(operand, axes=tuple(axes))


def _logical(name: str, ufunc: np.ufunc, of_nothing: Callable[[np.dtype], Any]) -> Primitive:
    def impl(x: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
        return ufunc.reduce(x, axes, x.dtype, initial=of_nothing(x.dtype))

    def dtype(x: ShapedArray, *, axes: tuple[int, ...]) -> Any:
        require_dtype(name, x, "biu")
        return x.dtype

    prim = standard(name, impl, reduced_shape, dtype, never_weak)
    def_reducer_batch(prim)
    def_jvp_zero(prim)
    return prim


def _all_bits(dtype: np.dtype) -> Any:
    return -1 if dtype.kind == "i" else highest(dtype)


reduce_and_p = _logical("reduce_and", np.bitwise_and, _all_bits)
reduce_or_p = _logical("reduce_or", np.bitwise_or, lambda dtype: 0)
reduce_xor_p = _logical("reduce_xor", np.bitwise_xor, lambda dtype: 0)


# ----------------------------------------------------------------- argmax, argmin


def argmax(operand: Any, axis: int, index_dtype: Any) -> Array:
    """The index of the largest element along `axis`: the first of equal ones, the first NaN before all.

    Raises ValueError for an axis outside 0 ... ndim - 1 or of length 0, TypeError for an index dtype
    that is no integer.
    """
    return _bind_arg(argmax_p, operand, axis, index_dtype)


def argmin(operand: Any, axis: int, index_dtype: Any) -> Array:
    """The index of the smallest element along `axis`: the first of equal ones, the first NaN before all.

    Raises ValueError for an axis outside 0 ... ndim - 1 or of length 0, TypeError for an index dtype
    that is no integer.
    """
    return _bind_arg(argmin_p, operand, axis, index_dtype)


def _bind_arg(prim: Primitive, operand: Any, axis: int, index_dtype: Any) -> Array:
    index_dtype = dtypes.check_and_canonicalize_user_dtype(index_dtype, prim.name)
    return prim.bind(operand, axes=(axis,), index_dtype=index_dtype)


def _arg_extremum(name: str, find: Callable[..., Any]) -> Primitive:
    def impl(x: np.ndarray, *, axes: tuple[int], index_dtype: np.dtype) -> np.ndarray:
        return find(x, axes[0]).astype(index_dtype)

    def shape(x: ShapedArray, *, axes: tuple[int], index_dtype: np.dtype) -> Shape:
        (axis,) = axes
        if not 0 <= axis < x.ndim:
            raise ValueError(
                f"Invalid axis {axis} of {name} for operand shape {x.shape}: it must lie in 0 ... {x.ndim - 1}."
            )
        if x.shape[axis] == 0:
            raise ValueError(
                "argmin and argmax require non-empty reduced dimension: "
                f"axis {axis} of operand shape {x.shape} has length 0."
            )
        return x.shape[:axis] + x.shape[axis + 1 :]

    def dtype(x: ShapedArray, *, axes: tuple[int], index_dtype: np.dtype) -> np.dtype:
        require_dtype(name, x, "biuf")
        if not dtypes.is_integer(index_dtype):
            raise TypeError(f"index_dtype of {name} must be an integer type, but got {index_dtype}: use 'int32'.")
        return index_dtype

    prim = standard(name, impl, shape, dtype, never_weak)
    def_reducer_batch(prim)
    def_jvp_zero(prim)
    return prim


argmax_p = _arg_extremum("argmax", np.argmax)
argmin_p = _arg_extremum("argmin", np.argmin)
